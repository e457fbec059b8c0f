// What the operator's console asks of actors, and what they tell it. Nothing here holds an answer or a score.
#pragma once

#include "domain/event.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace epione::messages {

/// A command of the console as it was typed, split into words.
struct console_request {
  std::vector<std::string> words;
  bool json = false;         ///< the reply's text is one JSON value instead of a table
  std::uint32_t columns = 0; ///< of the terminal; 0: lines as long as they need to be
  std::string who;           ///< "os:USER"
  std::string after;         ///< for what is followed: the cursor of the last reply; empty at first
};
using console_request_ptr = std::shared_ptr<const console_request>;

struct console_reply {
  int code = 0;        ///< runtime::exit_code
  std::string text;    ///< for standard output
  std::string message; ///< for standard error: what was wrong and what to do
  std::string cursor;  ///< for what is followed: where the next request goes on
};
using console_reply_ptr = std::shared_ptr<const console_reply>;

/// What a supervisor says of one of its children.
struct child_report {
  std::string supervisor, name;
  std::string state; ///< "running", "halted", ...
  std::uint64_t restarts = 0;
  std::int64_t age_ms = -1; ///< since its last start; -1: it does not run
};
using child_reports = std::vector<child_report>;
using child_reports_ptr = std::shared_ptr<const child_reports>;

/// An event without what was and what became: those hold answers and never leave the reader.
struct event_line {
  std::uint32_t shard = 0;
  std::uint64_t seq = 0;
  std::int64_t time_us = 0; ///< wall clock
  std::string who, role, action, entity, reason;
};
using event_lines = std::vector<event_line>;
using event_lines_ptr = std::shared_ptr<const event_lines>;

/// A patient's session. No patient is named: a region knows the hash alone.
struct session_line {
  std::uint32_t shard = 0;
  std::uint64_t subject_hash = 0;
  std::int64_t idle_ms = 0;   ///< since the patient was last heard of
  std::uint32_t checking = 0; ///< submissions in check
};
using session_lines = std::vector<session_line>;
using session_lines_ptr = std::shared_ptr<const session_lines>;

/// Something an operator did, to be recorded in group 0.
using event_ptr = std::shared_ptr<const domain::event>;

} // namespace epione::messages
