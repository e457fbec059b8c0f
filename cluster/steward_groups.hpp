// Who belongs to each group: the next step of each as placement.hpp says it, and replicas that move to give every node its share.
// It asks the steward of the node that leads a group, which may be its own.
#pragma once

#include "cluster/placement.hpp"
#include "cluster/steward_standing.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace epione::cluster {

class steward_groups {
public:
  explicit steward_groups(const steward_standing& standing);

  /// Asks for what is next. True: everything has been whole, and nothing has moved, for so long that leaderships may.
  bool look_at(const domain::cluster_state& nodes);
  /// Hands a group's leadership over to this server.
  void ask_for_transfer(std::uint32_t group, const std::string& leader, std::uint64_t to);
  /// Whether something was asked of it that does not show yet.
  bool is_asked(std::uint32_t group) const { return asked_.contains(group); }
  std::size_t asked() const { return asked_.size(); }

private:
  /// Until it shows, or was refused for sure, nothing else is asked of that group.
  struct asked_step {
    std::int64_t until_ms = 0;
    std::optional<messages::server_change> change; ///< nothing: a leadership
  };
  using group_views = std::vector<std::optional<runtime::group_view>>;

  group_views led_groups() const;
  std::set<std::uint64_t> draining_servers(const domain::cluster_state& nodes) const;
  bool take_next_steps(placement& wanted, const group_views& groups);
  bool move_replicas(const domain::cluster_state& nodes, const placement& wanted, const group_views& groups);
  void ask_for_change(std::uint32_t group, const runtime::group_view& seen, messages::server_change change);
  void ask(std::uint32_t group, const std::string& leader, const messages::steward_question& q);

  const steward_standing& standing_;
  std::map<std::uint32_t, asked_step> asked_;    ///< by group
  std::optional<std::int64_t> whole_since_ms_;   ///< nothing: something is missing
  std::optional<std::int64_t> settled_since_ms_; ///< nothing: members are being changed, or something is not known
  prometheus::Counter &steps_, &moves_;
};

} // namespace epione::cluster
