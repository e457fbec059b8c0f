// The Bundle that a search is answered with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::actors {

class searchset {
public:
  /// `address` is that of the type: "http://localhost:8080/fhir/Questionnaire".
  explicit searchset(std::string address) : address_(std::move(address)) {}

  void add_link(std::string_view relation, const std::string& query);
  /// `resource` is JSON.
  void add_match(std::string_view id, std::string_view resource);
  /// Parameters that were left out of account, as a warning beside what was found; none: nothing. The link "self" does not have
  /// them, which is how FHIR says it (R4, search, "self link"), but not every client looks there.
  void add_ignored(const std::vector<std::string>& names);

  std::uint32_t matches() const { return matches_; }
  std::string text(std::optional<std::uint64_t> total) const;

private:
  std::string address_, links_, entries_;
  std::uint32_t matches_ = 0;
};

} // namespace epione::actors
