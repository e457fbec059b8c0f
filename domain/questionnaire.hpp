// A form, compiled: what of a FHIR R4 Questionnaire is needed to check answers and to show it, as a flat list of items.
//
// Parents come before their children, so that one pass front to back knows of every item whether the one around it is enabled,
// and however deep items lie in each other nothing recurses. An item and all that is in it are neighbours: [item, end).
#pragma once

#include "domain/date_text.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace re2 {
class RE2;
}

namespace epione::domain {

namespace fhirpath {
class expression;
}
struct form_plan; // form_plan.hpp

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
  attachment,
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

/// What a text is in answers to a choice: a code and a free text are never the same, also where they read so.
enum class text_kind : std::uint8_t { any, code, free };

/// A value that a rule compares answers with.
struct rule_value {
  value_kind kind = value_kind::none;
  bool boolean = false;
  double number = 0;
  time_span moment;
  std::string text;   ///< of a choice its code; of a moment as it was written
  std::string unit;   ///< of a quantity its code, or its unit if there is none; may be empty
  std::string system; ///< of a choice the code's system; may be empty
  text_kind is = text_kind::any;
};

/// A text and its translations by language.
struct text_with_translations {
  std::string text;
  std::vector<std::pair<std::string, std::string>> translations;
  bool empty() const { return text.empty() && translations.empty(); }
};

/// What value[x] an option is.
enum class option_type : std::uint8_t { coding, integer, date, time, string, reference };

/// One of the answers a question offers.
struct answer_option {
  std::string stored; ///< canonical msgpack of the answer as it is stored: of a coding its code
  rule_value value;   ///< the same, for comparing
  option_type type = option_type::coding;
  bool exclusive = false; ///< no other answer may stand beside it
  bool initial = false;   ///< chosen when the form is opened
  text_with_translations display;
  std::optional<double> ordinal;
  bool by_ordinal = false; ///< its ordinal stands for it alone
};

enum class comparison : std::uint8_t { exists, equal, not_equal, greater, less, greater_or_equal, less_or_equal };

/// As FHIR writes it: ">=".
std::string_view name(comparison c);

/// One enableWhen.
struct condition {
  std::uint32_t question = 0;              ///< index of the item it looks at
  std::uint32_t scope = ~std::uint32_t{0}; ///< the innermost item around both that item and its own; form_item::none: the form
  comparison operation = comparison::exists;
  rule_value value; ///< of exists: boolean
};

/// Whether a code is one of a value set's.
enum class membership : std::uint8_t { no, yes, unknown };

/// In small letters, of ASCII.
std::string small_letters(std::string_view text);
/// Apart from upper and lower case of ASCII.
bool same_but_for_case(std::string_view a, std::string_view b);

/// Codes of a value set, each with its system; shared by the items that name it.
struct code_set {
  std::string url;                                           ///< as the form names it
  bool found = false;                                        ///< the value set is there at all
  std::vector<std::pair<std::string, std::string>> codes;    ///< system and code, sorted
  std::vector<std::string> open_systems;                     ///< of these more codes may belong to it than are listed
  bool open = false;                                         ///< anything may belong to it
  std::vector<std::pair<std::string, std::string>> inactive; ///< of `codes` those that are out of use, sorted
  /// Of systems whose codes are the same in capitals and small letters: system and code in small letters, sorted, and which of
  /// `codes` it is.
  std::vector<std::pair<std::pair<std::string, std::string>, std::size_t>> without_case;

