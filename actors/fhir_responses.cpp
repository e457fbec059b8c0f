// QuestionnaireResponses of the FHIR interface, one at a time: create, read, vread, update as an amendment, history.
#include "actors/fhir_service.hpp"
#include "domain/canonical.hpp"
#include "domain/compiled_study.hpp"
#include "domain/date_text.hpp"
#include "domain/fhir_answers.hpp"
#include "domain/fhir_assess.hpp"
#include "domain/fhir_outcome.hpp"
#include "domain/fhir_text.hpp"
#include "domain/limits.hpp"
#include "domain/questionnaire_response.hpp"
#include "runtime/defaults.hpp"

#include <array>
#include <charconv>

namespace epione::actors {

using namespace messages;
namespace defaults = runtime::defaults;

namespace {

constexpr std::string_view type_name = "QuestionnaireResponse";

/// Whose response it is: a reference to a Patient, or an identifier that is the subject's id.
std::optional<std::string> subject_in(const domain::json_document& json) {
  const auto subject = json.find(0, "subject");
  if (subject == 0)
    return std::nullopt;
  if (const auto reference = domain::json_text_at(json, subject, "reference"); !reference.empty())
    return domain::subject_of_patient(id_of_reference(reference, "Patient"));
  const auto identifier = json.find(subject, "identifier");
  const auto value = identifier == 0 ? std::string_view{} : domain::json_text_at(json, identifier, "value");
  return value.empty() || value.size() > defaults::subject_bytes_max ? std::nullopt : std::optional{std::string{value}};
}

std::string random_key(runtime::random_source& random) {
  domain::id128 chance;
  random.fill(chance.bytes);
  return to_text(chance);
}

} // namespace

// ---- from a resource to what is sent to a shard ---------------------------------------------------------------------------

tl::expected<submission, fhir_service::refusal> fhir_service::new_submission(const call& c,
                                                                             const domain::json_document& json) const {
  const auto refuse = [](int status, std::string_view code, std::string_view sentence) {
    return tl::unexpected(refusal{status, domain::outcome_text(code, sentence)});
  };
  if (domain::json_text_at(json, 0, "resourceType") != type_name)
    return refuse(400, "structure", "the resource must be a QuestionnaireResponse");
  if (is_subset(json))
    return refuse(422, "business-rule", subset_refused);
  auto subject = subject_in(json);
  if (!subject)
    return refuse(422, "required",
                  "subject must be a reference to the patient, Patient/ID, or an identifier with the patient's id");
  std::string problem;
  const auto study = study_for(c, *catalog_.get(), *subject, domain::json_text_at(json, 0, "questionnaire"), problem);
  if (study == nullptr)
    return refuse(problem.starts_with("several") ? 400 : 422, "not-found", problem);
  submission s;
  const auto& r = *c.request;
  if (r.idempotency_key && r.if_none_exist)
    return refuse(400, "invalid", "Idempotency-Key and If-None-Exist are both given; one of them names this response");
  if (r.idempotency_key) {
    const auto key = unquoted_key(*r.idempotency_key);
    if (!key || key->empty() || !domain::valid_utf8(*key))
      return refuse(400, "invalid", "Idempotency-Key is not a text");
    s.key = *key;
  } else if (r.if_none_exist) {
    const auto criteria = parse_query(*r.if_none_exist);
    if (!criteria || criteria->size() != 1 || criteria->front().first != "identifier" || criteria->front().second.empty())
      return refuse(412, "not-supported", "If-None-Exist must be identifier=SYSTEM|VALUE and nothing else");
    const auto wanted = identifier_choice(criteria->front().second);
    const auto own = json.find(0, "identifier");
    const auto system = own == 0 ? std::string_view{} : domain::json_text_at(json, own, "system");
    const auto value = own == 0 ? std::string_view{} : domain::json_text_at(json, own, "value");
    if (wanted.any_value || value != wanted.value || (!wanted.any_system && system != wanted.system))
      return refuse(422, "business-rule", "If-None-Exist must name the identifier that the response itself has");
    s.key = "identifier:" + std::string{system} + "|" + std::string{value};
  } else {
    s.key = random_key(random_);
  }
  if (s.key.size() > defaults::key_bytes_max)
    return refuse(400, "too-long", "the key or identifier is longer than " + std::to_string(defaults::key_bytes_max) + " bytes");
  s.key_given = r.idempotency_key || r.if_none_exist;
  s.study = study->id();
  s.subject = std::move(*subject);
  s.subject_hash = domain::subject_hash(s.study, s.subject);
  s.shard = domain::shard_of(s.subject_hash, options_.shards);
  s.id = domain::make_receipt(s.study, s.subject, s.key);
  s.content = domain::stored_resource(json);
  s.fingerprint = domain::make_fingerprint(s.content);
  s.received_ns = r.received_ns;
  s.kind = content_kind::response;
  return s;
}

tl::expected<change, fhir_service::refusal> fhir_service::new_amendment(const call& c, const domain::json_document& json,
                                                                        const std::string& id, const stored_event& stored) const {
  const auto refuse = [](int status, std::string_view code, std::string_view sentence) {
    return tl::unexpected(refusal{status, domain::outcome_text(code, sentence)});
  };
  if (domain::json_text_at(json, 0, "resourceType") != type_name)
    return refuse(400, "structure", "the resource must be a QuestionnaireResponse");
  if (domain::json_text_at(json, 0, "id") != id)
    return refuse(400, "invalid", "the resource's id must be the one in the address");
  if (is_subset(json))
    return refuse(422, "business-rule", subset_refused);
  const auto record = domain::decode_record_event(stored.bytes);
  if (!record)
    return tl::unexpected(refusal{500, unreadable().body});
  if (subject_in(json) != record->subject)
    return refuse(422, "business-rule", "an amendment must not change whose response it is: subject");
  change out;
  if (c.request->if_match) {
    const auto expected = version_in_etag(*c.request->if_match);
    if (!expected)
      return refuse(400, "invalid", "If-Match must be the ETag of a version, such as W/\"1\"");
    out.expected = *expected;
  }
  if (!c.request->provenance)
    return refuse(422, "required",
                  "an amendment needs a reason: a header X-Provenance with a Provenance as JSON whose reason[0] has a text");
  auto why = read_provenance(*c.request->provenance);
  if (!why)
    return refuse(422, "required", why.error());
  out.who = std::move(why->who);
  out.role = std::move(why->role);
  out.reason = std::move(why->reason);
  auto& s = out.what;
  s.study = record->study;
  s.subject = record->subject;
  s.key = record->key;
  s.key_given = true;
  s.subject_hash = domain::subject_hash(s.study, s.subject);
  s.shard = domain::shard_of(s.subject_hash, options_.shards);
  s.id = record->id;
  s.content = domain::stored_resource(json);
  s.fingerprint = domain::make_fingerprint(s.content);
  s.received_ns = c.request->received_ns;
  s.kind = content_kind::response;
  s.amends = true;
  return out;
}

// ---- where a response is -------------------------------------------------------------------------------------------------

void fhir_service::remember(const domain::receipt& id, place where) {
  if (!located_.emplace(id, where).second)
    return;
  located_order_.push_back(id);
  if (located_order_.size() > defaults::located_max) {
    located_.erase(located_order_.front());
    located_order_.pop_front();
  }
}

/// A receipt does not say whose it is: where it was not heard of lately, every shard is asked.
void fhir_service::locate(const domain::receipt& id, std::function<void(read_answer)> then) {
  const auto request = [&](std::uint32_t shard, std::uint64_t hash, bool anywhere) {
    auto r = std::make_shared<read_request>();
    r->id = id;
    r->shard = shard;
    r->subject_hash = hash;
    r->anywhere = anywhere;
    return r;
  };
  if (const auto known = located_.find(id); known != located_.end()) {
    ports_.read(request(known->second.shard, known->second.subject_hash, false), [then](const std::vector<stored_event>* events) {
      then({events == nullptr, events == nullptr ? std::vector<stored_event>{} : *events});
    });
    return;
  }
  struct survey {
    std::uint32_t open;
    bool failed = false, done = false;
  };
  auto all = std::make_shared<survey>(survey{options_.shards});
  for (std::uint32_t shard = 1; shard <= options_.shards; ++shard)
    ports_.read(request(shard, shard, true), [this, id, shard, all, then](const std::vector<stored_event>* events) {
      --all->open;
      all->failed = all->failed || events == nullptr;
      if (all->done)
        return;
      if (events != nullptr && !events->empty()) {
        all->done = true;
        if (const auto record = domain::decode_record_event(events->front().bytes))
          remember(id, {domain::subject_hash(record->study, record->subject), shard});
        then({false, *events});
      } else if (all->open == 0) {
        then({all->failed, {}});
      }
    });
}

// ---- showing -------------------------------------------------------------------------------------------------------------

/// In their order; none when one of them cannot be read: half a history is never shown as a whole one.
std::vector<fhir_service::version> fhir_service::versions_of(const stored_event& e) const {
  std::vector<version> out;
  auto first = domain::decode_record_event(e.bytes);
  if (!first)
    return {};
  out.push_back({1, std::move(*first)});
  for (const auto& a : e.amendments) {
    auto next = domain::decode_amendment_event(a.bytes);
    if (!next)
      return {};
    out.push_back({next->version, std::move(next->after)});
  }
  return out;
}

std::optional<std::string> fhir_service::resource_of(const version& v) const {
  const auto& r = v.record;
  if (!r.resource.empty()) {
    const auto json = domain::json_document::parse(r.resource, domain::limits::json_depth_max);
    return json ? std::optional{domain::shown_resource(*json, to_text(r.id), v.number, r.stored_us)} : std::nullopt;
  }
  const auto snapshot = catalog_.get();
  const auto study = snapshot->studies.find(r.study);
  const auto* form = study == snapshot->studies.end() ? nullptr : domain::find_form(study->second->compiled(), r.form, r.version);
  return form == nullptr ? std::nullopt : domain::short_as_response(r, form->form, v.number);
}

fhir_answer fhir_service::unreadable() const {
  return {.status = 500,
          .body = domain::outcome_text("exception", "the stored response could not be shown: it cannot be decoded, or "
                                                    "the study no longer has the form in the version it answers")};
}

/// That it is stored, and what the form only warns of.
std::string fhir_service::stored_outcome(const domain::submission_record& r, std::string_view sentence) const {
  const auto snapshot = catalog_.get();
  const auto study = snapshot->studies.find(r.study);
  const auto* form = study == snapshot->studies.end() ? nullptr : domain::find_form(study->second->compiled(), r.form, r.version);
  const auto json = domain::json_document::parse(r.resource, domain::limits::json_depth_max);
  std::vector<domain::fhir_issue> issues;
  if (form != nullptr && json)
    issues = domain::check_response(*json, form->form, {.now_us = r.stored_us});
  std::erase_if(issues, [](const auto& i) { return i.severity != domain::issue_severity::warning; });
  if (issues.empty())
    return domain::outcome_text("informational", sentence, {}, "information");
  return domain::operation_outcome(issues);
}

void fhir_service::answer_version(const call& c, int status, const version& v) const {
  fhir_answer a;
  a.status = status;
  a.version = v.number;
  a.modified_us = v.record.stored_us;
  const auto id = to_text(v.record.id);
  const bool is_read = c.request->method == fhir_request::verb::get;
  if (!is_read)
    a.location = c.request->base + "/QuestionnaireResponse/" + id + "/_history/" + std::to_string(v.number);
  if (is_read || c.wanted == wanted_return::representation) {
    auto text = resource_of(v);
    if (!text)
      return c.done(unreadable());
    a.body = part_of_resource(std::move(*text), c.part);
  } else if (c.wanted == wanted_return::outcome) {
    a.body = stored_outcome(v.record, status == 201 ? "the response is stored" : "the response was stored");
  }
  if (is_read)
    answer_read(c, std::move(a), true);
  else
    c.done(std::move(a));
}

/// `event` is the bytes of the event that made the version.
void fhir_service::answer_stored(const call_ptr& c, int status, std::string_view event) const {
  auto record = domain::decode_record_event(event);
  if (!record)
    return c->done(unreadable());
  answer_version(*c, status, {domain::amended_version(event).value_or(1), std::move(*record)});
}

/// A refusal from inside: an OperationOutcome already, or the short form's {"error", "outcome"}.
void fhir_service::answer_failure(const call& c, int status, const std::string& text, std::uint32_t retry_after_s) const {
  fhir_answer a;
  a.status = status == 404 ? 422 : status; // what a resource names is not there; the address is
  a.retry_after_s = status == 503 ? std::max(retry_after_s, 1u) : 0;
  if (text.starts_with("{\n  \"resourceType\"") || text.starts_with("{\"resourceType\"")) {
    a.body = text;
  } else {
    const auto json = domain::json_document::parse(text, domain::limits::json_depth_max);
    const auto sentence = json ? domain::json_text_at(*json, 0, "error") : std::string_view{};
    a.body = domain::outcome_text(domain::issue_code_of_status(status), sentence.empty() ? "it failed" : sentence,
                                  json ? domain::json_text_at(*json, 0, "outcome") : std::string_view{});
  }
  c.done(std::move(a));
}

// ---- interactions ----------------------------------------------------------------------------------------------------------

void fhir_service::create(const call_ptr& c) {
  if (!c->only({"study"}))
    return;
  const auto json = domain::parse_response(c->request->body);
  if (!json)
    return c->done({.status = 400, .body = domain::operation_outcome({json.error()})});
  auto s = new_submission(*c, *json);
  if (!s)
    return c->done({.status = s.error().status, .body = std::move(s.error().outcome)});
  auto what = std::make_shared<const submission>(std::move(*s));
  ports_.submit(what, [this, c, what](const reply& r) {
    if (r.status == 200 || r.status == 202)
      remember(what->id, {what->subject_hash, what->shard});
    if (r.status == 202)
      return answer_stored(c, 201, r.body);
    if (r.status != 200)
      return answer_failure(*c, r.status, r.body, r.retry_after_s);
    locate(what->id, [this, c, first = r.body](const read_answer& a) { // it may have been amended since
      const auto versions = a.events.empty() ? std::vector<version>{} : versions_of(a.events.front());
      if (versions.empty())
        answer_stored(c, 200, first);
      else
        answer_version(*c, 200, versions.back());
    });
  });
}

void fhir_service::update(const call_ptr& c, const std::string& id) {
  if (!c->only({"study"}))
    return;
  auto json = domain::parse_response(c->request->body);
  if (!json)
    return c->done({.status = 400, .body = domain::operation_outcome({json.error()})});
  const auto unknown = [c] {
    fhir_answer a;
    a.status = 405;
    a.allow = "GET, HEAD";
    a.body = domain::outcome_text("not-supported",
                                  "there is no such response, and ids are given by this server: send a new one by POST");
    c->done(std::move(a));
  };
  const auto receipt = domain::parse_receipt(id);
  if (!receipt)
    return unknown();
  auto resource = std::make_shared<const domain::json_document>(std::move(*json));
  locate(*receipt, [this, c, id, resource, unknown](const read_answer& found) {
    if (found.failed)
      return c->done({.status = 503,
                      .body = domain::outcome_text("transient", "a shard cannot be read just now; try again", "not_stored"),
                      .retry_after_s = options_.retry_after_s});
    if (found.events.empty())
      return unknown();
    auto one = new_amendment(*c, *resource, id, found.events.front());
    if (!one)
      return c->done({.status = one.error().status, .body = std::move(one.error().outcome)});
    auto request = std::make_shared<change_request>();
    request->subject_hash = one->what.subject_hash;
    request->shard = one->what.shard;
    request->received_ns = c->request->received_ns;
    request->changes.push_back(std::move(*one));
    ports_.change(std::move(request), [this, c](const reply& r) {
      const auto results = decode_change_results(r.body);
      if (!results || results->results.empty())
        answer_failure(*c, r.status, r.body, r.retry_after_s);
      else if (r.status == 200)
        answer_stored(c, 200, results->results.front().text);
      else
        answer_failure(*c, r.status, results->results.front().text, r.retry_after_s);
    });
  });
}

void fhir_service::read(const call_ptr& c, const std::string& id, const std::string* version_text) {
  if (!c->only({"_summary", "_elements"}) || !c->take_part(false))
    return;
  const auto receipt = domain::parse_receipt(id);
  std::uint64_t wanted = 0;
  if (version_text != nullptr)
    std::from_chars(version_text->data(), version_text->data() + version_text->size(), wanted);
  if (!receipt || (version_text != nullptr && std::to_string(wanted) != *version_text))
    return c->fail(404, "not-found", "there is no such response");
  locate(*receipt, [this, c, wanted](const read_answer& found) {
    if (found.failed)
      return c->done({.status = 503,
                      .body = domain::outcome_text("transient", "a shard cannot be read just now; try again", "unknown"),
                      .retry_after_s = options_.retry_after_s});
    if (found.events.empty())
      return c->fail(404, "not-found", "there is no such response");
    const auto versions = versions_of(found.events.front());
    if (versions.empty())
      return c->done(unreadable());
    if (wanted > versions.size())
      return c->fail(404, "not-found", "the response has no such version");
    answer_version(*c, 200, wanted == 0 ? versions.back() : versions[wanted - 1]);
  });
}

void fhir_service::history(const call_ptr& c, const std::string& id) {
  if (!c->only({"_summary", "_elements"}) || !c->take_part(true))
    return;
  const auto receipt = domain::parse_receipt(id);
  if (!receipt)
    return c->fail(404, "not-found", "there is no such response");
  locate(*receipt, [this, c, id](const read_answer& found) {
    if (found.failed)
      return c->done({.status = 503,
                      .body = domain::outcome_text("transient", "a shard cannot be read just now; try again", "unknown"),
                      .retry_after_s = options_.retry_after_s});
    if (found.events.empty())
      return c->fail(404, "not-found", "there is no such response");
    const auto versions = versions_of(found.events.front());
    if (versions.empty())
      return c->done(unreadable());
    const auto address = c->request->base + "/QuestionnaireResponse/" + id;
    const auto query = query_text(c->query);
    std::string out = R"({"resourceType":"Bundle","type":"history","total":)" + std::to_string(versions.size()) +
                      R"(,"link":[{"relation":"self","url":)";
    domain::append_json_string(out, address + "/_history" + (query.empty() ? "" : "?" + query));
    if (c->part.what == wanted_part::choice::count)
      return c->done({.status = 200, .body = out + "}]}"});
    out += R"(}],"entry":[)";
    for (auto v = versions.rbegin(); v != versions.rend(); ++v) {
      const auto text = resource_of(*v);
      if (!text)
        return c->done(unreadable());
      out += v == versions.rbegin() ? R"({"fullUrl":)" : R"(,{"fullUrl":)";
      domain::append_json_string(out, address);
      out += R"(,"resource":)" + part_of_resource(*text, c->part) + R"(,"request":{"method":)";
      out += v->number == 1 ? R"("POST","url":"QuestionnaireResponse"})" : R"("PUT","url":"QuestionnaireResponse/)" + id + "\"}";
      out += R"(,"response":)";
      out += entry_response({.status = v->number == 1 ? 201 : 200, .version = v->number, .modified_us = v->record.stored_us});
      out += '}';
    }
    c->done({.status = 200, .body = out + "]}"});
  });
}

std::string entry_response(const fhir_answer& a) {
  std::string out = R"({"status":")" + status_line(a.status) + "\"";
  if (!a.location.empty()) {
    out += R"(,"location":)";
    domain::append_json_string(out, a.location);
  }
  if (a.version != 0)
    out += R"(,"etag":"W/\")" + std::to_string(a.version) + R"(\"")";
  else if (!a.etag_text.empty()) // of letters, digits, "-" and "."
    out += R"(,"etag":"W/\")" + a.etag_text + R"(\"")";
  if (a.modified_us != 0) {
    out += R"(,"lastModified":")";
    domain::append_rfc3339_us(out, a.modified_us);
    out += '"';
  }
  if (a.status >= 400 && !a.body.empty())
    out += R"(,"outcome":)" + a.body;
  return out + "}";
}

} // namespace epione::actors
