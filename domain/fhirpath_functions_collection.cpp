// Functions on collections as wholes (N1 sections 5.1, 5.3 and 5.4), and sums.
#include "domain/fhirpath_functions.hpp"

#include <algorithm>
#include <array>

namespace epione::domain::fhirpath {

namespace {

using enum argument_scope;

collection copy(std::span<const value> items) {
  return {items.begin(), items.end()};
}

collection empty(const call& c) {
  return one(c.input.empty());
}

collection negation(const call& c) {
  const auto b = c.run.boolean(c.input, "not()");
  return b ? one(!*b) : collection{};
}

collection count(const call& c) {
  return one(static_cast<std::int64_t>(c.input.size()));
}

/// allTrue() and its kin: whether there is an item of this Boolean.
bool any(const call& c, bool wanted) {
  bool found = false;
  for (const auto& item : c.input) {
    const auto v = plain(item);
    const auto* b = std::get_if<bool>(&v);
    if (b == nullptr)
      c.run.fail(c.name() + " takes Booleans, here is " + type_of(v));
    found = found || *b == wanted;
  }
  return found;
}

collection all_true(const call& c) {
  return one(!any(c, false));
}
collection any_true(const call& c) {
  return one(any(c, true));
}
collection all_false(const call& c) {
  return one(!any(c, true));
}
collection any_false(const call& c) {
  return one(any(c, false));
}

collection without_repeats(evaluation& run, std::span<const value> items) {
  value_set seen{run};
  collection kept;
  for (const auto& item : items)
    if (seen.insert(item))
      kept.push_back(item);
  return kept;
}

collection distinct(const call& c) {
  return without_repeats(c.run, c.input);
}

collection is_distinct(const call& c) {
  return one(without_repeats(c.run, c.input).size() == c.input.size());
}

collection first(const call& c) {
  return copy(c.input.first(std::min<std::size_t>(c.input.size(), 1)));
}

collection last(const call& c) {
  return copy(c.input.last(std::min<std::size_t>(c.input.size(), 1)));
}

collection tail(const call& c) {
  return copy(c.input.subspan(std::min<std::size_t>(c.input.size(), 1)));
}

/// The argument as a number of items, at most all.
std::optional<std::size_t> item_count(const call& c) {
  const auto n = c.integer(0);
  if (!n)
    return std::nullopt;
  return std::min(c.input.size(), static_cast<std::size_t>(std::max<std::int64_t>(*n, 0)));
}

collection skip(const call& c) {
  const auto n = item_count(c);
  return n ? copy(c.input.subspan(*n)) : collection{};
}

collection take(const call& c) {
  const auto n = item_count(c);
  return n ? copy(c.input.first(*n)) : collection{};
}

collection single(const call& c) {
  if (c.input.size() > 1)
    c.run.fail("single() takes one item, here are " + std::to_string(c.input.size()));
  return copy(c.input);
}

bool within(evaluation& run, std::span<const value> items, std::span<const value> all) {
  value_set known{run};
  for (const auto& item : all)
    known.insert(item);
  return std::all_of(items.begin(), items.end(), [&](const value& item) { return known.contains(item); });
}

collection subset_of(const call& c) {
  return one(within(c.run, c.input, c.argument(0)));
}

collection superset_of(const call& c) {
  return one(within(c.run, c.argument(0), c.input));
}

/// Items of the input that are, or are not, in the argument.
collection chosen(const call& c, bool there) {
  const auto others = c.argument(0);
  value_set known{c.run};
  for (const auto& item : others)
    known.insert(item);
  collection kept;
  for (const auto& item : c.input)
    if (known.contains(item) == there)
      kept.push_back(item);
  return kept;
}

collection intersect(const call& c) {
  const auto both = chosen(c, true);
  return without_repeats(c.run, both);
}

collection exclude(const call& c) {
  return chosen(c, false);
}

collection combine(const call& c) {
  auto both = copy(c.input);
  c.run.append(both, c.argument(0));
  return both;
}

collection unite(const call& c) {
  const auto both = combine(c);
  return without_repeats(c.run, both);
}

std::optional<value> total(const call& c) {
  if (c.input.empty())
    return std::nullopt;
  std::optional<value> sum = c.run.taken(c.input.front());
  if (std::holds_alternative<node>(*sum) || std::holds_alternative<bool>(*sum))
    c.run.fail(c.name() + " takes numbers, here is " + type_of(*sum));
  for (const auto& item : c.input.subspan(1)) {
    sum = c.run.sum(*sum, item);
    if (!sum)
      return std::nullopt;
  }
  return sum;
}

collection sum(const call& c) {
  return one_or_none(total(c));
}

collection avg(const call& c) {
  const auto sum = total(c);
  return sum ? one_or_none(c.run.quotient(*sum, value{static_cast<std::int64_t>(c.input.size())})) : collection{};
}

/// The least or the greatest; nothing when the order of two is left open.
collection extreme(const call& c, bool least) {
  if (c.input.empty())
    return {};
  auto found = c.run.taken(c.input.front());
  for (const auto& item : c.input) {
    const auto o = c.run.order(item, found);
    if (!o)
      return {};
    if (least ? *o < 0 : *o > 0)
      found = c.run.taken(item);
  }
  return one(std::move(found));
}

collection min(const call& c) {
  return extreme(c, true);
}
collection max(const call& c) {
  return extreme(c, false);
}

constexpr std::string_view existence = "Existence", parts = "Parts of a collection", sets = "Combining", sums = "Sums";
constexpr std::array collection_table{
    function{"empty", 0, 0, outer, empty, existence},
    function{"not", 0, 0, outer, negation, existence},
    function{"count", 0, 0, outer, count, existence},
    function{"allTrue", 0, 0, outer, all_true, existence},
    function{"anyTrue", 0, 0, outer, any_true, existence},
    function{"allFalse", 0, 0, outer, all_false, existence},
    function{"anyFalse", 0, 0, outer, any_false, existence},
    function{"distinct", 0, 0, outer, distinct, existence},
    function{"isDistinct", 0, 0, outer, is_distinct, existence},
    function{"subsetOf", 1, 1, outer, subset_of, existence},
    function{"supersetOf", 1, 1, outer, superset_of, existence},
    function{"first", 0, 0, outer, first, parts},
    function{"last", 0, 0, outer, last, parts},
    function{"tail", 0, 0, outer, tail, parts},
    function{"skip", 1, 1, outer, skip, parts},
    function{"take", 1, 1, outer, take, parts},
    function{"single", 0, 0, outer, single, parts},
    function{"intersect", 1, 1, outer, intersect, sets},
    function{"exclude", 1, 1, outer, exclude, sets},
    function{"union", 1, 1, outer, unite, sets},
    function{"combine", 1, 1, outer, combine, sets},
    function{"sum", 0, 0, outer, sum, sums},
    function{"min", 0, 0, outer, min, sums},
    function{"max", 0, 0, outer, max, sums},
    function{"avg", 0, 0, outer, avg, sums},
};

} // namespace

std::span<const function> collection_functions() {
  return collection_table;
}

} // namespace epione::domain::fhirpath
