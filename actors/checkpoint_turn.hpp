// At most one store of a node checkpoints at a time: together they would only slow each other and the journal's syncs down.
#pragma once

#include <atomic>

namespace epione::actors {

/// Shared by all stores of a node. Thread-safe; nobody waits.
class checkpoint_turn {
public:
  /// Held from a successful take() until the guard ends.
  class guard {
  public:
    explicit guard(checkpoint_turn* turn) : turn_(turn) {}
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    ~guard() {
      if (turn_ != nullptr)
        turn_->taken_.store(false);
    }

  private:
    checkpoint_turn* turn_;
  };

  /// False when another store has it.
  bool take() { return !taken_.exchange(true); }

private:
  std::atomic<bool> taken_{false};
};

} // namespace epione::actors
