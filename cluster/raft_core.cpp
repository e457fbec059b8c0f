#include "cluster/raft_core.hpp"

#include "cluster/invariant.hpp"
#include "cluster/raft_core.h"
#include "runtime/mutation.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

namespace epione::cluster {

using messages::entry_type;
using messages::log_entry;
using runtime::mutated;
using runtime::mutation;

namespace {

constexpr const char* no_address = "-"; // peers are named by id only; libraft wants some text

const std::shared_ptr<const std::string>& no_data() {
  static const auto empty = std::make_shared<const std::string>();
  return empty;
}

epione_raft_entry to_c(const log_entry& x) {
  return {x.term, static_cast<std::uint8_t>(x.type), x.data->data(), x.data->size()};
}

std::vector<epione_raft_entry> to_c(std::span<const log_entry> entries) {
  std::vector<epione_raft_entry> result;
  result.reserve(entries.size());
  for (const auto& x : entries)
    result.push_back(to_c(x));
  return result;
}

epione_raft_snapshot to_c(const messages::snapshot_point& x) {
  return {x.index, x.term, x.configuration.data(), x.configuration.size(), x.configuration_index};
}

raft_message from_c(const epione_raft_message& x) {
  raft_message m;
  m.kind = static_cast<message_kind>(x.type);
  m.version = x.version;
  m.peer = x.server;
  m.term = x.term;
  m.index = x.index;
  m.index_term = x.index_term;
  m.commit = x.commit;
  m.rejected = x.rejected;
  m.features = x.features;
  m.capacity = x.capacity;
  m.granted = x.granted;
  m.pre_vote = x.pre_vote;
  m.disrupt_leader = x.disrupt_leader;
  return m;
}

epione_raft_message to_c(const raft_message& m) {
  epione_raft_message x{};
  x.type = static_cast<std::uint8_t>(m.kind);
  x.version = m.version;
  x.server = m.peer;
  x.term = m.term;
  x.index = m.index;
  x.index_term = m.index_term;
  x.commit = m.commit;
  x.rejected = m.rejected;
  x.features = m.features;
  x.capacity = m.capacity;
  x.granted = m.granted;
  x.pre_vote = m.pre_vote;
  x.disrupt_leader = m.disrupt_leader;
  x.entries = static_cast<std::uint32_t>(m.entries.size());
  return x;
}

/// Why `stored` cannot be a log; empty when it can.
std::string fault_of(const messages::group_log& stored) {
  auto index = stored.cut ? stored.cut->index : 0;
  auto term = stored.cut ? stored.cut->term : 0;
  if (stored.cut && (index == 0 || term == 0 || stored.cut->configuration_index == 0 || stored.cut->configuration_index > index))
    return "the point the log was cut at is incomplete";
  if (stored.cut) {
    if (auto servers = decode_configuration(stored.cut->configuration); !servers)
      return servers.error();
  } else if (!stored.entries.empty() && stored.entries.front().type != entry_type::change) {
    return "entry 1 is not the group's first configuration";
  }
  for (const auto& x : stored.entries) {
    if (x.index != index + 1)
      return "entry " + std::to_string(index + 1) + " is missing, " + std::to_string(x.index) + " follows";
    if (x.term == 0 || x.term < term || x.term > stored.term)
      return "entry " + std::to_string(x.index) + " has term " + std::to_string(x.term) + ", expected " + std::to_string(term) +
             " to " + std::to_string(stored.term);
    if (x.data == nullptr || x.type < entry_type::command || x.type > entry_type::change)
      return "entry " + std::to_string(x.index) + " has no data or an unknown type";
    if (x.type == entry_type::change)
      if (auto servers = decode_configuration(*x.data); !servers)
        return "entry " + std::to_string(x.index) + ": " + servers.error();
    index = x.index;
    term = x.term;
  }
  if (stored.term == 0 && (stored.voted_for != 0 || index != 0))
    return "there is a vote or an entry, but no term";
  return term > stored.term ? "the log was cut in a later term than is stored" : "";
}

/// libraft checks none of this.
std::string fault_of(const raft_message& m, std::uint64_t own_id) {
  if (m.kind < message_kind::append_entries || m.kind > message_kind::timeout_now || m.kind == message_kind::install_snapshot)
    return "message of kind " + std::to_string(static_cast<int>(m.kind)) + " is not taken";
  if (m.peer == 0 || m.peer == own_id)
    return "message from server " + std::to_string(m.peer);
  if (m.term == 0)
    return "message without a term";
  if (m.kind != message_kind::append_entries)
    return m.entries.empty() ? "" : "entries in a message that has none";
  if ((m.index == 0) != (m.index_term == 0))
    return "the entry before the entries has an index and a term, or neither";
  auto index = m.index;
  auto term = m.index_term;
  for (const auto& x : m.entries) {
    if (x.index != index + 1 || x.term == 0 || x.term < term || x.term > m.term || x.data == nullptr ||
        x.type < entry_type::command || x.type > entry_type::change)
      return "entry " + std::to_string(x.index) + " does not fit behind entry " + std::to_string(index);
    if (x.type == entry_type::change)
      if (auto servers = decode_configuration(*x.data); !servers)
        return servers.error();
    index = x.index;
    term = x.term;
  }
  return "";
}

/// What is before the cut was committed, so it is the same with the leader, who may not know that it is here: a snapshot can be
/// newer than the one that was asked for. The message as it would be if the leader knew.
raft_message behind_the_cut(const raft_message& message, const log_tail& log) {
  auto rest = message;
  std::erase_if(rest.entries, [&](const log_entry& x) { return x.index <= log.cut_index(); });
  rest.index = log.cut_index();
  rest.index_term = log.term_of(log.cut_index());
  return rest;
}

/// Dissertation, 4.1: one server at a time; and never another id in place of one that goes, which would inherit its progress.
bool is_single_step(const configuration& from, const configuration& to) {
  const auto find = [](const configuration& in, const server& x) {
    return std::find_if(in.begin(), in.end(), [&](const server& y) { return y.id == x.id; });
  };
  std::size_t differences = 0;
  for (const auto& x : from) {
    const auto y = find(to, x);
    if (y == to.end() || y->role != x.role)
      ++differences;
  }
  for (const auto& x : to)
    if (find(from, x) == from.end())
      ++differences;
  return differences == 1;
}

} // namespace

raft_core::raft_core(const raft_options& options) : options_(options) {
  invariant(options.id != 0, "a server's id is not 0");
  // libraft looks for this name and behaves differently under it.
  invariant(std::string_view{program_invocation_short_name} != "unit-test", "no program that uses libraft is called unit-test");
  invariant(options.heartbeat_ms > 0 && options.election_ms > options.heartbeat_ms, "heartbeats are shorter than elections");
  invariant(options.lease_ms < options.election_ms, "a lease is shorter than an election");
  invariant(options.in_flight_max > 0, "some entries may be in flight");
  const epione_raft_options x{
      options.id, no_address, options.seed, options.election_ms, options.heartbeat_ms, options.in_flight_max, true};
  core_ = epione_raft_new(&x);
  invariant(core_ != nullptr, "there is memory for a Raft core");
}

raft_core::~raft_core() {
  epione_raft_free(core_);
}

void raft_core::check(int code, const char* event) {
  if (code != 0)
    throw invariant_violation{std::string{"libraft refused "} + event + ": " + epione_raft_error_text(code)};
}

void raft_core::expect_started(std::int64_t now_ms) {
  invariant(started_, "a core is started first");
  invariant(now_ms >= now_ms_, "time never goes back");
  now_ms_ = now_ms;
}

tl::expected<raft_output, std::string> raft_core::start(const messages::group_log& stored, std::int64_t now_ms) {
  invariant(!started_, "a core is started once");
  invariant(now_ms >= 0, "time is not negative");
  if (auto why = fault_of(stored); !why.empty())
    return tl::unexpected(std::move(why));
  now_ms_ = now_ms;
  log_.reset(stored.cut ? stored.cut->index : 0, stored.cut ? stored.cut->term : 0);
  if (stored.cut) {
    changes_.push_back({stored.cut->configuration_index, std::make_shared<const std::string>(stored.cut->configuration),
                        *decode_configuration(stored.cut->configuration)});
    commit_seen_ = snapshot_index_ = stored.cut->index;
  } else {
    changes_.push_back({0, no_data(), {}});
  }
  for (const auto& x : stored.entries) {
    log_.append(x);
    if (x.type == entry_type::change)
      changes_.push_back({x.index, x.data, *decode_configuration(*x.data)});
  }
  const auto entries = to_c(std::span{stored.entries});
  epione_raft_snapshot snapshot{};
  if (stored.cut)
    snapshot = to_c(*stored.cut);
  epione_raft_update update{};
  check(epione_raft_start(core_, static_cast<std::uint64_t>(now_ms), stored.term, stored.voted_for,
                          stored.cut ? &snapshot : nullptr, log_.cut_index() + 1, entries.data(),
                          static_cast<std::uint32_t>(entries.size()), &update),
        "the stored log");
  started_ = true;
  invariant(epione_raft_last_stored(core_) == log_.last(), "all of the stored log counts as stored");
  raft_output out;
  absorb(update, {}, out);
  return out;
}

std::optional<std::uint64_t> raft_core::submit(entry_type type, std::shared_ptr<const std::string> data, std::int64_t now_ms,
                                               raft_output& out) {
  expect_started(now_ms);
  invariant(data != nullptr, "an entry has data, if only empty");
  invariant(type != entry_type::command || !data->empty(), "a command is not empty");
  if (role() != raft_role::leader)
    return std::nullopt;
  if (type == entry_type::change) {
    const auto servers = decode_configuration(*data);
    invariant(servers.has_value(), "a change holds a configuration");
    invariant(changes_.back().index <= commit_seen_, "one change at a time");
    invariant(is_single_step(changes_.back().servers, *servers), "a change adds, removes or moves one server");
  }
  const log_entry entry{log_.last() + 1, term(), type, std::move(data)};
  const auto x = to_c(entry);
  epione_raft_update update{};
  const int code = epione_raft_submit(core_, static_cast<std::uint64_t>(now_ms), &x, &update);
  if (code != 0 && epione_raft_leader_id(core_) != options_.id)
    return std::nullopt; // leadership is being handed over
  check(code, "an entry");
  invariant(update.entries == 1 && update.index == entry.index, "a submitted entry is asked to be written");
  absorb(update, {&entry, 1}, out);
  return entry.index;
}

void raft_core::written(std::uint64_t index, std::int64_t now_ms, raft_output& out) {
  expect_started(now_ms);
  invariant(!in_flight_.empty(), "only what was handed out is reported written");
  std::uint64_t valid = 0, valid_term = 0;
  bool found = false;
  while (!in_flight_.empty() && !found) {
    const auto x = in_flight_.front();
    invariant(x.last <= index || x.alone, "writes are completed in order and whole");
    found = x.last == index;
    if (x.alone)
      invariant(found, "a write that goes alone is completed alone");
    in_flight_.pop_front();
    if (x.vote && --votes_outstanding_ == 0) {
      std::move(held_.begin(), held_.end(), std::back_inserter(out.messages));
      held_.clear();
    }
    if (x.valid != 0) {
      valid = x.valid;
      valid_term = x.term;
    }
  }
  invariant(found, "writes are completed in order and whole");
  // Only what is in the log as it was written: a completion that was overtaken would acknowledge entries never written.
  const bool as_written =
      log_.term_of(valid) == valid_term || (mutated(mutation::overtaken_completion) && log_.term_of(valid) != 0);
  if (valid > stored_index() && as_written) {
    invariant(role() == raft_role::leader || role() == raft_role::follower, "nobody stands for election while writing");
    epione_raft_update update{};
    check(epione_raft_persisted(core_, static_cast<std::uint64_t>(now_ms), valid, &update), "a completion");
    absorb(update, {}, out);
  }
  if (!writes_outstanding())
    highest_outstanding_ = 0;
  release_writes(out);
}

void raft_core::tick(std::int64_t now_ms, raft_output& out) {
  expect_started(now_ms);
  epione_raft_update update{};
  check(epione_raft_timeout(core_, static_cast<std::uint64_t>(now_ms), &update), "the timer");
  absorb(update, {}, out);
}

tl::expected<void, std::string> raft_core::receive(const raft_message& message, std::int64_t now_ms, raft_output& out) {
  expect_started(now_ms);
  if (auto why = fault_of(message, options_.id); !why.empty())
    return tl::unexpected(std::move(why));
  if (mutated(mutation::accept_old_leader) && message.kind == message_kind::append_entries && message.term < term() &&
      role() == raft_role::follower) {
    auto as_of_now = message;
    as_of_now.term = term();
    return receive(as_of_now, now_ms, out);
  }
  if (message.kind == message_kind::append_entries_result)
    note_heard(message);
  if (message.kind == message_kind::timeout_now && message.term == term())
    disrupting_term_ = term() + 1;
  if (message.kind == message_kind::append_entries && message.index < log_.cut_index())
    return receive(behind_the_cut(message, log_), now_ms, out);
  if (message.entries.empty()) {
    receive_part(message, out);
    return {};
  }
  // A change goes alone: libraft registers one inside a longer batch under the index of the batch's first entry.
  raft_message part = message;
  part.entries.clear();
  for (std::size_t i = 0; i < message.entries.size();) {
    auto end = i + 1;
    if (message.entries[i].type != entry_type::change)
      while (end < message.entries.size() && message.entries[end].type != entry_type::change)
        ++end;
    part.entries.assign(message.entries.begin() + static_cast<std::ptrdiff_t>(i),
                        message.entries.begin() + static_cast<std::ptrdiff_t>(end));
    receive_part(part, out);
    const auto& last = part.entries.back();
    if (last.index > log_.cut_index() && log_.term_of(last.index) != last.term)
      break; // refused: what follows would be as well
    part.index = last.index;
    part.index_term = last.term;
    i = end;
  }
  return {};
}

void raft_core::note_heard(const raft_message& result) {
  if (result.term != term())
    return;
  if (contacts_term_ != term()) {
    contacts_.clear();
    contacts_term_ = term();
  }
  auto& contact = contacts_[result.peer];
  contact.heard_ms = now_ms_;
  const auto stamp_ms = mutated(mutation::lease_from_receipt) ? now_ms_ : result.stamp_ms;
  contact.stamp_ms = std::max(contact.stamp_ms, std::min(stamp_ms, now_ms_));
}

void raft_core::receive_part(const raft_message& part, raft_output& out) {
  if (part.kind == message_kind::append_entries && part.term >= term()) {
    // Answers of this step, and those that come once this is written, tell the leader since when it is known as such.
    if (seen_leader_ != part.peer || seen_term_ != part.term)
      seen_stamp_ms_ = 0;
    seen_leader_ = part.peer;
    seen_term_ = part.term;
    seen_stamp_ms_ = std::max(seen_stamp_ms_, part.stamp_ms);
  }
  if (part.kind == message_kind::append_entries)
    invariant(part.entries.size() == 1 || std::none_of(part.entries.begin(), part.entries.end(),
                                                       [](const log_entry& x) { return x.type == entry_type::change; }),
              "a change is fed alone");
  auto x = to_c(part);
  // libraft takes the smaller of the leader's commit index and the message's last entry, also when that is less than it knows to
  // be committed: a late append would take the commit index back (5.3 of the Raft paper lets it only grow).
  if (part.kind == message_kind::append_entries && part.index + part.entries.size() < commit_seen_)
    x.commit = std::min(x.commit, commit_seen_);
  const auto entries = to_c(std::span{part.entries});
  epione_raft_update update{};
  check(epione_raft_receive(core_, static_cast<std::uint64_t>(now_ms_), &x, no_address, entries.data(), &update), "a message");
  absorb(update, part.entries, out);
}

void raft_core::snapshot(const messages::snapshot_point& point, std::int64_t now_ms, raft_output& out) {
  expect_started(now_ms);
  if (point.index <= snapshot_index_)
    return;
  invariant(point.index >= snapshot_index_min, "a snapshot holds more than a group's first entry");
  invariant(!epione_raft_installing(core_), "no snapshot is taken while one is installed");
  invariant(point.index <= applicable_index(), "a store holds only what was committed and durable");
  invariant(log_.term_of(point.index) == point.term, "a store and its log agree on terms");
  invariant(point.configuration_index > 0 && point.configuration_index <= point.index, "a snapshot names its configuration");
  invariant(decode_configuration(point.configuration).has_value(), "a snapshot names its configuration");
  const bool alone = is_alone();
  const auto in_memory = point.index + 1 - std::min(log_.first_in_memory(), point.index + 1);
  const auto trailing = alone ? 0 : static_cast<std::uint32_t>(std::min<std::uint64_t>(in_memory, options_.trailing_max));
  const auto x = to_c(point);
  epione_raft_update update{};
  check(epione_raft_take_snapshot(core_, static_cast<std::uint64_t>(now_ms), &x, trailing, &update), "a snapshot");
  snapshot_index_ = point.index;
  if (const auto cut = point.index - trailing; cut > log_.cut_index()) {
    log_.cut(cut);
    log_.release(cut, 0);
  }
  absorb(update, {}, out);
}

void raft_core::absorb(const epione_raft_update& update, std::span<const log_entry> supplied, raft_output& out) {
  raft_write write;
  if (update.entries > 0)
    append(update, supplied, write);
  if (update.term_or_vote) {
    write.term = term();
    write.voted_for = epione_raft_voted_for(core_);
    ++votes_outstanding_;
  }
  if (update.entries > 0 || update.term_or_vote) {
    const bool replaces = !write.entries.empty() && write.entries.front().index <= highest_outstanding_;
    if (!write.entries.empty())
      highest_outstanding_ = write.entries.back().index;
    waiting_.push_back({std::move(write), update.term_or_vote || replaces});
  }
  if (update.n_messages > 0)
    take_messages(update, out);
  out.role_changed = out.role_changed || update.state;
  invariant(log_.last() == epione_raft_last_index(core_), "the core and its log end at the same entry");
  release_writes(out);
  if (update.commit)
    commit(out);
}

void raft_core::append(const epione_raft_update& update, std::span<const log_entry> supplied, raft_write& write) {
  const auto from = update.index;
  invariant(from > commit_seen_, "a committed entry is never replaced");
  if (from <= log_.last()) {
    log_.truncate(from);
    while (changes_.back().index >= from)
      changes_.pop_back();
    for (auto& x : in_flight_)
      if (x.valid >= from && !mutated(mutation::overtaken_completion)) {
        x.valid = from - 1;
        x.term = log_.term_of(from - 1);
      }
  }
  if (update.own_barrier) {
    invariant(update.entries == 1, "a new leader appends one barrier");
    write.entries.push_back({from, term(), entry_type::barrier, no_data()});
  } else {
    invariant(std::size_t{update.first} + update.entries <= supplied.size(), "only entries that were fed are written");
    write.entries.assign(supplied.begin() + update.first, supplied.begin() + update.first + update.entries);
  }
  for (const auto& x : write.entries) {
    log_.append(x);
    invariant(x.index == log_.last() && write.entries.front().index == from, "entries are written where the core asks");
    if (x.type == entry_type::change)
      changes_.push_back({x.index, x.data, *decode_configuration(*x.data)});
  }
}

void raft_core::take_messages(const epione_raft_update& update, raft_output& out) {
  auto& to = votes_outstanding_ > 0 && !mutated(mutation::vote_before_durable) ? held_ : out.messages;
  for (std::uint32_t i = 0; i < update.n_messages; ++i) {
    auto message = from_c(update.messages[i]);
    const auto n = update.messages[i].entries;
    if (n > 0)
      message.entries = log_.copy(message.index + 1, message.index + n, std::numeric_limits<std::size_t>::max());
    invariant(message.entries.size() == n, "what is sent is in memory");
    // libraft goes on to disrupt in later elections, too; leases count on it that only the one the leader asked for may.
    if (message.kind == message_kind::request_vote && message.term != disrupting_term_)
      message.disrupt_leader = false;
    if (mutated(mutation::told_before_durable) && message.kind == message_kind::append_entries_result && message.rejected == 0)
      message.index = log_.last();
    if (message.kind == message_kind::append_entries)
      message.stamp_ms = now_ms_;
    else if (message.kind == message_kind::append_entries_result && message.peer == seen_leader_ && message.term == seen_term_)
      message.stamp_ms = seen_stamp_ms_;
    to.push_back(std::move(message));
  }
}

void raft_core::commit(raft_output& out) {
  const auto now_committed = epione_raft_commit_index(core_);
  if (now_committed < commit_seen_ || now_committed > log_.last())
    throw invariant_violation{"the commit index grows within the log: from " + std::to_string(commit_seen_) + " to " +
                              std::to_string(now_committed) + ", the log ends at " + std::to_string(log_.last())};
  const auto before = std::exchange(commit_seen_, now_committed);
  out.commit_advanced = out.commit_advanced || now_committed > before;
  // The library is told of every committed change, also of one that is applied already. Collected first: a step may change the
  // list.
  std::vector<change> committed;
  for (const auto& x : changes_)
    if (x.index > before && x.index <= now_committed)
      committed.push_back(x);
  for (const auto& x : committed) {
    epione_raft_update update{};
    check(epione_raft_configuration(core_, static_cast<std::uint64_t>(now_ms_), x.index, x.data->data(), x.data->size(), &update),
          "a committed change");
    absorb(update, {}, out);
  }
  while (changes_.size() > 1 && changes_[1].index <= commit_seen_)
    changes_.erase(changes_.begin());
}

void raft_core::release_writes(raft_output& out) {
  while (!waiting_.empty()) {
    auto& next = waiting_.front();
    if (!in_flight_.empty() && (next.alone || in_flight_.back().alone))
      return;
    flight x;
    if (!next.write.entries.empty()) {
      x.last = next.write.entries.back().index;
      // A later step may have replaced some of it while it waited.
      x.valid = log_.term_of(x.last) == next.write.entries.back().term ? x.last : 0;
      x.term = next.write.entries.back().term;
    }
    x.alone = next.alone;
    x.vote = next.write.term.has_value();
    in_flight_.push_back(x);
    out.writes.push_back(std::move(next.write));
    waiting_.pop_front();
  }
}

bool raft_core::transfer(std::uint64_t id, std::int64_t now_ms, raft_output& out) {
  expect_started(now_ms);
  const auto& all = servers();
  const auto to = std::find_if(all.begin(), all.end(), [&](const server& x) { return x.id == id; });
  if (role() != raft_role::leader || id == options_.id || to == all.end() || to->role != server_role::voter)
    return false;
  epione_raft_update update{};
  if (epione_raft_transfer(core_, static_cast<std::uint64_t>(now_ms), id, &update) != 0)
    return false; // one is under way already
  transferring_term_ = term();
  absorb(update, {}, out);
  return true;
}

bool raft_core::has_lease(std::int64_t now_ms) const {
  if (role() != raft_role::leader || transferring_term_ == term())
    return false;
  std::vector<std::int64_t> known_since;
  bool voter = false;
  for (const auto& x : servers()) {
    if (x.role != server_role::voter)
      continue;
    voter = voter || x.id == options_.id;
    const auto contact = contacts_.find(x.id);
    known_since.push_back(x.id == options_.id                                      ? now_ms
                          : contacts_term_ == term() && contact != contacts_.end() ? contact->second.stamp_ms
                                                                                   : 0);
  }
  if (!voter || known_since.empty())
    return false;
  const auto quorum = known_since.begin() + static_cast<std::ptrdiff_t>(known_since.size() / 2);
  std::nth_element(known_since.begin(), quorum, known_since.end(), std::greater<>{});
  return *quorum > 0 && now_ms < *quorum + std::int64_t{options_.lease_ms} * (mutated(mutation::lease_outlives_election) ? 4 : 1);
}

std::uint64_t raft_core::match_index(std::uint64_t id) const {
  if (role() != raft_role::leader)
    return 0;
  return id == options_.id ? stored_index() : epione_raft_match_index(core_, id);
}

std::int64_t raft_core::heard_ms(std::uint64_t id) const {
  const auto contact = contacts_.find(id);
  return contact == contacts_.end() || contacts_term_ != term() ? 0 : contact->second.heard_ms;
}

raft_role raft_core::role() const {
  return static_cast<raft_role>(epione_raft_state_of(core_));
}
std::uint64_t raft_core::term() const {
  return epione_raft_term(core_);
}
std::uint64_t raft_core::leader_id() const {
  return epione_raft_leader_id(core_);
}
std::uint64_t raft_core::stored_index() const {
  return epione_raft_last_stored(core_);
}
std::uint64_t raft_core::applicable_index() const {
  return mutated(mutation::apply_before_stored) ? commit_seen_ : std::min(commit_seen_, stored_index());
}
std::int64_t raft_core::timeout_at_ms() const {
  return static_cast<std::int64_t>(epione_raft_timeout_at(core_));
}

void raft_core::release(std::uint64_t applied) {
  invariant(applied <= applicable_index(), "a store applies only what was committed and durable");
  if (is_alone())
    log_.release(applied, options_.memory_bytes_max);
}

} // namespace epione::cluster
