#include "actors/anchor_keeper.hpp"

#include "domain/event.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "runtime/storage/event_walk.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace epione::actors {

using namespace messages;
using caf::make_error;
namespace defaults = runtime::defaults;

namespace {

using anchor_keeper_pointer = anchor_keeper_actor::stateful_pointer<anchor_keeper_state>;
using anchor_keeper_promise = caf::typed_response_promise<bool>;

constexpr const char* part = "anchors";
constexpr std::uint32_t events_a_look = 64;

class anchor_keeper_work : public std::enable_shared_from_this<anchor_keeper_work> {
public:
  anchor_keeper_work(anchor_keeper_pointer self, const runtime::environment& env, anchor_keeper_options options)
      : self_(self), state_(self->state), env_(env), options_(std::move(options)),
        anchors_(env.metrics.counter("epione_chain_anchors_total", "Anchors of the chains' heads that group 0 has taken")) {}

  void on_tick() {
    self_->delayed_send(self_, std::chrono::milliseconds{options_.interval_ms}, caf::tick_atom::value);
    say([this](const caf::error& why, bool said) {
      if (why && !said) // else that chain's own line is in the log
        env_.log.warning(part, "the chains' heads could not be kept in group 0", {{"why", runtime::error_text(why)}});
    });
  }

  caf::result<bool> on_anchor() {
    auto answer = self_->make_response_promise<bool>();
    say([answer](const caf::error& why, bool said) mutable {
      if (why)
        answer.deliver(why);
      else
        answer.deliver(said);
    });
    return answer;
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(status_report{
        part, state_.under_way ? "has group 0 keep an anchor" : "waits", {{"anchors", std::to_string(state_.anchors)}}});
  }

private:
  /// done(error, said): with an error although it was said when a chain could not be read.
  template <class F>
  void say(F done) {
    if (state_.under_way)
      return done(make_error(ec::not_serving, "an anchor is on its way already; try again"), false);
    caf::error unread;
    auto a = look(unread);
    if (a.heads.empty() || !is_news(a))
      return done(unread, false);
    const auto catalog = env_.directory->get<catalog_actor>("catalog");
    if (catalog == nullptr)
      return done(make_error(ec::not_serving, "the catalog is not running"), false);
    if (auto known = have_seed(); !known)
      return done(make_error(known.error().code, known.error().message), false);
    domain::sign(a, *state_.seed);
    domain::event event;
    event.time_us = a.time_us;
    event.who = "system";
    event.role = "system";
    event.action = domain::anchor_action;
    event.entity = options_.node;
    event.after = domain::encode(a);
    state_.under_way = true;
    std::map<std::uint32_t, std::uint64_t> said;
    for (const auto& h : a.heads)
      said[h.shard] = h.seq;
    self_
        ->request(catalog, std::chrono::milliseconds{defaults::anchor_answer_limit_ms}, record_atom::value,
                  std::make_shared<const domain::event>(std::move(event)))
        .then(
            [keep = shared_from_this(), said = std::move(said), unread, done](bool) mutable {
              keep->state_.under_way = false;
              keep->state_.said = std::move(said);
              ++keep->state_.anchors;
              keep->anchors_.Increment();
              done(unread, true);
            },
            [keep = shared_from_this(), done](caf::error& why) mutable {
              keep->state_.under_way = false;
              done(runtime::code_of(why) ? why : make_error(ec::time_limit, "the catalog did not answer"), false);
            });
  }

  bool is_led(std::uint32_t group) const { return options_.view == nullptr || options_.view->where(group).here; }

  /// How far the chains are that this node leads. One whose store cannot be read leaves the others theirs, and is in `unread`.
  domain::anchor look(caf::error& unread) const {
    domain::anchor a;
    a.cluster = options_.cluster;
    a.node = options_.node;
    a.time_us = env_.clock.wall_us();
    for (std::uint32_t group = 0; group <= options_.shards; ++group) {
      if (!is_led(group))
        continue;
      const auto at = runtime::read_store_position(env_.disk, env_.data_directory, group);
      if (!at && at.error().code == ec::not_found)
        continue;
      if (!at) {
        env_.log.warning(part, "a chain has no anchor because its head cannot be read",
                         {{"group", group}, {"why", at.error().message}});
        if (!unread)
          unread = make_error(at.error().code, "the other chains' heads are kept, not that of group " + std::to_string(group) +
                                                   ": " + at.error().message);
        continue;
      }
      if (at->head.seq != 0)
        a.heads.push_back({group, at->head.seq, at->head.hash, at->applied});
    }
    return a;
  }

  /// Anchors are events of group 0 themselves: they alone are no reason for another one.
  bool is_news(const domain::anchor& a) const {
    return std::any_of(a.heads.begin(), a.heads.end(), [this](const auto& h) {
      const auto known = state_.said.find(h.shard);
      return known == state_.said.end() || (h.shard != 0 ? known->second != h.seq : has_others_behind(known->second));
    });
  }

  bool has_others_behind(std::uint64_t seq) const {
    auto reader = runtime::open_store_reader(env_.disk, env_.data_directory, 0);
    if (!reader)
      return true;
    while (true) {
      const auto events = (*reader)->scan(seq + 1, events_a_look);
      if (!events)
        return true; // who looks at group 0 says what is wrong with it
      for (const auto& e : *events)
        if (const auto action = domain::action_of(e.bytes); !action || *action != domain::anchor_action)
          return true;
      if (events->size() < events_a_look)
        return false;
      seq = events->back().seq;
    }
  }

  runtime::storage_result<void> have_seed() {
    if (state_.seed)
      return {};
    const auto path = env_.data_directory + "/anchor.key";
    auto file = env_.disk.open(path);
    if (!file)
      return tl::unexpected(file.error());
    const auto bytes = (*file)->read_all();
    if (!bytes)
      return tl::unexpected(bytes.error());
    domain::signing_seed seed{};
    if (bytes->size() == seed.size()) {
      std::copy(bytes->begin(), bytes->end(), seed.begin());
    } else if (bytes->empty()) { // new, or a crash came before its content
      env_.random.fill(seed);
      if (auto written = (*file)->write_at(0, seed).and_then([&] { return (*file)->sync(); }); !written)
        return written;
    } else {
      return tl::unexpected(runtime::storage_error{ec::damaged, path + ": has " + std::to_string(bytes->size()) +
                                                                    " bytes instead of " + std::to_string(seed.size()) +
                                                                    "; move it away, and the node makes a new key"});
    }
    state_.seed = seed;
    return {};
  }

  anchor_keeper_pointer self_;
  anchor_keeper_state& state_;
  const runtime::environment& env_;
  anchor_keeper_options options_;
  prometheus::Counter& anchors_;
};

} // namespace

anchor_keeper_actor::behavior_type anchor_keeper(anchor_keeper_pointer self, const runtime::environment& env,
                                                 anchor_keeper_options options) {
  runtime::prepare(self, env, part);
  const auto first_ms = options.first_ms;
  auto w = std::make_shared<anchor_keeper_work>(self, env, std::move(options));
  self->delayed_send(self, std::chrono::milliseconds{first_ms}, caf::tick_atom::value);
  return {
      [w](anchor_atom) { return w->on_anchor(); },
      [w](caf::tick_atom) { w->on_tick(); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::actors
