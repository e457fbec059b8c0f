// Looking at one submission: {"form", "answers", "authored", "version"}, checked, scored, and its alerts raised.
#include "domain/compiled_study.hpp"
#include "domain/date_text.hpp"
#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/msgpack.hpp"
#include "domain/response_check.hpp"

#include <iterator>

namespace epione::domain {

namespace {

/// The members of a submission, as they lie in its bytes; empty where there is none.
struct members {
  std::string_view form, answers, authored, version;
};

members read_members(std::string_view content, problem_list& problems) {
  members m;
  msgpack_reader r{content};
  const auto map = r.next();
  if (map.type != msgpack_type::map) {
    problems.add("", "type", "data must be an object with the members form and answers");
    return m;
  }
  for (std::uint32_t i = 0; i < map.count; ++i) {
    const auto name = r.next();
    std::string_view raw;
    if (name.type != msgpack_type::string || !r.skip(raw)) {
      problems.add("", "content", "data could not be read to its end");
      return m;
    }
    if (name.text == "form")
      m.form = raw;
    else if (name.text == "answers")
      m.answers = raw;
    else if (name.text == "authored")
      m.authored = raw;
    else if (name.text == "version")
      m.version = raw;
    else
      problems.add("", "unknown-member", "data has no member \"" + quotable(name.text) + "\"",
                   {"form", "answers", "authored", "version"});
  }
  if (!r.at_end())
    problems.add("", "content", "something follows data");
  return m;
}

std::vector<std::string> form_ids(const compiled_study& study) {
  std::vector<std::string> ids;
  if (study.forms.size() <= limits::allowed_max)
    for (const auto& f : study.forms)
      ids.push_back(f.id);
  return ids;
}

const compiled_form* find_form(const compiled_study& study, std::string_view raw, problem_list& problems) {
  if (raw.empty()) {
    problems.add("", "missing-form", "form is missing: it names the form that was answered", form_ids(study));
    return nullptr;
  }
  const auto v = msgpack_reader{raw}.next();
  if (v.type != msgpack_type::string) {
    problems.add("", "type", "form must be a string", form_ids(study));
    return nullptr;
  }
  const auto* form = study.find_form(v.text);
  if (form == nullptr)
    problems.add("", "unknown-form", "the study has no such form", form_ids(study));
  return form;
}

void check_authored(std::string_view raw, std::string& authored, problem_list& problems) {
  if (raw.empty())
    return;
  const auto v = msgpack_reader{raw}.next();
  if (v.type != msgpack_type::string || !is_rfc3339(v.text))
    problems.add("", "authored-format",
                 "authored must be a string with a date, time and zone as in RFC 3339: 2024-05-01T08:30:00+02:00");
  else
    authored.assign(v.text);
}

/// The version that was answered: the newest one unless another one is named.
const compiled_form* choose_version(const compiled_study& study, std::string_view raw, const compiled_form& newest,
                                    problem_list& problems) {
  if (raw.empty())
    return &newest;
  const auto v = msgpack_reader{raw}.next();
  if (v.type != msgpack_type::string) {
    problems.add("", "type", "version must be a string", {newest.version});
    return &newest;
  }
  if (const auto* named = study.find_form(newest.id, v.text))
    return named;
  std::vector<std::string> known{newest.version};
  for (const auto& f : study.earlier)
    if (f->id == newest.id && known.size() < limits::allowed_max)
      known.push_back(f->version);
  problems.add("", "unknown-version", "the study has other versions of this form", std::move(known));
  return &newest;
}

/// What the form's own status says about answering it now. Of a retired form effectivePeriod.end says since when, or else its
/// date.
void check_publication(const questionnaire& form, std::string_view authored, std::optional<std::int64_t> now_us,
                       problem_list& problems, problem_list& warnings) {
  const auto written = parse_fhir_date_time(authored);
  const auto at = written ? std::optional{written->first} : now_us;
  if (form.status == publication_status::retired) {
    const auto& since = form.valid_until ? form.valid_until : form.date;
    if (!at || !since || *at >= (form.valid_until ? since->last : since->first))
      problems.add("", "retired-form",
                   "the form is retired; only what was answered before is accepted, with authored saying when that was");
    return;
  }
  if (form.status != publication_status::active)
    warnings.add("", "form-status",
                 form.status == publication_status::draft ? "the form is a draft; it may still change"
                                                          : "the form's status is not known");
  if (at && form.valid_from && *at < form.valid_from->first)
    warnings.add("", "form-period", "it was answered before the form's effectivePeriod began");
  if (at && form.valid_until && *at > form.valid_until->last)
    warnings.add("", "form-period", "it was answered after the form's effectivePeriod ended");
}

void score_and_alert(const compiled_form& form, answers_check& answers, verdict& result) {
  std::vector<std::optional<score>> scores;
  scores.reserve(form.scores.size());
  for (const auto& rule : form.scores)
    scores.push_back(compute(rule, answers, scores, form.scores));
  for (const auto& rule : form.alerts)
    if (is_raised(rule, answers, scores))
      result.alerts.push_back({rule.id});
  result.scores.reserve(scores.size());
  for (auto& s : scores)
    if (s)
      result.scores.push_back(std::move(*s));
}

} // namespace

verdict assess(const compiled_study& study, std::string_view content, std::optional<std::int64_t> now_us) {
  verdict result;
  problem_list problems{result.problems};
  const auto m = read_members(content, problems);
  if (!result.problems.empty() && m.form.empty() && m.answers.empty())
    return result; // nothing of it was understood
  check_authored(m.authored, result.authored, problems);
  const auto* form = find_form(study, m.form, problems);
  if (m.answers.empty())
    problems.add("", "missing-answers", "answers is missing: an object, linkId to answer");
  if (form == nullptr)
    return result;
  form = choose_version(study, m.version, *form, problems);
  result.form = form->id;
  result.version = form->version;
  problem_list warnings{result.warnings};
  check_publication(form->form, result.authored, now_us, problems, warnings);
  if (m.answers.empty())
    return result;
  answers_check answers{form->form, result.problems};
  answers.run(m.answers, result.authored, now_us);
  auto of_answers = answers.take_warnings();
  std::move(of_answers.begin(), of_answers.end(), std::back_inserter(result.warnings));
  if (!result.problems.empty())
    return result;
  score_and_alert(*form, answers, result);
  result.answers = answers.take_stored();
  return result;
}

} // namespace epione::domain
