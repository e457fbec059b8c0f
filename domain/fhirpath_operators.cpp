// Equality, order and logic (N1 sections 6.1 to 6.5).
#include "domain/fhirpath_case.hpp"
#include "domain/fhirpath_evaluation.hpp"

#include <algorithm>
#include <functional>

namespace epione::domain::fhirpath {

namespace {

constexpr int tree_depth_max = 300; // of what is compared; JSON from outside is limited to less

std::optional<decimal> operand_number(const value& v) {
  if (const auto* i = std::get_if<std::int64_t>(&v))
    return decimal{*i};
  const auto* d = std::get_if<decimal>(&v);
  return d != nullptr ? std::optional{*d} : std::nullopt;
}

/// A number counts as a quantity with the unit '1'.
std::optional<quantity> operand_quantity(const value& v) {
  if (const auto* q = std::get_if<quantity>(&v))
    return *q;
  const auto n = operand_number(v);
  return n ? std::optional{quantity{*n}} : std::nullopt;
}

bool times_apart(const moment& a, const moment& b) {
  return (a.kind == moment::kind_type::time) != (b.kind == moment::kind_type::time);
}

/// Lower case, with single blanks.
std::string normalized(std::string_view text) {
  std::string out;
  bool blank = false;
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      blank = true;
      continue;
    }
    if (blank)
      out += ' ';
    blank = false;
    out += c;
  }
  return lower_case(blank ? out + ' ' : out);
}

using named = std::vector<std::pair<std::string_view, node>>;

named children_by_name(const node& n) {
  named all;
  n.reader->all_children(n, all);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return all;
}

std::size_t mix(std::size_t a, std::size_t b) {
  return a * 31 + b + 1;
}

} // namespace

std::optional<bool> evaluation::equal_nodes(const node& a, const node& b, int depth) {
  if (a == b)
    return true;
  if (depth > tree_depth_max)
    fail("items to compare lie in each other more than " + std::to_string(tree_depth_max) + " deep");
  const auto x = children_by_name(a), y = children_by_name(b);
  spend(x.size() + y.size());
  if (x.size() != y.size() || x.empty())
    return false;
  std::optional<bool> all = true;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto same = x[i].first == y[i].first ? equal(x[i].second, y[i].second, depth + 1) : false;
    if (same == false)
      return false;
    if (!same)
      all = std::nullopt;
  }
  return all;
}

std::optional<bool> evaluation::equal(const value& a, const value& b, int depth) {
  spend(1);
  const auto x = taken(a), y = taken(b);
  const auto *left = std::get_if<node>(&x), *right = std::get_if<node>(&y);
  if (left != nullptr || right != nullptr)
    return left != nullptr && right != nullptr ? equal_nodes(*left, *right, depth) : false;
  if (std::holds_alternative<quantity>(x) || std::holds_alternative<quantity>(y)) {
    const auto p = operand_quantity(x), q = operand_quantity(y);
    if (!p || !q)
      return false;
    const auto o = fhirpath::compare(*p, *q);
    return o ? std::optional{*o == 0} : std::nullopt;
  }
  if (const auto p = operand_number(x), q = operand_number(y); p && q)
    return *p == *q;
  if (const auto *p = std::get_if<moment>(&x), *q = std::get_if<moment>(&y); p != nullptr && q != nullptr) {
    if (times_apart(*p, *q))
      return false;
    const auto o = fhirpath::compare(*p, *q, world_.clock.zone_minutes);
    return o ? std::optional{*o == 0} : std::nullopt;
  }
  if (const auto *p = std::get_if<std::string>(&x), *q = std::get_if<std::string>(&y); p != nullptr && q != nullptr)
    return *p == *q;
  const auto *p = std::get_if<bool>(&x), *q = std::get_if<bool>(&y);
  return p != nullptr && q != nullptr && *p == *q;
}

