// A study, compiled: what site_of() and assess() read, from many threads at once, never changed after it was built.
#pragma once

#include "domain/notice_routes.hpp"
#include "domain/questionnaire.hpp"
#include "domain/scoring.hpp"
#include "domain/study.hpp"
#include "domain/study_file.hpp"
#include "domain/subject_directory.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::domain {

struct compiled_form {
  std::string id; ///< as submissions name it
  std::string version;
  questionnaire form;
  std::shared_ptr<const std::string> source; ///< the Questionnaire's JSON as it was imported
  std::vector<score_rule> scores;
  std::vector<alert_rule> alerts;
};

class compiled_study {
public:
  std::string id, title;
  std::vector<std::string> languages;
  std::vector<site> sites;
  subject_directory subjects;
  std::vector<compiled_form> forms; ///< in the order of study.toml
  notice_routes routes;
  /// Versions that earlier imports of the study had, newest first, with the scores and alerts they had then: who still has one on
  /// a phone may answer it, and it is scored as it was.
  std::vector<std::shared_ptr<const compiled_form>> earlier;

  /// The newest version. Null if there is none.
  const compiled_form* find_form(std::string_view form_id) const;
  /// That version, newest or earlier. Null if there is none.
  const compiled_form* find_form(std::string_view form_id, std::string_view version) const;
};

/// What study::assess() does (assess.cpp).
verdict assess(const compiled_study& study, std::string_view content, std::optional<std::int64_t> now_us);

} // namespace epione::domain
