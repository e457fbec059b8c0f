// Bundles: a batch, whose entries stand for themselves, and a transaction, which is stored as one entry of the log or not at all.
#include "actors/fhir_service.hpp"
#include "domain/date_text.hpp"
#include "domain/fhir_issue.hpp"
#include "domain/fhir_outcome.hpp"
#include "domain/fhir_primitive.hpp"
#include "domain/fhir_text.hpp"
#include "domain/questionnaire_response.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>

namespace epione::actors {

using namespace messages;
namespace defaults = runtime::defaults;

namespace {

constexpr std::string_view response_type = "QuestionnaireResponse";

/// One entry as the request it stands for; a sentence when it stands for none.
tl::expected<std::shared_ptr<fhir_request>, std::string> request_in(const fhir_request& bundle, const domain::json_document& json,
                                                                    std::uint32_t entry, std::size_t number) {
  const auto refuse = [](const char* sentence) { return tl::unexpected<std::string>(sentence); };
  const auto request = json.find(entry, "request");
  if (request == 0)
    return refuse("the entry has no request");
  auto out = std::make_shared<fhir_request>();
  const auto method = domain::json_text_at(json, request, "method");
  if (method == "POST")
    out->method = fhir_request::verb::post;
  else if (method == "PUT")
    out->method = fhir_request::verb::put;
  else if (method != "GET")
    return refuse("its method must be GET, POST or PUT");
  auto url = domain::json_text_at(json, request, "url");
  if (url.starts_with(bundle.base + "/"))
    url.remove_prefix(bundle.base.size());
  while (url.starts_with('/'))
    url.remove_prefix(1);
  if (url.empty() || url.starts_with('?'))
    return refuse("its url names nothing; a Bundle within a Bundle is not taken");
  const auto question = std::min(url.find('?'), url.size());
  out->path = "/" + std::string{url.substr(0, question)};
  out->query = url.substr(std::min(question + 1, url.size()));
  out->base = bundle.base;
  out->content_type = "application/fhir+json";
  out->prefer = bundle.prefer;
  out->provenance = bundle.provenance;
  out->received_ns = bundle.received_ns;
  const auto given = [&](std::string_view name) {
    const auto text = domain::json_text_at(json, request, name);
    return text.empty() ? std::nullopt : std::optional{std::string{text}};
  };
  out->if_match = given("ifMatch");
  out->if_none_match = given("ifNoneMatch");
  if (const auto since = given("ifModifiedSince")) { // an instant here, in the header a date of HTTP
    if (const auto span = domain::parse_fhir_date_time(*since))
      out->if_modified_since = http_date(span->first);
  }
  out->if_none_exist = given("ifNoneExist");
  if (const auto resource = json.find(entry, "resource"); resource != 0)
    domain::append_canonical_json(out->body, json, resource);
  else if (out->method != fhir_request::verb::get)
    return refuse("the entry has no resource");
  if (out->method != fhir_request::verb::post || out->if_none_exist)
    return out;
  const auto full_url = domain::json_text_at(json, entry, "fullUrl");
  if (bundle.idempotency_key)
    out->idempotency_key = unquoted_key(*bundle.idempotency_key).value_or(std::string{}) + "#" + std::to_string(number);
  else if (full_url.starts_with("urn:uuid:") && domain::wrong_with_uri(full_url) == nullptr)
    out->idempotency_key = std::string{full_url}; // the client's own name for what it creates, the same at every try
  return out;
}

std::string entry_text(const fhir_answer& a) {
  std::string out = "{";
  const bool resource =
      a.status < 400 && !a.body.empty() && a.body.find(R"("resourceType":"OperationOutcome")") == std::string::npos;
  if (resource)
    out += R"("resource":)" + a.body + ",";
  out += R"("response":)";
  auto response = entry_response(a);
  if (!resource && a.status < 400 && !a.body.empty()) {
    response.pop_back();
    response += R"(,"outcome":)" + a.body + "}";
  }
  return out + response + "}";
}

/// Says which entry an outcome is about, where its issue names no place yet.
std::string about_entry(std::string outcome, std::size_t entry) {
  constexpr std::string_view begin = R"("issue":[{)";
  if (const auto at = outcome.find(begin); at != std::string::npos)
    outcome.insert(at + begin.size(), R"("expression":["Bundle.entry[)" + std::to_string(entry) + R"(]"],)");
  return outcome;
}

std::string response_bundle(std::string_view type, const std::vector<std::string>& entries) {
  std::string out = R"({"resourceType":"Bundle","type":")";
  out += type;
  out += '"';
  for (std::size_t i = 0; i < entries.size(); ++i)
    out += (i == 0 ? R"(,"entry":[)" : ",") + entries[i];
  return out + (entries.empty() ? "}" : "]}");
}

} // namespace

