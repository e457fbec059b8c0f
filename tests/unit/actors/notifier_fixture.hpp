// A notifier with a channel that does what the test says, a clock that moves only when told, and somebody who hears the outcomes.
#pragma once

#include "actors/notifier.hpp"
#include "domain/ids.hpp"
#include "runtime/notice_text.hpp"
#include "tests/unit/actors/actor_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace epione::actors::test {

using namespace messages;

/// What the channel was given, and what it answers.
struct scripted_channel final : runtime::channel {
  struct script {
    std::vector<outgoing> messages;
    std::function<send_result(const outgoing&)> answer = [](const outgoing&) { return sent(); };
  };
  explicit scripted_channel(script& s) : what(s) {}
  send_result send(const outgoing& m) override {
    what.messages.push_back(m);
    return what.answer(m);
  }
  script& what;
};

struct outcome_state {
  outcome_state() = default;
  static inline const char* name = "client";
};

struct notifier_fixture : actor_fixture {
  notifier_fixture() {
    options.channel = "doctor";
    options.rate = {1'000'000, 1'000}; // no limit, unless the test sets one
    options.concurrency = 1;
    options.timeout_ms = 30'000;
    options.give_up_after_s = 72 * 3'600;
    options.refused_tries = 3;
    options.retry_ms = 2'000;
    options.retry_ms_max = 600'000;
    options.breaker_failures = 5;
    options.breaker_open_ms = 30'000;
    options.merge_from = 10;
    options.merge_max = 100;
    options.text_bytes_max = 65'536;
    options.make = [this](const runtime::channel_ports&) { return std::make_unique<scripted_channel>(script); };
    for (const auto* id : {"wang", "smith"})
      recipients[id] = {id, "", "en", "UTC", {}, {{"doctor", std::string{id} + "@example.org"}}};
  }
  ~notifier_fixture() {
    if (it != nullptr)
      caf::anon_send_exit(it, caf::exit_reason::kill);
    if (client != nullptr)
      caf::anon_send_exit(client, caf::exit_reason::kill);
    run();
  }

  void start() {
    it = runtime::spawn_actor(
        system, env, notifier, std::string{"notifier doctor"}, options,
        recipient_finder{[this](const std::string&, const std::string& id) -> tl::expected<domain::recipient, recipient_absence> {
          if (!studies_known)
            return tl::unexpected(recipient_absence::not_known_yet);
          const auto found = recipients.find(id);
          if (found == recipients.end())
            return tl::unexpected(recipient_absence::gone);
          return found->second;
        }});
    client = make_client();
    run();
  }

  notice_client make_client() {
    return system.spawn(
        [this](notice_client::stateful_pointer<outcome_state>, caf::unit_t) -> notice_client::behavior_type {
          return {[this](outcome_atom, const notice_outcomes_ptr& all) {
            batches.push_back(all->size());
            for (const auto& o : *all)
              outcomes[o.key].push_back(o);
          }};
        },
        caf::unit);
  }

  notice make(std::uint64_t seq, const std::string& recipient = "wang", bool urgent = true) {
    notice n;
    n.key = {3, seq, 0};
    n.study = "demo";
    n.site = "S1";
    n.subject = std::to_string(seq);
    n.form = "phq-9";
    n.rule = "self-harm";
    n.id = domain::make_receipt("demo", n.subject, "k");
    n.channel = "doctor";
    n.recipient = recipient;
    n.urgent = urgent;
    n.raised_us = clock.wall_us();
    return n;
  }
  void hand_over(notices all) { hand_over(std::move(all), client); }
  void hand_over(notices all, const notice_client& who) {
    caf::anon_send(it, notify_atom::value, std::make_shared<const notices>(std::move(all)), who);
    run();
  }
  notices many(std::uint64_t from, std::uint64_t count, const std::string& recipient = "wang", bool urgent = true) {
    notices all;
    for (auto i = from; i < from + count; ++i)
      all.push_back(make(i, recipient, urgent));
    return all;
  }

  /// Second by second, so that timers armed meanwhile fire as well.
  void pass(std::chrono::milliseconds time, std::chrono::milliseconds step = 1s) {
    for (auto left = time; left > 0ms; left -= step)
      advance(std::min(step, left));
  }

  /// The outcome of a notice; nothing when there is none yet. Never more than one.
  std::optional<notice_outcome> outcome_of(std::uint64_t seq) {
    const auto found = outcomes.find({3, seq, 0});
    if (found == outcomes.end())
      return std::nullopt;
    BOOST_TEST(found->second.size() == 1U, "notice " << seq << " has " << found->second.size() << " outcomes");
    return found->second.front();
  }
  std::size_t sent_notices() {
    std::size_t n = 0;
    for (const auto& [key, all] : outcomes)
      n += all.size() == 1 && all.front().sent ? 1 : 0;
    return n;
  }
  std::string detail(const std::string& name) {
    std::string value;
    self->send(it, status_atom::value);
    run();
    self->receive([&](const status_report_ptr& r) {
      for (const auto& [key, text] : r->details)
        if (key == name)
          value = text;
    });
    return value;
  }

  notifier_options options;
  scripted_channel::script script;
  std::map<std::string, domain::recipient> recipients;
  bool studies_known = true;
  notifying_actor it;
  notice_client client;
  std::map<notice_key, std::vector<notice_outcome>> outcomes;
  std::vector<std::size_t> batches;
};

} // namespace epione::actors::test
