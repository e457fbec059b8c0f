// What expressions work on: values, nodes of a tree that is not copied, and collections of both.
#pragma once

#include "domain/fhirpath_model.hpp"
#include "domain/fhirpath_quantity.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace epione::domain::fhirpath {

class node_reader;

/// A place in a tree. What `at` and `more` point to only its reader knows; the reader and the tree outlive the node.
struct node {
  const node_reader* reader = nullptr;
  const void* at = nullptr;
  const void* more = nullptr;
  fhir_type type = fhir_type::unknown;
  friend bool operator==(const node&, const node&) = default; ///< the same place, not an equal one
};

/// Boolean, Integer (32 bits), Decimal, String (UTF-8), Date, DateTime or Time, Quantity, or a node.
using value = std::variant<bool, std::int64_t, decimal, std::string, moment, quantity, node>;
using collection = std::vector<value>;

/// A tree as expressions see it: FHIR's elements, not the members of its JSON. A choice is found as "value", never as
/// "valueCoding"; lists are flat.
class node_reader {
public:
  virtual ~node_reader() = default;
  /// Appends what the element `name` of a node holds; nothing when there is none.
  virtual void children(const node& of, std::string_view name, collection& to) const = 0;
  /// All of them with their names.
  virtual void all_children(const node& of, std::vector<std::pair<std::string_view, node>>& to) const = 0;
  /// The value of a primitive, never a node; nothing of what is none, and of one that has only extensions.
  virtual std::optional<value> value_of(const node& of) const = 0;
  /// Its FHIR type: that of the node, except that a resource that has no fhir_type of its own says its name here.
  virtual std::string_view type_name(const node& of) const { return name(of.type); }
};

inline constexpr std::int64_t integer_max = 2'147'483'647;
inline constexpr std::int64_t integer_min = -integer_max - 1;

/// A primitive node's value, a FHIR Quantity as a Quantity; anything else is itself.
value plain(const value& v);
/// "Integer", "FHIR.Coding": for sentences. Never the value.
std::string type_of(const value& v);
/// Whether it has this type or one based on it. `qualifier` is "System", "FHIR" or empty.
bool has_type(const value& v, std::string_view qualifier, std::string_view type);
/// The one text of a value: what toString() gives. Nothing of what has none.
std::optional<std::string> text_of(const value& v);
/// Characters of valid UTF-8.
std::size_t characters(std::string_view text);

} // namespace epione::domain::fhirpath
