// From a study's folder to the compiled study, or to everything that is wrong in all of its files.
#include "domain/compiled_study.hpp"
#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/questionnaire_compiler.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace epione::domain {

namespace {

constexpr const char* toml_name = "study.toml";

/// A text that the study's languages ask for and the form does not have would be shown to a patient in the wrong language.
void check_translation(const text_with_translations& t, const std::string& language, const std::string& place,
                       const std::string& what, file_problems& problems) {
  if (t.text.empty())
    return;
  const auto& have = t.translations;
  if (std::none_of(have.begin(), have.end(), [&](const auto& pair) { return pair.first == language; }))
    problems.add(place, what + " has no translation to \"" + language + "\", one of the study's languages");
}

void check_translations(const questionnaire& form, const std::vector<std::string>& languages, file_problems& problems) {
  if (languages.empty())
    return;
  const auto& own = form.language.empty() ? languages.front() : form.language;
  for (const auto& language : languages) {
    if (language == own)
      continue;
    check_translation(form.title, language, "title", "the title", problems);
    for (const auto& item : form.items) {
      const auto place = "linkId " + quotable(item.link_id);
      check_translation(item.text, language, place, "the text", problems);
      for (const auto& o : item.options)
        check_translation(o.display, language, place, "the option \"" + quotable(o.value.text) + "\"", problems);
    }
  }
}

class study_builder {
public:
  study_builder(const study_source& source, std::vector<import_problem>& all)
      : source_(source), all_(all), toml_problems_(toml_name, all), result_(std::make_shared<compiled_study>()) {}

  std::shared_ptr<compiled_study> build() {
    check_sizes();
    if (!all_.empty())
      return nullptr;
    auto file = read_study_file(source_.toml, toml_problems_);
    result_->id = file.id;
    result_->title = file.title;
    result_->languages = file.languages;
    result_->subjects = subject_directory{file.subjects, toml_problems_};
    result_->routes = notice_routes{file, toml_problems_};
    result_->sites = std::move(file.sites);
    for (const auto& entry : file.forms)
      add_form(entry, file.languages);
    check_unused_files(file.forms);
    for (const auto& alert : file.alerts)
      add_alert(alert, file.forms);
    return all_.empty() ? result_ : nullptr;
  }

private:
  void check_sizes() {
    std::size_t bytes = source_.toml.size();
    for (const auto& f : source_.forms)
      bytes += f.text.size();
    if (bytes > limits::files_bytes_max)
      toml_problems_.add("", "the study's files have more than " + std::to_string(limits::files_bytes_max) + " bytes in all");
  }

  void add_form(const form_entry& entry, const std::vector<std::string>& languages) {
    if (entry.file.empty())
      return;
    const auto file =
        std::find_if(source_.forms.begin(), source_.forms.end(), [&](const auto& f) { return f.name == entry.file; });
    if (file == source_.forms.end())
      return toml_problems_.add(entry.place, "the study's folder has no file \"" + quotable(entry.file) + "\"");
    file_problems problems{entry.file, all_};
    auto form = compile_questionnaire(file->text, problems);
    if (!form)
      return;
    check_translations(*form, entry.languages.value_or(languages), problems);
    compiled_form f;
    f.id = entry.id;
    f.version = form->version;
    f.form = std::move(*form);
    f.source = std::make_shared<const std::string>(file->text);
    for (const auto& s : entry.scores)
      f.scores.push_back(compile_score(s, f.form, f.scores, toml_problems_));
    result_->forms.push_back(std::move(f));
  }

