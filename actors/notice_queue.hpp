// What one notifier has to send: a lane for each recipient, so that nobody waits for another's backlog, and in it what is new and
// what is to be tried again. Plain data; the notifier decides when and how.
#pragma once

#include "messages/notice.hpp"

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace epione::actors {

struct waiting_notice {
  messages::notice what;
  std::uint64_t client = 0; ///< who wants to know the outcome; 0: nobody any more
};
using waiting_ptr = std::shared_ptr<waiting_notice>;

/// What is not urgent has a lane of its own, which quiet hours hold up.
struct lane_name {
  bool urgent = true;
  std::string study, recipient, channel;
  friend auto operator<=>(const lane_name&, const lane_name&) = default;
};

/// One message: a notice, or several merged. It stays together over all its tries.
struct parcel {
  lane_name lane;
  std::vector<waiting_ptr> notices;
  std::uint32_t tries = 0, refusals = 0;
  std::int64_t due_ns = 0; ///< not before
};

struct notice_lane {
  lane_name name;
  std::deque<waiting_ptr> fresh;
  std::vector<parcel> again;
  std::size_t under_way = 0;
  std::int64_t held_until_ns = 0; ///< nothing before: quiet hours, or a recipient not known yet
};

class notice_queue {
public:
  /// `parcels_max`: of one lane, under way and to be tried again.
  explicit notice_queue(std::size_t parcels_max) : parcels_max_(parcels_max) {}

  /// One that is under way for nobody any more gets this client instead of being sent twice; one that waits already is ignored.
  void add(const messages::notice& n, std::uint64_t client);
  /// Whatever waits for this client is forgotten; what is under way goes on for nobody.
  void drop_client(std::uint64_t client);

  /// The lane whose turn it is among those with something due; null: none. Lanes take turns; urgent ones come first, but every
  /// fourth turn belongs to the others.
  notice_lane* next(std::int64_t now_ns);
  /// Takes what is due in a lane that next() gave: a message to be tried again, or the first `count(fresh)` new notices.
  parcel take(notice_lane& lane, std::int64_t now_ns, const std::function<std::size_t(const std::deque<waiting_ptr>&)>& count);
  /// Under way no more: to be tried again when due.
  void put_back(parcel p);
  /// Under way no more, and settled.
  void done(const parcel& p);
  /// One of a message under way is settled; the others of it go on.
  void settle(const waiting_notice& w) { known_.erase(w.what.key); }
  /// All that waits in the lane, which is gone then.
  std::vector<waiting_ptr> remove(const notice_lane& lane);
  /// Takes out what waits and fulfils the condition.
  std::vector<waiting_ptr> remove_if(const std::function<bool(const messages::notice&)>& condition);

  /// When something is due next; nothing while all is under way.
  std::optional<std::int64_t> next_due_ns() const;
  std::size_t waiting() const { return known_.size(); } ///< with what is under way
  std::size_t lanes() const { return lanes_[0].size() + lanes_[1].size(); }

private:
  using lane_map = std::map<lane_name, notice_lane>;
  std::optional<std::int64_t> due_ns(const notice_lane& lane) const;
  notice_lane* next_of(lane_map& lanes, lane_name& last, std::int64_t now_ns);
  void forget_if_empty(const lane_name& name);
  void forget(const waiting_ptr& w) { known_.erase(w->what.key); }

  std::size_t parcels_max_;
  std::map<messages::notice_key, waiting_ptr> known_;
  lane_map lanes_[2]; ///< urgent, and not
  lane_name last_[2]; ///< whose turn was last
  std::uint64_t turns_ = 0;
};

} // namespace epione::actors
