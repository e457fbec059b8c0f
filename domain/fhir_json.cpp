#include "domain/fhir_json.hpp"

#include "domain/canonical.hpp"
#include "domain/json_text.hpp"
#include "domain/limits.hpp"

#include <algorithm>
#include <set>

namespace epione::domain {

namespace {

/// Looks over JSON without building anything: finds what a tree would hide (a name twice) or should not be built (too deep).
class structure_check : public nlohmann::json_sax<json> {
public:
  explicit structure_check(file_problems& problems) : problems_(problems) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool end_object() override { return close(); }
  bool key(string_t& name) override {
    auto& [names, last] = open_.back();
    last = name;
    if (!names.insert(name).second)
      problems_.add(path(), "the member is there twice in the same object; keep one");
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    position_ = position;
    return false;
  }
  std::optional<std::size_t> error_position() const { return position_; }

private:
  bool open() {
    if (open_.size() >= limits::json_depth_max) {
      problems_.add(path(), "brackets lie in each other more than " + std::to_string(limits::json_depth_max) + " deep");
      return false;
    }
    open_.emplace_back();
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  std::string path() const {
    std::string text;
    for (const auto& [names, last] : open_)
      if (!last.empty())
        text += (text.empty() ? "" : ".") + quotable(last);
    return text.size() > 200 ? text.substr(0, 200) + "..." : text;
  }

  file_problems& problems_;
  std::vector<std::pair<std::set<std::string>, std::string>> open_;
  std::optional<std::size_t> position_;
};

std::string line_and_column(std::string_view text, std::size_t position) {
  const auto before = text.substr(0, std::min(position == 0 ? 0 : position - 1, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n');
  const auto column = before.size() - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

constexpr std::string_view translation_url = "http://hl7.org/fhir/StructureDefinition/translation";

} // namespace

std::optional<json> parse_json(std::string_view text, file_problems& problems) {
  if (!valid_utf8(text)) {
    problems.add("", "the file is not UTF-8 text; save it as UTF-8");
    return std::nullopt;
  }
  const auto before = problems.count();
  structure_check check{problems};
  if (!json::sax_parse(text, &check) && check.error_position())
    problems.add(line_and_column(text, *check.error_position()), "this is not valid JSON");
  if (problems.count() != before)
    return std::nullopt;
  auto value = json::parse(text, nullptr, false);
  if (value.is_discarded()) {
    problems.add("", "this is not valid JSON");
    return std::nullopt;
  }
  return value;
}

void file_problems::add(std::string place, std::string message) {
  ++count_;
  if (import_ != nullptr)
    import_->push_back({file_, std::move(place), std::move(message)});
  else
    issues_->push_back({issue_severity::error, issue_code::structure, {}, {}, place.empty() ? message : place + ": " + message});
}

void file_problems::add(issue_severity severity, issue_type code, std::string place, std::string_view link_id,
                        std::string message) {
  if (severity == issue_severity::error)
    ++count_;
  if (issues_ != nullptr) {
    issues_->push_back({severity, code, place.empty() ? file_ : file_ + "." + place, quotable(link_id), std::move(message)});
  } else if (severity == issue_severity::error) {
    if (!link_id.empty())
      place += (place.empty() ? "(linkId " : " (linkId ") + quotable(link_id) + ")";
    import_->push_back({file_, std::move(place), std::move(message)});
  }
}

void fhir_object::add(std::string place, std::string message, issue_type code) const {
  problems_->add(issue_severity::error, code, std::move(place), link_id_, std::move(message));
}

void fhir_object::breaks(const char* invariant, std::string_view member, const std::string& message) const {
  add(place_of(member), message + " (FHIR invariant " + invariant + ")", issue_code::invariant);
}

void fhir_object::remark(issue_severity severity, issue_type code, std::string_view member, std::string message) const {
  problems_->add(severity, code, member.empty() ? place_ : place_of(member), link_id_, std::move(message));
}

fhir_object fhir_object::inner(const json& value, std::string place) const {
  fhir_object result{value, std::move(place), *problems_};
  result.link_id_ = link_id_;
  return result;
}

std::string fhir_object::place_of(std::string_view member) const {
  if (member.empty())
    return place_;
  return place_.empty() ? std::string{member} : place_ + "." + std::string{member};
}

const json* fhir_object::find(std::string_view member) const {
  const auto found = value_->find(member);
  return found == value_->end() ? nullptr : &*found;
}

std::optional<std::string> fhir_object::string(std::string_view member) const {
  const auto* v = find(member);
  if (v == nullptr)
    return std::nullopt;
  if (!v->is_string() || v->get_ref<const std::string&>().empty()) {
    problem(member, "it must be a text that is not empty", issue_code::structure);
    return std::nullopt;
  }
  return v->get<std::string>();
}

std::optional<bool> fhir_object::boolean(std::string_view member) const {
  const auto* v = find(member);
  if (v == nullptr)
    return std::nullopt;
  if (!v->is_boolean()) {
    problem(member, "it must be true or false, without quotes", issue_code::structure);
    return std::nullopt;
  }
  return v->get<bool>();
}

std::optional<std::int64_t> fhir_object::integer(std::string_view member) const {
  const auto* v = find(member);
  if (v == nullptr)
    return std::nullopt;
  if (!v->is_number_integer() || v->get<double>() > 2147483647.0 || v->get<double>() < -2147483648.0) {
    problem(member, "it must be a whole number of 32 bits, without quotes", issue_code::structure);
    return std::nullopt;
  }
  return v->get<std::int64_t>();
}

std::optional<double> fhir_object::number(std::string_view member) const {
  const auto* v = find(member);
  if (v == nullptr)
    return std::nullopt;
  if (!v->is_number()) {
    problem(member, "it must be a number, without quotes", issue_code::structure);
    return std::nullopt;
  }
  return v->get<double>();
}

std::optional<fhir_object> fhir_object::object(std::string_view member) const {
  const auto* v = find(member);
  if (v == nullptr)
    return std::nullopt;
  if (!v->is_object()) {
    problem(member, "it must be an object in { }", issue_code::structure);
    return std::nullopt;
  }
  return inner(*v, place_of(member));
}

std::vector<fhir_object> fhir_object::objects(std::string_view member) const {
  std::vector<fhir_object> result;
  const auto* v = find(member);
  if (v == nullptr)
    return result;
  if (!v->is_array()) {
    problem(member, "it must be a list in [ ]", issue_code::structure);
    return result;
  }
  std::size_t i = 0;
  for (const auto& element : *v) {
    auto place = place_of(member) + "[" + std::to_string(i++) + "]";
    if (element.is_object())
      result.push_back(inner(element, std::move(place)));
    else
      add(std::move(place), "it must be an object in { }", issue_code::structure);
  }
  return result;
}

std::optional<std::pair<std::string, const json*>> fhir_object::choice_of_type(std::string_view prefix) const {
  std::optional<std::pair<std::string, const json*>> result;
  for (const auto& [name, value] : value_->items()) {
    if (name.size() <= prefix.size() || name.compare(0, prefix.size(), prefix) != 0 || name[prefix.size()] < 'A' ||
        name[prefix.size()] > 'Z')
      continue;
    if (result) {
      problem(name, "there is more than one " + std::string{prefix} + "[x]; keep one", issue_code::structure);
      return std::nullopt;
    }
    result.emplace(name.substr(prefix.size()), &value);
  }
  return result;
}

std::vector<fhir_object> fhir_object::extensions(std::string_view url) const {
  std::vector<fhir_object> result;
  const auto* list = find("extension");
  if (list == nullptr || !list->is_array())
    return result;
  std::size_t i = 0;
  for (const auto& e : *list) {
    const auto index = i++;
    if (!e.is_object())
      continue;
    const auto found = e.find("url");
    if (found != e.end() && found->is_string() && found->get_ref<const std::string&>() == url)
      result.push_back(inner(e, place_of("extension[" + std::to_string(index) + "]")));
  }
  return result;
}

void fhir_object::only(std::initializer_list<std::string_view> members) const {
  for (const auto& [name, value] : value_->items()) {
    const auto plain = std::string_view{name}.substr(name.size() > 1 && name.front() == '_' ? 1 : 0);
    if (std::find(members.begin(), members.end(), plain) == members.end())
      problem(quotable(name), "FHIR R4 knows no such member here; correct its name or remove it", issue_code::structure);
    else if (value.is_structured() && value.empty())
      problem(quotable(name), "it is empty; leave it out", issue_code::structure);
  }
  check_extensions();
}

/// Each has a url, and either a value (or at least what extends it) or extensions of its own (FHIR invariant ext-1).
void fhir_object::check_extensions() const {
  for (const auto* member : {"extension", "modifierExtension"}) {
    if (!has(member))
      continue;
    for (const auto& e : objects(member)) {
      if (!e.has("url"))
        e.problem("url is missing: it says what the extension means", issue_code::required);
      bool valued = false;
      for (const auto& [name, value] : e.value().items()) {
        const auto plain = std::string_view{name}.substr(name.starts_with('_') ? 1 : 0);
        valued = valued || (plain.size() > 5 && plain.starts_with("value") && plain[5] >= 'A' && plain[5] <= 'Z');
      }
      if (valued == e.has("extension"))
        e.breaks("ext-1", "", "an extension has either a value or extensions of its own");
    }
  }
}

text_with_translations fhir_object::text(std::string_view member) const {
  text_with_translations result;
  result.text = string(member).value_or("");
  const auto shadow = object("_" + std::string{member});
  if (!shadow)
    return result;
  for (const auto& translation : shadow->extensions(translation_url)) {
    std::string language, content;
    for (const auto& part : translation.objects("extension")) {
      const auto url = part.string("url").value_or("");
      if (url == "lang")
        language = part.string("valueCode").value_or("");
      else if (url == "content")
        content = (part.has("valueMarkdown") ? part.string("valueMarkdown") : part.string("valueString")).value_or("");
    }
    if (language.empty() || content.empty())
      translation.problem("a translation needs the extensions \"lang\" (valueCode) and \"content\" (valueString)");
    else
      result.translations.emplace_back(std::move(language), std::move(content));
  }
  return result;
}

} // namespace epione::domain
