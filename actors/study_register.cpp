#include "actors/study_register.hpp"

#include "domain/digest.hpp"
#include "domain/event.hpp"
#include "domain/limits.hpp"
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
  std::string file, form, version, url;
  std::array<std::uint8_t, 32> content{}; ///< without what may change under a version
  std::array<std::uint8_t, 32> whole{};   ///< with it
};

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// The content without white space between and order of members, and without what a server calls it; and once more without what
/// says whether and when it is used: a version may be retired under its own name.
form_version version_of(const std::string& form, const domain::study_source::file& file) {
  auto json = nlohmann::json::parse(file.text, nullptr, false);
  if (!json.is_object())
    return {file.name, form, {}, {}, digest_of(file.text), digest_of(file.text)};
  for (const auto* member : {"meta", "id"})
    json.erase(member);
  const auto whole = digest_of(json.dump());
  for (const auto* member : {"status", "date", "effectivePeriod", "approvalDate", "lastReviewDate"})
    json.erase(member);
  return {file.name, form, text_member(json, "version"), text_member(json, "url"), digest_of(json.dump()), whole};
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

domain::import_problem other_content(const form_version& form) {
  return {form.file, "version",
          "version \"" + form.version + "\" of form \"" + form.form +
              "\" was imported before with other content, and answers may refer to it; give the form a new version"};
}

domain::import_problem too_many_versions(std::size_t earlier) {
  return {"study.toml", "forms",
          "with this the study would have " + std::to_string(earlier) + " earlier versions of forms, and at most " +
              std::to_string(domain::limits::earlier_forms_max) +
              " are kept for those who still answer them; keep the versions that the forms have, or begin a study of another id"};
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
  changed_seq_ = stored.seq;
  auto& study = studies_[event->entity];
  study.newest = digest_of(event->after);
  const auto forms = versions_of(*source);
  std::erase_if(study.sources, [&](const auto& waiting) { return has_all(forms, versions_of(*waiting)); });
  for (const auto& form : forms) {
    const auto [at, fresh] = study.versions.try_emplace({form.form, form.version});
    auto& kept = at->second;
    kept = {form.content, form.whole, fresh || kept.whole != form.whole ? event->time_us : kept.modified_us};
    study.urls.insert_or_assign(form.form, form.url);
  }
  study.source = std::make_shared<const domain::study_source>(std::move(*source));
  study.sources.push_back(study.source);
  return true;
}

tl::expected<study_register::import_check, std::vector<domain::import_problem>>
study_register::check(const domain::study_source& source) const {
  const auto compiled = domain::compile_study(source);
  if (!compiled)
    return tl::unexpected(compiled.error());
  import_check result{(*compiled)->id(), {}, false, {}, domain::encode(source)};
  auto problems = unknown_zones(**compiled);
  if (!problems.empty())
    return tl::unexpected(std::move(problems));
  const auto known = studies_.find(result.id);
  if (known == studies_.end())
    return result;
  const auto& study = known->second;
  result.unchanged = study.newest == digest_of(result.after);
  domain::append_bin(result.before, {reinterpret_cast<const char*>(study.newest.data()), study.newest.size()});
  const auto forms = versions_of(source);
  auto versions = study.versions.size();
  for (const auto& form : forms) {
    const auto same = study.versions.find({form.form, form.version});
    if (same == study.versions.end())
      ++versions;
    else if (same->second.content != form.content)
      problems.push_back(other_content(form));
  }
  // A study that had more before this was looked at may still be imported as long as it does not lose another one.
  const auto earlier = versions - forms.size(), earlier_now = study.versions.size() - versions_of(*study.source).size();
  if (earlier > domain::limits::earlier_forms_max && earlier > earlier_now)
    problems.push_back(too_many_versions(earlier));
  if (!problems.empty())
    return tl::unexpected(std::move(problems));
  return result;
}

tl::expected<study_register::import_check, study_register::refusal>
study_register::check(const domain::form_addition& addition) const {
  const auto known = studies_.find(addition.study);
  if (known == studies_.end())
    return tl::unexpected(refusal{ec::not_found, {{"", "", "there is no study \"" + addition.study + "\""}}});
  const auto& study = known->second;
  const auto id = domain::form_id_for(*study.source, study.urls, addition.questionnaire);
  const auto whole = domain::with_form(*study.source, id, addition.questionnaire);
  if (!whole)
    return tl::unexpected(refusal{ec::invalid, {whole.error()}});
  const auto form = version_of(id, {id + ".json", addition.questionnaire});
  if (const auto had = study.versions.find({id, form.version}); had != study.versions.end()) {
    if (had->second.content != form.content)
      return tl::unexpected(refusal{ec::conflict, {other_content(form)}});
    // An earlier version stays an earlier one. A form that was taken out of the study comes back with it.
    const auto forms = versions_of(*study.source);
    const auto now = std::find_if(forms.begin(), forms.end(), [&](const auto& f) { return f.form == id; });
    if (now != forms.end() && (now->version != form.version || had->second.whole == form.whole))
      return import_check{addition.study, id, true, {}, {}};
  }
  auto checked = check(*whole);
  if (!checked)
    return tl::unexpected(refusal{ec::invalid, std::move(checked.error())});
  checked->form = id;
  return std::move(*checked);
}

std::shared_ptr<const runtime::catalog_snapshot> study_register::snapshot(const left_out& tell) {
  auto result = std::make_shared<runtime::catalog_snapshot>();
  result->seq = last_seq_;
  result->changed_seq = changed_seq_;
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
    if (!study.served)
      continue;
    result->studies.emplace(id, study.compiled);
    auto& times = result->times[id];
    for (const auto& [version, kept] : study.versions)
      times.emplace(version, kept.modified_us);
  }
  return result;
}

} // namespace epione::actors
