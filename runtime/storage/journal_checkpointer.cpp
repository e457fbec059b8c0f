#include "runtime/storage/journal_checkpointer.hpp"

#include "runtime/storage/journal_rows.hpp"

#include <utility>

namespace epione::runtime {

journal_checkpointer::journal_checkpointer(disk& d, const std::string& path)
    : connection_(d, path, access_mode::write, journal_format, journal_schema, "FULL", 256), thread_([this] { run(); }) {}

journal_checkpointer::~journal_checkpointer() {
  {
    const std::lock_guard guard{mutex_};
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void journal_checkpointer::start() {
  {
    const std::lock_guard guard{mutex_};
    if (busy_)
      return;
    busy_ = wanted_ = true;
  }
  wake_.notify_one();
}

bool journal_checkpointer::busy() {
  const std::lock_guard guard{mutex_};
  return busy_;
}

std::optional<storage_result<checkpoint_outcome>> journal_checkpointer::finished() {
  const std::lock_guard guard{mutex_};
  return std::exchange(outcome_, std::nullopt);
}

void journal_checkpointer::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || wanted_; });
    if (stop_)
      return;
    wanted_ = false;
    lock.unlock();
    auto outcome = guarded([this] {
      auto out = connection_.checkpoint();
      // When the writer has gone on meanwhile, SQLite leaves the database file unsynced; syncing it here keeps the writer's
      // own, final checkpoint short.
      if (!out.complete)
        connection_.sync_database_file();
      return out;
    });
    lock.lock();
    outcome_ = std::move(outcome);
    busy_ = false;
  }
}

} // namespace epione::runtime
