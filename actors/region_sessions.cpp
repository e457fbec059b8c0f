#include "actors/region_sessions.hpp"

#include "actors/patient_session.hpp"
#include "runtime/mutation.hpp"

#include <memory>
#include <utility>

namespace epione::actors {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

region_sessions::~region_sessions() {
  for (auto& [hash, s] : sessions_)
    caf::anon_send_exit(s.actor, caf::exit_reason::user_shutdown);
}

std::string region_sessions::starts_text() const {
  const auto limit = ramp_.starts_per_s(env_.clock.now_ns());
  return limit == 0 ? "no limit" : std::to_string(limit);
}

region_sessions::session* region_sessions::find(std::uint64_t subject_hash) {
  const auto found = sessions_.find(subject_hash);
  return found == sessions_.end() ? nullptr : &found->second;
}

region_sessions::session* region_sessions::find(std::uint64_t subject_hash, std::uint64_t serial) {
  auto* s = find(subject_hash);
  return s != nullptr && s->serial == serial ? s : nullptr;
}

session_lines_ptr region_sessions::newest(std::uint32_t limit) const {
  auto lines = std::make_shared<session_lines>();
  const auto now = env_.clock.now_ns();
  for (auto hash = by_use_.rbegin(); hash != by_use_.rend() && lines->size() < limit; ++hash) {
    const auto& s = sessions_.at(*hash);
    lines->push_back({options_.shard, *hash, (now - s.used_ns) / 1'000'000, s.checking});
  }
  return lines;
}

region_sessions::session* region_sessions::use(std::uint64_t subject_hash) {
  if (auto* s = find(subject_hash); s != nullptr) {
    s->used_ns = env_.clock.now_ns();
    by_use_.splice(by_use_.end(), by_use_, s->place);
    return s;
  }
  const auto reader = standing_.reader_of(subject_hash);
  if (reader == nullptr)
    return nullptr;
  if (sessions_.size() >= options_.sessions_max)
    end_least_used();
  return &start(subject_hash, reader);
}

region_sessions::session& region_sessions::start(std::uint64_t subject_hash, const store_reader_actor& reader) {
  const auto now = env_.clock.now_ns();
  const auto serial = next_serial_++;
  auto actor =
      runtime::spawn_uncounted(*self_, env_, patient_session, options_.shard, subject_hash, shard_region_actor{self_}, reader);
  caf::actor_cast<caf::abstract_actor*>(actor)->attach_functor(
      [me = shard_region_actor{self_}, subject_hash, serial](const caf::error&) {
        caf::anon_send(me, ended_atom::value, subject_hash, serial);
      });
  ramp_.started(now);
  metrics_.session_starts.Increment();
  auto& s = sessions_[subject_hash];
  s.actor = std::move(actor);
  s.serial = serial;
  s.used_ns = now;
  s.place = by_use_.insert(by_use_.end(), subject_hash);
  return s;
}

void region_sessions::end(std::uint64_t subject_hash) {
  const auto found = sessions_.find(subject_hash);
  if (mutated(mutation::session_takes_pending_along))
    static_cast<void>(table_.take_if(
        [subject_hash](const auto& e) { return e.subject_hash == subject_hash && e.at == region_table::phase::committed; }));
  self_->send_exit(found->second.actor, caf::exit_reason::user_shutdown);
  by_use_.erase(found->second.place);
  sessions_.erase(found);
}

void region_sessions::end_least_used() {
  for (auto hash : by_use_) {
    if (sessions_.at(hash).checking == 0) {
      end(hash);
      return;
    }
  }
}

void region_sessions::end_all() {
  while (!by_use_.empty())
    end(by_use_.front());
}

void region_sessions::end_idle() {
  const auto oldest_ns = env_.clock.now_ns() - std::int64_t{options_.idle_limit_ms} * 1'000'000;
  while (!by_use_.empty()) {
    const auto& s = sessions_.at(by_use_.front());
    if (s.used_ns > oldest_ns || s.checking > 0)
      break;
    end(by_use_.front());
  }
}

bool region_sessions::on_ended(std::uint64_t subject_hash, std::uint64_t serial) {
  const auto* s = find(subject_hash, serial);
  if (s == nullptr)
    return false;
  by_use_.erase(s->place);
  sessions_.erase(subject_hash);
  return true;
}

} // namespace epione::actors
