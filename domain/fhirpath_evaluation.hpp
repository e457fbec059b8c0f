// One evaluation at work: what the evaluator, the operators and the functions share.
#pragma once

#include "domain/fhirpath.hpp"
#include "domain/fhirpath_ast.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace epione::domain::fhirpath {

/// What an expression is evaluated on.
struct scope {
  std::span<const value> focus; ///< $this, and where paths begin
  std::int64_t index = 0;
  const collection* total = nullptr;
};

class evaluation {
public:
  evaluation(const syntax_tree& tree, const environment& world);
  /// Takes what was used from the steps that evaluations share.
  ~evaluation();
  evaluation(const evaluation&) = delete;
  evaluation& operator=(const evaluation&) = delete;

  collection run(int index, const scope& on);

  const environment& world() const { return world_; }
  const ast_node& at(int index) const { return tree_.nodes[static_cast<std::size_t>(index)]; }
  /// Throws a failure at the node that is at work.
  [[noreturn]] void fail(std::string message) const;
  void spend(std::uint64_t steps);
  /// plain(), paid for by the length of a string.
  value taken(const value& v);
  /// Of a new string; checks its length too.
  void spend_text(std::size_t bytes);
  /// Of a new collection.
  void check_size(std::size_t items) const;
  void append(collection& to, collection&& items);

  // Singleton evaluation (N1 section 5.5): nothing of an empty collection, a failure for several items or another type. `what`
  // begins the sentence: "startsWith()".
  std::optional<value> single(std::span<const value> items, std::string_view what);
  std::optional<bool> boolean(std::span<const value> items, std::string_view what);
  std::optional<std::string> string(std::span<const value> items, std::string_view what);
  std::optional<std::int64_t> integer(std::span<const value> items, std::string_view what);

  // Operators, in fhirpath_operators.cpp.
  std::optional<bool> equal(const value& a, const value& b, int depth = 0);
  std::optional<bool> equal(std::span<const value> a, std::span<const value> b);
  bool equivalent(const value& a, const value& b, int depth = 0);
  bool equivalent(std::span<const value> a, std::span<const value> b);
  /// Nothing where dates or units leave it open; a failure for types that have no order.
  std::optional<std::strong_ordering> order(const value& a, const value& b);
  /// Equal values have equal ones.
  std::size_t hash(const value& v, int depth = 0);
  /// + - * / div mod & of single items.
  collection calculate(operation o, std::span<const value> a, std::span<const value> b);
  std::optional<value> sum(const value& a, const value& b);
  std::optional<value> quotient(const value& a, const value& b);

private:
  collection run_node(const ast_node& n, const scope& on);
  collection member(const ast_node& n, const scope& on);
  collection variable(const ast_node& n);
  collection indexer(const ast_node& n, const scope& on);
  collection sign(const ast_node& n, const scope& on);
  collection binary(const ast_node& n, const scope& on);
  collection logic(const ast_node& n, const scope& on);
  collection compare(operation o, std::span<const value> a, std::span<const value> b);
  collection type(const ast_node& n, const scope& on);
  bool contained(const value& item, std::span<const value> in);
  std::optional<bool> equal_nodes(const node& a, const node& b, int depth);
  bool equivalent_nodes(const node& a, const node& b, int depth);

  const syntax_tree& tree_;
  const environment& world_;
  const std::uint64_t steps_given_;
  std::uint64_t steps_;
  std::size_t offset_ = 0; // of the node at work
};

/// A function at work.
struct call {
  evaluation& run;
  const ast_node& node;
  std::span<const value> input;
  const scope& outer;

  std::size_t arguments() const { return node.arguments.size(); }
  /// Evaluated on what is around the path.
  collection argument(std::size_t i) const { return run.run(node.arguments[i], outer); }
  /// Evaluated on the i-th item of the input.
  collection on_item(std::size_t argument, std::size_t i, const collection* total = nullptr) const {
    return run.run(node.arguments[argument], {input.subspan(i, 1), static_cast<std::int64_t>(i), total ? total : outer.total});
  }
  std::string name() const { return node.name + "()"; }
  // Singleton evaluation of the input and of arguments.
  std::optional<std::string> text() const { return run.string(input, name()); }
  std::optional<std::string> text(std::size_t i) const { return run.string(argument(i), name()); }
  std::optional<std::int64_t> integer(std::size_t i) const { return run.integer(argument(i), name()); }
};

/// Values of which no two are equal (N1 section 5.3.2: what `=` leaves open counts as different).
class value_set {
public:
  explicit value_set(evaluation& run) : run_(run) {}
  bool contains(const value& v);
  /// False when it was there.
  bool insert(const value& v);

private:
  bool found(const value& v, std::size_t hash);

  evaluation& run_;
  std::unordered_multimap<std::size_t, value> values_; ///< by hash
};

template <class T>
collection one(T v) {
  collection c;
  c.emplace_back(std::move(v));
  return c;
}
template <class T>
collection one_or_none(std::optional<T> v) {
  return v ? one(std::move(*v)) : collection{};
}

} // namespace epione::domain::fhirpath
