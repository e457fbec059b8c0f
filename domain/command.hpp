// What a log entry holds: a batch of commands, each with the final bytes of its event, so that applying it is the same
// everywhere and in every version of the program.
#pragma once

#include "domain/ids.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::domain {

enum class command_type : std::uint8_t {
  /// A submission: its receipt is unique within its subject.
  submission = 1,
  /// Any other event that is only recorded (a study imported, a body set aside); no receipt is checked.
  record = 2,
  /// A submission that plans at least one notice; otherwise as `submission`. Only of these apply looks into the event.
  submission_with_notices = 3,
  /// What became of notices (notice_change.hpp). Belongs to no subject; no receipt is checked.
  notice_changes = 4,
  /// A stored submission is changed: its receipt is the submission's, its event says which version it makes. Apply takes the
  /// version behind the current one; one that is there already must have the same fingerprint.
  amendment = 5,
  /// One that plans at least one notice; otherwise as `amendment`.
  amendment_with_notices = 6,
};

inline bool is_submission(command_type type) {
  return type == command_type::submission || type == command_type::submission_with_notices;
}

inline bool is_amendment(command_type type) {
  return type == command_type::amendment || type == command_type::amendment_with_notices;
}

inline bool plans_notices(command_type type) {
  return type == command_type::submission_with_notices || type == command_type::amendment_with_notices;
}

/// One command. `event` is the msgpack form of the event (event.hpp); it is hashed and stored as it is.
struct command {
  command_type type = command_type::record;
  std::uint64_t subject_hash = 0;
  receipt id{};
  fingerprint content{};
  std::string event;
};

/// The same, pointing into the batch it was read from.
struct command_view {
  command_type type;
  std::uint64_t subject_hash;
  receipt id;
  fingerprint content;
  std::string_view event;
};

/// Batch format 1: msgpack [1, [[type, subject_hash, receipt(bin), fingerprint(bin), event(bin)], ...]].
std::string encode_batch(const std::vector<command>& commands);

/// Fails, with a sentence naming the place, for a damaged batch, an unknown format or an unknown command type.
tl::expected<std::vector<command_view>, std::string> decode_batch(std::string_view bytes);

} // namespace epione::domain
