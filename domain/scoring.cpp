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

namespace {

/// What one item counts: all of its answers together; nothing when it is not answered.
std::optional<double> counted(const score_rule& rule, std::size_t i, const answers_check& answers) {
  const auto values = answers.values_of(rule.items[i]);
  if (values.empty())
    return std::nullopt;
  double sum = 0;
  for (const auto& v : values) {
    const auto number = number_of(v);
    if (!number)
      return std::nullopt;
    sum += *number;
  }
  return !rule.reversed.empty() && rule.reversed[i] ? rule.turn_at - sum : sum;
}

std::optional<double> added(const score_rule& rule, const answers_check& answers,
                            const std::vector<std::optional<score>>& before) {
  double sum = 0;
  std::size_t count = 0;
  const auto take = [&](std::optional<double> number) {
    if (number) {
      sum += *number;
      ++count;
    }
  };
  for (std::size_t i = 0; i < rule.items.size(); ++i)
    take(counted(rule, i, answers));
  for (const auto s : rule.scores)
    take(before[s] ? std::optional{before[s]->value} : std::nullopt);
  if (count < rule.min_answered || count == 0)
    return std::nullopt;
  const auto mean = sum / static_cast<double>(count);
  switch (rule.method) {
    case score_method::mean: return mean;
    case score_method::prorated: {
      const auto all = rule.items.size() + rule.scores.size();
      return count == all ? sum : mean * static_cast<double>(all);
    }
    default: return sum;
  }
}

std::optional<double> looked_up(const score_rule& rule, const std::vector<std::optional<score>>& before) {
  const auto& raw = before[rule.scores.front()];
  if (!raw)
    return std::nullopt;
  const auto line = std::lower_bound(rule.table.begin(), rule.table.end(), raw->value,
                                     [](const score_step& s, double value) { return s.raw < value; });
  return line != rule.table.end() && line->raw == raw->value ? std::optional{line->value} : std::nullopt;
}

std::optional<double> evaluated(const score_rule& rule, answers_check& answers, const std::vector<std::optional<score>>& before,
                                const std::vector<score_rule>& rules) {
  std::vector<std::pair<std::string, fhirpath::collection>> scores;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto number = before[i] ? fhirpath::decimal::from_double(before[i]->value) : std::nullopt;
    scores.emplace_back(rules[i].name, number ? fhirpath::collection{*number} : fhirpath::collection{});
  }
  auto* response = answers.as_response();
  const auto found = response == nullptr ? fhirpath::collection{} : response->score(*rule.expression, std::move(scores));
  if (found.size() != 1)
    return std::nullopt;
  const auto v = fhirpath::plain(found.front());
  if (const auto* d = std::get_if<fhirpath::decimal>(&v))
    return d->to_double();
  const auto* i = std::get_if<std::int64_t>(&v);
  return i == nullptr ? std::nullopt : std::optional{static_cast<double>(*i)};
}

double rounded(double value, int places) {
  const auto exact = fhirpath::decimal::from_double(value);
  return exact ? exact->round(places).to_double() : value;
}

} // namespace

std::optional<score> compute(const score_rule& rule, answers_check& answers, const std::vector<std::optional<score>>& before,
                             const std::vector<score_rule>& rules) {
  const auto value = rule.method == score_method::table        ? looked_up(rule, before)
                     : rule.method == score_method::expression ? evaluated(rule, answers, before, rules)
                                                               : added(rule, answers, before);
  if (!value)
    return std::nullopt;
  score result;
  result.name = rule.name;
  result.value = rule.round ? rounded(*value, *rule.round) : *value;
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
