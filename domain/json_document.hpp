// JSON in memory as one flat list of nodes: walked front to back, numbers kept as they were written.
//
// FHIR says that 1.50 is another decimal than 1.5, which a number in binary cannot tell; and a whole response is looked at once
// and then thrown away, so that a tree of maps would cost more than the check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::domain {

enum class json_kind : std::uint8_t { null, boolean, number, string, array, object };

struct json_node {
  json_kind kind = json_kind::null;
  bool boolean = false;
  std::uint32_t end = 0;   ///< behind the last node in it: the next one beside it
  std::uint32_t count = 0; ///< members or elements
  std::string_view name;   ///< as a member of an object
  std::string_view text;   ///< of a string its characters, of a number as it was written
};

struct json_error {
  std::size_t line = 0, column = 0; ///< 0: not at one place
  std::string message;
};

/// Owns what its nodes point to. Node 0 is the whole value; the members of node n begin at n + 1.
class json_document {
public:
  /// Fails for what is not JSON or not UTF-8, for a member that is there twice, and for brackets more than `depth_max` deep.
  static tl::expected<json_document, json_error> parse(std::string_view text, std::size_t depth_max);

  const json_node& operator[](std::uint32_t node) const { return nodes_[node]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size()); }
  /// A member of an object, or 0, which is no member of anything.
  std::uint32_t find(std::uint32_t object, std::string_view name) const {
    const auto end = nodes_[object].end;
    if (nodes_[object].kind != json_kind::object)
      return 0;
    for (auto n = object + 1; n < end; n = nodes_[n].end)
      if (nodes_[n].name == name)
        return n;
    return 0;
  }

private:
  friend class json_document_builder;
  std::vector<json_node> nodes_;
  std::vector<char> characters_; // never grows after parsing began: nodes point into it
};

} // namespace epione::domain
