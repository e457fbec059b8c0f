#include "runtime/storage/notice_rows.hpp"

#include "domain/event.hpp"
#include "runtime/defaults.hpp"
#include "runtime/mutation.hpp"
#include "runtime/storage/bytes.hpp"
#include "runtime/storage/shard_rows.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace epione::runtime {

namespace {

constexpr const char* select_counts = "SELECT pending, dead, checksum FROM notice_count";
constexpr const char* pending_columns = "SELECT key, lane, checksum FROM pending_notice WHERE key > ? AND key <= ? ORDER BY key";
constexpr const char* dead_columns =
    "SELECT key, lane, checksum, at, dropped, reason FROM dead_notice WHERE key > ? AND key <= ? ORDER BY key";

std::uint64_t checksum_of(std::uint64_t key, std::uint64_t lane) {
  return hashed_record<16>{}.add(key).add(lane).hash64();
}

std::uint64_t checksum_of(const messages::notice_counts& x) {
  return hashed_record<16>{}.add(x.pending).add(x.dead).hash64();
}

struct dead_row {
  std::uint64_t key = 0, lane = 0;
  std::int64_t at_us = 0;
  bool dropped = false;
  std::string_view reason;
};

std::uint64_t checksum_of(const dead_row& x) {
  return hashed_record<48>{}
      .add(x.key)
      .add(x.lane)
      .add(static_cast<std::uint64_t>(x.at_us))
      .add(x.dropped ? 1 : 0)
      .add(XXH3_64bits(x.reason.data(), x.reason.size()))
      .hash64();
}

std::string name_of(std::uint64_t key) {
  return "notice " + std::to_string(key % notices_an_event) + " of event " + std::to_string(key / notices_an_event);
}

[[noreturn]] void damaged(const connection& c, std::uint64_t key, const std::string& what) {
  fail(ec::damaged, c.path() + ": " + name_of(key) + ": " + what);
}

/// Of a pending row: key, lane, checksum.
std::uint64_t read_lane(connection& c, const prepared& row) {
  const auto key = row.number(0), lane = row.number(1);
  if (checksum_of(key, lane) != row.number(2))
    damaged(c, key, "its pending row does not match its checksum");
  return lane;
}

dead_row read_dead(connection& c, const prepared& row) {
  dead_row x{row.number(0), row.number(1), static_cast<std::int64_t>(row.number(3)), row.number(4) != 0, row.blob(5)};
  if (checksum_of(x) != row.number(2))
    damaged(c, x.key, "its dead letter does not match its checksum");
  return x;
}

messages::notice_counts read_counts(connection& c) {
  prepared read{c, select_counts};
  messages::notice_counts out;
  if (!read.step())
    return out; // nothing was ever planned
  out = {read.number(0), read.number(1)};
  if (checksum_of(out) != read.number(2))
    fail(ec::damaged, c.path() + ": its counts of notices do not match their checksum");
  return out;
}

void bind_range(prepared& select, const messages::notice_key& behind, const messages::notice_key& up_to) {
  // The last key there is stands for "before the first one of the next event".
  select.bind(1, notice_row_key(behind.seq, behind.number));
  select.bind(2, up_to.seq == 0 ? static_cast<std::uint64_t>(INT64_MAX) : notice_row_key(up_to.seq, up_to.number));
}

messages::notice_key to_key(std::uint32_t shard, std::uint64_t key) {
  return {shard, key / notices_an_event, static_cast<std::uint32_t>(key % notices_an_event)};
}

/// Events by their notices: those of one event follow each other, so that it is read once.
class planning_events {
public:
  planning_events(connection& c, prepared& select, std::uint32_t shard) : connection_(c), select_(select), shard_(shard) {}

  messages::notice notice(std::uint64_t key) {
    const auto seq = key / notices_an_event;
    const auto number = static_cast<std::uint32_t>(key % notices_an_event);
    const auto& r = record(seq, key);
    if (number >= r.notices.size())
      damaged(connection_, key, "its event planned only " + std::to_string(r.notices.size()));
    const auto& plan = r.notices[number];
    return {{shard_, seq, number}, r.study,        r.site,      r.subject,  r.form, plan.rule, r.id,
            plan.channel,          plan.recipient, plan.urgent, r.stored_us};
  }

private:
  const domain::submission_record& record(std::uint64_t seq, std::uint64_t key) {
    if (record_ && seq_ == seq)
      return *record_;
    const resetting r{select_};
    select_.bind(1, seq);
    if (!select_.step())
      damaged(connection_, key, "its event is missing");
    const auto row = read_event(connection_, select_);
    auto decoded = domain::decode_record_event(row.body);
    if (!decoded)
      damaged(connection_, key, "its event is no submission: " + decoded.error());
    seq_ = seq;
    record_ = std::move(*decoded);
    return *record_;
  }

  connection& connection_;
  prepared& select_;
  std::uint32_t shard_;
  std::uint64_t seq_ = 0;
  std::optional<domain::submission_record> record_;
};

bool wanted(const messages::notice_question& q, std::uint64_t lane) {
  return std::binary_search(q.lanes.begin(), q.lanes.end(), static_cast<messages::notice_lane>(lane)) == q.only_these;
}

} // namespace

