// Which subjects a study knows and where they belong, without a table of those that are given as ranges.
#pragma once

#include "domain/study_file.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace epione::domain {

class subject_directory {
public:
  subject_directory() = default;
  /// `groups` as read_study_file() gives them. A listed subject that lies in a range as well is a problem.
  subject_directory(const std::vector<subject_group>& groups, file_problems& problems);

  /// Index of the subject's site. Of a range only the number's own text belongs to it: "42", not "042" or "+42".
  std::optional<std::uint32_t> site_of(std::string_view subject) const;

private:
  struct range {
    std::uint64_t first, last;
    std::vector<std::uint32_t> sites; // in turn
  };
  struct prefixed_ranges {
    std::string prefix;
    std::vector<range> ranges; // sorted, none overlapping
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::optional<std::uint32_t> site_in_ranges(std::string_view subject) const;

  std::vector<prefixed_ranges> ranges_;
  std::unordered_map<std::string, std::uint32_t, text_hash, std::equal_to<>> listed_;
};

} // namespace epione::domain
