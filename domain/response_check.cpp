#include "domain/response_check.hpp"

#include "domain/json_text.hpp"
#include "domain/limits.hpp"

#include <algorithm>

namespace epione::domain {

void problem_list::add(std::string_view link_id, const char* code, std::string message, std::vector<std::string> allowed) {
  if (problems_.size() < limits::problems_max)
    problems_.push_back({std::string{link_id}, code, std::move(message), std::move(allowed)});
  else if (problems_.size() == limits::problems_max)
    problems_.push_back({"", "too-many-problems", "there are more problems than are listed here", {}});
}

answers_check::answers_check(const questionnaire& form, std::vector<problem>& problems) : form_(form), problems_(problems) {
  slots_.resize(form.items.size());
}

void answers_check::run(std::string_view answers, std::string_view authored, std::optional<std::int64_t> now_us) {
  const auto before = problems_.count();
  authored_ = authored;
  now_us_ = now_us;
  read_answers(answers);
  const bool expressions = form_.plan != nullptr && form_.plan->checks();
  if (expressions && problems_.count() == before)
    evaluate_expressions();
  check_asked_and_required();
  report_required_groups();
  if (expressions && problems_.count() == before)
    judge_expressions();
}

void answers_check::read_answers(std::string_view answers) {
  msgpack_reader r{answers};
  const auto map = r.next();
  if (map.type != msgpack_type::map) {
    problems_.add("", "type", "answers must be an object: linkId to answer");
    return;
  }
  const auto expected = std::min<std::size_t>(map.count, form_.items.size());
  values_.reserve(expected);
  stored_.reserve(answers.size() + 8 * expected);
  append_map_header(stored_, map.count); // what is not stored is a problem, and then nothing is
  std::size_t position = 0;
  for (std::uint32_t i = 0; i < map.count; ++i) {
    const auto name = r.next();
    std::string_view raw;
    if (name.type != msgpack_type::string || !r.skip(raw))
      return problems_.add("", "content", "answers could not be read to their end");
    while (position < form_.by_link_id.size() && form_.items[form_.by_link_id[position]].link_id < name.text)
      ++position;
    if (position == form_.by_link_id.size() || form_.items[form_.by_link_id[position]].link_id != name.text) {
      problems_.add(quotable(name.text), "unknown-item", "the form has no item with this linkId");
      continue;
    }
    const auto index = form_.by_link_id[position];
    read_item(form_.items[index], slots_[index], raw);
  }
}

answers_check::range answers_check::values_of(std::uint32_t item) const {
  const auto& slot = slots_[item];
  return {values_.data() + slot.first, values_.data() + slot.first + slot.count};
}

// ---- what is asked --------------------------------------------------------------------------------------------------

void answers_check::check_asked_and_required() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto& item = form_.items[i];
    auto& slot = slots_[i];
    slot.is_asked = decide_asked(item);
    if (slot.calculated && slot.is_asked != asked::yes) {
      slot.given = false; // nobody sent it
      slot.count = 0;
    }
    slot.content = slot.given;
    if (slot.is_asked == asked::no && slot.given && is_question(item.type)) {
      refuse(item, "not-enabled", "the item is not asked, given the other answers; leave it out");
    } else if (slot.is_asked == asked::yes && !slot.given && item.required && is_question(item.type)) {
      refuse(item, "required", "the item must be answered");
      slot.content = true;
    }
  }
}

answers_check::asked answers_check::decide_asked(const form_item& item) const {
  if (item.parent != form_item::none) {
    const auto& parent = slots_[item.parent];
    if (parent.is_asked != asked::yes)
      return parent.is_asked;
    // In a FHIR response such an item lies within the answer, so that without one there is no place for it.
    if (is_question(form_.items[item.parent].type) && !parent.given)
      return asked::no;
  }
  if (item.enable_expression)
    return asked_by_expression(item);
  if (item.conditions.empty())
    return asked::yes;
  const auto decisive = item.any_condition ? asked::yes : asked::no;
  bool unknown = false;
  for (const auto& c : item.conditions) {
    const auto now = holds_now(c);
    if (now == decisive)
      return decisive;
    unknown = unknown || now == asked::unknown;
  }
  if (unknown)
    return asked::unknown;
  return item.any_condition ? asked::no : asked::yes;
}

/// Of a question with several answers one that fits is enough, but for != all must differ; without an answer only "does not
/// exist" holds (FHIR R4, value set questionnaire-enable-operator).
answers_check::asked answers_check::holds_now(const condition& c) const {
  const auto& slot = slots_[c.question];
  if (slot.given && !slot.usable)
    return asked::unknown; // a problem of its own already
  bool result = false;
  if (c.operation == comparison::exists) {
    result = slot.given == c.value.boolean;
  } else if (slot.given) {
    const auto values = values_of(c.question);
    const auto fits = [&](const answer_value& v) { return holds(v, c.operation, c.value); };
    result = c.operation == comparison::not_equal ? std::all_of(values.begin(), values.end(), fits)
                                                  : std::any_of(values.begin(), values.end(), fits);
  }
  return result ? asked::yes : asked::no;
}

void answers_check::report_required_groups() {
  for (auto i = slots_.size(); i-- > 0;) { // children first
    const auto& item = form_.items[i];
    auto& slot = slots_[i];
    if (item.type == item_type::group && item.required && slot.is_asked == asked::yes && !slot.content) {
      refuse(item, "required", "at least one item of this group must be answered");
      slot.content = true;
    }
    if (slot.content && item.parent != form_item::none)
      slots_[item.parent].content = true;
  }
}

} // namespace epione::domain