// ---- writing -----------------------------------------------------------------------------------------------------------

notice_writer::notice_writer(connection& c)
    : connection_(c), insert_pending_(c, "INSERT INTO pending_notice VALUES(?,?,?)"),
      select_pending_(c, "SELECT key, lane, checksum FROM pending_notice WHERE key = ?"),
      delete_pending_(c, "DELETE FROM pending_notice WHERE key = ?"),
      insert_dead_(c, "INSERT OR REPLACE INTO dead_notice VALUES(?,?,?,?,?,?)"),
      select_dead_(c, "SELECT key, lane, checksum, at, dropped, reason FROM dead_notice WHERE key = ?"),
      delete_dead_(c, "DELETE FROM dead_notice WHERE key = ?"),
      save_counts_(c, "INSERT OR REPLACE INTO notice_count VALUES(1,?,?,?)"), counts_(read_counts(c)), saved_(counts_) {}

void notice_writer::plan(std::uint64_t seq, std::string_view event_bytes) {
  const auto planned = domain::planned_notices(event_bytes);
  if (!planned || planned->empty() || planned->size() > notices_an_event)
    fail(ec::unknown_command, connection_.path() + ": event " + std::to_string(seq) + ": its notices are not understood: " +
                                  (planned ? std::to_string(planned->size()) + " of them" : planned.error()));
  std::uint32_t number = 0;
  for (const auto& n : *planned)
    if (number == 0 || !mutated(mutation::drop_outbox_row))
      insert_pending(notice_row_key(seq, number++), domain::notice_lane(n.study, n.channel, n.recipient, n.urgent));
  counts_.pending += planned->size();
}

bool notice_writer::change(const std::vector<domain::notice_change>& changes) {
  bool any = false;
  for (const auto& x : changes)
    any = change_one(x) || any;
  return any;
}

bool notice_writer::change_one(const domain::notice_change& x) {
  if (x.number >= notices_an_event || x.seq > static_cast<std::uint64_t>(INT64_MAX) / notices_an_event)
    return false;
  const auto key = notice_row_key(x.seq, x.number);
  const bool from_pending = x.step == domain::notice_step::sent || x.step == domain::notice_step::dead;
  auto& select = from_pending ? select_pending_ : select_dead_;
  const resetting r{select};
  select.bind(1, key);
  if (!select.step())
    return false;
  if (from_pending) {
    const auto lane = read_lane(connection_, select);
    delete_pending_.bind(1, key).run();
    --counts_.pending;
    if (x.step == domain::notice_step::dead) {
      insert_dead(key, lane, x.at_us, false, x.reason);
      ++counts_.dead;
    }
    return true;
  }
  const auto letter = read_dead(connection_, select);
  if (letter.dropped)
    return false;
  --counts_.dead;
  if (x.step == domain::notice_step::dropped) {
    const std::string reason{letter.reason}; // what it points to is replaced
    insert_dead(key, letter.lane, letter.at_us, true, reason);
    return true;
  }
  const auto lane = letter.lane;
  delete_dead_.bind(1, key).run();
  insert_pending(key, lane);
  ++counts_.pending;
  return true;
}

void notice_writer::insert_pending(std::uint64_t key, std::uint64_t lane) {
  const resetting r{insert_pending_};
  insert_pending_.bind(1, key).bind(2, lane).bind(3, checksum_of(key, lane)).step();
}

void notice_writer::insert_dead(std::uint64_t key, std::uint64_t lane, std::int64_t at_us, bool dropped,
                                std::string_view reason) {
  const resetting r{insert_dead_};
  insert_dead_.bind(1, key)
      .bind(2, lane)
      .bind(3, static_cast<std::uint64_t>(at_us))
      .bind(4, dropped ? 1u : 0u)
      .bind(5, checksum_of(dead_row{key, lane, at_us, dropped, reason}))
      .bind(6, reason)
      .step();
}

void notice_writer::save() {
  if (counts_.pending == saved_.pending && counts_.dead == saved_.dead)
    return;
  const resetting r{save_counts_};
  save_counts_.bind(1, counts_.pending).bind(2, counts_.dead).bind(3, checksum_of(counts_)).step();
}

// ---- reading -----------------------------------------------------------------------------------------------------------

notice_reader::notice_reader(connection& c, std::uint32_t shard)
    : connection_(c), shard_(shard), pending_from_(c, pending_columns), dead_from_(c, dead_columns) {}

