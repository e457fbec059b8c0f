#include "actors/admin_console.hpp"

#include "actors/console_bridge.hpp"
#include "actors/console_commands.hpp"
#include "runtime/defaults.hpp"

#include <utility>

namespace epione::actors {

using namespace messages;

namespace {

/// A sentence about what is wrong with the words; empty when a command can be looked for.
std::string wrong_words(const console_request& request) {
  namespace d = runtime::defaults;
  if (request.words.empty())
    return "a command is missing; help lists them";
  if (request.words.size() > d::console_words_max)
    return "a command has at most " + std::to_string(d::console_words_max) + " words";
  for (const auto& word : request.words)
    if (word.size() > d::console_word_bytes_max)
      return "a word has at most " + std::to_string(d::console_word_bytes_max) + " bytes";
  return {};
}

/// A sentence about "because" where it does not belong, or with nothing behind it; empty otherwise.
std::string wrong_reason(const console_command& command, const console_call& call) {
  if (!call.gives_reason())
    return {};
  if (!command.changes)
    return std::string{command.name} + " changes nothing and takes no reason";
  return call.reason().empty() ? "the reason is missing behind \"because\"" : "";
}

/// Has another node's console answer.
void look_elsewhere(const std::shared_ptr<console_call>& call, const console_command& command) {
  namespace d = runtime::defaults;
  const auto& node = call->at_node();
  if (command.changes)
    return call->usage(command.completes == console_argument::node || command.completes == console_argument::shard_and_node
                           ? std::string{command.name} + " names its node without @: " + std::string{command.name} + " " +
                                 std::string{command.arguments}
                           : std::string{command.name} +
                                 " is not one to be sent to another node; say it at the console of node " + node);
  const auto* cluster = call->cluster();
  if (cluster == nullptr)
    return;
  if (node == cluster->node)
    return command.run(call);
  if (const auto nodes = cluster->nodes.get(); nodes != nullptr && nodes->find(node) == nullptr)
    return call->failed("there is no node \"" + node + "\" in the cluster; nodes lists them");
  std::vector<std::string> words{std::string{command.name}};
  words.insert(words.end(), call->arguments().begin(), call->arguments().end());
  call->ask_node(node, routed_kind::console,
                 bridge_question(words, call->json(), static_cast<std::uint32_t>(call->width()), call->after()),
                 command.limit_ms - 2 * d::console_margin_ms, [call, node](const auto& answer) {
                   if (!answer)
                     return call->failed("node " + node + ": " + answer.error());
                   const auto reply = decode_bridge_answer(*answer);
                   if (!reply)
                     return call->failed("node " + node + ": " + reply.error());
                   call->relay(*reply);
                 });
}

} // namespace

admin_console_actor::behavior_type admin_console(console_call::pointer self, const runtime::environment& env,
                                                 console_ports ports) {
  runtime::prepare(self, env, "console");
  const auto shared = std::make_shared<const console_ports>(std::move(ports));
  return {
      [self, &env, shared](console_atom, const console_request_ptr& request) {
        auto answer = self->make_response_promise<console_reply_ptr>();
        const auto call = std::make_shared<console_call>(self, env, *shared, request, answer);
        if (auto why = wrong_words(*request); !why.empty())
          call->usage(std::move(why));
        else if (const auto* command = find_console_command(request->words.front()); command == nullptr)
          call->usage("there is no command \"" + request->words.front() + "\"; help lists them");
        else if (command->run == nullptr)
          call->usage(request->words.front() + " is for a terminal: type it at the console's prompt");
        else if (auto wrong = wrong_reason(*command, *call); !wrong.empty())
          call->usage(std::move(wrong));
        else if (!call->at_node().empty())
          look_elsewhere(call, *command);
        else
          command->run(call);
        return answer;
      },
      [self](status_atom) {
        const auto& answers = *self->state.answers;
        return std::make_shared<const status_report>(status_report{
            "console",
            answers.waiting.empty() ? "idle" : "answering",
            {{"commands", std::to_string(answers.commands)}, {"under way", std::to_string(answers.waiting.size())}}});
      },
  };
}

} // namespace epione::actors
