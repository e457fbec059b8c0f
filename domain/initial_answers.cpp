#include "domain/initial_answers.hpp"

#include "domain/calculated_value.hpp"
#include "domain/form_evaluation.hpp"
#include "domain/msgpack.hpp"
#include "domain/response_from_answers.hpp"

#include <map>

namespace epione::domain {

namespace {

using by_item = std::map<std::uint32_t, std::vector<std::string>>; // values as msgpack

std::string stored(const form_item& item, const rule_value& v) {
  std::string out;
  switch (v.kind) {
    case value_kind::boolean: append_bool(out, v.boolean); break;
    case value_kind::number:
      if (item.type != item_type::quantity || v.unit.empty()) {
        append_double(out, v.number);
        break;
      }
      append_map_header(out, 2);
      append_string(out, "unit"), append_string(out, v.unit);
      append_string(out, "value"), append_double(out, v.number);
      break;
    default: append_string(out, v.text);
  }
  return out;
}

void add_fixed(const questionnaire& form, by_item& answers) {
  for (std::uint32_t i = 0; i < form.items.size(); ++i) {
    const auto& item = form.items[i];
    for (const auto& v : item.initial)
      answers[i].push_back(stored(item, v));
    for (const auto& o : item.options)
      if (o.initial && (item.repeats || !answers.contains(i)))
        answers[i].push_back(o.stored);
  }
}

void add_evaluated(const questionnaire& form, fhirpath::evaluation_clock clock, by_item& answers, initial_state& result) {
  const auto response = json_document::parse(response_from_answers(form, ""), 8);
  if (!response)
    return;
  form_evaluation evaluation{form, *response, {}, clock};
  for (const auto expression : form.plan->initials) {
    const auto index = form.expressions[expression].item;
    const auto& item = form.items[index];
    const auto problem = [&](const std::string& why) { result.problems.push_back(item.link_id + ": " + why); };
    const auto values = evaluation.initial(expression);
    if (!values) {
      problem(values.error().text());
      continue;
    }
    if (values->size() > 1 && !item.repeats) {
      problem("initialExpression gives several values, and the item takes one");
      continue;
    }
    std::vector<std::string> own;
    for (const auto& v : *values)
      if (auto value = short_answer(item, v))
        own.push_back(std::move(*value));
    if (own.size() != values->size())
      problem("what initialExpression gives is no answer to an item of type " + std::string{name(item.type)});
    else if (!own.empty())
      answers[index] = std::move(own); // it comes before a fixed value
  }
}

} // namespace

initial_state initial_answers(const questionnaire& form, std::int64_t now_us, int zone_minutes) {
  initial_state result;
  by_item answers;
  add_fixed(form, answers);
  if (form.plan)
    add_evaluated(form, {now_us, zone_minutes}, answers, result);
  append_map_header(result.answers, static_cast<std::uint32_t>(answers.size()));
  for (const auto index : form.by_link_id) { // sorted as canonical maps are
    const auto own = answers.find(index);
    if (own == answers.end())
      continue;
    append_string(result.answers, form.items[index].link_id);
    if (form.items[index].many)
      append_array_header(result.answers, static_cast<std::uint32_t>(own->second.size()));
    for (const auto& v : own->second)
      result.answers += v;
  }
  return result;
}

} // namespace epione::domain
