// From the short form of a submission ("answers": linkId to answer) to the QuestionnaireResponse that it stands for.
//
// Answers of the short form know no repetitions. In a group that repeats the first answer to each of its items belongs to the
// first repetition, the second to the second, and so on; all answers to an item that repeats itself lie in the first one. The
// same holds for items in a question that repeats.
#pragma once

#include "domain/questionnaire.hpp"

#include <string>
#include <string_view>

namespace epione::domain {

/// What a response says beside its items; what is empty is left out.
struct response_head {
  std::string id, authored;
  std::string subject; ///< a reference: "Patient/42"
  std::string status = "completed";
};

/// The JSON of the response. `answers` is the canonical msgpack map that verdict::answers has: checked, choices by their code.
/// What does not fit the form is left out.
std::string response_from_answers(const questionnaire& form, std::string_view answers, const response_head& head = {});

} // namespace epione::domain
