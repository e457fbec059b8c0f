// Sends what is for one channel: evenly, fairly among recipients, again and again until it is taken or given up, and several
// notices as one message when they pile up. Business code hands over a notice and hears the outcome; how it travels is the
// channel's affair.
#pragma once

#include "actors/notice_queue.hpp"
#include "actors/sender.hpp"
#include "domain/notice_route.hpp"
#include "messages/interfaces.hpp"
#include "runtime/channel_settings.hpp"
#include "runtime/circuit_breaker.hpp"
#include "runtime/environment.hpp"
#include "runtime/token_bucket.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::actors {

/// Why there is no recipient: the studies are still being read, or the study has nobody of this id (any more).
enum class recipient_absence : std::uint8_t { not_known_yet, gone };

/// Looks a recipient up as the studies say now. (study, recipient's id) Called in the notifier's turn; must not block.
using recipient_finder =
    std::function<tl::expected<domain::recipient, recipient_absence>(const std::string&, const std::string&)>;

/// The common keys of a channel, as docs/channels.md describes them.
struct notifier_options {
  std::string channel;
  runtime::channel_rate rate;
  std::uint32_t concurrency = 1;
  std::uint64_t timeout_ms = 0, give_up_after_s = 0, retry_ms = 0, retry_ms_max = 0;
  std::uint32_t refused_tries = 1;
  std::uint32_t breaker_failures = 1;
  std::uint64_t breaker_open_ms = 0;
  std::uint64_t merge_from = 2, merge_max = 1, text_bytes_max = 0;
  channel_maker make;
};

/// `settings` have been checked against `kinds`.
notifier_options notifier_options_of(const runtime::channel_settings& settings, const runtime::channel_kinds& kinds);

/// Every notifier: with what its senders answer.
using notifying_actor =
    messages::notifier_actor::extend<caf::reacts_to<messages::send_atom, std::uint64_t, messages::send_result_ptr>>;

struct notifier_state {
  struct client {
    std::uint64_t number = 0;
    messages::notice_client actor;
  };
  struct worker {
    messages::sender_actor actor; ///< null: not started yet, or waits to be started again
    std::stop_source stop;
    std::uint64_t job = 0;       ///< what it sends; 0: idle
    std::int64_t restart_ns = 0; ///< not started before; 0: it never was
  };
  struct job {
    parcel what;
    std::int64_t begun_ns = 0;
  };
  /// Whom to end with the notifier. Shared with what runs then, also after a kill.
  using running_senders = std::vector<std::pair<caf::actor_addr, std::stop_source>>;

  notifier_state() = default;
  std::vector<client> clients; ///< a few, in the order in which they came, which does not depend on where they lie in memory
  std::uint64_t clients_seen = 0;
  std::vector<worker> workers;
  std::shared_ptr<running_senders> running = std::make_shared<running_senders>();
  std::map<std::uint64_t, job> jobs;
  std::uint64_t jobs_seen = 0;
  std::map<std::uint64_t, messages::notice_outcomes> outcomes; ///< by client, until the end of the turn
  std::int64_t paused_until_ns = 0;                            ///< the other side asked for it
  std::int64_t armed_ns = 0;                                   ///< when the next tick comes; 0: none is under way
  std::uint64_t sent = 0, dead = 0, merged = 0;
  std::string last_failure;
  static inline const char* name = "notifier";
};

/// - A notice is tried until it is taken; after give_up_after_s from its submission once more, and then it is dead. While the
/// circuit
///   breaker is open, the trial that fails counts as that last try for everything that is due to be given up.
/// - What the other side refuses for good, and what ends its sender, is dead after refused_tries.
/// - A recipient that the study does not have any more is dead at once; its address is looked up for each try.
/// - What is not urgent waits while the recipient has quiet hours.
/// - From merge_from waiting notices for one recipient on, up to merge_max that fit text_bytes_max go out as one message; each
/// has its
///   own outcome all the same.
/// - A sender that ends or hangs loses nothing: what it had is tried again with its successor.
/// Outcomes are reported in batches at the end of each turn. What a client that ended had handed over is dropped, but for what is
/// under way: when its successor hands that over, it is not sent a second time.
notifying_actor::behavior_type notifier(notifying_actor::stateful_pointer<notifier_state> self, const runtime::environment& env,
                                        std::string name, notifier_options options, recipient_finder find);

} // namespace epione::actors
