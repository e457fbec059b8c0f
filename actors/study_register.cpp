#include "actors/study_register.hpp"

#include "domain/digest.hpp"
#include "domain/event.hpp"
#include "domain/msgpack.hpp"
#include "domain/study_file.hpp"
#include "runtime/local_time.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace epione::actors {

namespace {

std::array<std::uint8_t, 32> digest_of(std::string_view bytes) {
  std::array<std::uint8_t, 32> result{};
  domain::digest<32>{}.add(bytes).finish(result);
  return result;
}

struct form_version {
  std::string file, form, version;
  std::array<std::uint8_t, 32> content{};
};

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// The content without white space between and order of members, and without what says whether and when it is used, or what a
/// server calls it: a version may be retired under its own name.
form_version version_of(const std::string& form, const domain::study_source::file& file) {
  auto json = nlohmann::json::parse(file.text, nullptr, false);
  if (!json.is_object())
    return {file.name, form, {}, digest_of(file.text)};
  for (const auto* member : {"status", "date", "effectivePeriod", "approvalDate", "lastReviewDate", "meta", "id"})
    json.erase(member);
  return {file.name, form, text_member(json, "version"), digest_of(json.dump())};
}

/// Every form by the name that submissions use.
std::vector<form_version> versions_of(const domain::study_source& source) {
  std::vector<form_version> result;
  std::vector<domain::import_problem> ignored; // only the names count here
  domain::file_problems problems{"study.toml", ignored};
  for (const auto& entry : domain::read_study_file(source.toml, problems).forms)
    for (const auto& file : source.forms)
      if (file.name == entry.file)
        result.push_back(version_of(entry.id, file));
  return result;
}

/// Whether every version of a form among `others` is among `forms`.
bool has_all(const std::vector<form_version>& forms, const std::vector<form_version>& others) {
  return std::all_of(others.begin(), others.end(), [&](const auto& o) {
    return std::any_of(forms.begin(), forms.end(), [&](const auto& f) { return f.form == o.form && f.version == o.version; });
  });
}

/// What only a node can know: a mistyped zone would hold notices back by the quiet hours of UTC.
std::vector<domain::import_problem> unknown_zones(const domain::study& study) {
  std::vector<domain::import_problem> problems;
  std::size_t place = 0;
  for (const auto* who : study.recipients()) {
    if (!runtime::is_known_zone(who->zone))
      problems.push_back({"study.toml", "recipients[" + std::to_string(place) + "].zone (" + who->id + ")",
                          "the time zone database of this node has no zone \"" + who->zone +
                              "\"; write an IANA name such as \"Europe/Berlin\", or install tzdata"});
    ++place;
  }
  return problems;
}

} // namespace

tl::expected<bool, std::string> study_register::add(const messages::stored_event& stored) {
  last_seq_ = stored.seq;
  auto event = domain::decode_event(stored.bytes);
  if (!event)
    return tl::unexpected(event.error());
  if (event->action != study_import_action)
    return false;
  auto source = domain::decode_study_source(event->after);
  if (!source)
    return tl::unexpected(source.error());
  auto& study = studies_[event->entity];
  study.newest = digest_of(event->after);
  const auto forms = versions_of(*source);
  std::erase_if(study.sources, [&](const auto& waiting) { return has_all(forms, versions_of(*waiting)); });
  for (const auto& form : forms)
    study.versions.insert_or_assign({form.form, form.version}, form.content);
  study.source = std::make_shared<const domain::study_source>(std::move(*source));
  study.sources.push_back(study.source);
  return true;
}

tl::expected<study_register::import_check, std::vector<domain::import_problem>>
study_register::check(const domain::study_source& source) const {
  if (!source.adds_to.empty()) {
    const auto known = studies_.find(source.adds_to);
    if (known == studies_.end() || source.forms.size() != 1)
      return tl::unexpected(std::vector<domain::import_problem>{{"", "", "there is no study \"" + source.adds_to + "\""}});
    const auto whole = domain::with_form(*known->second.source, source.forms[0].name, source.forms[0].text);
    if (!whole)
      return tl::unexpected(std::vector{whole.error()});
    return check(*whole);
  }
  const auto compiled = domain::compile_study(source);
  if (!compiled)
    return tl::unexpected(compiled.error());
  import_check result{(*compiled)->id(), false, {}, domain::encode(source)};
  auto problems = unknown_zones(**compiled);
  if (!problems.empty())
    return tl::unexpected(std::move(problems));
  const auto known = studies_.find(result.id);
  if (known == studies_.end())
    return result;
  const auto& study = known->second;
  result.unchanged = study.newest == digest_of(result.after);
  domain::append_bin(result.before, {reinterpret_cast<const char*>(study.newest.data()), study.newest.size()});
  for (const auto& form : versions_of(source)) {
    const auto same = study.versions.find({form.form, form.version});
    if (same != study.versions.end() && same->second != form.content)
      problems.push_back(
          {form.file, "version",
           "version \"" + form.version + "\" of form \"" + form.form +
               "\" was imported before with other content, and answers may refer to it; give the form a new version"});
  }
  if (!problems.empty())
    return tl::unexpected(std::move(problems));
  return result;
}

std::shared_ptr<const runtime::catalog_snapshot> study_register::snapshot(const left_out& tell) {
  auto result = std::make_shared<runtime::catalog_snapshot>();
  result->seq = last_seq_;
  for (auto& [id, study] : studies_) {
    for (const auto& source : study.sources) {
      auto compiled = domain::compile_study(*source, study.compiled.get());
      study.served = compiled.has_value();
      if (compiled)
        study.compiled = std::move(*compiled);
      else if (source == study.sources.back())
        tell(id, compiled.error().size());
    }
    study.sources.clear();
    if (study.served)
      result->studies.emplace(id, study.compiled);
  }
  return result;
}

} // namespace epione::actors
