// What the form's expressions say about a response. They are evaluated only when everything in it could be read, and judged only
// when nothing else is wrong: a total does not fit because an answer is missing, and that is told at the answer.
#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/response_validation.hpp"

#include <algorithm>

namespace epione::domain {

bool response_validation::has_errors() const {
  return too_many_ ||
         std::any_of(issues_.begin(), issues_.end(), [](const auto& i) { return i.issue.severity == issue_severity::error; });
}

void response_validation::prepare_expressions() {
  if (!form_->plan->checks() || has_errors())
    return;
  std::vector<placed_item> items;
  items.reserve(items_.size());
  for (const auto& i : items_)
    items.push_back({i.form, i.node, scopes_[i.scope].owner});
  const auto clock = evaluation_clock_of(text_at(0, "authored"), context_.now_us);
  expressions_ = std::make_unique<form_evaluation>(*form_, json_, std::move(items), clock);
  expressions_->calculate();
}

response_validation::asked response_validation::asked_by_expression(std::uint32_t form, std::uint32_t scope,
                                                                    std::uint32_t own) const {
  if (!expressions_)
    return asked::unknown;
  switch (expressions_->asks(form, own, scopes_[scope].owner)) {
    case form_evaluation::decision::yes: return asked::yes;
    case form_evaluation::decision::no: return asked::no;
    case form_evaluation::decision::unknown: break;
  }
  return asked::unknown;
}

void response_validation::check_expressions() {
  if (expressions_ && !has_errors())
    for (auto& f : expressions_->check([this](auto own, auto) { return items_[own].is_asked == asked::yes; }))
      add(f.severity, f.code, f.node, f.form, std::move(f.message));
  for (const auto i : form_->plan->unchecked) {
    const auto& e = form_->expressions[i];
    if (issues_.size() >= limits::problems_max)
      return;
    issues_.push_back({0,
                       {issue_severity::information, issue_code::not_supported, "Questionnaire." + e.place,
                        e.item == none ? std::string{} : quotable(item(e.item).link_id),
                        "the expression " + quotable(e.name) + " is not evaluated, so that it was not checked"}});
  }
}

} // namespace epione::domain
