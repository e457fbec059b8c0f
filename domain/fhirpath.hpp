// FHIRPath N1 (2.0.0), the language of rules and calculations in forms: compiled once, evaluated on any tree.
//
//   const auto total = compile("%resource.item.where(linkId.startsWith('q')).answer.value.ordinal().sum()");
//   environment world;
//   world.resource = {reader.root(response)};
//   const auto score = evaluate(*total, world);
//
// What is supported and where it differs from the specification: docs/fhirpath.md. Nothing here keeps state, does I/O or looks at
// a clock; an expression may be used by any number of threads at once.
#pragma once

#include "domain/fhirpath_limits.hpp"
#include "domain/fhirpath_value.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace epione::domain::fhirpath {

struct syntax_tree;

/// What is wrong with an expression, or kept it from being evaluated. Never says a value.
struct problem {
  std::size_t line = 1, column = 1; ///< from 1; columns are characters
  std::string message;
  /// "line 1, column 7: expected ..."
  std::string text() const;
};

/// A compiled expression.
class expression {
public:
  /// As it was given to compile().
  std::string_view text() const;
  /// The same expression, in one form of writing.
  std::string printed() const;
  /// The names behind "%", each once, in the order they appear.
  std::vector<std::string> variables() const;
  /// The linkIds that it certainly looks for: literals that are compared with something of `linkId`, each once.
  std::vector<std::string> link_ids() const;

private:
  friend tl::expected<expression, problem> compile(std::string_view text);
  friend tl::expected<collection, problem> evaluate(const expression& e, const struct environment& world);
  explicit expression(std::shared_ptr<const syntax_tree> tree) : tree_(std::move(tree)) {}

  std::shared_ptr<const syntax_tree> tree_;
};

/// At most expression_bytes_max of valid UTF-8. Everything that can be known without data is checked: names of functions and
/// types, numbers of arguments, literal patterns. What remains is found by evaluate().
tl::expected<expression, problem> compile(std::string_view text);

/// Knows what an answer counts, where the answer itself does not say so.
class ordinal_source {
public:
  virtual ~ordinal_source() = default;
  /// Of the value of an answer: usually a Coding. Nothing when its option has no weight.
  virtual std::optional<decimal> ordinal_of(const node& answer) const = 0;
};

/// What an expression can see. Everything in it must live as long as the evaluation, and the trees as long as the result.
struct environment {
  collection context;                                        ///< %context, and where paths begin; %resource unless set
  collection resource;                                       ///< %resource
  std::optional<collection> root_resource;                   ///< %rootResource; %resource unless set
  std::vector<std::pair<std::string, collection>> variables; ///< by name; a later one hides an earlier one
  const ordinal_source* ordinals = nullptr;                  ///< asked by ordinal() and weight()
  evaluation_clock clock;
  evaluation_limits limits;
  /// If set, steps that are left for this evaluation and all others that share it; what it uses is taken from there.
  std::uint64_t* steps_left = nullptr;
};

/// Everything the expression yields, in order; or why it has no value, as N1 asks for: several items where one is needed, types
/// that an operator does not take, an unknown variable, a limit.
tl::expected<collection, problem> evaluate(const expression& e, const environment& world);

/// A result as a condition (N1 section 5.5): nothing when it is empty, true for a single item that is no Boolean, a sentence for
/// several items.
tl::expected<std::optional<bool>, std::string> as_condition(const collection& result);

} // namespace epione::domain::fhirpath
