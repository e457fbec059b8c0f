#include "cluster/steward_nodes.hpp"

#include "domain/event.hpp"
#include "runtime/defaults.hpp"
#include "runtime/error_text.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace epione::cluster {

using namespace messages;
using domain::cluster_state;
using domain::node_phase;
namespace defaults = runtime::defaults;

namespace {

std::ptrdiff_t members_of(const cluster_state& nodes) {
  return std::count_if(nodes.nodes.begin(), nodes.nodes.end(), [](const auto& n) { return n.phase == node_phase::member; });
}

} // namespace

// ---- changes on their way into group 0 ----------------------------------------------------------------------------------------

/// One at a time, and it counts once the catalog shows it.
void steward_nodes::record(const cluster_state& next, const std::string& entity, const std::string& reason, steward_done done,
                           const std::string& who) {
  const auto now = standing_.cluster.get();
  domain::event event;
  event.time_us = standing_.env.clock.wall_us();
  event.who = who;
  event.role = who == "system" ? "system" : "operator";
  event.action = domain::cluster_change_action;
  event.entity = entity;
  if (now != nullptr)
    event.before = domain::encode(*now);
  event.after = domain::encode(next);
  event.reason = reason;
  standing_.env.log.info(steward_part, "changes the list of nodes", {{"node", entity}, {"why", reason}});
  record_ = pending_record{standing_.cluster.changes(), standing_.now_ms() + std::int64_t{defaults::membership_step_limit_ms},
                           false, std::move(done)};
  with_catalog(std::move(event), [this](ec error, const std::string& text) {
    if (!record_)
      return;
    record_->durable = error == ec::none;
    if (error != ec::none) {
      auto ended = std::exchange(record_, std::nullopt);
      ended->done(error, text);
    }
    settle();
  });
}

void steward_nodes::settle() {
  if (!record_)
    return;
  const bool shown = record_->durable && standing_.cluster.changes() > record_->changes;
  if (!shown && standing_.now_ms() < record_->until_ms)
    return;
  auto ended = std::exchange(record_, std::nullopt);
  ended->done(shown ? ec::none : ec::time_limit, shown ? "" : "whether the list of nodes was changed is unknown; try again");
}

void steward_nodes::with_catalog(domain::event event, steward_done done) {
  const auto catalog = standing_.catalog();
  if (catalog == nullptr || !standing_.leads_catalog())
    return done(ec::not_serving, standing_.not_leading());
  standing_.self
      ->request(catalog, steward_step_limit, record_atom::value, std::make_shared<const domain::event>(std::move(event)))
      .then([done](bool) { done(ec::none, std::string{}); },
            [done](caf::error& why) { done(runtime::code_of(why).value_or(ec::time_limit), runtime::sentence_of(why)); });
}

void steward_nodes::record_event(const steward_question& q, steward_promise answer) {
  auto event = domain::decode_event(q.bytes);
  if (!event)
    return say(answer, ec::invalid, event.error());
  with_catalog(std::move(*event), [answer](ec error, const std::string& text) mutable { say(answer, error, text); });
}

// ---- what is asked ------------------------------------------------------------------------------------------------------------

bool steward_nodes::may_change(steward_promise& answer) {
  if (!standing_.leads_catalog() || standing_.cluster.get() == nullptr) {
    say(answer, ec::not_serving, standing_.not_leading());
    return false;
  }
  if (record_) {
    say(answer, ec::not_serving, "another change of the nodes is under way; try again");
    return false;
  }
  return true;
}