  void add_alert(const alert_entry& entry, const std::vector<form_entry>& entries) {
    const auto known = std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return e.id == entry.form; });
    if (!entry.form.empty() && !known)
      return toml_problems_.add(entry.place, "the study has no form \"" + quotable(entry.form) + "\"");
    const auto form =
        std::find_if(result_->forms.begin(), result_->forms.end(), [&](const auto& f) { return f.id == entry.form; });
    if (form == result_->forms.end())
      return; // it has problems of its own
    alert_rule rule;
    rule.id = entry.id;
    rule.operation = entry.operation;
    rule.value = entry.value;
    if (!entry.score.empty() && !find_score(entry, *form, rule))
      return;
    if (!entry.item.empty() && !find_item(entry, form->form, rule))
      return;
    if (rule.item != form_item::none || rule.score != form_item::none)
      form->alerts.push_back(std::move(rule));
  }

  bool find_score(const alert_entry& entry, const compiled_form& form, alert_rule& rule) {
    const auto found = std::find_if(form.scores.begin(), form.scores.end(), [&](const auto& s) { return s.name == entry.score; });
    if (found == form.scores.end())
      toml_problems_.add(entry.place, "the form \"" + form.id + "\" has no score \"" + quotable(entry.score) + "\"");
    else if (rule.value.kind != value_kind::number)
      toml_problems_.add(entry.place, "a score is compared with a number");
    else
      rule.score = static_cast<std::uint32_t>(found - form.scores.begin());
    return rule.score != form_item::none;
  }

  bool find_item(const alert_entry& entry, const questionnaire& form, alert_rule& rule) {
    rule.item = form.find(entry.item);
    if (rule.item == form_item::none) {
      toml_problems_.add(entry.place, "the form has no item with the linkId \"" + quotable(entry.item) + "\"");
      return false;
    }
    const auto& item = form.items[rule.item];
    const auto cannot = [&](const std::string& why) {
      toml_problems_.add(entry.place, "\"" + quotable(entry.item) + "\" cannot be compared so: " + why);
      return false;
    };
    const bool choice = item.type == item_type::choice || item.type == item_type::open_choice;
    switch (rule.value.kind) {
      case value_kind::number:
        if (const auto why = why_not_a_number(item))
          return cannot(*why);
        return true;
      case value_kind::boolean: return item.type == item_type::boolean || cannot("it is not of type boolean");
      case value_kind::text:
        if (!choice)
          return cannot("only a choice is compared with a code");
        if (item.closed && item.type == item_type::choice &&
            std::none_of(item.options.begin(), item.options.end(),
                         [&](const auto& o) { return o.value.text == rule.value.text; }))
          return cannot("it has no option \"" + quotable(rule.value.text) + "\"");
        return true;
      default: return false; // the value has a problem of its own
    }
  }

  void check_unused_files(const std::vector<form_entry>& entries) {
    for (const auto& f : source_.forms)
      if (std::none_of(entries.begin(), entries.end(), [&](const auto& e) { return e.file == f.name; }))
        all_.push_back({f.name, "", "no [[forms]] entry of study.toml names this file; add one or remove the file"});
  }

  const study_source& source_;
  std::vector<import_problem>& all_;
  file_problems toml_problems_;
  std::shared_ptr<compiled_study> result_;
};

/// Takes over the versions of forms that the study does not have itself. An import with more than the limit was refused
/// (actors/study_register.cpp), except by earlier versions of this program.
void keep_earlier(compiled_study& now, const compiled_study& before) {
  const auto keep = [&](const compiled_form& form, std::shared_ptr<const compiled_form> shared) {
    if (now.find_form(form.id, form.version) == nullptr && now.earlier.size() < limits::earlier_forms_max)
      now.earlier.push_back(shared ? std::move(shared) : std::make_shared<const compiled_form>(form));
  };
  for (const auto& form : before.forms)
    keep(form, nullptr);
  for (const auto& form : before.earlier)
    keep(*form, form);
}

/// The same thing may be seen from two sides; it is told once.
void remove_repeated(std::vector<import_problem>& problems) {
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  std::erase_if(problems, [&](const auto& p) { return !seen.emplace(p.file, p.place, p.message).second; });
}

} // namespace

tl::expected<std::shared_ptr<const study>, std::vector<import_problem>> compile_study(const study_source& source,
                                                                                      const study* previous) {
  std::vector<import_problem> problems;
  auto compiled = study_builder{source, problems}.build();
  if (compiled != nullptr && previous != nullptr)
    keep_earlier(*compiled, previous->compiled());
  if (compiled != nullptr)
    return std::make_shared<const study>(std::move(compiled));
  remove_repeated(problems);
  return tl::unexpected<std::vector<import_problem>>(std::move(problems));
}

} // namespace epione::domain
