// Scores and alert rules over checked answers.
#pragma once

#include "domain/event.hpp"
#include "domain/questionnaire.hpp"
#include "domain/response_check.hpp"
#include "domain/study_file.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace epione::domain {

/// The sum of its items' values: of a choice its ordinal value, of a number itself. Left out when one is not answered.
struct score_rule {
  std::string name;
  std::vector<std::uint32_t> items;
  std::vector<score_band> bands; ///< ascending
};

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

/// Value and label, or nothing when an item is not answered.
std::optional<score> compute(const score_rule& rule, const answers_check& answers);

/// `scores` are what compute() gave for each rule, in the order alert_rule::score counts.
bool is_raised(const alert_rule& rule, const answers_check& answers, const std::vector<std::optional<score>>& scores);

} // namespace epione::domain
