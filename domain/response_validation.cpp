#include "domain/response_validation.hpp"

#include "domain/domain_resource.hpp"
#include "domain/json_text.hpp"
#include "domain/limits.hpp"

#include <algorithm>
#include <array>

namespace epione::domain {

namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_value_name(std::string_view name) {
  return name.size() > 5 && name.starts_with("value") && is_upper(name[5]);
}

} // namespace

response_validation::response_validation(const json_document& json, const questionnaire* form, const response_context& context)
    : json_(json), form_(form), context_(context) {}

std::vector<fhir_issue> response_validation::run() {
  if (json_[0].kind != json_kind::object || text_at(0, "resourceType") != "QuestionnaireResponse") {
    error(issue_code::structure, 0, none, "this is no QuestionnaireResponse: resourceType must say that it is one");
  } else {
    check_resource();
    if (form_ != nullptr) {
      read_items();
      if (form_->plan)
        prepare_expressions();
      check_presence();
      if (form_->plan)
        check_expressions();
      check_publication();
      check_signature(0, none);
    }
  }
  check_empty();
  std::stable_sort(issues_.begin(), issues_.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  std::vector<fhir_issue> result;
  result.reserve(issues_.size());
  for (auto& i : issues_)
    result.push_back(std::move(i.issue));
  if (too_many_)
    result.push_back({issue_severity::error, issue_code::invalid, "QuestionnaireResponse", "",
                      "there are more problems than are listed here"});
  return result;
}

// ---- the resource -------------------------------------------------------------------------------------------------------

void response_validation::check_resource() {
  only_members(0, none, {"resourceType",      "id",         "meta",      "implicitRules",
                         "language",          "text",       "contained", "extension",
                         "modifierExtension", "identifier", "basedOn",   "partOf",
                         "questionnaire",     "status",     "subject",   "encounter",
                         "authored",          "author",     "source",    "item"});
  if (json_.find(0, "modifierExtension") != 0)
    add(issue_severity::warning, issue_code::not_supported, json_.find(0, "modifierExtension"), none,
        "it may change the meaning of the whole response and is not understood");
  for (auto& f : check_domain_resource(json_))
    add(f.severity, f.code, f.node, none, std::move(f.message));
  if (const auto authored = json_.find(0, "authored");
      authored != 0 && is_string(authored, none, "a dateTime") && !parse_fhir_date_time(json_[authored].text))
    error(issue_code::invalid, authored, none,
          "authored must be a dateTime as FHIR writes them, such as 2024-05-01T08:30:00+02:00");
  for (const auto* name : {"subject", "encounter", "author", "source", "identifier"})
    if (const auto n = json_.find(0, name); n != 0 && json_[n].kind != json_kind::object)
      error(issue_code::structure, n, none, "it must be an object in { }");
  for (const auto* name : {"basedOn", "partOf"})
    if (const auto n = json_.find(0, name); n != 0 && json_[n].kind != json_kind::array)
      error(issue_code::structure, n, none, "it must be a list in [ ]");
  if (const auto n = json_.find(0, "extension"); n != 0)
    check_extensions(n, none);
  check_references();
  check_status();
  check_questionnaire();
}

/// What the response's references may be to (FHIR R4, QuestionnaireResponse), as far as they say.
void response_validation::check_references() {
  constexpr std::array<std::string_view, 6> authors{"Device",  "Practitioner",  "PractitionerRole",
                                                    "Patient", "RelatedPerson", "Organization"};
  constexpr std::array<std::string_view, 4> sources{"Patient", "Practitioner", "PractitionerRole", "RelatedPerson"};
  constexpr std::array<std::string_view, 1> encounters{"Encounter"};
  constexpr std::array<std::string_view, 2> orders{"CarePlan", "ServiceRequest"}, parts{"Observation", "Procedure"};
  const std::pair<std::string_view, std::span<const std::string_view>> references[] = {
      {"author", authors}, {"source", sources}, {"encounter", encounters}, {"basedOn", orders}, {"partOf", parts}};
  for (const auto& [name, types] : references) {
    const auto n = json_.find(0, name);
    if (n != 0 && json_[n].kind == json_kind::array)
      for (auto r = n + 1; r < json_[n].end; r = json_[r].end)
        check_reference(r, types);
    else if (n != 0)
      check_reference(n, types);
  }
  if (const auto subject = json_.find(0, "subject"); subject != 0 && form_ != nullptr) {
    const std::vector<std::string_view> types{form_->subject_types.begin(), form_->subject_types.end()};
    check_reference(subject, types);
  }
}

void response_validation::check_reference(std::uint32_t node, std::span<const std::string_view> types) {
  if (json_[node].kind != json_kind::object || !is_whole_reference(node, none))
    return;
  const auto type = type_of_reference(node);
  if (types.empty() || type.empty() || std::find(types.begin(), types.end(), type) != types.end())
    return;
  std::string list;
  for (const auto t : types)
    list += (list.empty() ? "" : ", ") + std::string{t};
  error(issue_code::invariant, node, none, "the reference must be to a resource of type " + list);
}

/// Each has a url, and either a value or extensions of its own (FHIR invariant ext-1).
void response_validation::check_extensions(std::uint32_t node, std::uint32_t form) {
  if (json_[node].kind != json_kind::array)
    return error(issue_code::structure, node, form, "it must be a list in [ ]");
  for (auto e = node + 1; e < json_[node].end; e = json_[e].end) {
    if (json_[e].kind != json_kind::object) {
      error(issue_code::structure, e, form, "an extension must be an object in { }");
      continue;
    }
    bool valued = false;
    for (auto n = e + 1; n < json_[e].end; n = json_[n].end) // or what extends a value
      valued = valued || is_value_name(json_[n].name.substr(json_[n].name.starts_with('_') ? 1 : 0));
    if (text_at(e, "url").empty())
      error(issue_code::required, e, form, "url is missing: it says what the extension means");
    else if (valued == (json_.find(e, "extension") != 0))
      error(issue_code::invariant, e, form, "an extension has either a value or extensions of its own (FHIR invariant ext-1)");
  }
}

/// In FHIR's JSON nothing is empty. Null stands only in lists of primitives, for what has extensions alone.
void response_validation::check_empty() {
  for (std::uint32_t n = 1; n < json_.size() && !too_many_; ++n) {
    const auto& x = json_[n];
    const bool list = x.kind == json_kind::array || x.kind == json_kind::object;
    const bool empty = list                          ? x.count == 0
                       : x.kind == json_kind::string ? x.text.empty()
                                                     : x.kind == json_kind::null && !x.name.empty();
    if (empty && std::none_of(issues_.begin(), issues_.end(), [n](const auto& i) { return i.node == n; }))
      error(issue_code::structure, n, none, "it is empty; leave it out");
  }
}

void response_validation::check_status() {
  const auto status = json_.find(0, "status");
  if (status == 0)
    return error(issue_code::required, 0, none,
                 "status is missing: in-progress, completed, amended, entered-in-error or stopped");
  const auto text = json_[status].text;
  in_progress_ = text == "in-progress";
  complete_ = text == "completed" || text == "amended";
  if (!in_progress_ && !complete_ && text != "entered-in-error" && text != "stopped") {
    complete_ = true;
    error(issue_code::code_invalid, status, none, "status must be in-progress, completed, amended, entered-in-error or stopped");
  }
}

void response_validation::check_questionnaire() {
  const auto node = json_.find(0, "questionnaire");
  if (node == 0) {
    if (form_ == nullptr)
      error(issue_code::required, 0, none, "questionnaire is missing, so that nothing says which form was answered");
    else
      add(issue_severity::warning, issue_code::required, 0, none,
          "questionnaire is missing; it should name the form that was answered by its url and version");
    return;
  }
  if (!is_string(node, none, "a canonical url"))
    return;
  const auto canonical = json_[node].text;
  if (form_ == nullptr)
    return error(issue_code::not_found, node, none,
                 "the questionnaire it answers is not here, so that it cannot be checked; give it");
  const auto bar = canonical.find('|');
  const auto url = canonical.substr(0, bar);
  const auto literal = "Questionnaire/" + form_->id;
  const bool by_id = !form_->id.empty() && (url == literal || url.ends_with("/" + literal) || url == "#" + form_->id);
  if (!form_->url.empty() && url != form_->url && !by_id)
    return error(issue_code::not_found, node, none,
                 "the response answers another questionnaire than this one, " + quotable(form_->url, 200));
  if (bar != std::string_view::npos && canonical.substr(bar + 1) != form_->version)
    error(issue_code::not_found, node, none,
          "the response answers another version of the questionnaire; this is " +
              (form_->version.empty() ? std::string{"one without a version"} : quotable(form_->version)));
}

void response_validation::check_publication() {
  const auto warn = [&](std::string message) {
    add(issue_severity::warning, issue_code::business_rule, json_.find(0, "questionnaire"), none, std::move(message));
  };
  switch (form_->status) {
    case publication_status::draft: warn("the questionnaire is a draft; it may still change"); break;
    case publication_status::retired: warn("the questionnaire is retired; it should no longer be answered"); break;
    case publication_status::unknown: warn("the status of the questionnaire is not known"); break;
    case publication_status::active: break;
  }
  const auto authored = parse_fhir_date_time(text_at(0, "authored"));
  if (!authored && !context_.now_us)
    return;
  const auto first = authored ? authored->first : *context_.now_us;
  const auto last = authored ? authored->last : *context_.now_us;
  if (form_->valid_from && last < form_->valid_from->first)
    warn("the response was authored before the questionnaire's effectivePeriod began");
  if (form_->valid_until && first > form_->valid_until->last)
    warn("the response was authored after the questionnaire's effectivePeriod ended");
}

void response_validation::check_signature(std::uint32_t node, std::uint32_t form) {
  const bool asked_for = form == none ? form_->signature_required : item(form).rules->signature_required;
  if (!asked_for)
    return;
  const auto extensions = json_.find(node, "extension");
  if (extensions != 0)
    for (auto e = extensions + 1; e < json_[extensions].end; e = json_[e].end)
      if (text_at(e, "url") == "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-signature")
        return;
  add(if_missing(), issue_code::required, node, form,
      "it must be signed: the extension questionnaireresponse-signature is missing");
}

// ---- issues -------------------------------------------------------------------------------------------------------------

void response_validation::add(issue_severity severity, const char* code, std::uint32_t node, std::uint32_t form,
                              std::string message) {
  if (issues_.size() >= limits::problems_max) {
    too_many_ = true;
    return;
  }
  issues_.push_back(
      {node, {severity, code, path_of(node), form == none ? std::string{} : quotable(item(form).link_id), std::move(message)}});
}

/// Found from the top, since nodes do not know what they lie in; only what is wrong needs it.
std::string response_validation::path_of(std::uint32_t node) const {
  std::string path = "QuestionnaireResponse";
  std::uint32_t at = 0;
  bool in_answer = false;
  while (at != node) {
    const bool array = json_[at].kind == json_kind::array;
    std::size_t index = 0;
    auto child = at + 1;
    for (; json_[child].end <= node; child = json_[child].end)
      ++index;
    const auto name = json_[child].name;
    if (array)
      path += "[" + std::to_string(index) + "]";
    else
      path += "." + (in_answer && is_value_name(name) ? std::string{"value"} : quotable(name));
    if (!array)
      in_answer = name == "answer";
    at = child;
  }
  return path;
}

bool response_validation::only_members(std::uint32_t object, std::uint32_t form, std::initializer_list<std::string_view> names) {
  bool good = true;
  for (auto n = object + 1; n < json_[object].end; n = json_[n].end) {
    auto name = json_[n].name;
    if (name.size() > 1 && name.front() == '_')
      name.remove_prefix(1);
    if (std::find(names.begin(), names.end(), name) != names.end())
      continue;
    error(issue_code::structure, n, form, "FHIR R4 knows no such member here; correct its name or remove it");
    good = false;
  }
  return good;
}

bool response_validation::is_string(std::uint32_t node, std::uint32_t form, const char* what) {
  if (json_[node].kind == json_kind::string && !json_[node].text.empty())
    return true;
  error(issue_code::structure, node, form, std::string{"it must be "} + what + ", a text in quotes that is not empty");
  return false;
}

std::string_view response_validation::text_at(std::uint32_t object, std::string_view name) const {
  const auto n = json_.find(object, name);
  return n != 0 && json_[n].kind == json_kind::string ? json_[n].text : std::string_view{};
}

// ---- the whole ----------------------------------------------------------------------------------------------------------

std::vector<fhir_issue> check_response(const json_document& response, const questionnaire& form,
                                       const response_context& context) {
  return response_validation{response, &form, context}.run();
}

std::vector<fhir_issue> check_response_without_form(const json_document& response) {
  const response_context context;
  return response_validation{response, nullptr, context}.run();
}

tl::expected<json_document, fhir_issue> parse_response(std::string_view text) {
  auto document = json_document::parse(text, limits::json_depth_max);
  if (document)
    return std::move(*document);
  const auto& e = document.error();
  const auto place =
      e.line == 0 ? std::string{} : "line " + std::to_string(e.line) + ", column " + std::to_string(e.column) + ": ";
  return tl::unexpected(fhir_issue{issue_severity::error, issue_code::structure, "QuestionnaireResponse", "", place + e.message});
}

} // namespace epione::domain
