#include "domain/fhirpath_evaluation.hpp"

#include "domain/fhirpath_functions.hpp"
#include "domain/fhirpath_lexer.hpp"
#include "domain/json_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace epione::domain::fhirpath {

namespace {

constexpr std::size_t string_bytes_a_step = 8;    // kept: bounds the memory of all strings to some 16 MB
constexpr std::size_t compared_bytes_a_step = 64; // only looked at

} // namespace

evaluation::evaluation(const syntax_tree& tree, const environment& world)
    : tree_(tree), world_(world),
      steps_given_(world.steps_left == nullptr ? world.limits.steps_max : std::min(world.limits.steps_max, *world.steps_left)),
      steps_(steps_given_) {}

evaluation::~evaluation() {
  if (world_.steps_left != nullptr)
    *world_.steps_left -= steps_given_ - steps_;
}

void evaluation::fail(std::string message) const {
  throw failure{offset_, std::move(message)};
}

void evaluation::spend(std::uint64_t steps) {
  if (steps > steps_) {
    steps_ = 0;
    fail(steps_given_ == world_.limits.steps_max
             ? "the evaluation takes more than " + std::to_string(steps_given_) + " steps; look at fewer items"
             : "all expressions together take too many steps; look at fewer items");
  }
  steps_ -= steps;
}

value evaluation::taken(const value& v) {
  auto own = plain(v);
  if (const auto* text = std::get_if<std::string>(&own))
    spend(text->size() / compared_bytes_a_step);
  return own;
}

void evaluation::spend_text(std::size_t bytes) {
  if (bytes > world_.limits.string_bytes_max)
    fail("a string becomes longer than " + std::to_string(world_.limits.string_bytes_max) + " bytes");
  spend(1 + bytes / string_bytes_a_step);
}

void evaluation::check_size(std::size_t items) const {
  if (items > world_.limits.items_max)
    fail("a collection becomes larger than " + std::to_string(world_.limits.items_max) + " items");
}

void evaluation::append(collection& to, collection&& items) {
  check_size(to.size() + items.size());
  if (to.empty())
    to = std::move(items);
  else
    std::move(items.begin(), items.end(), std::back_inserter(to));
}

std::optional<value> evaluation::single(std::span<const value> items, std::string_view what) {
  if (items.size() > 1)
    fail(std::string{what} + " takes one item, here are " + std::to_string(items.size()));
  return items.empty() ? std::nullopt : std::optional{taken(items.front())};
}

std::optional<bool> evaluation::boolean(std::span<const value> items, std::string_view what) {
  const auto v = single(items, what);
  if (!v)
    return std::nullopt;
  const auto* b = std::get_if<bool>(&*v);
  return b == nullptr || *b; // a single item that is no Boolean counts as true
}

std::optional<std::string> evaluation::string(std::span<const value> items, std::string_view what) {
  auto v = single(items, what);
  if (!v)
    return std::nullopt;
  auto* s = std::get_if<std::string>(&*v);
  if (s == nullptr)
    fail(std::string{what} + " takes a String, here is " + type_of(*v));
  return std::move(*s);
}

std::optional<std::int64_t> evaluation::integer(std::span<const value> items, std::string_view what) {
  const auto v = single(items, what);
  if (!v)
    return std::nullopt;
  const auto* i = std::get_if<std::int64_t>(&*v);
  if (i == nullptr)
    fail(std::string{what} + " takes an Integer, here is " + type_of(*v));
  return *i;
}

collection evaluation::run(int index, const scope& on) {
  const auto& n = at(index);
  const auto outer = std::exchange(offset_, n.offset); // problems of what comes after this one are not its
  spend(1);
  auto result = run_node(n, on);
  check_size(result.size());
  spend(2 * result.size());
  for (const auto& v : result)
    if (const auto* text = std::get_if<std::string>(&v))
      spend(text->size() / string_bytes_a_step);
  offset_ = outer;
  return result;
}

collection evaluation::run_node(const ast_node& n, const scope& on) {
  switch (n.kind) {
    case ast_kind::literal: return one(value{n.literal});
    case ast_kind::empty: return {};
    case ast_kind::variable: return variable(n);
    case ast_kind::this_item: return {on.focus.begin(), on.focus.end()};
    case ast_kind::index: return one(on.index);
    case ast_kind::total: return on.total != nullptr ? *on.total : collection{};
    case ast_kind::member: return member(n, on);
    case ast_kind::indexer: return indexer(n, on);
    case ast_kind::negate:
    case ast_kind::plus: return sign(n, on);
    case ast_kind::binary: return binary(n, on);
    case ast_kind::type: return type(n, on);
    case ast_kind::call: break;
  }
  if (n.left == ast_node::none)
    return n.called->run({*this, n, on.focus, on});
  const auto input = run(n.left, on);
  return n.called->run({*this, n, input, on});
}

