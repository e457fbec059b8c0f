#include "cluster/replica_epoch.hpp"

#include "cluster/invariant.hpp"
#include "runtime/mutation.hpp"

#include <memory>
#include <string>

namespace epione::cluster {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

void replica_epoch::set_listener(const shard_listener& listener) {
  listener_ = listener;
  replica_.self->monitor(listener);
}

std::optional<raft_output> replica_epoch::open() {
  if (listener_ == nullptr || standing_.core() == nullptr)
    return std::nullopt;
  invariant(standing_.epoch == 0, "an epoch ends before the next begins");
  standing_.epoch = replica_.next_epoch();
  metrics_.epochs.Increment();
  follow_told_ = false;
  if (!standing_.leads()) {
    if (auto leader = members_.leader_elsewhere(); !leader.empty())
      replica_.self->send(listener_, leader_atom::value, standing_.epoch, std::move(leader));
    tell_following();
    return std::nullopt;
  }
  // A single voter takes all it has stored as committed, and a leader without uncommitted entries appends no barrier: only one
  // of our own proves that what it serves is complete.
  raft_output out;
  const auto index = standing_.core()->submit(entry_type::barrier, std::make_shared<const std::string>(), replica_.now_ms(), out);
  standing_.barrier = index.value_or(0);
  return out;
}

bool replica_epoch::close(ec why, outcome known) {
  if (standing_.epoch != 0 && listener_ != nullptr)
    replica_.self->send(listener_, closed_atom::value, standing_.epoch, why, known);
  standing_.epoch = standing_.barrier = 0;
  proposals_.clear();
  return std::exchange(standing_.serving, false);
}

bool replica_epoch::maybe_serve() {
  if (standing_.serving || standing_.epoch == 0 || standing_.barrier == 0 || !standing_.leads() || !feed_.has_store() ||
      (!mutated(mutation::serve_before_barrier) &&
       (standing_.core()->commit_index() < standing_.barrier || feed_.applied() < standing_.barrier)))
    return false;
  standing_.serving = true;
  replica_.self->send(listener_, applied_atom::value, feed_.applied());
  replica_.self->send(listener_, serving_atom::value, standing_.epoch);
  return true;
}

// ---- proposals and reads -----------------------------------------------------------------------------------------------------

bool replica_epoch::propose(std::uint64_t epoch, std::uint64_t batch, const bytes_ptr& bytes, const proposer& who,
                            raft_output& out) {
  std::optional<std::uint64_t> index;
  if (standing_.serving && epoch == standing_.epoch)
    index = standing_.core()->submit(entry_type::command, bytes, replica_.now_ms(), out);
  if (!index) {
    replica_.self->send(who, refused_atom::value, epoch, batch);
    return false;
  }
  proposals_.push_back({*index, batch, who});
  if (mutated(mutation::acknowledge_before_commit))
    replica_.self->send(who, committed_atom::value, epoch, batch, *index);
  return true;
}

void replica_epoch::report_committed() {
  const auto& core = *standing_.core();
  const auto committed = mutated(mutation::commit_by_minority) ? core.stored_index() : core.commit_index();
  while (!proposals_.empty() && proposals_.front().index <= committed) {
    const auto& p = proposals_.front();
    replica_.self->send(p.who, committed_atom::value, standing_.epoch, p.batch, p.index);
    proposals_.pop_front();
  }
}

void replica_epoch::read_index(std::uint64_t epoch, ticket t) const {
  const bool lease = standing_.serving && epoch == standing_.epoch &&
                     (standing_.core()->has_lease(replica_.now_ms()) || mutated(mutation::read_without_lease));
  if (listener_ != nullptr)
    replica_.self->send(listener_, read_index_atom::value, epoch, t, lease ? standing_.core()->commit_index() : std::uint64_t{0});
}

caf::result<std::uint64_t> replica_epoch::read_index() const {
  if (!standing_.serving || !standing_.core()->has_lease(replica_.now_ms()))
    return replica_.error(ec::not_serving, " does not lead");
  return standing_.core()->commit_index();
}

// ---- what else the listener is told ------------------------------------------------------------------------------------------

void replica_epoch::tell_applied(std::uint64_t index) const {
  if (listener_ != nullptr)
    replica_.self->send(listener_, applied_atom::value, index);
}

bool replica_epoch::tell_leader() {
  const auto leader = standing_.core()->leader_id();
  const bool leads = standing_.leads();
  const auto without = leader == 0 && !leads ? members_.leader_without_this() : std::string{};
  const bool told = told_leader_ == leader && told_without_ == without;
  told_leader_ = leader;
  told_without_ = without;
  if (told)
    return false;
  follow_from_.reset();
  follow_told_ = false;
  if (leader != 0 && !leads)
    replica_.env.log.info(replica_.name, "follows", {{"leader", members_.node_of(leader)}, {"term", standing_.core()->term()}});
  if (listener_ != nullptr && standing_.epoch != 0 && !leads)
    replica_.self->send(listener_, leader_atom::value, standing_.epoch, members_.leader_elsewhere());
  return true;
}

void replica_epoch::on_append(const raft_message& m) {
  if (!follow_from_ && knows_what_is_committed(m))
    follow_from_ = m.commit;
}

/// Whether this leader's commit index covers all that was acknowledged before its term. After a start of all members it begins
/// far behind that (Raft dissertation, 6.4), until the leader has committed an entry of its own term; or when its whole log is
/// committed.
bool replica_epoch::knows_what_is_committed(const raft_message& m) const {
  const auto& log = standing_.core()->log();
  if (m.term != standing_.core()->term() || standing_.core()->leader_id() != m.peer)
    return false;
  const bool all = m.entries.empty() && m.index == m.commit && log.last() == m.commit;
  return all || (m.commit >= log.cut_index() && m.commit <= log.last() && log.term_of(m.commit) == m.term);
}

void replica_epoch::tell_following() {
  if (follow_told_ || !follow_from_ || standing_.core() == nullptr || standing_.leads() || !feed_.has_store() ||
      listener_ == nullptr || feed_.applied() < *follow_from_)
    return;
  follow_told_ = true;
  replica_.self->send(listener_, follow_atom::value, standing_.epoch);
}

} // namespace epione::cluster
