#include "node/admin_answers.hpp"

#include "actors/console_commands.hpp"
#include "node/cluster_answers.hpp"
#include "node/study_import.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "runtime/process.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <sstream>
#include <utility>

namespace epione::node {

using namespace messages;
using std::chrono::milliseconds;

namespace {

/// Empty without it.
std::string text_argument(const runtime::admin_request& r, const char* name) {
  const auto found = r.arguments.find(name);
  return found == r.arguments.end() ? std::string{} : found->second;
}

/// `otherwise`: it is missing, or no number.
template <class Number>
Number number_argument(const runtime::admin_request& r, const char* name, Number otherwise) {
  const auto text = text_argument(r, name);
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

runtime::admin_reply failed_reply(std::string why) {
  return {runtime::exit_code::failed, std::move(why), {}};
}

runtime::admin_reply answer_console(const runtime::admin_request& r, const std::string& user, const running_parts& parts) {
  auto request = std::make_shared<console_request>();
  std::istringstream words{text_argument(r, "words")};
  for (std::string word; std::getline(words, word);)
    request->words.push_back(word);
  request->json = text_argument(r, "json") == "true";
  request->columns = number_argument(r, "columns", request->columns);
  request->who = user;
  request->after = text_argument(r, "after");
  const auto* command = request->words.empty() ? nullptr : actors::find_console_command(request->words.front());
  const milliseconds limit{std::max(command != nullptr ? command->limit_ms : 0, runtime::defaults::console_status_limit_ms) +
                           runtime::defaults::console_margin_ms};
  const auto console = parts.tree.console();
  if (console == nullptr)
    return failed_reply("the console is not running; the log says why");
  runtime::admin_reply reply;
  caf::scoped_actor self{parts.system, true};
  self->request(console, limit, console_atom::value, console_request_ptr{request})
      .receive(
          [&](const console_reply_ptr& answer) {
            reply = {answer->code, answer->message, {{"text", answer->text}, {"cursor", answer->cursor}}};
          },
          [&](caf::error& why) { reply = failed_reply("the console did not answer: " + runtime::error_text(why)); });
  return reply;
}

runtime::admin_reply answer_study_import(const runtime::admin_request& r, const std::string& user, const running_parts& parts) {
  const auto bytes = r.arguments.find("source");
  if (bytes == r.arguments.end())
    return {runtime::exit_code::usage, "study-import needs the argument 'source'", {}};
  auto source = domain::decode_study_source(bytes->second);
  if (!source)
    return {runtime::exit_code::usage, "the study cannot be read: " + source.error(), {}};
  return reply_of(import_into_catalog(parts.system, parts.tree, parts.run, *source, user, given_up_when::ended));
}

runtime::admin_reply answer_apply_committed(const runtime::admin_request& r, const running_parts& parts) {
  // Who asks for several groups one after the other says what is left of the time for all of them.
  constexpr std::uint64_t most_ms = runtime::defaults::export_apply_limit_ms;
  const auto asked_ms = r.arguments.contains("limit_ms") ? number_argument(r, "limit_ms", std::uint64_t{0}) : most_ms;
  const milliseconds limit{static_cast<std::int64_t>(std::clamp<std::uint64_t>(asked_ms, 1, most_ms))};
  const auto group = static_cast<std::uint32_t>(number_argument(r, "group", std::uint64_t{0}));
  auto why = have_applied(group, number_argument(r, "index", std::uint64_t{0}), limit, parts);
  return why ? failed_reply(std::move(*why)) : runtime::admin_reply{};
}

/// Has group 0 keep how far the chains are now; answered once this node's store has it.
runtime::admin_reply answer_anchor(const running_parts& parts) {
  const auto keeper = parts.tree.directory().get<anchor_keeper_actor>("anchors");
  if (keeper == nullptr)
    return failed_reply("the keeper of anchors is not running; the log says why");
  runtime::admin_reply reply;
  caf::scoped_actor self{parts.system, true};
  self->request(keeper, milliseconds{runtime::defaults::anchor_answer_limit_ms + runtime::defaults::console_margin_ms},
                anchor_atom::value)
      .receive([](bool) {},
               [&](caf::error& why) {
                 reply = failed_reply("the chains' heads were not kept in group 0: " + runtime::error_text(why));
               });
  if (reply.code != runtime::exit_code::done)
    return reply;
  // Also when there was nothing to say: what other nodes said may not have come to this one yet.
  const auto limit = milliseconds{runtime::defaults::backup_ask_limit_ms};
  const auto index = parts.cluster != nullptr
                         ? committed_in(0, parts.system, parts.tree, *parts.cluster, std::chrono::steady_clock::now() + limit)
                         : tl::expected<std::uint64_t, std::string>{0};
  if (auto why = index ? have_applied(0, *index, limit, parts) : std::optional{index.error()})
    return failed_reply(std::move(*why));
  return reply;
}

} // namespace

runtime::admin_reply answer_admin(const runtime::admin_request& r, const std::string& user, const running_parts& parts) {
  if (r.command == "console")
    return answer_console(r, user, parts);
  if (r.command == "study-import")
    return answer_study_import(r, user, parts);
  if (r.command == "apply-committed")
    return answer_apply_committed(r, parts);
  if (r.command == "anchor")
    return answer_anchor(parts);
  if (!r.command.starts_with("cluster-"))
    return {runtime::exit_code::usage, "this node does not know the command '" + r.command + "'", {}};
  if (parts.cluster == nullptr)
    return failed_reply("this node is alone: it was started without --cluster");
  return answer_cluster(r, user, parts.system, parts.tree, *parts.cluster, parts.shards);
}

std::optional<std::string> have_applied(std::uint32_t group, std::uint64_t index, milliseconds limit,
                                        const running_parts& parts) {
  const auto name = "group " + std::to_string(group);
  const auto replica = parts.tree.directory().get<replica_actor>("replica " + std::to_string(group));
  if (replica == nullptr)
    return name + " is not running here; the log says why";
  std::optional<std::string> why;
  caf::scoped_actor self{parts.system, true};
  self->request(replica, limit, flush_atom::value, index)
      .receive([](std::uint64_t) {},
               [&](caf::error& x) {
                 why = name + " has not applied all that is committed (it was asked for " + std::to_string(limit.count()) +
                       " ms at most): " + runtime::sentence_of(x);
               });
  return why;
}

} // namespace epione::node
