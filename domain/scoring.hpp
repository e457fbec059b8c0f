// Scores and alert rules over checked answers.
#pragma once

#include "domain/event.hpp"
#include "domain/questionnaire.hpp"
#include "domain/response_check.hpp"
#include "domain/study_file.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace epione::domain {

/// What an item or another score counts, taken together. An item that is not answered does not count; when fewer than
/// `min_answered` do, there is no score.
struct score_rule {
  std::string name;
  score_method method = score_method::sum;
  std::vector<std::uint32_t> items;
  std::vector<bool> reversed;        ///< by item: counts turn_at - number
  double turn_at = 0;                ///< the scale's smallest and largest number together
  std::vector<std::uint32_t> scores; ///< of the same form, each before this one
  std::size_t min_answered = 0;      ///< of items and scores
  std::optional<int> round;          ///< decimal places, half away from zero
  std::vector<score_step> table;     ///< ascending
  std::shared_ptr<const fhirpath::expression> expression;
  std::vector<score_band> bands; ///< ascending
};

/// From what study.toml says; everything that is wrong is added to the problems. `before` are the form's scores so far
/// (score_compiler.cpp).
score_rule compile_score(const score_entry& entry, const questionnaire& form, const std::vector<score_rule>& before,
                         file_problems& problems);

/// Whether every answer to the item counts as a number; the reason if not.
std::optional<std::string> why_not_a_number(const form_item& item);

/// Raised when one of an item's answers, or a score, compares as stated.
struct alert_rule {
  std::string id;
  std::uint32_t item = form_item::none;
  std::uint32_t score = form_item::none; ///< one of both
  comparison operation = comparison::equal;
  rule_value value;
};

/// The number an answer counts as; nothing for one that is none.
std::optional<double> number_of(const answer_value& v);

/// Value and label, or nothing when too little is answered. `before` are the scores that were computed for the rules before it.
std::optional<score> compute(const score_rule& rule, answers_check& answers, const std::vector<std::optional<score>>& before,
                             const std::vector<score_rule>& rules);

/// `scores` are what compute() gave for each rule, in the order alert_rule::score counts.
bool is_raised(const alert_rule& rule, const answers_check& answers, const std::vector<std::optional<score>>& scores);

} // namespace epione::domain
