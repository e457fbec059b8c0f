// nodes, links: the cluster as this node sees it.
#include "actors/console_bridge.hpp"
#include "actors/console_commands.hpp"
#include "actors/console_table.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace epione::actors {

std::optional<console_link> console_cluster::link(const std::string& with) const {
  for (auto& l : links())
    if (l.node == with)
      return std::move(l);
  return std::nullopt;
}

std::string console_cluster::leader_of(std::uint32_t shard) const {
  const auto where = shards.where(shard);
  return where.here ? node : where.leader;
}

std::uint64_t console_cluster::led_by(const std::string& who, std::uint32_t up_to) const {
  std::uint64_t led = 0;
  for (std::uint32_t shard = 0; shard <= up_to; ++shard)
    led += leader_of(shard) == who ? 1 : 0;
  return led;
}

namespace console {

namespace {

using nlohmann::ordered_json;
using kind = console_table::kind;

constexpr const char* unknown = "unknown";

template <class T>
ordered_json json_of(const std::optional<T>& x) {
  return x ? ordered_json(*x) : ordered_json(nullptr);
}

template <class... Arguments>
std::string format(const char* pattern, Arguments... arguments) {
  std::array<char, 64> text{};
  const auto n = std::snprintf(text.data(), text.size(), pattern, arguments...);
  return {text.data(), static_cast<std::size_t>(std::clamp(n, 0, static_cast<int>(text.size()) - 1))};
}

std::optional<double> in_ms(const std::optional<std::int64_t>& x, double of_one_ms) {
  return x ? std::optional{static_cast<double>(*x) / of_one_ms} : std::nullopt;
}

std::string offset_text(const std::optional<std::int64_t>& us) {
  return us ? format("%+.1f ms", static_cast<double>(*us) / 1e3) : unknown;
}

std::string clock_alarm_text(std::string state, const console_link& l) {
  return l.clock_alarm ? state + ", CLOCK DIFFERS" : state;
}

/// As a node says it of itself (`about`); null where it does not, or is not to be asked.
struct node_line {
  const domain::cluster_node* node = nullptr;
  bool here = false, draining = false;
  std::optional<console_link> link; ///< never of this node
  ordered_json said = ordered_json::object();

