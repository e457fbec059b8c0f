// What an actor stands on: handed to it at its start, so that the simulator and the tests can give their own.
#pragma once

#include "runtime/clock.hpp"
#include "runtime/error_text.hpp"
#include "runtime/fault_points.hpp"
#include "runtime/log.hpp"
#include "runtime/message_count.hpp"
#include "runtime/metrics.hpp"
#include "runtime/process.hpp"
#include "runtime/random.hpp"
#include "runtime/storage/disk.hpp"

#include <caf/all.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace epione::runtime {

class directory; // runtime/directory.hpp

/// Owned by the node for its whole life and passed by reference. It cannot be copied: CAF's spawn copies its arguments and drops
/// them once the actor is started, so that a reference to such a copy would dangle. Spawn with spawn_actor or spawn_blocking.
struct environment {
  environment(runtime::log& l, runtime::metrics& m, runtime::clock& c, runtime::random_source& r, runtime::disk& d,
              runtime::fault_points* f, std::shared_ptr<runtime::directory> who, bool own_threads, std::string path,
              runtime::process& p)
      : log(l), metrics(m), clock(c), random(r), disk(d), faults(f), directory(std::move(who)), detached(own_threads),
        data_directory(std::move(path)), process(p) {}
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

  runtime::log& log;
  runtime::metrics& metrics;
  runtime::clock& clock;
  runtime::random_source& random;
  runtime::disk& disk;
  runtime::fault_points* faults; ///< null in production
  std::shared_ptr<runtime::directory> directory;
  bool detached; ///< whether actors that block get a thread of their own; false under the deterministic scheduler
  std::string data_directory;
  runtime::process& process;
};

/// `name` must live as long as the program; see prepare().
void prepare_named(caf::scheduled_actor* self, const environment& env, const char* name);

/// First call of every actor: CAF's defaults print messages and what() to standard output, where a patient's answers do not
/// belong.
/// - A message nobody handles is dropped, but for the question how long the mailbox is (mailbox_sample.hpp). An error that comes
/// as a message is logged by its code and dropped.
/// - An exception is logged as `name` and the exception's type, and ends the actor with ec::unhandled_exception.
/// - The end of a monitored actor is ignored; an exit message ends the actor, as ever. Set handlers of your own after this call.
void prepare(caf::scheduled_actor* self, const environment& env, std::string_view name);

/// The same for a name that is a literal: nothing is allocated for it, which counts for a million sessions.
template <std::size_t N>
void prepare(caf::scheduled_actor* self, const environment& env, const char (&name)[N]) {
  prepare_named(self, env, name);
}

/// What spawns call: `actor(self, env, arguments...)`. reference_wrappers stay what they are until the call, which CAF's own
/// argument tuple would not do.
template <class Result, class Self, class... Parameters, class... Arguments>
auto starting(const environment& env, Result (*actor)(Self*, const environment&, Parameters...), Arguments&&... arguments) {
  return [actor, &env, kept = std::tuple<std::decay_t<Arguments>...>(std::forward<Arguments>(arguments)...)](Self* self) mutable {
    return std::apply([&](auto&... x) { return actor(self, env, std::move(x)...); }, kept);
  };
}

/// Spawns `actor(self, env, arguments...)`, whose messages are counted (message_count.hpp). Arguments are kept by value until it
/// has started; pass std::ref for what must stay a reference.
template <caf::spawn_options Options = caf::no_spawn_options, class Spawner, class Result, class Self, class... Parameters,
          class... Arguments>
auto spawn_actor(Spawner& spawner, const environment& env, Result (*actor)(Self*, const environment&, Parameters...),
                 Arguments&&... arguments) {
  auto start = starting(env, actor, std::forward<Arguments>(arguments)...);
  return spawner.template spawn<counted_actor<Self, decltype(start)>, Options>(std::move(start));
}

/// The same without a counter: for those of whom there may be a million.
template <class Spawner, class Result, class Self, class... Parameters, class... Arguments>
auto spawn_uncounted(Spawner& spawner, const environment& env, Result (*actor)(Self*, const environment&, Parameters...),
                     Arguments&&... arguments) {
  // The unit is there because CAF dereferences a null pointer to an empty tuple when there is no argument at all.
  auto start = [start = starting(env, actor, std::forward<Arguments>(arguments)...)](Self* self, caf::unit_t) mutable {
    return start(self);
  };
  return spawner.template spawn<caf::no_spawn_options>(std::move(start), caf::unit);
}

/// The same for an actor whose handlers block (files, SQLite).
template <class Spawner, class Result, class Self, class... Parameters, class... Arguments>
auto spawn_blocking(Spawner& spawner, const environment& env, Result (*actor)(Self*, const environment&, Parameters...),
                    Arguments&&... arguments) {
  return env.detached ? spawn_actor<caf::detached>(spawner, env, actor, std::forward<Arguments>(arguments)...)
                      : spawn_actor(spawner, env, actor, std::forward<Arguments>(arguments)...);
}

} // namespace epione::runtime
