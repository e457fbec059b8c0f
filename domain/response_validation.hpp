// The check of one QuestionnaireResponse: what questionnaire_response.hpp offers, in its steps.
//
// First the tree is read, front to back and without recursion, into a flat list of items in the response's order, each with its
// answers (response_structure.cpp, response_values.cpp). Then, when all answers are known, it is decided what is asked and what
// is missing (response_presence.cpp).
#pragma once

#include "domain/answer_rules.hpp"
#include "domain/form_evaluation.hpp"
#include "domain/questionnaire_response.hpp"

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace epione::domain {

class response_validation {
public:
  /// `form` may be null: then only the resource's own members are looked at.
  response_validation(const json_document& json, const questionnaire* form, const response_context& context);
  std::vector<fhir_issue> run();

private:
  static constexpr std::uint32_t none = form_item::none;
  enum class asked : std::uint8_t { yes, no, unknown };

  /// An item of the response that the form has there.
  struct response_item {
    std::uint32_t form;  ///< the form's item
    std::uint32_t node;  ///< where it is
    std::uint32_t scope; ///< the list it stands in
    std::uint32_t first_value = 0, value_count = 0;
    std::uint32_t answers = 0; ///< how many there are, understood or not
    std::uint32_t end = 0;     ///< behind the last item in it
    bool usable = true;        ///< all of its answers were understood
    asked is_asked = asked::yes;
  };
  /// A list of items: the response's own, a group's, or those within one answer.
  struct response_scope {
    std::uint32_t form_parent;        ///< none: the form
    std::uint32_t owner;              ///< the item it lies in; none: the response
    std::uint32_t node;               ///< where what is missing from it would be
    std::uint32_t first = 0, end = 0; ///< its items and all in them
  };
  /// A list of items that is being read.
  struct open_list {
    std::uint32_t scope;
    std::uint32_t next, end; // nodes
    std::uint32_t last_form; // the furthest of the form's items so far
  };
  struct item_members {
    std::uint32_t link_id = 0, answer = 0, item = 0; // nodes; 0: not there
    bool others = false;
  };
  struct found_issue {
    std::uint32_t node;
    fhir_issue issue;
  };

  // response_validation.cpp: the resource and its issues
  void check_resource();
  void check_references();
  void check_reference(std::uint32_t node, std::span<const std::string_view> types);
  void check_extensions(std::uint32_t node, std::uint32_t form);
  void check_empty();
  void check_status();
  void check_questionnaire();
  void check_publication();
  void check_signature(std::uint32_t node, std::uint32_t form);
  void add(issue_severity severity, const char* code, std::uint32_t node, std::uint32_t form, std::string message);
  void error(const char* code, std::uint32_t node, std::uint32_t form, std::string message) {
    add(issue_severity::error, code, node, form, std::move(message));
  }
  std::string path_of(std::uint32_t node) const;
  bool only_members(std::uint32_t object, std::uint32_t form, std::initializer_list<std::string_view> names);
  bool is_string(std::uint32_t node, std::uint32_t form, const char* what);
  std::string_view text_at(std::uint32_t object, std::string_view name) const;

  // response_structure.cpp: the tree
  void read_items();
  void read_item(open_list& list);
  item_members members_of(std::uint32_t node) const;
  void check_other_members(std::uint32_t node, std::uint32_t form);
  void warn_of_text(std::uint32_t node, std::uint32_t form);
  std::uint32_t find_form_item(const open_list& list, std::string_view link_id) const;
  bool is_in_place(open_list& list, std::uint32_t node, std::uint32_t form);
  void read_group(std::uint32_t item, const item_members& members);
  void read_question(std::uint32_t item, const item_members& members);
  std::uint32_t open_scope(std::uint32_t form_parent, std::uint32_t owner, std::uint32_t node);
  void open_items(std::uint32_t scope, std::uint32_t array);
  bool is_filled_array(std::uint32_t node, std::uint32_t form, const char* name);

  // response_values.cpp and, for those that are objects, response_datatypes.cpp: one answer's value
  std::uint32_t value_node(std::uint32_t answer, std::uint32_t form, bool& replaced);
  bool read_value(std::uint32_t node, std::uint32_t form);
  bool read_boolean(std::uint32_t node, std::uint32_t form);
  bool read_number(std::uint32_t node, std::uint32_t form);
  bool read_moment(std::uint32_t node, std::uint32_t form, item_type type);
  bool read_text(std::uint32_t node, std::uint32_t form);
  bool read_uri(std::uint32_t node, std::uint32_t form);
  bool read_choice(std::uint32_t node, std::uint32_t form, std::string_view type);
  bool read_coding(std::uint32_t node, std::uint32_t form);
  bool is_option_without_code(std::uint32_t node, std::uint32_t form) const;
  void warn_of_display(std::uint32_t node, std::uint32_t form, const answer_value& v);
  void warn_of_option_as_text(std::uint32_t node, std::uint32_t form);
  bool read_quantity(std::uint32_t node, std::uint32_t form);
  bool read_attachment(std::uint32_t node, std::uint32_t form);
  bool read_reference(std::uint32_t node, std::uint32_t form);
  enum class text_type : std::uint8_t { any, string, code, uri, date_time };
  struct text_member {
    std::string_view name;
    text_type type;
  };
  bool is_object_of(std::uint32_t node, std::uint32_t form, std::initializer_list<std::string_view> members);
  bool are_texts(std::uint32_t node, std::uint32_t form, std::initializer_list<text_member> members);
  std::uint32_t contained_resource(std::string_view id) const;
  std::string_view type_of_reference(std::uint32_t node) const;
  bool is_whole_reference(std::uint32_t node, std::uint32_t form);
  /// Whether the code may be chosen; as the value set writes it, where upper and lower case are the same.
  bool check_value_set(std::uint32_t node, std::uint32_t form, answer_value& v);
  bool keeps(std::uint32_t node, std::uint32_t form, const std::optional<rule_break>& broken);
  /// Length and pattern of what is written.
  bool keeps_text_rules(std::uint32_t node, std::uint32_t form, std::string_view text);
  bool accept(std::uint32_t node, std::uint32_t form, const answer_value& v, option_type type);
  bool refuse(const char* code, std::uint32_t node, std::uint32_t form, std::string message);

  // response_expressions.cpp: what the form's expressions say
  void prepare_expressions();
  void check_expressions();
  asked asked_by_expression(std::uint32_t form, std::uint32_t scope, std::uint32_t own) const;
  bool has_errors() const;

  // response_presence.cpp: what is asked and what is missing
  void check_presence();
  void index_items();
  void check_item(std::uint32_t item);
  void check_answers(response_item& i);
  void check_exclusive(const response_item& i);
  void check_scope(std::uint32_t scope);
  void check_child(const response_scope& scope, std::uint32_t scope_index, std::uint32_t form);
  asked decide(std::uint32_t form, std::uint32_t scope, std::uint32_t position, std::uint32_t own) const;
  asked holds_now(const condition& c, std::uint32_t scope, std::uint32_t position) const;
  const response_item* nearest(const condition& c, std::uint32_t scope, std::uint32_t position) const;
  bool has_answers(const response_item& i) const;
  issue_severity if_missing() const { return complete_ ? issue_severity::error : issue_severity::warning; }
  issue_severity if_too_many() const { return in_progress_ ? issue_severity::warning : issue_severity::error; }

  const form_item& item(std::uint32_t form) const { return form_->items[form]; }

  const json_document& json_;
  const questionnaire* form_;
  const response_context& context_;
  bool in_progress_ = false; ///< it may still change
  bool complete_ = true;     ///< completed or amended: what is required must be there
  std::vector<found_issue> issues_;
  bool too_many_ = false;
  std::vector<response_item> items_;
  std::vector<response_scope> scopes_;
  std::vector<open_list> open_;
  std::vector<answer_value> values_;
  std::vector<std::uint32_t> first_of_form_; // where a form item's indices begin in items_by_form_
  std::vector<std::uint32_t> items_by_form_;
  struct occurrence {
    std::uint32_t scope = none, count = 0;
  };
  std::unique_ptr<form_evaluation> expressions_; ///< null: none, or what was answered cannot be read
  std::size_t work_ = 0;                         ///< items of the form that were looked for, in all lists
  std::vector<occurrence> occurrences_;          // by form item: in which list it was last seen, and how often there
};

} // namespace epione::domain
