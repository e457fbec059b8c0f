// The audit reads in pieces, each a read transaction of its own, so that a running node's WAL can start over in between. Events
// are only ever appended, so a walk in pieces sees the same chain; the last piece and what hangs on it are read as one state.
#include "runtime/storage/audit.hpp"

#include "domain/chain.hpp"
#include "domain/command.hpp"
#include "domain/date_text.hpp"
#include "domain/event.hpp"
#include "domain/hex.hpp"
#include "runtime/storage/anchors.hpp"
#include "runtime/storage/event_walk.hpp"
#include "runtime/storage/journal_rows.hpp"
#include "runtime/storage/mark_file.hpp"
#include "runtime/storage/shard_rows.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace epione::runtime {

namespace {

constexpr std::uint32_t shards_max = 1'000;      // three digits in the file's name
constexpr std::uint64_t events_a_piece = 10'000; // some tens of milliseconds
constexpr std::uint32_t audit_cache_kib = 4'096;

using progress_function = std::function<void(std::string_view part, std::uint64_t done)>;
using part = audit_report::part;

using domain::to_hex;

template <class F>
void noting_failure(part& p, F&& f) {
  if (auto done = guarded(f); !done)
    p.broken = done.error().message;
}

/// What the journal says of each group, for comparison with the stores.
struct group_range {
  std::uint64_t cut = 0, last = 0;
};
using group_ranges = std::map<std::uint32_t, group_range>;

class journal_audit {
public:
  journal_audit(disk& d, std::string directory, const progress_function& progress)
      : disk_(d), path_(directory + "/journal.db"), mark_path_(directory + "/journal.mark"), progress_(progress) {}

  group_ranges run(std::vector<part>& parts) {
    part whole;
    whole.file = path_;
    noting_failure(whole, [&] { walk(parts); });
    // What is wrong with the journal as a whole comes before what is wrong with one of its groups.
    if (whole.broken)
      parts.insert(parts.begin(), whole);
    return std::move(ranges_);
  }

private:
  void walk(std::vector<part>& parts) {
    // Before the rows are read: what is marked now must be among them, whatever is written meanwhile.
    const auto mark = read_mark();
    connection c{disk_, path_, access_mode::read, journal_format, journal_schema, "FULL", audit_cache_kib};
    c.check_header();
    c.run("BEGIN");
    const auto index = read_index(c);
    std::vector<std::pair<std::uint32_t, group_state>> states;
    for (auto& [group, row] : read_groups(c)) {
      part p;
      p.file = path_ + " group " + std::to_string(group);
      group_state state;
      state.row = std::move(row);
      noting_failure(p, [&] {
        read_entries(c, index, group, state, [&](messages::log_entry&&, std::uint64_t) {
          if (++p.entries % events_a_piece == 0)
            progress_(p.file, p.entries);
        });
      });
      progress_(p.file, p.entries);
      p.last = state.last;
      p.head_hex = to_hex(state.last_hash);
      ranges_[group] = {state.cut_index(), state.last};
      states.emplace_back(group, std::move(state));
      parts.push_back(std::move(p));
    }
    const bool broken = std::any_of(parts.begin(), parts.end(), [](const auto& p) { return p.broken.has_value(); });
    if (!broken) // a group that broke off looks behind its mark as well
      check_mark(path_, mark, states);
    c.rollback();
  }

  journal_mark read_mark() {
    if (!disk_.exists(mark_path_))
      fail(ec::damaged, mark_path_ + ": is missing");
    auto file = disk_.open(mark_path_);
    if (!file)
      throw storage_failure{file.error()};
    auto bytes = (*file)->read_all();
    if (!bytes)
      throw storage_failure{bytes.error()};
    auto mark = mark_file::parse(*bytes);
    if (!mark)
      fail(ec::damaged, mark_path_ + ": holds no whole mark");
    return std::move(*mark);
  }

  disk& disk_;
  std::string path_, mark_path_;
  const progress_function& progress_;
  group_ranges ranges_;
};

class shard_audit {
public:
  shard_audit(disk& d, const std::string& directory, std::uint32_t shard, bool member, const progress_function& progress,
              anchor_ledger& anchors)
      : connection_(d, shard_path(directory, shard), access_mode::read, shard_format, shard_schema, "NORMAL", audit_cache_kib),
        disk_(d), directory_(directory), shard_(shard), member_(member), progress_(progress), anchors_(anchors),
        events_(connection_, select_events), event_(connection_, select_event),
        subjects_(connection_, "SELECT hash, last, tags FROM subject"), notices_(connection_.path()) {}

