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
      break;
    case message_kind::append_entries_result:
      if (m.rejected == 0)
        tell(at_result_, who.node);
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
  }
}

} // namespace epione::simulation
