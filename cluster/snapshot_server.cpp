#include "cluster/snapshot_server.hpp"

#include "messages/snapshot.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <xxhash.h>

namespace epione::cluster {

using namespace messages;
using caf::make_error;
namespace defaults = runtime::defaults;

namespace {

using snapshot_server_pointer = snapshot_server_actor::stateful_pointer<snapshot_server_state>;
using snapshot_server_promise = caf::typed_response_promise<bytes_ptr>;

constexpr const char* snapshot_server_part = "snapshots";
// Together below snapshot_hold_answer_ms, which whoever asks for an opening waits at least.
constexpr std::chrono::milliseconds apply_limit{defaults::snapshot_hold_answer_ms / 2};
constexpr std::chrono::milliseconds checkpoint_limit{defaults::snapshot_hold_answer_ms / 2};

/// Who asked for what.
struct opening {
  std::string node;
  std::uint64_t requester = 0;
  std::uint32_t group = 0;
};

bytes_ptr shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

class snapshot_server_work {
public:
  snapshot_server_work(snapshot_server_pointer self, const runtime::environment& env)
      : self_(self), state_(self->state), env_(env),
        sent_(env.metrics.counter("epione_snapshot_sent_bytes_total", "Bytes of stores' files given to other nodes")) {}

  caf::result<bytes_ptr> on_ask(const std::string& node, const bytes_ptr& bytes) {
    const auto q = decode_snapshot_question(*bytes);
    if (!q)
      return make_error(ec::invalid, q.error());
    switch (q->what) {
      case snapshot_question::kind::open: return open({node, q->requester, q->group}, q->at_least);
      case snapshot_question::kind::piece: return piece(node, *q);
      case snapshot_question::kind::close: break;
    }
    return close(node, q->transfer);
  }

  /// A file that nobody asks for any more is not held for who might: changes gather in its WAL.
  void on_tick() {
    state_.looking = false;
    if (state_.now == nullptr)
      return;
    if (is_over())
      end();
    else
      look_later();
  }

  status_report_ptr status() const {
    status_report r{
        snapshot_server_part, state_.now != nullptr ? "giving a file" : "idle", {{"files", std::to_string(state_.transfers)}}};
    if (state_.now != nullptr)
      r.details.insert(r.details.end(), {{"to", state_.now->node},
                                         {"group", std::to_string(state_.now->group)},
                                         {"sent_bytes", std::to_string(state_.now->hashed)},
                                         {"size", std::to_string(state_.now->size)}});
    return std::make_shared<const status_report>(std::move(r));
  }

private:
  caf::result<bytes_ptr> open(const opening& who, std::uint64_t at_least) {
    if (auto refused = make_room(who))
      return refused;
    auto store = env_.directory->get<shard_store_actor>("store " + std::to_string(who.group));
    if (store == nullptr)
      return make_error(ec::not_serving, "the store of group " + std::to_string(who.group) + " is not running");
    const auto replica = env_.directory->get<replica_actor>("replica " + std::to_string(who.group));
    if (at_least != 0 && replica == nullptr)
      return make_error(ec::not_serving, "the replica of group " + std::to_string(who.group) + " is not running");
    auto answer = self_->make_response_promise<bytes_ptr>();
    if (at_least == 0) {
      hold(answer, store, who);
      return answer;
    }
    self_->request(replica, apply_limit, flush_atom::value, at_least)
        .then([this, answer, store, who](std::uint64_t) mutable { hold(answer, store, who); },
              [answer, who, at_least](caf::error& why) mutable {
                answer.deliver(runtime::code_of(why)
                                   ? why
                                   : make_error(ec::time_limit, "the store of group " + std::to_string(who.group) +
                                                                    " has not applied entry " + std::to_string(at_least) +
                                                                    " yet"));
              });
    return answer;
  }

  /// Who asks anew has given up what it began, and nothing of anybody else.
  caf::error make_room(const opening& who) {
    if (state_.now != nullptr && ((state_.now->node == who.node && state_.now->requester == who.requester) || is_over()))
      end();
    if (state_.now != nullptr || state_.opening)
      return make_error(ec::not_serving, "another file is being copied; try again");
    return {};
  }

  /// Another one may have begun while the store was waited for.
  void hold(snapshot_server_promise answer, const shard_store_actor& store, const opening& who) {
    if (auto refused = make_room(who)) {
      answer.deliver(std::move(refused));
      return;
    }
    state_.opening = true;
    const auto limit_ms = runtime::copy_hold_ms(size_now(who.group));
    const auto until_ns = env_.clock.now_ns() + std::int64_t{limit_ms} * 1'000'000; // the store counts from later
    self_->request(store, checkpoint_limit, hold_atom::value, limit_ms)
        .then([this, answer, store, who,
               until_ns](const snapshot_point_ptr& point) mutable { opened(answer, store, who, *point, until_ns); },
              [this, answer](caf::error& why) mutable {
                state_.opening = false;
                answer.deliver(runtime::code_of(why) ? why : make_error(ec::time_limit, "the store did not answer"));
              });
  }

