// Checks everything a data directory holds against itself, reading only: also while a node writes to it.
#pragma once

#include "domain/anchor.hpp"
#include "runtime/storage/disk.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace epione::runtime {

struct audit_report {
  /// The furthest that anchors say of a chain which ends before it.
  struct lag {
    std::uint64_t event = 0;
    std::string anchor; ///< which one: "the given anchor of node n1 of TIME"
  };
  struct part {
    std::string file;                  ///< path; of the journal one part a group
    std::uint64_t entries = 0;         ///< checked and found whole
    std::uint64_t last = 0;            ///< index or sequence number of the newest of them
    std::string head_hex;              ///< its hash: what an anchor outside is compared with
    std::optional<std::string> broken; ///< the first broken entry: file, group or shard, index, and what is wrong with it
    std::optional<lag> behind;         ///< of a member: as far as it goes it is whole, and the rest may be on its way
  };
  std::vector<part> parts;
  std::uint64_t anchors = 0;                    ///< that the chains were compared with
  std::optional<std::int64_t> newest_anchor_us; ///< when the last of them was made
  bool ok() const;
  std::uint64_t behind() const; ///< parts that are
};

struct audit_options {
  std::vector<domain::anchor> anchors{}; ///< kept outside, beside those in group 0
  bool alone = false;                    ///< every chain of which an anchor speaks has to be here
  bool member = false;                   ///< of a cluster: a chain may be late, behind what its leader anchored
  std::set<std::uint32_t> not_here{};    ///< groups that this node of a cluster is not a member of any more
};

/// Walks the journal (every row's checksum and chain, and the mark) and every shard's whole chain. `progress` is told a part's
/// file and how many entries of it are done, from time to time and at its end. A directory without a journal is reported as
/// broken. Every chain is compared with what anchors say of it: those in group 0, and those given.
audit_report audit_directory(disk& d, const std::string& directory,
                             std::function<void(std::string_view part, std::uint64_t done)> progress,
                             const audit_options& options = {});

} // namespace epione::runtime
