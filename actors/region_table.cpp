#include "actors/region_table.hpp"

namespace epione::actors {

region_table::entry* region_table::find(const domain::receipt& id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

region_table::entry* region_table::find(const domain::receipt& id, phase at) {
  auto* e = find(id);
  return e != nullptr && e->at == at ? e : nullptr;
}

void region_table::add(const domain::receipt& id, entry e, waiter sender) {
  wait(e, std::move(sender));
  entries_.emplace(id, std::move(e));
}

void region_table::wait(entry& e, waiter w) {
  e.bytes += w.what->content.size();
  bytes_ += w.what->content.size();
  e.who.push_back(std::move(w));
}

void region_table::drop_waiters_before(std::int64_t oldest_ns) {
  for (auto& [id, e] : entries_)
    while (e.who.size() > 1 && e.who[1].what->received_ns < oldest_ns) {
      e.bytes -= e.who[1].what->content.size();
      bytes_ -= e.who[1].what->content.size();
      e.who.erase(e.who.begin() + 1);
    }
}

region_table::waiters region_table::take(const domain::receipt& id) {
  const auto found = entries_.find(id);
  auto who = std::move(found->second.who);
  bytes_ -= found->second.bytes;
  entries_.erase(found);
  return who;
}

void region_table::clear() {
  entries_.clear();
  bytes_ = 0;
}

} // namespace epione::actors
