// The writing connection of a shard's store.
//
// A call of apply() is one transaction: events go to the right-hand edge of their table, and the rows of the subjects they belong
// to are read and written once each, in the order of their keys, however many of their events are in it. So a larger transaction
// costs less a row, and a row costs the same however many there are.
#include "runtime/storage/shard_store.hpp"

#include "domain/command.hpp"
#include "domain/event.hpp"
#include "runtime/mutation.hpp"
#include "runtime/storage/shard_rows.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace epione::runtime {

namespace {

constexpr std::uint32_t shard_cache_kib = 8 * 1024; // the subject pages that one transaction touches
constexpr std::uint64_t shard_frame_bytes = 4096 + 24;

struct touched_subject {
  std::uint64_t hash = 0;
  subject_row row;
  std::uint64_t checksum = 0; ///< as stored; 0: there is no row yet
  bool changed = false;
};

class sqlite_shard_store final : public shard_store {
public:
  sqlite_shard_store(disk& d, const std::string& directory, std::uint32_t shard)
      : disk_(d), connection_(d, shard_path(directory, shard), access_mode::create, shard_format, shard_schema,
                              mutated(mutation::skip_store_sync) ? "OFF" : "NORMAL", shard_cache_kib),
        begin_(connection_, "BEGIN IMMEDIATE"), commit_(connection_, "COMMIT"), insert_event_(connection_, insert_event),
        select_event_(connection_, select_event), select_subject_(connection_, select_subject),
        upsert_subject_(connection_, upsert_subject), replace_state_(connection_, replace_state), notices_(connection_),
        amendments_(connection_), state_(read_state(connection_, shard)) {
    sqlite3_wal_hook(connection_.handle(), &sqlite_shard_store::count_frames, this);
    check_head(connection_, state_);
    state_.subjects = check_subjects(connection_, state_);
  }

  const applied_point& applied() const override { return state_.applied; }
  chain_head head() const override { return state_.head; }

  storage_result<apply_result> apply(const messages::log_entries& entries) override {
    return guarded([&] {
      auto state = state_;
      const auto commands = decode(entries, state);
      apply_result result;
      if (state.applied.index == state_.applied.index)
        return result;
      notices_.rolled_back(); // if the last one was
      transaction t{connection_, begin_, commit_};
      auto subjects = touched_by(commands);
      for (const auto& c : commands)
        if (c.type == domain::command_type::notice_changes)
          change_notices(c, state, result);
        else if (auto& subject = *std::lower_bound(subjects.begin(), subjects.end(), c.subject_hash,
                                                   [](const auto& s, std::uint64_t hash) { return s.hash < hash; });
                 domain::is_amendment(c.type))
          amend(c, subject, state, result);
        else
          apply_one(c, subject, state, result);
      for (const auto& s : subjects)
        if (s.changed) {
          const resetting r{upsert_subject_};
          bind(upsert_subject_, s.hash, s.row);
          upsert_subject_.step();
          state.subjects += checksum_of(s.hash, s.row) - s.checksum;
        }
      if (!mutated(mutation::state_outside_transaction))
        save(state);
      notices_.save();
      t.commit();
      if (mutated(mutation::state_outside_transaction))
        save(state);
      notices_.committed();
      state_ = std::move(state);
      return result;
    });
  }

  storage_result<std::optional<messages::snapshot_point>> checkpoint() override {
    return guarded([&]() -> std::optional<messages::snapshot_point> {
      const auto& a = state_.applied;
      messages::snapshot_point point{a.index, a.term, a.configuration, a.configuration_index};
      if (mutated(mutation::snapshot_of_wrong_term) && a.term > 1)
        --point.term;
      if (mutated(mutation::cut_before_checkpoint)) {
        wal_bytes_ = 0;
        return point;
      }
      if (old_wal_)
        connection_.rewrite_wal(disk_);
      old_wal_ = false;
      if (!connection_.checkpoint().complete)
        return std::nullopt;
      wal_bytes_ = 0;
      return point;
    });
  }

