// Who leads the groups: leaderships are spread evenly over the nodes, and a node that drains gives its own away.
#pragma once

#include "cluster/steward_groups.hpp"
#include "cluster/steward_standing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace epione::cluster {

class steward_leads {
public:
  steward_leads(steward_standing& standing, steward_groups& groups);

  /// drain, undrain: of this node.
  void drain(const messages::steward_question& q, steward_promise answer);
  /// What a draining node leads all the same: it may have won an election.
  void give_away_what_came_back();
  /// One at a time, and only while nothing is missing: after a restart leaderships move back without a storm.
  void spread(const domain::cluster_state& nodes);

private:
  std::string give_all_away();
  void hand_over(std::uint32_t group, std::uint64_t to);
  bool hand_one_over(const std::vector<std::uint32_t>& led, const std::string& to);

  steward_standing& standing_;
  steward_groups& groups_;
  std::optional<std::int64_t> moved_ms_; ///< when a leadership was moved last
  prometheus::Counter& moves_;
};

} // namespace epione::cluster
