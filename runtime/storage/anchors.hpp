// What is said of the chains' heads: the anchors that group 0 holds and those of a file, put in order for whoever compares.
#pragma once

#include "domain/anchor.hpp"
#include "runtime/storage/disk.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::runtime {

/// One statement of an anchor: this chain has this event, and the log entry that brought it has this index.
struct expected_head {
  domain::chain_hash hash{};
  std::uint64_t index = 0;
  std::int64_t time_us = 0;
  std::string node;
  bool outside = false; ///< from a file
};

/// As large as there are chains, however many anchors there are: of a chain every event that anchors name is kept once, and when
/// those of group 0 are too many, every second one of them but the newest is let go. Between two that agree with the chain
/// nothing can have been changed.
class anchor_ledger {
public:
  using heads = std::multimap<std::uint64_t, expected_head>; ///< by event

  /// One that was kept outside. Fails with a sentence when its signature is not that of its key.
  tl::expected<void, std::string> add(const domain::anchor& a);
  /// The next event of group 0. Fails with a sentence when it is an anchor that cannot be trusted. What group 0's own anchors say
  /// of its own chain is left out: whoever cuts it cuts them as well.
  tl::expected<void, std::string> follow(std::string_view event);

  /// What is said of this chain.
  const heads& of(std::uint32_t shard) const;
  std::uint64_t count() const { return count_; }
  std::optional<std::int64_t> newest_us() const { return newest_us_; }

private:
  void take(const domain::anchor& a, bool outside);
  static void add_own(heads& said, const domain::anchored_head& h, const domain::anchor& a);
  void forget_behind(const std::vector<domain::anchored_head>& restored);

  std::map<std::uint32_t, heads> heads_;
  std::uint64_t count_ = 0;
  std::optional<std::int64_t> newest_us_;
};

/// Of the anchors in group 0 those that are needed to have the newest one of every chain, oldest first; after a restore without
/// those that speak of what it lost. `not_found` without a group 0; `damaged` when one cannot be trusted.
storage_result<std::vector<domain::anchor>> newest_anchors(disk& d, const std::string& directory);

/// Names of the clusters that this directory's data was of before it was restored, oldest first.
storage_result<std::vector<std::string>> clusters_before(disk& d, const std::string& directory);

} // namespace epione::runtime
