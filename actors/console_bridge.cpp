#include "actors/console_bridge.hpp"

#include "actors/console_call.hpp"
#include "actors/console_commands.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

namespace epione::actors {

using namespace messages;
using caf::make_error;
using nlohmann::json;
using std::chrono::milliseconds;

namespace {

using bridge_pointer = question_receiver_actor::stateful_pointer<console_bridge_state>;

/// Null: not a question of this kind.
std::shared_ptr<console_request> decode_question(const std::string& bytes) {
  const auto q = json::parse(bytes, nullptr, false);
  if (!q.is_object() || !q.contains("words") || !q["words"].is_array())
    return nullptr;
  auto request = std::make_shared<console_request>();
  for (const auto& word : q["words"]) {
    if (!word.is_string())
      return nullptr;
    request->words.push_back(word.get<std::string>());
  }
  const auto as_json = q.find("json"), columns = q.find("columns"), after = q.find("after");
  request->json = as_json != q.end() && as_json->is_boolean() && as_json->get<bool>();
  if (columns != q.end() && columns->is_number_unsigned())
    request->columns = columns->get<std::uint32_t>();
  if (after != q.end() && after->is_string())
    request->after = after->get<std::string>();
  return request;
}

std::string encode_answer(const console_reply& reply) {
  return json{{"code", reply.code}, {"text", reply.text}, {"message", reply.message}, {"cursor", reply.cursor}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

caf::result<bytes_ptr> answer_question(bridge_pointer self, const runtime::environment& env, const std::string& node,
                                       const std::string& bytes) {
  auto request = decode_question(bytes);
  if (request == nullptr || request->words.empty() || request->words.back().starts_with('@')) // it would go on and on
    return make_error(ec::invalid, "a question that cannot be read");
  const auto* command = find_console_command(request->words.front());
  if (command == nullptr || command->run == nullptr || command->changes)
    return make_error(ec::invalid, "the command " + request->words.front() + " is not one to be taken from another node");
  const auto console = env.directory->get<admin_console_actor>("console");
  if (console == nullptr)
    return make_error(ec::not_serving, "its console is not running");
  request->who = "node:" + node;
  auto answer = self->make_response_promise<bytes_ptr>();
  self->request(console, milliseconds{command->limit_ms}, console_atom::value, console_request_ptr{std::move(request)})
      .then(
          [answer](const console_reply_ptr& reply) mutable {
            answer.deliver(std::make_shared<const std::string>(encode_answer(*reply)));
          },
          [answer, command](const caf::error& why) mutable {
            answer.deliver(make_error(ec::time_limit, console_error_text(why, milliseconds{command->limit_ms})));
          });
  return answer;
}

} // namespace

std::string bridge_question(const std::vector<std::string>& words, bool as_json, std::uint32_t columns,
                            const std::string& after) {
  return json{{"words", words}, {"json", as_json}, {"columns", columns}, {"after", after}}.dump(-1, ' ', false,
                                                                                                json::error_handler_t::replace);
}

tl::expected<console_reply, std::string> decode_bridge_answer(const std::string& bytes) {
  const auto a = json::parse(bytes, nullptr, false);
  const auto is_text = [&](const char* key) { return a.contains(key) && a[key].is_string(); };
  if (!a.is_object() || !a.contains("code") || !a["code"].is_number_integer() || !is_text("text") || !is_text("message") ||
      !is_text("cursor"))
    return tl::unexpected<std::string>("its answer cannot be read");
  return console_reply{a["code"].get<int>(), a["text"].get<std::string>(), a["message"].get<std::string>(),
                       a["cursor"].get<std::string>()};
}

question_receiver_actor::behavior_type console_bridge(bridge_pointer self, const runtime::environment& env) {
  runtime::prepare(self, env, "console bridge");
  return {
      [self, &env](ask_atom, const std::string& node, const bytes_ptr& question) {
        ++self->state.questions;
        return answer_question(self, env, node, *question);
      },
      [self](status_atom) {
        return std::make_shared<const status_report>(
            status_report{"console bridge", "waits", {{"questions", std::to_string(self->state.questions)}}});
      },
  };
}

} // namespace epione::actors
