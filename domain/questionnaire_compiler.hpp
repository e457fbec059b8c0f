// From a FHIR R4 Questionnaire's JSON to the compiled form, or to the list of everything that is wrong with it.
//
// What is understood: all item types but attachment; nesting, required, repeats, enableWhen, enableBehavior, answerOption,
// contained value sets, maxLength, the extensions minLength, minValue, maxValue, minOccurs, maxOccurs, ordinalValue and
// translation. A value set that is not contained is accepted and any code with it, since there is no terminology server to ask. A
// rule that is not understood is a problem: it would otherwise be silently missing.
#pragma once

#include "domain/fhir_json.hpp"
#include "domain/questionnaire.hpp"

#include <optional>
#include <string_view>

namespace epione::domain {

/// Nothing if a problem was added.
std::optional<questionnaire> compile_questionnaire(std::string_view text, file_problems& problems);

// ---- parts, each in a file of its own ---------------------------------------------------------------------------------

/// A value[x] or answer[x] of a rule about items of type `type`; nothing, with a problem added to `where`, if it does not fit
/// (questionnaire_values.cpp).
std::optional<rule_value> compile_value(const fhir_object& where, item_type type, std::string_view fhir_type, const json& value);

/// answerOption and answerValueSet (questionnaire_options.cpp). `root` is the resource, which holds contained value sets.
void compile_options(const fhir_object& source, const fhir_object& root, form_item& item);

/// enableWhen and enableBehavior (questionnaire_conditions.cpp); all items are there already.
void compile_conditions(const fhir_object& source, const questionnaire& form, form_item& item);

} // namespace epione::domain
