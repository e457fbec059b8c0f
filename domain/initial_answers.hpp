// What a response begins with, for whoever starts one: initial values, options that are chosen at first, initialExpressions.
#pragma once

#include "domain/questionnaire.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace epione::domain {

struct initial_state {
  std::string answers;               ///< canonical msgpack map linkId -> value, as submissions have it
  std::vector<std::string> problems; ///< linkId and reason of each initialExpression that has no usable value
};

/// Expressions are evaluated on a response without answers at `now_us`, in a zone of so many minutes east of UTC; they see the
/// form's variables and, of other items, nothing. Attachments have no initial answer here.
initial_state initial_answers(const questionnaire& form, std::int64_t now_us, int zone_minutes = 0);

} // namespace epione::domain
