#include "actors/outbox.hpp"

#include "domain/command.hpp"
#include "domain/notice_change.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"
#include "runtime/mutation.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace epione::actors {

using namespace messages;
using caf::make_error;
using runtime::mutated;
using runtime::mutation;
namespace defaults = runtime::defaults;

namespace {

using outbox_pointer = outbox_actor::stateful_pointer<outbox_state>;
using proposal = outbox_state::proposal;
using count_promise = caf::typed_response_promise<std::uint64_t>;
using letters_promise = caf::typed_response_promise<dead_letters_ptr>;

constexpr std::string_view notifier_prefix = "notifier ";
constexpr const char* standard_channel = "log";
constexpr std::chrono::milliseconds read_limit{defaults::notice_read_limit_ms};

struct outbox_metrics {
  prometheus::Gauge &pending, &in_hand, &dead, &oldest;
  prometheus::Counter &sent, &given_up, &again;
};

outbox_metrics make_outbox_metrics(runtime::metrics& m, std::uint32_t shard) {
  const runtime::metric_labels of_shard{{"shard", std::to_string(shard)}};
  return {m.gauge("epione_notices_pending", "Notices that are planned and not sent", of_shard),
          m.gauge("epione_notices_in_hand", "Of them, those that a notifier has", of_shard),
          m.gauge("epione_dead_letters", "Notices that were given up and wait for an operator", of_shard),
          m.gauge("epione_notices_oldest_seconds", "Age of the oldest pending notice", of_shard),
          m.counter("epione_notices_sent_total", "Notices sent, as far as their outcome is stored"),
          m.counter("epione_notices_given_up_total", "Notices that became dead letters"),
          m.counter("epione_notice_outcomes_repeated_total", "Commands of outboxes proposed again")};
}

/// To its limit, and not within a character.
std::string shortened(std::string reason) {
  auto end = defaults::dead_letter_reason_bytes_max;
  if (reason.size() <= end)
    return reason;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0) == 0x80)
    --end;
  reason.resize(end);
  return reason;
}

class outbox_work {
public:
  outbox_work(outbox_pointer self, const runtime::environment& env, outbox_options options)
      : self_(self), state_(self->state), env_(env), options_(std::move(options)),
        name_("outbox " + std::to_string(options_.shard)), metrics_(make_outbox_metrics(env.metrics, options_.shard)) {}

  void start() {
    options_.window.shard = options_.shard;
    state_.window.emplace(options_.window);
    state_.region = env_.directory->get<shard_region_actor>("region " + std::to_string(options_.shard));
    self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    env_.directory->subscribe(runtime::directory_subscriber{self_});
    self_->delayed_send(self_, std::chrono::milliseconds{defaults::outbox_tick_ms}, caf::tick_atom::value);
  }

  // ---- the shard -------------------------------------------------------------------------------------------------------

  void on_serving(std::uint64_t epoch) {
    state_.serving = true;
    state_.epoch = epoch;
    state_.window->start_over();
    ++state_.questions; // an answer to an earlier one counts no more
    state_.reading = false;
    state_.counts_behind = true;
    for (auto& [id, p] : state_.proposals)
      propose(p);
    go_on();
  }

  void on_closed(std::uint64_t epoch) {
    if (epoch >= state_.epoch)
      state_.serving = false;
  }

  void on_applied_more() {
    expect_more();
    go_on();
  }

  void on_applied(const domain::receipt& id) {
    const auto found = state_.proposals.find(id);
    if (found == state_.proposals.end())
      return;
    runtime::fault_point(env_.faults, "outbox.applied");
    const auto done = std::move(found->second);
    state_.proposals.erase(found);
    metrics_.sent.Increment(static_cast<double>(done.sent));
    metrics_.given_up.Increment(static_cast<double>(done.dead));
    if (done.of_operator) {
      state_.window->look_again_behind(just_before(done.keys.front()));
      wish_applied(id, done.keys.size());
    } else {
      for (const auto& key : done.keys)
        state_.window->forget(key);
    }
    expect_more();
    go_on();
  }

