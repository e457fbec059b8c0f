#include "actors/region_reads.hpp"

#include "runtime/mutation.hpp"

#include <utility>

namespace epione::actors {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

void region_reads::on_read(ticket t, const read_request_ptr& what, const list_client& client) {
  read r{t, what, client, env_.clock.now_ns()};
  if (!standing_.serving)
    return mutated(mutation::read_at_follower) ? read_now(r) : refuse(r, standing_.why_not);
  const auto* first = what->after ? table_.find(*what->after) : nullptr;
  if (first != nullptr && first->at != region_table::phase::committed)
    after_.emplace(*what->after, std::move(r));
  else
    ask_index(std::move(r));
}

void region_reads::on_index(std::uint64_t epoch, ticket t, std::uint64_t index) {
  const auto found = asked_.find(t);
  if (found == asked_.end())
    return;
  auto r = std::move(found->second);
  asked_.erase(found);
  if (epoch != standing_.epoch || index == 0) {
    refuse(r, ec::not_serving);
  } else if (index <= standing_.applied || mutated(mutation::read_before_applied)) {
    read_now(r);
  } else {
    held_.emplace(index, std::move(r));
    self_->send(standing_.replica, flush_atom::value);
  }
}

void region_reads::on_applied(std::uint64_t index) {
  const auto end = held_.upper_bound(index);
  for (auto it = held_.begin(); it != end; ++it)
    read_now(it->second);
  held_.erase(held_.begin(), end);
  if (!held_.empty()) // more than the store is sent at once
    self_->send(standing_.replica, flush_atom::value);
}

void region_reads::on_settled(const domain::receipt& id) {
  if (after_.empty())
    return;
  const auto [begin, end] = after_.equal_range(id);
  for (auto it = begin; it != end; ++it)
    ask_index(std::move(it->second));
  after_.erase(begin, end);
}

void region_reads::refuse_all(ec why) {
  for (const auto& [t, r] : asked_)
    refuse(r, why);
  for (const auto& [index, r] : held_)
    refuse(r, why);
  for (const auto& [id, r] : after_)
    refuse(r, why);
  asked_.clear();
  held_.clear();
  after_.clear();
}

void region_reads::drop_late() {
  const auto oldest_ns = env_.clock.now_ns() - std::int64_t{request_limit_ms_} * 1'000'000;
  const auto late = [&](const auto& r) { return r.second.asked_ns < oldest_ns; };
  std::erase_if(asked_, late);
  std::erase_if(held_, late);
  std::erase_if(after_, late);
}

void region_reads::ask_index(read r) {
  const auto t = r.to;
  self_->send(standing_.replica, read_index_atom::value, standing_.epoch, t);
  asked_.emplace(t, std::move(r));
}

void region_reads::read_now(const read& r) {
  const auto reader = standing_.reader_of(r.what->subject_hash);
  if (reader == nullptr)
    refuse(r, ec::not_serving);
  else
    self_->send(reader, list_atom::value, r.to, r.what, r.client);
}

void region_reads::refuse(const read& r, ec why) {
  self_->send(r.client, list_atom::value, r.to, r.what, stored_events_ptr{}, caf::make_error(why));
}

} // namespace epione::actors
