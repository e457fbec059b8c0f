// Functions that look at each item, and at what type it has (N1 sections 5.1, 5.2, 5.8, 6.3 and 7).
#include "domain/fhirpath_functions.hpp"

#include <array>

namespace epione::domain::fhirpath {

namespace {

using enum argument_scope;

/// The argument as a condition on the i-th item.
std::optional<bool> condition(const call& c, std::size_t i) {
  const auto result = c.on_item(0, i);
  return c.run.boolean(result, "the condition of " + c.name());
}

collection where(const call& c) {
  collection kept;
  for (std::size_t i = 0; i < c.input.size(); ++i)
    if (condition(c, i) == true)
      kept.push_back(c.input[i]);
  return kept;
}

collection select(const call& c) {
  collection all;
  for (std::size_t i = 0; i < c.input.size(); ++i)
    c.run.append(all, c.on_item(0, i));
  return all;
}

collection repeat(const call& c) {
  value_set seen{c.run};
  collection all;
  collection fresh{c.input.begin(), c.input.end()};
  for (collection next; !fresh.empty(); fresh = std::exchange(next, {})) {
    const call round{c.run, c.node, fresh, c.outer};
    for (std::size_t i = 0; i < fresh.size(); ++i)
      for (auto& item : round.on_item(0, i))
        if (seen.insert(item))
          next.push_back(std::move(item));
    c.run.append(all, collection{next});
  }
  return all;
}

collection all(const call& c) {
  for (std::size_t i = 0; i < c.input.size(); ++i)
    if (condition(c, i) != true)
      return one(false);
  return one(true);
}

collection exists(const call& c) {
  if (c.arguments() == 0)
    return one(!c.input.empty());
  for (std::size_t i = 0; i < c.input.size(); ++i)
    if (condition(c, i) == true)
      return one(true);
  return one(false);
}

collection iif(const call& c) {
  const scope on{c.input, c.outer.index, c.outer.total};
  const auto criterion = c.run.run(c.node.arguments[0], on);
  if (c.run.boolean(criterion, "the condition of iif()") == true)
    return c.run.run(c.node.arguments[1], on);
  return c.arguments() > 2 ? c.run.run(c.node.arguments[2], on) : collection{};
}

collection aggregate(const call& c) {
  auto total = c.arguments() > 1 ? c.argument(1) : collection{};
  for (std::size_t i = 0; i < c.input.size(); ++i)
    total = c.on_item(0, i, &total);
  return total;
}

collection of_type(const call& c) {
  collection kept;
  for (const auto& item : c.input)
    if (has_type(item, c.node.qualifier, c.node.type_name))
      kept.push_back(item);
  return kept;
}

collection as(const call& c) {
  if (c.input.size() > 1)
    c.run.fail("as() takes one item, here are " + std::to_string(c.input.size()) + "; ofType() takes many");
  return of_type(c);
}

collection is(const call& c) {
  if (c.input.size() > 1)
    c.run.fail("is() takes one item, here are " + std::to_string(c.input.size()));
  return c.input.empty() ? collection{} : one(has_type(c.input.front(), c.node.qualifier, c.node.type_name));
}

collection trace(const call& c) { // what it would write are answers; it writes nothing
  return {c.input.begin(), c.input.end()};
}

/// Digits that a decimal has behind its point, or that a date or time has without its signs.
collection precision_of(const call& c) {
  const auto v = c.run.single(c.input, "precision()");
  if (!v)
    return {};
  if (std::holds_alternative<std::int64_t>(*v))
    return one(std::int64_t{0});
  if (const auto* d = std::get_if<decimal>(&*v))
    return one(std::int64_t{d->places()});
  const auto* m = std::get_if<moment>(&*v);
  if (m == nullptr)
    c.run.fail("precision() takes a decimal, a date or a time, here is " + domain::fhirpath::type_of(*v));
  const auto parts = static_cast<int>(m->given); // years have four digits, the others two
  const int digits = m->kind == moment::kind_type::time ? 2 * (parts - static_cast<int>(precision::hour)) + 2 : 4 + 2 * parts;
  return one(std::int64_t{digits + m->fraction_digits});
}

constexpr std::string_view filters = "Filters and projections", types = "Types", more = "Utilities";
constexpr std::array filter_table{
    function{"where", 1, 1, each_item, where, filters},
    function{"select", 1, 1, each_item, select, filters},
    function{"repeat", 1, 1, each_item, repeat, filters},
    function{"all", 1, 1, each_item, all, filters},
    function{"exists", 0, 1, each_item, exists, filters},
    function{"ofType", 1, 1, type, of_type, types},
    function{"as", 1, 1, type, as, types},
    function{"is", 1, 1, type, is, types},
    function{"iif", 2, 3, outer, iif, more},
    function{"aggregate", 1, 2, accumulate, aggregate, more},
    function{"precision", 0, 0, outer, precision_of, more},
    function{"trace", 1, 2, each_item, trace, more},
};

} // namespace

std::span<const function> filter_functions() {
  return filter_table;
}

} // namespace epione::domain::fhirpath
