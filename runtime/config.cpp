// Resolving the configuration. Our own code, because CLI11 lets the file win over the environment.
#include "runtime/config.hpp"

#include "domain/limits.hpp"
#include "domain/toml_reader.hpp"
#include "runtime/config_text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <toml++/toml.h>
#include <unistd.h>

namespace epione::runtime {

namespace {

template <class Name>
std::string nearest(std::string_view written, Name name) {
  std::string best;
  std::size_t distance = 0;
  for (const auto& s : settings()) {
    const std::string candidate = name(s);
    // A key in the wrong section counts as near.
    const std::size_t d = std::min(edit_distance(written, candidate),
                                   1 + edit_distance(written, std::string_view{candidate}.substr(candidate.find('.') + 1)));
    if (best.empty() || d < distance) {
      best = candidate;
      distance = d;
    }
  }
  return best;
}

class resolver {
public:
  explicit resolver(const config_input& input) : input_(input) { result_.sources.resize(settings().size()); }

  tl::expected<resolved_config, std::vector<config_problem>> run() {
    if (input_.file)
      take_file(*input_.file);
    for (const auto& [name, value] : input_.environment)
      take_variable(name, value);
    for (const auto& f : input_.flags) {
      if (const auto* s = find_setting(f.name))
        take(*s, f.value, config_origin::flag, f.flag, f.flag);
      else
        problems_.push_back({f.flag, f.flag, "there is no setting '" + f.name + "'"});
    }
    check_together();
    if (!problems_.empty())
      return tl::unexpected{std::move(problems_)};
    return std::move(result_);
  }

private:
  void take(const setting& s, std::string text, config_origin origin, const std::string& place, const std::string& key) {
    if (const auto* target = std::get_if<0>(&s.where)) {
      if (const auto wrong = s.check != nullptr ? s.check(text) : std::nullopt)
        return problems_.push_back({place, key, *wrong});
      (*target)(result_.values) = std::move(text);
    } else {
      const auto number = parse_quantity(s.unit, text);
      if (!number)
        return problems_.push_back({place, key, "'" + text + "' is not a value for it; write " + quantity_help(s.unit)});
      if (*number < s.minimum || *number > s.maximum)
        return problems_.push_back({place, key, text + " is out of range; allowed is " + s.range()});
      if (const auto* small = std::get_if<1>(&s.where))
        (*small)(result_.values) = static_cast<std::uint32_t>(*number); // all maxima of these fit
      else
        std::get<2>(s.where)(result_.values) = *number;
    }
    result_.sources[static_cast<std::size_t>(&s - settings().data())] = {origin, place};
  }

  void take_variable(const std::string& name, const std::string& value) {
    if (!name.starts_with("EPIONE_") || name == config_file_variable)
      return;
    const auto& all = settings();
    const auto found = std::find_if(all.begin(), all.end(), [&](const setting& s) { return s.environment() == name; });
    if (found != all.end())
      return take(*found, value, config_origin::environment, name, name);
    if (name.starts_with("EPIONE_CHANNELS_"))
      return problems_.push_back({name, name,
                                  "channels are set in the configuration file only, under [channels.NAME]; a secret stays out of "
                                  "it by its password_file, token_file or url_file"});
    problems_.push_back(
        {name, name, "there is no setting for this variable; the nearest is " + nearest(name, [](const setting& s) {
                       return s.environment();
                     }) + " (names with EPIONE_ are ours, so that a mistyped one is not silently without effect)"});
  }

  void take_file(const config_file& file) {
    if (domain::has_deep_key(file.text)) {
      problems_.push_back({file.path, "",
                           "has a key of more than " + std::to_string(domain::limits::toml_key_parts_max) +
                               " parts; a setting is written as section.name"});
      return;
    }
    try {
      const toml::table root = toml::parse(file.text, file.path);
      for (const auto& [section, node] : root) {
        const std::string name{section.str()};
        if (name == "channels") {
          take_channels(file, node);
        } else if (const auto* table = node.as_table()) {
          for (const auto& [key, value] : *table)
            take_node(file, name + "." + std::string{key.str()}, value);
        } else {
          unknown_key(file, name, node);
        }
      }
    } catch (const toml::parse_error& e) {
      problems_.push_back(
          {file.path + ":" + std::to_string(e.source().begin.line), "", "is not TOML: " + std::string{e.description()}});
    }
  }

  void take_node(const config_file& file, const std::string& key, const toml::node& node) {
    const setting* s = find_setting(key);
    if (s == nullptr)
      return unknown_key(file, key, node);
    const std::string place = file.path + ":" + std::to_string(node.source().begin.line);
    const bool wants_text = s->unit.empty();
    if (const auto* text = node.as_string())
      return take(*s, text->get(), config_origin::file, place, key);
    const auto* number = node.as_integer();
    if (number != nullptr && !wants_text)
      return take(*s, std::to_string(number->get()), config_origin::file, place, key);
    problems_.push_back(
        {place, key, wants_text ? "must be a text in quotes" : "must be " + quantity_help(s->unit) + " in quotes"});
  }