  membership look_up(std::string_view system, std::string_view code) const;
  /// The code as it is listed; null if it is not.
  const std::pair<std::string, std::string>* find(std::string_view system, std::string_view code) const;
  bool is_inactive(const std::pair<std::string, std::string>& listed) const;
  /// Everything that belongs to it is listed.
  bool complete() const { return found && !open && open_systems.empty(); }
};

/// A unit that a quantity may be given in.
struct unit_choice {
  std::string system, code, display;
};

/// Rules that few items have; kept apart, so that the others stay small.
struct item_rules {
  std::shared_ptr<const re2::RE2> regex;           ///< the whole answer must match
  std::optional<std::uint32_t> max_decimal_places; ///< digits behind the point
  std::optional<rule_value> min_quantity, max_quantity;
  std::vector<unit_choice> units; ///< if there are any, no other
  std::shared_ptr<const code_set> unit_set;
  std::optional<double> max_size;           ///< of an attachment, in MiB
  std::vector<std::string> mime_types;      ///< of an attachment, lower case; "image/*" is all images
  std::vector<std::string> reference_types; ///< resource types
  bool exclusive_options = false;           ///< one of its options is
  bool signature_required = false;
  std::string item_control; ///< its code: "slider", "drop-down"
  std::string unit;         ///< of a number, as it is shown
};

/// An expression of the form. What cannot be evaluated is kept as well, to be reported as that.
struct form_expression {
  enum class purpose : std::uint8_t { constraint, enable_when, calculated, initial, variable, other };
  purpose kind = purpose::other;
  std::uint32_t item = ~std::uint32_t{0}; ///< form_item::none: of the whole form
  std::string name;                       ///< of a variable its name, of a constraint its key, otherwise the extension's
  std::string language;                   ///< "text/fhirpath"
  std::string text;
  std::string human;                                    ///< of a constraint: what to tell who broke it
  std::vector<std::string> located;                     ///< of a constraint: where it is reported, each a linkId or an expression
  bool only_warning = false;                            ///< of a constraint
  std::string place;                                    ///< in the Questionnaire
  std::shared_ptr<const fhirpath::expression> compiled; ///< null: not evaluated
  std::vector<std::shared_ptr<const fhirpath::expression>> locations; ///< of `located` those that are expressions
};

enum class publication_status : std::uint8_t { draft, active, retired, unknown };

struct form_item {
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::string link_id;
  item_type type = item_type::group;
  bool required = false;
  bool repeats = false;
  bool many = false; ///< it, or a group around it, repeats: its answers are a list
  bool read_only = false;
  bool hidden = false;
  bool required_within = false;   ///< one of the items directly in it is required
  bool counted_within = false;    ///< one of the items directly in it has minOccurs
  bool enable_expression = false; ///< whether it is asked is an expression's to say
  bool calculated = false;        ///< its answer is an expression's to say
  std::uint32_t parent = none;
  std::uint32_t end = 0; ///< behind the last item in it

  bool any_condition = false; ///< enableBehavior "any"; otherwise all must hold
  std::vector<condition> conditions;

  bool closed = false; ///< only `options` are accepted (but see open_choice)
  std::vector<answer_option> options;
  std::vector<std::uint32_t> options_by_stored; ///< indices of options, sorted by `stored`
  std::shared_ptr<const code_set> value_set;    ///< of answerValueSet

  std::optional<std::size_t> min_length, max_length; ///< characters
  std::optional<rule_value> min_value, max_value;
  std::size_t min_occurs = 0; ///< when it is answered at all
  std::size_t max_occurs = ~std::size_t{0};
  std::shared_ptr<const item_rules> rules; ///< null if it has none

  std::vector<rule_value> initial;
  std::string prefix;
  text_with_translations text;
};

/// Compiled; indices of items are positions in `items`.
struct questionnaire {
  std::string id, url, version, language;
  publication_status status = publication_status::unknown;
  std::optional<time_span> valid_from, valid_until; ///< effectivePeriod
  std::optional<time_span> date;                    ///< when it was last changed; of a retired form, when it was retired
  bool signature_required = false;
  std::vector<std::string> subject_types; ///< types of resources that a response may be about; none: any
  text_with_translations title;
  std::vector<form_item> items;
  std::vector<form_expression> expressions;
  std::shared_ptr<const form_plan> plan; ///< how they are evaluated; null when none is, so that most forms pay nothing
  std::vector<std::uint32_t> by_link_id; ///< indices of all items, sorted by linkId bytewise, as canonical maps are

  /// form_item::none if there is none.
  std::uint32_t find(std::string_view link_id) const;
};

} // namespace epione::domain
