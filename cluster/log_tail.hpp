// The newest part of a group's log in memory: what the store has yet to apply and what followers may still need, with the term of
// every entry behind the cut.
#pragma once

#include "messages/log.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace epione::cluster {

/// Consecutive entries. The log reaches from cut + 1 to last(); the entries in memory from first_in_memory() to last().
class log_tail {
public:
  /// The log begins behind this point; everything before is forgotten. (0, 0): it begins at 1.
  void reset(std::uint64_t cut_index, std::uint64_t cut_term);
  /// entry.index must be last() + 1, and its term not below the last one.
  void append(messages::log_entry entry);
  /// Forgets everything from `index` on.
  void truncate(std::uint64_t index);
  /// The log begins behind this entry from now on: its term stays known. Entries stay in memory.
  void cut(std::uint64_t index);
  /// Drops entries up to `index` from memory, the oldest first, until only `bytes_kept` are left.
  void release(std::uint64_t index, std::size_t bytes_kept);
  /// Puts back entries dropped from memory: those of `older` directly before first_in_memory().
  void refill(const messages::log_entries& older);

  std::uint64_t cut_index() const { return cut_index_; }
  std::uint64_t last() const { return last_; }
  std::uint64_t last_term() const { return runs_.empty() ? cut_term_ : runs_.back().term; }
  std::uint64_t first_in_memory() const { return last_ + 1 - entries_.size(); }
  std::size_t bytes() const { return bytes_; }
  /// 0 when the entry is not in the log. The cut itself has a term.
  std::uint64_t term_of(std::uint64_t index) const;
  /// Must be in memory.
  const messages::log_entry& at(std::uint64_t index) const;
  /// From `from` to at most `to`, until `bytes_max` is reached, at least one.
  messages::log_entries copy(std::uint64_t from, std::uint64_t to, std::size_t bytes_max) const;

private:
  /// Entries of one term, from `first` on.
  struct run {
    std::uint64_t first, term;
  };
  std::deque<messages::log_entry> entries_;
  std::vector<run> runs_;
  std::uint64_t cut_index_ = 0, cut_term_ = 0, last_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace epione::cluster