  void take_channels(const config_file& file, const toml::node& node) {
    const auto place_of_node = [&](const toml::node& n) { return file.path + ":" + std::to_string(n.source().begin.line); };
    const auto* table = node.as_table();
    if (table == nullptr)
      return problems_.push_back({place_of_node(node), "channels", "must be tables: write [channels.NAME]"});
    if (table->size() > defaults::channels_max)
      return problems_.push_back({place_of_node(node), "channels",
                                  "has " + std::to_string(table->size()) + " channels; at most " +
                                      std::to_string(defaults::channels_max) + " are allowed"});
    for (const auto& [key, value] : *table) {
      channel_section section{std::string{key.str()}, place_of_node(value), {}};
      if (const auto* entries = value.as_table())
        for (const auto& [name, entry] : *entries)
          take_channel_entry(section, std::string{name.str()}, entry, place_of_node(entry));
      else
        problems_.push_back({section.place, "channels." + section.name, "must be a table: write [channels.NAME]"});
      static const channel_kinds none;
      std::vector<channel_section_problem> found;
      result_.values.channels.push_back(check_channel(section, input_.kinds != nullptr ? *input_.kinds : none, found));
      for (auto& p : found)
        problems_.push_back({std::move(p.place), std::move(p.key), std::move(p.message)});
    }
  }

  void take_channel_entry(channel_section& section, std::string name, const toml::node& entry, std::string place) {
    if (const auto* text = entry.as_string())
      section.entries.push_back({std::move(name), text->get(), std::move(place), true});
    else if (const auto* number = entry.as_integer())
      section.entries.push_back({std::move(name), std::to_string(number->get()), std::move(place), false});
    else
      problems_.push_back(
          {std::move(place), "channels." + section.name + "." + name, "must be a text in quotes or a whole number"});
  }

  void unknown_key(const config_file& file, const std::string& key, const toml::node& node) {
    problems_.push_back({file.path + ":" + std::to_string(node.source().begin.line), key,
                         "there is no setting '" + key + "'; the nearest is '" +
                             nearest(key, [](const setting& s) { return std::string{s.name}; }) + "'"});
  }

  // Values that are each allowed and together are not.
  void check_together() {
    const auto& c = result_.values;
    if (c.batch.bytes_max < c.http.body_bytes_max)
      problems_.push_back({place_of("batch.bytes_max", "http.body_bytes_max"), "batch.bytes_max",
                           std::to_string(c.batch.bytes_max) + " is less than http.body_bytes_max (" +
                               std::to_string(c.http.body_bytes_max) + "): the largest submission would not fit a log entry"});
    const auto& p = c.peers;
    const std::pair<const char*, const std::string*> files[]{
        {"peers.certificate", &p.certificate}, {"peers.key", &p.key}, {"peers.authorities", &p.authorities}};
    for (const auto& [key, path] : files)
      if (path->empty() && !(p.certificate.empty() && p.key.empty() && p.authorities.empty()))
        problems_.push_back({place_of(p.certificate.empty() ? "peers.key" : "peers.certificate", "peers.authorities"), key,
                             "is missing: a node shows a certificate with its key, and knows others by their authorities, or has "
                             "none of the three"});
  }

  std::string place_of(std::string_view a, std::string_view b) const {
    for (const auto name : {a, b}) {
      const auto& from = result_.sources[static_cast<std::size_t>(find_setting(name) - settings().data())];
      if (from.origin != config_origin::standard)
        return from.place;
    }
    return {};
  }

  const config_input& input_;
  resolved_config result_;
  std::vector<config_problem> problems_;
};

} // namespace

std::string_view to_string(config_origin x) {
  switch (x) {
    case config_origin::standard: return "default";
    case config_origin::directory: return "directory";
    case config_origin::file: return "file";
    case config_origin::environment: return "env";
    case config_origin::flag: return "flag";
  }
  return "default";
}

tl::expected<config_file, config_problem> read_config_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return tl::unexpected{config_problem{path, "", std::string{"cannot be opened: "} + std::strerror(errno)}};
  config_file file{path, {}};
  file.text.resize(defaults::config_file_bytes_max + 1);
  in.read(file.text.data(), static_cast<std::streamsize>(file.text.size()));
  if (in.bad() || (in.fail() && !in.eof()))
    return tl::unexpected{config_problem{path, "", "cannot be read; is it a directory?"}};
  file.text.resize(static_cast<std::size_t>(in.gcount()));
  if (file.text.size() > defaults::config_file_bytes_max)
    return tl::unexpected{config_problem{path, "",
                                         "is larger than " + std::to_string(defaults::config_file_bytes_max) +
                                             " bytes, which no configuration is; name the right file"}};
  return file;
}

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> out;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry{*at};
    const auto equals = entry.find('=');
    if (equals != std::string_view::npos)
      out.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  std::sort(out.begin(), out.end()); // problems are listed in one order, whatever the shell did
  return out;
}

tl::expected<resolved_config, std::vector<config_problem>> resolve_config(const config_input& input) {
  return resolver{input}.run();
}

} // namespace epione::runtime
