#include "actors/reply_text.hpp"

#include "domain/canonical.hpp"
#include "domain/response_filter.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>

namespace epione::actors {

namespace {

using domain::append_json_string;

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, text);
}

std::string receipt_text(std::string_view message, const domain::receipt& id, std::string_view results) {
  std::string out;
  out.reserve(128 + results.size());
  out += R"({"message":")";
  out += message;
  out += R"(","receipt":")";
  out += domain::to_text(id);
  out += R"(","status":"stored",)";
  out += results;
  out += '}';
  return out;
}

void append_problems(std::string& out, const std::vector<domain::problem>& problems) {
  out += '[';
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const auto& p = problems[i];
    out += i == 0 ? "{" : ",{";
    out += R"("linkId":)";
    if (p.link_id.empty())
      out += "null";
    else
      append_json_string(out, p.link_id);
    out += ',';
    append_member(out, "code", p.code);
    out += ',';
    append_member(out, "message", p.message);
    out += R"(,"allowed":[)";
    for (std::size_t k = 0; k < p.allowed.size(); ++k) {
      if (k != 0)
        out += ',';
      append_json_string(out, p.allowed[k]);
    }
    out += "]}";
  }
  out += ']';
}

/// RFC 3339, UTC, milliseconds.
std::string time_text(std::int64_t wall_us) {
  const auto seconds = static_cast<std::time_t>(wall_us / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 24> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 40> whole{};
  std::snprintf(whole.data(), whole.size(), "%s.%03dZ", date.data(), static_cast<int>(wall_us / 1000 % 1000));
  return whole.data();
}

/// Of several notices of one alert the one that is furthest from its recipient; null when no route covers the alert.
std::string_view notice_json(const domain::submission_record& r, const std::vector<messages::notice_state>& states,
                             const std::string& rule) {
  using messages::notice_state;
  constexpr std::array<std::string_view, 3> texts{R"("pending")", R"("dead")", R"("sent")"};
  std::optional<notice_state> all;
  for (std::size_t i = 0; i < r.notices.size() && i < states.size(); ++i)
    if (r.notices[i].rule == rule)
      all = all ? std::min(*all, states[i]) : states[i];
  return all ? texts.at(static_cast<std::size_t>(*all)) : "null";
}

/// What is stored of a submission, by versions: the last one is how it is now.
struct stored_version {
  domain::submission_record record;
  const std::vector<messages::notice_state>* notices;
};

/// The version since which an alert has been there without a break.
const stored_version& raised_with(const std::vector<stored_version>& versions, const std::string& rule) {
  auto at = versions.size() - 1;
  const auto has = [&](std::size_t i) {
    const auto& alerts = versions[i].record.alerts;
    return std::any_of(alerts.begin(), alerts.end(), [&](const auto& a) { return a.rule == rule; });
  };
  while (at > 0 && has(at - 1))
    --at;
  return versions[at];
}

void append_amended(std::string& out, const domain::amendment& a) {
  out += R"(,"amended":{"version":)" + std::to_string(a.version) + ",";
  append_member(out, "at", time_text(a.after.stored_us));
  out += ',';
  append_member(out, "who", a.who);
  out += ',';
  append_member(out, "reason", a.reason);
  out += ',';
  append_member(out, "status", domain::status_of(a.after));
  out += '}';
}

/// False when something of it cannot be decoded. What was amended is shown as it is now, and says so.
bool append_submission(std::string& out, const messages::stored_event& event, const domain::submission_record* of,
                       bool with_answers) {
  std::vector<stored_version> versions;
  auto first = domain::decode_submission_event(event.bytes);
  if (!first || (of != nullptr && (first->study != of->study || first->subject != of->subject)))
    return false;
  const auto stored_us = first->stored_us;
  versions.push_back({std::move(*first), &event.notices});
  std::optional<domain::amendment> newest;
  for (const auto& a : event.amendments) {
    auto next = domain::decode_amendment_event(a.bytes);
    if (!next)
      return false;
    versions.push_back({next->after, &a.notices});
    newest = std::move(*next);
  }
  const auto& r = versions.back().record;
  out += '{';
  append_member(out, "receipt", domain::to_text(r.id));
  out += ',';
  append_member(out, "form", r.form);
  out += ',';
  append_member(out, "version", r.version);
  out += R"(,"authored":)";
  if (r.authored.empty())
    out += "null";
  else
    append_json_string(out, r.authored);
  out += ',';
  append_member(out, "stored", time_text(stored_us));
  out += R"(,"scores":)";
  out += scores_json(r.scores);
  out += R"(,"alerts":[)";
  for (std::size_t i = 0; i < r.alerts.size(); ++i) {
    out += i == 0 ? "{" : ",{";
    append_member(out, "rule", r.alerts[i].rule);
    out += ',';
    const auto& since = raised_with(versions, r.alerts[i].rule);
    append_member(out, "raised", time_text(since.record.stored_us));
    out += R"(,"notice":)";
    out += notice_json(since.record, *since.notices, r.alerts[i].rule);
    out += '}';
  }
  out += ']';
  if (newest)
    append_amended(out, *newest);
  if (with_answers) {
    out += R"(,"answers":)";
    out += domain::json_from_msgpack(r.answers);
  }
  out += '}';
  return true;
}

} // namespace

