// The columns of a study's export as a table: what every submission has, then for each form its scores and its items.
#pragma once

#include "domain/study.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::domain {

/// Columns in front of the forms': see docs/export.md.
inline constexpr std::size_t export_fixed_columns = 12;

/// Where the scores and answers of one form's submissions go. Places count from the form's own first column.
struct export_form {
  struct score_column {
    std::string name;
    std::size_t value = 0;
    std::size_t label = 0; ///< the same as `value` when no version of the form labels it
  };
  std::string id;
  std::size_t first = 0, count = 0; ///< columns of the table
  std::vector<score_column> scores;
  std::vector<std::pair<std::string, std::size_t>> items; ///< linkId and its place, sorted by linkId as answers are
};

/// A form's columns are those of all its versions that were ever imported: in the order of the newest, then what only older ones
/// have. So the table grows to the right within a form and no stored answer is without a place.
class export_columns {
public:
  /// `versions`: the study at each import, oldest first, at least one. `form`: only this one; empty: all.
  export_columns(const std::vector<std::shared_ptr<const study>>& versions, std::string_view form);

  /// Each name is there once: what would be a second one has "#2" behind it.
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<export_form>& forms() const { return forms_; }
  /// Null if there is none.
  const export_form* find(std::string_view form) const;

private:
  std::vector<std::string> names_;
  std::vector<export_form> forms_;
};

/// Ids of all forms that any of these versions has, in the order of the newest, then those that only older ones have.
std::vector<std::string> form_ids(const std::vector<std::shared_ptr<const study>>& versions);

} // namespace epione::domain
