#include "actors/notifier.hpp"

#include "runtime/defaults.hpp"
#include "runtime/local_time.hpp"
#include "runtime/notice_text.hpp"

#include <algorithm>
#include <chrono>

namespace epione::actors {

using namespace messages;
using runtime::circuit_breaker;

namespace {

using notifier_pointer = notifying_actor::stateful_pointer<notifier_state>;
using worker = notifier_state::worker;

constexpr std::int64_t ms = 1'000'000; ///< in nanoseconds

struct notifier_metrics {
  notifier_metrics(runtime::metrics& m, const std::string& channel)
      : sent(outcome(m, channel, "sent")), dead(outcome(m, channel, "dead")),
        merged(m.counter("epione_channel_merged_total", "Notices that went out merged with others", {{"channel", channel}})),
        waiting(m.gauge("epione_channel_waiting", "Notices that a channel has and has not sent yet", {{"channel", channel}})),
        open(m.gauge("epione_channel_breaker_open", "1: after failures in a row nothing is sent for a while",
                     {{"channel", channel}})),
        seconds(m.histogram("epione_channel_send_seconds", "One message, from its start until the other side has answered",
                            runtime::latency_buckets(), {{"channel", channel}})) {
    tries.push_back(&attempt(m, channel, "sent"));
    for (auto x = send_failure::unreachable; x <= send_failure::internal; x = static_cast<send_failure>(static_cast<int>(x) + 1))
      tries.push_back(&attempt(m, channel, std::string{to_string(x)}));
  }
  static prometheus::Counter& outcome(runtime::metrics& m, const std::string& channel, const char* what) {
    return m.counter("epione_channel_notices_total", "Notices that are settled", {{"channel", channel}, {"outcome", what}});
  }
  static prometheus::Counter& attempt(runtime::metrics& m, const std::string& channel, const std::string& result) {
    return m.counter("epione_channel_tries_total", "Attempts to send a message, by what came of it",
                     {{"channel", channel}, {"result", result}});
  }
  prometheus::Counter &sent, &dead, &merged;
  prometheus::Gauge &waiting, &open;
  prometheus::Histogram& seconds;
  std::vector<prometheus::Counter*> tries; ///< by send_failure; none: sent
};

class notifier_work {
public:
  notifier_work(notifier_pointer self, const runtime::environment& env, std::string name, notifier_options options,
                recipient_finder find)
      : self_(self), state_(self->state), env_(env), name_(std::move(name)), options_(std::move(options)), find_(std::move(find)),
        queue_(std::max<std::size_t>(runtime::defaults::channel_parcels_max, options_.concurrency)),
        bucket_(options_.rate.messages, options_.rate.period_ms),
        breaker_(options_.breaker_failures, options_.breaker_open_ms, runtime::defaults::channel_breaker_open_ms_max),
        metrics_(env.metrics, options_.channel) {
    state_.workers.resize(options_.concurrency);
    metrics_.open.Set(0);
    metrics_.waiting.Set(0);
  }

  void on_notices(const notices_ptr& all, const notice_client& who);
  void on_result(std::uint64_t number, const send_result& result);
  void on_down(const caf::down_msg& down);
  void on_tick();
  status_report_ptr status() const;
  void end_of_turn();

private:
  std::vector<notifier_state::client>::iterator client_at(const caf::actor_addr& address);
  std::int64_t now() const { return env_.clock.now_ns(); }

  // sending
  void send_what_is_due();
  worker* idle_worker();
  bool may_send() const;
  bool send_from(notice_lane& lane, worker& w);
  std::size_t count_for(const std::deque<waiting_ptr>& fresh, const domain::recipient& to) const;
  void start(worker& w);
  void abandon(worker& w);
  void arm();
  std::int64_t next_ns() const;

  // what came of it
  void sent(const parcel& p);
  void refused(parcel p, const send_result& result);
  void failed(parcel p, const send_result& result);
  void again(parcel p);
  void give_up(const std::vector<waiting_ptr>& all, const std::string& reason);
  void report(const waiting_notice& w, bool sent, std::string reason);
  void breaker_opened(const std::string& reason);
  std::int64_t deadline_us(const notice& n) const {
    return n.raised_us + static_cast<std::int64_t>(options_.give_up_after_s) * 1'000'000;
  }

