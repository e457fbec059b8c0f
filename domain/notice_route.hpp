// Who is told of what: recipients and routes of a study file, compiled. docs/study-file.md describes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::domain {

/// From one time of day to another, in the recipient's zone, past midnight when `to` is the smaller one. Never equal.
struct quiet_hours {
  std::uint32_t from_min = 0, to_min = 0; ///< minutes since midnight, 0 to 1439
};

/// A person, or a place that somebody watches.
struct recipient {
  std::string id, role;
  std::string language;                                       ///< of what is sent: "en", "zh"
  std::string zone;                                           ///< IANA name: "Asia/Shanghai"
  std::optional<quiet_hours> quiet;                           ///< what is not urgent waits for their end
  std::vector<std::pair<std::string, std::string>> addresses; ///< channel name, address there
};

/// One notice that a submission sets off: part of its event.
struct notice_plan {
  std::string rule; ///< of the alert; empty: for the submission itself
  std::string channel, recipient;
  bool urgent = true; ///< false: quiet hours hold it back
};

/// Notices of one recipient through one channel, urgent ones apart, have the same number: what waits for one of them (a mailbox
/// that refuses, an evening's quiet hours) need not hold up another. Two lanes may share a number and then wait together.
std::uint32_t notice_lane(std::string_view study, std::string_view channel, std::string_view recipient, bool urgent);

} // namespace epione::domain
