// Several Raft cores in one thread: what they write and say goes through the hands of the test.
#pragma once

#include "cluster/raft_core.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace epione::cluster::test {

inline std::shared_ptr<const std::string> bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

inline messages::log_entry command(std::uint64_t index, std::uint64_t term, std::string text = "x") {
  return {index, term, messages::entry_type::command, bytes(std::move(text))};
}

inline messages::log_entry first_change(const configuration& servers) {
  return {1, 1, messages::entry_type::change, bytes(encode_configuration(servers))};
}

inline configuration voters(std::uint64_t n) {
  configuration result;
  for (std::uint64_t id = 1; id <= n; ++id)
    result.push_back({id, "node" + std::to_string(id), server_role::voter});
  return result;
}

/// A brand-new group's log.
inline messages::group_log new_group(const configuration& servers) {
  messages::group_log log;
  log.term = 1;
  log.entries.push_back(first_change(servers));
  return log;
}
inline messages::group_log new_group(std::uint64_t n) {
  return new_group(voters(n));
}

inline raft_options options(std::uint64_t id) {
  raft_options o;
  o.id = id;
  o.seed = static_cast<unsigned>(id * 7919);
  o.election_ms = 300;
  o.heartbeat_ms = 50;
  o.in_flight_max = 64;
  o.trailing_max = 4;
  o.memory_bytes_max = 0;
  return o;
}

/// A core with a disk that a test holds up or loses.
struct member {
  explicit member(std::uint64_t n, messages::group_log log) : id(n), stored(std::move(log)) {}

  void start(std::int64_t now_ms) {
    core = std::make_unique<raft_core>(options(id));
    writing.clear();
    auto first = core->start(stored, now_ms);
    if (!first)
      throw std::runtime_error(first.error());
    take(*first);
  }
  void take(raft_output& out) {
    for (auto& w : out.writes)
      writing.push_back(std::move(w));
    for (auto& m : out.messages)
      outbox.push_back(std::move(m));
    out = {};
  }
  /// The oldest write reaches the disk; its completion is returned, not reported.
  std::uint64_t write_one() {
    auto w = std::move(writing.front());
    writing.pop_front();
    if (w.term) {
      stored.term = *w.term;
      stored.voted_for = w.voted_for.value_or(0);
    }
    if (w.entries.empty())
      return 0;
    const auto begin = stored.cut ? stored.cut->index + 1 : 1;
    if (w.entries.front().index > begin + stored.entries.size())
      throw std::runtime_error("a write leaves a gap");
    stored.entries.resize(w.entries.front().index - begin);
    stored.entries.insert(stored.entries.end(), w.entries.begin(), w.entries.end());
    return w.entries.back().index;
  }
  void write_all(std::int64_t now_ms) {
    while (!writing.empty()) {
      raft_output out;
      core->written(write_one(), now_ms, out);
      take(out);
    }
  }

  std::uint64_t id;
  messages::group_log stored;
  std::unique_ptr<raft_core> core;
  std::deque<raft_write> writing;
  std::deque<raft_message> outbox;
  bool cut_off = false, slow_disk = false;
};

/// A group of them and the time they live in.
struct group {
  explicit group(std::uint64_t n) : group(voters(n)) {}
  /// Their ids count from 1.
  explicit group(const configuration& servers) {
    for (std::uint64_t id = 1; id <= servers.size(); ++id)
      members.emplace_back(id, new_group(servers));
    for (auto& m : members)
      m.start(now_ms);
  }
  member& at(std::uint64_t id) { return members[id - 1]; }
  member* leader() {
    member* found = nullptr;
    for (auto& m : members)
      if (m.core != nullptr && !m.cut_off && m.core->role() == raft_role::leader)
        found = &m;
    return found;
  }
  /// Everything written and delivered until nobody has anything left.
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& m : members) {
        if (m.core == nullptr)
          continue;
        if (!m.slow_disk && !m.writing.empty()) {
          m.write_all(now_ms);
          busy = true;
        }
        while (!m.outbox.empty()) {
          auto message = std::move(m.outbox.front());
          m.outbox.pop_front();
          busy = true;
          auto& to = at(message.peer);
          if (m.cut_off || to.cut_off || to.core == nullptr)
            continue;
          message.peer = m.id;
          raft_output out;
          if (auto taken = to.core->receive(message, now_ms, out); !taken)
            throw std::runtime_error(taken.error());
          to.take(out);
        }
      }
    }
  }
  void pass(std::int64_t ms) {
    for (const auto end = now_ms + ms; now_ms < end;) {
      now_ms += 10;
      for (auto& m : members)
        if (m.core != nullptr && now_ms >= m.core->timeout_at_ms()) {
          raft_output out;
          m.core->tick(now_ms, out);
          m.take(out);
        }
      settle();
    }
  }
  member& elect() {
    for (int i = 0; i < 100 && leader() == nullptr; ++i)
      pass(100);
    if (leader() == nullptr)
      throw std::runtime_error("nobody was elected");
    return *leader();
  }
  std::optional<std::uint64_t> submit(member& m, std::string text) {
    raft_output out;
    auto index = m.core->submit(messages::entry_type::command, bytes(std::move(text)), now_ms, out);
    m.take(out);
    return index;
  }

  std::int64_t now_ms = 1000;
  std::deque<member> members;
};

/// What a store would apply, as text.
inline std::string applicable(const member& m) {
  std::string text;
  for (const auto& e : m.stored.entries)
    if (e.index <= m.core->applicable_index() && e.type == messages::entry_type::command)
      text += *e.data + " ";
  return text;
}

} // namespace epione::cluster::test
