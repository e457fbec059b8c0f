// Whether a patient's answers fit a form: which are there, of the right type, within the limits, of the options, and asked at
// all.
//
// On the way of every submission. Canonical maps are sorted by name and so is the form's index of linkIds, so both are walked
// side by side without a look-up; an answer is read once and stays where it lies in the submission's bytes.
#pragma once

#include "domain/answer_rules.hpp"
#include "domain/answer_value.hpp"
#include "domain/form_evaluation.hpp"
#include "domain/msgpack.hpp"
#include "domain/questionnaire.hpp"
#include "domain/study.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::domain {

/// Collects problems of one submission, up to limits::problems_max.
class problem_list {
public:
  explicit problem_list(std::vector<problem>& problems) : problems_(problems) {}
  void add(std::string_view link_id, const char* code, std::string message, std::vector<std::string> allowed = {});
  std::size_t count() const { return problems_.size(); }

private:
  std::vector<problem>& problems_;
};

/// The answers of one submission, read and checked.
class answers_check {
public:
  answers_check(const questionnaire& form, std::vector<problem>& problems);

  /// Reads and checks the whole map `answers`; what is wrong is added to the problems. The form's expressions are evaluated as of
  /// `authored`, which must outlive this, or else of `now_us`; what they calculate and was not sent is added to the answers.
  void run(std::string_view answers, std::string_view authored = {}, std::optional<std::int64_t> now_us = std::nullopt);
  /// Values given to an item; for use when there are no problems.
  struct range {
    const answer_value* first;
    const answer_value* last;
    const answer_value* begin() const { return first; }
    const answer_value* end() const { return last; }
    bool empty() const { return first == last; }
  };
  range values_of(std::uint32_t item) const;
  /// Canonical msgpack map linkId -> value; choices by their code. Complete only when there are no problems.
  std::string take_stored() { return std::move(stored_); }
  /// The answers as a response, for scores by expression; only when there are no problems. Null if they cannot be one.
  form_evaluation* as_response();
  /// Constraints that do not hold and only warn.
  std::vector<problem> take_warnings() { return std::move(warnings_); }

private:
  enum class asked : std::uint8_t { yes, no, unknown };
  struct answer_slot {
    std::uint32_t first = 0, count = 0; // in values_
    bool given = false;
    bool usable = false; // all of its values were understood
    asked is_asked = asked::yes;
    bool content = false;    // it, or something in it, is answered or already a problem
    bool calculated = false; // the form's expression gave the answer
  };
  /// The answers as a response, and what the form's expressions say of it.
  struct evaluated_response {
    evaluated_response(const questionnaire& form, json_document document, fhirpath::evaluation_clock clock);
    json_document response;
    form_evaluation expressions;
  };

  void read_answers(std::string_view answers);
  void read_item(const form_item& item, answer_slot& slot, std::string_view raw);
  bool read_list(const form_item& item, std::string_view raw, std::uint32_t count);
  bool read_value(const form_item& item, std::string_view raw);
  bool read_choice(const form_item& item, const msgpack_value& v, std::string_view raw);
  bool read_text(const form_item& item, const msgpack_value& v, std::string_view raw);
  bool read_number(const form_item& item, const msgpack_value& v, std::string_view raw);
  bool read_moment(const form_item& item, const msgpack_value& v, std::string_view raw);
  bool read_quantity(const form_item& item, std::string_view raw);
  bool read_attachment(const form_item& item, std::string_view raw);
  bool has_exclusive(const answer_slot& slot) const;
  bool accept(const form_item& item, const answer_value& v, std::string_view raw);
  bool keeps(const form_item& item, std::optional<rule_break> broken);
  bool within_limits(const form_item& item, const answer_value& v);
  bool within_length(const form_item& item, std::string_view text);
  bool refuse(const form_item& item, const char* code, std::string message, std::vector<std::string> allowed = {});
  bool refuse_type(const form_item& item);

  // response_check_expressions.cpp
  void evaluate_expressions();
  void add_calculated();
  void remove_unasked();
  void judge_expressions();
  asked asked_by_expression(const form_item& item) const;

  void check_asked_and_required();
  asked decide_asked(const form_item& item) const;
  asked holds_now(const condition& c) const;
  void report_required_groups();

  const questionnaire& form_;
  problem_list problems_;
  std::vector<answer_slot> slots_;
  std::vector<answer_value> values_;
  std::string stored_;
  std::unique_ptr<evaluated_response> evaluated_; ///< null: the form has no expressions, or the answers have problems
  std::string completed_;                         ///< the answers with those that were calculated
  std::vector<problem> warnings_;
  std::string_view authored_;
  std::optional<std::int64_t> now_us_;
};

} // namespace epione::domain
