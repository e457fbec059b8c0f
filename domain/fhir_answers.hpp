// From the items of a QuestionnaireResponse to answers in the short form, which scores, alert rules and exports read, and back.
#pragma once

#include "domain/event.hpp"
#include "domain/json_document.hpp"
#include "domain/questionnaire.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::domain {

/// Canonical msgpack map linkId -> answer, or list of answers where the item, or a group around it, repeats. `response` has been
/// checked against the form (check_response); what the form does not have is left out. Of a coding its code is kept, of a
/// reference what it refers to: the rest is the stored resource's to keep.
std::string short_answers(const json_document& response, const questionnaire& form);

/// A submission in the short form as a QuestionnaireResponse, as far as it says it. Where a group repeats, the first answer of
/// each of its items makes the first repetition, and so on; all answers to an item that itself repeats stand in the first.
/// Nothing when its answers are damaged or the form has no such items.
std::optional<std::string> short_as_response(const submission_record& r, const questionnaire& form, std::uint64_t version);

/// "URL|VERSION", or "Questionnaire/ID" of a form without url.
std::string canonical_of(const questionnaire& form, std::string_view form_id);

/// Of identifiers that stand for the key of a submission in the short form.
inline constexpr std::string_view key_system = "urn:epione:submission-key";

} // namespace epione::domain