  void run(part& p, const group_range& journal) {
    connection_.check_header();
    auto state = read_state(connection_, shard_);
    if (state.applied.index < journal.cut && !is_replaced(journal.cut))
      fail(ec::damaged, connection_.path() + ": has applied entries up to " + std::to_string(state.applied.index) +
                            " only, but the journal holds none before " + std::to_string(journal.cut + 1));
    hash_ = domain::chain_origin(shard_);
    p.head_hex = to_hex(hash_);
    walk_events(p, state);
    // What was stored meanwhile, until little is left: the rest and the subjects are read as one state.
    for (auto now = read_state(connection_, shard_); now.head.seq > state.head.seq + events_a_piece;
         now = read_state(connection_, shard_))
      walk_events(p, state = now);
    connection_.run("BEGIN");
    state = read_state(connection_, shard_);
    walk_events(p, state);
    check_subjects(connection_, state);
    compare_subjects();
    compare_notices();
    if (connection_.version() >= amendments_since)
      check_amendments(connection_, amendments_);
    connection_.rollback();
    compare_end(p, state.applied.index, journal);
  }

private:
  /// A member's journal begins anew behind a fetched copy before that copy takes the store's place.
  bool is_replaced(std::uint64_t cut) const {
    if (disk_.exists(incoming_path(directory_, shard_)))
      return true;
    const auto now = read_store_position(disk_, directory_, shard_); // the file that has this name now
    return now && now->applied >= cut;
  }

  /// An event that anchors speak of.
  void compare_with_anchors(const event_row& row) {
    if (shard_ == 0)
      if (const auto followed = anchors_.follow(row.body); !followed)
        fail(ec::damaged, connection_.path() + ": event " + std::to_string(row.seq) + ": is " + followed.error());
    const auto [begin, end] = anchors_.of(shard_).equal_range(row.seq);
    for (auto said = begin; said != end; ++said)
      if (said->second.hash != row.hash)
        fail(ec::damaged, connection_.path() + ": event " + std::to_string(row.seq) + ": its hash is not the one that " +
                              name_of(said->second) + " gives: the chain was written anew");
  }

  /// Events that anchors speak of and that are not here. A store that was not closed may still have to be told some of them by
  /// the journal, and a member's by its leader; what has been applied is not on its way any more.
  void compare_end(part& p, std::uint64_t applied, const group_range& journal) const {
    const auto& said = anchors_.of(shard_);
    std::optional<std::uint64_t> journal_now;
    for (auto missing = said.upper_bound(p.last); missing != said.end(); ++missing) {
      const auto index = missing->second.index;
      if (applied < index && index > journal.last && !journal_now)
        journal_now = journal_end();
      if (applied < index && (index <= journal.last || index <= *journal_now))
        continue;
      if (applied >= index || !member_)
        fail(ec::damaged, connection_.path() + ": ends at event " + std::to_string(p.last) + ", behind " +
                              name_of(missing->second) + ", which gives event " + std::to_string(missing->first) +
                              ": later events are missing");
      p.behind = {missing->first, name_of(missing->second)};
    }
  }

  /// Now: a running node's journal has gone on since it was read, and so have the anchors in group 0.
  std::uint64_t journal_end() const {
    const auto ends = journal_ends(disk_, directory_);
    if (!ends)
      return 0;
    const auto found = ends->find(shard_);
    return found == ends->end() ? 0 : found->second;
  }

  static std::string name_of(const expected_head& said) {
    std::string out = said.outside ? "the given anchor of " : "the anchor of ";
    out += said.node.empty() ? "" : "node " + said.node + " of ";
    domain::append_rfc3339_us(out, said.time_us);
    return out;
  }

  void compare_notices() {
    if (connection_.version() >= notices_since) // else there are none
      notices_.load(connection_);
    if (const auto difference = notices_.difference(); !difference.empty())
      fail(ec::damaged, connection_.path() + ": " + difference);
  }