struct fhir_service::batch {
  struct form {
    std::size_t entry = 0;
    fhir_request_ptr request;
  };
  call_ptr c;
  std::vector<std::string> answers;
  std::size_t open = 0;
  std::deque<form> forms; ///< still to be created
  void answered(std::size_t entry, const fhir_answer& a) {
    answers[entry] = entry_text(a);
    if (--open == 0)
      c->done({.status = 200, .body = response_bundle("batch-response", answers)});
  }
};

struct fhir_service::transaction {
  struct entry {
    std::shared_ptr<call> c;
    std::shared_ptr<const domain::json_document> resource;
    std::optional<change> what;
    fhir_answer answer;
  };
  call_ptr c;
  std::vector<entry> entries;
  std::size_t open = 0;
  bool failed = false;
  void fail(std::size_t entry, int status, std::string outcome) {
    if (std::exchange(failed, true))
      return;
    c->done({.status = status, .body = about_entry(std::move(outcome), entry)});
  }
};

void fhir_service::bundle(const call_ptr& c) {
  if (!c->only({}))
    return;
  auto parsed = domain::parse_response(c->request->body);
  if (!parsed)
    return c->done({.status = 400, .body = domain::operation_outcome({parsed.error()})});
  auto json = std::make_shared<const domain::json_document>(std::move(*parsed));
  if (domain::json_text_at(*json, 0, "resourceType") != "Bundle")
    return c->fail(400, "structure", "the body must be a Bundle of type batch or transaction");
  const auto entries = json->find(0, "entry");
  if (entries != 0 && (*json)[entries].kind != domain::json_kind::array)
    return c->fail(400, "structure", "entry must be a list");
  if (entries != 0 && (*json)[entries].count > defaults::bundle_entries_max)
    return c->fail(422, "too-costly",
                   "a Bundle has " + std::to_string(defaults::bundle_entries_max) + " entries at most; send several");
  const auto type = domain::json_text_at(*json, 0, "type");
  if (type == "batch")
    return run_batch(c, *json, entries);
  if (type == "transaction")
    return run_transaction(c, json, entries);
  c->fail(400, "not-supported", "the type of the Bundle must be batch or transaction");
}

void fhir_service::run_batch(const call_ptr& c, const domain::json_document& json, std::uint32_t entries) {
  auto all = std::make_shared<batch>();
  all->c = c;
  if (entries == 0 || json[entries].count == 0)
    return c->done({.status = 200, .body = response_bundle("batch-response", {})});
  all->answers.resize(json[entries].count);
  all->open = all->answers.size();
  std::size_t i = 0;
  for (auto n = entries + 1; n < json[entries].end; n = json[n].end, ++i) {
    auto request = request_in(*c->request, json, n, i);
    if (!request)
      all->answered(i, {.status = 400, .body = domain::outcome_text("invalid", request.error())});
    else if ((*request)->method == fhir_request::verb::post && (*request)->path == "/Questionnaire")
      all->forms.push_back({i, std::move(*request)});
    else
      handle(std::move(*request), [all, i](const fhir_answer& a) { all->answered(i, a); });
  }
  next_form(all);
}

/// Forms one after the other: they are imports, and only few of those may wait for group 0 at once.
void fhir_service::next_form(const std::shared_ptr<batch>& all) {
  if (all->forms.empty())
    return;
  auto next = std::move(all->forms.front());
  all->forms.pop_front();
  handle(std::move(next.request), [this, all, entry = next.entry](const fhir_answer& a) {
    all->answered(entry, a);
    next_form(all);
  });
}

