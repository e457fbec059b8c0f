// One form for a study that is there already: what FHIR's create of a Questionnaire asks for, and the study's files with it.
#pragma once

#include "domain/study.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::domain {

struct form_addition {
  std::string study;             ///< id
  std::string questionnaire;     ///< FHIR R4, as JSON
  std::string who, role, reason; ///< of the event that it becomes
};

/// msgpack [1, study, questionnaire, who, role, reason] and back: nodes ask each other with it, and it is stored nowhere.
std::string encode(const form_addition& addition);
tl::expected<form_addition, std::string> decode_form_addition(std::string_view bytes);

/// The urls of forms by their ids.
using form_urls = std::map<std::string, std::string, std::less<>>;
/// Of the forms that study.toml names.
form_urls urls_of(const study_source& study);

/// What the study is to know the form by: the id of the form with the same url, else the end of its url, its name, the id it
/// came with, or one made of its content; none that means another form. `before` are those the study ever had: what was taken
/// out keeps its id, because responses to it are still there.
std::string form_id_for(const study_source& study, const form_urls& before, const std::string& questionnaire);

/// The study with one more form, or with another version of the form that has this id. Fails when another form has the id, told
/// by its url, or when the file cannot be read; whether the study still compiles is for compile_study() to say.
tl::expected<study_source, import_problem> with_form(const study_source& study, const std::string& form_id,
                                                     const std::string& questionnaire);

} // namespace epione::domain
