#include "runtime/channel_settings.hpp"

#include "runtime/config_text.hpp"
#include "runtime/defaults.hpp"
#include "runtime/durations.hpp"

#include <algorithm>
#include <charconv>

namespace epione::runtime {

namespace {

constexpr std::uint64_t minute_s = 60, day_s = 24 * 60 * minute_s;

std::optional<std::string> check_rate(std::string& text) {
  if (!parse_rate(text))
    return "'" + text + "' is not a rate; write how many messages a second or a minute, as \"10/s\" or \"60/min\"";
  return std::nullopt;
}

channel_key number_key(std::string name, std::string unit, std::uint64_t standard, std::uint64_t minimum, std::uint64_t maximum,
                       std::string constant, std::string meaning) {
  return {std::move(name), std::move(unit),    std::to_string(standard), false,  minimum,
          maximum,         std::move(meaning), std::move(constant),      nullptr};
}

std::vector<channel_key> make_common_keys() {
  return {
      {"kind", "", "", true, 0, 0, "What kind of channel it is: one of the headings on this page.", "", nullptr},
      {"rate", "", defaults::channel_rate, false, 0, 0, "Messages a second (\"10/s\") or a minute (\"60/min\") at most.",
       "channel_rate", check_rate},
      number_key("concurrency", "count", defaults::channel_concurrency, 1, 32, "channel_concurrency",
                 "Messages on the way at the same time, each over a connection of its own."),
      number_key("timeout_ms", "ms", defaults::channel_timeout_ms, 100, 10 * minute_ms, "channel_timeout_ms",
                 "Time for the other side to take one message, connecting included."),
      number_key("give_up_after_s", "s", defaults::channel_give_up_after_s, minute_s, 30 * day_s, "channel_give_up_after_s",
                 "How long a notice is tried, counted from its submission; then it is tried once more, and then it is dead."),
      number_key("refused_tries", "count", defaults::channel_refused_tries, 1, 100, "channel_refused_tries",
                 "Tries of a message that the other side refuses for good; then its notices are dead."),
      number_key("retry_ms", "ms", defaults::channel_retry_ms, 100, hour_ms, "channel_retry_ms",
                 "Pause before a message is tried again; it doubles each time, and a random part of up to half is taken off."),
      number_key("retry_ms_max", "ms", defaults::channel_retry_ms_max, second_ms, 24 * hour_ms, "channel_retry_ms_max",
                 "The longest such pause."),
      number_key("breaker_failures", "count", defaults::channel_breaker_failures, 1, 1'000, "channel_breaker_failures",
                 "Failures in a row after which nothing more is sent for a while."),
      number_key("breaker_open_ms", "ms", defaults::channel_breaker_open_ms, 100, hour_ms, "channel_breaker_open_ms",
                 "How long; then one message is tried, and the channel is as before when that succeeds."),
      number_key("merge_from", "count", defaults::channel_merge_from, 2, 100'000, "channel_merge_from",
                 "From so many waiting notices for one recipient they go out as one message that lists all of them."),
      number_key("merge_max", "count", defaults::channel_merge_max, 1, 10'000, "channel_merge_max",
                 "Notices in one message at most; 1 merges nothing."),
      number_key("text_bytes_max", "bytes", defaults::channel_text_bytes_max, 500, 1024 * 1024, "channel_text_bytes_max",
                 "Text of one message at most: fewer notices are merged into one that would be longer."),
  };
}

std::string nearest_key(const std::vector<channel_key>& keys, std::string_view written) {
  const auto best = std::min_element(keys.begin(), keys.end(), [&](const auto& a, const auto& b) {
    return edit_distance(written, a.name) < edit_distance(written, b.name);
  });
  return best->name;
}

std::string kind_names(const channel_kinds& kinds) {
  std::string out;
  for (const auto& k : kinds.all())
    out += (out.empty() ? "" : ", ") + k.name;
  return out;
}

/// A sentence when `text` is not a value of `key`; brings it into the key's unit otherwise.
std::optional<std::string> check_value(const channel_key& key, std::string& text, bool is_text) {
  if (key.unit.empty()) {
    if (!is_text)
      return "must be a text in quotes";
    return key.check ? key.check(text) : std::nullopt;
  }
  const auto number = parse_quantity(key.unit, text);
  if (!number)
    return "'" + text + "' is not a value for it; write " + quantity_help(key.unit);
  if (*number < key.minimum || *number > key.maximum)
    return text + " is out of range; allowed is " + range_text(key.unit, key.minimum, key.maximum);
  text = std::to_string(*number);
  return std::nullopt;
}

bool is_name(std::string_view x) {
  return !x.empty() && x.size() <= domain::limits::identifier_bytes_max && std::all_of(x.begin(), x.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

channel_settings with_defaults(const channel_kind& kind, std::string name) {
  channel_settings out{std::move(name), kind.name, {}};
  for (const auto& key : keys_of(kind))
    out.values[key.name] = {key.standard, {}};
  out.values["kind"].text = kind.name;
  return out;
}

} // namespace

const std::string& channel_settings::text(std::string_view key) const {
  static const std::string nothing;
  const auto found = values.find(key);
  return found == values.end() ? nothing : found->second.text;
}

std::uint64_t channel_settings::number(std::string_view key) const {
  const auto& t = text(key);
  std::uint64_t out = 0;
  std::from_chars(t.data(), t.data() + t.size(), out);
  return out;
}

bool channel_settings::given(std::string_view key) const {
  const auto found = values.find(key);
  return found != values.end() && !found->second.place.empty();
}

void channel_settings::set_default(std::string_view key, std::string text) {
  if (!given(key))
    values[std::string{key}].text = std::move(text);
}

void channel_kinds::add(channel_kind kind) {
  std::erase_if(all_, [&](const channel_kind& k) { return k.name == kind.name; });
  all_.push_back(std::move(kind));
}

const channel_kind* channel_kinds::find(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const channel_kind& k) { return k.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

const std::vector<channel_key>& common_channel_keys() {
  static const std::vector<channel_key> keys = make_common_keys();
  return keys;
}

std::vector<channel_key> keys_of(const channel_kind& kind) {
  auto keys = common_channel_keys();
  for (const auto& own : kind.keys) {
    const auto same = std::find_if(keys.begin(), keys.end(), [&](const channel_key& k) { return k.name == own.name; });
    if (same != keys.end())
      *same = own;
    else
      keys.push_back(own);
  }
  return keys;
}

channel_settings check_channel(const channel_section& section, const channel_kinds& kinds,
                               std::vector<channel_section_problem>& problems) {
  const auto path = "channels." + section.name;
  const auto before = problems.size();
  if (!is_name(section.name))
    problems.push_back({section.place, path, "a channel's name holds letters, digits, '_', '-' and '.', 64 at most"});
  const auto said = std::find_if(section.entries.begin(), section.entries.end(), [](const auto& e) { return e.key == "kind"; });
  if (said == section.entries.end()) {
    problems.push_back({section.place, path, "says no kind; write kind = \"...\" with one of " + kind_names(kinds)});
    return {};
  }
  const auto* kind = kinds.find(said->text);
  if (kind == nullptr) {
    problems.push_back(
        {said->place, path + ".kind", "'" + said->text + "' is not a kind of channel; there are " + kind_names(kinds)});
    return {};
  }
  if (section.name == "log" && kind->name != "log")
    problems.push_back({said->place, path + ".kind",
                        "the channel 'log' takes what has no channel of its own and is always of kind log; choose another name"});
  auto out = with_defaults(*kind, section.name);
  const auto keys = keys_of(*kind);
  for (const auto& e : section.entries) {
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const channel_key& k) { return k.name == e.key; });
    if (key == keys.end()) {
      problems.push_back(
          {e.place, path + "." + e.key,
           "a channel of kind " + kind->name + " has no key '" + e.key + "'; the nearest is '" + nearest_key(keys, e.key) + "'"});
      continue;
    }
    auto text = e.text;
    if (const auto wrong = check_value(*key, text, e.is_text))
      problems.push_back({e.place, path + "." + e.key, *wrong});
    out.values[e.key] = {std::move(text), e.place};
  }
  for (const auto& key : keys)
    if (key.required && out.text(key.name).empty())
      problems.push_back({section.place, path, "a channel of kind " + kind->name + " needs '" + key.name + "': " + key.meaning});
  if (problems.size() == before && kind->check)
    for (auto& p : kind->check(out))
      problems.push_back({out.given(p.key) ? out.values[p.key].place : section.place, path + "." + p.key, std::move(p.message)});
  return out;
}

channel_settings default_channel(const channel_kinds& kinds, std::string name, std::string_view kind) {
  const auto* found = kinds.find(kind);
  return found == nullptr ? channel_settings{std::move(name), std::string{kind}, {}} : with_defaults(*found, std::move(name));
}

std::string shown_url(std::string_view url) {
  const auto query = url.find_first_of("?#");
  std::string out{url.substr(0, query)};
  const auto begin = out.find("://");
  const auto at = out.find('@');
  if (begin != std::string::npos && at != std::string::npos && at > begin)
    out.replace(begin + 3, at - begin - 3, "...");
  return query == std::string_view::npos ? out : out + "?...";
}

std::string shown_value(const channel_settings& settings, const channel_key& key) {
  const auto& text = settings.text(key.name);
  const auto scheme = text.find("://");
  const bool is_url = scheme != std::string::npos && text.find_first_of(" \"{") > scheme; // not a template that holds one
  return is_url ? shown_url(text) : text;
}

std::optional<channel_rate> parse_rate(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view period{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  if (error != std::errc{} || number == 0 || number > 1'000'000)
    return std::nullopt;
  if (period == "/s")
    return channel_rate{number, second_ms};
  if (period == "/min")
    return channel_rate{number, minute_ms};
  return std::nullopt;
}

std::string channels_markdown(const channel_kinds& kinds) {
  const auto table = [](const std::vector<channel_key>& keys) {
    std::string out = "| key | default | from, to | unit | what it says |\n| --- | --- | --- | --- | --- |\n";
    for (const auto& k : keys) {
      const auto range = k.unit.empty() ? "" : std::to_string(k.minimum) + ", " + std::to_string(k.maximum);
      const auto standard = k.standard.empty() && k.required ? "must be given" : k.standard;
      out += "| `" + k.name + "` | " + standard + " | " + range + " | " + (k.unit == "count" ? "" : k.unit) + " | " + k.meaning +
             " |\n";
    }
    return out;
  };
  std::string out = "Every kind has these:\n\n" + table(common_channel_keys());
  for (const auto& kind : kinds.all())
    out += "\n### kind = \"" + kind.name + "\"\n\n" + kind.about + "\n\n" + table(kind.keys);
  return out;
}

} // namespace epione::runtime
