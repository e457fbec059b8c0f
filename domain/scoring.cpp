#include "domain/scoring.hpp"

#include <algorithm>

namespace epione::domain {

std::optional<double> number_of(const answer_value& v) {
  if (v.option != nullptr && v.option->ordinal)
    return v.option->ordinal;
  if (v.kind == value_kind::number)
    return v.number;
  return std::nullopt;
}

std::optional<score> compute(const score_rule& rule, const answers_check& answers) {
  score result;
  for (const auto item : rule.items) {
    const auto values = answers.values_of(item);
    if (values.empty())
      return std::nullopt;
    for (const auto& v : values) {
      const auto number = number_of(v);
      if (!number)
        return std::nullopt;
      result.value += *number;
    }
  }
  result.name = rule.name;
  for (const auto& band : rule.bands)
    if (result.value >= band.from)
      result.label = band.label;
  return result;
}

bool is_raised(const alert_rule& rule, const answers_check& answers, const std::vector<std::optional<score>>& scores) {
  if (rule.score != form_item::none) {
    const auto& s = scores[rule.score];
    answer_value v;
    v.kind = value_kind::number;
    v.number = s ? s->value : 0;
    return s && holds(v, rule.operation, rule.value);
  }
  const auto values = answers.values_of(rule.item);
  return std::any_of(values.begin(), values.end(), [&](answer_value v) {
    if (rule.value.kind == value_kind::number) {
      const auto number = number_of(v);
      if (!number)
        return false;
      v.kind = value_kind::number;
      v.number = *number;
    }
    return holds(v, rule.operation, rule.value);
  });
}

} // namespace epione::domain
