// An answer as enableWhen, limits, scores and alert rules see it, and how it compares with what they name.
#pragma once

#include "domain/questionnaire.hpp"

#include <string_view>

namespace epione::domain {

/// One answer as the rules see it. Points into the submission's bytes or into the form.
struct answer_value {
  value_kind kind = value_kind::none;
  bool boolean = false;
  double number = 0;
  time_span moment;
  std::string_view text;
  std::string_view unit;                 ///< of a quantity its code, or its unit
  std::string_view system;               ///< of a coding, where the response says it
  text_kind is = text_kind::any;         ///< of a choice, where it is known
  const answer_option* option = nullptr; ///< the one that was chosen
};

/// How an answer compares with a rule's value; false where they cannot be compared.
bool holds(const answer_value& answer, comparison operation, const rule_value& value);

} // namespace epione::domain
