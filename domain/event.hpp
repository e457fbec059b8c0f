// The event: who did what to which record, when, what it was, what it became, and why (21 CFR 11.10(e)).
// It is the record itself: nothing is stored beside it that cannot be rebuilt from it.
#pragma once

#include "domain/ids.hpp"
#include "domain/notice_route.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::domain {

/// `seq` is not part of the bytes: it is the event's place in its shard's chain.
struct event {
  std::int64_t time_us = 0; ///< wall clock, microseconds since 1970-01-01T00:00:00Z
  std::string who;          ///< "subject:42", "system", "os:root", ...
  std::string role;         ///< "patient", "system", "operator", ...
  std::string action;       ///< "submission.create", "submission.set-aside", "study.import", "notice.outcome", ...
  std::string entity;       ///< "STUDY/SUBJECT/RECEIPT", "STUDY", ...
  std::string before;       ///< msgpack, empty when there was nothing
  std::string after;        ///< msgpack
  std::string reason;       ///< empty where none is asked for
};

/// msgpack [1, time_us, who, role, action, entity, before(bin), after(bin), reason].
std::string encode(const event& e);
tl::expected<event, std::string> decode_event(std::string_view bytes);
/// Its action, pointing into the bytes: to see whether an event concerns one before it is decoded whole.
tl::expected<std::string_view, std::string> action_of(std::string_view event_bytes);

inline constexpr std::string_view submission_action = "submission.create";
inline constexpr std::string_view amendment_action = "submission.amend"; ///< `before` and `after`: see amendment
inline constexpr std::string_view study_import_action = "study.import";  ///< `after`: encode(study_source)

struct score {
  std::string name;
  double value = 0;
  std::string label; ///< of the band the value lies in; empty without bands
};

struct alert {
  std::string rule; ///< its id in the study file
};

/// What a submission became: the `after` of "submission.create".
struct submission_record {
  std::string study, subject, site, key;
  receipt id{};
  fingerprint content_fingerprint{};
  std::string form, version;
  std::string authored;       ///< RFC 3339 as the sender wrote it, with its zone; empty when not sent
  std::int64_t stored_us = 0; ///< wall clock when it was accepted
  std::string answers;        ///< canonical msgpack map linkId -> value (or list of values)
  std::vector<score> scores;
  std::vector<alert> alerts;
  std::vector<notice_plan> notices; ///< who is told; a notice's number is its place here
  /// What was sent, where it was a whole FHIR QuestionnaireResponse: its canonical JSON (fhir_text.hpp), which keeps what
  /// `answers` has no place for. Empty for a submission in the short form.
  std::string resource;
};

/// The whole event of a submission, ready for a command.
std::string encode_submission_event(const submission_record& r);
/// Fails for bytes that are not a "submission.create" event.
tl::expected<submission_record, std::string> decode_submission_event(std::string_view event_bytes);

/// A stored submission that was changed afterwards: the whole of it as it was and as it is now. What was stored first is
/// version 1.
struct amendment {
  std::uint64_t version = 0;       ///< that it makes; 2 or more
  submission_record before, after; ///< `after.notices`: only of alerts that are new with it
  std::string who, role, reason;
};

/// The whole event: `before` and `after` are msgpack [1, version, record(bin)].
std::string encode_amendment_event(const amendment& a);
/// Fails for bytes that are not a "submission.amend" event.
tl::expected<amendment, std::string> decode_amendment_event(std::string_view event_bytes);
/// The version that such an event makes, without decoding the rest of it.
tl::expected<std::uint64_t, std::string> amended_version(std::string_view event_bytes);
/// What a submission became by an event of either kind.
tl::expected<submission_record, std::string> decode_record_event(std::string_view event_bytes);

/// What applying needs of a planned notice, pointing into the event's bytes.
struct planned_notice {
  std::string_view study, channel, recipient;
  bool urgent = true;
};
/// The notices of an event of either kind without decoding the rest of it; none when it planned none.
tl::expected<std::vector<planned_notice>, std::string> planned_notices(std::string_view event_bytes);

} // namespace epione::domain