  std::uint64_t wal_bytes() const override { return wal_bytes_; }
  std::optional<std::uint64_t> file_bytes() const override { return connection_.file_bytes(); }

private:
  static int count_frames(void* self, sqlite3*, const char*, int frames) {
    static_cast<sqlite_shard_store*>(self)->wal_bytes_ = static_cast<std::uint64_t>(frames) * shard_frame_bytes;
    return SQLITE_OK;
  }

  void save(const state_row& state) {
    const resetting r{replace_state_};
    bind(replace_state_, state);
    replace_state_.step();
  }

  /// All commands of the entries that are not applied yet, and `state` moved behind them. Nothing is stored before everything is
  /// known to be understood.
  std::vector<domain::command_view> decode(const messages::log_entries& entries, state_row& state) const {
    std::vector<domain::command_view> out;
    for (const auto& e : entries) {
      if (e.index <= state.applied.index)
        continue;
      if (e.index != state.applied.index + 1 && !mutated(mutation::apply_skips_entry))
        fail(ec::damaged, connection_.path() + ": entry " + std::to_string(state.applied.index + 1) +
                              " was to be applied next, but entry " + std::to_string(e.index) + " came");
      state.applied.index = e.index;
      state.applied.term = e.term;
      switch (e.type) {
        case messages::entry_type::barrier: break;
        case messages::entry_type::change:
          state.applied.configuration = *e.data;
          state.applied.configuration_index = e.index;
          break;
        case messages::entry_type::command: {
          if (mutated(mutation::apply_skips_at_border) && entries.size() > 1 && &e == &entries.back())
            break;
          auto batch = domain::decode_batch(*e.data);
          if (!batch)
            fail(ec::unknown_command, connection_.path() + ": entry " + std::to_string(e.index) +
                                          " is not understood: " + batch.error() + "; a newer version of Epione may");
          out.insert(out.end(), batch->begin(), batch->end());
          if (mutated(mutation::apply_twice))
            out.insert(out.end(), batch->begin(), batch->end());
          break;
        }
        default:
          fail(ec::unknown_command, connection_.path() + ": entry " + std::to_string(e.index) + " has the unknown type " +
                                        std::to_string(static_cast<unsigned>(e.type)));
      }
    }
    return out;
  }

  std::vector<touched_subject> touched_by(const std::vector<domain::command_view>& commands) {
    std::vector<std::uint64_t> hashes;
    hashes.reserve(commands.size());
    for (const auto& c : commands)
      if (c.type != domain::command_type::notice_changes)
        hashes.push_back(c.subject_hash);
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
    std::vector<touched_subject> out;
    out.reserve(hashes.size());
    for (const auto hash : hashes) {
      auto row = read_subject(connection_, select_subject_, hash);
      const auto checksum = row.last == 0 ? 0 : checksum_of(hash, row);
      out.push_back({hash, std::move(row), checksum, false});
    }
    return out;
  }

  void apply_one(const domain::command_view& c, touched_subject& subject, state_row& state, apply_result& result) {
    const bool is_submission = domain::is_submission(c.type);
    const auto tag = domain::key_tag(c.id);
    if (is_submission && subject.row.has(tag) && !mutated(mutation::apply_twice))
      if (const auto stored = find_submission(connection_, select_event_, subject.row.last, c.id)) {
        if (stored->content != c.content)
          fail(ec::conflicting_apply, connection_.path() + ": event " + std::to_string(stored->seq) + " holds receipt " +
                                          domain::to_text(c.id) + " with other content");
        ++result.repeats;
        return;
      }
    append_event(c, subject.row.last, state);
    if (c.type == domain::command_type::submission_with_notices)
      notices_.plan(state.head.seq, c.event);
    subject.row.last = state.head.seq;
    subject.changed = true;
    if (is_submission)
      subject.row.add(tag);
    ++result.events;
  }

