#include "cluster/steward.hpp"

#include "runtime/defaults.hpp"
#include "runtime/error_text.hpp"

#include <chrono>
#include <memory>
#include <utility>

namespace epione::cluster {

using namespace messages;
using caf::make_error;

namespace {

using stateful_steward_pointer = steward_actor::stateful_pointer<steward_state>;

constexpr std::chrono::milliseconds steward_tick{250};

/// The steward's work, one function a message: gives each to the part it concerns. Lives as long as its actor.
class steward_work {
public:
  steward_work(stateful_steward_pointer self, steward_parts& parts)
      : self_(self), standing_(parts.standing), nodes_(parts.nodes), groups_(parts.groups), leads_(parts.leads) {}

  void on_tick() {
    self_->delayed_send(self_, steward_tick, caf::tick_atom::value);
    nodes_.settle();
    if (standing_.draining)
      leads_.give_away_what_came_back();
    if (!standing_.leads_catalog() || nodes_.is_changing())
      return;
    const auto nodes = standing_.cluster.get();
    if (nodes == nullptr)
      nodes_.found();
    else if (!nodes_.see_to(*nodes) && groups_.look_at(*nodes))
      leads_.spread(*nodes);
  }

  caf::result<bytes_ptr> on_ask(const std::string& node, const bytes_ptr& bytes) {
    auto q = decode_steward_question(*bytes);
    if (!q)
      return make_error(ec::invalid, q.error());
    auto answer = self_->make_response_promise<bytes_ptr>();
    switch (q->verb) {
      case steward_verb::import: import(*q, answer); break;
      case steward_verb::add_form: add_form(*q, answer); break;
      case steward_verb::record: nodes_.record_event(*q, answer); break;
      case steward_verb::join: nodes_.join(node, *q, answer); break;
      case steward_verb::change: change(*q, answer); break;
      case steward_verb::transfer: transfer(*q, answer); break;
      case steward_verb::nodes:
        if (q->text == "drain" || q->text == "undrain")
          leads_.drain(*q, answer);
        else
          nodes_.change(*q, answer);
        break;
      case steward_verb::position: say_position(*q, answer); break;
    }
    return answer;
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(status_report{steward_part,
                                                               standing_.leads_catalog() ? "looks after the cluster"
                                                               : standing_.draining      ? "gives leaderships away"
                                                                                         : "waits",
                                                               {{"groups asked", std::to_string(groups_.asked())}}});
  }

private:
  // ---- of the catalog ----------------------------------------------------------------------------------------------------

  /// What cannot be read is of a node of another version: once all have the same it can.
  void import(const steward_question& q, steward_promise answer) {
    auto source = domain::decode_study_source(q.bytes);
    if (!source)
      return say(answer, ec::not_serving, source.error());
    have_imported(answer, import_atom::value, std::make_shared<const domain::study_source>(std::move(*source)), q.text);
  }

  void add_form(const steward_question& q, steward_promise answer) {
    auto addition = domain::decode_form_addition(q.bytes);
    if (!addition)
      return say(answer, ec::not_serving, addition.error());
    have_imported(answer, add_form_atom::value, std::make_shared<const domain::form_addition>(std::move(*addition)));
  }

  template <class... Message>
  void have_imported(steward_promise answer, Message... message) {
    const auto catalog = standing_.catalog();
    if (catalog == nullptr || !standing_.leads_catalog())
      return say(answer, ec::not_serving,
                 "node " + standing_.options.node + " does not lead group 0; nothing was stored, try again");
    self_->request(catalog, std::chrono::milliseconds{runtime::defaults::import_answer_limit_ms}, std::move(message)...)
        .then(
            [answer](const std::string& id, bool changed, std::uint64_t seq) mutable { say(answer, ec::none, id, changed, seq); },
            [answer](caf::error& why) mutable { say_error(answer, why); });
  }

  // ---- of a group that is led here ---------------------------------------------------------------------------------------

  void change(const steward_question& q, steward_promise answer) {
    if (const auto replica = replica_of(q, answer); replica != nullptr)
      self_->request(replica, steward_step_limit, change_atom::value, std::make_shared<const server_change>(q.change))
          .then([answer](std::uint64_t index) mutable { say(answer, ec::none, std::to_string(index)); },
                [answer](caf::error& why) mutable { say_error(answer, why); });
  }

  void transfer(const steward_question& q, steward_promise answer) {
    if (const auto replica = replica_of(q, answer); replica != nullptr)
      self_->request(replica, steward_step_limit, transfer_atom::value, q.change.id)
          .then(
              [answer](bool begun) mutable {
                say(answer, begun ? ec::none : ec::not_serving, begun ? "" : "it does not lead, or nobody can take it over");
              },
              [answer](caf::error& why) mutable { say_error(answer, why); });
  }

  void say_position(const steward_question& q, steward_promise answer) {
    if (const auto replica = replica_of(q, answer); replica != nullptr)
      self_->request(replica, steward_step_limit, read_index_atom::value)
          .then([answer](std::uint64_t index) mutable { say(answer, ec::none, std::to_string(index)); },
                [answer](caf::error& why) mutable { say_error(answer, why); });
  }

  /// Null, and answered, when it does not run.
  replica_actor replica_of(const steward_question& q, steward_promise& answer) const {
    auto replica = standing_.replica(q.group);
    if (replica == nullptr)
      say(answer, ec::not_serving, "group " + std::to_string(q.group) + " is not running here");
    return replica;
  }

  stateful_steward_pointer self_;
  const steward_standing& standing_;
  steward_nodes& nodes_;
  steward_groups& groups_;
  steward_leads& leads_;
};

} // namespace

steward_actor::behavior_type steward(stateful_steward_pointer self, const runtime::environment& env, steward_options options,
                                     const runtime::cluster_view& cluster, runtime::shard_view& shards, const peer_view& peers) {
  runtime::prepare(self, env, steward_part);
  self->state.parts.emplace(self, env, std::move(options), cluster, shards, peers);
  auto w = std::make_shared<steward_work>(self, *self->state.parts);
  self->delayed_send(self, steward_tick, caf::tick_atom::value);
  return {
      [w](ask_atom, const std::string& node, const bytes_ptr& question) { return w->on_ask(node, question); },
      [w](caf::tick_atom) { w->on_tick(); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::cluster
