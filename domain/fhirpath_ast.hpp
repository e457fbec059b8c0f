// An expression as a tree, and back as text.
#pragma once

#include "domain/fhirpath_pattern.hpp"
#include "domain/fhirpath_value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace epione::domain::fhirpath {

struct function; // fhirpath_functions.hpp

enum class operation : std::uint8_t {
  implies_,
  or_,
  xor_,
  and_,
  in,
  contains,
  equal,
  equivalent,
  not_equal,
  not_equivalent,
  less_or_equal,
  less,
  greater,
  greater_or_equal,
  unite,
  is,
  as,
  add,
  subtract,
  concatenate,
  multiply,
  divide,
  whole_divide,
  remainder,
};
/// As it is written: "!~".
std::string_view name(operation o);
/// How tightly it binds (N1 section 8.1): implies 1, ..., multiplication 10.
int level(operation o);
inline constexpr int unary_level = 11;
inline constexpr int postfix_level = 12;

enum class ast_kind : std::uint8_t {
  literal,
  empty,
  variable,
  this_item,
  index,
  total,
  member,
  call,
  indexer,
  negate,
  plus,
  binary,
  type
};

struct ast_node {
  static constexpr int none = -1;

  ast_kind kind = ast_kind::empty;
  operation op = operation::is;     ///< of binary and type
  std::size_t offset = 0;           ///< bytes, of what a problem with it points at
  int depth = 1;                    ///< of the tree below it
  int left = none;                  ///< what it is applied to; of a member or call none at the front of a path
  std::vector<int> arguments;       ///< of a call, of an indexer and of the right side of an operator
  std::string name;                 ///< of a variable, a member, a call
  std::string qualifier, type_name; ///< of a type, and of a call with one: System or FHIR or nothing, and its name
  value literal;
  const function* called = nullptr;
  std::optional<fhirpath::pattern> pattern; ///< of a call with a literal regular expression
};

/// All nodes of one expression; children come before their parents.
struct syntax_tree {
  std::string text;
  std::vector<ast_node> nodes;
  int root = ast_node::none;
};

/// Text that parses to the same tree; with no more brackets than it needs.
std::string print(const syntax_tree& tree);
/// Whether they mean the same; where they stand in their texts does not matter.
bool same(const syntax_tree& a, const syntax_tree& b);

} // namespace epione::domain::fhirpath
