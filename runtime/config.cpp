// Resolving the configuration. Our own code, because CLI11 lets the file win over the environment.
#include "runtime/config.hpp"

#include "domain/limits.hpp"
#include "domain/toml_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <toml++/toml.h>
#include <unistd.h>

namespace epione::runtime {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

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

/// "262144", "256 KiB", "30 s": a number in the setting's unit.
std::optional<std::uint64_t> parse_number(const setting& s, std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{})
    return std::nullopt;
  std::string_view suffix{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  while (!suffix.empty() && suffix.front() == ' ')
    suffix.remove_prefix(1);
  struct unit_factor {
    std::string_view unit, suffix;
    std::uint64_t factor;
  };
  static constexpr unit_factor factors[] = {{"bytes", "KiB", 1024},
                                            {"bytes", "MiB", 1024 * 1024},
                                            {"bytes", "GiB", 1024 * 1024 * 1024},
                                            {"bytes", "bytes", 1},
                                            {"ms", "ms", 1},
                                            {"ms", "s", 1'000},
                                            {"ms", "min", 60'000},
                                            {"s", "s", 1},
                                            {"s", "min", 60}};
  std::uint64_t factor = suffix.empty() ? 1 : 0;
  for (const auto& f : factors)
    if (!suffix.empty() && f.unit == s.unit && f.suffix == suffix)
      factor = f.factor;
  if (factor == 0 || number > UINT64_MAX / factor)
    return std::nullopt;
  return number * factor;
}

std::string number_help(const setting& s) {
  if (s.unit == "bytes")
    return "a number of bytes, or one with KiB, MiB or GiB";
  if (s.unit == "ms")
    return "a number of milliseconds, or one with ms, s or min";
  if (s.unit == "s")
    return "a number of seconds, or one with s or min";
  return "a whole number";
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
      const auto number = parse_number(s, text);
      if (!number)
        return problems_.push_back({place, key, "'" + text + "' is not a value for it; write " + number_help(s)});
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
        if (const auto* table = node.as_table()) {
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
    problems_.push_back({place, key, wants_text ? "must be a text in quotes" : "must be " + number_help(*s) + " in quotes"});
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
