// What a shard's region needs to change stored submissions, and to store several together: one job a subject at a time.
//
// Submissions of a job go through the region's table like all others, so that a key is used once however it comes; once accepted
// they are held there until the whole job can be proposed. An amendment looks at what is stored under the lease of a read, which
// waits for all that was committed before it, so that of two that expect the same version one finds the other's.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/clock.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace epione::actors {

/// What the desk asks of its region; called within the region's own messages.
struct change_desk_ports {
  /// Answered by on_list.
  std::function<void(messages::ticket, const messages::read_request_ptr&)> read;
  /// A held submission: answered by on_accepted or on_reply.
  std::function<void(messages::ticket, const messages::submission_ptr&)> submit;
  /// Has an amendment checked: answered by on_verdict. The validator's place; nothing when none runs.
  std::function<std::optional<std::uint32_t>(const messages::submission_ptr&)> check;
  /// As one entry of the log: each answered by on_committed or on_refused.
  std::function<void(const messages::commands_ptr&)> propose;
  /// A held submission is not to be stored after all.
  std::function<void(const domain::receipt&)> release;
  std::function<void(const messages::reply_receiver&, messages::reply)> answer;
};

class change_desk {
public:
  change_desk(change_desk_ports ports, runtime::clock& clock, std::uint32_t request_limit_ms, std::uint32_t retry_after_s)
      : ports_(std::move(ports)), clock_(clock), request_limit_ms_(request_limit_ms), retry_after_s_(retry_after_s) {}

  bool idle() const { return queues_.empty(); }

  void on_change(messages::ticket t, const messages::change_request_ptr& what, const messages::reply_receiver& receiver);
  void on_list(messages::ticket t, const messages::stored_events_ptr& events, const caf::error& why);
  /// A held submission was accepted. False: nobody wants it any more.
  bool on_accepted(messages::ticket t, const messages::command_ptr& command);
  void on_reply(const messages::reply& r);
  void on_verdict(const messages::assessment_ptr& a);
  /// False when it is none of the desk's amendments.
  bool on_committed(const domain::receipt& id);
  void on_refused(const domain::receipt& id);
  void on_closed(std::string_view why, messages::outcome known);
  void on_validator_down(std::uint32_t validator, const std::optional<domain::receipt>& culprit);
  void on_tick();

private:
  struct step {
    messages::submission_ptr what;
    messages::ticket ticket = 0;
    messages::stored_event stored; ///< of an amendment: what it amends
    std::optional<std::uint32_t> validator;
    messages::command_ptr command;                 ///< ready to be proposed
    std::optional<messages::change_result> result; ///< done
  };
  struct job {
    messages::ticket to = 0;
    messages::reply_receiver receiver;
    messages::change_request_ptr what;
    std::vector<step> steps;
    bool proposed = false;
  };
  struct place {
    std::uint64_t subject_hash = 0;
    std::uint32_t step = 0;
  };

  job* current(std::uint64_t subject_hash);
  void start(std::uint64_t subject_hash);
  void check_stored(std::uint64_t subject_hash, std::uint32_t at, const messages::stored_events_ptr& events);
  bool has_checked(std::uint64_t subject_hash, std::uint32_t at);
  void amend(std::uint64_t subject_hash, std::uint32_t at, const messages::assessment& a);
  void go_on(std::uint64_t subject_hash);
  void fail(std::uint64_t subject_hash, std::uint32_t at, int status, std::string text);
  void end(std::uint64_t subject_hash);
  void not_now(std::uint64_t subject_hash, std::uint32_t at, std::string_view sentence, messages::outcome known);
  void refuse(const messages::reply_receiver& to, messages::ticket t, std::string_view sentence, messages::outcome known);

  change_desk_ports ports_;
  runtime::clock& clock_;
  std::uint32_t request_limit_ms_, retry_after_s_;
  std::map<std::uint64_t, std::deque<job>> queues_; ///< by subject_hash; the first one is at work
  std::unordered_map<messages::ticket, place> places_;
  std::unordered_map<domain::receipt, place> amending_;      ///< proposed
  messages::ticket next_ticket_ = messages::ticket{3} << 62; ///< apart from those of requests
  std::size_t jobs_ = 0;
};

} // namespace epione::actors