  notifier_pointer self_;
  notifier_state& state_;
  const runtime::environment& env_;
  std::string name_;
  notifier_options options_;
  recipient_finder find_;
  notice_queue queue_;
  runtime::token_bucket bucket_;
  circuit_breaker breaker_;
  notifier_metrics metrics_;
};

// ---- clients -------------------------------------------------------------------------------------------------------

std::vector<notifier_state::client>::iterator notifier_work::client_at(const caf::actor_addr& address) {
  return std::find_if(state_.clients.begin(), state_.clients.end(), [&](const auto& c) { return c.actor.address() == address; });
}

void notifier_work::on_notices(const notices_ptr& all, const notice_client& who) {
  auto c = client_at(who.address());
  if (c == state_.clients.end()) {
    c = state_.clients.insert(c, {++state_.clients_seen, who});
    self_->monitor(who);
  }
  for (const auto& n : *all)
    queue_.add(n, c->number);
}

void notifier_work::on_down(const caf::down_msg& down) {
  if (const auto c = client_at(caf::actor_cast<caf::actor_addr>(down.source)); c != state_.clients.end()) {
    queue_.drop_client(c->number);
    state_.outcomes.erase(c->number);
    state_.clients.erase(c);
    return;
  }
  for (auto& w : state_.workers) {
    if (w.actor == nullptr || w.actor.address() != down.source)
      continue;
    w.actor = nullptr;
    w.restart_ns = now() + runtime::defaults::channel_sender_restart_ms * ms;
    env_.log.warning(name_, "a sender ended, is started again", {{"reason", runtime::error_text(down.reason)}});
    const auto number = std::exchange(w.job, 0);
    if (number != 0)
      on_result(number, messages::refused(send_failure::internal, "the sender ended while it was sending this"));
  }
  std::erase_if(*state_.running, [&](const auto& r) { return r.first == down.source; });
}

void notifier_work::report(const waiting_notice& w, bool sent, std::string reason) {
  (sent ? metrics_.sent : metrics_.dead).Increment();
  ++(sent ? state_.sent : state_.dead);
  if (!sent)
    env_.log.warning(name_, "a notice is given up", {{"key", runtime::message_key(w.what)}, {"reason", reason}});
  if (w.client != 0)
    state_.outcomes[w.client].push_back({w.what.key, sent, std::move(reason), env_.clock.wall_us()});
}

void notifier_work::end_of_turn() {
  send_what_is_due();
  for (auto& c : state_.clients)
    if (const auto found = state_.outcomes.find(c.number); found != state_.outcomes.end())
      self_->send(c.actor, outcome_atom::value, std::make_shared<const notice_outcomes>(std::move(found->second)));
  state_.outcomes.clear();
  metrics_.waiting.Set(static_cast<double>(queue_.waiting()));
  metrics_.open.Set(breaker_.now() == circuit_breaker::state::closed ? 0 : 1);
  arm();
}

// ---- sending -------------------------------------------------------------------------------------------------------

bool notifier_work::may_send() const {
  return now() >= state_.paused_until_ns && breaker_.may_pass(now()) && bucket_.may_pass(now());
}

void notifier_work::send_what_is_due() {
  while (may_send()) {
    auto* w = idle_worker();
    auto* lane = w == nullptr ? nullptr : queue_.next(now());
    if (lane == nullptr)
      return;
    if (send_from(*lane, *w)) {
      bucket_.pass(now());
      breaker_.pass();
    }
  }
}

worker* notifier_work::idle_worker() {
  for (auto& w : state_.workers) {
    if (w.actor == nullptr && now() >= w.restart_ns && queue_.waiting() > 0)
      start(w);
    if (w.actor != nullptr && w.job == 0)
      return &w;
  }
  return nullptr;
}

void notifier_work::start(worker& w) {
  w.stop = std::stop_source{};
  w.actor = runtime::spawn_blocking(self_->system(), env_, sender, name_ + " sender", options_.make, w.stop.get_token());
  state_.running->emplace_back(w.actor.address(), w.stop);
  self_->monitor(w.actor);
}

/// False when the lane has nothing that may be sent now.
bool notifier_work::send_from(notice_lane& lane, worker& w) {
  const auto found = find_(lane.name.study, lane.name.recipient);
  if (!found && found.error() == recipient_absence::not_known_yet) {
    lane.held_until_ns = now() + runtime::defaults::channel_unknown_look_ms * ms;
    return false;
  }
  if (!found) {
    const auto reason = "study '" + lane.name.study + "' has no recipient '" + lane.name.recipient + "' any more";
    give_up(queue_.remove(lane), reason);
    return false;
  }
  if (!lane.name.urgent && found->quiet) {
    const auto wall = env_.clock.wall_us();
    if (const auto end = runtime::quiet_until_us(*found->quiet, found->zone, wall)) {
      lane.held_until_ns = now() + std::min((*end - wall) * 1'000, runtime::defaults::channel_quiet_look_ms * ms);
      return false;
    }
  }
  auto p = queue_.take(lane, now(), [&](const auto& fresh) { return count_for(fresh, *found); });
  std::vector<const notice*> notices;
  for (const auto& each : p.notices)
    notices.push_back(&each->what);
  const auto address =
      std::find_if(found->addresses.begin(), found->addresses.end(), [&](const auto& a) { return a.first == p.lane.channel; });
  auto message = runtime::compose(notices, *found, address == found->addresses.end() ? std::string{} : address->second);
  w.job = ++state_.jobs_seen;
  self_->send(w.actor, send_atom::value, w.job, std::make_shared<const outgoing>(std::move(message)),
              caf::actor_cast<sender_client>(self_));
  state_.jobs[w.job] = {std::move(p), now()};
  return true;
}

std::size_t notifier_work::count_for(const std::deque<waiting_ptr>& fresh, const domain::recipient& to) const {
  if (fresh.size() < options_.merge_from || options_.merge_max < 2)
    return 1;
  std::vector<const notice*> first;
  for (std::size_t i = 0; i < std::min<std::size_t>(fresh.size(), options_.merge_max); ++i)
    first.push_back(&fresh[i]->what);
  return runtime::fitting(first, to, options_.text_bytes_max);
}

// ---- what came of it -----------------------------------------------------------------------------------------------

void notifier_work::on_result(std::uint64_t number, const send_result& result) {
  const auto found = state_.jobs.find(number);
  if (found == state_.jobs.end())
    return; // of a sender that was given up
  auto p = std::move(found->second.what);
  metrics_.seconds.Observe(static_cast<double>(now() - found->second.begun_ns) / 1e9);
  metrics_.tries[static_cast<std::size_t>(result.failure)]->Increment();
  state_.jobs.erase(found);
  for (auto& w : state_.workers)
    if (w.job == number)
      w.job = 0;
  ++p.tries;
  if (result.outcome != send_result::what::sent)
    state_.last_failure = result.reason;
  if (result.retry_after_s)
    state_.paused_until_ns = std::max(state_.paused_until_ns, now() + std::int64_t{*result.retry_after_s} * 1'000 * ms);
  switch (result.outcome) {
    case send_result::what::sent: return sent(p);
    case send_result::what::refused: return refused(std::move(p), result);
    case send_result::what::try_later: return failed(std::move(p), result);
  }
}

void notifier_work::sent(const parcel& p) {
  if (breaker_.succeeded())
    env_.log.info(name_, "the channel works again");
  if (p.notices.size() > 1) {
    metrics_.merged.Increment(static_cast<double>(p.notices.size()));
    state_.merged += p.notices.size();
  }
  queue_.done(p);
  for (const auto& w : p.notices)
    report(*w, true, {});
}

/// The other side is there, and will not have this message; or it was not asked, and nothing is known of it.
void notifier_work::refused(parcel p, const send_result& result) {
  if (result.failure == send_failure::internal || result.failure == send_failure::no_address)
    breaker_.undecided(now());
  else if (breaker_.succeeded())
    env_.log.info(name_, "the channel works again");
  if (++p.refusals < options_.refused_tries)
    return again(std::move(p));
  queue_.done(p);
  give_up(p.notices, "refused " + std::to_string(p.refusals) + " times; last: " + result.reason);
}

void notifier_work::failed(parcel p, const send_result& result) {
  const bool was_trial = breaker_.now() == circuit_breaker::state::half_open;
  const bool opened = breaker_.failed(now());
  const auto wall = env_.clock.wall_us();
  const auto is_over = [&](const notice& n) { return deadline_us(n) <= wall; };
  parcel rest{p.lane, {}, p.tries, p.refusals, 0};
  std::vector<waiting_ptr> over;
  for (auto& w : p.notices)
    (is_over(w->what) ? over : rest.notices).push_back(w);
  if (rest.notices.empty()) {
    queue_.done(p);
  } else {
    for (const auto& w : over)
      queue_.settle(*w);
    again(std::move(rest));
  }
  const auto reason =
      "given up after " + std::to_string(options_.give_up_after_s / 3'600) + " h and a last try; last: " + result.reason;
  give_up(over, reason);
  if (opened && was_trial)
    give_up(queue_.remove_if(is_over), reason);
  if (opened && !was_trial)
    breaker_opened(result.reason);
}

void notifier_work::breaker_opened(const std::string& reason) {
  env_.log.warning(name_, "the channel does not work: nothing is sent for a while, then one message is tried",
                   {{"failures", options_.breaker_failures},
                    {"pause_ms", options_.breaker_open_ms},
                    {"waiting", std::uint64_t{queue_.waiting()}},
                    {"reason", reason}});
}

/// After a growing pause, of which chance takes off up to half, so that many do not come back at once. The pause does not pass
/// the time to give up: the last try comes then.
void notifier_work::again(parcel p) {
  const auto doubled = options_.retry_ms << std::min<std::uint32_t>(p.tries - 1, 20);
  const auto pause = static_cast<std::int64_t>(std::min(doubled, options_.retry_ms_max)) * ms;
  const auto taken_off = static_cast<std::int64_t>(env_.random.next() % static_cast<std::uint64_t>(pause / 2 + 1));
  p.due_ns = now() + pause - taken_off;
  const auto wall = env_.clock.wall_us();
  for (const auto& w : p.notices)
    if (const auto left_us = deadline_us(w->what) - wall; left_us > 0)
      p.due_ns = std::min(p.due_ns, now() + left_us * 1'000);
  queue_.put_back(std::move(p));
}

void notifier_work::give_up(const std::vector<waiting_ptr>& all, const std::string& reason) {
  for (const auto& w : all)
    report(*w, false, reason);
}

// ---- time ----------------------------------------------------------------------------------------------------------

/// A sender has its own time limit; one that passes even this is inside a call that does not return.
void notifier_work::abandon(worker& w) {
  env_.log.error(name_, "a sender is stuck and is given up", {{"limit_ms", options_.timeout_ms}});
  w.stop.request_stop();
  self_->demonitor(w.actor.address());
  self_->send_exit(w.actor, caf::exit_reason::kill);
  w.actor = nullptr;
  w.restart_ns = now() + runtime::defaults::channel_sender_restart_ms * ms;
  on_result(std::exchange(w.job, 0),
            try_later(send_failure::time_limit,
                      "no answer within " + std::to_string(options_.timeout_ms) + " ms, not even from the sender"));
}

void notifier_work::on_tick() {
  state_.armed_ns = 0;
  const auto limit = static_cast<std::int64_t>(options_.timeout_ms + runtime::defaults::channel_send_margin_ms) * ms;
  for (auto& w : state_.workers)
    if (w.job != 0 && now() >= state_.jobs.at(w.job).begun_ns + limit)
      abandon(w);
}

/// When there is something to do next; 0: only messages can change anything.
std::int64_t notifier_work::next_ns() const {
  std::int64_t next = 0;
  const auto consider = [&](std::int64_t at) { next = next == 0 ? at : std::min(next, at); };
  const auto limit = static_cast<std::int64_t>(options_.timeout_ms + runtime::defaults::channel_send_margin_ms) * ms;
  std::optional<std::int64_t> free; // when the first of them can send: at once, or when it may be started (again)
  for (const auto& w : state_.workers) {
    if (w.job != 0) {
      consider(state_.jobs.at(w.job).begun_ns + limit);
      continue;
    }
    const auto from = w.actor != nullptr ? 0 : w.restart_ns;
    free = free ? std::min(*free, from) : from;
  }
  const auto due = queue_.next_due_ns();
  if (!due || !free || breaker_.now() == circuit_breaker::state::half_open)
    return next;
  auto at = std::max({*due, *free, state_.paused_until_ns, bucket_.when()});
  if (breaker_.now() == circuit_breaker::state::open)
    at = std::max(at, breaker_.until_ns());
  consider(std::max<std::int64_t>(at, 1));
  return next;
}

void notifier_work::arm() {
  const auto next = next_ns();
  if (next == 0 || (state_.armed_ns != 0 && state_.armed_ns <= next))
    return;
  const auto wait_ms = std::max<std::int64_t>(1, (next - now() + ms - 1) / ms);
  state_.armed_ns = now() + wait_ms * ms;
  self_->delayed_send(self_, std::chrono::milliseconds{wait_ms}, caf::tick_atom::value);
}

status_report_ptr notifier_work::status() const {
  const auto number = [](auto x) { return std::to_string(x); };
  const bool open = breaker_.now() != circuit_breaker::state::closed;
  status_report report{name_, open ? "waiting for the other side" : "running", {}};
  report.details = {{"waiting", number(queue_.waiting())},
                    {"under way", number(state_.jobs.size())},
                    {"recipients", number(queue_.lanes())},
                    {"sent", number(state_.sent)},
                    {"dead", number(state_.dead)},
                    {"merged", number(state_.merged)},
                    {"circuit breaker", std::string{to_string(breaker_.now())}},
                    {"last failure", state_.last_failure.empty() ? "none" : state_.last_failure}};
  return std::make_shared<const status_report>(std::move(report));
}

} // namespace

notifier_options notifier_options_of(const runtime::channel_settings& s, const runtime::channel_kinds& kinds) {
  notifier_options out;
  out.channel = s.name;
  out.rate = runtime::parse_rate(s.text("rate")).value_or(runtime::channel_rate{1, 1'000});
  out.concurrency = static_cast<std::uint32_t>(s.number("concurrency"));
  out.timeout_ms = s.number("timeout_ms");
  out.give_up_after_s = s.number("give_up_after_s");
  out.refused_tries = static_cast<std::uint32_t>(s.number("refused_tries"));
  out.retry_ms = s.number("retry_ms");
  out.retry_ms_max = s.number("retry_ms_max");
  out.breaker_failures = static_cast<std::uint32_t>(s.number("breaker_failures"));
  out.breaker_open_ms = s.number("breaker_open_ms");
  out.merge_from = s.number("merge_from");
  out.merge_max = s.number("merge_max");
  out.text_bytes_max = s.number("text_bytes_max");
  if (const auto* kind = kinds.find(s.kind))
    out.make = [make = kind->make, s](const runtime::channel_ports& ports) { return make(s, ports); };
  return out;
}

notifying_actor::behavior_type notifier(notifier_pointer self, const runtime::environment& env, std::string name,
                                        notifier_options options, recipient_finder find) {
  runtime::prepare(self, env, name);
  auto w = std::make_shared<notifier_work>(self, env, std::move(name), std::move(options), std::move(find));
  self->set_down_handler([w](caf::down_msg& down) {
    w->on_down(down);
    w->end_of_turn();
  });
  self->attach_functor([running = self->state.running](const caf::error&) {
    for (auto& [address, stop] : *running) {
      stop.request_stop();
      if (const auto actor = caf::actor_cast<caf::strong_actor_ptr>(address))
        caf::anon_send_exit(actor, caf::exit_reason::kill);
    }
  });
  return {
      [w](notify_atom, const notices_ptr& all, const notice_client& who) {
        w->on_notices(all, who);
        w->end_of_turn();
      },
      [w](caf::tick_atom) {
        w->on_tick();
        w->end_of_turn();
      },
      [w](status_atom) { return w->status(); },
      [w](send_atom, std::uint64_t number, const send_result_ptr& result) {
        w->on_result(number, *result);
        w->end_of_turn();
      },
  };
}

} // namespace epione::actors