  void amend(const domain::command_view& c, touched_subject& subject, state_row& state, apply_result& result) {
    const auto conflict = [&](const std::string& what) {
      fail(ec::conflicting_apply, connection_.path() + ": an amendment of receipt " + domain::to_text(c.id) + " " + what);
    };
    const auto version = domain::amended_version(c.event);
    if (!version)
      fail(ec::unknown_command, connection_.path() + ": an amendment is not understood: " + version.error());
    const auto first = subject.row.has(domain::key_tag(c.id))
                           ? find_submission(connection_, select_event_, subject.row.last, c.id)
                           : std::nullopt;
    if (!first)
      return conflict("finds no such submission");
    const auto newest = amendments_.newest(first->seq);
    if (*version <= newest) {
      if (fingerprint_of(amendments_.find(first->seq, *version)) != c.content)
        conflict("makes version " + std::to_string(*version) + ", which is there already with other content");
      ++result.repeats;
      return;
    }
    if (*version != newest + 1)
      conflict("makes version " + std::to_string(*version) + ", but the newest one is " + std::to_string(newest));
    append_event(c, subject.row.last, state);
    amendments_.add(first->seq, *version, state.head.seq);
    if (c.type == domain::command_type::amendment_with_notices)
      notices_.plan(state.head.seq, c.event);
    subject.row.last = state.head.seq;
    subject.changed = true;
    ++result.events;
  }

  domain::fingerprint fingerprint_of(std::uint64_t amendment_seq) {
    const resetting r{select_event_};
    select_event_.bind(1, amendment_seq);
    if (!select_event_.step())
      return {};
    const auto record = domain::decode_record_event(read_event(connection_, select_event_).body);
    return record ? record->content_fingerprint : domain::fingerprint{};
  }

  /// Proposed again after it was applied, it finds its notices elsewhere and is no event.
  void change_notices(const domain::command_view& c, state_row& state, apply_result& result) {
    const auto changes = domain::decode_notice_event(c.event);
    if (!changes)
      fail(ec::unknown_command, connection_.path() + ": a command for notices is not understood: " + changes.error());
    if (!notices_.change(*changes)) {
      ++result.repeats;
      return;
    }
    append_event(c, 0, state);
    ++result.events;
  }

  void append_event(const domain::command_view& c, std::uint64_t previous, state_row& state) {
    event_row row;
    row.seq = state.head.seq + 1;
    row.previous = previous;
    row.type = static_cast<std::uint64_t>(c.type);
    row.body = c.event;
    const auto before = mutated(mutation::break_the_chain) ? domain::chain_origin(state.shard) : state.head.hash;
    row.hash = domain::chain_next(before, row.seq, row.body);
    const resetting r{insert_event_};
    bind(insert_event_, row);
    insert_event_.step();
    state.head = {row.seq, row.hash};
  }

  disk& disk_;
  connection connection_;
  prepared begin_, commit_, insert_event_, select_event_, select_subject_, upsert_subject_, replace_state_;
  notice_writer notices_;
  amendment_writer amendments_;
  state_row state_;
  std::uint64_t wal_bytes_ = 0;
  bool old_wal_ = true; ///< what an earlier process wrote is still in the WAL
};

} // namespace

storage_result<std::unique_ptr<shard_store>> open_shard_store(disk& d, const std::string& directory, std::uint32_t shard) {
  return guarded([&]() -> std::unique_ptr<shard_store> { return std::make_unique<sqlite_shard_store>(d, directory, shard); });
}

std::string incoming_path(const std::string& directory, std::uint32_t shard) {
  return shard_path(directory, shard) + ".incoming";
}

std::string shard_path(const std::string& directory, std::uint32_t shard) {
  char name[32];
  std::snprintf(name, sizeof(name), "/shard-%03u.db", shard);
  return directory + name;
}

} // namespace epione::runtime
