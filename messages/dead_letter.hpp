// Dead letters: notices that were given up. They lie in their shard's store until an operator has them sent again or drops them.
#pragma once

#include "messages/notice.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::messages {

/// Numbers of an event's notices are below it.
inline constexpr std::uint32_t notices_an_event = 1'024;

/// "SHARD-SEQ-NUMBER", as in "3-1207-0": how an operator names a notice.
std::string to_text(const notice_key& key);
/// Nothing for any other text.
std::optional<notice_key> parse_notice_key(std::string_view text);

struct dead_letter {
  notice what;
  std::string reason;     ///< a sentence for an operator
  std::int64_t at_us = 0; ///< wall clock when it was given up
};
using dead_letters = std::vector<dead_letter>;
using dead_letters_ptr = std::shared_ptr<const dead_letters>;

/// retry: it is pending again and is tried as if new; if it is older than what notifiers try for, once. drop: nobody will be
/// told; it stays `dead` in what is shown of its submission.
enum class letter_wish : std::uint8_t { retry, drop };

/// What an operator wants done with one dead letter of a shard, or with all of them.
struct letter_request {
  letter_wish wish = letter_wish::retry;
  std::optional<notice_key> key; ///< nothing: all that are dead when it comes
  std::string who;               ///< "os:USER"
  std::string reason;            ///< in that user's words; the console takes no drop without one
};
using letter_request_ptr = std::shared_ptr<const letter_request>;

/// What a shard's store holds of notices.
struct notice_counts {
  std::uint64_t pending = 0, dead = 0;
};

/// Notices of one recipient through one channel, urgent ones apart: what waits in one lane does not hold up another.
using notice_lane = std::uint32_t;

/// Asks a store for pending notices or dead letters behind a key, in their order.
struct notice_question {
  notice_key behind; ///< its shard is the one that is asked; seq 0: from the first
  notice_key up_to;  ///< of pending ones the last key to look at; seq 0: to the end
  std::uint32_t limit = 0;
  std::vector<notice_lane> lanes; ///< of pending ones: ascending ...
  bool only_these = false;        ///< ... only those of these lanes, or all but those
};
using notice_question_ptr = std::shared_ptr<const notice_question>;

struct lane_notice {
  notice_lane lane = 0;
  notice what;
};

struct notice_page {
  std::vector<lane_notice> notices;
  notice_key looked_up_to; ///< where to go on
  bool end = true;         ///< there was nothing more
  notice_counts counts;
  std::int64_t oldest_us = 0; ///< when the oldest pending one was raised; 0: none is pending
};
using notice_page_ptr = std::shared_ptr<const notice_page>;

} // namespace epione::messages
