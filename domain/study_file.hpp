// study.toml, read: what a study designer wrote, checked for what can be seen without the forms. docs/study-file.md describes it.
#pragma once

#include "domain/fhir_json.hpp"
#include "domain/notice_route.hpp"
#include "domain/questionnaire.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::domain {

struct site {
  std::string id, name, zone;
};

/// Subjects that are enrolled together: a range of numbers, or listed ones. They are spread over `sites` in turn.
struct subject_group {
  std::string prefix;                ///< of a range: before the number
  std::uint64_t first = 1, last = 0; ///< of a range; empty when first > last
  std::vector<std::string> ids;      ///< of a list
  std::vector<std::uint32_t> sites;  ///< indices; at least one
  std::string place;
};

struct score_band {
  double from = 0;
  std::string label;
};

enum class score_method : std::uint8_t { sum, mean, prorated, table, expression };

/// As study.toml writes it: "prorated".
std::string_view name(score_method method);

/// A line of a table of standard scores.
struct score_step {
  double raw = 0, value = 0;
};

struct score_entry {
  std::string name;
  score_method method = score_method::sum;
  std::vector<std::string> items;             ///< linkIds
  std::vector<std::string> scores;            ///< names of scores above it in the file that count like items
  std::vector<std::string> reversed;          ///< of the items
  std::optional<double> scale_min, scale_max; ///< of the reversed items
  std::optional<std::size_t> min_answered;    ///< nothing: all
  std::optional<int> round;                   ///< decimal places
  std::vector<score_step> table;              ///< ascending
  std::string expression;
  std::vector<score_band> bands; ///< ascending
  std::string place;
};

struct form_entry {
  std::string id, file;
  std::optional<std::vector<std::string>> languages; ///< in which it must be; left out: those of the study
  std::vector<score_entry> scores;
  std::string place;
};

struct alert_entry {
  std::string id, form;
  std::string item;  ///< linkId, or empty
  std::string score; ///< name, or empty; one of both is given
  comparison operation = comparison::equal;
  rule_value value;
  std::string place;
};

struct recipient_entry {
  recipient who;
  std::vector<std::uint32_t> sites; ///< indices, ascending; empty: all
  std::string place;
};

struct route_entry {
  bool on_alert = true;              ///< else on every submission
  std::string rule, form;            ///< empty: any
  std::optional<std::uint32_t> site; ///< index; nothing: any
  std::string role, recipient;       ///< one of both is given
  std::vector<std::string> channels;
  bool urgent = true;
  std::string place;
};

struct study_file {
  std::string id, title;
  std::vector<std::string> languages; ///< the first is the one that forms are written in unless they say otherwise
  std::vector<site> sites;
  std::vector<subject_group> subjects;
  std::vector<form_entry> forms;
  std::vector<alert_entry> alerts;
  std::vector<recipient_entry> recipients;
  std::vector<route_entry> routes;
};

/// What can be read of it, even if there are problems: so that the forms are looked at as well.
study_file read_study_file(std::string_view text, file_problems& problems);

class toml_table;
/// [[recipients]] and [[routes]] of study.toml, after its sites have been read (notice_file.cpp).
void read_notice_entries(toml_table& root, study_file& s);

/// One [[forms.scores]] of study.toml (score_file.cpp).
score_entry read_score(toml_table& t);

/// Area/Location or UTC, as the time zone database names them. Whether there is such a zone only that database knows.
bool looks_like_zone(std::string_view text);
/// Letters, digits and "-", as in "en" or "zh-Hant" (BCP 47, section 2.1).
bool looks_like_language(std::string_view text);

} // namespace epione::domain
