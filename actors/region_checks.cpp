#include "actors/region_checks.hpp"

#include <utility>

namespace epione::actors {

using namespace messages;

const char* region_checks::begin(region_table::entry& e, const submission_ptr& what) {
  const auto v = pick();
  if (!v)
    return "no validator is running; try again";
  auto* session = sessions_.use(what->subject_hash);
  if (session == nullptr)
    return "no reader of the store is running; try again";
  e.at = region_table::phase::checking;
  e.session_serial = session->serial;
  e.validator = *v;
  ++session->checking;
  self_->send(session->actor, submit_atom::value, what, validators_[*v].now);
  return nullptr;
}

void region_checks::end(const region_table::entry& e) {
  if (auto* s = sessions_.find(e.subject_hash, e.session_serial); s != nullptr && s->checking > 0)
    --s->checking;
}

bool region_checks::is_with_sender(const region_table::entry& e) {
  const auto* s = sessions_.find(e.subject_hash, e.session_serial);
  return e.at == region_table::phase::checking && s != nullptr && self_->current_sender() == s->actor;
}

std::optional<std::uint32_t> region_checks::pick() {
  const auto n = static_cast<std::uint32_t>(validators_.size());
  for (std::uint32_t i = 0; i < n; ++i) {
    const auto v = next_++ % n;
    if (validators_[v].now != nullptr)
      return v;
  }
  return std::nullopt;
}

void region_checks::send_to(std::uint32_t validator, const submission_ptr& what) {
  self_->send(validators_[validator].now, check_atom::value, what, assessment_client{self_});
}

void region_checks::on_started(std::uint32_t place, validator_actor actor) {
  auto& v = validators_[place];
  self_->monitor(actor);
  if (v.now != nullptr && v.now != actor) {
    v.next = std::move(actor);
    return;
  }
  v.now = std::move(actor);
  check_parked();
}

std::optional<std::uint32_t> region_checks::on_down(const caf::actor_addr& who) {
  std::optional<std::uint32_t> place;
  for (std::uint32_t i = 0; i < validators_.size(); ++i) {
    auto& v = validators_[i];
    if (v.next != nullptr && v.next.address() == who)
      v.next = nullptr; // it was given nothing yet
    if (v.now == nullptr || v.now.address() != who)
      continue;
    v.now = nullptr;
    place = i;
  }
  return place;
}

void region_checks::recheck(std::uint32_t place, const std::optional<domain::receipt>& culprit,
                            const std::function<bool(const domain::receipt&, region_table::entry&)>& crashed) {
  for (const auto& id : in_hand_of(place)) {
    auto& e = *table_.find(id);
    if (!culprit || id != *culprit || !crashed(id, e))
      recheck(e);
  }
}

void region_checks::replace(std::uint32_t place) {
  auto& v = validators_[place];
  v.now = std::exchange(v.next, {});
  if (v.now != nullptr)
    check_parked();
}

std::vector<domain::receipt> region_checks::in_hand_of(std::uint32_t validator) const {
  return table_.ids_if([validator](const auto& e) { return e.at == region_table::phase::checking && e.validator == validator; });
}

void region_checks::recheck(region_table::entry& e) {
  const auto v = pick();
  e.validator = v ? *v : parked;
  const auto* session = sessions_.find(e.subject_hash);
  if (v && session != nullptr)
    self_->send(session->actor, recheck_atom::value, e.who.front().what, validators_[*v].now);
}

void region_checks::check_parked() {
  for (const auto& id : in_hand_of(parked))
    recheck(*table_.find(id));
}

} // namespace epione::actors
