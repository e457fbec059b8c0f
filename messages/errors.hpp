// Every error an actor can answer or end with. One enum, one description each.
#pragma once

#include <caf/all.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace epione {

enum class ec : std::uint8_t {
  none = 0,
  /// The other side is not serving: starting, stopping, or not the leader.
  not_serving,
  /// A proposal, completion or reply of an epoch that is over.
  stale_epoch,
  /// No space left on the device; nothing of the write is stored.
  disk_full,
  /// A read, write or sync failed; what is on disk is unknown. The process must end.
  io_failed,
  /// A file does not hold what it must; starting from it would serve wrong data.
  damaged,
  /// A log entry this version does not understand.
  unknown_command,
  /// Two submissions with one key and different contents were both committed: a fault of ours.
  conflicting_apply,
  /// An actor ended because of the input it was working on; context: the receipt.
  crashed_on_input,
  /// An exception left a handler.
  unhandled_exception,
  /// Too many restarts in the period; context: the child's name.
  restart_intensity,
  /// A child did not stop or answer within its time limit.
  time_limit,
  /// What was asked for cannot be read or does not exist.
  not_found,
  /// The study, file or command has problems, which are listed in the context.
  invalid,
  /// Another process holds the directory.
  in_use,
  /// The same name was used before for something else, to which others may refer.
  conflict,
};

std::string_view description(ec x);
std::string to_string(ec x);

} // namespace epione

CAF_ERROR_CODE_ENUM(epione::ec, "epione")

/// CAF turns an error code inside a message into a caf::error; ours stay what the interfaces say.
template <>
struct caf::detail::implicit_conversions<epione::ec, caf::detail::error_type_flag> {
  using type = epione::ec;
};
