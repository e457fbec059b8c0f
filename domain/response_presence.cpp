// What is asked, given the other answers, and what is missing; when all answers are known.
#include "domain/limits.hpp"
#include "domain/response_validation.hpp"

#include <algorithm>

namespace epione::domain {

void response_validation::check_presence() {
  if (too_many_)
    return;
  index_items();
  for (std::uint32_t i = 0; i < items_.size(); ++i)
    check_item(i);
  std::fill(occurrences_.begin(), occurrences_.end(), occurrence{});
  for (std::uint32_t s = 0; s < scopes_.size() && !too_many_; ++s)
    check_scope(s);
}

/// Which of the response's items each of the form's items is, in the response's order; conditions look for them.
void response_validation::index_items() {
  first_of_form_.assign(form_->items.size() + 1, 0);
  for (const auto& i : items_)
    ++first_of_form_[i.form + 1];
  for (std::size_t f = 1; f < first_of_form_.size(); ++f)
    first_of_form_[f] += first_of_form_[f - 1];
  items_by_form_.resize(items_.size());
  auto next = first_of_form_;
  for (std::uint32_t i = 0; i < items_.size(); ++i)
    items_by_form_[next[items_[i].form]++] = i;
}

void response_validation::check_item(std::uint32_t index) {
  auto& i = items_[index];
  i.is_asked = decide(i.form, i.scope, index, index);
  const auto owner = scopes_[i.scope].owner;
  const bool first_disabled = i.is_asked == asked::no && (owner == none || items_[owner].is_asked != asked::no);
  if (first_disabled && has_answers(i))
    error(issue_code::business_rule, i.node, i.form,
          is_question(item(i.form).type)
              ? "the item is not asked, given the other answers, so that it must not have an answer"
              : "the group is not asked, given the other answers, so that nothing in it may be answered");
  if (is_question(item(i.form).type))
    check_answers(i);
  else if (item(i.form).type == item_type::group && item(i.form).required && !item(i.form).required_within &&
           i.is_asked == asked::yes && !has_answers(i))
    add(if_missing(), issue_code::required, i.node, i.form, "at least one item of this group must be answered");
}

void response_validation::check_answers(response_item& i) {
  const auto& rule = item(i.form);
  if (i.answers == 0) {
    if (rule.required && i.is_asked == asked::yes)
      add(if_missing(), issue_code::required, i.node, i.form, "the item must be answered");
    return;
  }
  if (i.answers > 1 && !rule.repeats)
    add(if_too_many(), issue_code::invalid, i.node, i.form, "the item takes one answer; in the form it does not repeat");
  else if (i.answers > rule.max_occurs)
    add(if_too_many(), issue_code::invalid, i.node, i.form,
        "the item takes " + std::to_string(rule.max_occurs) + " answers at most");
  if (i.answers < rule.min_occurs && i.is_asked == asked::yes)
    add(if_missing(), issue_code::required, i.node, i.form,
        "the item needs " + std::to_string(rule.min_occurs) + " answers or more");
  if (i.answers > 1 && i.usable && rule.rules && rule.rules->exclusive_options)
    check_exclusive(i);
}

/// Only when every answer was understood: value n is then that of answer n.
void response_validation::check_exclusive(const response_item& i) {
  auto answer = json_.find(i.node, "answer") + 1;
  for (std::uint32_t v = 0; v < i.value_count; ++v, answer = json_[answer].end) {
    const auto* option = values_[i.first_value + v].option;
    if (option != nullptr && option->exclusive)
      return error(issue_code::invariant, answer, i.form, "this option must be chosen alone, without other answers");
  }
}

/// What is missing from one list, and groups that are not there often enough.
void response_validation::check_scope(std::uint32_t index) {
  const auto& scope = scopes_[index];
  if (scope.owner != none && items_[scope.owner].is_asked != asked::yes)
    return;
  const auto parent = scope.form_parent;
  for (auto i = scope.first; i < scope.end; i = items_[i].end) {
    auto& seen = occurrences_[items_[i].form];
    if (seen.scope != index)
      seen = {index, 0};
    ++seen.count;
  }
  if (parent != none && !item(parent).required_within && !item(parent).counted_within)
    return;
  const auto end = parent == none ? static_cast<std::uint32_t>(form_->items.size()) : item(parent).end;
  for (auto form = parent == none ? 0 : parent + 1; form < end; form = item(form).end) {
    if (item(form).required || item(form).min_occurs > 0)
      check_child(scope, index, form);
    ++work_;
  }
  if (work_ <= limits::response_work_max)
    return;
  error(issue_code::too_costly, scope.node, parent, "there are more repetitions of large groups than can be checked");
  too_many_ = true; // gives up
}

void response_validation::check_child(const response_scope& scope, std::uint32_t scope_index, std::uint32_t form) {
  const auto& seen = occurrences_[form];
  const std::size_t count = seen.scope == scope_index ? seen.count : 0;
  const auto& rule = item(form);
  const bool too_few = count > 0 && rule.type == item_type::group && count < rule.min_occurs;
  const bool missing = count == 0 && rule.required;
  if (!too_few && !missing)
    return;
  const auto position = scope.owner == none ? static_cast<std::uint32_t>(items_.size()) : items_[scope.owner].end;
  if (decide(form, scope_index, position, none) != asked::yes)
    return;
  if (missing)
    add(if_missing(), issue_code::required, scope.node, form,
        rule.type == item_type::group ? "the group is missing; it is required" : "the item is missing; it must be answered");
  else
    add(if_missing(), issue_code::required, scope.node, form,
        "the group must be there " + std::to_string(rule.min_occurs) + " times or more");
}

bool response_validation::has_answers(const response_item& i) const {
  for (auto n = static_cast<std::uint32_t>(&i - items_.data()); n < i.end; ++n)
    if (items_[n].answers > 0)
      return true;
  return false;
}

response_validation::asked response_validation::decide(std::uint32_t form, std::uint32_t scope, std::uint32_t position,
                                                       std::uint32_t own) const {
  const auto owner = scopes_[scope].owner;
  if (owner != none && items_[owner].is_asked != asked::yes)
    return items_[owner].is_asked;
  const auto& rule = item(form);
  if (rule.enable_expression)
    return asked_by_expression(form, scope, own);
  if (rule.conditions.empty())
    return asked::yes;
  const auto decisive = rule.any_condition ? asked::yes : asked::no;
  bool unknown = false;
  for (const auto& c : rule.conditions) {
    const auto now = holds_now(c, scope, position);
    if (now == decisive)
      return decisive;
    unknown = unknown || now == asked::unknown;
  }
  if (unknown)
    return asked::unknown;
  return rule.any_condition ? asked::no : asked::yes;
}

response_validation::asked response_validation::holds_now(const condition& c, std::uint32_t scope, std::uint32_t position) const {
  const auto* question = nearest(c, scope, position);
  const bool answered = question != nullptr && question->answers > 0;
  if (answered && !question->usable)
    return asked::unknown; // a problem of its own already
  bool result = false;
  if (c.operation == comparison::exists) {
    result = answered == c.value.boolean;
  } else if (answered) {
    const auto begin = values_.begin() + question->first_value;
    const auto fits = [&](const answer_value& v) { return holds(v, c.operation, c.value); };
    result = c.operation == comparison::not_equal ? std::all_of(begin, begin + question->value_count, fits)
                                                  : std::any_of(begin, begin + question->value_count, fits);
  }
  return result ? asked::yes : asked::no;
}

/// The occurrence of the question that a condition means (FHIR R4, Questionnaire.item.enableWhen.question): in the innermost
/// repetition that holds both, the nearest before, or else the nearest after.
const response_validation::response_item* response_validation::nearest(const condition& c, std::uint32_t scope,
                                                                       std::uint32_t position) const {
  while (scopes_[scope].form_parent != c.scope)
    scope = items_[scopes_[scope].owner].scope;
  if (c.scope == c.question)
    return &items_[scopes_[scope].owner];
  const auto begin = items_by_form_.begin() + first_of_form_[c.question];
  const auto end = items_by_form_.begin() + first_of_form_[c.question + 1];
  const auto first = std::lower_bound(begin, end, scopes_[scope].first);
  const auto last = std::lower_bound(first, end, scopes_[scope].end);
  if (first == last)
    return nullptr;
  const auto after = std::lower_bound(first, last, position);
  return &items_[after == first ? *after : *(after - 1)];
}

} // namespace epione::domain