void fhir_service::run_transaction(const call_ptr& c, std::shared_ptr<const domain::json_document> json, std::uint32_t entries) {
  auto t = std::make_shared<transaction>();
  t->c = c;
  if (entries == 0 || (*json)[entries].count == 0)
    return c->done({.status = 200, .body = response_bundle("transaction-response", {})});
  for (auto n = entries + 1; n < (*json)[entries].end; n = (*json)[n].end) {
    const auto number = t->entries.size();
    auto request = request_in(*c->request, *json, n, number);
    if (!request)
      return t->fail(number, 400, domain::outcome_text("invalid", request.error()));
    transaction::entry e;
    e.c = std::make_shared<call>();
    e.c->request = std::move(*request);
    e.c->wanted = c->wanted;
    // Only called while the transaction is at hand; to hold it would hold it for ever.
    e.c->done = [of = t.get(), number](fhir_answer a) { of->entries[number].answer = std::move(a); };
    auto query = parse_query(e.c->request->query);
    const auto& r = *e.c->request;
    const bool creates = r.method == fhir_request::verb::post && r.path == "/QuestionnaireResponse";
    const bool updates = r.method == fhir_request::verb::put && r.path.starts_with("/QuestionnaireResponse/");
    if (!query || (!creates && !updates))
      return t->fail(number, 422,
                     domain::outcome_text("not-supported", "a transaction holds POST QuestionnaireResponse and PUT "
                                                           "QuestionnaireResponse/ID only; send others as a batch"));
    e.c->query = std::move(*query);
    auto resource = domain::parse_response(r.body);
    if (!resource)
      return t->fail(number, 400, domain::operation_outcome({resource.error()}));
    e.resource = std::make_shared<const domain::json_document>(std::move(*resource));
    t->entries.push_back(std::move(e));
  }
  t->open = t->entries.size();
  for (std::size_t i = 0; i < t->entries.size() && !t->failed; ++i) {
    auto& e = t->entries[i];
    const auto ready = [this, t, i](tl::expected<change, refusal> what) {
      if (!what)
        return t->fail(i, what.error().status, std::move(what.error().outcome));
      t->entries[i].what = std::move(*what);
      if (--t->open == 0)
        commit(t);
    };
    if (e.c->request->method == fhir_request::verb::post) {
      ready(new_submission(*e.c, *e.resource).map([](submission&& s) {
        change one;
        one.what = std::move(s);
        one.what.held = true;
        return one;
      }));
      continue;
    }
    const auto id = percent_decoded(std::string_view{e.c->request->path}.substr(response_type.size() + 2), false).value_or("");
    const auto receipt = domain::parse_receipt(id);
    if (!receipt)
      return t->fail(i, 405,
                     domain::outcome_text("not-supported", "there is no such response, and ids are given by this server"));
    locate(*receipt, [this, t, i, id, ready](const read_answer& found) {
      if (found.failed)
        return t->fail(i, 503, domain::outcome_text("transient", "a shard cannot be read just now; try again", "not_stored"));
      if (found.events.empty())
        return t->fail(i, 405,
                       domain::outcome_text("not-supported", "there is no such response, and ids are given by this server"));
      ready(new_amendment(*t->entries[i].c, *t->entries[i].resource, id, found.events.front()));
    });
  }
}

/// All entries are known: of one patient, and each of another response.
void fhir_service::commit(const std::shared_ptr<transaction>& t) {
  if (t->failed)
    return;
  auto request = std::make_shared<change_request>();
  const auto& first = t->entries.front().what->what;
  request->subject_hash = first.subject_hash;
  request->shard = first.shard;
  request->received_ns = t->c->request->received_ns;
  for (std::size_t i = 0; i < t->entries.size(); ++i) {
    auto& next = *t->entries[i].what;
    if (next.what.study != first.study || next.what.subject != first.subject)
      return t->fail(
          i, 422, domain::outcome_text("not-supported", "a transaction is of one patient only; send one for each, or a batch"));
    for (const auto& earlier : request->changes)
      if (earlier.what.id == next.what.id)
        return t->fail(i, 400, domain::outcome_text("invalid", "two entries of the transaction are of the same response"));
    request->changes.push_back(next);
  }
  ports_.change(std::move(request), [this, t](const reply& r) {
    const auto results = decode_change_results(r.body);
    const bool complete = results && r.status == 200 && results->results.size() == t->entries.size();
    if (!complete) {
      const auto failed = results ? std::min<std::size_t>(results->failed, t->entries.size() - 1) : 0;
      auto& e = t->entries[failed];
      answer_failure(*e.c, r.status == 200 ? 500 : r.status,
                     results && !results->results.empty() ? results->results.front().text : r.body, r.retry_after_s);
      e.answer.body = about_entry(std::move(e.answer.body), failed);
      return t->c->done(std::move(e.answer));
    }
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < t->entries.size(); ++i) {
      auto& e = t->entries[i];
      const auto& what = e.what->what;
      remember(what.id, {what.subject_hash, what.shard});
      answer_stored(e.c, results->results[i].status, results->results[i].text);
      texts.push_back(entry_text(e.answer));
    }
    t->c->done({.status = 200, .body = response_bundle("transaction-response", texts)});
  });
}

} // namespace epione::actors
