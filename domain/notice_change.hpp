// What became of notices: an event of its own kind, many changes in one, so that the table of what is pending can be rebuilt from
// the events.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::domain {

enum class notice_step : std::uint8_t {
  sent = 1,    ///< pending -> gone
  dead = 2,    ///< pending -> dead letter
  retried = 3, ///< dead letter -> pending
  dropped = 4, ///< dead letter -> for good
};

/// A notice that is not in the state from which the step leads is left as it is: a change that is applied twice changes nothing.
struct notice_change {
  std::uint64_t seq = 0;    ///< of the event that planned the notice
  std::uint32_t number = 0; ///< its place there
  notice_step step = notice_step::sent;
  std::int64_t at_us = 0; ///< wall clock
  std::string reason;     ///< of a dead letter: a sentence for an operator
};

/// The whole event: action "notice.outcome" (sent, dead), "notice.retry" or "notice.drop", by the first one's step; all of them
/// are of that kind. `who` is "system" for outcomes, "os:USER" for an operator's wishes; `reason` is that operator's, and becomes
/// the event's own.
std::string encode_notice_event(std::int64_t time_us, std::string_view who, const std::vector<notice_change>& changes,
                                std::string_view reason = {});

/// Fails for bytes that are not such an event.
tl::expected<std::vector<notice_change>, std::string> decode_notice_event(std::string_view event_bytes);

} // namespace epione::domain
