// The expressions of a form, evaluated on one response: what it calculates, which items it asks, and whether its constraints
// hold.
//
// A variable is evaluated for the repetition of the item that it stands at, once, and only if something needs it. What is
// calculated and was not answered is laid over the response where the form has it, so that what comes after sees it.
#pragma once

#include "domain/fhir_issue.hpp"
#include "domain/fhirpath.hpp"
#include "domain/fhirpath_document.hpp"
#include "domain/form_plan.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace epione::domain {

/// An item of the response that the form has there.
struct placed_item {
  std::uint32_t form;   ///< the form's item
  std::uint32_t node;   ///< where it is in the response
  std::uint32_t parent; ///< the placed item around it; form_item::none: the response
};

/// The items of a response that is known to be as the form has it.
std::vector<placed_item> place_items(const questionnaire& form, const json_document& response);

/// Something that an expression says against a response.
struct expression_finding {
  issue_severity severity = issue_severity::error;
  issue_type code = issue_code::invariant;
  const char* rule = "constraint"; ///< "constraint", "calculated", or "expression" when one cannot be evaluated
  std::uint32_t form = form_item::none;
  std::uint32_t node = 0; ///< in the response
  std::string message;    ///< never an answer
};

/// The time of an evaluation: when the response was authored, in the zone that it says, so that a later look at it gives the
/// same; otherwise `now_us` in UTC, or else 1970.
fhirpath::evaluation_clock evaluation_clock_of(std::string_view authored, std::optional<std::int64_t> now_us);

class form_evaluation : private fhirpath::ordinal_source {
public:
  /// `items` are in the response's order. Form and response must outlive this.
  form_evaluation(const questionnaire& form, const json_document& response, std::vector<placed_item> items,
                  fhirpath::evaluation_clock clock);
  form_evaluation(const form_evaluation&) = delete;
  form_evaluation& operator=(const form_evaluation&) = delete;

  /// Evaluates what is calculated; before anything else is asked.
  void calculate();

  enum class decision : std::uint8_t { yes, no, unknown };
  /// What the item's enableWhenExpression says. `own` is its place among the items, or form_item::none when it is not there;
  /// `parent` that of the item around it.
  decision asks(std::uint32_t form, std::uint32_t own, std::uint32_t parent);
  /// Whether it is asked in any of its repetitions.
  decision asks_anywhere(std::uint32_t form);

  /// A calculated answer that the response does not have.
  struct added_answer {
    std::uint32_t form;
    std::vector<fhirpath::value> values;
  };
  const std::vector<added_answer>& added() const { return added_; }

  /// Calculated answers that differ, constraints that do not hold, and expressions that could not be evaluated. Of items for
  /// which `asked` says no, nothing; it gets their place and the form's item.
  std::vector<expression_finding> check(const std::function<bool(std::uint32_t own, std::uint32_t form)>& asked);

  /// What an initialExpression gives, as if its item were there without an answer.
  tl::expected<fhirpath::collection, fhirpath::problem> initial(std::uint32_t expression);

  /// What a score's expression gives, with variables of its own; nothing when it cannot be evaluated.
  fhirpath::collection score(const fhirpath::expression& e, std::vector<std::pair<std::string, fhirpath::collection>> variables);

private:
  static constexpr auto none = form_item::none;
  using result = tl::expected<fhirpath::collection, fhirpath::problem>;

  /// What is there: an item of the response, or one that was laid over it.
  struct occurrence {
    std::uint32_t form, parent;
    fhirpath::node where;
  };
  /// JSON that was laid over the response, or stands for an item that is not there.
  struct fragment {
    fragment(json_document d, const fhirpath::document_overlay& overlay, std::uint32_t item)
        : document(std::move(d)), reader(document, &overlay), form(item) {}
    json_document document;
    fhirpath::document_reader reader;
    std::uint32_t form;
  };
  /// Where an expression is evaluated: at an item, or where it would be.
  struct place {
    std::uint32_t form;
    std::uint32_t own;     ///< none: not there
    std::uint32_t nearest; ///< the innermost occurrence around it; none: the response
  };
  /// A list of items that an item may stand in.
  struct container {
    std::uint32_t nearest; ///< as in place
    fhirpath::node object; ///< has the list, when nothing is missing
    std::uint32_t missing; ///< the outermost group around the item that is not there; none: all are
  };
  struct calculation {
    std::uint32_t expression, own;
    bool sent; ///< the response has an answer
    result values;
  };

  result evaluate(std::uint32_t expression, const place& at);
  result run(const fhirpath::expression& e, std::uint32_t expression, const place& at);
  const result& variable(std::uint32_t expression, const place& at);
  std::uint32_t occurrence_of(std::uint32_t form, const place& at) const;
  fhirpath::node node_of(std::uint32_t form, std::uint32_t own);
  fragment& add_fragment(const std::string& text, std::uint32_t form);
  place place_of(std::uint32_t own) const { return {items_[own].form, own, items_[own].parent}; }

  void calculate_at(std::uint32_t expression, std::uint32_t own);
  void calculate_absent(std::uint32_t expression);
  std::vector<container> containers_of(std::uint32_t form);
  std::vector<fhirpath::node> answers_of(std::uint32_t own) const;
  bool holds_item(std::uint32_t form, const fhirpath::node& object) const;
  tl::expected<std::string, fhirpath::problem> answers_json(std::uint32_t form, const fhirpath::collection& values) const;
  std::uint32_t add_item(std::uint32_t form, std::uint32_t parent, const fhirpath::node& object, const std::string& members);

  void compare(const calculation& c, std::vector<expression_finding>& findings);
  void check_constraint(std::uint32_t expression, const place& at, std::vector<expression_finding>& findings);
  void locate(std::uint32_t expression, const place& at, expression_finding& finding);
  std::uint32_t item_around(std::uint32_t node) const;
  std::uint32_t node_index(std::uint32_t own) const;

  std::optional<fhirpath::decimal> ordinal_of(const fhirpath::node& answer) const override;

  const questionnaire& form_;
  const form_plan& plan_;
  const json_document& response_;
  fhirpath::evaluation_clock clock_;
  std::uint64_t steps_left_;
  fhirpath::document_overlay overlay_;
  fhirpath::document_reader reader_, source_reader_;
  std::vector<occurrence> items_;
  std::uint32_t given_ = 0; ///< of them, that are the response's own
  std::vector<std::vector<std::uint32_t>> by_form_;
  std::deque<fragment> fragments_;
  std::unordered_map<std::uint32_t, fhirpath::node> stand_ins_; ///< by form item
  std::unordered_map<std::uint64_t, result> variables_;         ///< by expression and occurrence
  result scratch_{};
  std::vector<calculation> calculations_;
  std::vector<added_answer> added_;
  std::vector<expression_finding> troubles_; ///< of enableWhenExpressions
};

} // namespace epione::domain
