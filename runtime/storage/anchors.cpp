#include "runtime/storage/anchors.hpp"

#include "domain/event.hpp"
#include "domain/msgpack_fields.hpp"
#include "domain/unreadable.hpp"
#include "runtime/storage/event_walk.hpp"
#include "runtime/storage/sqlite.hpp"

#include <algorithm>
#include <utility>

namespace epione::runtime {

namespace {

constexpr std::size_t own_heads_max = 10'000; // of a chain: some 2 MB, and more than three months of anchors

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
    return domain::unreadable("an anchor whose signature does not fit what it says");
  return std::optional{std::move(*a)};
}

/// Where the chains ended in the backup, when this is the event with which a restored cluster begins.
tl::expected<std::optional<std::vector<domain::anchored_head>>, std::string> restored_heads(std::string_view event) {
  const auto action = domain::action_of(event);
  if (!action || *action != domain::restore_action)
    return std::optional<std::vector<domain::anchored_head>>{};
  const auto decoded = domain::decode_event(event);
  auto heads = decoded ? domain::decode_heads(decoded->after) : tl::unexpected(decoded.error());
  if (!heads)
    return tl::unexpected(heads.error());
  return std::optional{std::move(*heads)};
}

/// Group 0's anchors one after the other.
class newest {
public:
  tl::expected<void, std::string> follow(std::uint64_t seq, std::string_view event) {
    if (const auto restored = restored_heads(event); !restored)
      return tl::unexpected(restored.error());
    else if (*restored)
      forget_behind(**restored);
    auto a = anchor_of(event);
    if (!a)
      return tl::unexpected(a.error());
    if (*a)
      take(seq, std::move(**a));
    return {};
  }

  std::vector<domain::anchor> all() && {
    std::vector<domain::anchor> out;
    for (auto& [seq, a] : kept_)
      out.push_back(std::move(a));
    return out;
  }

private:
  struct place {
    std::uint64_t seq = 0, event = 0; ///< how far the chain is, and by which event of group 0
  };

  void take(std::uint64_t seq, domain::anchor&& a) {
    bool newer = false;
    for (const auto& h : a.heads)
      if (auto& known = of_chain_[h.shard]; h.seq >= known.seq) {
        known = {h.seq, seq};
        newer = true;
      }
    if (!newer)
      return;
    kept_.emplace(seq, std::move(a));
    std::erase_if(kept_, [this](const auto& x) {
      return std::none_of(of_chain_.begin(), of_chain_.end(), [&](const auto& n) { return n.second.event == x.first; });
    });
  }

  /// What speaks of anything that was lost goes, also when it speaks of what was kept as well.
  void forget_behind(const std::vector<domain::anchored_head>& restored) {
    std::map<std::uint32_t, std::uint64_t> ends;
    for (const auto& h : restored)
      ends[h.shard] = h.seq;
    std::erase_if(kept_, [&](const auto& x) {
      return std::any_of(x.second.heads.begin(), x.second.heads.end(), [&](const auto& h) { return h.seq > ends[h.shard]; });
    });
    std::erase_if(of_chain_, [this](const auto& x) { return !kept_.contains(x.second.event); });
  }

  std::map<std::uint64_t, domain::anchor> kept_; ///< by event
  std::map<std::uint32_t, place> of_chain_;
};

} // namespace

tl::expected<void, std::string> anchor_ledger::add(const domain::anchor& a) {
  if (!domain::is_signed(a))
    return domain::unreadable("an anchor whose signature does not fit what it says");
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
  const auto restored = restored_heads(event);
  if (!restored)
    return tl::unexpected(restored.error());
  if (*restored)
    forget_behind(**restored);
  return {};
}

const anchor_ledger::heads& anchor_ledger::of(std::uint32_t shard) const {
  static const heads none;
  const auto found = heads_.find(shard);
  return found == heads_.end() ? none : found->second;
}

void anchor_ledger::take(const domain::anchor& a, bool outside) {
  for (const auto& h : a.heads)
    if (h.seq != 0 && outside)
      heads_[h.shard].emplace(h.seq, expected_head{h.hash, h.index, a.time_us, a.node, true});
    else if (h.seq != 0 && h.shard != 0)
      add_own(heads_[h.shard], h, a);
  ++count_;
  newest_us_ = std::max(newest_us_.value_or(a.time_us), a.time_us);
}

/// A chain that rests is named the same by every anchor.
void anchor_ledger::add_own(heads& said, const domain::anchored_head& h, const domain::anchor& a) {
  const auto [begin, end] = said.equal_range(h.seq);
  if (std::any_of(begin, end, [&](const auto& x) { return !x.second.outside && x.second.hash == h.hash; }))
    return;
  if (said.size() >= own_heads_max) {
    bool goes = false;
    for (auto at = said.begin(); at != said.end() && std::next(at) != said.end();)
      at = !at->second.outside && (goes = !goes) ? said.erase(at) : std::next(at);
  }
  said.emplace(h.seq, expected_head{h.hash, h.index, a.time_us, a.node, false});
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
    newest found;
    const auto each = [&](std::uint64_t seq, std::string_view bytes) -> storage_result<void> {
      if (const auto followed = found.follow(seq, bytes); !followed)
        fail(ec::damaged, shard_path(directory, 0) + ": event " + std::to_string(seq) + ": is " + followed.error());
      return {};
    };
    if (const auto walked = walk_events(d, directory, 0, {}, position->head, each); !walked)
      throw storage_failure{walked.error()};
    return std::move(found).all();
  });
}

storage_result<std::vector<std::string>> clusters_before(disk& d, const std::string& directory) {
  const auto position = read_store_position(d, directory, 0);
  if (!position)
    return tl::unexpected(position.error());
  std::vector<std::string> out;
  const auto walked = walk_events(d, directory, 0, {}, position->head, [&](std::uint64_t, std::string_view bytes) {
    if (const auto action = domain::action_of(bytes); action && *action == domain::restore_action)
      if (const auto event = domain::decode_event(bytes))
        out.push_back(domain::field_reader{event->before}.text());
    return storage_result<void>{};
  });
  if (!walked)
    return tl::unexpected(walked.error());
  return out;
}

} // namespace epione::runtime
