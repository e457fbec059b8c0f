// What the form's expressions say about the answers of a submission in the short form.
#include "domain/calculated_value.hpp"
#include "domain/limits.hpp"
#include "domain/response_check.hpp"
#include "domain/response_from_answers.hpp"

#include <algorithm>
#include <map>

namespace epione::domain {

answers_check::evaluated_response::evaluated_response(const questionnaire& form, json_document document,
                                                      fhirpath::evaluation_clock clock)
    : response(std::move(document)), expressions(form, response, place_items(form, response), clock) {}

/// The answers are read and have no problems, so that all of them are stored.
form_evaluation* answers_check::as_response() {
  if (evaluated_)
    return &evaluated_->expressions;
  response_head head;
  head.authored.assign(authored_);
  auto document = json_document::parse(response_from_answers(form_, stored_, head), limits::json_depth_max);
  if (!document)
    return nullptr;
  evaluated_ = std::make_unique<evaluated_response>(form_, std::move(*document), evaluation_clock_of(authored_, now_us_));
  return &evaluated_->expressions;
}

void answers_check::evaluate_expressions() {
  if (as_response() == nullptr)
    return problems_.add("", "expression", "the answers are nested too deep for the form's expressions to be evaluated");
  evaluated_->expressions.calculate();
  if (!evaluated_->expressions.added().empty())
    add_calculated();
}

/// Reads the answers again, with those that were calculated and not sent among them: they have to keep the form's rules as well.
void answers_check::add_calculated() {
  std::map<std::string_view, std::string> answers; // sorted as canonical maps are
  std::map<std::uint32_t, std::vector<std::string>> calculated;
  for (const auto& a : evaluated_->expressions.added())
    if (!slots_[a.form].given)
      for (const auto& v : a.values)
        if (auto value = short_answer(form_.items[a.form], v))
          calculated[a.form].push_back(std::move(*value));
  for (const auto& [item, values] : calculated) {
    auto& answer = answers[form_.items[item].link_id];
    if (form_.items[item].many)
      append_array_header(answer, static_cast<std::uint32_t>(values.size()));
    for (const auto& v : values)
      answer += v;
  }
  msgpack_reader r{stored_};
  const auto map = r.next();
  for (std::uint32_t i = 0; i < map.count; ++i) {
    const auto name = r.next();
    std::string_view raw;
    r.skip(raw);
    answers[name.text].assign(raw);
  }
  append_map_header(completed_, static_cast<std::uint32_t>(answers.size()));
  for (const auto& [link_id, answer] : answers) {
    append_string(completed_, link_id);
    completed_ += answer;
  }
  slots_.assign(slots_.size(), {});
  values_.clear();
  stored_.clear();
  read_answers(completed_);
  for (const auto& [item, values] : calculated)
    slots_[item].calculated = true;
}

answers_check::asked answers_check::asked_by_expression(const form_item& item) const {
  if (!evaluated_)
    return asked::unknown;
  switch (evaluated_->expressions.asks_anywhere(static_cast<std::uint32_t>(&item - form_.items.data()))) {
    case form_evaluation::decision::yes: return asked::yes;
    case form_evaluation::decision::no: return asked::no;
    case form_evaluation::decision::unknown: break;
  }
  return asked::unknown;
}

/// What was calculated for items that are not asked after all is not stored.
void answers_check::remove_unasked() {
  const auto is_kept = [&](std::string_view link_id) {
    const auto& slot = slots_[form_.find(link_id)];
    return !slot.calculated || slot.given;
  };
  std::string kept;
  std::uint32_t count = 0;
  msgpack_reader r{stored_};
  const auto map = r.next();
  for (std::uint32_t i = 0; i < map.count; ++i) {
    const auto from = r.rest();
    const auto name = r.next();
    r.skip();
    if (!is_kept(name.text))
      continue;
    kept += from.substr(0, from.size() - r.rest().size());
    ++count;
  }
  stored_.clear();
  append_map_header(stored_, count);
  stored_ += kept;
}

void answers_check::judge_expressions() {
  if (!evaluated_)
    return;
  if (std::any_of(slots_.begin(), slots_.end(), [](const auto& s) { return s.calculated && !s.given; }))
    remove_unasked();
  const auto asked_for = [this](std::uint32_t, std::uint32_t form) { return slots_[form].is_asked == asked::yes; };
  problem_list warnings{warnings_};
  for (auto& f : evaluated_->expressions.check(asked_for)) {
    const auto link_id = f.form == form_item::none ? std::string_view{} : std::string_view{form_.items[f.form].link_id};
    (f.severity == issue_severity::error ? problems_ : warnings).add(link_id, f.rule, std::move(f.message));
  }
}

} // namespace epione::domain
