// One command of the console on its way: what was asked, what may be looked at, and the one answer.
#pragma once

#include "actors/console_cluster.hpp"
#include "actors/console_survey.hpp"
#include "messages/interfaces.hpp"
#include "messages/routed.hpp"
#include "runtime/environment.hpp"
#include "runtime/process.hpp"

#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace epione::actors {

/// What the console knows of its node besides the actors; handed in by whoever starts it.
struct console_ports {
  std::uint32_t shards = 0;  ///< besides the catalog's group 0
  std::uint32_t readers = 0; ///< "reader 0" and so on
  std::vector<std::pair<std::string, caf::weak_actor_ptr>>
      tops;                                    ///< supervisors that the directory does not know: nobody's children
  std::function<void()> request_stop;          ///< as SIGTERM; null: the node cannot be stopped from here
  std::optional<console_cluster> cluster;      ///< nothing: the node is alone
  std::optional<std::int64_t> started_ns;      ///< when the node was started, by the environment's clock
  std::function<std::optional<double>()> load; ///< of the machine, processes that run or want to; null: not known
};

/// Who waits for the console, by the number of the command. Shared with the commands' callbacks, but emptied by the actor's
/// state: an answer that a callback kept would keep its actor alive.
struct console_answers {
  std::map<std::uint64_t, caf::typed_response_promise<messages::console_reply_ptr>> waiting;
  std::uint64_t commands = 0;
};

struct admin_console_state {
  admin_console_state() = default;
  /// However the actor ends, nobody waits for an answer that will not come.
  ~admin_console_state();
  std::shared_ptr<console_answers> answers = std::make_shared<console_answers>();
  static inline const char* name = "admin_console";
};

/// Shared by the callbacks of one command. Used by the console actor alone. Whoever forgets to answer answers that it failed.
class console_call : public std::enable_shared_from_this<console_call> {
public:
  using pointer = messages::admin_console_actor::stateful_pointer<admin_console_state>;
  using promise = caf::typed_response_promise<messages::console_reply_ptr>;

  console_call(pointer self, const runtime::environment& env, const console_ports& ports, messages::console_request_ptr request,
               promise answer);
  ~console_call();
  console_call(const console_call&) = delete;
  console_call& operator=(const console_call&) = delete;

  // ---- what was asked ----------------------------------------------------------------------------------------------------

  /// The words behind the command's own, up to "because".
  const std::vector<std::string>& arguments() const { return arguments_; }
  /// The node of the last of them, "@NODE", which is not among them; empty without it.
  const std::string& at_node() const { return at_node_; }
  /// The same as one text: names of actors have spaces.
  const std::string& name() const { return name_; }
  /// Whether "because" is among the words.
  bool gives_reason() const { return gives_reason_; }
  /// What follows it; empty without it.
  const std::string& reason() const { return reason_; }
  bool json() const { return request_->json; }
  std::size_t width() const { return request_->columns; }
  const std::string& who() const { return request_->who; }
  const std::string& after() const { return request_->after; }

  // ---- what may be used --------------------------------------------------------------------------------------------------

  pointer self() const { return self_; }
  const runtime::environment& env() const { return env_; }
  const console_ports& ports() const { return ports_; }

  /// Looks at those who are named, or at everybody.
  void survey(survey_options options, std::function<void(const console_findings&)> then);
  /// Null when nobody is there under that name.
  caf::strong_actor_ptr find(std::string_view name) const;
  /// Those of these names as targets of a survey; who is not there is among them.
  std::vector<std::pair<std::string, caf::strong_actor_ptr>> targets(const std::vector<std::string>& names) const;
  /// Everybody of the node but its sessions.
  std::vector<std::pair<std::string, caf::strong_actor_ptr>> everybody() const;
  /// Makes the command an event of group 0: "console.ACTION" of the entity. `then` runs once it is durable, with an empty text.
  /// Where group 0 cannot take it, `then` runs all the same, with why not: an operator who mends it must not be stopped by what
  /// is broken. The log has it as an error, and the answer is to say so (done_unrecorded).
  void record(const std::string& action, const std::string& entity, std::function<void(const std::string&)> then);
  /// Null, and answered in one sentence, when this node is alone.
  const console_cluster* cluster();
  /// Asks a node of the cluster, this one too. `then` runs once, with the answer or why there is none, at the latest a margin
  /// after the limit.
  void ask_node(const std::string& node, messages::routed_kind kind, std::string question, std::uint32_t limit_ms,
                std::function<void(const tl::expected<std::string, std::string>&)> then);

  // ---- the answer, once --------------------------------------------------------------------------------------------------

  void done(std::string text, std::string message = {}, std::string cursor = {});
  void done_json(const nlohmann::ordered_json& value, std::string message = {}, std::string cursor = {});
  /// A sentence for people, a value for programs; `unrecorded`: why the command is not in the audit trail, empty when it is.
  void done_acting(const std::string& sentence, nlohmann::ordered_json value, const std::string& unrecorded);
  /// What another node's console said.
  void relay(const messages::console_reply& reply) { answer(reply.code, reply.text, reply.message, reply.cursor); }
  void usage(std::string message) { answer(runtime::exit_code::usage, {}, std::move(message), {}); }
  void failed(std::string message) { answer(runtime::exit_code::failed, {}, std::move(message), {}); }

private:
  void answer(int code, std::string text, std::string message, std::string cursor);

  pointer self_;
  const runtime::environment& env_;
  const console_ports& ports_;
  messages::console_request_ptr request_;
  std::shared_ptr<console_answers> answers_;
  std::uint64_t number_;
  std::vector<std::string> arguments_;
  std::string name_, reason_, at_node_;
  bool gives_reason_ = false;
};
using console_call_ptr = std::shared_ptr<console_call>;

/// The words "WORD N", N from 1 to `max`: N; no words at all: `otherwise`; nothing for any others.
std::optional<std::uint32_t> number_behind(std::span<const std::string> words, std::string_view word, std::uint32_t otherwise,
                                           std::uint32_t max);

/// A time limit in words: the actor's own where it has one.
std::string console_error_text(const caf::error& why, std::chrono::milliseconds limit);

} // namespace epione::actors
