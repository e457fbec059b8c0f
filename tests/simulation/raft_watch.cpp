#include "tests/simulation/raft_watch.hpp"

#include <algorithm>
#include <utility>

namespace epione::simulation {

using messages::message_kind;

namespace {

std::string name(const raft_watch::speaker& who, std::uint32_t group) {
  return who.node + " (server " + std::to_string(who.server) + " of group " + std::to_string(group) + ")";
}

void tell(std::function<void(const std::string&)>& whom, const std::string& node) {
  if (const auto f = std::exchange(whom, nullptr))
    f(node);
}

} // namespace

void raft_watch::said(const speaker& who, std::uint32_t group, const messages::raft_message& m) {
  if (who.server == 0 || m.pre_vote) // it asks about a term in which nobody is yet
    return;
  auto& x = members_[{group, who.server}];
  if (x.incarnation != who.incarnation) {
    x.incarnation = who.incarnation;
    x.term_before = x.term;
  }
  if (m.term < x.term_before)
    book_.violation(name(who, group) + " speaks of term " + std::to_string(m.term) + " after a start, and was in term " +
                    std::to_string(x.term_before) + " before");
  x.term = std::max(x.term, m.term);
  switch (m.kind) {
    case message_kind::append_entries:
    case message_kind::install_snapshot:
    case message_kind::timeout_now:
      if (const auto [known, is_new] = leaders_.try_emplace({group, m.term}, who.server); known->second != who.server)
        book_.violation(name(who, group) + " leads in term " + std::to_string(m.term) + ", as does server " +
                        std::to_string(known->second));
      x.led = std::max(x.led, m.term);
      if (m.kind == message_kind::append_entries)
        leader_said(who, group, m);
      break;
    case message_kind::append_entries_result:
      if (m.rejected != 0)
        break;
      has_stored(x, group, m);
      tell(at_result_, who.node);
      if (x.led != 0 && m.term > x.led)
        tell(at_result_of_deposed_, who.node);
      break;
    case message_kind::request_vote: voted(who, group, m.term, who.server); break;
    case message_kind::request_vote_result:
      if (!m.granted)
        break;
      voted(who, group, m.term, m.peer);
      tell(at_vote_, who.node);
      break;
  }
}

void raft_watch::voted(const speaker& who, std::uint32_t group, std::uint64_t term, std::uint64_t candidate) {
  const auto [known, is_new] = members_[{group, who.server}].votes.try_emplace(term, candidate);
  if (known->second != candidate)
    book_.violation(name(who, group) + " votes for server " + std::to_string(candidate) + " in term " + std::to_string(term) +
                    ", and did for server " + std::to_string(known->second));
}

// ---- logs ------------------------------------------------------------------------------------------------------------------

std::uint64_t raft_watch::term_of(const known_log& log, std::uint64_t index) {
  for (const auto& [term, x] : log)
    if (x.first <= index && index <= x.last)
      return term;
  return 0;
}

/// A leader never changes its own log but at its end, so what it has sent in a term is true of all of that term.
void raft_watch::leader_said(const speaker& who, std::uint32_t group, const messages::raft_message& m) {
  auto& log = logs_[{group, m.term}];
  if (m.index != 0)
    has_entries(who, group, m.term, {m.index, m.index}, m.index_term);
  for (std::size_t i = 0; i < m.entries.size();) {
    auto end = i;
    while (end + 1 < m.entries.size() && m.entries[end + 1].term == m.entries[i].term)
      ++end;
    has_entries(who, group, m.term, {m.entries[i].index, m.entries[end].index}, m.entries[i].term);
    i = end + 1;
  }
  if (const auto term = term_of(log, m.commit); term != 0) {
    auto& known = committed_[group].try_emplace(term, range{m.commit, m.commit, m.term}).first->second;
    known.first = std::min(known.first, log.at(term).first);
    known.last = std::max(known.last, m.commit);
    known.committed_in = std::max(known.committed_in, m.term);
  }
}

/// A leader of an earlier term than that in which something was committed may not know that it leads no more.
void raft_watch::has_entries(const speaker& who, std::uint32_t group, std::uint64_t leads_in, range which, std::uint64_t term) {
  auto& known = logs_[{group, leads_in}].try_emplace(term, which).first->second;
  known.first = std::min(known.first, which.first);
  known.last = std::max(known.last, which.last);
  const auto committed = committed_.find(group);
  if (committed == committed_.end())
    return;
  for (const auto& [other, x] : committed->second)
    if (other != term && leads_in >= x.committed_in && x.first <= which.last && which.first <= x.last)
      book_.violation(name(who, group) + " leads with entry " + std::to_string(std::max(x.first, which.first)) + " of term " +
                      std::to_string(term) + ", but the one of term " + std::to_string(other) + " was committed");
}

void raft_watch::has_stored(member& x, std::uint32_t group, const messages::raft_message& m) const {
  if (m.term < x.told_in || (m.term == x.told_in && m.index < x.told_index))
    return;
  const auto log = logs_.find({group, m.term});
  x.told_in = m.term;
  x.told_index = m.index;
  x.told_entry_term = log == logs_.end() ? 0 : term_of(log->second, m.index);
}

std::map<std::uint32_t, std::uint64_t> raft_watch::last_stored(std::uint64_t server) const {
  std::map<std::uint32_t, std::uint64_t> out;
  for (const auto& [at, x] : members_)
    if (at.second == server && x.told_index != 0)
      out.emplace(at.first, x.told_index);
  return out;
}

void raft_watch::check_disk(const speaker& who, const std::map<std::uint32_t, stored>& groups) const {
  for (const auto& [at, x] : members_) {
    const auto [group, server] = at;
    if (server != who.server)
      continue;
    const auto found = groups.find(group);
    const auto disk = found == groups.end() ? stored{} : found->second;
    if (disk.term < x.term)
      book_.violation(name(who, group) + " has spoken of term " + std::to_string(x.term) + ", and its disk holds term " +
                      std::to_string(disk.term));
    else if (const auto vote = x.votes.find(disk.term); vote != x.votes.end() && vote->second != disk.voted_for)
      book_.violation(name(who, group) + " has voted for server " + std::to_string(vote->second) + " in term " +
                      std::to_string(disk.term) + ", and its disk holds a vote for server " + std::to_string(disk.voted_for));
    // In a later term another leader may have replaced it.
    if (disk.term != x.told_in || x.told_index <= disk.cut)
      continue;
    const auto what = name(who, group) + " has said that it has stored entry " + std::to_string(x.told_index) +
                      " of its leader of term " + std::to_string(x.told_in) + ", and its disk holds ";
    if (disk.entry_term == 0)
      book_.violation(what + "no such entry");
    else if (x.told_entry_term != 0 && disk.entry_term != x.told_entry_term)
      book_.violation(what + "one of term " + std::to_string(disk.entry_term) + " in place of that of term " +
                      std::to_string(x.told_entry_term));
  }
}

} // namespace epione::simulation