  void opened(snapshot_server_promise& answer, const shard_store_actor& store, const opening& who, const snapshot_point& point,
              std::int64_t until_ns) {
    state_.opening = false;
    auto pages = runtime::open_database_pages(env_.disk, env_.data_directory, who.group);
    const auto size = pages ? (*pages)->size() : tl::unexpected(pages.error());
    if (!size) {
      self_->send(store, release_atom::value);
      answer.deliver(make_error(size.error().code, size.error().message));
      return;
    }
    auto x = std::make_unique<snapshot_server_state::transfer>();
    x->number = ++state_.transfers;
    x->size = *size;
    x->group = who.group;
    x->node = who.node;
    x->requester = who.requester;
    x->store = store;
    x->pages = std::move(*pages);
    x->hash = std::shared_ptr<XXH3_state_t>{XXH3_createState(), [](XXH3_state_t* s) { XXH3_freeState(s); }};
    XXH3_64bits_reset(x->hash.get());
    x->heard_ns = env_.clock.now_ns();
    x->until_ns = until_ns;
    env_.log.info(snapshot_server_part, "gives a store's file to another node",
                  {{"node", who.node}, {"group", who.group}, {"entry", point.index}, {"bytes", *size}});
    answer.deliver(shared(encode(snapshot_offer{x->number, *size, point})));
    state_.now = std::move(x);
    look_later();
  }

  /// Without what its WAL adds while it is being held. 0: it is not there, as whoever holds it will say.
  std::uint64_t size_now(std::uint32_t group) const {
    const auto pages = runtime::open_database_pages(env_.disk, env_.data_directory, group);
    return pages ? (*pages)->size().value_or(0) : 0;
  }

  void look_later() {
    if (std::exchange(state_.looking, true))
      return;
    const auto idle_ns = state_.now->heard_ns + std::int64_t{defaults::snapshot_idle_limit_ms} * 1'000'000;
    const auto left_ns = std::min(idle_ns, state_.now->until_ns) - env_.clock.now_ns();
    self_->delayed_send(self_, std::chrono::milliseconds{std::max<std::int64_t>(0, left_ns / 1'000'000) + 1},
                        caf::tick_atom::value);
  }

  caf::result<bytes_ptr> piece(const std::string& node, const snapshot_question& q) {
    if (!is_current(node, q.transfer))
      return gone();
    auto& x = *state_.now;
    auto bytes = x.pages->read(q.offset, std::min<std::uint64_t>(q.size, defaults::snapshot_piece_bytes));
    if (!bytes) {
      end();
      return make_error(bytes.error().code, bytes.error().message);
    }
    // A store that was started again may have changed the file before it was read.
    if (!is_current(node, q.transfer))
      return gone();
    if (q.offset == x.hashed) {
      XXH3_64bits_update(x.hash.get(), bytes->data(), bytes->size());
      x.hashed += bytes->size();
      sent_.Increment(static_cast<double>(bytes->size()));
    }
    x.heard_ns = env_.clock.now_ns();
    return shared(std::move(*bytes));
  }

  caf::result<bytes_ptr> close(const std::string& node, std::uint64_t transfer) {
    if (!is_current(node, transfer))
      return gone();
    const auto hash = XXH3_64bits_digest(state_.now->hash.get());
    const bool whole = state_.now->hashed == state_.now->size;
    end();
    if (!whole)
      return make_error(ec::invalid, "the file was not asked for from its beginning to its end");
    return shared(encode_number(hash));
  }

  static caf::error gone() { return make_error(ec::stale_epoch, "this copy was given up; begin again"); }

  bool is_over() const {
    const auto now = env_.clock.now_ns();
    return now >= state_.now->until_ns ||
           now - state_.now->heard_ns >= std::int64_t{defaults::snapshot_idle_limit_ms} * 1'000'000;
  }

  bool is_current(const std::string& node, std::uint64_t transfer) {
    if (state_.now == nullptr || state_.now->number != transfer || state_.now->node != node)
      return false;
    const auto store = env_.directory->get<shard_store_actor>("store " + std::to_string(state_.now->group));
    if (store == state_.now->store && !is_over())
      return true;
    end();
    return false;
  }

  void end() {
    self_->send(state_.now->store, release_atom::value);
    state_.now.reset();
  }

  snapshot_server_pointer self_;
  snapshot_server_state& state_;
  const runtime::environment& env_;
  prometheus::Counter& sent_;
};

} // namespace

snapshot_server_state::~snapshot_server_state() {
  if (now != nullptr)
    caf::anon_send(now->store, release_atom::value);
}

snapshot_server_actor::behavior_type snapshot_server(snapshot_server_pointer self, const runtime::environment& env) {
  runtime::prepare(self, env, snapshot_server_part);
  auto w = std::make_shared<snapshot_server_work>(self, env);
  return {
      [w](ask_atom, const std::string& node, const bytes_ptr& question) { return w->on_ask(node, question); },
      [w](caf::tick_atom) { w->on_tick(); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::cluster
