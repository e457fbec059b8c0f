#include "runtime/storage/anchors.hpp"

#include "domain/event.hpp"
#include "runtime/storage/event_walk.hpp"
#include "runtime/storage/sqlite.hpp"

#include <algorithm>
#include <utility>

namespace epione::runtime {

namespace {

tl::unexpected<std::string> refuse(const char* what) {
  return tl::unexpected<std::string>(what);
}

/// The anchor of an event; nothing when it is another kind of event.
tl::expected<std::optional<domain::anchor>, std::string> anchor_of(std::string_view event) {
  const auto action = domain::action_of(event);
  if (!action || *action != domain::anchor_action)
    return std::optional<domain::anchor>{};
  const auto decoded = domain::decode_event(event);
  auto a = decoded ? domain::decode_anchor(decoded->after) : tl::unexpected(decoded.error());
  if (!a)
    return tl::unexpected(a.error());
  if (!domain::is_signed(*a))
    return refuse("an anchor whose signature does not fit what it says");
  return std::optional{std::move(*a)};
}

/// Of anchors that come one after the other, those that are the newest of some chain.
class needed_anchors {
public:
  void add(std::uint64_t seq, domain::anchor a) {
    bool newer = false;
    for (const auto& h : a.heads)
      if (auto& known = newest_[h.shard]; h.seq >= known.first) {
        known = {h.seq, seq};
        newer = true;
      }
    if (!newer)
      return;
    kept_.emplace(seq, std::move(a));
    std::erase_if(kept_, [&](const auto& x) {
      return std::none_of(newest_.begin(), newest_.end(), [&](const auto& n) { return n.second.second == x.first; });
    });
  }

  std::vector<domain::anchor> oldest_first() && {
    std::vector<domain::anchor> out;
    for (auto& [seq, a] : kept_)
      out.push_back(std::move(a));
    return out;
  }

private:
  std::map<std::uint64_t, domain::anchor> kept_;                            // by event
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> newest_; // of a chain: how far, and by which event
};

} // namespace

tl::expected<void, std::string> anchor_ledger::add(const domain::anchor& a) {
  if (!domain::is_signed(a))
    return refuse("an anchor whose signature does not fit what it says");
  take(a, true);
  return {};
}

tl::expected<void, std::string> anchor_ledger::follow(std::string_view event) {
  const auto a = anchor_of(event);
  if (!a)
    return tl::unexpected(a.error());
  if (*a) {
    take(**a, false);
    return {};
  }
  const auto action = domain::action_of(event);
  if (!action || *action != domain::restore_action)
    return {};
  const auto decoded = domain::decode_event(event);
  const auto restored = decoded ? domain::decode_heads(decoded->after) : tl::unexpected(decoded.error());
  if (!restored)
    return tl::unexpected(restored.error());
  forget_behind(*restored);
  return {};
}

const anchor_ledger::heads& anchor_ledger::of(std::uint32_t shard) const {
  static const heads none;
  const auto found = heads_.find(shard);
  return found == heads_.end() ? none : found->second;
}

std::vector<std::uint32_t> anchor_ledger::shards() const {
  std::vector<std::uint32_t> out;
  for (const auto& [shard, said] : heads_)
    if (!said.empty())
      out.push_back(shard);
  return out;
}

void anchor_ledger::take(const domain::anchor& a, bool outside) {
  for (const auto& h : a.heads)
    if (h.seq != 0 && (outside || h.shard != 0))
      heads_[h.shard].emplace(h.seq, expected_head{h.hash, h.index, a.time_us, a.node, outside});
  ++count_;
  newest_us_ = std::max(newest_us_.value_or(a.time_us), a.time_us);
}

/// What a file says still counts: that the restored chain ends before it is what somebody wants to know.
void anchor_ledger::forget_behind(const std::vector<domain::anchored_head>& restored) {
  for (const auto& h : restored) {
    auto& said = heads_[h.shard];
    for (auto at = said.upper_bound(h.seq); at != said.end();)
      at = at->second.outside ? std::next(at) : said.erase(at);
  }
}

storage_result<std::vector<domain::anchor>> newest_anchors(disk& d, const std::string& directory) {
  return guarded([&] {
    const auto position = read_store_position(d, directory, 0);
    if (!position)
      throw storage_failure{position.error()};
    needed_anchors needed;
    const auto each = [&](std::uint64_t seq, std::string_view bytes) -> storage_result<void> {
      auto a = anchor_of(bytes);
      if (!a)
        fail(ec::damaged, shard_path(directory, 0) + ": event " + std::to_string(seq) + ": is " + a.error());
      if (*a)
        needed.add(seq, std::move(**a));
      return {};
    };
    if (const auto walked = walk_events(d, directory, 0, {}, position->head, each); !walked)
      throw storage_failure{walked.error()};
    return std::move(needed).oldest_first();
  });
}

} // namespace epione::runtime
