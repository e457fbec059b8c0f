// From a FHIR R4 Questionnaire's JSON to the compiled form, or to the list of everything that is wrong with it.
//
// The whole of R4 (4.0.1) is read: all item types, nesting, enableWhen, options, value sets that are contained or given,
// translations, and the extensions that say what may be answered (docs/conformance.md lists them). A form for submissions of a
// study must not have a rule that would not be checked then: such a rule is a problem there and a remark otherwise. A value set
// that is neither contained nor given is accepted and any code with it, since there is no terminology server to ask.
#pragma once

#include "domain/fhir_json.hpp"
#include "domain/limits.hpp"
#include "domain/questionnaire.hpp"
#include "domain/value_sets.hpp"

#include <optional>
#include <string_view>

namespace epione::domain {

struct compile_options {
  bool for_submissions = true; ///< of a study, in the short form; false: to check whole QuestionnaireResponses
  std::size_t items_max = limits::form_items_max;
  std::size_t bytes_max = limits::form_file_bytes_max;
  const terminology* given = nullptr; ///< value sets beside the form
};

/// Nothing if a problem was added; but not for submissions, then only if there is no form to be seen at all, so that a response
/// can be checked by what is right in its form.
std::optional<questionnaire> compile_questionnaire(std::string_view text, file_problems& problems,
                                                   const compile_options& options = {});

// ---- parts, each in a file of its own ---------------------------------------------------------------------------------

/// What the parts know of the whole.
struct compile_context {
  const compile_options& options;
  value_set_reader& value_sets;
};

/// A value[x] or answer[x] of a rule about items of type `type`; nothing, with a problem added to `where`, if it does not fit
/// (questionnaire_values.cpp).
std::optional<rule_value> compile_value(const fhir_object& where, item_type type, std::string_view fhir_type, const json& value);
/// initial; all options and limits are there already. What breaks the item's own limits could never be submitted as it is: a
/// problem in a form for submissions, otherwise a remark, since FHIR has no rule against it.
void compile_initial(const fhir_object& source, const compile_context& context, form_item& item);

/// What FHIR R4 says of an item's own members: the invariants que-1, 3, 6, 8, 9, 10, 11 and 13 (questionnaire_invariants.cpp).
void check_item_invariants(const fhir_object& source, const form_item& item);
/// The members of the resource itself but item: status, period, que-0.
void read_resource(const fhir_object& root, questionnaire& form);

/// maxLength and the extensions that limit an answer (questionnaire_rules.cpp).
void compile_rules(const fhir_object& source, const compile_context& context, form_item& item);

/// Expressions of an item or, with `item` none, of the form; and extensions that change a meaning
/// (questionnaire_expressions.cpp).
void compile_expressions(const fhir_object& source, const compile_context& context, std::uint32_t item, questionnaire& form);

/// Parses the expressions and plans their evaluation, when all items are there: form.plan (form_plan.cpp).
void plan_expressions(std::string_view text, const fhir_object& root, const compile_context& context, questionnaire& form);

/// answerOption and answerValueSet (questionnaire_options.cpp).
void compile_options_of(const fhir_object& source, const compile_context& context, form_item& item);

/// enableWhen and enableBehavior (questionnaire_conditions.cpp); all items are there already.
void compile_conditions(const fhir_object& source, const questionnaire& form, form_item& item);

/// One extension's value[x]: its type and itself. A problem if the extension is there more than once or has none.
std::optional<std::pair<std::string, const json*>> extension_value(const fhir_object& x, std::string_view url);

} // namespace epione::domain
