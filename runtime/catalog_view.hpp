// The studies as all parts of a node see them: one immutable snapshot, exchanged whole.
#pragma once

#include "domain/study.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace epione::runtime {

/// When a version of a form got the content it has, by form and version: wall clock, microseconds since 1970.
using form_times = std::map<std::pair<std::string, std::string>, std::int64_t>;

struct catalog_snapshot {
  std::uint64_t seq = 0; ///< of the newest event it was built from
  /// Of the newest event that changed a study: the same on every node of a cluster that knows the same studies.
  std::uint64_t changed_seq = 0;
  std::map<std::string, std::shared_ptr<const domain::study>, std::less<>> studies;
  std::map<std::string, form_times, std::less<>> times; ///< by study
  /// 0: not known.
  std::int64_t form_time(std::string_view study, const std::string& form, const std::string& version) const {
    const auto of_study = times.find(study);
    if (of_study == times.end())
      return 0;
    const auto found = of_study->second.find({form, version});
    return found == of_study->second.end() ? 0 : found->second;
  }
  /// The study of a subject who named none: the only one there is, else the only one that has this subject; or null. A study that
  /// is imported later does not change whom the others have, so that a retry still finds its study.
  std::shared_ptr<const domain::study> study_of(std::string_view subject) const {
    std::shared_ptr<const domain::study> found;
    for (const auto& [id, study] : studies) {
      if (studies.size() > 1 && !study->site_of(subject))
        continue;
      if (found != nullptr)
        return nullptr;
      found = study;
    }
    return found;
  }
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
