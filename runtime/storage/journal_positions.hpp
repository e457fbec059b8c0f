// Where in the journal each group's entries lie. They are stored in the order they were written, all groups mixed, so this is how
// one is found again; and what lies before the oldest of them all can be deleted.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace epione::runtime {

/// What a transaction changes is kept apart until commit().
class journal_positions {
public:
  struct place {
    std::uint32_t group;
    std::uint64_t index, position;
  };

  /// While opening: positions there are, and one entry after the other of each group.
  void open(std::uint64_t lowest, std::uint64_t next);
  void opened(std::uint32_t group, std::uint64_t index, std::uint64_t position);

  std::uint64_t find(std::uint32_t group, std::uint64_t index) const;
  /// The place for the group's next entry; whatever it has from that index on is forgotten.
  std::uint64_t append(std::uint32_t group, std::uint64_t index);
  /// A new place for an entry that keeps others from being deleted.
  std::uint64_t move(const place& p);
  void cut(std::uint32_t group, std::uint64_t index);
  /// The group's log is to go on at this index; where the rows of what it had lie is forgotten.
  void reset(std::uint32_t group, std::uint64_t next);
  void deleted_before(std::uint64_t position) { staged_lowest_ = position; }
  void commit();
  void rollback();

  /// Nothing that is needed lies before.
  std::uint64_t floor() const;
  std::uint64_t lowest() const { return lowest_; }
  /// Rows that are needed, and rows there are at most.
  std::uint64_t needed() const;
  std::uint64_t present() const { return next_ - lowest_; }
  /// The needed ones before a position, in order of theirs.
  std::vector<place> needed_before(std::uint64_t position) const;

private:
  struct group_positions {
    std::uint64_t first = 1; ///< index of the first
    std::deque<std::uint64_t> at;
    bool ascending = true; ///< false once one has been moved
  };
  enum class change_kind { append, move, cut, reset };
  struct change {
    change_kind kind;
    place what;
  };
  void apply(const change& c);

  std::map<std::uint32_t, group_positions> groups_;
  std::vector<change> changes_;
  std::uint64_t lowest_ = 1, next_ = 1, staged_lowest_ = 1, staged_next_ = 1;
};

} // namespace epione::runtime