  // ---- notifiers -------------------------------------------------------------------------------------------------------

  void on_changed(const std::string& name, const caf::strong_actor_ptr& actor) {
    if (name.compare(0, notifier_prefix.size(), notifier_prefix) != 0)
      return;
    const auto channel = name.substr(notifier_prefix.size());
    lose(channel);
    if (actor == nullptr)
      return;
    auto& notifier = state_.notifiers[channel] = caf::actor_cast<notifier_actor>(actor);
    self_->monitor(notifier);
    hand_over();
  }

  void on_down(const caf::down_msg& down) {
    for (const auto& [channel, notifier] : state_.notifiers)
      if (notifier.address() == down.source)
        return lose(std::string{channel});
  }

  void on_outcomes(const notice_outcomes& outcomes) {
    runtime::fault_point(env_.faults, "outbox.outcome");
    std::uint64_t given_up = 0;
    for (const auto& o : outcomes) {
      const auto what = state_.window->settle(o.key);
      if (!what)
        continue; // it is known already
      state_.outcomes.push_back(o);
      if (!o.sent && ++given_up == 1)
        env_.log.warning(name_, "a notice was given up and is a dead letter",
                         {{"notice", to_text(o.key)}, {"channel", what->channel}, {"why", o.reason}});
    }
    if (given_up > 1)
      env_.log.warning(name_, "so were others", {{"notices", given_up - 1}});
    go_on();
  }

  // ---- operators -------------------------------------------------------------------------------------------------------

  letters_promise on_list(notice_key behind, std::uint32_t limit) {
    auto answer = self_->make_response_promise<dead_letters_ptr>();
    notice_question q;
    q.behind = behind;
    q.behind.shard = options_.shard;
    q.limit = std::min(limit, defaults::letters_list_max);
    ask_letters(
        std::move(q), [answer](const dead_letters_ptr& found) mutable { answer.deliver(found); },
        [answer](const caf::error& why) mutable { answer.deliver(why); });
    return answer;
  }

  count_promise on_request(const letter_request_ptr& request) {
    auto answer = self_->make_response_promise<std::uint64_t>();
    if (!state_.serving) {
      answer.deliver(make_error(ec::not_serving, name_ + ": the shard does not serve just now; nothing was done, try again"));
    } else if (state_.wishes.size() >= defaults::letters_waiting_max) {
      answer.deliver(make_error(ec::not_serving, name_ + ": " + std::to_string(state_.wishes.size()) +
                                                     " such commands are under way; nothing was done, try again"));
    } else {
      outbox_state::wish w;
      w.what = request;
      w.answer = answer;
      w.until_ns = env_.clock.now_ns() + std::int64_t{defaults::letters_limit_ms} * 1'000'000;
      if (request->key)
        w.behind = just_before(*request->key);
      state_.wishes.push_back(std::move(w));
      if (state_.wishes.size() == 1)
        begin_wish_page();
    }
    return answer;
  }

  // ---- everything else -------------------------------------------------------------------------------------------------

  void on_tick() {
    self_->delayed_send(self_, std::chrono::milliseconds{defaults::outbox_tick_ms}, caf::tick_atom::value);
    const auto now = env_.clock.now_ns();
    for (auto& [id, p] : state_.proposals)
      if (state_.serving && now - p.proposed_ns >= std::int64_t{defaults::outcome_repeat_ms} * 1'000'000) {
        metrics_.again.Increment();
        propose(p);
      }
    while (!state_.wishes.empty() && state_.wishes.front().until_ns <= now)
      end_wish(make_error(ec::time_limit, name_ + ": no answer within " + std::to_string(defaults::letters_limit_ms) +
                                              " ms; what was done is unknown, asking again is safe"));
    const auto& w = *state_.window;
    metrics_.pending.Set(static_cast<double>(state_.counts.pending));
    metrics_.dead.Set(static_cast<double>(state_.counts.dead));
    metrics_.in_hand.Set(static_cast<double>(w.in_hand()));
    metrics_.oldest.Set(static_cast<double>(oldest_s()));
    go_on();
    count();
  }

