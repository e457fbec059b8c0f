#include "cluster/replica_view.hpp"

#include <utility>

namespace epione::cluster {

namespace {

constexpr std::int64_t view_period_ms = 200; ///< what others see of a group is at most so old, as long as something happens in it

} // namespace

void replica_view::hide() {
  if (replica_.options.view != nullptr)
    replica_.options.view->remove(replica_.options.group);
}

void replica_view::show_when_due() {
  if (replica_.now_ms() >= due_ms_)
    show();
}

void replica_view::show() {
  const auto now_ms = replica_.now_ms();
  due_ms_ = now_ms + view_period_ms;
  if (replica_.options.view == nullptr || standing_.core() == nullptr)
    return;
  const auto& core = *standing_.core();
  runtime::group_view v;
  v.role = core.role() == raft_role::leader      ? "leader"
           : core.role() == raft_role::candidate ? "candidate"
           : core.servers().empty()              ? "none"
                                                 : "follower";
  v.term = core.term();
  v.commit = core.commit_index();
  v.applied = feed_.applied();
  v.last = core.log().last();
  v.leader_id = core.leader_id();
  v.leader = v.leader_id == 0 ? std::string{} : members_.node_of(v.leader_id);
  v.serving = standing_.serving;
  v.change_under_way = core.change_under_way();
  for (const auto& x : core.servers()) {
    runtime::member_view m;
    m.id = x.id;
    m.node = members_.node_of(x.id);
    m.role = x.id == v.leader_id ? "leader" : x.role == server_role::voter ? "voter" : "stand-by";
    m.known = standing_.leads();
    m.match = core.match_index(x.id);
    m.heard_ms = x.id == replica_.options.server_id ? 0 : core.heard_ms(x.id) == 0 ? -1 : now_ms - core.heard_ms(x.id);
    v.members.push_back(std::move(m));
  }
  replica_.options.view->set(replica_.options.group, std::move(v));
}

} // namespace epione::cluster
