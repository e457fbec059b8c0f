// Which of a shard's pending notices are looked at now, which are with a notifier, and which wait in the store. A value without
// an actor around it.
//
// All of them may be too many, so only a window is held. So that one recipient who cannot be reached does not fill it, notices
// are taken by lanes (messages::notice_lane), each of which may have as many in hand as there is room left for all: a lane that
// stands still leaves half of the room, two a third, and so on. What a full lane leaves behind is looked up again when it has
// room.
#pragma once

#include "messages/dead_letter.hpp"
#include "runtime/defaults.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace epione::actors {

struct notice_window_options {
  std::uint32_t shard = 0;
  std::uint32_t in_hand_max = runtime::defaults::notices_in_hand_max;
  std::uint32_t lane_max = runtime::defaults::lane_notices_max;
  std::uint32_t outcomes_max = runtime::defaults::outcomes_waiting_max; ///< settled and not forgotten; beyond it nothing is taken
  std::uint32_t page_max = runtime::defaults::notice_page_max;
};

class notice_window {
public:
  explicit notice_window(notice_window_options options) : options_(options) {}

  // ---- reading: one question at a time ---------------------------------------------------------------------------------
  /// What the store holds may be something else: everything is looked at again. What is held stays.
  void start_over();
  /// There may be rows behind those that were seen.
  void expect_more() { more_ = true; }
  /// Rows behind this key may be pending again.
  void look_again_behind(const messages::notice_key& key);
  /// Nothing: there is no need or no room to read, or the last question is open.
  std::optional<messages::notice_question> next_question();
  /// The answer to it. `channel_of` says which notifier a notice is for.
  void take(const messages::notice_page& page, const std::function<std::string(const messages::notice&)>& channel_of);
  /// There was none; the question will be asked again.
  void read_failed();

  // ---- handing over ----------------------------------------------------------------------------------------------------
  /// What waits for this notifier; from now on it is in its hand.
  messages::notices hand_over(const std::string& channel);
  /// The notifier is gone: what it had in hand waits again.
  void lost(const std::string& channel);
  /// Something became of it: it is kept by name only, until forget(). Null, or its notice when it was waiting or in hand.
  std::optional<messages::notice> settle(const messages::notice_key& key);
  /// The store has applied what became of it.
  void forget(const messages::notice_key& key);

  std::size_t in_hand() const { return held_ - waiting_; }
  std::size_t waiting() const { return waiting_; }
  std::size_t settled() const { return known_.size() - held_; }
  std::size_t lanes() const { return lanes_.size(); }

private:
  enum class place : std::uint8_t { waiting, in_hand, settled };
  struct entry {
    place at = place::waiting;
    messages::notice_lane lane = 0;
    std::string channel;
    messages::notice what;
  };
  struct lane {
    std::uint32_t held = 0;           ///< waiting or in hand
    bool left_some = false;           ///< rows behind taken_up_to were passed over
    bool wanted = false;              ///< of the catching-up under way
    messages::notice_key taken_up_to; ///< all of its rows up to here are known, or were
  };
  struct channel {
    std::set<messages::notice_key> waiting, in_hand;
  };
  enum class question_kind : std::uint8_t { none, new_rows, left_rows };

  bool has_room(const lane& l) const;
  bool wants(const lane& l) const;
  bool begin_catching_up();
  messages::notice_question ask_for_new_rows();
  messages::notice_question ask_for_left_rows();
  void take_one(const messages::lane_notice& row, const std::function<std::string(const messages::notice&)>& channel_of);
  void leave_lane(messages::notice_lane number);
  void end_question();

  notice_window_options options_;
  std::map<messages::notice_key, entry> known_;
  std::map<messages::notice_lane, lane> lanes_;
  std::map<std::string, channel> channels_;
  std::size_t held_ = 0, waiting_ = 0;
  messages::notice_key seen_;                    ///< rows up to here were taken or left
  std::optional<messages::notice_key> catch_up_; ///< lanes that are wanted are looked for from here to seen_
  bool more_ = false;
  question_kind asked_ = question_kind::none, last_asked_ = question_kind::none;
  /// While a question is open: its answer may be older than these.
  std::vector<messages::notice_key> forgotten_;
  std::optional<messages::notice_key> again_behind_;
};

} // namespace epione::actors
