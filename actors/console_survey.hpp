// Looks at many actors at once for one question of the console: how they are, what waits for them, how much they handle, and who
// is whose child. One that is stuck is shown as that and hides nobody.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"
#include "runtime/mailbox_sample.hpp"

#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::actors {

/// What is known of one actor.
struct actor_facts {
  std::string name;
  bool supervises = false;
  bool answered = false;
  std::string state; ///< its own word; "no answer within ..." or "down" without one
  std::vector<std::pair<std::string, std::string>> details;
  std::optional<std::uint64_t> mailbox;        ///< messages that wait; nothing: it did not come to say
  std::optional<double> rate;                  ///< messages a second; nothing when they were not counted
  std::optional<messages::child_report> child; ///< what its supervisor says; nothing: nobody's child, or that one is silent
  const std::string* detail(std::string_view key) const;
};

struct console_findings {
  std::vector<actor_facts> actors;  ///< in the order they were asked for
  messages::child_reports children; ///< of every supervisor that answered, in its order; also of those that do not run
  std::vector<std::string> silent;  ///< supervisors that did not answer
  const actor_facts* find(std::string_view name) const;
  const messages::child_report* child(std::string_view name) const;
};
using console_findings_ptr = std::shared_ptr<const console_findings>;

/// Whether this is a supervisor, which can be asked for its children.
bool is_supervisor(const caf::strong_actor_ptr& who);

} // namespace epione::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::actors::console_findings_ptr)

namespace epione::actors {

struct survey_options {
  std::vector<std::pair<std::string, caf::strong_actor_ptr>> targets;     ///< asked for everything; null: not there
  bool tree = false;                                                      ///< ask for children as well ...
  std::vector<std::pair<std::string, caf::strong_actor_ptr>> supervisors; ///< ... these supervisors
  std::chrono::milliseconds window{0};                                    ///< to count messages in; 0: no rates
  std::chrono::milliseconds limit{1'000};                                 ///< for an actor to answer
};

/// Answers once, within window and limit, and then ends.
using console_survey_actor =
    caf::typed_actor<caf::replies_to<messages::status_atom>::with<console_findings_ptr>, caf::reacts_to<caf::tick_atom>>;

struct console_survey_state {
  console_survey_state() = default;
  survey_options options;
  std::shared_ptr<console_findings> found = std::make_shared<console_findings>();
  std::vector<std::optional<std::uint64_t>> handled; ///< before the window
  std::vector<runtime::mailbox_sample_ptr> mailboxes;
  std::int64_t begun_ns = 0;
  std::size_t missing = 0;
  caf::typed_response_promise<console_findings_ptr> answer;
  static inline const char* name = "console_survey";
};

console_survey_actor::behavior_type console_survey(console_survey_actor::stateful_pointer<console_survey_state> self,
                                                   const runtime::environment& env, survey_options options);

} // namespace epione::actors