void steward_nodes::join(const std::string& node, const steward_question& q, steward_promise answer) {
  if (!may_change(answer))
    return;
  if (node != q.text)
    return say(answer, ec::invalid, "node " + node + " asks for " + q.text + ", whose certificate it does not have");
  auto next = *standing_.cluster.get();
  auto* n = next.find(node);
  if (n == nullptr)
    return say(answer, ec::not_found,
               "node " + node + " is not in the cluster; say on one that is: epione cluster join " + node + " --peer " + q.text3);
  if (n->phase == node_phase::member && !q.text2.empty() && n->joined_as == q.text2)
    return grant(*n, answer);          // its answer was lost
  if (n->phase == node_phase::leaving) // the one that asks waits and asks again
    return say(answer, ec::not_serving, "node " + node + " is still being taken out of the cluster");
  if (n->phase != node_phase::invited)
    return say(answer, ec::invalid,
               "node " + node + " belongs to the cluster already, as server " + std::to_string(n->server_id) +
                   ", and its data directory is empty. If its old directory is lost, say: epione cluster replace " + node);
  n->phase = node_phase::member;
  n->server_id = next.next_server_id++;
  n->joined_as = q.text2;
  n->peer = q.text3;
  n->http = q.text4;
  n->replaced = false;
  const auto granted = *n;
  record(next, node, "node joins as server " + std::to_string(granted.server_id),
         [this, answer, granted](ec error, const std::string& text) mutable {
           if (error == ec::none)
             grant(granted, answer);
           else
             say(answer, error, text);
         });
}

void steward_nodes::grant(const domain::cluster_node& n, steward_promise& answer) {
  const auto& o = standing_.options;
  joined_ms_[n.name] = standing_.now_ms();
  say(answer, ec::none, encode(join_grant{o.cluster, n.server_id, o.shards, domain::encode(*standing_.cluster.get())}));
}

void steward_nodes::change(const steward_question& q, steward_promise answer) {
  if (!may_change(answer))
    return;
  if (q.text == "invite")
    invite(q, std::move(answer));
  else if (q.text == "leave")
    leave(q, std::move(answer));
  else if (q.text == "replace")
    replace(q, std::move(answer));
  else
    say(answer, ec::invalid, "unknown change of nodes");
}

void steward_nodes::record_for(const steward_question& q, const cluster_state& next, const std::string& reason,
                               steward_promise answer) {
  record(
      next, q.text2, reason,
      [answer, text = "node " + q.text2 + " " + reason](ec error, const std::string& why) mutable {
        say(answer, error, error == ec::none ? text : why);
      },
      q.text4.empty() ? "system" : q.text4);
}

void steward_nodes::invite(const steward_question& q, steward_promise answer) {
  auto next = *standing_.cluster.get();
  const auto& name = q.text2;
  auto* n = next.find(name);
  if (n != nullptr && n->phase != node_phase::invited)
    return say(answer, ec::invalid, "node " + name + " belongs to the cluster already");
  if (!domain::is_node_name(name))
    return say(answer, ec::invalid, "\"" + name + "\" is no name of a node: letters, digits, - and _, 32 at most");
  if (next.nodes.size() >= defaults::cluster_nodes_max)
    return say(answer, ec::invalid, "a cluster has at most " + std::to_string(defaults::cluster_nodes_max) + " nodes");
  if (n == nullptr)
    n = &next.add({name, {}, {}, node_phase::invited, 0, {}, false});
  n->peer = q.text3;
  record_for(q, next, "may join", std::move(answer));
}

void steward_nodes::leave(const steward_question& q, steward_promise answer) {
  auto next = *standing_.cluster.get();
  const auto& name = q.text2;
  auto* n = next.find(name);
  if (n == nullptr)
    return say(answer, ec::not_found, "there is no node " + name + " in the cluster");
  if (n->phase == node_phase::member && members_of(next) < 2)
    return say(answer, ec::invalid, "node " + name + " is the only member; without it the cluster has no data");
  if (n->phase == node_phase::invited) {
    next.remove(name);
  } else {
    n->phase = node_phase::leaving;
    n->replaced = false;
  }
  record_for(q, next, "leaves", std::move(answer));
}

/// A node that has died is known to be gone by its link, which ends with its process, or by its silence: whose machine is gone
/// keeps the link for up to peers.idle_limit_ms. One that has just been let in makes its link anew under the id it was given.
std::string steward_nodes::sign_of_life(const domain::cluster_node& n) const {
  const auto id = std::to_string(n.server_id);
  if (n.name == standing_.options.node)
    return "it runs, as server " + id + ", and leads group 0";
  const auto joined = joined_ms_.find(n.name);
  if (joined != joined_ms_.end() && standing_.now_ms() - joined->second < std::int64_t{defaults::replace_after_join_ms})
    return "it has just joined anew, as server " + id;
  const auto link = standing_.peers.get(n.name);
  if (!link || !link->linked || link->server_id != n.server_id)
    return {};
  const auto catalog = standing_.shards.get(0);
  if (!catalog)
    return {};
  const auto is_it = [&](const auto& m) { return m.id == n.server_id; };
  const auto m = std::find_if(catalog->members.begin(), catalog->members.end(), is_it);
  // Not in group 0 yet: its link alone says that it is there.
  const bool silent = m != catalog->members.end() && m->known && m->heard_ms >= std::int64_t{defaults::replace_silence_ms};
  return silent ? std::string{} : "it runs, and is linked as server " + id;
}

