#include "runtime/channels/json_template.hpp"

#include "domain/json_text.hpp"
#include "runtime/config_text.hpp"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

namespace epione::runtime {

namespace {

using nlohmann::ordered_json;

/// The name of the placeholder that begins at `at`, without braces; nothing when none does.
std::optional<std::string_view> placeholder_at(std::string_view text, std::size_t at) {
  const auto end = text.find('}', at);
  if (text[at] != '{' || end == std::string_view::npos || end == at + 1)
    return std::nullopt;
  const auto name = text.substr(at + 1, end - at - 1);
  if (!std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }))
    return std::nullopt;
  return name;
}

/// Copies `text` and gives each placeholder to `put`.
std::string replaced(std::string_view text, const std::function<std::string(std::string_view)>& put) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("{{")) {
      out += '{';
      at += 2;
    } else if (const auto name = placeholder_at(text, at)) {
      out += put(*name);
      at += name->size() + 2;
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string receipts_of(const messages::outgoing& m) {
  std::string out;
  for (const auto& n : m.notices)
    out += (out.empty() ? "" : " ") + n.receipt;
  return out;
}

std::string value_of(const messages::outgoing& m, std::string_view name) {
  static const messages::outgoing_notice nothing;
  const auto& first = m.notices.empty() ? nothing : m.notices.front();
  if (name == "key")
    return m.key;
  if (name == "channel")
    return m.channel;
  if (name == "to")
    return m.to;
  if (name == "recipient")
    return m.recipient;
  if (name == "language")
    return m.language;
  if (name == "title")
    return m.subject;
  if (name == "text")
    return m.text;
  if (name == "count")
    return std::to_string(m.notices.size());
  if (name == "urgent")
    return m.urgent ? "true" : "false";
  if (name == "priority")
    return m.urgent ? "high" : "normal";
  if (name == "receipts")
    return receipts_of(m);
  if (name == "receipt")
    return first.receipt;
  if (name == "study")
    return first.study;
  if (name == "site")
    return first.site;
  if (name == "subject")
    return first.subject;
  if (name == "form")
    return first.form;
  if (name == "rule")
    return first.rule;
  if (name == "raised")
    return first.raised;
  return {};
}

ordered_json notices_json(const messages::outgoing& m) {
  auto list = ordered_json::array();
  for (const auto& n : m.notices)
    list.push_back({{"key", n.key},
                    {"study", n.study},
                    {"site", n.site},
                    {"subject", n.subject},
                    {"form", n.form},
                    {"rule", n.rule},
                    {"receipt", n.receipt},
                    {"raised", n.raised}});
  return list;
}

ordered_json filled(const ordered_json& x, const messages::outgoing& m) {
  if (x.is_string()) {
    const auto& text = x.get_ref<const std::string&>();
    if (text == "{notices}")
      return notices_json(m);
    if (text == "{count}")
      return m.notices.size();
    if (text == "{urgent}")
      return m.urgent;
    return replaced(text, [&](std::string_view name) { return value_of(m, name); });
  }
  if (x.is_array()) {
    auto out = ordered_json::array();
    for (const auto& each : x)
      if (!(m.to.empty() && each == "{to}")) // nobody in particular
        out.push_back(filled(each, m));
    return out;
  }
  if (x.is_object()) {
    auto out = ordered_json::object();
    for (const auto& [name, each] : x.items())
      out[name] = filled(each, m);
    return out;
  }
  return x;
}

std::optional<std::string> problem_of_text(std::string_view text, bool& names_address) {
  std::optional<std::string> problem;
  replaced(text, [&](std::string_view name) {
    const auto& known = json_template::placeholders();
    if (std::none_of(known.begin(), known.end(), [&](const auto& p) { return p.first == name; })) {
      const auto nearest = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
        return edit_distance(name, a.first) < edit_distance(name, b.first);
      });
      problem = "names {" + domain::quotable(name) + "}, which does not exist; the nearest is {" + nearest->first +
                "} (write {{ for a brace)";
    } else if (name == "notices" && text != "{notices}") {
      problem = "has {notices} inside a longer text; it is a list and must be a value of its own: \"{notices}\"";
    }
    names_address = names_address || name == "to";
    return std::string{};
  });
  return problem;
}

std::optional<std::string> problem_of(const ordered_json& x, bool& names_address) {
  if (x.is_string())
    return problem_of_text(x.get_ref<const std::string&>(), names_address);
  if (x.is_structured())
    for (const auto& each : x)
      if (auto problem = problem_of(each, names_address))
        return problem;
  return std::nullopt;
}

} // namespace

tl::expected<json_template, std::string> json_template::parse(std::string_view text) {
  auto content = ordered_json::parse(text, nullptr, false);
  if (content.is_discarded())
    return tl::unexpected{std::string{"is not JSON"}};
  if (!content.is_structured())
    return tl::unexpected{std::string{"is not a JSON object or array"}};
  json_template out;
  if (auto problem = problem_of(content, out.names_address_))
    return tl::unexpected{std::move(*problem)};
  out.template_ = std::make_shared<const ordered_json>(std::move(content));
  return out;
}

std::string json_template::render(const messages::outgoing& m) const {
  return filled(*template_, m).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

const std::vector<std::pair<std::string, std::string>>& json_template::placeholders() {
  static const std::vector<std::pair<std::string, std::string>> all{
      {"title", "one line that says what happened"},
      {"text", "the whole text, several lines"},
      {"to", "the recipient's address in this channel; in a list of its own it is left out when there is none"},
      {"key", "the message key, the same at every try"},
      {"count", "how many notices the message holds; alone a number"},
      {"urgent", "`true` or `false`; alone a truth value"},
      {"priority", "`high` or `normal`"},
      {"receipts", "the receipts of all notices, with blanks between"},
      {"notices", "all notices as a list of objects: key, study, site, subject, form, rule, receipt, raised"},
      {"recipient", "the recipient's id in the study file"},
      {"channel", "the channel's name in the study file"},
      {"language", "`en` or `zh`"},
      {"study", "of the first notice, as are the following"},
      {"site", ""},
      {"subject", "the patient's id in the study"},
      {"form", ""},
      {"rule", "of the alert; empty when something was only stored"},
      {"receipt", ""},
      {"raised", "when the submission was stored: `2026-01-15T07:30:02Z`"},
  };
  return all;
}

} // namespace epione::runtime
