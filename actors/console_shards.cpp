// shards, sessions: what stands behind the patients.
#include "actors/console_commands.hpp"
#include "actors/console_table.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>

namespace epione::actors::console {

namespace {

using namespace messages;
using nlohmann::ordered_json;
using std::chrono::milliseconds;
using kind = console_table::kind;

constexpr std::uint32_t sessions_shown = 10;

std::optional<std::uint64_t> number_of(const actor_facts* facts, std::string_view key) {
  const auto* text = facts != nullptr ? facts->detail(key) : nullptr;
  std::uint64_t number = 0;
  if (text == nullptr || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc{})
    return std::nullopt;
  return number;
}

struct shard_facts {
  std::uint32_t shard = 0;
  std::string state;
  std::optional<std::uint64_t> epoch, committed, applied, events, size_bytes, wal_bytes, sessions;
  /// Entries that are committed and not applied. The two were asked one after the other, so that less than none is none.
  std::optional<std::uint64_t> lag() const {
    return committed && applied ? std::optional{*committed - std::min(*committed, *applied)} : std::nullopt;
  }
};

std::string front_name(std::uint32_t shard) {
  return shard == 0 ? "catalog" : "region " + std::to_string(shard);
}

shard_facts facts_of(const console_findings& found, std::uint32_t shard) {
  const auto n = std::to_string(shard);
  const auto front_called = front_name(shard);
  const auto *front = found.find(front_called), *replica = found.find("replica " + n), *store = found.find("store " + n);
  shard_facts f;
  f.shard = shard;
  // Whoever is nearest to the disk and is not well says why; the front only says that it waits.
  f.state = front->state;
  for (const auto& name : {front_called, "store " + n, "replica " + n, "shard " + n})
    if (const auto* child = found.child(name); child != nullptr && child->state != "running")
      f.state = child->state + ": " + name;
  f.epoch = number_of(replica, "epoch");
  f.committed = number_of(replica, "committed");
  f.applied = number_of(store, "applied");
  f.events = number_of(store, "events");
  f.size_bytes = number_of(store, "size_bytes");
  f.wal_bytes = number_of(store, "wal_bytes");
  f.sessions = number_of(front, "sessions");
  return f;
}

ordered_json json_of(const std::optional<std::uint64_t>& x) {
  return x ? ordered_json(*x) : ordered_json(nullptr);
}

std::string text_of(const std::optional<std::uint64_t>& x) {
  return x ? grouped(*x) : "-";
}

std::string size_of(const std::optional<std::uint64_t>& bytes) {
  return bytes ? bytes_text(*bytes) : "-";
}

/// A shard as its leader knows it, in a cluster.
struct shard_lead {
  std::string leader; ///< empty: nobody is known to
  std::optional<runtime::group_view> group;
};

/// What a follower knows of its group says nothing about the others.
shard_lead lead_of(std::optional<runtime::group_view> known) {
  if (!known || !known->led())
    return {};
  std::sort(known->members.begin(), known->members.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  auto leader = known->leader;
  return {std::move(leader), std::move(known)};
}

/// That a shard is not served where another node leads it is as it should be.
std::string seen_from(const std::string& state, const shard_lead& lead, const std::string& node) {
  if (state != to_string(ec::not_serving) || !lead.group || lead.leader == node)
    return state;
  const auto& members = lead.group->members;
  const bool here = std::any_of(members.begin(), members.end(), [&](const auto& m) { return m.node == node; });
  return here ? "following" : "elsewhere";
}

/// "n1 0, n2 12, n3 400 stand-by": what each does not hold yet.
std::string replicas_text(const shard_lead& lead) {
  std::string text;
  if (lead.group)
    for (const auto& m : lead.group->members) {
      const auto lag = lead.group->lag_of(m);
      text += (text.empty() ? "" : ", ") + m.node + " " + (lag ? grouped(*lag) : "unknown") +
              (m.role == "stand-by" ? " stand-by" : "") + (m.heard_within(member_heard_limit_ms) ? "" : " NOT HEARD");
    }
  return text.empty() ? "unknown" : text;
}

void add_lead(ordered_json& value, const shard_lead& lead) {
  value["leader"] = lead.leader.empty() ? ordered_json(nullptr) : ordered_json(lead.leader);
  value["term"] = lead.group ? ordered_json(lead.group->term) : ordered_json(nullptr);
  value["commit"] = lead.group ? ordered_json(lead.group->commit) : ordered_json(nullptr);
  value["replicas"] = ordered_json::array();
  if (lead.group)
    for (const auto& m : lead.group->members)
      value["replicas"].push_back({{"node", m.node},
                                   {"role", m.role},
                                   {"lag", json_of(lead.group->lag_of(m))},
                                   {"reachable", m.heard_within(member_heard_limit_ms)}});
}

console_table table_of_shards(bool in_cluster) {
  if (in_cluster)
    return console_table{{{"SHARD", kind::number},
                          {"LEADER"},
                          {"TERM", kind::number},
                          {"COMMIT", kind::number},
                          {"EVENTS", kind::number},
                          {"SIZE", kind::number},
                          {"WAL", kind::number},
                          {"STATE", kind::cut},
                          {"REPLICAS (BEHIND)", kind::cut}}};
  return console_table{{{"SHARD", kind::number},
                        {"EPOCH", kind::number},
                        {"COMMITTED", kind::number},
                        {"LAG", kind::number},
                        {"EVENTS", kind::number},
                        {"SIZE", kind::number},
                        {"WAL", kind::number},
                        {"SESSIONS", kind::number},
                        {"STATE", kind::cut}}};
}

std::vector<std::string> row_of(const shard_facts& f, const std::optional<shard_lead>& lead) {
  if (lead)
    return {std::to_string(f.shard),
            lead->leader.empty() ? "unknown" : lead->leader,
            lead->group ? std::to_string(lead->group->term) : "-",
            lead->group ? grouped(lead->group->commit) : "-",
            text_of(f.events),
            size_of(f.size_bytes),
            size_of(f.wal_bytes),
            f.state,
            replicas_text(*lead)};
  // What is applied is as much less than what is committed as LAG says; there is no room for it beside the sizes.
  return {std::to_string(f.shard), text_of(f.epoch),     text_of(f.committed), text_of(f.lag()), text_of(f.events),
          size_of(f.size_bytes),   size_of(f.wal_bytes), text_of(f.sessions),  f.state};
}

ordered_json json_of(const shard_facts& f, const std::optional<shard_lead>& lead) {
  ordered_json value{{"shard", f.shard},
                     {"state", f.state},
                     {"serving", f.state == "serving"},
                     {"epoch", json_of(f.epoch)},
                     {"committed", json_of(f.committed)},
                     {"applied", json_of(f.applied)},
                     {"store_lag", json_of(f.lag())},
                     {"events", json_of(f.events)},
                     {"size_bytes", json_of(f.size_bytes)},
                     {"wal_bytes", json_of(f.wal_bytes)},
                     {"sessions", json_of(f.sessions)}};
  if (lead)
    add_lead(value, *lead);
  return value;
}

void show_shards(const console_call_ptr& call, const console_findings& found) {
  const auto& cluster = call->ports().cluster;
  auto all = ordered_json::array();
  auto table = table_of_shards(cluster.has_value());
  for (std::uint32_t shard = 0; shard <= call->ports().shards; ++shard) {
    auto f = facts_of(found, shard);
    std::optional<shard_lead> lead;
    if (cluster) {
      lead = lead_of(cluster->shards.best(shard));
      f.state = seen_from(f.state, *lead, cluster->node);
    }
    if (call->json())
      all.push_back(json_of(f, lead));
    else
      table.add(row_of(f, lead));
  }
  if (call->json())
    call->done_json(all);
  else
    call->done(table.text(call->width()));
}

// ---- sessions ------------------------------------------------------------------------------------------------------

std::string hash_text(std::uint64_t hash) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  return text.data();
}

/// What the regions have told so far.
struct session_list {
  std::uint64_t sessions = 0;
  session_lines newest;
  std::vector<std::string> silent;
  std::size_t missing = 0;
};

void show_sessions(const console_call_ptr& call, session_list& list, std::uint32_t top) {
  std::stable_sort(list.newest.begin(), list.newest.end(), [](const auto& a, const auto& b) { return a.idle_ms < b.idle_ms; });
  list.newest.resize(std::min<std::size_t>(list.newest.size(), top));
  std::string message;
  for (const auto& name : list.silent)
    message += (message.empty() ? "not among them are those of: " : ", ") + name;
  if (call->json()) {
    auto lines = ordered_json::array();
    for (const auto& s : list.newest)
      lines.push_back(
          {{"shard", s.shard}, {"session", hash_text(s.subject_hash)}, {"idle_ms", s.idle_ms}, {"checking", s.checking}});
    return call->done_json(ordered_json{{"sessions", list.sessions}, {"newest", lines}}, message);
  }
  console_table table{{{"SHARD", kind::number}, {"SESSION"}, {"IDLE", kind::number}, {"IN CHECK", kind::number}}};
  for (const auto& s : list.newest)
    table.add({std::to_string(s.shard), hash_text(s.subject_hash), duration_text(s.idle_ms), grouped(s.checking)});
  auto text = list.sessions == 1 ? std::string{"1 session"} : grouped(list.sessions) + " sessions";
  text += table.empty() ? "\n" : "; heard of last:\n" + table.text(call->width());
  call->done(text, message);
}

void ask_regions(const console_call_ptr& call, const console_findings& found, std::uint32_t top) {
  auto list = std::make_shared<session_list>();
  list->missing = 1;
  const auto one_less = [call, list, top] {
    if (--list->missing == 0)
      show_sessions(call, *list, top);
  };
  for (const auto& facts : found.actors) {
    list->sessions += number_of(&facts, "sessions").value_or(0);
    const auto region = call->env().directory->get<shard_region_actor>(facts.name);
    if (!facts.answered || region == nullptr) {
      list->silent.push_back(facts.name);
      continue;
    }
    ++list->missing;
    call->self()
        ->request(region, milliseconds{runtime::defaults::console_status_limit_ms}, sessions_atom::value, top)
        .then(
            [list, one_less](const session_lines_ptr& lines) {
              list->newest.insert(list->newest.end(), lines->begin(), lines->end());
              one_less();
            },
            [list, one_less, name = facts.name](const caf::error&) {
              list->silent.push_back(name);
              one_less();
            });
  }
  one_less();
}

} // namespace

void shards(const console_call_ptr& call) {
  std::vector<std::string> names;
  for (std::uint32_t shard = 0; shard <= call->ports().shards; ++shard)
    for (const auto& name : {front_name(shard), "replica " + std::to_string(shard), "store " + std::to_string(shard)})
      names.push_back(name);
  survey_options options;
  options.tree = true;
  options.targets = call->targets(names);
  call->survey(std::move(options), [call](const console_findings& found) { show_shards(call, found); });
}

void sessions(const console_call_ptr& call) {
  const auto top = number_behind(call->arguments(), "top", sessions_shown, runtime::defaults::console_lines_max);
  if (!top)
    return call->usage("sessions takes \"top N\" with N from 1 to " + std::to_string(runtime::defaults::console_lines_max));
  std::vector<std::string> names;
  for (std::uint32_t shard = 1; shard <= call->ports().shards; ++shard)
    names.push_back(front_name(shard));
  survey_options options;
  options.targets = call->targets(names);
  call->survey(std::move(options), [call, top](const console_findings& found) { ask_regions(call, found, *top); });
}

} // namespace epione::actors::console
