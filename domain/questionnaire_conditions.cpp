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

bool has_order(const rule_value& value, item_type type) {
  return value.kind == value_kind::number || value.kind == value_kind::moment || type == item_type::string ||
         type == item_type::text;
}

bool is_ordering(comparison c) {
  return c != comparison::exists && c != comparison::equal && c != comparison::not_equal;
}

/// The innermost item that both lie in; form_item::none: the form.
std::uint32_t common_scope(const questionnaire& form, std::uint32_t a, std::uint32_t b) {
  std::uint32_t scope = form.items[a].parent;
  while (scope != form_item::none && !(scope < b && b < form.items[scope].end) && scope != b)
    scope = form.items[scope].parent;
  return scope;
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
  if (fhir_type == "String")
    return item_type::string;
  if (fhir_type == "Reference")
    return item_type::reference;
  return question.type;
}

std::optional<condition> read_condition(const fhir_object& x, const questionnaire& form, const form_item& own) {
  x.only({"id", "extension", "modifierExtension", "question", "operator", "answerBoolean", "answerDecimal", "answerInteger",
          "answerDate", "answerDateTime", "answerTime", "answerString", "answerCoding", "answerQuantity", "answerReference"});
  const auto question = x.string("question");
  const auto text = x.string("operator");
  const auto answer = x.choice_of_type("answer");
  for (const auto* member : {"question", "operator"})
    if (!x.has(member))
      x.problem(std::string{member} + " is missing", issue_code::required);
  if (!answer)
    x.problem("it needs one answer[x], such as answerCoding", issue_code::required);
  const auto operation = text ? parse_operator(*text) : std::nullopt;
  if (text && !operation)
    x.problem("operator", "it must be one of exists, =, !=, >, <, >= and <=", issue_code::code_invalid);
  if (!question || !operation || !answer)
    return std::nullopt;
  condition c;
  c.operation = *operation;
  c.question = form.find(*question);
  if (c.question == form_item::none) {
    x.problem("question", "the form has no item with the linkId \"" + quotable(*question) + "\"", issue_code::not_found);
    return std::nullopt;
  }
  const auto& asked = form.items[c.question];
  c.scope = common_scope(form, static_cast<std::uint32_t>(&own - form.items.data()), c.question);
  if (&asked == &own) {
    x.problem("question", "an item cannot depend on its own answer");
    return std::nullopt;
  }
  if (&own < &asked && c.question < own.end) {
    x.problem("question", "the item \"" + quotable(*question) +
                              "\" lies in the one that depends on it, so that it can never be answered first");
    return std::nullopt;
  }
  if (!is_question(asked.type)) {
    x.problem("question", "the item \"" + quotable(*question) + "\" is not a question");
    return std::nullopt;
  }
  if (c.operation == comparison::exists) {
    if (answer->first != "Boolean" || !answer->second->is_boolean()) {
      x.breaks("que-7", "operator", "with the operator exists the answer must be answerBoolean");
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
  if (is_ordering(c.operation) && !has_order(c.value, asked.type)) {
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
    source.problem("enableBehavior", "it must be all or any", issue_code::code_invalid);
  if (conditions.size() > 1 && !source.has("enableBehavior"))
    source.breaks("que-12", "enableBehavior", "with more than one enableWhen it must be there, all or any");
  item.any_condition = behavior == "any";
  for (const auto& x : conditions)
    if (auto c = read_condition(x, form, item))
      item.conditions.push_back(std::move(*c));
}

} // namespace epione::domain
