#include "runtime/cluster_file.hpp"

#include "domain/cluster_state.hpp"
#include "domain/limits.hpp"
#include "domain/toml_reader.hpp"
#include "runtime/config.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <toml++/toml.h>

namespace epione::runtime {

namespace {

bool is_host_and_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size())
    return false;
  std::uint32_t port = 0;
  for (const auto c : text.substr(colon + 1)) {
    if (c < '0' || c > '9' || port > 65'535)
      return false;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return port > 0 && port <= 65'535;
}

class reader {
public:
  reader(const std::string& path, const std::string& text) : path_(path), text_(text) { file_.path = path; }

  tl::expected<cluster_file, std::string> run() {
    if (domain::has_deep_key(text_)) {
      problem_at(path_, "has a key of more than " + std::to_string(domain::limits::toml_key_parts_max) + " parts");
      return tl::unexpected(problems_);
    }
    try {
      const toml::table root = toml::parse(text_, path_);
      for (const auto& [key, value] : root)
        take(std::string{key.str()}, value);
    } catch (const toml::parse_error& e) {
      problem_at(path_ + ":" + std::to_string(e.source().begin.line), "is not TOML: " + std::string{e.description()});
      return tl::unexpected(problems_);
    }
    check();
    if (!problems_.empty())
      return tl::unexpected(problems_);
    return file_;
  }

private:
  void take(const std::string& key, const toml::node& value) {
    if (key == "name")
      take_text(key, value, name_);
    else if (key == "replication_factor")
      take_number(key, value, 1, 7, file_.replication_factor);
    else if (key == "shards")
      take_number(key, value, 1, static_cast<std::uint32_t>(find_setting("shards.count")->maximum), file_.shards);
    else if (key == "peers" && value.is_table())
      take_peers(*value.as_table());
    else if (key == "nodes" && value.is_table())
      take_nodes(*value.as_table());
    else
      problem(value, "there is no entry '" + key +
                         "' here; known are name, replication_factor, shards and the tables [peers] and [nodes.NAME]");
  }

  void take_peers(const toml::table& table) {
    for (const auto& [key, value] : table) {
      const std::string name{key.str()};
      if (name == "certificate")
        take_text(name, value, file_.certificate);
      else if (name == "key")
        take_text(name, value, file_.key);
      else if (name == "authorities")
        take_text(name, value, file_.authorities);
      else
        problem(value, "there is no entry '" + name + "' in [peers]; known are certificate, key and authorities");
    }
  }

  void take_nodes(const toml::table& table) {
    std::vector<std::pair<std::uint32_t, cluster_file::node>> in_order; // the table itself is sorted by name
    for (const auto& [key, value] : table) {
      cluster_file::node n;
      n.name = std::string{key.str()};
      if (!domain::is_node_name(n.name))
        problem(value, "'" + n.name + "' is no name of a node: letters, digits, - and _, 32 at most");
      const auto* entries = value.as_table();
      if (entries == nullptr) {
        problem(value, "node " + n.name + " must be a table: write [nodes." + n.name + "]");
        continue;
      }
      for (const auto& [entry, text] : *entries)
        take_node_entry(n, std::string{entry.str()}, text);
      if (!is_host_and_port(n.peer))
        problem(value, "node " + n.name + " needs peer = \"HOST:PORT\", where the other nodes reach it");
      if (!n.http.empty() && !is_host_and_port(n.http))
        problem(value, "http of node " + n.name + " must be \"HOST:PORT\"");
      in_order.emplace_back(value.source().begin.line, std::move(n));
    }
    std::sort(in_order.begin(), in_order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [line, n] : in_order)
      file_.nodes.push_back(std::move(n));
  }

  void take_node_entry(cluster_file::node& n, const std::string& entry, const toml::node& text) {
    if (entry == "peer")
      take_text(entry, text, n.peer);
    else if (entry == "http")
      take_text(entry, text, n.http);
    else if (entry == "data_dir")
      take_text(entry, text, n.data_dir);
    else
      problem(text, "there is no entry '" + entry + "' of a node; known are peer, http and data_dir");
  }

  void take_text(const std::string& key, const toml::node& value, std::string& to) {
    if (const auto* text = value.as_string())
      to = text->get();
    else
      problem(value, key + " must be a text in quotes");
  }

  void take_number(const std::string& key, const toml::node& value, std::uint32_t least, std::uint32_t most, std::uint32_t& to) {
    const auto* number = value.as_integer();
    if (number != nullptr && number->get() >= least && number->get() <= most)
      to = static_cast<std::uint32_t>(number->get());
    else
      problem(value, key + " must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  }

  void check() {
    if (file_.nodes.empty())
      problem_at(path_, "names no node; write [nodes.NAME] with peer = \"HOST:PORT\" for each");
    if (file_.nodes.size() > defaults::cluster_nodes_max)
      problem_at(path_, "names " + std::to_string(file_.nodes.size()) + " nodes; at most " +
                            std::to_string(defaults::cluster_nodes_max) + " are allowed");
    std::set<std::string> seen;
    for (const auto& n : file_.nodes)
      if (!n.peer.empty() && !seen.insert(n.peer).second)
        problem_at(path_, "two nodes have the peer address " + n.peer);
  }

  void problem(const toml::node& at, const std::string& what) {
    problem_at(path_ + ":" + std::to_string(at.source().begin.line), what);
  }
  void problem_at(const std::string& place, const std::string& what) {
    problems_ += (problems_.empty() ? "" : "\n") + place + ": " + what;
  }

  const std::string& path_;
  const std::string& text_;
  std::string name_;
  cluster_file file_;
  std::string problems_;
};

} // namespace

const cluster_file::node* cluster_file::find(std::string_view name) const {
  const auto at = std::find_if(nodes.begin(), nodes.end(), [&](const node& n) { return n.name == name; });
  return at == nodes.end() ? nullptr : &*at;
}

std::string cluster_file::path_for(const std::string& name, const std::string& text) const {
  constexpr std::string_view mark = "{node}";
  auto out = text;
  for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + name.size()))
    out.replace(at, mark.size(), name);
  const std::filesystem::path below{out};
  return below.is_absolute() ? out : (std::filesystem::path{path}.parent_path() / below).lexically_normal().string();
}

tl::expected<cluster_file, std::string> parse_cluster_file(const std::string& path, const std::string& text) {
  return reader{path, text}.run();
}

tl::expected<cluster_file, std::string> read_cluster_file(const std::string& path) {
  auto file = read_config_file(path);
  if (!file)
    return tl::unexpected(file.error().place + ": " + file.error().message);
  return parse_cluster_file(path, file->text);
}

} // namespace epione::runtime
