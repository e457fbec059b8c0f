// One shard's outbox: brings its pending notices to the notifiers, and what became of them back into the log.
//
// It keeps nothing that a restart would lose: what is pending is in the store, and a notice whose outcome was not applied is
// handed over again, under the same key. So every notice is sent at least once; a receiver may see one twice.
#pragma once

#include "actors/notice_window.hpp"
#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <caf/all.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace epione::actors {

struct outbox_options {
  std::uint32_t shard = 0, readers = 0;
  /// Names of the configured channels, each with a "notifier NAME"; what is for any other goes to "notifier log".
  std::set<std::string> channels;
  notice_window_options window;
};

struct outbox_state {
  /// A command on its way into the store.
  struct proposal {
    messages::command_ptr command;
    std::vector<messages::notice_key> keys;
    std::int64_t proposed_ns = 0;
    std::uint64_t sent = 0, dead = 0;
    bool of_operator = false;
  };

  /// What an operator wants, page by page.
  struct wish {
    messages::letter_request_ptr what;
    caf::typed_response_promise<std::uint64_t> answer;
    messages::notice_key behind;
    std::uint64_t done = 0, on_its_way = 0;
    domain::receipt command{};
    bool proposed = false;
    std::int64_t until_ns = 0;
  };

  outbox_state() = default;
  /// However the actor ends, no operator waits for an answer that will not come.
  ~outbox_state();

  bool serving = false;
  std::uint64_t epoch = 0, commands = 0, questions = 0, next_reader = 0;
  std::optional<notice_window> window;
  std::map<std::string, messages::notifier_actor> notifiers; ///< by channel; those that run
  std::deque<messages::notice_outcome> outcomes;             ///< to be proposed
  std::map<domain::receipt, proposal> proposals;             ///< ids ascend as they are made
  std::deque<wish> wishes;                                   ///< one at a time
  messages::notice_counts counts;                            ///< as the store was last read
  std::int64_t oldest_us = 0;                                ///< 0: nothing is pending
  bool counts_behind = false;                                ///< more was applied since they were asked for
  bool reading = false, counting = false;                    ///< a question of the window, or one for counts alone, is open
  messages::shard_region_actor region;
  static inline const char* name = "outbox";
};

/// Finds "region N" in the directory, which must tell it when the shard serves.
messages::outbox_actor::behavior_type outbox(messages::outbox_actor::stateful_pointer<outbox_state> self,
                                             const runtime::environment& env, outbox_options options);

} // namespace epione::actors
