#include "actors/catalog.hpp"

#include "domain/anchor.hpp"
#include "domain/command.hpp"
#include "domain/event.hpp"
#include "messages/steward.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace epione::actors {

using namespace messages;

namespace {

using catalog_pointer = catalog_actor::stateful_pointer<catalog_state>;
using catalog_promise = catalog_state::import_promise;
using record_promise = caf::typed_response_promise<bool>;

constexpr std::uint32_t scan_events_max = 16;                       // an event holds a whole study
constexpr auto read_limit_ms = runtime::defaults::request_limit_ms; // as long as a read waits for what it is to come after

std::string text_of(const std::vector<domain::import_problem>& problems) {
  std::string text;
  for (const auto& p : problems)
    text += p.file + "\t" + p.place + "\t" + p.message + "\n";
  return text;
}

caf::error failure(ec code, std::string text) {
  return caf::make_error(code, std::move(text));
}

/// The catalog's work, one function a message. Lives as long as its actor.
class catalog_work {
public:
  catalog_work(catalog_pointer self, const runtime::environment& env, runtime::catalog_view& view, runtime::readiness& readiness,
               open_reader open, runtime::cluster_view* cluster = nullptr, const runtime::shard_view* shards = nullptr)
      : self_(self), state_(self->state), env_(env), view_(view), readiness_(readiness), open_(std::move(open)),
        cluster_(cluster), shards_(shards), studies_(env.metrics.gauge("epione_studies", "Studies that can be submitted to")) {}

  void start() {
    state_.replica = env_.directory->get<replica_actor>("replica 0");
    readiness_.set(part, "the studies are being read");
    // Set before anybody is told of the end, so that a successor's word is the last one.
    state_.on_end = [&readiness = readiness_] { readiness.set(part, "it is not running; the log says why"); };
    self_->send(state_.replica, listen_atom::value, shard_listener{self_});
  }

  // ---- imports -------------------------------------------------------------------------------------------------------

  catalog_promise on_import(const study_source_ptr& source, const std::string& who) {
    catalog_state::import next;
    next.source = source;
    next.who = who;
    return take_import(std::move(next));
  }

  catalog_promise on_add_form(const form_addition_ptr& addition) {
    catalog_state::import next;
    next.addition = addition;
    next.who = addition->who;
    return take_import(std::move(next));
  }

  catalog_promise take_import(catalog_state::import next) {
    auto answer = self_->make_response_promise<std::string, bool, std::uint64_t>();
    if (!state_.serving && hand_on(next, answer)) {
      return answer;
    } else if (!state_.serving) {
      answer.deliver(failure(ec::not_serving, "the catalog is starting or not led by this node; try again"));
    } else if (state_.waiting.size() >= runtime::defaults::imports_waiting_max) {
      answer.deliver(failure(ec::not_serving, std::to_string(state_.waiting.size()) + " imports are waiting already; try again"));
    } else {
      next.number = next_number(runtime::defaults::import_limit_ms);
      next.answer = answer;
      state_.waiting.push_back(std::move(next));
      go_on();
    }
    return answer;
  }

  // ---- events that change no study ---------------------------------------------------------------------------------------

  record_promise on_record(const event_ptr& event) {
    auto answer = self_->make_response_promise<bool>();
    const bool changes_nodes = event->action == domain::cluster_change_action;
    if (changes_nodes && !may_change_nodes(*event)) {
      answer.deliver(failure(ec::not_serving, "the list of nodes has changed meanwhile, or is changing; try again"));
    } else if (!changes_nodes && !state_.serving && hand_on(*event, answer)) {
      return answer;
    } else if (!state_.serving) {
      answer.deliver(failure(ec::not_serving, "the catalog is starting or not led by this node"));
    } else if (state_.records.size() >= runtime::defaults::records_waiting_max) {
      answer.deliver(failure(ec::not_serving, std::to_string(state_.records.size()) + " records are on their way already"));
    } else {
      state_.cluster_change = state_.cluster_change || changes_nodes;
      state_.records.push_back({++state_.batches, answer});
      propose(*event, event->entity, state_.batches);
    }
    return answer;
  }

