#include "actors/region_outbox.hpp"

#include <utility>

namespace epione::actors {

using namespace messages;

void region_outbox::on_changed(outbox_actor outbox) {
  outbox_ = std::move(outbox);
  commands_.clear();
  if (standing_.serving)
    tell();
}

void region_outbox::on_closed() {
  commands_.clear();
  tell();
}

void region_outbox::on_propose(const command_ptr& command, bool soon) {
  if (!standing_.serving)
    return;
  commands_[command->id] = soon;
  self_->send(standing_.writer, propose_atom::value, standing_.epoch, command);
}

bool region_outbox::on_committed(std::uint64_t index, const domain::receipt& id) {
  const auto command = commands_.find(id);
  if (command == commands_.end())
    return false;
  if (index <= standing_.applied) {
    on_applied(id);
    return false;
  }
  if (command->second)
    self_->send(standing_.replica, flush_atom::value);
  return true;
}

void region_outbox::on_applied(const domain::receipt& id) {
  if (commands_.erase(id) != 0 && outbox_ != nullptr)
    self_->send(outbox_, applied_atom::value, id);
}

void region_outbox::on_applied(std::uint64_t index) {
  if (outbox_ != nullptr && standing_.serving)
    self_->send(outbox_, applied_atom::value, index);
}

void region_outbox::tell() {
  if (outbox_ == nullptr)
    return;
  if (standing_.serving)
    self_->send(outbox_, serving_atom::value, standing_.epoch);
  else
    self_->send(outbox_, closed_atom::value, standing_.epoch);
}

} // namespace epione::actors
