// Regular expressions by RE2: their time grows with the text, whatever the pattern.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::domain::fhirpath {

class pattern {
public:
  /// As FHIRPath N1 has them: case counts, and "." is any character. Groups are named (?<name>...) or (?P<name>...). The error
  /// says what is wrong with it; look-around and back-references are.
  static tl::expected<pattern, std::string> compile(std::string_view text);

  bool empty() const;
  /// Whether it is somewhere in the text.
  bool found_in(std::string_view text) const;
  /// Whether it is the whole text.
  bool is_whole(std::string_view text) const;
  /// Every match replaced; $1, ${1} and ${name} stand for what a group matched, $$ for a dollar. Nothing when the result would be
  /// longer than bytes_max. Of a group that does not exist the error says so.
  tl::expected<std::string, std::string> replace(std::string_view text, std::string_view substitution,
                                                 std::size_t bytes_max) const;
  /// What looking through so many bytes costs, in steps.
  std::uint64_t steps(std::size_t bytes) const;

private:
  struct compiled;
  explicit pattern(std::shared_ptr<const compiled> c) : compiled_(std::move(c)) {}
  std::shared_ptr<const compiled> compiled_;
};

} // namespace epione::domain::fhirpath
