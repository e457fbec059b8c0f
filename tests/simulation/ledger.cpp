#include "tests/simulation/ledger.hpp"

#include <algorithm>
#include <utility>

namespace epione::simulation {

using messages::ticket;
using nlohmann::json;

std::string_view to_string(fate x) {
  switch (x) {
    case fate::open: return "open";
    case fate::lost: return "lost";
    case fate::stored: return "stored";
    case fate::repeated: return "repeated";
    case fate::conflict: return "conflict";
    case fate::refused: return "refused";
    case fate::not_found: return "not found";
    case fate::not_stored: return "not stored";
    case fate::unknown: return "unknown";
  }
  return "?";
}

bool possibly_stored(fate how) {
  return how == fate::open || how == fate::lost || how == fate::stored || how == fate::repeated || how == fate::unknown;
}

namespace {

/// Text member, empty when it is missing or something else.
std::string text_of(const json& object, const char* member) {
  const auto found = object.is_object() ? object.find(member) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

bool is_receipt(const std::string& text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool scores_fit(const form_content& c, const json& scores) {
  return scores.is_array() && scores.size() == 1 && text_of(scores[0], "name") == "total" && scores[0].contains("value") &&
         scores[0]["value"] == c.total && text_of(scores[0], "label") == c.label;
}

bool contains(const std::vector<content_ptr>& list, const content_ptr& what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

} // namespace

bool fits(const form_content& c, const json& item) {
  if (!item.contains("scores") || !item.contains("alerts") || !item["alerts"].is_array())
    return false;
  std::vector<std::string> rules;
  for (const auto& a : item["alerts"])
    rules.push_back(text_of(a, "rule"));
  std::sort(rules.begin(), rules.end());
  return text_of(item, "form") == c.form && text_of(item, "authored") == c.authored && scores_fit(c, item["scores"]) &&
         rules == c.alerts;
}

// ---- what phones do ----------------------------------------------------------------------------------------------------------

subject_record& ledger::subject(std::string id, bool enrolled) {
  auto& s = subjects_.emplace_back();
  s.id = std::move(id);
  s.enrolled = enrolled;
  return s;
}

key_record& ledger::new_key(subject_record& s, std::string key) {
  auto& k = s.keys.emplace_back();
  k.subject = &s;
  k.key = std::move(key);
  return k;
}

ticket ledger::enter(request r) {
  r.sent_ns = *now_ns_;
  const auto t = next_ticket_++;
  open_.emplace(t, std::move(r));
  return t;
}

ticket ledger::submission_sent(key_record& k, content_ptr what, std::size_t node) {
  request q;
  q.node = node;
  q.key = &k;
  q.attempt = k.attempts.size();
  q.is_submission = true;
  q.operation = k.subject->operations.submission_sent(k.key, what, what->valid && k.subject->enrolled, *now_ns_);
  const auto t = enter(std::move(q));
  ++counts_.sent;
  k.subject->by_authored.emplace(what->authored, &k);
  k.attempts.push_back({t, std::move(what), fate::open, k.acknowledged, k.subject->id == poisoned_});
  return t;
}

reading_ptr ledger::begin_reading(subject_record& s) {
  auto r = std::make_shared<reading>();
  r->subject = &s;
  r->must_show = s.settled.size();
  r->must_begin = s.history.size();
  return r;
}

ticket ledger::page_asked(const reading_ptr& r, std::size_t node) {
  if (r->items.empty())
    r->operation = r->subject->operations.history_asked(*now_ns_);
  request q;
  q.node = node;
  q.page = r;
  q.operation = r->operation;
  return enter(std::move(q));
}

ticket ledger::detail_asked(key_record& k, std::size_t node) {
  request q;
  q.node = node;
  q.key = &k;
  q.was_settled = k.settled;
  q.operation = k.subject->operations.one_asked(k.key, *now_ns_);
  return enter(std::move(q));
}

void ledger::node_gone(std::size_t node) {
  std::erase_if(open_, [&](auto& x) {
    auto& q = x.second;
    if (q.node != node)
      return false;
    ++counts_.lost;
    if (q.is_submission)
      q.key->attempts[q.attempt].how = fate::lost;
    return true;
  });
}

std::int64_t ledger::oldest_open_ns(std::size_t node, std::int64_t none) const {
  const auto found = std::find_if(open_.begin(), open_.end(), [node](const auto& x) { return x.second.node == node; });
  return found == open_.end() ? none : found->second.sent_ns;
}

std::size_t ledger::open_count(std::size_t node) const {
  return static_cast<std::size_t>(
      std::count_if(open_.begin(), open_.end(), [node](const auto& x) { return x.second.node == node; }));
}

void ledger::poisoned(std::string_view subject) {
  poisoned_ = subject;
  for (auto& [t, q] : open_)
    if (q.is_submission && q.key->subject->id == poisoned_)
      q.key->attempts[q.attempt].poisoned = true;
}

void ledger::violation(std::string what) {
  trace_.line("VIOLATION " + what);
  violations_.push_back(std::move(what));
}

std::string ledger::name(const key_record& k) const {
  return "patient " + k.subject->id + " key " + k.key;
}

// ---- what they are answered --------------------------------------------------------------------------------------------------

fate ledger::answered(const messages::reply& r) {
  auto found = open_.find(r.to);
  if (found == open_.end()) {
    violation("request " + std::to_string(r.to) +
              " got a second answer, or one after its node was gone: " + std::to_string(r.status));
    return fate::unknown;
  }
  auto q = std::move(found->second);
  open_.erase(found);
  const auto body = json::parse(r.body, nullptr, false);
  if (!body.is_object()) {
    violation("request " + std::to_string(r.to) + " got a body that is no JSON object, status " + std::to_string(r.status));
    return fate::unknown;
  }
  take_down(q, r, body);
  if (q.is_submission)
    return submission_answered(q, r, body);
  return q.page != nullptr ? page_answered(q, r, body) : detail_answered(q, r, body);
}

/// For check_order(), from the answer itself: what else is made of it here does not matter there.
void ledger::take_down(const request& q, const messages::reply& r, const json& body) {
  auto& operations = (q.page != nullptr ? q.page->subject : q.key->subject)->operations;
  if (q.is_submission)
    operations.submission_answered(q.operation, r.status, text_of(body, "outcome"), sends_again_, *now_ns_);
  else if (q.page == nullptr && (r.status == 200 || r.status == 404))
    operations.one_answered(q.operation, r.status, body, *now_ns_);
  else if (const auto items = body.find("submissions");
           q.page != nullptr && r.status == 200 && items != body.end() && items->is_array())
    operations.page_answered(q.operation, *items, text_of(body, "next").empty(), *now_ns_);
}

fate ledger::unavailable(const messages::reply& r, const json& body, const std::string& who) {
  if (r.retry_after_s == 0)
    violation(who + ": 503 without Retry-After");
  const auto outcome = text_of(body, "outcome");
  if (outcome != "not_stored" && outcome != "unknown")
    violation(who + ": 503 with outcome '" + outcome + "'");
  return outcome == "not_stored" ? fate::not_stored : fate::unknown;
}

fate ledger::submission_answered(request& q, const messages::reply& r, const json& body) {
  auto& k = *q.key;
  auto& a = k.attempts[q.attempt];
  const auto may_have_stored = [&](auto&& which) {
    return std::any_of(k.attempts.begin(), k.attempts.end(),
                       [&](const attempt& other) { return &other != &a && possibly_stored(other.how) && which(other); });
  };
  switch (r.status) {
    case 202:
      if (k.given_202)
        violation(name(k) + ": 202 for the second time");
      else if (sends_again_ ? a.after_acknowledgement : k.acknowledged) // two at once may be answered through two nodes
        violation(name(k) + ": 202 after 200");
      k.given_202 = true;
      acknowledge(k, a, body);
      ++counts_.acknowledged;
      a.how = fate::stored;
      break;
    case 200:
      if (!sends_again_ && !may_have_stored([&](const attempt& other) { return other.what == a.what; }))
        violation(name(k) + ": 200 although no other request can have stored this content");
      if (!k.acknowledged)
        ++counts_.acknowledged;
      ++counts_.repeats;
      acknowledge(k, a, body);
      a.how = fate::repeated;
      break;
    case 409:
      if (k.held == a.what)
        violation(name(k) + ": 409 for the content that is stored");
      else if (k.held == nullptr && !may_have_stored([&](const attempt& other) {
                 return other.what != a.what && other.what->valid && !contains(k.excluded, other.what);
               }))
        violation(name(k) + ": 409 although no other content can be stored");
      if (same_receipt(k, body) && !contains(k.excluded, a.what))
        k.excluded.push_back(a.what);
      ++counts_.conflicts;
      a.how = fate::conflict;
      break;
    case 422:
      if (a.after_acknowledgement)
        violation(name(k) + ": 422 under a key that had been acknowledged");
      else if (!body.contains("problems") || !body["problems"].is_array() || body["problems"].empty())
        violation(name(k) + ": 422 without problems");
      else if (a.what->valid && !may_be_set_aside(k, a, body))
        violation(name(k) + ": a valid form was refused");
      ++counts_.refused;
      a.how = fate::refused;
      break;
    case 404:
      if (k.subject->enrolled)
        violation(name(k) + ": 404 for an enrolled subject");
      ++counts_.not_found;
      a.how = fate::not_found;
      break;
    case 503:
      a.how = unavailable(r, body, name(k));
      ++(a.how == fate::not_stored ? counts_.not_stored : counts_.unknown);
      break;
    default: violation(name(k) + ": answered " + std::to_string(r.status)); a.how = fate::unknown;
  }
  return a.how;
}

/// A valid form may only be set aside if it, under this key, can have crashed validators.
bool ledger::may_be_set_aside(const key_record& k, const attempt& a, const json& body) const {
  return text_of(body["problems"][0], "code") == "set-aside" &&
         std::any_of(k.attempts.begin(), k.attempts.end(),
                     [&](const attempt& other) { return other.what == a.what && other.poisoned; });
}

/// False when the receipt is not the one that was given before for the key.
bool ledger::same_receipt(key_record& k, const json& body) {
  const auto receipt = text_of(body, "receipt");
  if (!is_receipt(receipt)) {
    violation(name(k) + ": no receipt in the answer");
    return false;
  }
  if (!k.receipt.empty() && k.receipt != receipt) {
    violation(name(k) + ": receipt " + receipt + " after " + k.receipt);
    return false;
  }
  k.receipt = receipt;
  return true;
}

void ledger::acknowledge(key_record& k, attempt& a, const json& body) {
  same_receipt(k, body);
  if (!a.what->valid || !k.subject->enrolled)
    violation(name(k) + ": what must be refused was acknowledged");
  if (k.held != nullptr && k.held != a.what)
    violation(name(k) + ": acknowledged, but another content is stored");
  if (contains(k.excluded, a.what))
    violation(name(k) + ": acknowledged after 409 for the same content");
  if (text_of(body, "status") != "stored" || !body.contains("scores") || !scores_fit(*a.what, body["scores"]))
    violation(name(k) + ": acknowledged with scores that are not those of its answers");
  k.held = a.what;
  k.acknowledged = true;
  settle(k);
}

void ledger::settle(key_record& k) {
  if (k.settled)
    return;
  k.settled = true;
  k.subject->settled.push_back(&k);
}

// ---- reads -------------------------------------------------------------------------------------------------------------------

fate ledger::page_answered(request& q, const messages::reply& r, const json& body) {
  auto& reading = *q.page;
  const auto who = "history of patient " + reading.subject->id;
  if (r.status == 503)
    return unavailable(r, body, who);
  if (r.status == 404) {
    if (reading.subject->enrolled)
      violation(who + ": 404");
    return fate::not_found;
  }
  if (r.status != 200 || text_of(body, "patientId") != reading.subject->id || !body.contains("submissions") ||
      !body["submissions"].is_array() || !body.contains("next")) {
    violation(who + ": answered " + std::to_string(r.status) + " without being a history");
    return fate::unknown;
  }
  for (const auto& item : body["submissions"])
    reading.items.push_back(item);
  reading.next = text_of(body, "next");
  if (body["next"].is_null()) {
    reading.complete = true;
    ++counts_.readings;
    check_reading(reading);
  } else if (reading.next.empty() || body["submissions"].empty()) {
    violation(who + ": a page that leads nowhere");
  }
  return fate::stored;
}

void ledger::check_reading(reading& r) {
  auto& s = *r.subject;
  const auto who = "history of patient " + s.id;
  std::vector<key_record*> seen;
  for (auto item = r.items.rbegin(); item != r.items.rend(); ++item) {
    auto* k = match(s, *item);
    if (k == nullptr)
      return;
    if (std::find(seen.begin(), seen.end(), k) != seen.end())
      return violation(name(*k) + ": there twice");
    seen.push_back(k);
  }
  for (std::size_t i = 0; i < r.must_show; ++i)
    if (std::find(seen.begin(), seen.end(), s.settled[i]) == seen.end())
      return violation(name(*s.settled[i]) + (s.settled[i]->acknowledged ? ": acknowledged, and not in the history"
                                                                         : ": seen before, and not in the history any more"));
  if (seen.size() < r.must_begin)
    return violation(who + ": shorter than a read before showed it");
  if (!std::equal(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(std::min(seen.size(), s.history.size())),
                  s.history.begin()))
    return violation(who + ": in another order than before");
  if (seen.size() > s.history.size())
    s.history = std::move(seen);
}

/// Which key a stored submission belongs to; null, and a violation, when it cannot be there.
key_record* ledger::match(subject_record& s, const json& item) {
  const auto who = "history of patient " + s.id;
  const auto found = s.by_authored.find(text_of(item, "authored"));
  if (found == s.by_authored.end()) {
    violation(who + ": shows what nobody sent");
    return nullptr;
  }
  auto& k = *found->second;
  if (!same_receipt(k, item))
    return nullptr;
  std::vector<content_ptr> candidates;
  for (const auto& a : k.attempts)
    if (possibly_stored(a.how) && a.what->valid && !contains(k.excluded, a.what) && !contains(candidates, a.what) &&
        fits(*a.what, item))
      candidates.push_back(a.what);
  if (k.held != nullptr ? !contains(candidates, k.held) : candidates.empty()) {
    std::string fates;
    for (const auto& a : k.attempts)
      fates.append(fates.empty() ? "" : ", ").append(to_string(a.how));
    violation(name(k) + ": stored, and not as it was sent or answered (" + fates + ")");
    return nullptr;
  }
  if (k.held == nullptr && candidates.size() == 1)
    k.held = candidates.front();
  const auto stored_at = text_of(item, "stored");
  if (stored_at.empty() || (!k.stored_at.empty() && k.stored_at != stored_at)) {
    violation(name(k) + ": the time it was stored at has changed");
    return nullptr;
  }
  k.stored_at = stored_at;
  settle(k);
  return &k;
}

fate ledger::detail_answered(request& q, const messages::reply& r, const json& body) {
  auto& k = *q.key;
  if (r.status == 503)
    return unavailable(r, body, name(k));
  if (r.status == 404) {
    if (q.was_settled)
      violation(name(k) + ": acknowledged or seen, and not to be read by its receipt");
    return fate::not_found;
  }
  ++counts_.details;
  if (r.status != 200 || !body.contains("answers")) {
    violation(name(k) + ": read by its receipt, answered " + std::to_string(r.status));
    return fate::unknown;
  }
  if (match(*k.subject, body) != &k) {
    if (violations_.empty())
      violation(name(k) + ": another submission was read by its receipt");
    return fate::unknown;
  }
  std::vector<content_ptr> same;
  for (const auto& a : k.attempts)
    if (possibly_stored(a.how) && !contains(k.excluded, a.what) && a.what->stored == body["answers"] && fits(*a.what, body) &&
        !contains(same, a.what))
      same.push_back(a.what);
  if (k.held != nullptr ? !contains(same, k.held) : same.empty())
    violation(name(k) + ": its answers are not those that were sent");
  else if (same.size() == 1) // two may differ only in how choices were written
    k.held = same.front();
  return fate::stored;
}

// ---- order of all operations -------------------------------------------------------------------------------------------------

void ledger::check_order() {
  for (const auto& s : subjects_) {
    const auto verdict = s.operations.judge();
    if (verdict.is == order::impossible) {
      std::string which;
      for (const auto n : verdict.involved)
        which += (which.empty() ? "" : "; ") + s.operations.describe(n, trace_.start_ns());
      return violation("patient " + s.id +
                       ": no order of its requests fits their answers: " + which); // one is enough to look into
    }
    (verdict.is == order::exists ? counts_.ordered : counts_.undecided) += s.operations.size();
  }
}

} // namespace epione::simulation
