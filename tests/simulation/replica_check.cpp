#include "tests/simulation/replica_check.hpp"

#include "domain/event.hpp"
#include "domain/ids.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <sqlite3.h>
#include <stdexcept>
#include <string>

namespace epione::simulation {

namespace {

/// A database of a stopped node, read without any of the program's own code.
class rows {
public:
  rows(const simulated_disk& disk, const std::string& path, const char* query) {
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, disk.sqlite_vfs()) != SQLITE_OK ||
        sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr) != SQLITE_OK ||
        sqlite3_prepare_v2(db_, query, -1, &statement_, nullptr) != SQLITE_OK) {
      const std::string why = sqlite3_errmsg(db_);
      close();
      throw std::runtime_error(path + ": " + why);
    }
  }
  ~rows() { close(); }
  rows(const rows&) = delete;
  rows& operator=(const rows&) = delete;

  bool next() {
    const auto code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
      throw std::runtime_error(sqlite3_errmsg(db_));
    return code == SQLITE_ROW;
  }
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column)); }
  std::string bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return data == nullptr ? std::string{}
                           : std::string{data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

private:
  void close() {
    sqlite3_finalize(statement_);
    sqlite3_close(db_);
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

struct event_row {
  std::uint64_t seq = 0, previous = 0, type = 0;
  std::string hash, body;
  bool operator==(const event_row&) const = default;
};

std::vector<event_row> events_of(const world& w, const machine& m, std::size_t group) {
  std::vector<event_row> out;
  for (rows r{m.disk, path_of_store(w, group), "SELECT seq, previous, type, hash, body FROM event ORDER BY seq"}; r.next();)
    out.push_back({r.number(0), r.number(1), r.number(2), r.bytes(3), r.bytes(4)});
  return out;
}

struct entry_row {
  std::uint64_t term = 0, type = 0;
  std::string data;
  bool operator==(const entry_row&) const = default;
};
using journal_rows = std::map<std::pair<std::uint64_t, std::uint64_t>, entry_row>; ///< by group and index

journal_rows entries_of(const world& w, const machine& m) {
  const auto path = w.config.data.directory + "/journal.db";
  journal_rows out;
  for (rows r{m.disk, path, "SELECT group_id, entry_index, term, type, data FROM entry ORDER BY position"}; r.next();)
    out[{r.number(0), r.number(1)}] = {r.number(2), r.number(3), r.bytes(4)};
  // What was cut off stays there for a while, and is the same everywhere; but nobody looks at it again, nor sees damage to it.
  if (m.spoilt)
    for (rows r{m.disk, path, "SELECT id, cut_index FROM groups WHERE has_cut"}; r.next();)
      out.erase(out.lower_bound({r.number(0), 0}), out.upper_bound({r.number(0), r.number(1)}));
  return out;
}

/// How often each receipt is there.
std::map<std::string, int> receipts_in(world& w, const machine& m, const std::vector<event_row>& events) {
  std::map<std::string, int> out;
  for (const auto& e : events)
    if (const auto action = domain::action_of(e.body); !action)
      w.book.violation(m.name + ": an event cannot be read: " + action.error());
    else if (*action == domain::submission_action) {
      if (const auto record = domain::decode_submission_event(e.body))
        ++out[domain::to_text(record->id)];
      else
        w.book.violation(m.name + ": a submission cannot be read: " + record.error());
    }
  return out;
}

void check_contents(world& w, const machine& m, std::size_t shard, std::map<std::string, int> there) {
  for (auto& s : w.book.subjects()) {
    if (domain::shard_of(domain::subject_hash("demo", s.id), w.config.shards.count) != shard)
      continue;
    for (auto& k : s.keys) {
      const auto found = there.find(domain::to_text(domain::make_receipt("demo", s.id, k.key)));
      const int n = found == there.end() ? 0 : found->second;
      const auto what = "patient " + s.id + " key " + k.key + " in the store of " + m.name;
      const bool possible = std::any_of(k.attempts.begin(), k.attempts.end(),
                                        [](const attempt& a) { return a.what->valid && possibly_stored(a.how); });
      if (k.settled && n == 0)
        w.book.violation(what + ": acknowledged or seen, and missing");
      if (n > 1)
        w.book.violation(what + ": there " + std::to_string(n) + " times");
      if (n > 0 && !possible)
        w.book.violation(what + ": there, although every answer said that it is not stored");
      if (found != there.end())
        there.erase(found);
    }
  }
  if (!there.empty())
    w.book.violation("the store of " + m.name + " holds receipt " + there.begin()->first + ", which nobody sent");
}

std::uint64_t applied_by(const world& w, const machine& m, std::size_t group) {
  rows r{m.disk, path_of_store(w, group), "SELECT applied FROM state"};
  return r.next() ? r.number(0) : 0;
}

void check_stores(world& w, std::size_t group, const group_members& members) {
  const machine* first = nullptr;
  std::vector<event_row> of_first;
  std::uint64_t applied_by_first = 0;
  for (const auto n : members.machines) {
    const auto& m = *w.machines[n];
    auto events = events_of(w, m, group);
    const auto applied = applied_by(w, m, group);
    if (applied < members.applied)
      w.book.violation("the store of " + m.name + " of group " + std::to_string(group) + " has applied " +
                       std::to_string(applied) + " of " + std::to_string(members.applied) + " entries, and said otherwise");
    if (group != 0)
      check_contents(w, m, group, receipts_in(w, m, events));
    if (first == nullptr) {
      first = &m;
      of_first = std::move(events);
      applied_by_first = applied;
      continue;
    }
    const auto differ = std::mismatch(of_first.begin(), of_first.end(), events.begin(), events.end());
    const bool ends_here = differ.first == of_first.end(), ends_there = differ.second == events.end();
    // An outcome of a notice may have been on its way to one of them.
    if ((!ends_here && !(ends_there && applied_by_first > applied)) ||
        (!ends_there && !(ends_here && applied > applied_by_first)))
      w.book.violation("the stores of " + first->name + " and " + m.name + " differ: group " + std::to_string(group) +
                       ", event " + std::to_string(differ.first - of_first.begin() + 1) + " of " +
                       std::to_string(of_first.size()) + " and " + std::to_string(events.size()));
  }
}

void check_journals(world& w, const std::vector<group_members>& groups) {
  std::map<std::size_t, journal_rows> journals;
  for (const auto& m : w.machines)
    journals[m->number] = entries_of(w, *m);
  for (auto& [a, one] : journals)
    for (auto& [b, other] : journals)
      for (auto at = a < b ? one.begin() : one.end(); at != one.end(); ++at) {
        const auto found = other.find(at->first);
        const auto [group, index] = at->first;
        if (found == other.end() || group >= groups.size())
          continue;
        const bool both = groups[group].machines.contains(a) && groups[group].machines.contains(b);
        const bool same = at->second == found->second;
        if (!same && (at->second.term == found->second.term || (both && index <= groups[group].applied)))
          w.book.violation("the journals of " + w.machines[a]->name + " and " + w.machines[b]->name + " differ: group " +
                           std::to_string(group) + ", entry " + std::to_string(index) + " of terms " +
                           std::to_string(at->second.term) + " and " + std::to_string(found->second.term));
      }
}

} // namespace

std::vector<group_members> members_of_groups(world& w) {
  std::vector<group_members> out(w.config.shards.count + 1);
  for (std::uint32_t g = 0; g <= w.config.shards.count; ++g)
    if (auto* by = w.leader(g); by != nullptr) {
      const auto v = by->node.parts()->shards.get(g);
      out[g].applied = v->applied;
      for (const auto& m : w.machines)
        if (std::any_of(v->members.begin(), v->members.end(), [&](const auto& x) { return x.node == m->name; }))
          out[g].machines.insert(m->number);
    }
  return out;
}

std::map<std::uint32_t, raft_watch::stored> terms_on_disk(world& w, const machine& m,
                                                          const std::map<std::uint32_t, std::uint64_t>& entries) {
  std::map<std::uint32_t, raft_watch::stored> out;
  const auto path = w.config.data.directory + "/journal.db";
  const auto files = m.disk.files();
  if (std::find(files.begin(), files.end(), path) == files.end())
    return out;
  try {
    for (rows r{m.disk, path, "SELECT id, term, voted_for, cut_index FROM groups"}; r.next();)
      out[static_cast<std::uint32_t>(r.number(0))] = {r.number(1), r.number(2), r.number(3)};
    std::string which; // in one walk over the rows
    for (const auto& [group, index] : entries)
      which += (which.empty() ? "" : " OR ") + std::string{"(group_id = "} + std::to_string(group) +
               " AND entry_index = " + std::to_string(index) + ")";
    if (which.empty())
      return out;
    for (rows r{m.disk, path, ("SELECT group_id, term FROM entry WHERE " + which + " ORDER BY position").c_str()}; r.next();)
      out[static_cast<std::uint32_t>(r.number(0))].entry_term = r.number(1);
  } catch (const std::exception&) {
    return {}; // it was being set up; who has said nothing need not have anything there
  }
  return out;
}

std::vector<std::uint32_t> shards_in_journal(const world& w, const machine& m) {
  std::vector<std::uint32_t> out;
  for (rows r{m.disk, w.config.data.directory + "/journal.db",
              "SELECT id FROM groups WHERE has_cut = 0 AND EXISTS (SELECT 1 FROM entry WHERE group_id = groups.id)"};
       r.next();)
    out.push_back(static_cast<std::uint32_t>(r.number(0)));
  return out;
}

std::string path_of_store(const world& w, std::size_t group) {
  char name[32];
  std::snprintf(name, sizeof(name), "/shard-%03zu.db", group);
  return w.config.data.directory + name;
}

void check_replicas(world& w, const std::vector<group_members>& groups) {
  try {
    for (std::size_t g = 0; g < groups.size(); ++g)
      check_stores(w, g, groups[g]);
    check_journals(w, groups);
  } catch (const std::exception& e) {
    w.book.violation(std::string{"what lies on the disks cannot be compared: "} + e.what());
  }
}

} // namespace epione::simulation