std::string scores_json(const std::vector<domain::score>& scores) {
  std::string out = "[";
  for (const auto& s : scores) {
    if (out.size() > 1)
      out += ',';
    out += '{';
    append_member(out, "name", s.name);
    out += R"(,"value":)";
    domain::append_json_number(out, s.value);
    out += ',';
    append_member(out, "label", s.label);
    out += '}';
  }
  out += ']';
  return out;
}

std::string results_text(const std::vector<domain::score>& scores, const std::vector<domain::problem>& warnings) {
  auto out = R"("scores":)" + scores_json(scores);
  if (!warnings.empty()) {
    out += R"(,"warnings":)";
    append_problems(out, warnings);
  }
  return out;
}

std::string stored_text(const domain::receipt& id, std::string_view results) {
  return receipt_text("stored", id, results);
}

std::string repeat_text(const domain::receipt& id, std::string_view results) {
  return receipt_text("stored before under this key", id, results);
}

std::string conflict_text(const domain::receipt& id) {
  return R"({"error":"this key was used before with other content; nothing was stored. Send new answers under a new key.","receipt":")" +
         domain::to_text(id) + "\"}";
}

std::string error_text(std::string_view sentence) {
  std::string out = "{";
  append_member(out, "error", sentence);
  out += '}';
  return out;
}

std::string problems_text(const std::vector<domain::problem>& problems) {
  std::string out = R"({"error":"the answers do not fit the form; nothing was stored","problems":)";
  append_problems(out, problems);
  out += '}';
  return out;
}

std::string set_aside_text(const domain::receipt& id) {
  return R"({"error":"these answers could not be checked and were set aside for the study team; do not send them again","problems":)"
         R"([{"linkId":null,"code":"set-aside","message":"checking this submission failed repeatedly","allowed":[]}],"receipt":")" +
         domain::to_text(id) + "\"}";
}

std::string unavailable_text(std::string_view sentence, messages::outcome known) {
  std::string out = "{";
  append_member(out, "error", sentence);
  out += known == messages::outcome::not_stored ? R"(,"outcome":"not_stored"})" : R"(,"outcome":"unknown"})";
  return out;
}

std::string history_text(const messages::read_request& request, const std::string& site,
                         const std::vector<messages::stored_event>& events, std::string out) {
  out += '{';
  append_member(out, "patientId", request.subject);
  out += R"(,"site":)";
  if (site.empty())
    out += "null";
  else
    append_json_string(out, site);
  out += R"(,"submissions":[)";
  const auto shown = std::min<std::size_t>(events.size(), request.limit);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i != 0)
      out += ',';
    if (!append_submission(out, events[i], nullptr, false))
      return {};
  }
  out += R"(],"next":)";
  if (events.size() > shown && shown > 0)
    append_json_string(out, std::to_string(events[shown - 1].seq));
  else
    out += "null";
  out += '}';
  return out;
}

std::string submission_text(const messages::read_request& request, const messages::stored_event& event, std::string out) {
  domain::submission_record of;
  of.study = request.study;
  of.subject = request.subject;
  return append_submission(out, event, &of, true) ? std::move(out) : std::string{};
}

} // namespace epione::actors
