// A study as it is imported: sites, subjects, forms, scores and alert rules, compiled once and then only read.
#pragma once

#include "domain/event.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::domain {

/// One thing that is wrong with a file that was to be imported: which file, where in it, what, and what to do.
struct import_problem {
  std::string file;    ///< "study.toml", "phq-9.json"
  std::string place;   ///< "forms[0].scores[1].items", "item[2].item[0] (linkId q3)", "line 7, column 3"
  std::string message; ///< a sentence for a study designer
};

/// A study folder's content, as it was read: it is what the catalog stores.
struct study_source {
  struct file {
    std::string name; ///< relative to the folder
    std::string text;
  };
  std::string toml;        ///< study.toml
  std::vector<file> forms; ///< FHIR R4 Questionnaires as JSON, sorted by name
};

/// Something a patient's answers did not satisfy.
struct problem {
  std::string link_id; ///< empty when it concerns the whole submission
  std::string code;    ///< "required", "unknown-item", "type", "not-an-option", "not-enabled", "max-length", "unknown-form", ...
  std::string message; ///< a sentence for the developer of the sending app; never the answer itself
  std::vector<std::string> allowed; ///< what would have been accepted, where that is a short list
};

/// Outcome of looking at one submission's content.
struct verdict {
  std::vector<problem> problems; ///< empty: accepted
  std::vector<problem> warnings; ///< of constraints that only warn, and of what could not be calculated; accepted all the same
  std::string form, version, authored;
  std::string answers; ///< canonical msgpack map linkId -> value, choices by their code
  std::vector<score> scores;
  std::vector<alert> alerts;
  bool accepted() const { return problems.empty(); }
};

class compiled_study; // study_compiler.cpp

/// A compiled study. Immutable; shared between threads.
class study {
public:
  explicit study(std::shared_ptr<const compiled_study> impl);
  ~study();
  const std::string& id() const;
  const std::string& title() const;
  /// Site of an enrolled subject; nothing when the study does not know the subject.
  std::optional<std::string> site_of(std::string_view subject) const;
  /// Checks and scores `content`, the canonical msgpack of {"form", "answers", "authored"} (see canonical.hpp). Never throws on
  /// content; every problem is listed. `now_us`, since 1970 UTC, is the time for what does not say when it was authored: of
  /// today() in expressions, and whether a form may still be answered.
  verdict assess(std::string_view content, std::optional<std::int64_t> now_us = std::nullopt) const;
  /// Who is told of an accepted submission to this form by a subject of this site: for each alert the routes in the order of the
  /// file, then those for the submission itself; the same rule, channel and recipient once.
  std::vector<notice_plan> plan_notices(std::string_view site, std::string_view form, const std::vector<alert>& alerts) const;
  /// Null if there is none.
  const recipient* find_recipient(std::string_view id) const;
  /// In the order of the file.
  std::vector<const recipient*> recipients() const;
  const compiled_study& compiled() const;

private:
  std::shared_ptr<const compiled_study> impl_;
};

/// Compiles a study and all its forms, or lists every problem of every file at once. Versions of forms that `previous`, the same
/// study as it was before, had are kept beside the new ones.
tl::expected<std::shared_ptr<const study>, std::vector<import_problem>> compile_study(const study_source& source,
                                                                                      const study* previous = nullptr);

/// The source as one msgpack value and back: what a "study.import" event holds.
std::string encode(const study_source& source);
tl::expected<study_source, std::string> decode_study_source(std::string_view bytes);

} // namespace epione::domain
