// What comes in from outside and what goes back: submissions, reads and replies, named by tickets.
#pragma once

#include "domain/command.hpp"
#include "domain/ids.hpp"
#include "domain/response_filter.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace epione::messages {

/// Names one waiting request; never reused within a process.
using ticket = std::uint64_t;

/// What a submission's content is written in.
enum class content_kind : std::uint8_t {
  data,     ///< canonical msgpack of `data`, the short form
  response, ///< domain::stored_resource() of a QuestionnaireResponse
};

/// One submission, decoded, on its way. Immutable from here on.
struct submission {
  std::string study, subject, key;
  bool key_given = false; ///< false: the front made the key, and there is no repeat protection
  std::uint64_t subject_hash = 0;
  std::uint32_t shard = 0;
  domain::receipt id{};
  domain::fingerprint fingerprint{};
  std::string content;          ///< see kind
  std::int64_t received_ns = 0; ///< clock::now_ns() when its last byte was read
  content_kind kind = content_kind::data;
  bool held = false; ///< one of several that are stored together: once accepted it waits for the others (actors/change_desk.hpp)
  bool amends = false; ///< not new: changes the stored submission `id`, which must not change its subject or form
};
using submission_ptr = std::shared_ptr<const submission>;

/// GET /patient/{id} (id empty) or GET /patient/{id}/submissions/{receipt}; or what FHIR's reads and searches ask a shard.
struct read_request {
  std::string study, subject;
  std::uint64_t subject_hash = 0;
  std::uint32_t shard = 0;
  std::optional<domain::receipt> id;
  std::uint64_t before_seq = 0; ///< 0: from the newest
  /// A submission of the subject that the answer must not be older than: waited for while it is on its way; ec::not_found when
  /// there is none.
  std::optional<domain::receipt> after;
  std::uint32_t limit = 20;
  bool anywhere = false; ///< with `id`: whoever's it is; study, subject and hash say nothing
  /// A search: those of the shard that match, or of the subject if the filter names one. The events are followed by one without
  /// bytes, whose seq is the before_seq to go on with; 0: there is nothing more.
  std::optional<domain::response_filter> filter;
};
using read_request_ptr = std::shared_ptr<const read_request>;

/// Whether a 503 can be asked for again at once where the shard is led now, under the same key.
enum class elsewhere : std::uint8_t {
  no,        ///< it would not help
  yes,       ///< nothing of it is stored: its shard is not led here
  after_that ///< whether it is stored is unknown; the same request under the same key settles it
};

/// An answer, ready to be framed. `body` is JSON.
struct reply {
  ticket to = 0;
  int status = 500;
  std::string body;
  std::uint32_t retry_after_s = 0; ///< sent as Retry-After when not 0
  elsewhere hint = elsewhere::no;
  std::string header = {}; ///< further lines of the header, each with its CRLF
};
using replies = std::vector<reply>;

/// What is known of a submission that was not acknowledged. Only `not_stored` promises absence.
enum class outcome : std::uint8_t { not_stored, unknown };

/// Verdict of a validator: either the command to propose and the text for the phone, or the refusal.
struct assessment {
  domain::receipt id{};
  submission_ptr what;                            ///< this very request; another one under the same key has a check of its own
  int status = 0;                                 ///< 202 accepted; 404 or 422 refused; 503 the studies are not read yet
  std::shared_ptr<const domain::command> command; ///< accepted: what is to be stored, with the final bytes of its event
  std::string results;      ///< accepted: members of the answer, "scores":[...] and perhaps "warnings":[...]
  std::uint32_t alerts = 0; ///< accepted: how many alert rules were met
  std::string refusal;      ///< refused: JSON body
};
using assessment_ptr = std::shared_ptr<const assessment>;

/// Where a notice that an event planned is; the further from its recipient, the smaller. Dropped ones are dead for good.
enum class notice_state : std::uint8_t { pending, dead, sent };

/// An event that changed a stored submission.
struct stored_amendment {
  std::uint64_t seq = 0;
  std::string bytes;
  std::vector<notice_state> notices = {};
};

/// An event as it lies in a shard's store.
struct stored_event {
  std::uint64_t seq = 0;
  std::string bytes;
  std::vector<notice_state> notices = {};        ///< where a submission is looked up: one for each notice it planned
  std::vector<stored_amendment> amendments = {}; ///< the same: what changed it, in the order of its versions
};

/// What a search found in one shard, newest first.
struct search_page {
  std::vector<stored_event> events;
  std::uint64_t next = 0; ///< where to go on; 0: there is nothing more
};

/// What a shard's store knows of a subject before any event is read.
struct subject_head {
  std::uint64_t last_seq = 0; ///< 0: nothing stored
  std::uint64_t count = 0;
  std::vector<std::uint16_t> tags; ///< key_tag of every submission, oldest first
};
using subject_head_ptr = std::shared_ptr<const subject_head>;

} // namespace epione::messages