  /// A change holds the whole list: it must be made from the newest one, and from no other while that is on its way.
  bool may_change_nodes(const domain::event& event) const {
    if (!state_.serving || state_.cluster_change || cluster_ == nullptr)
      return false;
    const auto now = cluster_->get();
    return event.before == (now == nullptr ? std::string{} : domain::encode(*now));
  }

  /// Answers the record of this batch. False when it is none of them.
  bool end_record(std::uint64_t batch, const caf::error& why) {
    const auto found =
        std::find_if(state_.records.begin(), state_.records.end(), [&](const auto& r) { return r.batch == batch; });
    if (found == state_.records.end())
      return false;
    if (why)
      found->answer.deliver(why);
    else
      found->answer.deliver(true);
    state_.records.erase(found);
    return true;
  }

  // ---- what the replica says ---------------------------------------------------------------------------------------------

  void on_committed(std::uint64_t epoch, std::uint64_t batch, std::uint64_t index) {
    if (epoch == state_.epoch && end_record(batch, {}))
      return;
    if (epoch != state_.epoch || !state_.current || state_.current->batch != batch)
      return;
    runtime::fault_point(env_.faults, "catalog.committed");
    state_.current->index = index;
    if (state_.applied < index)
      self_->send(state_.replica, flush_atom::value);
    go_on();
  }

  void on_refused(std::uint64_t epoch, std::uint64_t batch) {
    if (epoch == state_.epoch &&
        end_record(batch, failure(ec::not_serving, "this node stopped leading the catalog; nothing was recorded")))
      return;
    if (epoch != state_.epoch || !state_.current || state_.current->batch != batch)
      return;
    finish(failure(ec::not_serving, "this node stopped leading the catalog; nothing was stored, try again"));
    go_on();
  }

  void on_limit(std::uint64_t number) {
    const auto late = failure(ec::time_limit, "no answer within " + std::to_string(runtime::defaults::import_limit_ms) +
                                                  " ms; whether the study was stored is unknown, import it again");
    if (state_.current && state_.current->number == number) {
      finish(late);
    } else if (give_up_ahead(number)) {
      return;
    } else {
      for (auto it = state_.waiting.begin(); it != state_.waiting.end(); ++it) {
        if (it->number == number) {
          it->answer.deliver(late);
          state_.waiting.erase(it);
          break;
        }
      }
    }
    go_on();
  }

  // ---- the group -----------------------------------------------------------------------------------------------------

  void on_serving(std::uint64_t epoch) {
    on_closed(epoch, ec::stale_epoch, outcome::unknown); // in case nobody said so
    state_.epoch = epoch;
    if (!read_events(true))
      return;
    state_.serving = true;
    readiness_.clear(part);
    env_.log.info(part, "serving", {{"epoch", epoch}});
    answer_read();
    go_on();
  }

  /// What the store shows now is what the leader had committed when it was first heard: no study is missing for being unheard of.
  void on_follow(std::uint64_t epoch) {
    if (epoch < state_.epoch || state_.serving || !read_events(true))
      return;
    state_.following = true;
    readiness_.clear(part);
    answer_read();
  }

  void on_closed(std::uint64_t epoch, ec why, outcome known) {
    if (epoch < state_.epoch)
      return;
    state_.serving = state_.following = state_.cluster_change = false;
    state_.reader.reset(); // a store that is built again is another file
    const auto reason = std::string{description(why)};
    readiness_.set(part, reason);
    if (state_.current) {
      if (known == outcome::not_stored && state_.current->index == 0)
        finish(failure(ec::not_serving, reason + "; nothing was stored, try again"));
      else
        finish(failure(why, reason + "; whether the study was stored is unknown, import it again"));
    }
    for (auto& import : state_.waiting)
      import.answer.deliver(failure(ec::not_serving, reason + "; nothing was stored, try again"));
    state_.waiting.clear();
    for (auto& record : state_.records)
      record.answer.deliver(failure(known == outcome::not_stored ? ec::not_serving : why, reason));
    state_.records.clear();
  }

