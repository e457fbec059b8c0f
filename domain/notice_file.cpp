// [[recipients]] and [[routes]] of study.toml.
#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/study_file.hpp"
#include "domain/toml_reader.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace epione::domain {

namespace {

using site_indices = std::unordered_map<std::string, std::uint32_t>;

/// "HH:MM", two digits each; minutes since midnight.
std::optional<std::uint32_t> time_of_day(std::string_view text) {
  const auto two_digits = [&](std::size_t at) -> std::optional<std::uint32_t> {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 2, value);
    if (error != std::errc{} || end != text.data() + at + 2)
      return std::nullopt;
    return value;
  };
  if (text.size() != 5 || text[2] != ':')
    return std::nullopt;
  const auto hours = two_digits(0), minutes = two_digits(3);
  if (!hours || !minutes || *hours > 23 || *minutes > 59)
    return std::nullopt;
  return *hours * 60 + *minutes;
}

std::optional<quiet_hours> parse_quiet(std::string_view text) {
  if (text.size() != 11 || text[5] != '-')
    return std::nullopt;
  const auto from = time_of_day(text.substr(0, 5)), to = time_of_day(text.substr(6));
  if (!from || !to || *from == *to)
    return std::nullopt;
  return quiet_hours{*from, *to};
}

std::optional<std::uint32_t> find_site(const toml_table& t, std::string_view key, const std::string& id,
                                       const site_indices& sites) {
  const auto found = sites.find(id);
  if (found != sites.end())
    return found->second;
  t.problem(key, "the study has no site \"" + quotable(id) + "\"");
  return std::nullopt;
}

/// "all", or a list of site ids.
std::vector<std::uint32_t> read_sites(toml_table& t, const site_indices& sites) {
  std::vector<std::uint32_t> result;
  const auto* node = t.find("sites");
  if (node == nullptr || node->value_exact<std::string>() == "all")
    return result;
  if (node->is_string()) {
    t.problem("sites", "it must be \"all\" or a list of site ids");
    return result;
  }
  for (const auto& id : t.texts("sites", true))
    if (const auto site = find_site(t, "sites", id, sites))
      result.push_back(*site);
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::pair<std::string, std::string>> read_addresses(toml_table& t) {
  std::vector<std::pair<std::string, std::string>> result;
  auto table = t.table("addresses");
  if (!table)
    return result;
  for (const auto& channel : table->keys()) {
    const auto address = table->text(channel, true);
    if (!is_identifier(channel))
      table->problem(channel, "a channel's name is letters, digits, \".\", \"_\" and \"-\" only");
    else if (address && address->size() > limits::address_bytes_max)
      table->problem(channel, "an address has " + std::to_string(limits::address_bytes_max) + " bytes at most");
    else if (address)
      result.emplace_back(channel, *address);
  }
  return result;
}

recipient_entry read_recipient(toml_table& t, const study_file& s, const site_indices& sites) {
  recipient_entry r;
  r.place = t.place();
  r.who.id = t.identifier("id", true).value_or("");
  r.who.role = t.identifier("role", false).value_or("");
  r.sites = read_sites(t, sites);
  r.who.language = t.text("language", false).value_or(s.languages.empty() ? std::string{} : s.languages.front());
  if (t.has("language") && !r.who.language.empty() && !looks_like_language(r.who.language))
    t.problem("language", "it must be a language tag such as \"en\" or \"zh-Hant\"");
  r.who.zone = t.text("zone", false).value_or("UTC");
  if (!looks_like_zone(r.who.zone))
    t.problem("zone", "it must be a time zone such as \"Europe/Berlin\", or \"UTC\"");
  if (const auto quiet = t.text("quiet", false)) {
    r.who.quiet = parse_quiet(*quiet);
    if (!r.who.quiet)
      t.problem("quiet", "it must be two different times of day, such as \"22:00-07:00\"");
  }
  r.who.addresses = read_addresses(t);
  t.end();
  return r;
}

std::vector<std::string> read_channels(toml_table& t) {
  auto channels = t.texts("channels", true);
  if (channels.size() > limits::route_channels_max)
    t.problem("channels", "a route has " + std::to_string(limits::route_channels_max) + " channels at most");
  for (const auto& c : channels)
    if (!is_identifier(c))
      t.problem("channels", "\"" + quotable(c) + "\" must be 1 to " + std::to_string(limits::identifier_bytes_max) +
                                " letters, digits, \".\", \"_\" and \"-\", beginning with a letter or digit");
  return channels;
}

route_entry read_route(toml_table& t, const site_indices& sites) {
  route_entry r;
  r.place = t.place();
  const auto on = t.text("on", true).value_or("alert");
  r.on_alert = on != "submission";
  if (on != "submission" && on != "alert")
    t.problem("on", "it must be \"alert\" or \"submission\"");
  r.rule = t.text("rule", false).value_or("");
  if (!r.on_alert && t.has("rule"))
    t.problem("rule", "only a route on = \"alert\" has a rule; remove it, or name the form instead");
  r.form = t.text("form", false).value_or("");
  if (const auto site = t.text("site", false))
    r.site = find_site(t, "site", *site, sites);
  r.role = t.text("role", false).value_or("");
  r.recipient = t.text("recipient", false).value_or("");
  if (t.has("role") == t.has("recipient"))
    t.problem("it needs either role = \"ROLE\" or recipient = \"ID\"");
  r.channels = read_channels(t);
  r.urgent = r.on_alert;
  if (const auto* node = t.find("urgent")) {
    const auto value = node->value_exact<bool>();
    if (!value)
      t.problem("urgent", "it must be true or false, without quotes");
    r.urgent = value.value_or(r.urgent);
  }
  t.end();
  return r;
}

} // namespace

void read_notice_entries(toml_table& root, study_file& s) {
  site_indices sites;
  for (std::uint32_t i = 0; i < s.sites.size(); ++i)
    sites.emplace(s.sites[i].id, i);
  auto recipients = root.tables("recipients");
  if (recipients.size() > limits::recipients_max)
    root.problem("recipients", "a study has " + std::to_string(limits::recipients_max) + " recipients at most"),
        recipients.clear();
  unique_names ids;
  for (auto& x : recipients) {
    auto r = read_recipient(x, s, sites);
    if (!r.who.id.empty() && ids.add(r.who.id, x, "id"))
      s.recipients.push_back(std::move(r));
  }
  auto routes = root.tables("routes");
  if (routes.size() > limits::routes_max)
    root.problem("routes", "a study has " + std::to_string(limits::routes_max) + " routes at most"), routes.clear();
  for (auto& x : routes)
    if (auto r = read_route(x, sites); r.role.empty() != r.recipient.empty()) // else it has a problem of its own
      s.routes.push_back(std::move(r));
}

} // namespace epione::domain
