// What the load generator was told about each submission: 32 bytes each, appended as answers arrive, so that a later process can
// prove what must be there (and what must not) after the node was killed.
//
// The file is a sequence of records of 32 bytes in this machine's byte order; several runs may follow each other. A record cut
// short at the end is overlooked: its writer was killed.
#pragma once

#include "cli/load_submission.hpp"
#include "domain/ids.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::cli {

enum class load_outcome : std::uint8_t {
  acknowledged = 1, ///< 200 or 202: must be there, once
  refused = 2,      ///< answered, last, with a promise that it is not stored: must not be there
  unknown = 3,      ///< neither was said: may be there, once
};

struct load_record {
  load_outcome outcome = load_outcome::unknown;
  std::uint16_t status = 0; ///< of the last answer; 0 when the connection was lost
  std::uint32_t run = 0;    ///< index into load_ledger::runs()
  std::uint64_t counter = 0;
  domain::receipt id{}; ///< of an acknowledged one
};

class load_ledger_writer {
public:
  /// Appends to `path`, or keeps the ledger in memory when it is empty. The error is a sentence.
  static tl::expected<load_ledger_writer, std::string> open(const std::string& path, const load_plan& plan);
  load_ledger_writer(load_ledger_writer&& other) noexcept;
  load_ledger_writer& operator=(load_ledger_writer&& other) noexcept;
  ~load_ledger_writer();

  void append(load_outcome outcome, int status, std::uint64_t counter, const domain::receipt& id);
  /// Hands what has gathered to the kernel; the data then outlives this process. False when it could not.
  bool flush();
  /// To be read by load_ledger::read_descriptor.
  int descriptor() const { return descriptor_; }

private:
  explicit load_ledger_writer(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
  bool good_ = true;
  std::vector<unsigned char> gathered_;
};

/// A ledger that was read, mapped into memory.
class load_ledger {
public:
  static tl::expected<load_ledger, std::string> read(const std::string& path);
  static tl::expected<load_ledger, std::string> read_descriptor(int descriptor, const std::string& name);
  load_ledger(load_ledger&& other) noexcept;
  load_ledger& operator=(load_ledger&&) = delete;
  ~load_ledger();

  const std::vector<load_plan>& runs() const { return runs_; }
  /// Of all runs, in the order they were written; those that begin a run are left out.
  std::uint64_t size() const { return records_.size(); }
  load_record operator[](std::uint64_t i) const;

private:
  load_ledger() = default;
  struct place {
    std::uint32_t slot; ///< of the file, in records
    std::uint32_t run;
  };
  const unsigned char* bytes_ = nullptr;
  std::size_t mapped_ = 0;
  std::vector<load_plan> runs_;
  std::vector<place> records_;
};

} // namespace epione::cli
