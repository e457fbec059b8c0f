// A reading connection of a shard's store. It takes part in no checkpoint, and holds a read transaction only while it reads, so
// that the WAL can start over.
#include "domain/event.hpp"
#include "runtime/storage/shard_rows.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace epione::runtime {

namespace {

constexpr std::uint32_t reader_cache_kib = 1'024;

class sqlite_store_reader final : public store_reader {
public:
  sqlite_store_reader(disk& d, const std::string& directory, std::uint32_t shard)
      : connection_(d, shard_path(directory, shard), access_mode::read, shard_format, shard_schema, "NORMAL", reader_cache_kib),
        begin_(connection_, "BEGIN"), commit_(connection_, "COMMIT"), select_event_(connection_, select_event),
        select_events_(connection_, select_events), select_subject_(connection_, select_subject) {
    if (connection_.version() >= notices_since) // else nothing was ever planned in it
      notices_.emplace(connection_, shard);
    if (connection_.version() >= amendments_since)
      amendments_.emplace(connection_);
  }

  storage_result<messages::subject_head> head(std::uint64_t subject_hash) override {
    return guarded([&] {
      const auto row = read_subject(connection_, select_subject_, subject_hash);
      return messages::subject_head{row.last, row.count(), row.tags()};
    });
  }

  storage_result<std::optional<messages::stored_event>> find(std::uint64_t subject_hash, const domain::receipt& id) override {
    return guarded([&]() -> std::optional<messages::stored_event> {
      transaction t{connection_, begin_, commit_};
      std::optional<messages::stored_event> out;
      const auto row = read_subject(connection_, select_subject_, subject_hash);
      if (row.has(domain::key_tag(id)))
        if (auto found = find_submission(connection_, select_event_, row.last, id))
          out = with_amendments({found->seq, std::move(found->body), states(found->seq, found->notices)});
      t.commit();
      return out;
    });
  }

  storage_result<std::vector<messages::stored_event>> list(std::uint64_t subject_hash, std::string_view study,
                                                           std::string_view subject, std::uint64_t before_seq,
                                                           std::uint32_t limit) override {
    return guarded([&] {
      transaction t{connection_, begin_, commit_};
      std::vector<messages::stored_event> out;
      auto at = first_before(before_seq, subject_hash, study, subject);
      while (at != 0 && out.size() < limit) {
        const resetting r{select_event_};
        select_event_.bind(1, at);
        if (!select_event_.step())
          fail(ec::damaged,
               connection_.path() + ": event " + std::to_string(at) + ": is missing, but a later one of its subject names it");
        const auto row = read_event(connection_, select_event_);
        std::size_t notices = 0;
        if ((before_seq == 0 || at < before_seq) && is_of(row, study, subject, &notices))
          out.push_back({row.seq, std::string{row.body}, states(row.seq, notices)});
        at = row.previous;
      }
      for (auto& e : out)
        e = with_amendments(std::move(e));
      t.commit();
      return out;
    });
  }

  storage_result<std::optional<messages::stored_event>> locate(const domain::receipt& id) override {
    return guarded([&]() -> std::optional<messages::stored_event> {
      transaction t{connection_, begin_, commit_};
      std::optional<messages::stored_event> out;
      const auto tag = domain::key_tag(id);
      prepared subjects{connection_, "SELECT hash, last, checksum, tags FROM subject"};
      while (!out && subjects.step()) {
        const auto row = subject_row::from(subjects.number(1), subjects.blob(3));
        if (!row.has(tag))
          continue;
        if (checksum_of(subjects.number(0), row) != subjects.number(2))
          fail(ec::damaged, connection_.path() + ": the row of a subject does not match its checksum");
        if (auto found = find_submission(connection_, select_event_, row.last, id))
          out = with_amendments({found->seq, std::move(found->body), states(found->seq, found->notices)});
      }
      subjects.reset();
      t.commit();
      return out;
    });
  }

  storage_result<messages::search_page> search(const domain::response_filter& filter, std::uint64_t subject_hash,
                                               std::uint64_t before_seq, std::uint32_t limit, std::uint32_t look_max) override {
    return guarded([&] {
      transaction t{connection_, begin_, commit_};
      messages::search_page out;
      const bool one_subject = !filter.subject.empty();
      auto at = first_to_search(filter, subject_hash, before_seq);
      while (at != 0 && out.events.size() < limit && look_max-- > 0) {
        messages::stored_event found{at, {}, {}, {}};
        std::uint64_t previous = 0;
        {
          const resetting r{select_event_};
          select_event_.bind(1, at);
          if (!select_event_.step())
            fail(ec::damaged, connection_.path() + ": event " + std::to_string(at) + ": is missing, but a later one is there");
          const auto row = read_event(connection_, select_event_);
          previous = one_subject ? row.previous : at - 1;
          if (holds_submission(row))
            found.bytes = row.body;
        }
        if (!found.bytes.empty()) {
          found = with_amendments(std::move(found));
          const auto& newest = found.amendments.empty() ? found.bytes : found.amendments.back().bytes;
          const auto record = domain::decode_record_event(newest);
          if (!record)
            fail(ec::damaged, connection_.path() + ": event " + std::to_string(at) + ": is no submission: " + record.error());
          if (domain::matches(filter, *record))
            out.events.push_back(std::move(found));
        }
        at = previous;
      }
      out.next = at == 0 ? 0 : at + 1;
      t.commit();
      return out;
    });
  }