  status_report_ptr status() const {
    const auto& w = *state_.window;
    return std::make_shared<const status_report>(status_report{name_,
                                                               state_.serving ? "serving" : "waiting for its region",
                                                               {{"pending", std::to_string(state_.counts.pending)},
                                                                {"in hand", std::to_string(w.in_hand())},
                                                                {"waiting for a notifier", std::to_string(w.waiting())},
                                                                {"outcomes on their way", std::to_string(w.settled())},
                                                                {"dead", std::to_string(state_.counts.dead)},
                                                                {"oldest", std::to_string(oldest_s()) + " s"}}});
  }

private:
  static notice_key just_before(notice_key key) {
    if (key.number > 0)
      --key.number;
    else if (key.seq > 0)
      key = {key.shard, key.seq - 1, notices_an_event - 1};
    return key;
  }

  std::int64_t oldest_s() const {
    return state_.oldest_us == 0 ? 0 : std::max<std::int64_t>(0, (env_.clock.wall_us() - state_.oldest_us) / 1'000'000);
  }

  /// Whatever can be done next.
  void go_on() {
    propose_outcomes();
    read();
    hand_over();
  }

  // ---- from the store to the notifiers ---------------------------------------------------------------------------------

  void expect_more() {
    state_.window->expect_more();
    state_.counts_behind = true;
  }

  /// Null when none runs.
  store_reader_actor next_reader() {
    for (std::uint32_t i = 0; i < options_.readers; ++i)
      if (auto r = env_.directory->get<store_reader_actor>(
              "reader " + std::to_string((options_.shard + state_.next_reader++) % options_.readers)))
        return r;
    return {};
  }

  void read() {
    if (!state_.serving)
      return;
    const auto reader = next_reader();
    if (reader == nullptr)
      return; // tried again with the next tick
    auto question = state_.window->next_question();
    if (!question)
      return;
    const auto number = ++state_.questions;
    state_.reading = true;
    state_.counts_behind = false;
    self_->request(reader, read_limit, pending_atom::value, std::make_shared<const notice_question>(std::move(*question)))
        .then(
            [this, number](const notice_page_ptr& page) {
              if (number == state_.questions)
                on_page(*page);
            },
            [this, number](const caf::error&) {
              if (number != state_.questions)
                return;
              state_.reading = false;
              state_.counts_behind = true;
              state_.window->read_failed(); // the reader has logged why; asked again with the next tick
            });
  }

  /// A window without room reads nothing, for as long as its recipients cannot be reached: just when an operator looks at counts.
  void count() {
    if (!state_.serving || !state_.counts_behind || state_.reading || state_.counting)
      return;
    const auto reader = next_reader();
    if (reader == nullptr)
      return; // tried again with the next tick
    notice_question no_rows;
    no_rows.behind.shard = options_.shard;
    state_.counting = true;
    state_.counts_behind = false;
    self_->request(reader, read_limit, pending_atom::value, std::make_shared<const notice_question>(std::move(no_rows)))
        .then(
            [this, number = state_.questions](const notice_page_ptr& page) {
              state_.counting = false;
              if (number == state_.questions) // else the window asked meanwhile, and its answer is the newer one
                take_counts(*page);
            },
            [this](const caf::error&) {
              state_.counting = false;
              state_.counts_behind = true;
            });
  }

  void take_counts(const notice_page& page) {
    state_.counts = page.counts;
    state_.oldest_us = page.oldest_us;
  }

  void on_page(const notice_page& page) {
    runtime::fault_point(env_.faults, "outbox.page");
    state_.reading = false;
    take_counts(page);
    state_.window->take(page, [this](const notice& n) {
      return options_.channels.count(n.channel) != 0 ? n.channel : std::string{standard_channel};
    });
    hand_over();
    read();
  }

