#include "actors/validator.hpp"

#include "actors/reply_text.hpp"
#include "domain/fhir_assess.hpp"
#include "domain/fhir_outcome.hpp"
#include "runtime/mutation.hpp"

namespace epione::actors {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

namespace {

assessment refused(const submission& s, int status, std::string body) {
  assessment result;
  result.id = s.id;
  result.status = status;
  result.refusal = std::move(body);
  return result;
}

std::string issues_text(const std::vector<domain::fhir_issue>& issues) {
  return domain::operation_outcome(issues);
}

assessment refused(const submission& s, domain::issue_type code, std::string sentence) {
  return refused(s, 404,
                 issues_text({{domain::issue_severity::error, code, "QuestionnaireResponse.subject", "", std::move(sentence)}}));
}

/// A node may lead a shard before it has read the studies: that it does not know one says nothing until then. Without this a form
/// of an enrolled patient is refused for good right after a restart.
assessment not_read_yet(const submission& s) {
  constexpr std::string_view sentence = "the studies are being read; try again";
  return refused(s, 503,
                 s.kind == content_kind::data ? unavailable_text(sentence, outcome::not_stored)
                                              : domain::outcome_text("transient", sentence, "not_stored"));
}

/// What is recorded of it, however it was written; the notices and what came with it are its writer's.
template <class Verdict>
domain::submission_record record_of(const submission& s, std::string site, Verdict verdict, std::int64_t stored_us) {
  domain::submission_record record;
  record.study = s.study;
  record.subject = s.subject;
  record.site = std::move(site);
  record.key = s.key;
  record.id = s.id;
  record.content_fingerprint = s.fingerprint;
  record.form = std::move(verdict.form);
  record.version = std::move(verdict.version);
  record.authored = std::move(verdict.authored);
  record.stored_us = stored_us;
  record.answers = std::move(verdict.answers);
  record.scores = std::move(verdict.scores);
  record.alerts = std::move(verdict.alerts);
  return record;
}

assessment accepted(const submission& s, const domain::submission_record& record) {
  auto command = std::make_shared<domain::command>();
  command->type = record.notices.empty() ? domain::command_type::submission : domain::command_type::submission_with_notices;
  command->subject_hash = s.subject_hash;
  command->id = s.id;
  command->content = s.fingerprint;
  command->event = domain::encode_submission_event(record);
  assessment result;
  result.id = s.id;
  result.status = 202;
  result.alerts = static_cast<std::uint32_t>(record.alerts.size());
  result.command = std::move(command);
  return result;
}

/// A whole QuestionnaireResponse; what is wrong is an OperationOutcome.
assessment assess_response(const runtime::environment& env, const runtime::catalog_view& catalog, const submission& s) {
  if (!catalog.ready())
    return not_read_yet(s);
  const auto snapshot = catalog.get();
  const auto found = snapshot->studies.find(s.study);
  if (found == snapshot->studies.end())
    return refused(s, domain::issue_code::not_found, "unknown study");
  const auto& study = *found->second;
  auto site = study.site_of(s.subject);
  if (!site)
    return refused(s, domain::issue_code::not_found, "unknown subject: the study has no such patient");
  const auto now_us = env.clock.wall_us();
  auto verdict = domain::assess_response(study, s.content,
                                         s.amends ? domain::response_purpose::amend : domain::response_purpose::create, now_us);
  if (!verdict.accepted())
    return refused(s, 422, issues_text(verdict.issues));
  auto record = record_of(s, std::move(*site), std::move(verdict), now_us);
  record.notices = study.plan_notices(record.site, record.form, record.alerts);
  record.resource = s.content;
  return accepted(s, record);
}

/// What is planted in assessments: runtime/mutation.hpp.
void mutate(domain::verdict& v) {
  if (mutated(mutation::score_off_by_one) && !v.scores.empty())
    v.scores.front().value += 1;
  if (mutated(mutation::accept_unanswered) && !v.accepted() && v.problems.front().code == "required") {
    v.problems.clear();
    v.answers = "\x80"; // an empty map
  }
}

assessment assess(const runtime::environment& env, const runtime::catalog_view& catalog, const submission& s) {
  if (!catalog.ready())
    return not_read_yet(s);
  const auto snapshot = catalog.get();
  const auto found = snapshot->studies.find(s.study);
  if (found == snapshot->studies.end())
    return refused(s, 404, error_text("unknown study"));
  const auto& study = *found->second;
  auto site = study.site_of(s.subject);
  if (!site)
    return refused(s, 404, error_text("unknown subject: the study has no subject with this patientId"));
  const auto now_us = env.clock.wall_us();
  auto verdict = study.assess(s.content, now_us);
  mutate(verdict);
  if (!verdict.accepted())
    return refused(s, 422, problems_text(verdict.problems));
  auto results = results_text(verdict.scores, verdict.warnings);
  auto record = record_of(s, std::move(*site), std::move(verdict), now_us);
  if (!mutated(mutation::alert_without_notice))
    record.notices = study.plan_notices(record.site, record.form, record.alerts);
  auto result = accepted(s, record);
  result.results = std::move(results);
  return result;
}

} // namespace

validator_actor::behavior_type validator(validator_actor::stateful_pointer<validator_state> self, const runtime::environment& env,
                                         std::string name, const runtime::catalog_view& catalog) {
  runtime::prepare(self, env, name);
  self->set_exception_handler([self, &env, name](std::exception_ptr&) -> caf::error {
    env.log.error(name, "ended by an exception while checking a submission", {{"receipt", to_text(self->state.current)}});
    return caf::make_error(ec::crashed_on_input, to_text(self->state.current));
  });
  return {
      [self, &env, &catalog](check_atom, const submission_ptr& s, const assessment_client& client) {
        self->state.current = s->id;
        runtime::fault_point(env.faults, "validator.check", s->subject);
        auto result = std::make_shared<assessment>(s->kind == content_kind::data ? assess(env, catalog, *s)
                                                                                 : assess_response(env, catalog, *s));
        result->what = s;
        runtime::fault_point(env.faults, "validator.checked", s->subject);
        ++self->state.checked;
        self->send(client, verdict_atom::value, assessment_ptr{std::move(result)});
      },
      [self, name](status_atom) -> status_report_ptr {
        return std::make_shared<const status_report>(
            status_report{name, "running", {{"checked", std::to_string(self->state.checked)}}});
      },
  };
}

} // namespace epione::actors