std::optional<bool> evaluation::equal(std::span<const value> a, std::span<const value> b) {
  if (a.empty() || b.empty())
    return std::nullopt;
  if (a.size() != b.size())
    return false;
  std::optional<bool> all = true;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto same = equal(a[i], b[i]);
    if (same == false)
      return false;
    if (!same)
      all = std::nullopt;
  }
  return all;
}

bool evaluation::equivalent_nodes(const node& a, const node& b, int depth) {
  if (a == b)
    return true;
  if (depth > tree_depth_max)
    fail("items to compare lie in each other more than " + std::to_string(tree_depth_max) + " deep");
  const auto part = [&](const node& n, std::string_view name) {
    collection found;
    n.reader->children(n, name, found);
    return found;
  };
  if (a.type == fhir_type::coding && b.type == fhir_type::coding) { // FHIR R4, fhirpath.html: system and code decide
    const auto same = [&](std::string_view name) { return equivalent(part(a, name), part(b, name)); };
    return same("code") && same("system");
  }
  auto x = children_by_name(a), y = children_by_name(b);
  spend(x.size() + y.size());
  if (x.size() != y.size() || x.empty())
    return false;
  for (const auto& [name, child] : x) {
    const auto match = std::find_if(y.begin(), y.end(), [&, n = name, c = child](const auto& other) {
      return other.first == n && equivalent(value{c}, value{other.second}, depth + 1);
    });
    if (match == y.end())
      return false;
    y.erase(match);
  }
  return true;
}

bool evaluation::equivalent(const value& a, const value& b, int depth) {
  spend(1);
  const auto x = taken(a), y = taken(b);
  const auto *left = std::get_if<node>(&x), *right = std::get_if<node>(&y);
  if (left != nullptr || right != nullptr)
    return left != nullptr && right != nullptr && equivalent_nodes(*left, *right, depth);
  if (std::holds_alternative<quantity>(x) || std::holds_alternative<quantity>(y)) {
    const auto p = operand_quantity(x), q = operand_quantity(y);
    return p && q && fhirpath::equivalent(*p, *q);
  }
  if (const auto p = operand_number(x), q = operand_number(y);
      p && q) { // as exact as the less exact one, zeros at the end not counted
    const int places = std::min(p->shortest().places(), q->shortest().places());
    return p->round(places) == q->round(places);
  }
  if (const auto *p = std::get_if<std::string>(&x), *q = std::get_if<std::string>(&y); p != nullptr && q != nullptr) {
    spend_text(p->size() + q->size());
    return normalized(*p) == normalized(*q);
  }
  return equal(x, y).value_or(false);
}

bool evaluation::equivalent(std::span<const value> a, std::span<const value> b) {
  if (a.size() != b.size())
    return false;
  std::vector<bool> taken(b.size());
  for (const auto& item : a) {
    std::size_t i = 0;
    while (i < b.size() && (taken[i] || !equivalent(item, b[i])))
      ++i;
    if (i == b.size())
      return false;
    taken[i] = true;
  }
  return true;
}

std::optional<std::strong_ordering> evaluation::order(const value& a, const value& b) {
  const auto x = taken(a), y = taken(b);
  if (const auto p = operand_number(x), q = operand_number(y); p && q)
    return *p <=> *q;
  if (std::holds_alternative<quantity>(x) || std::holds_alternative<quantity>(y))
    if (const auto p = operand_quantity(x), q = operand_quantity(y); p && q)
      return fhirpath::compare(*p, *q);
  if (const auto *p = std::get_if<std::string>(&x), *q = std::get_if<std::string>(&y); p != nullptr && q != nullptr)
    return p->compare(*q) <=> 0; // bytes of UTF-8 have the order of their characters
  if (const auto *p = std::get_if<moment>(&x), *q = std::get_if<moment>(&y); p != nullptr && q != nullptr && !times_apart(*p, *q))
    return fhirpath::compare(*p, *q, world_.clock.zone_minutes);
  fail(type_of(x) + " and " + type_of(y) + " have no order");
}

