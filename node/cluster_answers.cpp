#include "node/cluster_answers.hpp"

#include "actors/console_cluster.hpp"
#include "actors/operator_act.hpp"
#include "cluster/certificates.hpp"
#include "domain/ids.hpp"
#include "messages/steward.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "runtime/process.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

namespace epione::node {

using namespace messages;
using nlohmann::json;
using runtime::admin_reply;
using std::chrono::milliseconds;
namespace exit_code = runtime::exit_code;
namespace defaults = runtime::defaults;

namespace {

std::string argument(const runtime::admin_request& r, const char* name) {
  const auto found = r.arguments.find(name);
  return found == r.arguments.end() ? std::string{} : found->second;
}

json describe_node(const domain::cluster_node& n, const cluster_parts& parts, std::uint64_t leads) {
  json out{{"name", n.name}, {"server", n.server_id}, {"state", std::string{domain::to_text(n.phase)}},
           {"peer", n.peer}, {"http", n.http},        {"leads", leads}};
  out["draining"] = n.name == parts.name ? parts.shards.draining() : parts.shards.is_draining(n.name);
  if (n.name == parts.name) {
    out["here"] = true;
    out["linked"] = true;
    out["version"] = EPIONE_VERSION;
    out["http"] = parts.http;
    return out;
  }
  const auto p = parts.peers.get(n.name);
  out["here"] = false;
  out["linked"] = p && p->linked;
  out["version"] = p ? p->version : "";
  out["since_us"] = p ? p->since_us : 0;
  out["round_trip_ms"] = p && p->round_trip_ns ? json(static_cast<double>(*p->round_trip_ns) / 1e6) : json(nullptr);
  out["clock_offset_ms"] = p && p->clock_offset_us ? json(static_cast<double>(*p->clock_offset_us) / 1e3) : json(nullptr);
  if (p && !p->linked)
    out["why"] = p->why;
  return out;
}

struct shard_description {
  json text;
  std::optional<std::string> missing; ///< why it is not whole
};

/// A node that was invited holds nothing: nothing is missing because it is not there, but for the copies that each shard is to
/// have, where without it there are too few nodes for them.
std::size_t wanted_voters(std::uint32_t group, const domain::cluster_state& nodes) {
  std::size_t members = 0, invited = 0;
  for (const auto& n : nodes.nodes)
    if (n.phase == domain::node_phase::invited)
      ++invited;
    else if (n.phase == domain::node_phase::member || n.replaced) // one that is replaced will be back
      ++members;
  const auto copies = std::min<std::size_t>(members + invited, nodes.replication_factor);
  return group == 0 ? std::min(std::max(members, copies), defaults::catalog_voters_max) : copies;
}

shard_description describe_shard(std::uint32_t group, const cluster_parts& parts, const domain::cluster_state* nodes) {
  auto v = parts.shards.best(group);
  if (v)
    std::sort(v->members.begin(), v->members.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  shard_description out;
  const bool led = v && v->led();
  out.text = {{"id", group},
              {"leader", led ? json(v->leader) : json(nullptr)},
              {"term", v ? v->term : 0},
              {"commit", v ? v->commit : 0},
              {"replicas", json::array()}};
  if (!led)
    out.missing = "no node is known to lead it";
  std::size_t voters = 0;
  if (v)
    for (const auto& m : v->members) {
      const auto lag = v->lag_of(m);
      const bool heard = m.heard_within(actors::member_heard_limit_ms);
      out.text["replicas"].push_back(
          {{"node", m.node}, {"role", m.role}, {"lag", lag ? json(*lag) : json(nullptr)}, {"reachable", heard}});
      if (m.role == "stand-by")
        continue;
      ++voters;
      if (!out.missing && !heard)
        out.missing = "node " + m.node + " is not heard";
      if (!out.missing && lag.value_or(0) > defaults::raft_promotion_lag_max)
        out.missing = "node " + m.node + " is " + std::to_string(*lag) + " entries behind";
    }
  if (nodes == nullptr && !out.missing)
    out.missing = "this node has not read yet which nodes there are";
  if (out.missing)
    return out;
  const auto wanted = wanted_voters(group, *nodes);
  if (voters < wanted) {
    out.missing = "it is on " + std::to_string(voters) + " of " + std::to_string(wanted) + " nodes";
    std::string awaited;
    for (const auto& n : nodes->nodes)
      if (n.phase == domain::node_phase::invited)
        awaited += (awaited.empty() ? "; may join and have not yet: " : ", ") + n.name;
    *out.missing += awaited;
  }
  return out;
}

std::optional<steward_answer> ask(caf::actor_system& system, actor_tree& tree, const std::string& node, const steward_question& q,
                                  std::string& why) {
  const auto router = tree.directory().get<router_actor>("router");
  if (router == nullptr) {
    why = "the router is not running; the log says why";
    return std::nullopt;
  }
  std::optional<steward_answer> result;
  caf::scoped_actor self{system, true};
  const auto limit_ms = 2 * defaults::membership_step_limit_ms;
  self->request(router, milliseconds{limit_ms + defaults::console_margin_ms}, ask_atom::value, node, routed_kind::steward,
                std::make_shared<const std::string>(encode(q)), limit_ms)
      .receive(
          [&](const bytes_ptr& bytes) {
            if (auto a = decode_steward_answer(*bytes))
              result = std::move(*a);
            else
              why = a.error();
          },
          [&](caf::error& x) { why = runtime::sentence_of(x); });
  return result;
}

admin_reply reply_of(const std::optional<steward_answer>& a, const std::string& why) {
  if (!a)
    return {exit_code::failed, why, {}};
  if (a->error != ec::none)
    return {exit_code::failed, a->text, {}};
  return {exit_code::done, {}, {{"text", a->text}}};
}

admin_reply locate(const runtime::admin_request& r, actor_tree& tree, const cluster_parts& parts, std::uint32_t shards) {
  auto study = argument(r, "study");
  const auto catalog = tree.catalog_view().get();
  if (study.empty()) {
    if (catalog->studies.size() != 1)
      return {exit_code::usage, std::to_string(catalog->studies.size()) + " studies are loaded; say which one with --study", {}};
    study = catalog->studies.begin()->first;
  }
  const auto shard = domain::shard_of(domain::subject_hash(study, argument(r, "patient")), shards);
  const auto where = parts.shards.where(shard);
  const auto leader = where.here ? parts.name : where.leader;
  std::string http;
  if (where.here)
    http = parts.http;
  else if (const auto nodes = parts.nodes.get())
    if (const auto* n = nodes->find(leader))
      http = n->http;
  const json out{{"shard", shard},
                 {"leader", leader.empty() ? json(nullptr) : json(leader)},
                 {"http", http.empty() ? json(nullptr) : json(http)}};
  return {leader.empty() ? exit_code::problems : exit_code::done,
          leader.empty() ? "no node is known to lead it just now" : "",
          {{"json", out.dump()}}};
}

/// Into group 0's chain, before it is done. Empty, or why it is not there.
std::string record_act(const std::string& verb, const std::string& entity, const runtime::admin_request& r,
                       const std::string& user, caf::actor_system& system, actor_tree& tree) {
  const auto act = actors::record_of_act(tree.environment(), user, "cluster." + verb, entity, argument(r, "because"));
  std::string why = "the catalog is not running";
  if (const auto catalog = tree.catalog(); catalog != nullptr) {
    caf::scoped_actor self{system, true};
    self->request(catalog, milliseconds{defaults::console_record_limit_ms}, record_atom::value, act)
        .receive([&](bool) { why.clear(); }, [&](caf::error& x) { why = "the catalog: " + runtime::sentence_of(x); });
  }
  actors::log_act(tree.environment(), "cluster", *act, why);
  return why;
}

admin_reply done_acting(admin_reply reply, const std::string& unrecorded) {
  if (reply.code == exit_code::done)
    reply.message = actors::unrecorded_text(unrecorded);
  return reply;
}

/// What an operator has to know once the list of nodes is changed.
std::string what_now(const std::string& verb, const domain::cluster_node* before, const std::string& name,
                     const cluster_parts& parts) {
  if (verb == "invite")
    return "node " + name + " may join: start it with an empty data directory";
  const bool was_member = before == nullptr || before->phase != domain::node_phase::invited;
  if (verb == "replace") {
    const auto link = name == parts.name ? std::nullopt : parts.peers.get(name);
    const bool runs = name == parts.name || (link && link->linked && before != nullptr && link->server_id == before->server_id);
    return "node " + name + " joins anew once it is started with an empty data directory" +
           (runs && was_member ? "; it runs: if its directory is not lost, that one is of no use any more all the same" : "");
  }
  if (!was_member)
    return "node " + name + " may not join any more";
  std::string text =
      "node " + name + " leaves: epione cluster status shows it until its replicas are on the others; then stop it";
  const auto nodes = parts.nodes.get();
  const auto stay = nodes == nullptr ? 0 : std::count_if(nodes->nodes.begin(), nodes->nodes.end(), [&](const auto& n) {
    return n.phase == domain::node_phase::member && n.name != name;
  });
  if (nodes != nullptr && stay < static_cast<std::ptrdiff_t>(nodes->replication_factor))
    text += ". " + std::to_string(stay) + (stay == 1 ? " node stays" : " nodes stay") + " for shards that are to be on " +
            std::to_string(nodes->replication_factor) + (stay < 3 ? ": the loss of one stops the cluster" : "");
  return text;
}

/// Of the leader of group 0, whoever that is when it is asked. Nothing: no node is known to be.
std::optional<admin_reply> ask_for_nodes(const steward_question& q, caf::actor_system& system, actor_tree& tree,
                                         const cluster_parts& parts) {
  // A node that has just died may seem to run: what knows it is its link, and that may take its time.
  const auto until = std::chrono::steady_clock::now() + milliseconds{defaults::replace_wait_ms};
  for (;;) {
    const auto where = parts.shards.where(0);
    const auto to = where.here ? parts.name : where.leader;
    if (to.empty())
      return std::nullopt;
    std::string why;
    const auto answer = ask(system, tree, to, q, why);
    if (!answer || answer->error != ec::in_use || std::chrono::steady_clock::now() >= until)
      return reply_of(answer, why);
    parts.shards.wait_for_word(milliseconds{defaults::raft_election_ms});
  }
}

/// join, leave, replace: the leader of group 0 changes the list of nodes.
admin_reply change_nodes(const runtime::admin_request& r, const std::string& user, caf::actor_system& system, actor_tree& tree,
                         const cluster_parts& parts) {
  steward_question q;
  q.verb = steward_verb::nodes;
  q.text = argument(r, "verb");
  q.text2 = argument(r, "node");
  q.text3 = argument(r, "peer");
  if (q.text == "replace")
    q.text3 = argument(r, "force") == "true" ? replace_anyway : "";
  q.text4 = user;
  if (q.text == "invite") {
    // A name that no certificate can have, or an address that nobody can dial, would be waited for without a word.
    if (auto wrong = cluster::node_name_problem(q.text2))
      return {exit_code::usage, std::move(*wrong), {}};
    if (!cluster::parse_peer_address(q.text2, q.text3))
      return {exit_code::usage, "'" + q.text3 + "' is no address of a node: HOST:PORT, where the other nodes reach it", {}};
  }
  const auto nodes = parts.nodes.get();
  const auto* known = nodes == nullptr ? nullptr : nodes->find(q.text2);
  const auto text = what_now(q.text, known, q.text2, parts); // before its replicas are taken away, and its link with them
  auto reply = ask_for_nodes(q, system, tree, parts);
  if (!reply)
    return {exit_code::failed, "no node is known to lead group 0 just now; try again", {}};
  if (reply->code == exit_code::done)
    reply->values["text"] = text;
  return *reply;
}

/// drain, undrain: of the node itself.
admin_reply give_or_take(const runtime::admin_request& r, const std::string& user, caf::actor_system& system, actor_tree& tree,
                         const cluster_parts& parts) {
  const auto verb = argument(r, "verb"), node = argument(r, "node");
  if (auto why = actors::cannot_ask(console_cluster_of(parts), node); !why.empty())
    return {exit_code::failed, std::move(why), {}};
  const auto unrecorded = record_act(verb, "node " + node, r, user, system, tree);
  std::string why;
  const auto answer = ask(system, tree, node, steward_question::leaderships(verb), why);
  return done_acting(reply_of(answer, why), unrecorded);
}

admin_reply transfer(const runtime::admin_request& r, const std::string& user, caf::actor_system& system, actor_tree& tree,
                     const cluster_parts& parts, std::uint32_t shards) {
  std::uint32_t shard = 0;
  const auto text = argument(r, "shard"), to = argument(r, "node");
  const auto read = std::from_chars(text.data(), text.data() + text.size(), shard);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || shard > shards)
    return {exit_code::usage, "there is no shard " + text + "; they are 0, the catalog, to " + std::to_string(shards), {}};
  const auto cluster = console_cluster_of(parts);
  if (auto order = actors::transfer_of(cluster, shard, to); !order)
    return {exit_code::failed, std::move(order.error()), {}};
  const auto unrecorded = record_act("transfer", "shard " + text + " to " + to, r, user, system, tree);
  auto order = actors::transfer_of(cluster, shard, to); // meanwhile another may have come to lead
  if (!order)
    return {exit_code::failed, std::move(order.error()), {}};
  std::string why;
  auto reply = reply_of(ask(system, tree, order->from, steward_question::transfer(shard, order->to_id), why), why);
  if (reply.code == exit_code::done)
    reply.values["text"] = "shard " + text + " is handed over from node " + order->from + " to node " + to;
  return done_acting(std::move(reply), unrecorded);
}

/// For a backup: of every group how far its copy must be, and who has it.
admin_reply positions(caf::actor_system& system, actor_tree& tree, const cluster_parts& parts, std::uint32_t shards) {
  const auto until = std::chrono::steady_clock::now() + milliseconds{defaults::backup_ask_limit_ms};
  auto groups = json::array();
  for (std::uint32_t g = 0; g <= shards; ++g) {
    const auto index = committed_in(g, system, tree, parts, until);
    if (!index)
      return {exit_code::failed, index.error(), {}};
    json holders = json::array();
    bool here = false;
    if (const auto v = parts.shards.best(g))
      for (const auto& m : v->members)
        if (m.role != "stand-by") {
          here = here || m.node == parts.name;
          holders.insert(m.node == v->leader ? holders.begin() : holders.end(), m.node); // who leads has it for sure
        }
    groups.push_back({{"group", g}, {"index", *index}, {"here", here}, {"nodes", std::move(holders)}});
  }
  return {exit_code::done, {}, {{"json", json{{"node", parts.name}, {"groups", std::move(groups)}}.dump()}}};
}

/// For a backup: a question about a store's file (messages/snapshot.hpp) for another node.
admin_reply store_question(const runtime::admin_request& r, caf::actor_system& system, actor_tree& tree) {
  const auto router = tree.directory().get<router_actor>("router");
  if (router == nullptr)
    return {exit_code::failed, "the router is not running; the log says why", {}};
  admin_reply reply;
  caf::scoped_actor self{system, true};
  self->request(router, milliseconds{defaults::snapshot_hold_answer_ms + 2 * defaults::console_margin_ms}, ask_atom::value,
                argument(r, "node"), routed_kind::snapshots, std::make_shared<const std::string>(argument(r, "question")),
                defaults::snapshot_hold_answer_ms + defaults::console_margin_ms)
      .receive([&](const bytes_ptr& bytes) { reply = {exit_code::done, {}, {{"answer", *bytes}}}; },
               [&](caf::error& why) {
                 reply = {exit_code::failed,
                          runtime::error_text(why),
                          {{"code", to_string(runtime::code_of(why).value_or(ec::time_limit))}}};
               });
  return reply;
}

} // namespace

tl::expected<std::uint64_t, std::string> committed_in(std::uint32_t group, caf::actor_system& system, actor_tree& tree,
                                                      const cluster_parts& parts, std::chrono::steady_clock::time_point until) {
  std::string why = "no node is known to lead it";
  do {
    const auto where = parts.shards.where(group);
    const auto leader = where.here ? parts.name : where.leader;
    if (!leader.empty()) {
      const auto a = ask(system, tree, leader, steward_question::position(group), why);
      std::uint64_t index = 0;
      if (a && a->error == ec::none && std::from_chars(a->text.data(), a->text.data() + a->text.size(), index).ec == std::errc{})
        return index;
      if (a)
        why = a->text;
    }
    parts.shards.wait_for_word(milliseconds{defaults::raft_heartbeat_ms});
  } while (std::chrono::steady_clock::now() < until);
  return tl::unexpected("group " + std::to_string(group) + " cannot be asked what it has committed: " + why);
}

std::optional<std::string> what_is_missing(std::uint32_t group, const cluster_parts& parts) {
  return describe_shard(group, parts, parts.nodes.get().get()).missing;
}

std::string cluster_status_json(const cluster_parts& parts, std::uint32_t shards, bool& whole) {
  const auto nodes = parts.nodes.get();
  json out{{"cluster", parts.cluster}, {"nodes", json::array()}, {"shards", json::array()}, {"missing", json::array()}};
  std::map<std::string, std::uint64_t> leads;
  for (std::uint32_t g = 0; g <= shards; ++g) {
    auto shard = describe_shard(g, parts, nodes.get());
    if (shard.text["leader"].is_string())
      ++leads[shard.text["leader"].get<std::string>()];
    if (shard.missing)
      out["missing"].push_back({{"shard", g}, {"why", *shard.missing}});
    out["shards"].push_back(std::move(shard.text));
  }
  if (nodes != nullptr)
    for (const auto& n : nodes->nodes)
      out["nodes"].push_back(describe_node(n, parts, leads[n.name]));
  whole = out["missing"].empty();
  return out.dump();
}

admin_reply answer_cluster(const runtime::admin_request& r, const std::string& user, caf::actor_system& system, actor_tree& tree,
                           cluster_parts& parts, std::uint32_t shards) {
  if (r.command == "cluster-status") {
    bool whole = false;
    auto text = cluster_status_json(parts, shards, whole);
    return {whole ? exit_code::done : exit_code::problems, {}, {{"json", std::move(text)}}};
  }
  if (r.command == "cluster-locate")
    return locate(r, tree, parts, shards);
  if (r.command == "cluster-nodes") {
    const auto verb = argument(r, "verb");
    return verb == "drain" || verb == "undrain" ? give_or_take(r, user, system, tree, parts)
                                                : change_nodes(r, user, system, tree, parts);
  }
  if (r.command == "cluster-positions")
    return positions(system, tree, parts, shards);
  if (r.command == "cluster-store")
    return store_question(r, system, tree);
  if (r.command == "cluster-transfer")
    return transfer(r, user, system, tree, parts, shards);
  return {exit_code::usage, "this node does not know the command '" + r.command + "'", {}};
}

} // namespace epione::node
