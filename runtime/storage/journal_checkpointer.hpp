// Moves the journal's WAL into its database file beside the writer, on a thread and a connection of its own: SQLite cannot do a
// checkpoint in pieces, and a whole one would hold up every waiting phone for as long as the disk takes.
#pragma once

#include "runtime/storage/sqlite.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace epione::runtime {

class journal_checkpointer {
public:
  journal_checkpointer(disk& d, const std::string& path);
  journal_checkpointer(const journal_checkpointer&) = delete;
  journal_checkpointer& operator=(const journal_checkpointer&) = delete;
  ~journal_checkpointer();

  /// Does nothing while one is under way.
  void start();
  bool busy();
  /// The outcome of the one that has ended, once. The database file is synced as far as it was written.
  std::optional<storage_result<checkpoint_outcome>> finished();

private:
  void run();
  connection connection_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool wanted_ = false, busy_ = false, stop_ = false;
  std::optional<storage_result<checkpoint_outcome>> outcome_;
  std::thread thread_; // last: it uses all of the above
};

} // namespace epione::runtime
