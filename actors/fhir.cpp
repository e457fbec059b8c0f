#include "actors/fhir.hpp"

#include "actors/reply_text.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"

namespace epione::actors {

using namespace messages;

namespace {

using fhir_pointer = fhir_actor::stateful_pointer<fhir_state>;

std::string header_of(const fhir_answer& a) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty())
      out.append(name).append(": ").append(value).append("\r\n");
  };
  line("Location", a.location);
  if (a.version != 0)
    line("ETag", "W/\"" + std::to_string(a.version) + "\"");
  else if (!a.etag_text.empty())
    line("ETag", "W/\"" + a.etag_text + "\"");
  if (a.modified_us != 0)
    line("Last-Modified", http_date(a.modified_us));
  line("Allow", a.allow);
  return out;
}

class fhir_work {
public:
  fhir_work(fhir_pointer self, const runtime::environment& env, fhir_options options, const runtime::catalog_view& catalog)
      : self_(self), state_(self->state), env_(env), options_(options),
        service_(ports(), options, catalog, env.clock, env.random) {}

  void start() { env_.directory->subscribe(runtime::directory_subscriber{self_}); }

  void on_request(ticket t, const fhir_request_ptr& r, const reply_receiver& receiver) {
    runtime::fault_point(env_.faults, "fhir.request");
    ++state_.requests;
    service_.handle(r, [this, t, receiver](fhir_answer a) {
      auto header = header_of(a);
      self_->send(receiver, reply_atom::value,
                  std::make_shared<replies>(
                      replies{{t, a.status, std::move(a.body), a.retry_after_s, elsewhere::no, std::move(header)}}));
    });
  }

  void on_replies(const replies_ptr& batch) {
    for (const auto& r : *batch)
      if (auto found = state_.replies.extract(r.to); !found.empty())
        found.mapped()(r);
  }

  void on_list(ticket t, const stored_events_ptr& events, const caf::error& why) {
    if (auto found = state_.reads.extract(t); !found.empty())
      found.mapped()(why ? nullptr : events.get());
  }

  /// What the last gateway was asked it will not answer.
  void on_changed(const std::string& name, const caf::strong_actor_ptr& actor) {
    if (name != "gateway")
      return;
    state_.gateway = caf::actor_cast<gateway_actor>(actor);
    const auto replies = std::exchange(state_.replies, {});
    const auto reads = std::exchange(state_.reads, {});
    for (const auto& [t, done] : replies)
      done({t, 503, unavailable_text("whoever was to answer is gone; try again", outcome::unknown), options_.retry_after_s});
    for (const auto& [t, done] : reads)
      done(nullptr);
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(
        status_report{"fhir",
                      state_.gateway == nullptr ? "waits for the gateway" : "running",
                      {{"requests", std::to_string(state_.requests)},
                       {"waiting for", std::to_string(state_.replies.size() + state_.reads.size())}}});
  }

private:
  fhir_ports ports() {
    fhir_ports p;
    p.submit = [this](submission_ptr s, fhir_state::reply_function done) {
      ask(std::move(done), [&](ticket t) { self_->send(state_.gateway, submit_atom::value, t, s, reply_receiver{self_}); });
    };
    p.change = [this](change_request_ptr c, fhir_state::reply_function done) {
      ask(std::move(done), [&](ticket t) { self_->send(state_.gateway, change_atom::value, t, c, reply_receiver{self_}); });
    };
    p.read = [this](read_request_ptr r, fhir_state::read_function done) {
      if (state_.gateway == nullptr)
        return done(nullptr);
      const auto t = state_.next_ticket++;
      state_.reads.emplace(t, std::move(done));
      self_->send(state_.gateway, read_atom::value, t, r, list_client{self_});
    };
    p.add_form = [this](form_addition_ptr addition, std::function<void(ec, const std::string&, bool)> done) {
      const auto catalog = env_.directory->get<catalog_actor>("catalog");
      if (catalog == nullptr)
        return done(ec::not_serving, "the catalog is starting; try again", false);
      self_
          ->request(catalog, std::chrono::milliseconds{runtime::defaults::import_answer_limit_ms}, add_form_atom::value, addition)
          .then([done](const std::string& form, bool changed, std::uint64_t) { done(ec::none, form, changed); },
                [done](caf::error& why) {
                  done(runtime::code_of(why).value_or(ec::time_limit), runtime::sentence_of(why), false);
                });
    };
    return p;
  }

  template <class Send>
  void ask(fhir_state::reply_function done, Send&& send) {
    const auto t = state_.next_ticket++;
    if (state_.gateway == nullptr)
      return done({t, 503, unavailable_text("this node is starting; try again", outcome::not_stored), options_.retry_after_s});
    state_.replies.emplace(t, std::move(done));
    send(t);
  }

  fhir_pointer self_;
  fhir_state& state_;
  const runtime::environment& env_;
  fhir_options options_;
  fhir_service service_;
};

} // namespace

fhir_actor::behavior_type fhir(fhir_pointer self, const runtime::environment& env, fhir_options options,
                               const runtime::catalog_view& catalog) {
  runtime::prepare(self, env, "fhir");
  auto w = std::make_shared<fhir_work>(self, env, options, catalog);
  w->start();
  return {
      [w](fhir_atom, ticket t, const fhir_request_ptr& r, const reply_receiver& receiver) { w->on_request(t, r, receiver); },
      [w](reply_atom, const replies_ptr& batch) { w->on_replies(batch); },
      [w](list_atom, ticket t, const read_request_ptr&, const stored_events_ptr& events, const caf::error& why) {
        w->on_list(t, events, why);
      },
      [w](changed_atom, const std::string& name, const caf::strong_actor_ptr& actor) { w->on_changed(name, actor); },
      [w](status_atom) -> status_report_ptr { return w->status(); },
  };
}

} // namespace epione::actors
