#include "tests/simulation/post_office.hpp"

#include "domain/ids.hpp"

#include <algorithm>

namespace epione::simulation {

namespace {

std::string text_of(const std::tuple<std::string, std::string, std::string>& x) {
  return "patient " + std::get<0>(x) + " receipt " + std::get<1>(x) + " rule " + std::get<2>(x);
}

std::string receipt_of(const key_record& k) {
  return to_text(domain::make_receipt("demo", k.subject->id, k.key));
}

} // namespace

std::optional<messages::notice_outcome> post_office::take(const messages::notice& n) {
  const auto key = std::to_string(n.key.shard) + "-" + std::to_string(n.key.seq) + "-" + std::to_string(n.key.number);
  const told what{n.subject, to_text(n.id), n.rule};
  const auto [known, is_new] = keys_.emplace(n.key, what);
  if (known->second != what)
    book_.violation("notice " + key + " was " + text_of(known->second) + " and is now " + text_of(what));
  if (n.study != "demo" || n.channel != "doctor" || n.recipient != "investigators" || !n.urgent || n.site.empty())
    book_.violation("notice " + key + " is not one of the demo study's route");
  if (away_ || (slow_ && luck_.share(0.2))) {
    trace_.line("notice " + key + " waits");
    return std::nullopt;
  }
  ++deliveries_;
  delivered_.insert(what);
  missing_.erase(what);
  trace_.line("told " + key + " " + text_of(what));
  if (slow_ && luck_.share(0.05)) // it was delivered, and nobody will say so
    return std::nullopt;
  return messages::notice_outcome{n.key, true, "", n.raised_us};
}

void post_office::expect_all() {
  for (auto& s : book_.subjects())
    for (const auto& k : s.keys)
      if (k.acknowledged && k.held != nullptr)
        for (const auto& rule : k.held->alerts)
          if (const told what{s.id, receipt_of(k), rule}; delivered_.count(what) == 0)
            missing_.insert(what);
}

std::string post_office::first_missing() const {
  return missing_.empty() ? "nobody" : text_of(*missing_.begin());
}

void post_office::check() const {
  std::map<std::string, const key_record*> by_receipt;
  for (auto& s : book_.subjects())
    for (const auto& k : s.keys)
      by_receipt[receipt_of(k)] = &k;
  for (const auto& what : delivered_) {
    const auto& [subject, receipt, rule] = what;
    const auto found = by_receipt.find(receipt);
    if (found == by_receipt.end() || found->second->subject->id != subject) {
      book_.violation("a notice was sent of what nobody submitted: " + text_of(what));
      continue;
    }
    const auto& k = *found->second;
    const auto raises = [&, &r = rule](const content_ptr& c) {
      return std::find(c->alerts.begin(), c->alerts.end(), r) != c->alerts.end();
    };
    const bool fitting =
        k.held != nullptr ? raises(k.held) : std::any_of(k.attempts.begin(), k.attempts.end(), [&](const attempt& a) {
          return possibly_stored(a.how) && raises(a.what);
        });
    if (!fitting)
      book_.violation("a notice was sent of an alert that nothing raised: " + text_of(what));
  }
}

} // namespace epione::simulation
