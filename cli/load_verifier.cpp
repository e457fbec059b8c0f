#include "cli/load_verifier.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <tuple>

namespace epione::cli {

namespace {

using nlohmann::json;

constexpr std::size_t examples_max = 20;
constexpr std::uint32_t page_size = 100;

std::string text_of(const json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

bool same_answer(const json& value, std::uint8_t ordinal) {
  if (value.is_number())
    return value == ordinal;
  return value.is_string() && value.get_ref<const std::string&>() == answer_code(ordinal);
}

/// Answers, the total and whether there is an alert.
bool same_content(const json& stored, const load_answers& sent) {
  const auto answers = stored.find("answers");
  if (text_of(stored, "form") != form_name(sent.form) || answers == stored.end() || !answers->is_object() ||
      answers->size() != sent.items)
    return false;
  for (std::uint32_t i = 0; i < sent.items; ++i) {
    const auto at = answers->find("q" + std::to_string(i + 1));
    if (at == answers->end() || !same_answer(*at, sent.values[i]))
      return false;
  }
  const auto scores = stored.find("scores");
  if (scores == stored.end() || !scores->is_array() || scores->empty() || scores->front().value("value", -1.0) != sent.total())
    return false;
  const auto alerts = stored.find("alerts");
  return alerts != stored.end() && alerts->is_array() && alerts->empty() != sent.alerts();
}

bool is_sampled(std::uint64_t subject, std::uint32_t ppm) {
  return (subject * 0x9E3779B97F4A7C15u >> 32) % 1'000'000 < ppm;
}

} // namespace

load_verifier::load_verifier(const load_ledger& ledger, verify_options options, std::string host)
    : ledger_(ledger), options_(std::move(options)), host_(std::move(host)) {
  for (const auto& run : ledger.runs())
    prefixes_.push_back(authored_prefix(run));
  for (std::uint64_t i = 0; i < ledger.size(); ++i) {
    const auto record = ledger[i];
    const auto subject = subject_of(ledger.runs()[record.run], record.counter);
    if (is_sampled(subject, options_.sample_ppm))
      items_.push_back({subject, record.run, static_cast<std::uint32_t>(record.counter), static_cast<std::uint32_t>(i)});
  }
  std::sort(items_.begin(), items_.end(), [](const item& a, const item& b) {
    return std::tie(a.subject, a.run, a.counter) < std::tie(b.subject, b.run, b.counter);
  });
}

tl::expected<verify_result, std::string> load_verifier::run(http_endpoint_address where, http_client::finder find, int stop,
                                                            const std::function<void(const verify_result&)>& tell) {
  readers_.assign(options_.connections, {});
  auto client = http_client::open(*this, std::move(where), options_.connections, options_.answer_limit_ns, std::move(find));
  if (!client)
    return tl::make_unexpected(client.error());
  client_ = client->get();
  client_->watch(stop);
  const auto start = steady_ns();
  auto next_tell = start + second_ns;
  auto now = start;
  for (; working_ > 0 || next_item_ < items_.size(); now = steady_ns()) {
    pollfd stopped{stop, POLLIN, 0};
    if (stop >= 0 && ::poll(&stopped, 1, 0) > 0) {
      result_.interrupted = true;
      break;
    }
    if (client_->gone_for_ns(now) > options_.give_up_ns) {
      result_.unreachable = true;
      break;
    }
    if (now >= next_tell) {
      result_.seconds = static_cast<double>(now - start) / 1e9;
      if (tell)
        tell(result_);
      next_tell += second_ns;
    }
    client_->poll(next_tell);
  }
  result_.seconds = static_cast<double>(now - start) / 1e9;
  return result_;
}

bool load_verifier::take_patient(reader& r) {
  if (next_item_ >= items_.size())
    return false;
  r.first = next_item_;
  while (next_item_ < items_.size() && items_[next_item_].subject == items_[r.first].subject)
    ++next_item_;
  r.last = next_item_;
  r.working = r.listing = true;
  r.before.clear();
  r.found.clear();
  r.next = 0;
  r.attempts = 0;
  ++working_;
  return true;
}

std::string_view load_verifier::request(std::uint32_t connection) {
  auto& r = readers_[connection];
  if (!r.working && !take_patient(r))
    return {};
  ++r.attempts;
  request_.assign("GET /patient/").append(std::to_string(items_[r.first].subject));
  if (r.listing) {
    request_.append("?limit=").append(std::to_string(page_size));
    if (!r.before.empty())
      request_.append("&before=").append(r.before);
  } else {
    request_.append("/submissions/").append(r.found[r.next].receipt);
  }
  if (!options_.study.empty())
    request_.append(r.listing ? "&study=" : "?study=").append(options_.study);
  request_.append(" HTTP/1.1\r\nHost: ").append(host_).append("\r\n\r\n");
  return request_;
}

void load_verifier::lost(std::uint32_t connection) {
  auto& r = readers_[connection];
  if (r.attempts >= options_.attempts_max)
    give_up(r);
}

void load_verifier::give_up(reader& r) {
  ++result_.unread;
  r.working = false;
  --working_;
}

void load_verifier::response(std::uint32_t connection, const http_response& response) {
  auto& r = readers_[connection];
  // 404 is an answer: the patient has nothing, or has not this one.
  if (response.status != 200 && response.status != 404) {
    if (r.attempts >= options_.attempts_max || (response.status >= 400 && response.status < 500))
      return give_up(r);
    return client_->delay(connection, steady_ns() + std::max<std::int64_t>(1, response.retry_after_s) * second_ns);
  }
  r.attempts = 0;
  if (r.listing) {
    take_page(r, response.status == 200 ? response.body : std::string_view{R"({"submissions":[],"next":null})"});
    if (!r.working || r.listing)
      return;
    check_list(r);
  } else {
    take_submission(r, response);
    ++r.next;
  }
  if (r.next == r.found.size()) {
    ++result_.patients;
    r.working = false;
    --working_;
  }
}

void load_verifier::take_page(reader& r, std::string_view body) {
  const auto page = json::parse(body, nullptr, false);
  if (!page.is_object() || !page.contains("submissions") || !page["submissions"].is_array())
    return give_up(r);
  for (const auto& entry : page["submissions"]) {
    const auto authored = text_of(entry, "authored");
    for (std::uint32_t run = 0; run < prefixes_.size(); ++run) {
      const auto& prefix = prefixes_[run];
      std::uint32_t counter = 0;
      if (!authored.starts_with(prefix))
        continue;
      const auto* digits = authored.data() + prefix.size();
      if (std::from_chars(digits, authored.data() + authored.size(), counter).ec == std::errc{} &&
          authored == authored_of(ledger_.runs()[run], counter))
        r.found.push_back({run, counter, text_of(entry, "receipt")});
    }
  }
  const auto next = page.find("next");
  if (next == page.end() || next->is_null()) {
    r.listing = false;
    return;
  }
  auto cursor = next->is_string() ? next->get<std::string>() : next->dump();
  if (cursor == r.before) // no way forward: the list would never end
    return give_up(r);
  r.before = std::move(cursor);
}

const load_verifier::item* load_verifier::find(const reader& r, std::uint32_t run, std::uint32_t counter) const {
  const auto from = items_.begin() + static_cast<std::ptrdiff_t>(r.first);
  const auto to = items_.begin() + static_cast<std::ptrdiff_t>(r.last);
  const auto at = std::lower_bound(from, to, std::pair{run, counter},
                                   [](const item& a, const auto& wanted) { return std::pair{a.run, a.counter} < wanted; });
  return at != to && at->run == run && at->counter == counter ? &*at : nullptr;
}

void load_verifier::problem(std::uint64_t& count, const char* what, std::uint32_t run, std::uint64_t counter,
                            std::string_view receipt) {
  ++count;
  if (result_.examples.size() < examples_max)
    result_.examples.push_back(std::string{what} + ": run " + std::to_string(run) + ", submission " + std::to_string(counter) +
                               ", patient " + std::to_string(subject_of(ledger_.runs()[run], counter)) + ", receipt " +
                               std::string{receipt});
}

void load_verifier::check_list(reader& r) {
  std::vector<std::uint32_t> listed(r.last - r.first, 0);
  for (std::size_t i = 0; i < r.found.size(); ++i) {
    const auto& f = r.found[i];
    const auto* known = find(r, f.run, f.counter);
    if (known == nullptr) { // sent, and never answered to our knowledge
      ++result_.unknown_present;
      for (std::size_t j = 0; j < i; ++j)
        if (r.found[j].run == f.run && r.found[j].counter == f.counter)
          problem(result_.duplicated, "listed twice", f.run, f.counter, f.receipt);
      continue;
    }
    const auto record = ledger_[known->record];
    if (++listed[static_cast<std::size_t>(known - &items_[r.first])] > 1)
      problem(result_.duplicated, "listed twice", f.run, f.counter, f.receipt);
    else if (record.outcome == load_outcome::unknown)
      ++result_.unknown_present;
    else if (record.outcome == load_outcome::refused)
      problem(result_.refused_present, "refused, and there", f.run, f.counter, f.receipt);
    else if (domain::to_text(record.id) != f.receipt)
      problem(result_.different, "another receipt than was acknowledged", f.run, f.counter, f.receipt);
    else
      ++result_.found;
  }
  for (auto i = r.first; i < r.last; ++i) {
    const auto record = ledger_[items_[i].record];
    if (record.outcome != load_outcome::acknowledged)
      continue;
    ++result_.acknowledged;
    if (listed[i - r.first] == 0)
      problem(result_.missing, "acknowledged, and not there", record.run, record.counter, domain::to_text(record.id));
  }
}

void load_verifier::take_submission(reader& r, const http_response& response) {
  const auto& f = r.found[r.next];
  const auto& plan = ledger_.runs()[f.run];
  const auto stored = json::parse(response.body, nullptr, false);
  ++result_.compared;
  if (response.status != 200 || !stored.is_object() || text_of(stored, "receipt") != f.receipt ||
      subject_of(plan, f.counter) != items_[r.first].subject || text_of(stored, "authored") != authored_of(plan, f.counter) ||
      !same_content(stored, answers_of(plan, f.counter)))
    problem(result_.different, response.status == 200 ? "not as it was sent" : "listed, and not readable", f.run, f.counter,
            f.receipt);
}

} // namespace epione::cli
