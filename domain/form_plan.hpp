// How the expressions of a form are evaluated: which variables each of them needs, and in which order values are calculated.
#pragma once

#include "domain/json_document.hpp"
#include "domain/questionnaire.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace epione::domain {

/// Indices of expressions are positions in questionnaire::expressions.
struct form_plan {
  static constexpr std::uint32_t none = form_item::none;
  static constexpr std::uint32_t the_questionnaire = none - 1, the_item = none - 2; ///< %questionnaire and %qitem

  struct variable_use {
    std::string name;
    std::uint32_t expression; ///< the variable's, or one of the constants above
  };
  std::vector<std::vector<variable_use>> uses; ///< by expression: the variables that it names itself
  std::vector<std::uint32_t> calculations;     ///< those that others look at before them
  std::vector<std::uint32_t> constraints, initials;
  std::vector<std::uint32_t> enable_when; ///< by item; none: not by an expression. Empty if there are none at all
  std::vector<std::uint32_t> unchecked;   ///< not evaluated, although they were asked for

  json_document source;                    ///< of %questionnaire and %qitem; empty when nothing names them
  std::vector<std::uint32_t> source_nodes; ///< by item

  /// The form has something to evaluate on a response.
  bool checks() const { return !calculations.empty() || !constraints.empty() || !enable_when.empty(); }
};

} // namespace epione::domain
