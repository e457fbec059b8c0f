// A form, compiled: what of a FHIR R4 Questionnaire is needed to check answers and to show it, as a flat list of items.
//
// Parents come before their children, so that one pass front to back knows of every item whether the one around it is enabled,
// and however deep items lie in each other nothing recurses.
#pragma once

#include "domain/date_text.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::domain {

enum class item_type : std::uint8_t {
  group,
  display,
  boolean,
  decimal,
  integer,
  date,
  date_time,
  time,
  string,
  text,
  url,
  choice,
  open_choice,
  reference,
  quantity,
};

/// As FHIR writes it: "open-choice".
std::string_view name(item_type type);
std::optional<item_type> parse_item_type(std::string_view text);
/// Whether items of this type are answered.
bool is_question(item_type type);

/// How values of different item types are compared.
enum class value_kind : std::uint8_t { none, boolean, number, moment, text };

/// How answers to items of this type are compared.
value_kind kind_of(item_type type);

/// A value that a rule compares answers with.
struct rule_value {
  value_kind kind = value_kind::none;
  bool boolean = false;
  double number = 0;
  time_span moment;
  std::string text; ///< of a choice its code; of a moment as it was written
  std::string unit; ///< of a quantity its code, or its unit if there is none; may be empty
};

/// A text and its translations by language.
struct text_with_translations {
  std::string text;
  std::vector<std::pair<std::string, std::string>> translations;
  bool empty() const { return text.empty() && translations.empty(); }
};

/// One of the answers a question offers.
struct answer_option {
  std::string stored; ///< canonical msgpack of the answer as it is stored: of a coding its code
  rule_value value;   ///< the same, for comparing
  text_with_translations display;
  std::optional<double> ordinal;
  bool by_ordinal = false; ///< its ordinal stands for it alone
};

enum class comparison : std::uint8_t { exists, equal, not_equal, greater, less, greater_or_equal, less_or_equal };

/// As FHIR writes it: ">=".
std::string_view name(comparison c);

/// One enableWhen.
struct condition {
  std::uint32_t question = 0; ///< index of the item it looks at
  comparison operation = comparison::exists;
  rule_value value; ///< of exists: boolean
};

struct form_item {
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::string link_id;
  item_type type = item_type::group;
  bool required = false;
  bool repeats = false;
  bool many = false; ///< it, or a group around it, repeats: its answers are a list
  std::uint32_t parent = none;

  bool any_condition = false; ///< enableBehavior "any"; otherwise all must hold
  std::vector<condition> conditions;

  bool closed = false; ///< only `options` are accepted (but see open_choice)
  std::vector<answer_option> options;
  std::vector<std::uint32_t> options_by_stored; ///< indices of options, sorted by `stored`

  std::optional<std::size_t> min_length, max_length; ///< characters
  std::optional<rule_value> min_value, max_value;
  std::size_t min_occurs = 0; ///< when it is answered at all
  std::size_t max_occurs = ~std::size_t{0};

  std::string prefix;
  text_with_translations text;
};

/// Compiled; indices of items are positions in `items`.
struct questionnaire {
  std::string url, version, language;
  text_with_translations title;
  std::vector<form_item> items;
  std::vector<std::uint32_t> by_link_id; ///< indices of all items, sorted by linkId bytewise, as canonical maps are

  /// form_item::none if there is none.
  std::uint32_t find(std::string_view link_id) const;
};

} // namespace epione::domain