  void follow_notices(const event_row& row) {
    const auto type = static_cast<domain::command_type>(row.type);
    if (domain::plans_notices(type))
      notices_.planned(row.seq, row.body);
    else if (type == domain::command_type::notice_changes)
      notices_.changed(row.seq, row.body);
    amendments_ += domain::is_amendment(type);
  }

  /// Up to the one that the state names.
  void walk_events(part& p, const state_row& state) {
    superseded_.resize(state.head.seq + 1);
    while (p.last < state.head.seq) {
      const resetting r{events_};
      events_.bind(1, p.last + 1);
      const auto until = std::min(state.head.seq, p.last + events_a_piece);
      while (p.last < until) {
        const auto expected = p.last + 1;
        if (!events_.step())
          fail(ec::damaged, connection_.path() + ": event " + std::to_string(expected) + ": is missing, the state row names " +
                                std::to_string(state.head.seq) + " as the newest");
        const auto row = read_event(connection_, events_);
        if (row.seq != expected)
          fail(ec::damaged, connection_.path() + ": event " + std::to_string(expected) + ": is missing; the next one there is " +
                                std::to_string(row.seq));
        hash_ = domain::chain_next(hash_, row.seq, row.body);
        if (hash_ != row.hash)
          fail(ec::damaged,
               connection_.path() + ": event " + std::to_string(expected) + ": its hash does not continue the chain");
        compare_with_anchors(row);
        follow_subject(row);
        follow_notices(row);
        p.last = row.seq;
        ++p.entries;
      }
      progress_(p.file, p.entries);
    }
    p.head_hex = to_hex(hash_);
    if (hash_ != state.head.hash)
      fail(ec::damaged, connection_.path() + ": event " + std::to_string(p.last) + ": its hash is not the one of the state row");
  }

  /// Each event names the one before it of the same subject, so whatever no later one names is the newest of a subject.
  void follow_subject(const event_row& row) {
    if (row.type == static_cast<std::uint64_t>(domain::command_type::notice_changes))
      return; // of no subject
    ++newest_;
    submissions_ += holds_submission(row);
    if (row.previous == 0)
      return;
    if (superseded_[row.previous])
      fail(ec::damaged, connection_.path() + ": event " + std::to_string(row.seq) + ": names event " +
                            std::to_string(row.previous) + " as the one before it, as another one does");
    superseded_[row.previous] = true;
    --newest_;
  }

  /// Every row of a subject names a newest event, which is that subject's, and every newest event is named by one.
  void compare_subjects() {
    std::uint64_t rows = 0, keys = 0;
    const resetting r{subjects_};
    while (subjects_.step()) {
      const auto hash = subjects_.number(0);
      const auto row = subject_row::from(subjects_.number(1), subjects_.blob(2));
      if (row.last == 0 || row.last >= superseded_.size() || superseded_[row.last] || !is_of(row.last, hash))
        fail(ec::damaged, connection_.path() + ": the subject row " + std::to_string(static_cast<std::int64_t>(hash)) +
                              " names event " + std::to_string(row.last) + ", which is not this subject's newest");
      ++rows;
      keys += row.count();
    }
    if (rows != newest_ || keys != submissions_)
      fail(ec::damaged, connection_.path() + ": its events are of " + std::to_string(newest_) + " subjects with " +
                            std::to_string(submissions_) + " submissions, but it has rows of " + std::to_string(rows) + " with " +
                            std::to_string(keys));
  }

  bool is_of(std::uint64_t seq, std::uint64_t hash) {
    const resetting r{event_};
    event_.bind(1, seq);
    if (!event_.step())
      return false;
    const auto row = read_event(connection_, event_);
    if (!holds_submission(row))
      return true; // other events name their subject in their own ways
    const auto record = domain::decode_submission_event(row.body);
    return record && domain::subject_hash(record->study, record->subject) == hash;
  }