void steward_nodes::replace(const steward_question& q, steward_promise answer) {
  auto next = *standing_.cluster.get();
  const auto& name = q.text2;
  auto* n = next.find(name);
  if (n == nullptr)
    return say(answer, ec::not_found, "there is no node " + name + " in the cluster");
  if (n->phase == node_phase::invited)
    return say(answer, ec::none, "node " + name + " may join with an empty directory already");
  if (n->phase == node_phase::member && members_of(next) < 2)
    return say(answer, ec::invalid, "node " + name + " is the only member; without it the cluster has no data");
  if (n->phase == node_phase::leaving && n->replaced)
    return say(answer, ec::none, "node " + name + " is being replaced already");
  if (const auto life = sign_of_life(*n); n->phase == node_phase::member && !life.empty() && q.text3 != replace_anyway)
    return say(answer, ec::in_use,
               "node " + name + " is not replaced: " + life +
                   ". If its data directory is lost, stop that process and say it again; to have it replaced while it runs, say "
                   "--force: what its directory holds is then of no use any more");
  n->phase = node_phase::leaving;
  n->replaced = true;
  record_for(q, next, "is replaced by an empty directory", std::move(answer));
}

// ---- what follows by itself ---------------------------------------------------------------------------------------------------

void steward_nodes::found() {
  record(standing_.options.founding, standing_.options.node, "the cluster begins", [](ec, const std::string&) {});
}

bool steward_nodes::see_to(const cluster_state& nodes) {
  std::erase_if(joined_ms_, [&](const auto& x) { // who has made its link anew is looked at as any other
    const auto* n = nodes.find(x.first);
    const auto link = standing_.peers.get(x.first);
    return n == nullptr || (link && link->server_id == n->server_id);
  });
  return tell_own_address(nodes) || forget_who_has_left(nodes);
}

/// The addresses this node was started with may have changed; only the leader of group 0 can say so for itself here, the others
/// are told by their links.
bool steward_nodes::tell_own_address(const cluster_state& nodes) {
  const auto& o = standing_.options;
  const auto* n = nodes.find(o.node);
  if (n == nullptr || n->phase != node_phase::member || (n->peer == o.peer && n->http == o.http))
    return false;
  auto next = nodes;
  next.find(o.node)->peer = o.peer;
  next.find(o.node)->http = o.http;
  record(next, o.node, "is reached elsewhere now", [](ec, const std::string&) {});
  return true;
}

bool steward_nodes::forget_who_has_left(const cluster_state& nodes) {
  for (const auto& n : nodes.nodes) {
    if (n.phase != node_phase::leaving || is_anywhere(n.server_id))
      continue;
    auto next = nodes;
    if (n.replaced) {
      auto* again = next.find(n.name);
      again->phase = node_phase::invited;
      again->server_id = 0;
      again->joined_as.clear();
      again->replaced = false;
    } else {
      next.remove(n.name);
    }
    record(next, n.name, n.replaced ? "may join with an empty directory" : "has left", [](ec, const std::string&) {});
    return true;
  }
  return false;
}

/// Whether it is still a member of a group, or of one of which nothing is known.
bool steward_nodes::is_anywhere(std::uint64_t server) const {
  for (std::uint32_t g = 0; g <= standing_.options.shards; ++g) {
    const auto v = standing_.shards.best(g);
    if (!v || v->role != "leader" || v->change_under_way ||
        std::any_of(v->members.begin(), v->members.end(), [server](const auto& m) { return m.id == server; }))
      return true;
  }
  return false;
}

} // namespace epione::cluster
