// How many messages an actor has handled, for the console's message rates. CAF 0.17 as it is packaged counts nothing itself.
//
// A relaxed load and store in the actor's own thread and nothing else on the way of a message; anybody may read it at any time,
// also while the actor is inside a call that does not return.
#pragma once

#include <atomic>
#include <caf/all.hpp>
#include <cstdint>
#include <optional>
#include <utility>

namespace epione::runtime {

class message_count {
public:
  virtual ~message_count() = default;
  /// Since the actor started; everything that came to its mailbox, answers to its own requests included.
  std::uint64_t handled() const { return handled_.load(std::memory_order_relaxed); }

protected:
  /// By the actor itself only: one writer needs no atomic addition.
  void count_one() { handled_.store(handled() + 1, std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> handled_{0};
};

/// A CAF actor that counts what it handles and then does what it would have done. `Start` makes its behaviour.
template <class Base, class Start>
class counted_actor final : public Base, public message_count {
public:
  counted_actor(caf::actor_config& config, Start start) : Base(config), start_(std::move(start)) {}

  typename Base::behavior_type make_behavior() override {
    auto start = std::exchange(start_, std::nullopt);
    return (*start)(this);
  }

  caf::invoke_message_result consume(caf::mailbox_element& x) override {
    count_one();
    return Base::consume(x);
  }

private:
  std::optional<Start> start_; ///< until it has started: what it was given must not live longer than it needs
};

/// Nothing for an actor that does not count.
inline std::optional<std::uint64_t> messages_handled(const caf::strong_actor_ptr& who) {
  if (const auto* counting = dynamic_cast<const message_count*>(caf::actor_cast<caf::abstract_actor*>(who)))
    return counting->handled();
  return std::nullopt;
}

} // namespace epione::runtime
