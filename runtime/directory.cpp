#include "runtime/directory.hpp"

namespace epione::runtime {

using messages::changed_atom;

namespace {

/// Null once the actor has ended, also while somebody still holds it.
caf::strong_actor_ptr alive(const caf::weak_actor_ptr& weak) {
  auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak);
  if (strong != nullptr && caf::actor_cast<caf::abstract_actor*>(strong)->getf(caf::abstract_actor::is_terminated_flag))
    return nullptr;
  return strong;
}

} // namespace

void directory::put(const std::string& name, const caf::strong_actor_ptr& who) {
  if (who == nullptr)
    return;
  std::lock_guard guard{mutex_};
  entries_[name] = caf::weak_actor_ptr{who.get()};
  tell(name, who);
}

void directory::remove(const std::string& name) {
  std::lock_guard guard{mutex_};
  if (entries_.erase(name) != 0)
    tell(name, nullptr);
}

caf::strong_actor_ptr directory::find(std::string_view name) const {
  std::lock_guard guard{mutex_};
  const auto i = entries_.find(name);
  return i == entries_.end() ? nullptr : alive(i->second);
}

void directory::subscribe(const directory_subscriber& who) {
  std::lock_guard guard{mutex_};
  subscribers_.push_back(caf::actor_cast<caf::weak_actor_ptr>(who));
  for (const auto& [name, entry] : entries_)
    if (auto present = alive(entry))
      caf::anon_send(who, changed_atom::value, name, std::move(present));
}

std::vector<std::pair<std::string, caf::strong_actor_ptr>> directory::all() const {
  std::lock_guard guard{mutex_};
  std::vector<std::pair<std::string, caf::strong_actor_ptr>> result;
  for (const auto& [name, entry] : entries_)
    if (auto present = alive(entry))
      result.emplace_back(name, std::move(present));
  return result;
}

void directory::clear() {
  std::lock_guard guard{mutex_};
  entries_.clear();
  subscribers_.clear();
}

// Sent under the lock, so that every subscriber sees the changes in their order.
void directory::tell(const std::string& name, const caf::strong_actor_ptr& who) {
  std::erase_if(subscribers_, [&](const auto& weak) {
    const auto subscriber = alive(weak);
    if (subscriber == nullptr)
      return true;
    caf::anon_send(caf::actor_cast<directory_subscriber>(subscriber), changed_atom::value, name, who);
    return false;
  });
}

} // namespace epione::runtime
