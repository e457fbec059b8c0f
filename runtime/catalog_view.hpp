// The studies as all parts of a node see them: one immutable snapshot, exchanged whole.
#pragma once

#include "domain/study.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace epione::runtime {

struct catalog_snapshot {
  std::uint64_t seq = 0; ///< of the newest event it was built from
  std::map<std::string, std::shared_ptr<const domain::study>, std::less<>> studies;
  /// The only study, or null when there is none or more than one.
  std::shared_ptr<const domain::study> only() const { return studies.size() == 1 ? studies.begin()->second : nullptr; }
};

/// Thread-safe holder of the newest snapshot.
class catalog_view {
public:
  std::shared_ptr<const catalog_snapshot> get() const {
    std::lock_guard guard{mutex_};
    return snapshot_;
  }
  void set(std::shared_ptr<const catalog_snapshot> next) {
    std::lock_guard guard{mutex_};
    snapshot_ = std::move(next);
    ready_ = true;
  }
  /// Whether the catalog has been read. Before that an unknown study says nothing: answer 503, never 404.
  bool ready() const {
    std::lock_guard guard{mutex_};
    return ready_;
  }

private:
  mutable std::mutex mutex_;
  bool ready_ = false;
  std::shared_ptr<const catalog_snapshot> snapshot_ = std::make_shared<const catalog_snapshot>();
};

} // namespace epione::runtime
