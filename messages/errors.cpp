#include "messages/errors.hpp"

namespace epione {

std::string to_string(ec x) {
  switch (x) {
    case ec::none: return "none";
    case ec::not_serving: return "not_serving";
    case ec::stale_epoch: return "stale_epoch";
    case ec::disk_full: return "disk_full";
    case ec::io_failed: return "io_failed";
    case ec::damaged: return "damaged";
    case ec::unknown_command: return "unknown_command";
    case ec::conflicting_apply: return "conflicting_apply";
    case ec::crashed_on_input: return "crashed_on_input";
    case ec::unhandled_exception: return "unhandled_exception";
    case ec::restart_intensity: return "restart_intensity";
    case ec::time_limit: return "time_limit";
    case ec::not_found: return "not_found";
    case ec::invalid: return "invalid";
    case ec::in_use: return "in_use";
    case ec::conflict: return "conflict";
  }
  return "unknown";
}

std::string_view description(ec x) {
  switch (x) {
    case ec::none: return "no error";
    case ec::not_serving: return "the shard is starting, stopping or not led by this node";
    case ec::stale_epoch: return "it belongs to an epoch that is over";
    case ec::disk_full: return "no space left on the device";
    case ec::io_failed: return "a read, write or sync failed; what is on disk is unknown";
    case ec::damaged: return "a file does not hold what it must";
    case ec::unknown_command: return "a log entry was written by a newer version";
    case ec::conflicting_apply: return "two different submissions were committed under one key";
    case ec::crashed_on_input: return "the actor ended because of the input it was working on";
    case ec::unhandled_exception: return "an exception left a handler";
    case ec::restart_intensity: return "too many restarts within the period";
    case ec::time_limit: return "no answer within the time limit";
    case ec::not_found: return "not found";
    case ec::invalid: return "invalid";
    case ec::in_use: return "another process uses the data directory";
    case ec::conflict: return "the name was used before for something else";
  }
  return "unknown error";
}

} // namespace epione