std::size_t evaluation::hash(const value& v, int depth) {
  spend(1);
  const auto x = taken(v);
  if (const auto n = operand_number(x))
    return n->hash();
  if (const auto* q = std::get_if<quantity>(&x)) { // units of one kind may be equal, and those of numbers to numbers
    const auto plain_number = convert(*q, "1");
    return plain_number ? plain_number->value.hash() : 7;
  }
  if (const auto* s = std::get_if<std::string>(&x))
    return std::hash<std::string>{}(*s);
  if (const auto* b = std::get_if<bool>(&x))
    return *b ? 1 : 2;
  const auto* n = std::get_if<node>(&x);
  if (n == nullptr || depth > tree_depth_max)
    return 3; // equal dates are written in many ways
  std::size_t all = 5;
  for (const auto& [name, child] : children_by_name(*n))
    all = mix(mix(all, std::hash<std::string_view>{}(name)), hash(child, depth + 1));
  return all;
}

bool evaluation::contained(const value& item, std::span<const value> in) {
  return std::any_of(in.begin(), in.end(), [&](const value& v) { return equal(item, v) == true; });
}

collection evaluation::compare(operation o, std::span<const value> a, std::span<const value> b) {
  const auto x = single(a, name(o)), y = single(b, name(o));
  if (!x || !y)
    return {};
  const auto found = order(*x, *y);
  if (!found)
    return {};
  switch (o) {
    case operation::less: return one(*found < 0);
    case operation::less_or_equal: return one(*found <= 0);
    case operation::greater: return one(*found > 0);
    default: return one(*found >= 0);
  }
}

collection evaluation::logic(const ast_node& n, const scope& on) {
  const auto side = [&](int index) {
    const auto result = run(index, on);
    return boolean(result, name(n.op));
  };
  const auto left = side(n.left);
  // What the left side decides alone is not looked at further.
  if (n.op == operation::and_ && left == false)
    return one(false);
  if ((n.op == operation::or_ && left == true) || (n.op == operation::implies_ && left == false))
    return one(true);
  const auto right = side(n.arguments.front());
  switch (n.op) {
    case operation::and_: return right == false ? one(false) : left && right ? one(true) : collection{};
    case operation::or_: return right == true ? one(true) : left && right ? one(false) : collection{};
    case operation::xor_: return left && right ? one(*left != *right) : collection{};
    default: return right == true ? one(true) : left && right ? one(false) : collection{}; // implies
  }
}

collection evaluation::binary(const ast_node& n, const scope& on) {
  if (level(n.op) <= level(operation::and_))
    return logic(n, on);
  auto left = run(n.left, on), right = run(n.arguments.front(), on);
  const auto negated = [](std::optional<bool> b) { return one_or_none(b ? std::optional{!*b} : b); };
  switch (n.op) {
    case operation::equal: return one_or_none(equal(std::span<const value>{left}, std::span<const value>{right}));
    case operation::not_equal: return negated(equal(std::span<const value>{left}, std::span<const value>{right}));
    case operation::equivalent: return one(equivalent(std::span<const value>{left}, std::span<const value>{right}));
    case operation::not_equivalent: return one(!equivalent(std::span<const value>{left}, std::span<const value>{right}));
    case operation::in:
    case operation::contains: {
      const auto& items = n.op == operation::in ? right : left;
      const auto& item = n.op == operation::in ? left : right;
      if (item.size() > 1)
        fail(std::string{name(n.op)} + " looks for one item, here are " + std::to_string(item.size()));
      return item.empty() ? collection{} : one(contained(item.front(), items));
    }
    case operation::less:
    case operation::less_or_equal:
    case operation::greater:
    case operation::greater_or_equal: return compare(n.op, left, right);
    case operation::unite: {
      value_set seen{*this};
      collection all;
      for (auto* side : {&left, &right})
        for (auto& item : *side)
          if (seen.insert(item))
            all.push_back(std::move(item));
      return all;
    }
    default: return calculate(n.op, left, right);
  }
}

} // namespace epione::domain::fhirpath
