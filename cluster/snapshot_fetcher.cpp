#include "cluster/snapshot_fetcher.hpp"

#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "runtime/storage/shard_store.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>
#include <xxhash.h>

namespace epione::cluster {

using namespace messages;
using caf::make_error;
namespace defaults = runtime::defaults;

namespace {

using snapshot_fetcher_pointer = snapshot_fetcher_actor::stateful_pointer<snapshot_fetcher_state>;
using transfer = snapshot_fetcher_state::transfer;

constexpr const char* part = "fetcher";

class snapshot_fetcher_work : public std::enable_shared_from_this<snapshot_fetcher_work> {
public:
  snapshot_fetcher_work(snapshot_fetcher_pointer self, const runtime::environment& env)
      : self_(self), state_(self->state), env_(env),
        received_(
            env.metrics.counter("epione_snapshot_received_bytes_total", "Bytes of stores' files fetched from other nodes")) {}

  void on_fetch(std::uint32_t group, const std::string& node) {
    const auto same = [group](const auto& x) { return x.first == group; };
    if ((state_.now != nullptr && state_.now->group == group) || std::any_of(state_.waiting.begin(), state_.waiting.end(), same))
      return;
    state_.waiting.emplace_back(group, node);
    begin_next();
  }

  status_report_ptr status() const {
    status_report r{part, state_.now != nullptr ? "fetching" : "idle", {{"files", std::to_string(state_.fetched)}}};
    if (state_.now != nullptr)
      r.details.insert(r.details.end(), {{"from", state_.now->node},
                                         {"group", std::to_string(state_.now->group)},
                                         {"bytes", std::to_string(state_.now->written)},
                                         {"size", std::to_string(state_.now->offer.size)}});
    r.details.emplace_back("waiting", std::to_string(state_.waiting.size()));
    return std::make_shared<const status_report>(std::move(r));
  }

private:
  using transfer_ptr = std::shared_ptr<transfer>;

  void begin_next() {
    if (state_.now != nullptr || state_.waiting.empty())
      return;
    auto x = std::make_shared<transfer>();
    x->group = state_.waiting.front().first;
    x->node = state_.waiting.front().second;
    state_.waiting.pop_front();
    state_.now = x;
    snapshot_question q;
    q.group = x->group;
    ask(
        x, q, [this, x](const bytes_ptr& bytes) { opened(x, *bytes); },
        [this, x](const caf::error& why) { fail(x, runtime::error_text(why)); });
  }

  template <class F, class G>
  void ask(const transfer_ptr& x, const snapshot_question& q, F answered, G failed) {
    const auto router = env_.directory->get<router_actor>("router");
    if (router == nullptr)
      return failed(make_error(ec::not_serving, "the router is not running"));
    self_
        ->request(router, std::chrono::milliseconds{defaults::snapshot_piece_limit_ms + defaults::console_margin_ms},
                  ask_atom::value, x->node, routed_kind::snapshots, std::make_shared<const std::string>(encode(q)),
                  defaults::snapshot_piece_limit_ms)
        .then(
            [keep = shared_from_this(), x, answered](const bytes_ptr& bytes) mutable {
              if (keep->state_.now == x)
                answered(bytes);
            },
            [keep = shared_from_this(), x, failed](caf::error& why) mutable {
              if (keep->state_.now == x)
                failed(why);
            });
  }

  void opened(const transfer_ptr& x, const std::string& bytes) {
    auto offer = decode_snapshot_offer(bytes);
    if (!offer)
      return fail(x, offer.error());
    x->offer = std::move(*offer);
    const auto free = env_.disk.free_bytes(env_.data_directory);
    if (free < x->offer.size + x->offer.size / 8)
      return fail(x, env_.data_directory + ": " + std::to_string(free) + " bytes are free, the file of group " +
                         std::to_string(x->group) + " needs " + std::to_string(x->offer.size) +
                         " and some more; make space on that file system");
    const auto path = runtime::incoming_path(env_.data_directory, x->group);
    for (const char* suffix : {"", ".part"})
      if (auto gone = env_.disk.discard(path + suffix); !gone)
        return fail(x, gone.error().message);
    auto file = env_.disk.open(path + ".part");
    if (!file)
      return fail(x, file.error().message);
    x->file = std::move(*file);
    x->hash = std::shared_ptr<XXH3_state_t>{XXH3_createState(), [](XXH3_state_t* s) { XXH3_freeState(s); }};
    XXH3_64bits_reset(x->hash.get());
    x->begun_ns = x->heard_ns = x->paced_ns = env_.clock.now_ns();
    env_.log.info(part, "fetches a store's file",
                  {{"node", x->node}, {"group", x->group}, {"entry", x->offer.point.index}, {"bytes", x->offer.size}});
    go_on(x);
  }

  void go_on(const transfer_ptr& x) {
    constexpr auto ahead_max = defaults::snapshot_pieces_under_way * defaults::snapshot_piece_bytes;
    while (x->asked < x->offer.size && x->under_way < defaults::snapshot_pieces_under_way && x->asked - x->written < ahead_max &&
           !is_too_fast(x))
      ask_for(x, std::exchange(x->asked, std::min(x->offer.size, x->asked + defaults::snapshot_piece_bytes)));
    if (x->written == x->offer.size && x->under_way == 0)
      finish(x);
  }

  /// Then it goes on in a moment.
  bool is_too_fast(const transfer_ptr& x) {
    const auto passed_ns = static_cast<std::uint64_t>(env_.clock.now_ns() - x->paced_ns);
    const auto allowed =
        x->paced + defaults::snapshot_bytes_per_s / 4 + passed_ns / 1'000 * (defaults::snapshot_bytes_per_s / 1'000'000);
    if (x->asked < allowed)
      return false;
    if (!std::exchange(x->waiting, true))
      later(std::chrono::milliseconds{20}, [this, x] {
        x->waiting = false;
        go_on(x);
      });
    return true;
  }

