// Why this node may not serve right now. Each part names its own reason and takes it back; /readyz shows what is left.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace epione::runtime {

/// Thread-safe. Empty means ready; a node that is starting begins with a reason, so that it is never ready by accident.
class readiness {
public:
  struct item {
    std::string part;   ///< "shard 3", "journal", "node"
    std::string reason; ///< a sentence for an operator
  };

  /// `part` may not serve because of `reason`; replaces what it said before.
  void set(const std::string& part, std::string reason) {
    std::lock_guard guard{mutex_};
    reasons_.insert_or_assign(part, std::move(reason));
  }
  /// `part` has nothing against serving any more.
  void clear(const std::string& part) {
    std::lock_guard guard{mutex_};
    reasons_.erase(part);
  }
  bool ready() const {
    std::lock_guard guard{mutex_};
    return reasons_.empty();
  }
  std::vector<item> reasons() const {
    std::lock_guard guard{mutex_};
    std::vector<item> out;
    out.reserve(reasons_.size());
    for (const auto& [part, reason] : reasons_)
      out.push_back({part, reason});
    return out;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> reasons_;
};

} // namespace epione::runtime