  connection connection_;
  disk& disk_;
  std::string directory_;
  std::uint32_t shard_;
  bool member_;
  const progress_function& progress_;
  anchor_ledger& anchors_;
  prepared events_, event_, subjects_;
  domain::chain_hash hash_{};
  std::vector<bool> superseded_; ///< by seq
  std::uint64_t newest_ = 0, submissions_ = 0, amendments_ = 0;
  notice_audit notices_;
};

/// Before the journal is read: what a store has applied by now must be in it.
std::map<std::uint32_t, std::uint64_t> applied_of(disk& d, const std::string& directory) {
  std::map<std::uint32_t, std::uint64_t> out;
  for (std::uint32_t shard = 0; shard < shards_max; ++shard) {
    const auto path = shard_path(directory, shard);
    if (!d.exists(path))
      continue;
    const auto applied = guarded([&] {
      connection c{d, path, access_mode::read, shard_format, shard_schema, "NORMAL", audit_cache_kib};
      return read_state(c, shard).applied.index;
    });
    out[shard] = applied.value_or(0); // what is wrong with it is found when it is walked
  }
  return out;
}

/// Once more when a fetched copy took the file's place meanwhile: what was read of two files is wrong about either.
template <class F>
storage_result<void> audit_store(disk& d, part& p, F&& audit) {
  const auto before = d.identity(p.file);
  const auto done = guarded([&] { audit(p); });
  if (done || d.identity(p.file) == before)
    return done;
  part again;
  again.file = p.file;
  p = std::move(again);
  return guarded([&] { audit(p); });
}

/// A chain that is not there at all.
part gone(const std::string& directory, std::uint32_t shard, const anchor_ledger::heads& said) {
  part p;
  p.file = shard_path(directory, shard);
  p.broken = p.file + ": is missing, and an anchor gives its event " + std::to_string(said.rbegin()->first);
  return p;
}

} // namespace

bool audit_report::ok() const {
  return std::none_of(parts.begin(), parts.end(), [](const auto& p) { return p.broken.has_value(); });
}

std::uint64_t audit_report::behind() const {
  return static_cast<std::uint64_t>(
      std::count_if(parts.begin(), parts.end(), [](const auto& p) { return p.behind && !p.broken; }));
}

audit_report audit_directory(disk& d, const std::string& directory, progress_function progress, const audit_options& options) {
  audit_report out;
  anchor_ledger anchors;
  std::optional<part> untrusted;
  for (const auto& a : options.anchors)
    if (const auto added = anchors.add(a); !added) {
      untrusted.emplace().file = "anchors";
      untrusted->broken = "the given file holds " + added.error();
    }
  if (!progress)
    progress = [](std::string_view, std::uint64_t) {};
  const auto applied = applied_of(d, directory);
  const auto ranges = journal_audit{d, directory, progress}.run(out.parts);
  const bool journal_whole = out.ok();
  const auto given = anchors;
  for (std::uint32_t shard = 0; shard < shards_max; ++shard) {
    const auto group = ranges.find(shard);
    const auto stored = applied.find(shard);
    if (options.not_here.contains(shard))
      continue;
    if (stored == applied.end() && (group == ranges.end() || group->second.cut == 0)) {
      // Never there, or to be made again from the journal.
      if (const auto& said = anchors.of(shard);
          options.alone && !said.empty() && (group == ranges.end() || group->second.last < said.rbegin()->second.index))
        out.parts.push_back(gone(directory, shard, said));
      continue;
    }
    part p;
    p.file = shard_path(directory, shard);
    const auto range = group == ranges.end() ? group_range{} : group->second;
    if (stored == applied.end() && !d.exists(p.file)) {
      if (d.exists(incoming_path(directory, shard)))
        continue; // a member's, fetched meanwhile
      p.broken = p.file + ": is missing, and the journal holds no entries before " + std::to_string(range.cut + 1);
    } else {
      const auto done = audit_store(d, p, [&](part& to) {
        if (shard == 0)
          anchors = given; // what an earlier look has found there was in a file that is no more
        shard_audit{d, directory, shard, options.member, progress, anchors}.run(to, range);
      });
      const bool being_made = !done && done.error().code == ec::not_found && range.cut == 0;
      if (!done && !being_made)
        p.broken = done.error().message;
      if (!p.broken && journal_whole && stored != applied.end() && stored->second > range.last)
        p.broken = directory + "/journal.db: group " + std::to_string(shard) + ": ends at entry " + std::to_string(range.last) +
                   ", but " + p.file + " has applied entry " + std::to_string(stored->second);
    }
    progress(p.file, p.entries);
    out.parts.push_back(std::move(p));
  }
  if (untrusted)
    out.parts.push_back(std::move(*untrusted));
  out.anchors = anchors.count();
  out.newest_anchor_us = anchors.newest_us();
  return out;
}

} // namespace epione::runtime
