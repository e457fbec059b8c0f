#include "domain/cluster_state.hpp"

#include "domain/msgpack.hpp"
#include "domain/msgpack_fields.hpp"

#include <algorithm>
#include <utility>

namespace epione::domain {

namespace {

constexpr std::uint64_t state_format = 1;
constexpr std::uint32_t state_members = 4, node_members = 7;
constexpr std::uint32_t nodes_max = 1'000;

auto place_of(auto& nodes, std::string_view name) {
  return std::lower_bound(nodes.begin(), nodes.end(), name, [](const auto& x, std::string_view n) { return x.name < n; });
}

} // namespace

const cluster_node* cluster_state::find(std::string_view name) const {
  const auto at = place_of(nodes, name);
  return at == nodes.end() || at->name != name ? nullptr : &*at;
}

cluster_node* cluster_state::find(std::string_view name) {
  return const_cast<cluster_node*>(std::as_const(*this).find(name));
}

const cluster_node* cluster_state::find_server(std::uint64_t id) const {
  const auto at = std::find_if(nodes.begin(), nodes.end(), [id](const auto& x) { return id != 0 && x.server_id == id; });
  return at == nodes.end() ? nullptr : &*at;
}

cluster_node& cluster_state::add(cluster_node node) {
  const auto at = place_of(nodes, node.name);
  return *nodes.insert(at, std::move(node));
}

void cluster_state::remove(std::string_view name) {
  const auto at = place_of(nodes, name);
  if (at != nodes.end() && at->name == name)
    nodes.erase(at);
}

std::string encode(const cluster_state& s) {
  std::string out;
  append_array_header(out, state_members);
  append_uint(out, state_format);
  append_uint(out, s.replication_factor);
  append_uint(out, s.next_server_id);
  append_array_header(out, static_cast<std::uint32_t>(s.nodes.size()));
  for (const auto& n : s.nodes) {
    append_array_header(out, node_members);
    append_string(out, n.name);
    append_string(out, n.peer);
    append_string(out, n.http);
    append_uint(out, static_cast<std::uint64_t>(n.phase));
    append_uint(out, n.server_id);
    append_string(out, n.joined_as);
    append_bool(out, n.replaced);
  }
  return out;
}

tl::expected<cluster_state, std::string> decode_cluster_state(std::string_view bytes) {
  field_reader r{bytes};
  cluster_state s;
  const auto members = r.array(state_members, fields_max);
  if (const auto format = r.number(); r.good() && format != state_format)
    return tl::unexpected(std::string{"the list of nodes has a format that this version does not know"});
  s.replication_factor = static_cast<std::uint32_t>(r.number());
  s.next_server_id = r.number();
  const auto nodes = r.array(0, nodes_max);
  for (std::uint32_t i = 0; r.good() && i < nodes; ++i) {
    cluster_node n;
    const auto parts = r.array(node_members, fields_max);
    n.name = r.text();
    n.peer = r.text();
    n.http = r.text();
    const auto phase = r.number();
    n.server_id = r.number();
    n.joined_as = r.text();
    n.replaced = r.truth();
    r.skip_rest(parts, node_members);
    if (phase < 1 || phase > 3 || !is_node_name(n.name) || (!s.nodes.empty() && s.nodes.back().name >= n.name))
      r.refuse();
    n.phase = static_cast<node_phase>(phase);
    s.nodes.push_back(std::move(n));
  }
  r.skip_rest(members, state_members);
  if (!r.good())
    return tl::unexpected(std::string{"the list of nodes cannot be read"});
  return s;
}

std::string_view to_text(node_phase phase) {
  switch (phase) {
    case node_phase::invited: return "invited";
    case node_phase::member: return "member";
    case node_phase::leaving: return "leaving";
  }
  return "unknown";
}

bool is_node_name(std::string_view name) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 32 && is_plain(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_plain(c) || c == '-' || c == '_'; });
}

} // namespace epione::domain
