// enableWhen and enableBehavior: when an item is asked.
#include "domain/json_text.hpp"
#include "domain/questionnaire_compiler.hpp"

#include <array>

namespace epione::domain {

namespace {

std::optional<comparison> parse_operator(std::string_view text) {
  for (auto c : {comparison::exists, comparison::equal, comparison::not_equal, comparison::greater, comparison::less,
                 comparison::greater_or_equal, comparison::less_or_equal})
    if (text == name(c))
      return c;
  return std::nullopt;
}

bool is_ordering(comparison c) {
  return c != comparison::exists && c != comparison::equal && c != comparison::not_equal;
}

/// A question that offers numbers or dates is compared with those, whatever its type says.
item_type compared_as(const form_item& question, std::string_view fhir_type) {
  const bool choice = question.type == item_type::choice || question.type == item_type::open_choice;
  if (!choice || question.options.empty())
    return question.type;
  if (fhir_type == "Integer" || fhir_type == "Decimal")
    return item_type::integer;
  if (fhir_type == "Date")
    return item_type::date;
  if (fhir_type == "Time")
    return item_type::time;
  if (fhir_type == "Reference")
    return item_type::reference;
  return question.type;
}

std::optional<condition> read_condition(const fhir_object& x, const questionnaire& form, std::string_view own_link_id) {
  x.only({"id", "extension", "modifierExtension", "question", "operator", "answerBoolean", "answerDecimal", "answerInteger",
          "answerDate", "answerDateTime", "answerTime", "answerString", "answerCoding", "answerQuantity", "answerReference"});
  const auto question = x.string("question");
  const auto text = x.string("operator");
  const auto answer = x.choice_of_type("answer");
  for (const auto* member : {"question", "operator"})
    if (!x.has(member))
      x.problem(std::string{member} + " is missing");
  if (!answer)
    x.problem("it needs one answer[x], such as answerCoding");
  const auto operation = text ? parse_operator(*text) : std::nullopt;
  if (text && !operation)
    x.problem("operator", "it must be one of exists, =, !=, >, <, >= and <=");
  if (!question || !operation || !answer)
    return std::nullopt;
  condition c;
  c.operation = *operation;
  c.question = form.find(*question);
  if (c.question == form_item::none) {
    x.problem("question", "the form has no item with the linkId \"" + quotable(*question) + "\"");
    return std::nullopt;
  }
  const auto& asked = form.items[c.question];
  if (asked.link_id == own_link_id) {
    x.problem("question", "an item cannot depend on its own answer");
    return std::nullopt;
  }
  if (!is_question(asked.type)) {
    x.problem("question", "the item \"" + quotable(*question) + "\" is not a question");
    return std::nullopt;
  }
  if (c.operation == comparison::exists) {
    if (answer->first != "Boolean" || !answer->second->is_boolean()) {
      x.problem("with the operator exists the answer must be answerBoolean (FHIR invariant que-7)");
      return std::nullopt;
    }
    c.value.kind = value_kind::boolean;
    c.value.boolean = answer->second->get<bool>();
    return c;
  }
  const auto value = compile_value(x, compared_as(asked, answer->first), answer->first, *answer->second);
  if (!value)
    return std::nullopt;
  c.value = *value;
  if (is_ordering(c.operation) && c.value.kind != value_kind::number && c.value.kind != value_kind::moment) {
    x.problem("operator", "answers to an item of type " + std::string{name(asked.type)} + " have no order; use =, != or exists");
    return std::nullopt;
  }
  return c;
}

} // namespace

void compile_conditions(const fhir_object& source, const questionnaire& form, form_item& item) {
  const auto conditions = source.objects("enableWhen");
  const auto behavior = source.string("enableBehavior");
  if (behavior && *behavior != "all" && *behavior != "any")
    source.problem("enableBehavior", "it must be all or any");
  if (conditions.size() > 1 && !source.has("enableBehavior"))
    source.problem("enableBehavior", "with more than one enableWhen it must be there, all or any (FHIR invariant que-12)");
  item.any_condition = behavior == "any";
  for (const auto& x : conditions)
    if (auto c = read_condition(x, form, item.link_id))
      item.conditions.push_back(std::move(*c));
}

} // namespace epione::domain