  void on_applied(std::uint64_t index) {
    state_.applied = std::max(state_.applied, index);
    if ((!state_.serving && !state_.following) || !read_events(false))
      return;
    answer_read();
    go_on();
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(
        status_report{part,
                      state_.serving     ? "serving"
                      : state_.following ? "following"
                                         : "waiting for its replica",
                      {{"epoch", std::to_string(state_.epoch)},
                       {"studies", std::to_string(view_.get()->studies.size())},
                       {"last event", std::to_string(state_.studies.last_seq())},
                       {"imports waiting", std::to_string(state_.waiting.size() + (state_.current ? 1 : 0))}}});
  }

private:
  static constexpr const char* part = "catalog";

  /// Brings the current import to its end, and then takes up the next ones.
  void go_on() {
    if (state_.current && state_.current->index != 0 && state_.applied >= state_.current->index && read_events(false)) {
      env_.log.info(part, "study imported", {{"study", state_.current->id}, {"who", state_.current->who}});
      auto done = std::exchange(state_.current, std::nullopt);
      done->answer.deliver(done->answered, true, state_.studies.changed_seq());
    }
    while (state_.serving && !state_.current && !state_.waiting.empty()) {
      state_.current = std::move(state_.waiting.front());
      state_.waiting.pop_front();
      check_and_propose();
    }
  }

  tl::expected<study_register::import_check, caf::error> check(const catalog_state::import& what) const {
    if (what.addition == nullptr)
      return state_.studies.check(*what.source).map_error([](const auto& problems) {
        return failure(ec::invalid, text_of(problems));
      });
    return state_.studies.check(*what.addition).map_error([](const auto& refused) {
      return failure(refused.code, text_of(refused.problems));
    });
  }

  /// Of an import that somebody waits for: its time limit begins.
  std::uint64_t next_number(std::uint32_t limit_ms) {
    const auto number = ++state_.imports;
    self_->delayed_send(self_, std::chrono::milliseconds{limit_ms}, caf::tick_atom::value, number);
    return number;
  }

  void check_and_propose() {
    auto& now = *state_.current;
    auto checked = check(now);
    if (!checked)
      return finish(checked.error());
    now.id = checked->id;
    now.answered = now.addition == nullptr ? checked->id : checked->form;
    if (checked->unchanged) {
      auto done = std::exchange(state_.current, std::nullopt);
      done->answer.deliver(done->answered, false, state_.studies.changed_seq());
      return;
    }
    domain::event event;
    event.time_us = env_.clock.wall_us();
    event.who = now.who;
    event.role = now.addition == nullptr ? "operator" : now.addition->role;
    event.reason = now.addition == nullptr ? std::string{} : now.addition->reason;
    event.action = study_import_action;
    event.entity = now.id;
    event.before = std::move(checked->before);
    event.after = std::move(checked->after);
    now.source = nullptr;
    now.addition = nullptr;
    now.batch = ++state_.batches;
    runtime::fault_point(env_.faults, "catalog.propose");
    propose(event, now.id, now.batch);
  }

  void propose(const domain::event& event, std::string_view chained_to, std::uint64_t batch) {
    domain::command command;
    command.type = domain::command_type::record;
    command.subject_hash = domain::subject_hash(chained_to, "");
    command.event = domain::encode(event);
    self_->send(state_.replica, propose_atom::value, state_.epoch, batch,
                std::make_shared<const std::string>(domain::encode_batch({std::move(command)})), proposer{self_});
  }

  void finish(const caf::error& why) {
    auto done = std::exchange(state_.current, std::nullopt);
    done->answer.deliver(why);
  }

  /// Reads what is new in the store, and publishes it if it changes a study, or `always`. False when the store cannot be read:
  /// the actor ends.
  bool read_events(bool always) {
    if (state_.reader == nullptr) {
      auto opened = open_();
      if (!opened)
        return give_up(opened.error());
      state_.reader = std::move(*opened);
    }
    bool changed = always;
    std::optional<std::shared_ptr<const domain::cluster_state>> nodes; // the newest list; null: of a cluster that is no more
    for (bool more = true; more;) {
      auto events = state_.reader->scan(state_.studies.last_seq() + 1, scan_events_max);
      if (!events)
        return give_up(events.error());
      for (const auto& stored : *events) {
        if (cluster_ != nullptr)
          take_cluster_change(stored, nodes);
        const auto added = state_.studies.add(stored);
        if (added)
          changed = changed || *added;
        else
          env_.log.error(part, "an event of group 0 cannot be read; what it changed is not served",
                         {{"seq", stored.seq}, {"why", added.error()}});
      }
      more = events->size() == scan_events_max;
    }
    if (nodes)
      cluster_->set(std::move(*nodes));
    if (changed)
      publish();
    return true;
  }

