// From a score as study.toml has it to the rule that is computed.
#include "domain/canonical.hpp"
#include "domain/fhirpath.hpp"
#include "domain/json_text.hpp"
#include "domain/scoring.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

class score_builder {
public:
  score_builder(const score_entry& entry, const questionnaire& form, const std::vector<score_rule>& before,
                file_problems& problems)
      : entry_(entry), form_(form), before_(before), problems_(problems) {}

  score_rule build() {
    rule_.name = entry_.name;
    rule_.method = entry_.method;
    rule_.round = entry_.round;
    rule_.table = entry_.table;
    rule_.bands = entry_.bands;
    for (const auto& link_id : entry_.items)
      add_item(link_id);
    for (const auto& score : entry_.scores)
      add_score(score);
    rule_.min_answered = entry_.min_answered.value_or(entry_.items.size() + entry_.scores.size());
    reverse();
    if (entry_.method == score_method::expression && !entry_.expression.empty())
      compile();
    return std::move(rule_);
  }

private:
  void problem(const char* key, const std::string& message) { problems_.add(entry_.place + "." + key, message); }

  void add_item(const std::string& link_id) {
    const auto index = form_.find(link_id);
    if (index == form_item::none)
      return problem("items", "the form has no item with the linkId \"" + quotable(link_id) + "\"");
    const auto& item = form_.items[index];
    if (item.many)
      problem("items", "\"" + quotable(link_id) + "\" cannot be scored: it may have several answers");
    else if (const auto why = why_not_a_number(item))
      problem("items", "\"" + quotable(link_id) + "\" cannot be scored: " + *why);
    rule_.items.push_back(index);
  }

  void add_score(const std::string& name) {
    const auto found = std::find_if(before_.begin(), before_.end(), [&](const auto& s) { return s.name == name; });
    if (found == before_.end())
      return problem(entry_.method == score_method::table ? "score" : "scores",
                     "the form has no score \"" + quotable(name) + "\" above this one; a score comes after those it needs");
    rule_.scores.push_back(static_cast<std::uint32_t>(found - before_.begin()));
  }

  void reverse() {
    if (entry_.reversed.empty()) {
      if (entry_.scale_min)
        problem("scale", "nothing uses it: it is for reversed items");
      return;
    }
    if (!entry_.scale_min || !entry_.scale_max)
      return problem("reversed",
                     "it needs scale = { min = NUMBER, max = NUMBER }: a reversed item counts min + max - its number");
    rule_.turn_at = *entry_.scale_min + *entry_.scale_max;
    rule_.reversed.resize(rule_.items.size());
    for (const auto& link_id : entry_.reversed) {
      const auto index = form_.find(link_id);
      const auto at = std::find(rule_.items.begin(), rule_.items.end(), index);
      if (index == form_item::none || at == rule_.items.end()) {
        problem("reversed", "\"" + quotable(link_id) + "\" is not one of the items");
        continue;
      }
      rule_.reversed[static_cast<std::size_t>(at - rule_.items.begin())] = true;
      check_scale(form_.items[index]);
    }
  }

  void check_scale(const form_item& item) {
    const auto outside = [&](double n) { return n < *entry_.scale_min || n > *entry_.scale_max; };
    for (const auto& o : item.options)
      if (const auto n = o.ordinal ? o.ordinal : std::optional{o.value.number}; outside(*n))
        return problem("scale", "the option \"" + quotable(o.value.text) + "\" of \"" + quotable(item.link_id) +
                                    "\" counts a number outside of it");
    if (!item.options.empty())
      return;
    // A number that is not kept within the scale would count less than nothing when it is turned round.
    if (!item.min_value || !item.max_value || outside(item.min_value->number) || outside(item.max_value->number))
      problem("scale",
              "\"" + quotable(item.link_id) + "\" may be answered with numbers outside of it; give it minValue and maxValue");
  }

  void compile() {
    auto compiled = fhirpath::compile(entry_.expression);
    if (!compiled)
      return problem("expression", compiled.error().text());
    for (const auto& name : compiled->variables()) {
      const bool constant = name == "resource" || name == "context" || name == "rootResource" || name == "ucum" ||
                            name == "sct" || name == "loinc" || name.starts_with("vs-") || name.starts_with("ext-");
      if (!constant && std::none_of(before_.begin(), before_.end(), [&](const auto& s) { return s.name == name; }))
        problem("expression", "%" + quotable(name) + " is neither %resource nor a score of the form above this one");
    }
    rule_.expression = std::make_shared<fhirpath::expression>(std::move(*compiled));
  }

  const score_entry& entry_;
  const questionnaire& form_;
  const std::vector<score_rule>& before_;
  file_problems& problems_;
  score_rule rule_;
};

} // namespace

std::optional<std::string> why_not_a_number(const form_item& item) {
  if (item.type == item_type::integer || item.type == item_type::decimal)
    return std::nullopt;
  if (item.type != item_type::choice)
    return "it is of type " + std::string{name(item.type)} + ", which has no number";
  if (!item.closed)
    return "its options are not listed in the form, so that they have no ordinal values";
  const auto without = std::find_if(item.options.begin(), item.options.end(),
                                    [](const auto& o) { return !o.ordinal && o.value.kind != value_kind::number; });
  if (without != item.options.end())
    return "its option \"" + quotable(without->value.text) + "\" has no ordinalValue";
  return std::nullopt;
}

score_rule compile_score(const score_entry& entry, const questionnaire& form, const std::vector<score_rule>& before,
                         file_problems& problems) {
  return score_builder{entry, form, before, problems}.build();
}

} // namespace epione::domain
