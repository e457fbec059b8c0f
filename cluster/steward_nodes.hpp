// The list of nodes that group 0 keeps: who may join, joins, leaves, is replaced, and is forgotten. Only the steward of the node
// that leads group 0 changes it.
#pragma once

#include "cluster/steward_standing.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace epione::cluster {

class steward_nodes {
public:
  explicit steward_nodes(const steward_standing& standing) : standing_(standing) {}

  /// Answers whose change has come to show, or has not in time.
  void settle();
  bool is_changing() const { return record_.has_value(); }
  /// What group 0 is told first.
  void found();
  /// What follows from the list and the groups: this node's own address, and that who has left is forgotten. True: a change of
  /// the list is on its way.
  bool see_to(const domain::cluster_state& nodes);

  // Questions of messages/steward.hpp.
  void join(const std::string& node, const messages::steward_question& q, steward_promise answer);
  /// invite, leave, replace.
  void change(const messages::steward_question& q, steward_promise answer);
  /// An event for group 0's chain that does not change the list.
  void record_event(const messages::steward_question& q, steward_promise answer);

private:
  /// A change of the list on its way into group 0.
  struct pending_record {
    std::uint64_t changes = 0; ///< of the view, when it was proposed
    std::int64_t until_ms = 0;
    bool durable = false;
    steward_done done;
  };

  bool may_change(steward_promise& answer);
  void invite(const messages::steward_question& q, steward_promise answer);
  void leave(const messages::steward_question& q, steward_promise answer);
  void replace(const messages::steward_question& q, steward_promise answer);
  void grant(const domain::cluster_node& n, steward_promise& answer);
  /// Why a member is not to be replaced: it is alive, under the server id that it has in the list. Empty: nothing is heard of it.
  std::string sign_of_life(const domain::cluster_node& n) const;
  void record_for(const messages::steward_question& q, const domain::cluster_state& next, const std::string& reason,
                  steward_promise answer);
  void record(const domain::cluster_state& next, const std::string& entity, const std::string& reason, steward_done done,
              const std::string& who = "system");
  void with_catalog(domain::event event, steward_done done);
  bool tell_own_address(const domain::cluster_state& nodes);
  bool forget_who_has_left(const domain::cluster_state& nodes);
  bool is_anywhere(std::uint64_t server) const;

  const steward_standing& standing_;
  std::optional<pending_record> record_;
  std::map<std::string, std::int64_t> joined_ms_; ///< by node: when this steward let it in; until it is linked
};

} // namespace epione::cluster
