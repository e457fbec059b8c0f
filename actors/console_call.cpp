#include "actors/console_call.hpp"

#include "actors/operator_act.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <charconv>

namespace epione::actors {

using namespace messages;
namespace exit_code = runtime::exit_code;
using std::chrono::milliseconds;

namespace {

std::string joined(std::vector<std::string>::const_iterator from, std::vector<std::string>::const_iterator to) {
  std::string text;
  for (; from != to; ++from)
    text += (text.empty() ? "" : " ") + *from;
  return text;
}

} // namespace

std::optional<std::uint32_t> number_behind(std::span<const std::string> words, std::string_view word, std::uint32_t otherwise,
                                           std::uint32_t max) {
  if (words.empty())
    return otherwise;
  std::uint32_t number = 0;
  if (words.size() != 2 || words[0] != word)
    return std::nullopt;
  const auto* last = words[1].data() + words[1].size();
  const auto [end, error] = std::from_chars(words[1].data(), last, number);
  return error == std::errc{} && end == last && number >= 1 && number <= max ? std::optional{number} : std::nullopt;
}

std::string console_error_text(const caf::error& why, milliseconds limit) {
  if (why == caf::sec::request_timeout)
    return "no answer within " + std::to_string(limit.count()) + " ms";
  if (why == caf::sec::request_receiver_down)
    return "it is not running";
  const auto text = runtime::context_text(why);
  return text.empty() ? runtime::error_text(why) : text;
}

admin_console_state::~admin_console_state() {
  auto reply = std::make_shared<console_reply>();
  reply->code = exit_code::failed;
  reply->message = "the console was restarted; whether it was carried out is unknown";
  for (auto& [number, answer] : std::exchange(answers->waiting, {}))
    answer.deliver(console_reply_ptr{reply});
}

console_call::console_call(pointer self, const runtime::environment& env, const console_ports& ports, console_request_ptr request,
                           promise answer)
    : self_(self), env_(env), ports_(ports), request_(std::move(request)), answers_(self->state.answers),
      number_(++answers_->commands) {
  answers_->waiting.emplace(number_, std::move(answer));
  const auto& words = request_->words;
  if (words.empty())
    return;
  const auto because = std::find(words.cbegin() + 1, words.cend(), "because");
  arguments_.assign(words.cbegin() + 1, because);
  if (!arguments_.empty() && arguments_.back().size() > 1 && arguments_.back().front() == '@') {
    at_node_ = arguments_.back().substr(1);
    arguments_.pop_back();
  }
  name_ = joined(arguments_.cbegin(), arguments_.cend());
  gives_reason_ = because != words.cend();
  if (gives_reason_)
    reason_ = joined(because + 1, words.cend());
}

console_call::~console_call() {
  failed("the console gave the command up; whether it was carried out is unknown"); // unless it is answered
}

std::vector<std::pair<std::string, caf::strong_actor_ptr>> console_call::targets(const std::vector<std::string>& names) const {
  std::vector<std::pair<std::string, caf::strong_actor_ptr>> result;
  result.reserve(names.size());
  for (const auto& name : names)
    result.emplace_back(name, find(name));
  return result;
}

caf::strong_actor_ptr console_call::find(std::string_view name) const {
  for (const auto& [top, actor] : ports_.tops)
    if (top == name)
      return caf::actor_cast<caf::strong_actor_ptr>(actor);
  return env_.directory->find(name);
}

std::vector<std::pair<std::string, caf::strong_actor_ptr>> console_call::everybody() const {
  auto all = env_.directory->all();
  for (const auto& [name, actor] : ports_.tops)
    if (auto there = caf::actor_cast<caf::strong_actor_ptr>(actor); there != nullptr)
      all.emplace_back(name, std::move(there));
  return all;
}

void console_call::survey(survey_options options, std::function<void(const console_findings&)> then) {
  if (options.tree)
    for (auto& [name, actor] : everybody())
      if (is_supervisor(actor))
        options.supervisors.emplace_back(name, std::move(actor));
  options.limit = milliseconds{runtime::defaults::console_status_limit_ms};
  const auto limit = options.window + options.limit + milliseconds{runtime::defaults::console_margin_ms};
  const auto surveyor = runtime::spawn_actor<caf::hidden + caf::linked>(*self_, env_, console_survey, std::move(options));
  self_->request(surveyor, limit, status_atom::value)
      .then([then = std::move(then)](const console_findings_ptr& found) { then(*found); },
            [call = shared_from_this(), limit](const caf::error& why) {
              call->failed("the actors could not be looked at: " + console_error_text(why, limit));
            });
}

void console_call::record(const std::string& action, const std::string& entity, std::function<void(const std::string&)> then) {
  const auto act = record_of_act(env_, who(), "console." + action, entity, reason_);
  const auto recorded = [call = shared_from_this(), act, then](const std::string& why) {
    log_act(call->env_, "console", *act, why);
    then(why);
  };
  const auto catalog = env_.directory->get<catalog_actor>("catalog");
  if (catalog == nullptr)
    return recorded("the catalog is not running");
  constexpr milliseconds limit{runtime::defaults::console_record_limit_ms};
  self_->request(catalog, limit, record_atom::value, act)
      .then([recorded](bool) { recorded({}); },
            [recorded, limit](const caf::error& why) { recorded("the catalog: " + console_error_text(why, limit)); });
}

const console_cluster* console_call::cluster() {
  if (ports_.cluster)
    return &*ports_.cluster;
  failed("this node is alone: it was started without --cluster, and has neither other nodes nor links");
  return nullptr;
}

void console_call::ask_node(const std::string& node, routed_kind kind, std::string question, std::uint32_t limit_ms,
                            std::function<void(const tl::expected<std::string, std::string>&)> then) {
  const auto router = env_.directory->get<router_actor>("router");
  if (router == nullptr)
    return then(tl::unexpected<std::string>("the router is not running; the log says why"));
  const milliseconds limit{limit_ms + runtime::defaults::console_margin_ms};
  self_->request(router, limit, ask_atom::value, node, kind, std::make_shared<const std::string>(std::move(question)), limit_ms)
      .then([then](const bytes_ptr& bytes) { then(*bytes); },
            [then, limit](const caf::error& why) { then(tl::unexpected(console_error_text(why, limit))); });
}

void console_call::done(std::string text, std::string message, std::string cursor) {
  answer(exit_code::done, std::move(text), std::move(message), std::move(cursor));
}

void console_call::done_json(const nlohmann::ordered_json& value, std::string message, std::string cursor) {
  answer(exit_code::done, value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n", std::move(message),
         std::move(cursor));
}

void console_call::done_acting(const std::string& sentence, nlohmann::ordered_json value, const std::string& unrecorded) {
  const auto message = unrecorded_text(unrecorded);
  if (!json())
    return done(sentence + "\n", message);
  value["recorded"] = unrecorded.empty();
  done_json(value, message);
}

void console_call::answer(int code, std::string text, std::string message, std::string cursor) {
  auto waiting = answers_->waiting.extract(number_);
  if (waiting.empty())
    return;
  auto reply = std::make_shared<console_reply>();
  reply->code = code;
  reply->text = std::move(text);
  reply->message = std::move(message);
  reply->cursor = std::move(cursor);
  waiting.mapped().deliver(console_reply_ptr{std::move(reply)});
}

} // namespace epione::actors
