#include "actors/notice_queue.hpp"

#include <algorithm>
#include <iterator>

namespace epione::actors {

namespace {

constexpr std::uint64_t calm_turn = 4; ///< every fourth: enough that nothing starves, little enough that alerts are first

std::size_t map_of(const lane_name& name) {
  return name.urgent ? 0 : 1;
}

} // namespace

void notice_queue::add(const messages::notice& n, std::uint64_t client) {
  const auto known = known_.find(n.key);
  if (known != known_.end()) {
    if (known->second->client == 0)
      known->second->client = client;
    return;
  }
  auto w = std::make_shared<waiting_notice>(waiting_notice{n, client});
  known_[n.key] = w;
  const lane_name name{n.urgent, n.study, n.recipient, n.channel};
  auto& lane = lanes_[map_of(name)][name];
  lane.name = name;
  lane.fresh.push_back(std::move(w));
}

void notice_queue::drop_client(std::uint64_t client) {
  remove_if([&](const messages::notice& n) { return known_.at(n.key)->client == client; });
  for (auto& [key, w] : known_) // under way
    if (w->client == client)
      w->client = 0;
}

std::optional<std::int64_t> notice_queue::due_ns(const notice_lane& lane) const {
  std::optional<std::int64_t> due;
  for (const auto& p : lane.again)
    due = due ? std::min(*due, p.due_ns) : p.due_ns;
  if (!lane.fresh.empty() && lane.under_way + lane.again.size() < parcels_max_)
    due = 0;
  return due ? std::optional{std::max(*due, lane.held_until_ns)} : std::nullopt;
}

notice_lane* notice_queue::next_of(lane_map& lanes, lane_name& last, std::int64_t now_ns) {
  auto at = lanes.upper_bound(last);
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    if (at == lanes.end())
      at = lanes.begin();
    if (const auto due = due_ns(at->second); due && *due <= now_ns) {
      last = at->first;
      return &at->second;
    }
    ++at;
  }
  return nullptr;
}

notice_lane* notice_queue::next(std::int64_t now_ns) {
  const std::size_t first = ++turns_ % calm_turn == 0 ? 1 : 0;
  if (auto* lane = next_of(lanes_[first], last_[first], now_ns))
    return lane;
  return next_of(lanes_[1 - first], last_[1 - first], now_ns);
}

parcel notice_queue::take(notice_lane& lane, std::int64_t now_ns,
                          const std::function<std::size_t(const std::deque<waiting_ptr>&)>& count) {
  ++lane.under_way;
  const auto due = std::find_if(lane.again.begin(), lane.again.end(), [&](const parcel& p) { return p.due_ns <= now_ns; });
  if (due != lane.again.end()) {
    auto p = std::move(*due);
    lane.again.erase(due);
    return p;
  }
  parcel p;
  p.lane = lane.name;
  const auto end = lane.fresh.begin() + static_cast<std::ptrdiff_t>(std::min(count(lane.fresh), lane.fresh.size()));
  p.notices.assign(std::make_move_iterator(lane.fresh.begin()), std::make_move_iterator(end));
  lane.fresh.erase(lane.fresh.begin(), end);
  return p;
}

void notice_queue::put_back(parcel p) {
  std::erase_if(p.notices, [&](const waiting_ptr& w) { // its client ended meanwhile, and the next one hands it over again
    if (w->client == 0)
      forget(w);
    return w->client == 0;
  });
  const auto name = p.lane;
  auto& lane = lanes_[map_of(name)][name];
  lane.name = name;
  --lane.under_way;
  if (!p.notices.empty())
    lane.again.push_back(std::move(p));
  forget_if_empty(name);
}

void notice_queue::done(const parcel& p) {
  for (const auto& w : p.notices)
    forget(w);
  --lanes_[map_of(p.lane)][p.lane].under_way;
  forget_if_empty(p.lane);
}

void notice_queue::forget_if_empty(const lane_name& name) {
  auto& lanes = lanes_[map_of(name)];
  const auto found = lanes.find(name);
  if (found != lanes.end() && found->second.fresh.empty() && found->second.again.empty() && found->second.under_way == 0)
    lanes.erase(found);
}

std::vector<waiting_ptr> notice_queue::remove(const notice_lane& lane) {
  const auto name = lane.name; // the lane may be gone before the end
  return remove_if([&](const messages::notice& n) {
    return n.urgent == name.urgent && n.study == name.study && n.recipient == name.recipient && n.channel == name.channel;
  });
}

std::vector<waiting_ptr> notice_queue::remove_if(const std::function<bool(const messages::notice&)>& condition) {
  std::vector<waiting_ptr> out;
  const auto matches = [&](const waiting_ptr& w) {
    if (!condition(w->what))
      return false;
    out.push_back(w);
    return true;
  };
  for (auto& lanes : lanes_)
    for (auto at = lanes.begin(); at != lanes.end();) {
      auto& lane = at->second;
      std::erase_if(lane.fresh, matches);
      for (auto& p : lane.again)
        std::erase_if(p.notices, matches);
      std::erase_if(lane.again, [](const parcel& p) { return p.notices.empty(); });
      const bool empty = lane.fresh.empty() && lane.again.empty() && lane.under_way == 0;
      at = empty ? lanes.erase(at) : std::next(at);
    }
  for (const auto& w : out)
    forget(w);
  return out;
}

std::optional<std::int64_t> notice_queue::next_due_ns() const {
  std::optional<std::int64_t> next;
  for (const auto& lanes : lanes_)
    for (const auto& [name, lane] : lanes)
      if (const auto due = due_ns(lane))
        next = next ? std::min(*next, *due) : *due;
  return next;
}

} // namespace epione::actors
