// What lies on the disks of a cluster's nodes after they were stopped, compared row by row, past everything the program has for
// reading it but the decoding of an event:
//
// - every member's store of a shard holds the same events in the same order, byte for byte, and so the same chain;
// - every acknowledged submission is in each of them exactly once; what nobody may have stored is in none;
// - two journals that hold the same entry of the same term hold the same bytes, and of what all have applied the same terms.
#pragma once

#include "tests/simulation/world.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace epione::simulation {

struct group_members {
  std::set<std::size_t> machines;
  std::uint64_t applied = 0; ///< by all of them
};

/// Of every group from 0 on, as its leader knows it; while the nodes run.
std::vector<group_members> members_of_groups(world& w);

/// Of every group, what the journal of a machine that has lost power holds, of its log the entries named for it. Changes nothing
/// there.
std::map<std::uint32_t, raft_watch::stored> terms_on_disk(world& w, const machine& m,
                                                          const std::map<std::uint32_t, std::uint64_t>& entries);

/// Once they are stopped. Violations go into the world's book.
void check_replicas(world& w, const std::vector<group_members>& groups);

std::string path_of_store(const world& w, std::size_t group);

/// Shards whose stores the journal can build again: it holds all their entries.
std::vector<std::uint32_t> shards_in_journal(const world& w, const machine& m);

} // namespace epione::simulation
