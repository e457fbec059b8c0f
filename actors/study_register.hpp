// What the events of group 0 say about studies: the newest source of each, and which content every version of a form had.
#pragma once

#include "domain/event.hpp"
#include "domain/study.hpp"
#include "domain/study_addition.hpp"
#include "messages/errors.hpp"
#include "messages/submission.hpp"
#include "runtime/catalog_view.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace epione::actors {

using domain::study_import_action;

/// No actor and no I/O. It keeps the compiled studies, digests, and of each study the newest source.
class study_register {
public:
  /// Takes the next event of the chain; events of other actions are only counted. Says whether a study changed. Fails for what
  /// cannot be decoded; the register is as before then, except that the event counts as read.
  tl::expected<bool, std::string> add(const messages::stored_event& stored);

  struct import_check {
    std::string id;         ///< of the study
    std::string form;       ///< of an addition: what the study knows the form by
    bool unchanged = false; ///< the newest import has the same content; of an addition: the study has the version
    std::string before;     ///< for the event: msgpack bin of the newest source's BLAKE2b-256, empty when there is none
    std::string after;      ///< for the event: the source
  };
  /// Compiles a source and compares it with what was imported before. Lists every problem.
  tl::expected<import_check, std::vector<domain::import_problem>> check(const domain::study_source& source) const;

  struct refusal {
    ec code = ec::invalid; ///< or ec::not_found: no such study, or ec::conflict: the version had other content
    std::vector<domain::import_problem> problems;
  };
  /// The same of the study that an addition makes. A version that the study has, be it an earlier one, changes nothing; only of
  /// the newest one what may change under a version is taken.
  tl::expected<import_check, refusal> check(const domain::form_addition& addition) const;

  /// Called for each study that no longer compiles, with its id and the number of its problems.
  using left_out = std::function<void(const std::string&, std::size_t)>;
  /// All studies that compile.
  std::shared_ptr<const runtime::catalog_snapshot> snapshot(const left_out& tell);

  std::uint64_t last_seq() const { return last_seq_; }
  /// Of the newest event that changed a study.
  std::uint64_t changed_seq() const { return changed_seq_; }

private:
  using content_digest = std::array<std::uint8_t, 32>;
  struct kept_version {
    content_digest content{}; ///< without what may change under a version
    content_digest whole{};   ///< with it
    std::int64_t modified_us = 0;
  };
  struct entry {
    content_digest newest{};
    std::shared_ptr<const domain::study_source> source; ///< the newest
    /// Until they are compiled, oldest first: the newest, and before it those with versions of forms that later ones do not have.
    std::vector<std::shared_ptr<const domain::study_source>> sources;
    std::shared_ptr<const domain::study> compiled;                        ///< null: none yet
    bool served = false;                                                  ///< the newest source compiles
    std::map<std::pair<std::string, std::string>, kept_version> versions; ///< (form, version) of every import
    domain::form_urls urls;                                               ///< of every import, the latest of each form
  };

  std::map<std::string, entry, std::less<>> studies_;
  std::uint64_t last_seq_ = 0, changed_seq_ = 0;
};

} // namespace epione::actors
