#include "domain/form_plan.hpp"

#include "domain/fhirpath.hpp"
#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/questionnaire_compiler.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace epione::domain {

namespace {

using purpose = form_expression::purpose;
constexpr auto none = form_item::none;

bool is_constant(std::string_view name) {
  constexpr std::array<std::string_view, 6> names{"context", "resource", "rootResource", "ucum", "sct", "loinc"};
  return std::find(names.begin(), names.end(), name) != names.end() || name.starts_with("vs-") || name.starts_with("ext-");
}

bool is_reserved(std::string_view name) {
  return is_constant(name) || name == "questionnaire" || name == "qitem";
}

const char* what_is(purpose kind) {
  switch (kind) {
    case purpose::constraint: return "constraint";
    case purpose::enable_when: return "enableWhenExpression";
    case purpose::calculated: return "calculatedExpression";
    case purpose::initial: return "initialExpression";
    case purpose::variable: return "variable";
    case purpose::other: break;
  }
  return "expression";
}

/// Sorts indices so that each comes behind those it needs, otherwise as they are; those in a circle are left out.
std::vector<std::uint32_t> in_order(const std::vector<std::vector<std::uint32_t>>& needs, std::vector<std::uint32_t> all) {
  std::vector<std::uint32_t> waits_for(needs.size(), 0), sorted;
  std::vector<std::vector<std::uint32_t>> needed_by(needs.size());
  std::set<std::uint32_t> ready;
  for (const auto i : all) {
    waits_for[i] = static_cast<std::uint32_t>(needs[i].size());
    for (const auto n : needs[i])
      needed_by[n].push_back(i);
    if (needs[i].empty())
      ready.insert(i);
  }
  while (!ready.empty()) {
    const auto next = *ready.begin();
    ready.erase(ready.begin());
    sorted.push_back(next);
    for (const auto i : needed_by[next])
      if (--waits_for[i] == 0)
        ready.insert(i);
  }
  return sorted;
}

/// Those of `all` that are not among `sorted`.
std::vector<std::uint32_t> left_over(const std::vector<std::uint32_t>& all, std::vector<std::uint32_t> sorted) {
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::uint32_t> rest;
  std::set_difference(all.begin(), all.end(), sorted.begin(), sorted.end(), std::back_inserter(rest));
  return rest;
}

void sort_unique(std::vector<std::uint32_t>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

class planner {
public:
  planner(const fhir_object& root, const compile_context& context, questionnaire& form)
      : problems_(root.problems()), context_(context), form_(form), count_(static_cast<std::uint32_t>(form.expressions.size())) {
    plan_.uses.resize(count_);
  }

  void run(std::string_view text) {
    for (std::uint32_t i = 0; i < count_; ++i)
      parse(i);
    for (std::uint32_t i = 0; i < count_; ++i)
      if (expression(i).kind == purpose::variable)
        check_name(i);
    for (std::uint32_t i = 0; i < count_; ++i)
      if (expression(i).compiled)
        find_variables(i);
    order_variables();
    for (std::uint32_t i = 0; i < count_; ++i)
      take(i);
    order_calculations();
    if (needs_source_)
      keep_source(text);
    if (plan_.checks() || !plan_.initials.empty() || !plan_.unchecked.empty())
      form_.plan = std::make_shared<form_plan>(std::move(plan_));
  }

private:
  form_expression& expression(std::uint32_t i) { return form_.expressions[i]; }

  /// Adds what is wrong with an expression; it is not evaluated then.
  void refuse(std::uint32_t i, const std::string& message, issue_severity severity = issue_severity::error,
              issue_type code = issue_code::invalid) {
    auto& e = expression(i);
    problems_.add(severity, code, e.place, e.item == none ? std::string_view{} : form_.items[e.item].link_id,
                  std::string{what_is(e.kind)} + ": " + message);
    e.compiled = nullptr;
  }

  /// How bad it is that an expression cannot be evaluated: a rule that would silently be missing is refused.
  issue_severity if_unchecked(const form_expression& e) const {
    const bool rule = e.kind == purpose::constraint || e.kind == purpose::enable_when || e.kind == purpose::other;
    return rule && context_.options.for_submissions ? issue_severity::error : issue_severity::warning;
  }

  void parse(std::uint32_t i) {
    auto& e = expression(i);
    if (e.text.empty() || e.kind == purpose::other)
      return; // has a problem of its own
    if (e.language != "text/fhirpath") {
      if (!e.language.empty())
        refuse(i, "expressions in " + quotable(e.language) + " are not evaluated; write it in text/fhirpath", if_unchecked(e),
               issue_code::not_supported);
      return;
    }
    auto compiled = fhirpath::compile(e.text);
    if (!compiled)
      return refuse(i, compiled.error().text());
    e.compiled = std::make_shared<fhirpath::expression>(std::move(*compiled));
    for (const auto& where : e.located)
      if (form_.find(where) == none) {
        auto path = fhirpath::compile(where);
        if (!path)
          return refuse(i, "its location is neither a linkId nor an expression: " + path.error().text());
        e.locations.push_back(std::make_shared<fhirpath::expression>(std::move(*path)));
      }
  }

  void check_name(std::uint32_t i) {
    const auto& e = expression(i);
    if (is_reserved(e.name))
      refuse(i, "%" + quotable(e.name) + " has a meaning already; choose another name");
    else if (!variables_.try_emplace({e.item, e.name}, i).second)
      refuse(i, "%" + quotable(e.name) + " is there already at the same place");
  }

  /// The variable of this name that an expression sees: at its own item, or at the nearest around it.
  std::uint32_t find_variable(std::uint32_t of, const std::string& name) {
    for (auto at = expression(of).item;; at = form_.items[at].parent) {
      if (const auto found = variables_.find({at, name}); found != variables_.end() && found->second != of)
        return found->second;
      if (at == none)
        return none;
    }
  }

  void find_variables(std::uint32_t i) {
    for (const auto& name : expression(i).compiled->variables()) {
      if (is_constant(name))
        continue;
      auto use = name == "questionnaire" ? form_plan::the_questionnaire : form_plan::the_item;
      if (name == "questionnaire" || name == "qitem") {
        needs_source_ = true;
        if (name == "qitem" && expression(i).item == none)
          return refuse(i, "%qitem is the item of an expression, and this one belongs to the whole form");
      } else {
        use = find_variable(i, name);
        if (use == none)
          return refuse(i, "there is no variable %" + quotable(name) + " at its item or around it", if_unchecked(expression(i)),
                        issue_code::not_found);
      }
      plan_.uses[i].push_back({name, use});
    }
  }

  void order_variables() {
    std::vector<std::uint32_t> variables;
    std::vector<std::vector<std::uint32_t>> needs(count_);
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (expression(i).kind != purpose::variable)
        continue;
      variables.push_back(i);
      for (const auto& use : plan_.uses[i])
        if (use.expression < count_)
          needs[i].push_back(use.expression);
      sort_unique(needs[i]);
    }
    const auto sorted = in_order(needs, variables);
    for (const auto i : left_over(variables, sorted))
      refuse(i, "%" + quotable(expression(i).name) + " needs itself, directly or through other variables");
    std::vector<std::size_t> depth(count_, 1);
    for (const auto i : sorted) {
      for (const auto n : needs[i])
        depth[i] = std::max(depth[i], depth[n] + 1);
      if (depth[i] == limits::variable_depth_max + 1)
        refuse(i, "variables need each other more than " + std::to_string(limits::variable_depth_max) + " deep");
    }
    // What needs a variable that is not evaluated is not evaluated either.
    for (const auto i : sorted)
      drop_without_variables(i);
    looked_at_.resize(count_);
    for (const auto i : sorted)
      collect_link_ids(i);
  }

  void drop_without_variables(std::uint32_t i) {
    if (!expression(i).compiled)
      return;
    for (const auto& use : plan_.uses[i])
      if (use.expression < count_ && !expression(use.expression).compiled)
        return refuse(i, "the variable %" + quotable(use.name) + " is not evaluated, so that this cannot be either",
                      if_unchecked(expression(i)), issue_code::not_supported);
  }

  /// The form's items that an expression certainly looks at, also through its variables.
  void collect_link_ids(std::uint32_t i) {
    if (!expression(i).compiled)
      return;
    auto& all = looked_at_[i];
    for (const auto& id : expression(i).compiled->link_ids())
      if (const auto item = form_.find(id); item != none)
        all.push_back(item);
    for (const auto& use : plan_.uses[i])
      if (use.expression < count_)
        all.insert(all.end(), looked_at_[use.expression].begin(), looked_at_[use.expression].end());
    sort_unique(all);
  }

  void take(std::uint32_t i) {
    auto& e = expression(i);
    if (e.kind != purpose::variable)
      drop_without_variables(i);
    auto* item = e.item == none ? nullptr : &form_.items[e.item];
    if (e.kind == purpose::enable_when && item != nullptr)
      take_enable_when(i, *item);
    if (!e.compiled) {
      if (e.kind != purpose::variable)
        plan_.unchecked.push_back(i);
      return;
    }
    switch (e.kind) {
      case purpose::constraint: plan_.constraints.push_back(i); break;
      case purpose::initial:
        if (item == nullptr || !is_question(item->type))
          return refuse(i, "only questions have it");
        plan_.initials.push_back(i);
        break;
      case purpose::calculated: take_calculation(i, item); break;
      case purpose::enable_when:
        if (item == nullptr)
          refuse(i, "only items have it");
        break;
      default: break;
    }
  }

  void take_enable_when(std::uint32_t i, form_item& item) {
    if (!item.conditions.empty())
      refuse(i, "an item has either enableWhen or an enableWhenExpression");
    if (item.enable_expression)
      refuse(i, "an item has one of them at most");
    item.enable_expression = true;
    if (plan_.enable_when.empty())
      plan_.enable_when.assign(form_.items.size(), none);
    if (expression(i).compiled)
      plan_.enable_when[expression(i).item] = i;
  }

  void take_calculation(std::uint32_t i, form_item* item) {
    if (item == nullptr || !is_question(item->type) || item->type == item_type::attachment)
      return refuse(i, "only questions whose answers can be compared have it, no groups and no attachments");
    if (item->calculated)
      return refuse(i, "an item has one of them at most");
    item->calculated = true;
    collect_link_ids(i);
    plan_.calculations.push_back(i);
  }

  void order_calculations() {
    std::vector<std::uint32_t> calculated_by(form_.items.size(), none);
    for (const auto i : plan_.calculations)
      calculated_by[expression(i).item] = i;
    std::vector<std::vector<std::uint32_t>> needs(count_);
    for (const auto i : plan_.calculations)
      for (const auto item : looked_at_[i])
        if (calculated_by[item] != none)
          needs[i].push_back(calculated_by[item]);
    auto sorted = in_order(needs, plan_.calculations);
    for (const auto i : left_over(plan_.calculations, sorted))
      refuse(i, "it needs its own result, directly or through other calculated items");
    plan_.calculations = std::move(sorted);
  }

  void keep_source(std::string_view text) {
    auto source = json_document::parse(text, limits::json_depth_max);
    if (!source)
      return; // the form itself has been parsed before
    plan_.source = std::move(*source);
    // Every object of an array "item", front to back: the order in which the form has its items.
    std::vector<std::uint32_t> open{0};
    while (!open.empty()) {
      const auto object = open.back();
      open.pop_back();
      if (object != 0)
        plan_.source_nodes.push_back(object);
      const auto list = plan_.source.find(object, "item");
      if (list == 0 || plan_.source[list].kind != json_kind::array)
        continue;
      const auto first = open.size();
      for (auto n = list + 1; n < plan_.source[list].end; n = plan_.source[n].end)
        if (plan_.source[n].kind == json_kind::object)
          open.push_back(n);
      std::reverse(open.begin() + static_cast<std::ptrdiff_t>(first), open.end());
    }
    plan_.source_nodes.resize(form_.items.size(), 0);
  }

  file_problems& problems_;
  const compile_context& context_;
  questionnaire& form_;
  const std::uint32_t count_;
  form_plan plan_;
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> variables_; ///< by item and name
  std::vector<std::vector<std::uint32_t>> looked_at_;                        ///< by expression: items
  bool needs_source_ = false;
};

} // namespace

void plan_expressions(std::string_view text, const fhir_object& root, const compile_context& context, questionnaire& form) {
  planner{root, context, form}.run(text);
}

} // namespace epione::domain