  storage_result<std::vector<messages::stored_event>> scan(std::uint64_t from_seq, std::uint32_t limit) override {
    return guarded([&] {
      std::vector<messages::stored_event> out;
      const resetting r{select_events_};
      select_events_.bind(1, from_seq);
      while (out.size() < limit && select_events_.step()) {
        const auto row = read_event(connection_, select_events_);
        const auto expected = out.empty() ? std::max<std::uint64_t>(from_seq, 1) : out.back().seq + 1;
        if (row.seq != expected)
          fail(ec::damaged, connection_.path() + ": event " + std::to_string(expected) + ": is missing; the next one there is " +
                                std::to_string(row.seq));
        out.push_back({row.seq, std::string{row.body}, {}});
      }
      return out;
    });
  }

  storage_result<messages::notice_page> pending(const messages::notice_question& question) override {
    return guarded([&] {
      messages::notice_page out;
      out.end = true;
      if (!notices_)
        return out;
      transaction t{connection_, begin_, commit_};
      out = notices_->pending(select_event_, question);
      t.commit();
      return out;
    });
  }

  storage_result<messages::dead_letters> dead(const messages::notice_question& question) override {
    return guarded([&] {
      messages::dead_letters out;
      if (!notices_)
        return out;
      transaction t{connection_, begin_, commit_};
      out = notices_->dead(select_event_, question);
      t.commit();
      return out;
    });
  }

private:
  std::vector<messages::notice_state> states(std::uint64_t seq, std::size_t count) {
    return count == 0 || !notices_ ? std::vector<messages::notice_state>{} : notices_->states(seq, count);
  }

  messages::stored_event with_amendments(messages::stored_event e) {
    if (!amendments_)
      return e;
    for (const auto seq : amendments_->of(e.seq)) {
      const resetting r{select_event_};
      select_event_.bind(1, seq);
      if (!select_event_.step())
        fail(ec::damaged, connection_.path() + ": event " + std::to_string(seq) + ": is missing, but it amends event " +
                              std::to_string(e.seq));
      const auto row = read_event(connection_, select_event_);
      messages::stored_amendment one{row.seq, std::string{row.body}, {}};
      if (row.type == static_cast<std::uint64_t>(domain::command_type::amendment_with_notices)) {
        const auto planned = domain::planned_notices(row.body);
        one.notices = states(row.seq, planned ? planned->size() : 0);
      }
      e.amendments.push_back(std::move(one));
    }
    return e;
  }

  /// The newest event that a search looks at: of one subject along its chain, otherwise one after the other.
  std::uint64_t first_to_search(const domain::response_filter& filter, std::uint64_t subject_hash, std::uint64_t before_seq) {
    if (before_seq == 0 && !filter.subject.empty())
      return read_subject(connection_, select_subject_, subject_hash).last;
    prepared newest{connection_, "SELECT max(seq) FROM event"};
    const auto last = newest.step() ? newest.number(0) : 0;
    return before_seq == 0 ? last : std::min(before_seq - 1, last);
  }

  /// The newest event to look at. Whoever asks for the next page names the subject's own event that ended the last one: there its
  /// chain goes on, and the pages before are not walked again.
  std::uint64_t first_before(std::uint64_t before_seq, std::uint64_t subject_hash, std::string_view study,
                             std::string_view subject) {
    if (before_seq != 0) {
      const resetting r{select_event_};
      select_event_.bind(1, before_seq);
      if (select_event_.step())
        if (const auto row = read_event(connection_, select_event_); is_of(row, study, subject, nullptr))
          return row.previous;
    }
    return read_subject(connection_, select_subject_, subject_hash).last;
  }

  /// `notices` is told how many it planned.
  bool is_of(const event_row& row, std::string_view study, std::string_view subject, std::size_t* notices) const {
    if (!holds_submission(row))
      return false;
    const auto record = domain::decode_submission_event(row.body);
    if (!record)
      fail(ec::damaged, connection_.path() + ": event " + std::to_string(row.seq) + ": is no submission: " + record.error());
    if (notices != nullptr)
      *notices = record->notices.size();
    return record->study == study && record->subject == subject;
  }

  connection connection_;
  prepared begin_, commit_, select_event_, select_events_, select_subject_;
  std::optional<notice_reader> notices_;
  std::optional<amendment_reader> amendments_;
};

} // namespace

storage_result<std::unique_ptr<store_reader>> open_store_reader(disk& d, const std::string& directory, std::uint32_t shard) {
  return guarded([&]() -> std::unique_ptr<store_reader> { return std::make_unique<sqlite_store_reader>(d, directory, shard); });
}

} // namespace epione::runtime
