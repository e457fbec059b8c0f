#include "actors/region_set_aside.hpp"

#include "domain/event.hpp"
#include "domain/msgpack.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace epione::actors {

messages::command_ptr set_aside_command(const messages::submission& s, std::uint32_t crashes, std::int64_t now_us) {
  domain::event event;
  event.time_us = now_us;
  event.who = "subject:" + s.subject;
  event.role = "patient";
  event.action = "submission.set-aside";
  event.entity = s.study + "/" + s.subject + "/" + to_text(s.id);
  if (s.kind == messages::content_kind::data)
    event.after = s.content;
  else
    domain::append_string(event.after, s.content);
  event.reason = "its check failed " + std::to_string(crashes) + " times";
  auto command = std::make_shared<domain::command>();
  command->type = domain::command_type::record;
  command->subject_hash = s.subject_hash;
  command->id = s.id;
  command->content = s.fingerprint;
  command->event = domain::encode(event);
  return command;
}

void region_set_aside::remember(const domain::receipt& id, const domain::fingerprint& content) {
  known_.emplace_back(id, content);
  if (known_.size() > runtime::defaults::set_aside_remembered_max)
    known_.pop_front();
}

void region_set_aside::forget(const domain::receipt& id) {
  std::erase_if(known_, [&](const auto& known) { return known.first == id; });
}

bool region_set_aside::has(const messages::submission& s) const {
  return std::any_of(known_.begin(), known_.end(),
                     [&](const auto& known) { return known.first == s.id && known.second == s.fingerprint; });
}

} // namespace epione::actors
