// What the storage tests have in common: a fresh directory, and log entries with submissions in them.
#pragma once

#include "domain/command.hpp"
#include "domain/event.hpp"
#include "domain/ids.hpp"
#include "domain/notice_change.hpp"
#include "runtime/storage/journal.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/shard_store.hpp"
#include "runtime/storage/sqlite.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace epione::storage_tests {

class fresh_directory {
public:
  fresh_directory() {
    auto name = (std::filesystem::temp_directory_path() / "epione-storage-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  fresh_directory(const fresh_directory&) = delete;
  fresh_directory& operator=(const fresh_directory&) = delete;
  ~fresh_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// The value, or a failed test with the reason.
template <class T>
T must(runtime::storage_result<T>&& r) {
  BOOST_REQUIRE_MESSAGE(r.has_value(), (r ? "" : r.error().message));
  if constexpr (!std::is_void_v<T>)
    return std::move(*r);
}

/// Makes a shard's store what a version of the program before notices, and before the sum of subject rows, left behind.
inline void bring_to_format_1(runtime::disk& disk, const std::string& directory, std::uint32_t shard) {
  runtime::connection c{
      disk, runtime::shard_path(directory, shard), runtime::access_mode::write, runtime::shard_format, "", "FULL", 64};
  auto state = runtime::read_state(c, shard);
  state.subjects = 0;
  {
    runtime::prepared replace{c, runtime::replace_state};
    bind(replace, state);
    replace.run();
  }
  c.run("ALTER TABLE state DROP COLUMN subjects; DROP TABLE pending_notice; DROP TABLE dead_notice; DROP TABLE notice_count; "
        "DROP TABLE amendment;"
        "PRAGMA user_version = 1");
  BOOST_REQUIRE(c.checkpoint().complete);
}

inline messages::log_entry entry(std::uint64_t index, std::string data, std::uint64_t term = 1,
                                 messages::entry_type type = messages::entry_type::command) {
  return {index, term, type, std::make_shared<const std::string>(std::move(data))};
}

inline messages::journal_write_ptr write_of(std::uint32_t group, messages::log_entries entries,
                                            std::optional<std::uint64_t> term = {}, std::optional<std::uint64_t> vote = {}) {
  auto out = std::make_shared<messages::journal_write>();
  out->group = group;
  out->term = term;
  out->voted_for = vote;
  out->entries = std::move(entries);
  return out;
}

inline domain::command submission(std::uint64_t subject, const std::string& key, const std::string& answers = "answers") {
  domain::submission_record r;
  r.study = "demo";
  r.subject = std::to_string(subject);
  r.site = "site-1";
  r.key = key;
  r.id = domain::make_receipt(r.study, r.subject, key);
  r.content_fingerprint = domain::make_fingerprint(answers);
  r.form = "phq-9";
  r.version = "1";
  r.stored_us = 1'700'000'000'000'000;
  r.answers = answers;
  return {domain::command_type::submission, domain::subject_hash(r.study, r.subject), r.id, r.content_fingerprint,
          domain::encode_submission_event(r)};
}

/// The same with so many notices: rule "rule-0" to recipient "doctor-0", and so on, through the channel "mail".
inline domain::command submission_with_notices(std::uint64_t subject, const std::string& key, std::uint32_t notices) {
  auto c = submission(subject, key);
  auto r = *domain::decode_submission_event(c.event);
  for (std::uint32_t i = 0; i < notices; ++i) {
    r.alerts.push_back({"rule-" + std::to_string(i)});
    r.notices.push_back({r.alerts.back().rule, "mail", "doctor-" + std::to_string(i), i % 2 == 0});
  }
  c.type = domain::command_type::submission_with_notices;
  c.event = domain::encode_submission_event(r);
  return c;
}

inline domain::command amendment(const domain::command& of, std::uint64_t version, const std::string& answers,
                                 std::uint32_t notices = 0) {
  domain::amendment a;
  a.version = version;
  a.before = *domain::decode_submission_event(of.event);
  a.after = a.before;
  a.after.answers = answers;
  a.after.content_fingerprint = domain::make_fingerprint(answers);
  a.after.stored_us += static_cast<std::int64_t>(version);
  for (std::uint32_t i = 0; i < notices; ++i)
    a.after.notices.push_back({"rule-" + std::to_string(i), "mail", "doctor", true});
  a.who = "fhir:nurse";
  a.role = "nurse";
  a.reason = "why";
  return {notices == 0 ? domain::command_type::amendment : domain::command_type::amendment_with_notices, of.subject_hash, of.id,
          a.after.content_fingerprint, domain::encode_amendment_event(a)};
}

inline domain::command notice_changes(const std::vector<domain::notice_change>& changes) {
  return {domain::command_type::notice_changes, 0, {}, {}, domain::encode_notice_event(5, "system", changes)};
}

inline std::uint64_t hash_of_subject(std::uint64_t subject) {
  return domain::subject_hash("demo", std::to_string(subject));
}

inline messages::log_entry batch(std::uint64_t index, const std::vector<domain::command>& commands) {
  return entry(index, domain::encode_batch(commands));
}

} // namespace epione::storage_tests
