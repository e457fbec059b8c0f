// A response's JSON in memory as expressions see it, without another tree being built; numbers are exact as they were written.
//
// What a form calculates and nobody answered is laid over the response: expressions that come after see it in its place.
#pragma once

#include "domain/fhirpath_value.hpp"
#include "domain/json_document.hpp"

#include <string_view>
#include <unordered_map>
#include <vector>

namespace epione::domain::fhirpath {

/// Items and answers that are seen behind those that an object has itself.
class document_overlay {
public:
  /// `name` is "item" or "answer"; must be a literal.
  void add(const node& to, std::string_view name, const node& what) { added_[to.at].push_back({name, what}); }
  bool empty() const { return added_.empty(); }

private:
  friend class document_reader;
  struct addition {
    std::string_view name;
    node what;
  };
  std::unordered_map<const void*, std::vector<addition>> added_;
};

/// Both must outlive the reader and its nodes. Keep it where it is: nodes point to it.
class document_reader : public node_reader {
public:
  explicit document_reader(const json_document& document, const document_overlay* overlay = nullptr)
      : document_(document), overlay_(overlay) {}
  document_reader(const document_reader&) = delete;
  document_reader& operator=(const document_reader&) = delete;

  /// The resource itself.
  node root() const { return at(0, fhir_type::unknown); }
  /// A node of the document; of an `unknown` type it has the one that it looks like.
  node at(std::uint32_t index, fhir_type type) const;
  /// Where a node of this reader is in the document.
  std::uint32_t index_of(const node& n) const;

  void children(const node& of, std::string_view name, collection& to) const override;
  void all_children(const node& of, std::vector<std::pair<std::string_view, node>>& to) const override;
  std::optional<value> value_of(const node& of) const override;
  std::string_view type_name(const node& of) const override;

private:
  fhir_type type_by_looks(std::uint32_t index) const;
  std::uint32_t object_at(const void* p) const;
  std::uint32_t find(std::uint32_t object, bool shadow, std::string_view name) const;
  void append_member(std::uint32_t object, std::string_view name, fhir_type type, auto&& append) const;

  const json_document& document_;
  const document_overlay* overlay_;
};

} // namespace epione::domain::fhirpath