  void hand_over() {
    if (state_.window->waiting() == 0)
      return;
    for (const auto& [channel, notifier] : state_.notifiers)
      if (auto batch = state_.window->hand_over(channel); !batch.empty()) {
        runtime::fault_point(env_.faults, "outbox.hand");
        if (mutated(mutation::sent_when_handed_over))
          count_as_sent(batch);
        self_->send(notifier, notify_atom::value, std::make_shared<const notices>(std::move(batch)), notice_client{self_});
      }
  }

  void count_as_sent(const notices& batch) {
    notice_outcomes outcomes;
    for (const auto& n : batch)
      outcomes.push_back({n.key, true, "", n.raised_us});
    self_->send(notice_client{self_}, outcome_atom::value, std::make_shared<const notice_outcomes>(std::move(outcomes)));
  }

  void lose(const std::string& channel) {
    state_.notifiers.erase(channel);
    state_.window->lost(channel);
  }

  // ---- from the notifiers into the log ---------------------------------------------------------------------------------

  void propose_outcomes() {
    const auto under_way = [this] {
      return std::count_if(state_.proposals.begin(), state_.proposals.end(), [](const auto& p) { return !p.second.of_operator; });
    };
    // While one is on its way the next one gathers, unless it is full.
    while (state_.serving && !state_.outcomes.empty() && under_way() < std::int64_t{defaults::outcome_commands_max} &&
           (under_way() == 0 || state_.outcomes.size() >= defaults::outcome_batch_max)) {
      runtime::fault_point(env_.faults, "outbox.propose");
      proposal p;
      std::vector<domain::notice_change> changes;
      while (!state_.outcomes.empty() && changes.size() < defaults::outcome_batch_max &&
             p.dead < defaults::outcome_batch_reasons_max) {
        auto& o = state_.outcomes.front();
        ++(o.sent ? p.sent : p.dead);
        p.keys.push_back(o.key);
        changes.push_back({o.key.seq, o.key.number, o.sent ? domain::notice_step::sent : domain::notice_step::dead, o.at_us,
                           shortened(std::move(o.reason))});
        state_.outcomes.pop_front();
      }
      propose_new(std::move(p), "system", changes);
    }
  }

  domain::receipt propose_new(proposal p, const std::string& who, const std::vector<domain::notice_change>& changes,
                              const std::string& reason = {}) {
    auto command = std::make_shared<domain::command>();
    command->type = domain::command_type::notice_changes;
    command->id = next_id();
    command->event = domain::encode_notice_event(env_.clock.wall_us(), who, changes, reason);
    p.command = command;
    propose(state_.proposals.emplace(command->id, std::move(p)).first->second);
    return command->id;
  }

  void propose(proposal& p) {
    p.proposed_ns = env_.clock.now_ns();
    self_->send(state_.region, propose_atom::value, p.command, p.of_operator);
  }

  /// Unlike a submission's receipt it is not stored, and means something to the region and this outbox only.
  domain::receipt next_id() {
    domain::receipt id;
    const std::uint64_t number = ++state_.commands;
    for (std::size_t i = 0; i < 8; ++i)
      id.bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
    const auto mine = self_->id(); // a successor's ids are others
    std::memcpy(id.bytes.data() + 8, &mine, sizeof(mine));
    return id;
  }

  // ---- operators -------------------------------------------------------------------------------------------------------

  template <class Found, class Failed>
  void ask_letters(notice_question q, Found found, Failed failed) {
    const auto reader = next_reader();
    if (reader == nullptr)
      failed(make_error(ec::not_serving, name_ + ": no reader of the store is running; nothing was done, try again"));
    else
      self_->request(reader, read_limit, letters_atom::value, std::make_shared<const notice_question>(std::move(q)))
          .then(std::move(found), std::move(failed));
  }