  bool linked() const { return here || (link && link->linked); }
  std::string version() const { return here ? EPIONE_VERSION : link ? link->version : ""; }
  template <class T>
  std::optional<T> of(const char* key) const {
    const auto found = said.find(key);
    return found != said.end() && found->is_number() ? std::optional{found->get<T>()} : std::nullopt;
  }
};

struct node_list {
  std::shared_ptr<const domain::cluster_state> nodes; ///< the lines point into it
  std::vector<node_line> lines;
  std::size_t missing = 1;
};

std::string state_text(const node_line& n) {
  return std::string{to_text(n.node->phase)} + (n.draining ? ", draining" : "") +
         (n.here       ? ", here"
          : n.linked() ? clock_alarm_text("", *n.link)
                       : ", NOT LINKED");
}

ordered_json json_of(const node_line& n, std::uint64_t leads) {
  const auto version = n.version();
  return {{"name", n.node->name},
          {"here", n.here},
          {"state", std::string{to_text(n.node->phase)}},
          {"draining", n.draining},
          {"linked", n.linked()},
          {"version", version.empty() ? ordered_json(nullptr) : ordered_json(version)},
          {"uptime_ms", json_of(n.of<std::int64_t>("uptime_ms"))},
          {"load", json_of(n.of<double>("load"))},
          {"leads", leads},
          {"links_up", json_of(n.of<std::uint64_t>("links_up"))},
          {"links", json_of(n.of<std::uint64_t>("links"))},
          {"clock_offset_ms", json_of(in_ms(n.link ? n.link->clock_offset_us : std::nullopt, 1e3))},
          {"clock_alarm", n.link && n.link->clock_alarm}};
}

std::vector<std::string> row_of(const node_line& n, std::uint64_t leads) {
  const auto uptime = n.of<std::int64_t>("uptime_ms");
  const auto load = n.of<double>("load");
  const auto up = n.of<std::uint64_t>("links_up"), links = n.of<std::uint64_t>("links");
  return {n.node->name,
          n.version().empty() ? unknown : n.version(),
          uptime ? duration_text(*uptime) : unknown,
          load ? format("%.2f", *load) : unknown,
          grouped(leads),
          up && links ? grouped(*up) + " of " + grouped(*links) : unknown,
          n.here ? "-" : offset_text(n.link ? n.link->clock_offset_us : std::nullopt),
          state_text(n)};
}

void show_nodes(const console_call_ptr& call, const node_list& list) {
  auto all = ordered_json::array();
  console_table table{{{"NODE"},
                       {"VERSION"},
                       {"UPTIME", kind::number},
                       {"LOAD", kind::number},
                       {"LEADS", kind::number},
                       {"LINKS", kind::number},
                       {"CLOCK", kind::number},
                       {"STATE", kind::cut}}};
  for (const auto& n : list.lines) {
    const auto leads = call->ports().cluster->led_by(n.node->name, call->ports().shards);
    if (call->json())
      all.push_back(json_of(n, leads));
    else
      table.add(row_of(n, leads));
  }
  if (call->json())
    call->done_json(all);
  else
    call->done(table.text(call->width()));
}

/// What another node's `version` said, if it can be read.
ordered_json said_by(const std::string& answer) {
  const auto reply = decode_bridge_answer(answer);
  auto said = reply ? ordered_json::parse(reply->text, nullptr, false) : ordered_json::object();
  return said.is_object() ? said : ordered_json::object();
}

} // namespace

ordered_json about(const console_call_ptr& call) {
  const auto& ports = call->ports();
  ordered_json value{{"version", EPIONE_VERSION}, {"data_directory", call->env().data_directory}, {"shards", ports.shards}};
  value["uptime_ms"] =
      ports.started_ns ? ordered_json((call->env().clock.now_ns() - *ports.started_ns) / 1'000'000) : ordered_json(nullptr);
  value["load"] = ports.load ? json_of(ports.load()) : ordered_json(nullptr);
  if (!ports.cluster)
    return value;
  const auto links = ports.cluster->links();
  value["node"] = ports.cluster->node;
  value["links_up"] = std::count_if(links.begin(), links.end(), [](const auto& l) { return l.linked; });
  value["links"] = links.size();
  return value;
}

void nodes(const console_call_ptr& call) {
  if (!call->arguments().empty())
    return call->usage("nodes takes no arguments; it shows all of them");
  const auto* cluster = call->cluster();
  if (cluster == nullptr)
    return;
  auto list = std::make_shared<node_list>();
  list->nodes = cluster->nodes.get();
  if (list->nodes == nullptr)
    return call->failed("this node has not read yet which nodes there are; links shows those it knows");
  const auto own = about(call);
  for (const auto& n : list->nodes->nodes) {
    const bool here = n.name == cluster->node;
    list->lines.push_back({&n, here, here ? cluster->shards.draining() : cluster->shards.is_draining(n.name),
                           here ? std::nullopt : cluster->link(n.name), here ? own : ordered_json::object()});
  }
  const auto one_less = [call, list] {
    if (--list->missing == 0)
      show_nodes(call, *list);
  };
  for (std::size_t i = 0; i < list->lines.size(); ++i) {
    const auto& n = list->lines[i];
    if (n.here || !n.linked())
      continue;
    ++list->missing;
    call->ask_node(n.node->name, messages::routed_kind::console, bridge_question({"version"}, true),
                   runtime::defaults::console_status_limit_ms, [list, one_less, i](const auto& answer) {
                     if (answer)
                       list->lines[i].said = said_by(*answer);
                     one_less();
                   });
  }
  one_less();
}

void links(const console_call_ptr& call) {
  if (!call->arguments().empty())
    return call->usage("links takes no arguments; it shows all of this node's");
  const auto* cluster = call->cluster();
  if (cluster == nullptr)
    return;
  auto all = ordered_json::array();
  console_table table{{{"PEER"},
                       {"FOR", kind::number},
                       {"VERSION"},
                       {"SENT", kind::number},
                       {"RECEIVED", kind::number},
                       {"DROPPED", kind::number},
                       {"TRIP", kind::number},
                       {"CLOCK", kind::number},
                       {"STATE", kind::cut}}};
  const auto now_us = call->env().clock.wall_us();
  for (const auto& l : cluster->links()) {
    const auto trip = in_ms(l.round_trip_ns, 1e6);
    if (call->json())
      all.push_back({{"peer", l.node},
                     {"linked", l.linked},
                     {"why", l.linked ? ordered_json(nullptr) : ordered_json(l.why)},
                     {"since_us", l.since_us == 0 ? ordered_json(nullptr) : ordered_json(l.since_us)},
                     {"version", l.version.empty() ? ordered_json(nullptr) : ordered_json(l.version)},
                     {"sent_bytes", l.sent_bytes},
                     {"received_bytes", l.received_bytes},
                     {"in_flight_bytes", l.in_flight_bytes},
                     {"dropped", l.dropped},
                     {"round_trip_ms", json_of(trip)},
                     {"clock_offset_ms", json_of(in_ms(l.clock_offset_us, 1e3))},
                     {"clock_alarm", l.clock_alarm}});
    else
      table.add({l.node, l.since_us == 0 ? "never" : duration_text(std::max<std::int64_t>(now_us - l.since_us, 0) / 1'000),
                 l.version.empty() ? unknown : l.version, bytes_text(l.sent_bytes), bytes_text(l.received_bytes),
                 grouped(l.dropped), trip ? format("%.1f ms", *trip) : unknown, offset_text(l.clock_offset_us),
                 l.linked ? clock_alarm_text("linked", l) : "NOT LINKED: " + l.why});
  }
  if (call->json())
    call->done_json(all);
  else
    call->done(table.text(call->width()));
}

} // namespace console

} // namespace epione::actors