  template <class F>
  void later(std::chrono::milliseconds delay, F then) {
    delayed_.emplace_back(state_.now, std::move(then));
    self_->delayed_send(self_, delay, caf::tick_atom::value);
  }

public:
  void on_tick() {
    for (auto& [x, then] : std::exchange(delayed_, {}))
      if (state_.now == x)
        then();
  }

private:
  void ask_for(const transfer_ptr& x, std::uint64_t offset) {
    snapshot_question q;
    q.what = snapshot_question::kind::piece;
    q.transfer = x->offer.transfer;
    q.offset = offset;
    q.size = std::min<std::uint64_t>(defaults::snapshot_piece_bytes, x->offer.size - offset);
    ++x->under_way;
    ask(
        x, q,
        [this, x, offset, round = x->round](const bytes_ptr& bytes) {
          if (x->round == round)
            came(x, offset, bytes);
        },
        [this, x, round = x->round](const caf::error& why) {
          if (x->round == round)
            lost(x, why);
        });
  }

  /// What was lost with a link is asked for again, all of it from the first byte that is missing: the other node counts its
  /// checksum in the order in which it is asked. Given up when nothing has come for as long as that node keeps the copy; what was
  /// refused never comes.
  void lost(const transfer_ptr& x, const caf::error& why) {
    const auto code = runtime::code_of(why);
    const auto now = env_.clock.now_ns();
    if ((code && *code != ec::time_limit && *code != ec::not_serving) ||
        now - x->heard_ns >= std::int64_t{defaults::snapshot_idle_limit_ms} * 1'000'000)
      return fail(x, runtime::error_text(why));
    ++x->round;
    x->early.clear();
    x->asked = x->paced = x->written;
    x->paced_ns = now;
    x->under_way = 0;
    later(std::chrono::milliseconds{defaults::snapshot_retry_ms}, [this, x] { go_on(x); });
  }

  void came(const transfer_ptr& x, std::uint64_t offset, const bytes_ptr& bytes) {
    --x->under_way;
    x->heard_ns = env_.clock.now_ns();
    if (bytes->size() != std::min<std::uint64_t>(defaults::snapshot_piece_bytes, x->offer.size - offset))
      return fail(x, "a piece of the file has another size than was asked for");
    x->early.emplace(offset, bytes);
    for (auto next = x->early.find(x->written); next != x->early.end(); next = x->early.find(x->written)) {
      const auto& piece = *next->second;
      const auto* first = reinterpret_cast<const std::uint8_t*>(piece.data());
      if (auto written = x->file->write_at(x->written, {first, piece.size()}); !written)
        return fail(x, written.error().message);
      XXH3_64bits_update(x->hash.get(), piece.data(), piece.size());
      received_.Increment(static_cast<double>(piece.size()));
      x->written += piece.size();
      x->early.erase(next);
    }
    go_on(x);
  }

  void finish(const transfer_ptr& x) {
    if (std::exchange(x->closing, true))
      return;
    snapshot_question q;
    q.what = snapshot_question::kind::close;
    q.transfer = x->offer.transfer;
    ask(
        x, q,
        [this, x](const bytes_ptr& bytes) {
          const auto theirs = decode_number(*bytes);
          if (!theirs || *theirs != XXH3_64bits_digest(x->hash.get()))
            return fail(x, "the file's checksum is not what the other node says");
          put_in_place(x);
        },
        [this, x](const caf::error& why) {
          x->closing = false;
          lost(x, why);
        });
  }

  /// It is complete and durable before it has its name.
  void put_in_place(const transfer_ptr& x) {
    const auto path = runtime::incoming_path(env_.data_directory, x->group);
    if (auto synced = x->file->sync(); !synced) {
      env_.process.fatal(runtime::exit_code::failed, synced.error().message);
      return;
    }
    x->file.reset();
    if (auto moved = env_.disk.rename(path + ".part", path); !moved)
      return fail(x, moved.error().message);
    ++state_.fetched;
    const auto seconds = static_cast<double>(env_.clock.now_ns() - x->begun_ns) * 1e-9;
    env_.log.info(part, "has a store's file", {{"group", x->group}, {"bytes", x->offer.size}, {"seconds", seconds}});
    end(x, std::make_shared<const snapshot_point>(x->offer.point));
  }

  void fail(const transfer_ptr& x, const std::string& why) {
    env_.log.warning(part, "could not fetch a store's file", {{"node", x->node}, {"group", x->group}, {"why", why}});
    x->file.reset();
    static_cast<void>(env_.disk.discard(runtime::incoming_path(env_.data_directory, x->group) + ".part"));
    end(x, nullptr);
  }

  void end(const transfer_ptr& x, const snapshot_point_ptr& point) {
    state_.now.reset();
    if (auto replica = env_.directory->get<replica_actor>("replica " + std::to_string(x->group)); replica != nullptr)
      self_->send(replica, fetched_atom::value, point);
    begin_next();
  }

  snapshot_fetcher_pointer self_;
  snapshot_fetcher_state& state_;
  const runtime::environment& env_;
  prometheus::Counter& received_;
  std::vector<std::pair<transfer_ptr, std::function<void()>>> delayed_;
};

} // namespace

snapshot_fetcher_actor::behavior_type snapshot_fetcher(snapshot_fetcher_pointer self, const runtime::environment& env) {
  runtime::prepare(self, env, part);
  auto w = std::make_shared<snapshot_fetcher_work>(self, env);
  return {
      [w](fetch_atom, std::uint32_t group, const std::string& node) { w->on_fetch(group, node); },
      [w](caf::tick_atom) { w->on_tick(); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::cluster