  void begin_wish_page() {
    auto& w = state_.wishes.front();
    notice_question q;
    q.behind = w.behind;
    q.behind.shard = options_.shard;
    q.limit = w.what->key ? 1 : defaults::outcome_batch_max;
    if (w.what->key)
      q.up_to = *w.what->key;
    ask_letters(
        std::move(q),
        [this, what = w.what](const dead_letters_ptr& found) {
          if (!state_.wishes.empty() && state_.wishes.front().what == what)
            propose_wish(*found);
        },
        [this, what = w.what](const caf::error& why) {
          if (!state_.wishes.empty() && state_.wishes.front().what == what)
            end_wish(why);
        });
  }

  void propose_wish(const dead_letters& letters) {
    auto& w = state_.wishes.front();
    if (w.what->key && (letters.empty() || letters.front().what.key != *w.what->key))
      return end_wish(make_error(ec::not_found, "there is no dead letter " + to_text(*w.what->key)));
    if (letters.empty())
      return end_wish({});
    proposal p;
    p.of_operator = true;
    std::vector<domain::notice_change> changes;
    const auto step = w.what->wish == letter_wish::retry ? domain::notice_step::retried : domain::notice_step::dropped;
    for (const auto& letter : letters) {
      p.keys.push_back(letter.what.key);
      changes.push_back({letter.what.key.seq, letter.what.key.number, step, env_.clock.wall_us(), {}});
    }
    w.behind = p.keys.back();
    w.command = propose_new(std::move(p), w.what->who, changes, w.what->reason);
    w.proposed = true;
  }

  void wish_applied(const domain::receipt& id, std::size_t letters) {
    if (state_.wishes.empty() || !state_.wishes.front().proposed || state_.wishes.front().command != id)
      return; // it was answered with a time limit
    auto& w = state_.wishes.front();
    w.done += letters;
    w.proposed = false;
    if (w.what->key)
      end_wish({});
    else
      begin_wish_page();
  }

  void end_wish(const caf::error& why) {
    auto w = std::move(state_.wishes.front());
    state_.wishes.pop_front();
    if (why) {
      w.answer.deliver(why);
    } else {
      env_.log.info(name_, w.what->wish == letter_wish::retry ? "dead letters are sent again" : "dead letters were dropped",
                    {{"letters", w.done}, {"who", w.what->who}});
      w.answer.deliver(w.done);
    }
    if (!state_.wishes.empty())
      begin_wish_page();
  }

  outbox_pointer self_;
  outbox_state& state_;
  const runtime::environment& env_;
  outbox_options options_;
  std::string name_;
  outbox_metrics metrics_;
};

} // namespace

outbox_state::~outbox_state() {
  for (auto& w : wishes)
    w.answer.deliver(make_error(ec::time_limit, "the outbox was restarted; what was done is unknown, asking again is safe"));
}

outbox_actor::behavior_type outbox(outbox_pointer self, const runtime::environment& env, outbox_options options) {
  runtime::prepare(self, env, "outbox " + std::to_string(options.shard));
  auto w = std::make_shared<outbox_work>(self, env, std::move(options));
  w->start();
  return {
      [w](serving_atom, std::uint64_t epoch) { w->on_serving(epoch); },
      [w](closed_atom, std::uint64_t epoch) { w->on_closed(epoch); },
      [w](applied_atom, std::uint64_t) { w->on_applied_more(); },
      [w](applied_atom, const domain::receipt& id) { w->on_applied(id); },
      [w](outcome_atom, const notice_outcomes_ptr& outcomes) { w->on_outcomes(*outcomes); },
      [w](changed_atom, const std::string& name, const caf::strong_actor_ptr& actor) { w->on_changed(name, actor); },
      [w](caf::tick_atom) { w->on_tick(); },
      [w](letters_atom, const notice_key& behind, std::uint32_t limit) { return w->on_list(behind, limit); },
      [w](letters_atom, const letter_request_ptr& request) { return w->on_request(request); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::actors
