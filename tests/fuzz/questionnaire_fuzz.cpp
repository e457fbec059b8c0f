// A questionnaire and a response to it as somebody wrote them, parted by a line feed and a form feed; perhaps a value set behind
// them. Whatever they are, everything that is wrong has a place and a sentence, and what is right in the form checks the
// response, with the form's expressions. What a response begins with can be sent back in the short form.
#include "domain/initial_answers.hpp"
#include "domain/questionnaire_compiler.hpp"
#include "domain/questionnaire_response.hpp"
#include "domain/response_check.hpp"
#include "domain/response_from_answers.hpp"
#include "tests/fuzz/promise.hpp"

#include <nlohmann/json.hpp>

using namespace epione;
using epione::fuzz::promise;

namespace {

std::string_view take(std::string_view& text) {
  constexpr std::string_view separator = "\n\f";
  const auto end = std::min(text.find(separator), text.size());
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + separator.size(), text.size()));
  return part;
}

void look_at(const std::vector<domain::fhir_issue>& issues) {
  promise(issues.size() <= 200'000, "issues are limited");
  for (const auto& i : issues)
    promise(!i.message.empty() && i.code != nullptr, "an issue has a sentence and a code");
  const auto outcome = nlohmann::json::parse(domain::operation_outcome(issues), nullptr, false);
  promise(!outcome.is_discarded() && !outcome["issue"].empty(), "an OperationOutcome is JSON with an issue");
}

/// The short form of what a response begins with, checked, and as a response.
void begin(std::string_view form_text) {
  std::vector<domain::import_problem> import;
  domain::file_problems problems{"form.json", import};
  const domain::compile_options options{true, 10'000, 1'000'000, nullptr};
  const auto form = domain::compile_questionnaire(form_text, problems, options);
  promise(form.has_value() == import.empty(), "a form for submissions has no problems");
  if (!form)
    return;
  const auto begun = domain::initial_answers(*form, 0);
  std::vector<domain::problem> found;
  domain::answers_check check{*form, found};
  check.run(begun.answers, {}, 0);
  const auto response = domain::response_from_answers(*form, found.empty() ? check.take_stored() : begun.answers);
  promise(!nlohmann::json::parse(response, nullptr, false).is_discarded(), "answers become JSON");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto form_text = take(text);
  const auto response_text = take(text);
  domain::terminology given;
  std::vector<domain::fhir_issue> issues;
  domain::file_problems of_value_set{"ValueSet", issues};
  if (!text.empty())
    given.add(text, of_value_set);
  domain::file_problems problems{"Questionnaire", issues};
  const domain::compile_options options{false, 10'000, 1'000'000, &given};
  const auto form = domain::compile_questionnaire(form_text, problems, options);
  promise(form.has_value() || problems.count() > 0, "a refusal names a problem");
  look_at(issues);
  begin(form_text);
  const auto response = domain::parse_response(response_text);
  if (!response)
    return 0;
  look_at(domain::check_response_without_form(*response));
  if (form)
    look_at(domain::check_response(*response, *form, {}));
  return 0;
}
