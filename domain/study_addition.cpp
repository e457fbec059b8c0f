// A study with one form more: what FHIR's create of a Questionnaire makes of its files.
#include "domain/fhir_text.hpp"
#include "domain/json_document.hpp"
#include "domain/limits.hpp"
#include "domain/study.hpp"
#include "domain/study_file.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

std::string url_in(const std::string& questionnaire) {
  const auto json = json_document::parse(questionnaire, limits::json_depth_max);
  return json ? std::string{json_text_at(*json, 0, "url")} : std::string{};
}

/// So that it lies beside the others in a folder.
std::string free_name(const study_source& study, const std::string& form_id) {
  const auto taken = [&](const std::string& name) {
    return std::any_of(study.forms.begin(), study.forms.end(), [&](const auto& f) { return f.name == name; });
  };
  auto name = form_id + ".json";
  for (int n = 2; taken(name); ++n)
    name = form_id + "-" + std::to_string(n) + ".json";
  return name;
}

} // namespace

tl::expected<study_source, import_problem> with_form(const study_source& study, const std::string& form_id,
                                                     const std::string& questionnaire) {
  const auto json = json_document::parse(questionnaire, limits::json_depth_max);
  if (!json)
    return tl::unexpected(import_problem{form_id + ".json", "", json.error().message});
  std::vector<import_problem> ignored; // it compiled once
  file_problems problems{"study.toml", ignored};
  const auto file = read_study_file(study.toml, problems);
  auto out = study;
  const auto known = std::find_if(file.forms.begin(), file.forms.end(), [&](const auto& f) { return f.id == form_id; });
  if (known != file.forms.end()) {
    const auto there = std::find_if(out.forms.begin(), out.forms.end(), [&](const auto& f) { return f.name == known->file; });
    if (there == out.forms.end())
      return tl::unexpected(import_problem{"study.toml", known->place, "its file is not there"});
    if (url_in(there->text) != json_text_at(*json, 0, "url"))
      return tl::unexpected(
          import_problem{form_id + ".json", "url", "the study has another form \"" + form_id + "\", of another url; try again"});
    there->text = questionnaire;
    return out;
  }
  const auto name = free_name(study, form_id);
  // Both are made of letters that TOML's strings take as they are.
  out.toml += "\n[[forms]]\nid = \"" + form_id + "\"\nfile = \"" + name + "\"\n";
  const auto language = json_text_at(*json, 0, "language");
  if (looks_like_language(language) || !file.languages.empty())
    out.toml += "languages = [\"" + (looks_like_language(language) ? std::string{language} : file.languages.front()) + "\"]\n";
  out.forms.push_back({name, questionnaire});
  std::sort(out.forms.begin(), out.forms.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

} // namespace epione::domain