  void take_cluster_change(const stored_event& stored, std::optional<std::shared_ptr<const domain::cluster_state>>& nodes) {
    const auto action = domain::action_of(stored.bytes);
    if (action && *action == domain::restore_action)
      nodes = nullptr; // what was said of nodes before is of the cluster the backup was taken from
    if (!action || *action != domain::cluster_change_action)
      return;
    state_.cluster_change = false;
    const auto event = domain::decode_event(stored.bytes);
    auto state = event ? domain::decode_cluster_state(event->after) : tl::unexpected(event.error());
    if (state)
      nodes = std::make_shared<const domain::cluster_state>(std::move(*state));
    else
      env_.log.error(part, "the list of the cluster's nodes cannot be read", {{"seq", stored.seq}, {"why", state.error()}});
  }

  // ---- a node that does not lead group 0 ---------------------------------------------------------------------------------

  /// False: nobody is there to hand it to.
  bool hand_on(const catalog_state::import& what, catalog_promise answer) {
    const auto question =
        what.addition == nullptr ? steward_question::import(*what.source, what.who) : steward_question::add_form(*what.addition);
    return ask_leader(question, runtime::defaults::import_answer_limit_ms, [this, answer](const steward_answer& a) mutable {
      if (a.error != ec::none)
        answer.deliver(failure(a.error, a.text));
      else
        answer_when_read({next_number(read_limit_ms), a.seq, a.text, a.changed, answer});
    });
  }

  /// Whoever asked this node is to find here what was imported, as soon as it is answered.
  void answer_when_read(catalog_state::import_ahead import) {
    state_.ahead.push_back(std::move(import));
    answer_read();
  }

  void answer_read() {
    const auto seq = state_.studies.last_seq(); // what is read is published
    for (auto& import : state_.ahead)
      if (import.seq <= seq)
        import.answer.deliver(import.answered, import.changed, import.seq);
    std::erase_if(state_.ahead, [&](const auto& import) { return import.seq <= seq; });
    if (!state_.ahead.empty()) // more than the store is sent at once
      self_->send(state_.replica, flush_atom::value);
  }

  bool give_up_ahead(std::uint64_t number) {
    const auto found = std::find_if(state_.ahead.begin(), state_.ahead.end(), [&](const auto& i) { return i.number == number; });
    if (found == state_.ahead.end())
      return false;
    found->answer.deliver(failure(ec::time_limit, "it is stored, but this node has not read it within " +
                                                      std::to_string(read_limit_ms) +
                                                      " ms; the same again changes nothing and shows when it has"));
    state_.ahead.erase(found);
    return true;
  }

  bool hand_on(const domain::event& event, record_promise answer) {
    return ask_leader(steward_question::record(event), runtime::defaults::console_record_limit_ms,
                      [answer](const steward_answer& a) mutable {
                        if (a.error == ec::none)
                          answer.deliver(true);
                        else
                          answer.deliver(failure(a.error, a.text));
                      });
  }

  template <class F>
  bool ask_leader(const steward_question& question, std::uint32_t limit_ms, F answered) {
    const auto router = env_.directory->get<router_actor>("router");
    const auto leader = shards_ == nullptr ? std::string{} : shards_->where(0).leader;
    if (router == nullptr || leader.empty())
      return false;
    self_
        ->request(router, std::chrono::milliseconds{limit_ms + runtime::defaults::console_margin_ms}, ask_atom::value, leader,
                  routed_kind::steward, std::make_shared<const std::string>(encode(question)), limit_ms)
        .then(
            [answered](const bytes_ptr& bytes) mutable {
              auto a = decode_steward_answer(*bytes);
              answered(a ? *a : steward_answer{ec::time_limit, "the leader's answer cannot be read: " + a.error()});
            },
            [answered](caf::error& why) mutable {
              // What the leader refuses is an answer. Only a node of another version does not understand the question.
              const auto code = runtime::code_of(why).value_or(ec::time_limit);
              answered({code == ec::invalid ? ec::not_serving : code, runtime::sentence_of(why)});
            });
    return true;
  }

