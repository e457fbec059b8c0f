#include "domain/study_addition.hpp"

#include "domain/digest.hpp"
#include "domain/fhir_primitive.hpp"
#include "domain/fhir_text.hpp"
#include "domain/hex.hpp"
#include "domain/json_document.hpp"
#include "domain/limits.hpp"
#include "domain/msgpack.hpp"
#include "domain/study_file.hpp"
#include "domain/toml_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace epione::domain {

namespace {

constexpr std::uint64_t addition_format = 1;
constexpr std::uint32_t addition_members = 6;

std::string url_in(const std::string& questionnaire) {
  const auto json = json_document::parse(questionnaire, limits::json_depth_max);
  return json ? std::string{json_text_at(*json, 0, "url")} : std::string{};
}

study_file file_of(const study_source& study) {
  std::vector<import_problem> ignored; // it compiled once
  file_problems problems{"study.toml", ignored};
  return read_study_file(study.toml, problems);
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

/// "form-" and 12 hexadecimal digits.
std::string made_id(std::string_view questionnaire) {
  std::array<std::uint8_t, 16> bytes{};
  digest<16>{}.add(questionnaire).finish(bytes);
  return "form-" + to_hex(std::span{bytes}.first(6));
}

} // namespace

std::string encode(const form_addition& addition) {
  std::string out;
  append_array_header(out, addition_members);
  append_uint(out, addition_format);
  for (const auto* text : {&addition.study, &addition.questionnaire, &addition.who, &addition.role, &addition.reason})
    append_string(out, *text);
  return out;
}

tl::expected<form_addition, std::string> decode_form_addition(std::string_view bytes) {
  const tl::unexpected<std::string> damaged{
      std::string{"the form to be added is damaged, or of a format that this version does not know"}};
  msgpack_reader r{bytes};
  const auto outer = r.next();
  const auto format = r.next();
  if (outer.type != msgpack_type::array || outer.count != addition_members || !format.is_uint64() ||
      format.integer != addition_format)
    return damaged;
  form_addition out;
  for (auto* text : {&out.study, &out.questionnaire, &out.who, &out.role, &out.reason}) {
    const auto value = r.next();
    if (value.type != msgpack_type::string)
      return damaged;
    text->assign(value.text);
  }
  if (!r.at_end())
    return damaged;
  return out;
}

form_urls urls_of(const study_source& study) {
  form_urls out;
  for (const auto& entry : file_of(study).forms)
    for (const auto& file : study.forms)
      if (file.name == entry.file)
        out.insert_or_assign(entry.id, url_in(file.text));
  return out;
}

std::string form_id_for(const study_source& study, const form_urls& before, const std::string& questionnaire) {
  const auto made = made_id(questionnaire);
  const auto json = json_document::parse(questionnaire, limits::json_depth_max);
  if (!json)
    return made;
  const auto text = [&](std::string_view member) { return json_text_at(*json, 0, member); };
  const auto url = text("url");
  const auto now = urls_of(study);
  if (!url.empty())
    for (const auto* known : {&now, &before}) // one that has it now comes before one that had it
      for (const auto& [id, its_url] : *known)
        if (its_url == url)
          return id;
  /// Without an url two forms are told apart by nothing but their names.
  const auto means_another = [&](const form_urls& known, std::string_view id) {
    const auto found = known.find(id);
    return found != known.end() && !(found->second.empty() && url.empty());
  };
  for (const auto candidate : {url.substr(url.find_last_of("/:") + 1), text("name"), text("id")})
    if (is_identifier(candidate) && is_fhir_id(candidate) && !means_another(now, candidate) && !means_another(before, candidate))
      return std::string{candidate};
  return made;
}

tl::expected<study_source, import_problem> with_form(const study_source& study, const std::string& form_id,
                                                     const std::string& questionnaire) {
  const auto json = json_document::parse(questionnaire, limits::json_depth_max);
  if (!json)
    return tl::unexpected(import_problem{form_id + ".json", "", json.error().message});
  const auto file = file_of(study);
  auto out = study;
  const auto known = std::find_if(file.forms.begin(), file.forms.end(), [&](const auto& f) { return f.id == form_id; });
  if (known != file.forms.end()) {
    const auto there = std::find_if(out.forms.begin(), out.forms.end(), [&](const auto& f) { return f.name == known->file; });
    if (there == out.forms.end())
      return tl::unexpected(import_problem{"study.toml", known->place, "its file is not there"});
    if (url_in(there->text) != json_text_at(*json, 0, "url"))
      return tl::unexpected(
          import_problem{form_id + ".json", "url", "the study has another form \"" + form_id + "\", of another url"});
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