messages::notice_page notice_reader::pending(prepared& select_event, const messages::notice_question& question) {
  messages::notice_page page;
  page.counts = read_counts(connection_);
  page.looked_up_to = question.behind;
  page.end = false;
  planning_events events{connection_, select_event, shard_};
  if (page.counts.pending > 0) {
    const resetting r{pending_from_};
    bind_range(pending_from_, {}, {});
    if (pending_from_.step())
      page.oldest_us = events.notice(pending_from_.number(0)).raised_us;
  }
  const resetting r{pending_from_};
  bind_range(pending_from_, question.behind, question.up_to);
  for (std::uint32_t looked_at = 0;; ++looked_at) {
    if (page.notices.size() >= question.limit || looked_at == defaults::notice_rows_a_look)
      return page;
    if (!pending_from_.step())
      break;
    const auto key = pending_from_.number(0);
    page.looked_up_to = to_key(shard_, key);
    if (const auto lane = read_lane(connection_, pending_from_); wanted(question, lane))
      page.notices.push_back({static_cast<messages::notice_lane>(lane), events.notice(key)});
  }
  page.end = true;
  return page;
}

messages::dead_letters notice_reader::dead(prepared& select_event, const messages::notice_question& question) {
  messages::dead_letters out;
  planning_events events{connection_, select_event, shard_};
  const resetting r{dead_from_};
  bind_range(dead_from_, question.behind, question.up_to);
  while (out.size() < question.limit && dead_from_.step())
    if (const auto letter = read_dead(connection_, dead_from_); !letter.dropped)
      out.push_back({events.notice(letter.key), std::string{letter.reason}, letter.at_us});
  return out;
}

std::vector<messages::notice_state> notice_reader::states(std::uint64_t seq, std::size_t count) {
  std::vector<messages::notice_state> out(count, messages::notice_state::sent);
  const auto mark = [&](prepared& select, messages::notice_state state) {
    const resetting r{select};
    select.bind(1, notice_row_key(seq, 0) - 1).bind(2, notice_row_key(seq + 1, 0) - 1);
    while (select.step())
      if (const auto number = select.number(0) % notices_an_event; number < count)
        out[number] = state;
  };
  mark(pending_from_, messages::notice_state::pending);
  mark(dead_from_, messages::notice_state::dead);
  return out;
}

// ---- auditing ----------------------------------------------------------------------------------------------------------

void notice_audit::load(connection& c) {
  const auto everything = [](prepared& p) { bind_range(p, {}, {}); };
  prepared pending{c, pending_columns}, dead{c, dead_columns};
  everything(pending), everything(dead);
  while (pending.step())
    read_lane(c, pending), stored_.pending.insert(pending.number(0));
  std::uint64_t open_letters = 0;
  while (dead.step()) {
    const auto letter = read_dead(c, dead);
    stored_.dead.emplace(letter.key, letter.dropped);
    open_letters += letter.dropped ? 0 : 1;
  }
  const auto counts = read_counts(c);
  if (counts.pending != stored_.pending.size() || counts.dead != open_letters)
    fail(ec::damaged, c.path() + ": counts " + std::to_string(counts.pending) + " pending notices and " +
                          std::to_string(counts.dead) + " dead letters, but holds " + std::to_string(stored_.pending.size()) +
                          " and " + std::to_string(open_letters));
}

void notice_audit::planned(std::uint64_t seq, std::string_view event_bytes) {
  const auto notices = domain::planned_notices(event_bytes);
  if (!notices)
    fail(ec::damaged, path_ + ": event " + std::to_string(seq) + ": " + notices.error());
  for (std::uint32_t number = 0; number < notices->size(); ++number)
    expected_.pending.insert(notice_row_key(seq, number));
}

void notice_audit::changed(std::uint64_t seq, std::string_view event_bytes) {
  const auto changes = domain::decode_notice_event(event_bytes);
  if (!changes)
    fail(ec::damaged, path_ + ": event " + std::to_string(seq) + ": " + changes.error());
  for (const auto& x : *changes) {
    const auto key = notice_row_key(x.seq, x.number);
    const auto letter = expected_.dead.find(key);
    const bool is_open_letter = letter != expected_.dead.end() && !letter->second;
    switch (x.step) {
      case domain::notice_step::sent: expected_.pending.erase(key); break;
      case domain::notice_step::dead:
        if (expected_.pending.erase(key) != 0)
          expected_.dead[key] = false;
        break;
      case domain::notice_step::retried:
        if (is_open_letter)
          expected_.dead.erase(letter), expected_.pending.insert(key);
        break;
      case domain::notice_step::dropped:
        if (is_open_letter)
          letter->second = true;
        break;
    }
  }
}

std::string notice_audit::difference() const {
  for (const auto key : expected_.pending)
    if (stored_.pending.count(key) == 0)
      return name_of(key) + ": is pending by the events, but has no row";
  for (const auto key : stored_.pending)
    if (expected_.pending.count(key) == 0)
      return name_of(key) + ": has a pending row, but is not pending by the events";
  for (const auto& [key, dropped] : expected_.dead) {
    const auto stored = stored_.dead.find(key);
    if (stored == stored_.dead.end() || stored->second != dropped)
      return name_of(key) + ": is " + (dropped ? "dropped" : "a dead letter") + " by the events, but not by its row";
  }
  for (const auto& [key, dropped] : stored_.dead)
    if (expected_.dead.count(key) == 0)
      return name_of(key) + ": has a dead letter's row, but is none by the events";
  return {};
}

} // namespace epione::runtime