  void publish() {
    auto next = state_.studies.snapshot([this](const std::string& id, std::size_t problems) {
      env_.log.error(part, "a stored study does not compile with this version and is not served",
                     {{"study", id}, {"problems", std::uint64_t{problems}}});
    });
    studies_.Set(static_cast<double>(next->studies.size()));
    view_.set(std::move(next));
  }

  bool give_up(const runtime::storage_error& why) {
    env_.log.error(part, "group 0 cannot be read", {{"why", why.message}});
    self_->quit(caf::make_error(why.code, why.message));
    return false;
  }

  catalog_pointer self_;
  catalog_state& state_;
  const runtime::environment& env_;
  runtime::catalog_view& view_;
  runtime::readiness& readiness_;
  open_reader open_;
  runtime::cluster_view* cluster_;
  const runtime::shard_view* shards_;
  prometheus::Gauge& studies_;
};

} // namespace

catalog_state::~catalog_state() {
  if (on_end)
    on_end();
  const auto why = failure(ec::not_serving, "the catalog is restarted; whether the study was stored is unknown, import it again");
  if (current)
    current->answer.deliver(why);
  for (auto& import : waiting)
    import.answer.deliver(why);
  for (auto& import : ahead)
    import.answer.deliver(
        failure(ec::time_limit, "it is stored, but this node restarts its catalog; the same again changes nothing"));
  for (auto& record : records)
    record.answer.deliver(failure(ec::time_limit, "the catalog is restarted; whether it was recorded is unknown"));
}

namespace {

catalog_actor::behavior_type begin(catalog_pointer self, const runtime::environment& env, std::shared_ptr<catalog_work> work) {
  runtime::prepare(self, env, "catalog");
  work->start();
  return {
      [work](import_atom, const study_source_ptr& source, const std::string& who) { return work->on_import(source, who); },
      [work](add_form_atom, const form_addition_ptr& addition) { return work->on_add_form(addition); },
      [work](record_atom, const event_ptr& event) { return work->on_record(event); },
      [work](caf::tick_atom, std::uint64_t number) { work->on_limit(number); },
      [work](serving_atom, std::uint64_t epoch) { work->on_serving(epoch); },
      [work](closed_atom, std::uint64_t epoch, ec why, outcome known) { work->on_closed(epoch, why, known); },
      [work](applied_atom, std::uint64_t index) { work->on_applied(index); },
      [](read_index_atom, std::uint64_t, ticket, std::uint64_t) {},
      [](leader_atom, std::uint64_t, const std::string&) {},
      [work](follow_atom, std::uint64_t epoch) { work->on_follow(epoch); },
      [work](committed_atom, std::uint64_t epoch, std::uint64_t batch, std::uint64_t index) {
        work->on_committed(epoch, batch, index);
      },
      [work](refused_atom, std::uint64_t epoch, std::uint64_t batch) { work->on_refused(epoch, batch); },
      [work](status_atom) { return work->status(); },
  };
}

} // namespace

catalog_actor::behavior_type catalog_reading(catalog_pointer self, const runtime::environment& env, runtime::catalog_view& view,
                                             runtime::readiness& readiness, open_reader open) {
  return begin(self, env, std::make_shared<catalog_work>(self, env, view, readiness, std::move(open)));
}

catalog_actor::behavior_type catalog_of_cluster(catalog_pointer self, const runtime::environment& env,
                                                runtime::catalog_view& view, runtime::readiness& readiness,
                                                runtime::cluster_view& cluster, const runtime::shard_view& shards) {
  open_reader open = [&env] { return runtime::open_store_reader(env.disk, env.data_directory, 0); };
  return begin(self, env, std::make_shared<catalog_work>(self, env, view, readiness, std::move(open), &cluster, &shards));
}

catalog_actor::behavior_type catalog(catalog_pointer self, const runtime::environment& env, runtime::catalog_view& view,
                                     runtime::readiness& readiness) {
  return catalog_reading(self, env, view, readiness,
                         [&env] { return runtime::open_store_reader(env.disk, env.data_directory, 0); });
}

} // namespace epione::actors
