// Reading a FHIR resource's JSON with the place of everything at hand, so that a problem says where it is.
//
// Only what is to be stored or checked is looked at; a member that FHIR does not know is a problem, because it is most likely a
// misspelt rule that would otherwise be silently missing.
#pragma once

#include "domain/fhir_issue.hpp"
#include "domain/questionnaire.hpp"
#include "domain/study.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::domain {

using json = nlohmann::json;

/// Collects what is wrong with one file: for an import as places and sentences, for a check of one resource as FHIR's issues.
class file_problems {
public:
  file_problems(std::string file, std::vector<import_problem>& all) : file_(std::move(file)), import_(&all) {}
  /// `resource_type` begins the expressions: "Questionnaire".
  file_problems(std::string resource_type, std::vector<fhir_issue>& all) : file_(std::move(resource_type)), issues_(&all) {}

  /// An error; `place` is a member's path or "line 3, column 7".
  void add(std::string place, std::string message);
  /// Of the object at `place`, within the item `link_id` if that is not empty. What is no error is dropped from an import.
  void add(issue_severity severity, issue_type code, std::string place, std::string_view link_id, std::string message);
  /// Errors so far.
  std::size_t count() const { return count_; }

private:
  std::string file_;
  std::vector<import_problem>* import_ = nullptr;
  std::vector<fhir_issue>* issues_ = nullptr;
  std::size_t count_ = 0;
};

/// Parses `text`; nothing, with problems added, when it is not JSON, too deep, or has a member twice.
std::optional<json> parse_json(std::string_view text, file_problems& problems);

/// A JSON object and where it is. Each member is asked for by its name; one of the wrong type is a problem and counts as missing.
class fhir_object {
public:
  /// `value` must be an object and live longer than this.
  fhir_object(const json& value, std::string place, file_problems& problems)
      : value_(&value), place_(std::move(place)), problems_(&problems) {}

  const json& value() const { return *value_; }
  const std::string& place() const { return place_; }
  /// The item that every problem with this object and what is in it belongs to.
  void set_link_id(std::string link_id) { link_id_ = std::move(link_id); }
  file_problems& problems() const { return *problems_; }
  /// Adds a problem with this object.
  void problem(std::string message, issue_type code = issue_code::invalid) const { add(place_, std::move(message), code); }
  /// Adds a problem with a member.
  void problem(std::string_view member, std::string message, issue_type code = issue_code::invalid) const {
    add(place_of(member), std::move(message), code);
  }
  /// Adds a problem with a member that breaks an invariant of the specification, such as "que-1".
  void breaks(const char* invariant, std::string_view member, const std::string& message) const;
  /// Says something that is no error about a member; an import drops it.
  void remark(issue_severity severity, issue_type code, std::string_view member, std::string message) const;
  std::string place_of(std::string_view member) const;

  bool has(std::string_view member) const { return find(member) != nullptr; }
  const json* find(std::string_view member) const;
  std::optional<std::string> string(std::string_view member) const;
  std::optional<bool> boolean(std::string_view member) const;
  std::optional<std::int64_t> integer(std::string_view member) const;
  std::optional<double> number(std::string_view member) const;
  std::optional<fhir_object> object(std::string_view member) const;
  /// The objects of an array; what is not an object is a problem and left out.
  std::vector<fhir_object> objects(std::string_view member) const;

  /// The member value[x] (or answer[x]): its type as FHIR names it ("Coding") and itself. A problem when there is more than one.
  std::optional<std::pair<std::string, const json*>> choice_of_type(std::string_view prefix) const;

  /// Extensions with this url.
  std::vector<fhir_object> extensions(std::string_view url) const;
  /// Each member must be one of these, or one of them with "_" before it, and no list or object is empty; extensions are whole.
  void only(std::initializer_list<std::string_view> members) const;
  /// A text member and the translations that its extensions give.
  text_with_translations text(std::string_view member) const;

private:
  void check_extensions() const;
  void add(std::string place, std::string message, issue_type code) const;
  fhir_object inner(const json& value, std::string place) const;

  const json* value_;
  std::string place_;
  std::string link_id_;
  file_problems* problems_;
};

} // namespace epione::domain
