#include "domain/answer_value.hpp"

#include "domain/ucum.hpp"

namespace epione::domain {

namespace {

template <class T>
bool ordered(const T& a, comparison operation, const T& b) {
  switch (operation) {
    case comparison::equal: return a == b;
    case comparison::greater: return a > b;
    case comparison::less: return a < b;
    case comparison::greater_or_equal: return a >= b;
    case comparison::less_or_equal: return a <= b;
    default: return false;
  }
}

/// Of spans only what is certain holds: "2024" is not before "2024-05".
bool ordered(const time_span& a, comparison operation, const time_span& b) {
  switch (operation) {
    case comparison::equal: return a == b;
    case comparison::greater: return a.first > b.last;
    case comparison::less: return a.last < b.first;
    case comparison::greater_or_equal: return a.first >= b.first;
    case comparison::less_or_equal: return a.last <= b.last;
    default: return false;
  }
}

} // namespace

bool holds(const answer_value& answer, comparison operation, const rule_value& value) {
  if (operation == comparison::exists)
    return true;
  if (operation == comparison::not_equal)
    return !holds(answer, comparison::equal, value);
  if (answer.kind != value.kind)
    return false;
  switch (answer.kind) {
    case value_kind::none: return false;
    case value_kind::boolean: return operation == comparison::equal && answer.boolean == value.boolean;
    case value_kind::number:
      if (!answer.unit.empty() && !value.unit.empty() && answer.unit != value.unit) {
        const auto converted = convert_unit(answer.number, answer.unit, value.unit);
        return converted && ordered(*converted, operation, value.number);
      }
      return ordered(answer.number, operation, value.number);
    case value_kind::moment: return ordered(answer.moment, operation, value.moment);
    case value_kind::text:
      if (answer.is != text_kind::any && value.is != text_kind::any && answer.is != value.is)
        return false;
      if (!answer.system.empty() && !value.system.empty() && answer.system != value.system)
        return false;
      return ordered(answer.text, operation, std::string_view{value.text});
  }
  return false;
}

} // namespace epione::domain
