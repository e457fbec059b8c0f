#include "cluster/replica_journal.hpp"

#include "cluster/configuration.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <memory>

namespace epione::cluster {

using namespace messages;

bool replica_journal::start() {
  journal_ = replica_.env.directory->get<journal_actor>("journal");
  if (journal_ == nullptr)
    return false;
  replica_.self->monitor(journal_);
  return true;
}

caf::error replica_journal::no_answer(const caf::error& why) const {
  return runtime::code_of(why) ? why : replica_.error(ec::not_serving, ": the journal did not answer");
}

void replica_journal::write(raft_write& w) {
  auto write = new_write();
  write.term = w.term;
  write.voted_for = w.voted_for;
  write.entries = std::move(w.entries);
  send(std::move(write));
}

void replica_journal::begin_group() {
  auto data = encode_configuration({{replica_.options.server_id, replica_.options.address, server_role::voter}});
  auto write = new_write();
  write.term = 1;
  write.voted_for = 0;
  write.entries.push_back({1, 1, entry_type::change, std::make_shared<const std::string>(std::move(data))});
  send(std::move(write));
}

void replica_journal::raise_term(std::uint64_t term) {
  auto write = new_write();
  write.term = term;
  write.voted_for = replica_.options.server_id;
  send(std::move(write));
}

void replica_journal::replace(const snapshot_point& point, std::uint64_t term) {
  auto write = new_write();
  write.reset = point;
  if (point.term > term) { // of a leader that it has not heard of yet
    write.term = point.term;
    write.voted_for = 0;
  }
  send(std::move(write));
}

void replica_journal::cut(const snapshot_point_ptr& point) {
  replica_.self->send(journal_, cut_atom::value, replica_.options.group, point);
}

journal_write replica_journal::new_write() const {
  journal_write write;
  write.group = replica_.options.group;
  write.epoch = write_epoch_;
  return write;
}

void replica_journal::send(journal_write write) {
  replica_.self->send(journal_, write_atom::value, std::make_shared<const journal_write>(std::move(write)),
                      journal_client{replica_.self});
}

bool is_only_voter(const group_log& log, std::uint64_t server_id) {
  auto servers = log.cut ? decode_configuration(log.cut->configuration) : tl::unexpected(std::string{});
  for (const auto& x : log.entries)
    if (x.type == entry_type::change)
      servers = decode_configuration(*x.data);
  return servers && voter_count(*servers) == 1 && std::any_of(servers->begin(), servers->end(), [&](const server& x) {
           return x.role == server_role::voter && x.id == server_id;
         });
}

} // namespace epione::cluster