collection evaluation::member(const ast_node& n, const scope& on) {
  const auto input = n.left == ast_node::none ? collection{} : run(n.left, on);
  const auto items = n.left == ast_node::none ? on.focus : std::span{input};
  collection found;
  // At the front of a path the name of a type stands for the item itself: Patient.name.
  const bool type_name = n.left == ast_node::none && n.name.front() >= 'A' && n.name.front() <= 'Z';
  for (const auto& item : items) {
    const auto* from = std::get_if<node>(&item);
    if (from == nullptr)
      continue;
    spend(1);
    if (type_name && has_type(item, "FHIR", n.name))
      found.push_back(item);
    else
      from->reader->children(*from, n.name, found);
    check_size(found.size());
  }
  return found;
}

collection evaluation::variable(const ast_node& n) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> constants{
      {{"ucum", "http://unitsofmeasure.org"}, {"sct", "http://snomed.info/sct"}, {"loinc", "http://loinc.org"}}};
  const auto& all = world_.variables;
  const auto named = std::find_if(all.rbegin(), all.rend(), [&](const auto& v) { return v.first == n.name; });
  if (named != all.rend())
    return named->second;
  if (n.name == "context")
    return world_.context.empty() ? world_.resource : world_.context;
  if (n.name == "resource")
    return world_.resource;
  if (n.name == "rootResource")
    return world_.root_resource.value_or(world_.resource);
  for (const auto& [name, url] : constants)
    if (n.name == name)
      return one(std::string{url});
  if (n.name.starts_with("vs-"))
    return one("http://hl7.org/fhir/ValueSet/" + n.name.substr(3));
  if (n.name.starts_with("ext-"))
    return one("http://hl7.org/fhir/StructureDefinition/" + n.name.substr(4));
  fail("there is no variable %" + quotable(n.name, 40) + " here");
}

collection evaluation::indexer(const ast_node& n, const scope& on) {
  auto input = run(n.left, on);
  const auto at = run(n.arguments.front(), on);
  const auto i = integer(at, "an index");
  if (!i || *i < 0 || static_cast<std::size_t>(*i) >= input.size())
    return {};
  return one(std::move(input[static_cast<std::size_t>(*i)]));
}

collection evaluation::sign(const ast_node& n, const scope& on) {
  const auto operand = run(n.left, on);
  const bool minus = n.kind == ast_kind::negate;
  const auto v = single(operand, minus ? "-" : "+");
  if (!v)
    return {};
  if (const auto* i = std::get_if<std::int64_t>(&*v))
    return minus && *i == integer_min ? collection{} : one(minus ? -*i : *i);
  if (const auto* d = std::get_if<decimal>(&*v))
    return one(minus ? -*d : *d);
  if (const auto* q = std::get_if<quantity>(&*v))
    return one(minus ? quantity{-q->value, q->unit, q->calendar} : *q);
  fail(std::string{minus ? "-" : "+"} + " before a value takes a number or a Quantity, here is " + type_of(*v));
}

collection evaluation::type(const ast_node& n, const scope& on) {
  auto left = run(n.left, on);
  if (left.size() > 1)
    fail(std::string{name(n.op)} + " takes one item, here are " + std::to_string(left.size()));
  if (left.empty())
    return {};
  const bool is = has_type(left.front(), n.qualifier, n.type_name);
  if (n.op == operation::is)
    return one(is);
  return is ? std::move(left) : collection{};
}

bool value_set::found(const value& v, std::size_t hash) {
  const auto [begin, end] = values_.equal_range(hash);
  return std::any_of(begin, end, [&](const auto& known) { return run_.equal(known.second, v) == true; });
}

bool value_set::contains(const value& v) {
  return found(v, run_.hash(v));
}

bool value_set::insert(const value& v) {
  const auto hash = run_.hash(v);
  if (found(v, hash))
    return false;
  values_.emplace(hash, v);
  return true;
}

} // namespace epione::domain::fhirpath
