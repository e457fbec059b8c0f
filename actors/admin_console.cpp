#include "actors/admin_console.hpp"

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
