// The FHIR interface on a whole node: what is stored, what is shown, what is refused, and that both ways in are one.
#include "fhir_fixture.hpp"

#include "runtime/http/routes.hpp"

#include <set>

using namespace epione;
using namespace epione::tests;

BOOST_FIXTURE_TEST_SUITE(fhir, fhir_node)

BOOST_AUTO_TEST_CASE(the_capability_statement_says_what_the_routes_do_and_nothing_else) {
  const auto statement = get("/metadata");
  BOOST_REQUIRE(statement.status == 200);
  BOOST_TEST(statement.body["fhirVersion"] == "4.0.1");
  std::set<std::string> said, done;
  const auto& rest = statement.body["rest"][0];
  for (const auto& i : rest["interaction"])
    said.insert(i["code"].get<std::string>());
  for (const auto& r : rest["resource"]) {
    const auto type = r["type"].get<std::string>();
    for (const auto& i : r["interaction"])
      said.insert(type + " " + i["code"].get<std::string>());
    if (r.contains("operation"))
      for (const auto& o : r["operation"])
        said.insert(type + " $" + o["name"].get<std::string>());
  }
  using runtime::http::route_id;
  for (const auto& r : runtime::http::routes()) {
    if (!runtime::http::is_fhir(r.id) || r.id == route_id::fhir_metadata)
      continue;
    if (r.id == route_id::fhir_bundle) {
      done.insert({"batch", "transaction"});
      continue;
    }
    auto path = std::string{r.pattern.substr(std::string_view{"/fhir/"}.size())};
    const auto type = path.substr(0, path.find('/'));
    path.erase(0, type.size());
    const std::map<std::string, std::string> by_path{{"/$validate", "$validate"},
                                                     {"/_search", "search-type"},
                                                     {"/{id}/_history", "history-instance"},
                                                     {"/{id}/_history/{version}", "vread"}};
    if (const auto named = by_path.find(path); named != by_path.end())
      done.insert(type + " " + named->second);
    else if (path.empty())
      done.insert(type + (r.verb == runtime::http::method::post ? " create" : " search-type"));
    else
      done.insert(type + (r.verb == runtime::http::method::put ? " update" : " read"));
  }
  BOOST_TEST(said == done, boost::test_tools::per_element());
  // The search parameters it names are taken, with the handling that takes no other.
  for (const auto& r : rest["resource"])
    if (r.contains("searchParam"))
      for (const auto& p : r["searchParam"]) {
        auto asked = make(request::verb::get, "/" + r["type"].get<std::string>() + "?" + p["name"].get<std::string>() + "=" +
                                                  (p["type"] == "date"     ? "2026"
                                                   : p["name"] == "status" ? "completed"
                                                                           : "x"));
        asked.prefer = "handling=strict";
        BOOST_TEST(ask(asked).status == 200, p.dump());
      }
  BOOST_TEST(rest["resource"][1]["conditionalRead"] == "modified-since");
  BOOST_TEST(rest["resource"][2]["conditionalRead"] == "full-support");
}

BOOST_AUTO_TEST_CASE(a_created_form_belongs_to_the_study_and_a_new_version_leaves_the_old_one_answerable) {
  const auto mood = [](const std::string& version, int highest) {
    return json{{"resourceType", "Questionnaire"},
                {"url", "https://forms.example/Questionnaire/mood"},
                {"version", version},
                {"status", "active"},
                {"language", "en"},
                {"item",
                 {{{"linkId", "m1"},
                   {"type", "integer"},
                   {"text", "Mood"},
                   {"required", true},
                   {"extension", {{{"url", "http://hl7.org/fhir/StructureDefinition/maxValue"}, {"valueInteger", highest}}}}}}}};
  };
  const auto add = [&](const json& form) { return ask(make(request::verb::post, "/Questionnaire", form)); };
  const auto answer_of = [&](const std::string& version, int value) {
    return create({{"resourceType", "QuestionnaireResponse"},
                   {"status", "completed"},
                   {"questionnaire", "https://forms.example/Questionnaire/mood|" + version},
                   {"subject", {{"reference", "Patient/42"}}},
                   {"authored", "2026-11-23T19:30:00+01:00"},
                   {"item", {{{"linkId", "m1"}, {"answer", {{{"valueInteger", value}}}}}}}});
  };
  const auto created = add(mood("1", 10));
  BOOST_REQUIRE_MESSAGE(created.status == 201, created.body.dump());
  BOOST_TEST(created.body["id"] == "mood");
  BOOST_TEST(created.field("Location") == "http://localhost:8080/fhir/Questionnaire/mood/_history/1");
  BOOST_TEST(add(mood("1", 10)).status == 200);
  BOOST_TEST(answer_of("1", 10).status == 201);
  const auto other_content = add(mood("1", 20));
  BOOST_TEST(other_content.status == 409);
  BOOST_TEST(other_content.body["issue"][0]["details"]["text"].get<std::string>().find("new version") != std::string::npos,
             other_content.body.dump());
  BOOST_TEST(add(mood("2", 20)).status == 201);
  disk.disk().crash(); // power loss
  node.crash();
  BOOST_REQUIRE(node.start());
  BOOST_REQUIRE(get_patiently("/Questionnaire/mood").status == 200);
  BOOST_TEST(get("/Questionnaire/mood").body["version"] == "2");
  BOOST_TEST(get("/Questionnaire/mood/_history/1").body["version"] == "1");
  BOOST_TEST(get("/Questionnaire/mood/_history/3").status == 404);
  BOOST_TEST(get("/Questionnaire?url=https://forms.example/Questionnaire/mood").body["total"] == 1);
  BOOST_TEST(get("/Questionnaire?version=1&_id=mood").body["entry"][0]["resource"]["version"] == "1");
  BOOST_TEST(answer_of("2", 20).status == 201);
  BOOST_TEST(answer_of("1", 20).status == 422); // still by the rules of its version
  BOOST_TEST(answer_of("1", 9).status == 201);
  auto broken = mood("3", 20);
  broken["item"][0].erase("linkId");
  BOOST_TEST(add(broken).status == 422);
  BOOST_TEST(add({{"resourceType", "Patient"}}).status == 400);
}

BOOST_AUTO_TEST_CASE(what_a_form_only_warns_of_is_stored_and_said) {
  const json rule{{"url", "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint"},
                  {"extension",
                   {{{"url", "key"}, {"valueId", "high"}},
                    {{"url", "severity"}, {"valueCode", "warning"}},
                    {{"url", "human"}, {"valueString", "Unusually high"}},
                    {{"url", "expression"}, {"valueString", "answer.value < 100"}}}}};
  const json form{{"resourceType", "Questionnaire"},
                  {"name", "steps"},
                  {"version", "1"},
                  {"status", "active"},
                  {"language", "en"},
                  {"item", {{{"linkId", "s1"}, {"type", "integer"}, {"text", "Steps"}, {"extension", {rule}}}}}};
  BOOST_REQUIRE(ask(make(request::verb::post, "/Questionnaire", form)).status == 201);
  const auto usual = node.body(node.post("42", {{"form", "steps"}, {"answers", {{"s1", 99}}}}, "a"));
  BOOST_TEST(usual["status"] == "stored");
  BOOST_TEST(!usual.contains("warnings"));
  const auto high = node.body(node.post("42", {{"form", "steps"}, {"answers", {{"s1", 100}}}}, "b"));
  BOOST_TEST(high["status"] == "stored");
  BOOST_REQUIRE(high.contains("warnings"));
  BOOST_TEST(high["warnings"].size() == 1u);
  BOOST_TEST(high["warnings"][0]["linkId"] == "s1");
  auto sent = post({{"resourceType", "QuestionnaireResponse"},
                    {"status", "completed"},
                    {"questionnaire", "Questionnaire/steps"},
                    {"subject", {{"reference", "Patient/42"}}},
                    {"authored", "2026-11-23T19:30:00+01:00"},
                    {"item", {{{"linkId", "s1"}, {"answer", {{{"valueInteger", 100}}}}}}}});
  sent.prefer = "return=OperationOutcome";
  const auto stored = ask(sent);
  BOOST_TEST(stored.status == 201);
  BOOST_TEST(stored.body["issue"][0]["severity"] == "warning", stored.body.dump());
}

BOOST_AUTO_TEST_CASE(a_created_response_is_durable_and_read_back_as_it_was_sent) {
  auto sent = phq9("42", 2, 0);
  sent["meta"]["tag"] = {{{"system", "urn:app"}, {"code", "v7"}}};
  sent["item"][0]["text"] = "Little interest";
  const auto created = create(sent, "k");
  BOOST_REQUIRE_MESSAGE(created.status == 201, created.body.dump());
  const auto id = domain::to_text(domain::make_receipt("demo", "42", "k"));
  BOOST_TEST(created.body["id"] == id);
  BOOST_TEST(created.field("Location") == "http://localhost:8080/fhir/QuestionnaireResponse/" + id + "/_history/1");
  BOOST_TEST(created.field("ETag") == "W/\"1\"");
  BOOST_TEST(created.field("Last-Modified").ends_with(" GMT"));
  disk.disk().crash(); // power loss
  node.crash();
  BOOST_REQUIRE(node.start());
  const auto read = get_patiently("/QuestionnaireResponse/" + id);
  BOOST_REQUIRE(read.status == 200);
  BOOST_TEST(read.field("ETag") == "W/\"1\"");
  auto shown = read.body;
  BOOST_TEST(shown["meta"]["versionId"] == "1");
  shown["meta"].erase("versionId");
  shown["meta"].erase("lastUpdated");
  shown.erase("id");
  BOOST_TEST(shown == sent);
}

BOOST_AUTO_TEST_CASE(a_response_sent_through_fhir_is_scored_and_shown_by_the_short_form) {
  BOOST_REQUIRE(create(phq9("42", 1, 1), "k").status == 201);
  const auto one = node.body(node.get("42", domain::make_receipt("demo", "42", "k")));
  BOOST_TEST(one["form"] == "phq-9");
  BOOST_TEST(one["scores"][0]["value"] == 9);
  BOOST_TEST(one["alerts"].size() == 1u);
  BOOST_TEST(one["alerts"][0]["rule"] == "phq-9-q9");
  BOOST_TEST(one["answers"] == test_node::stored_answers(test_node::phq9(1, 1)));
  BOOST_TEST(!one.contains("amended"));
}

BOOST_AUTO_TEST_CASE(a_submission_in_the_short_form_is_read_and_found_through_fhir) {
  BOOST_REQUIRE(node.send("42", test_node::phq9(2, 1), "phone-key") == 202);
  const auto id = domain::to_text(domain::make_receipt("demo", "42", "phone-key"));
  const auto read = get("/QuestionnaireResponse/" + id);
  BOOST_REQUIRE_MESSAGE(read.status == 200, read.body.dump());
  const auto& r = read.body;
  BOOST_TEST(r["questionnaire"] == "https://epione.example/Questionnaire/phq-9|1.0");
  BOOST_TEST(r["status"] == "completed");
  BOOST_TEST(r["subject"]["reference"] == "Patient/42");
  BOOST_TEST(r["identifier"]["value"] == "phone-key");
  BOOST_TEST(r["authored"] == "2026-11-23T19:30:00+01:00");
  json answers;
  for (const auto& item : r["item"])
    answers[item["linkId"].get<std::string>()] = item["answer"][0]["valueCoding"]["code"];
  BOOST_TEST(answers == test_node::stored_answers(test_node::phq9(2, 1)));
  // What is shown is a response that the form takes.
  const auto checked = ask(make(request::verb::post, "/QuestionnaireResponse/$validate", r));
  BOOST_TEST(checked.status == 200);
  for (const auto& issue : checked.body["issue"])
    BOOST_TEST(issue["severity"] != "error", issue.dump());
  BOOST_TEST(search("/QuestionnaireResponse?identifier=urn:epione:submission-key%7Cphone-key") == std::vector{id});
}

BOOST_AUTO_TEST_CASE(a_repeat_gets_the_first_response_and_other_content_under_the_key_a_conflict) {
  const auto first = node.fhir(post(phq9("42"), "k")), second = node.fhir(post(phq9("42"), "k"));
  const auto other = node.fhir(post(phq9("42", 2), "k"));
  BOOST_TEST(wait(first).status == 201);
  BOOST_TEST(wait(second).status == 200);
  BOOST_TEST(wait(second).body["id"] == wait(first).body["id"]);
  BOOST_TEST(wait(other).status == 409);
  BOOST_TEST(wait(other).body["resourceType"] == "OperationOutcome");
  node.run(5'000); // applied, and forgotten by the region
  BOOST_TEST(create(phq9("42"), "k").status == 200);
  BOOST_TEST(create(phq9("42", 2), "k").status == 409);
  BOOST_TEST(node.send("42", test_node::phq9(), "k") == 409); // the same key the other way: other content
  BOOST_TEST(node.receipts("42").size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_conditional_create_stores_once) {
  auto resource = phq9("42");
  resource["identifier"] = {{"system", "urn:app"}, {"value", "visit-3"}};
  auto r = post(resource);
  r.if_none_exist = "identifier=urn:app%7Cvisit-3";
  BOOST_TEST(ask(r).status == 201);
  BOOST_TEST(ask(r).status == 200);
  r.if_none_exist = "identifier=urn:app%7Cvisit-4";
  BOOST_TEST(ask(r).status == 422); // not its own
  r.if_none_exist = "status=completed";
  BOOST_TEST(ask(r).status == 412);
  BOOST_TEST(search("/QuestionnaireResponse?identifier=urn:app%7Cvisit-3").size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_response_that_does_not_fit_is_refused_with_every_problem_and_not_stored) {
  auto bad = phq9("42");
  bad["item"].erase(0);
  bad["item"][0]["answer"][0]["valueCoding"]["code"] = "nonsense";
  const auto refused = create(bad, "k");
  BOOST_TEST(refused.status == 422);
  BOOST_TEST(refused.body["resourceType"] == "OperationOutcome");
  BOOST_TEST(refused.body["issue"].size() >= 2u);
  BOOST_TEST(refused.body.dump().find("nonsense") == std::string::npos); // never an answer
  const std::vector<std::pair<std::string, json>> changes{{"status", "in-progress"},
                                                          {"status", "entered-in-error"},
                                                          {"questionnaire", "https://epione.example/other"},
                                                          {"subject", {{"reference", "Patient/nobody"}}},
                                                          {"subject", {{"reference", "Group/42"}}}};
  for (const auto& [change, value] : changes) {
    auto other = phq9("42");
    other[change] = value;
    BOOST_TEST(create(other, "k").status == 422, change);
  }
  auto text = post(phq9("42"));
  text.body = "{\"resourceType\": ";
  BOOST_TEST(ask(text).status == 400);
  BOOST_TEST(node.receipts("42").empty());
  BOOST_TEST(create(phq9("42"), "k").status == 201); // the key is free
}

BOOST_AUTO_TEST_CASE(what_is_wanted_back_and_formats_are_respected) {
  auto r = post(phq9("42"), "k");
  r.prefer = "return=minimal";
  const auto minimal = ask(r);
  BOOST_TEST(minimal.status == 201);
  BOOST_TEST(minimal.body.is_null());
  BOOST_TEST(!minimal.field("Location").empty());
  r.prefer = "return=OperationOutcome";
  BOOST_TEST(ask(r).body["resourceType"] == "OperationOutcome");
  BOOST_TEST(get("/metadata?_format=xml").status == 406);
  for (const auto* format : {"json", "application/json", "application/fhir%2Bjson", "application/fhir+json"})
    BOOST_TEST(get(std::string{"/metadata?_pretty=true&_format="} + format).status == 200, format);
  const auto refused_xml = get("/metadata?_format=application/fhir%2Bxml");
  BOOST_TEST(refused_xml.status == 406);
  BOOST_TEST(refused_xml.body["resourceType"] == "OperationOutcome");
  auto xml = make(request::verb::get, "/metadata");
  xml.accept = "application/fhir+xml";
  BOOST_TEST(ask(xml).status == 406);
  xml.accept = "application/fhir+xml, */*;q=0.1";
  BOOST_TEST(ask(xml).status == 200);
  auto wrong = post(phq9("42"), "k");
  wrong.content_type = "application/fhir+xml";
  BOOST_TEST(ask(wrong).status == 415);
  BOOST_TEST(get("/QuestionnaireResponse?unknown=1").status == 400);
  BOOST_TEST(get("/Observation/1").status == 404);
}

BOOST_AUTO_TEST_CASE(a_read_of_what_the_client_has_already_is_answered_without_it) {
  const auto created = create(phq9("42"), "k");
  BOOST_REQUIRE(created.status == 201);
  const auto id = created.body["id"].get<std::string>();
  const auto address = "/QuestionnaireResponse/" + id;
  const auto read = [&](const std::string& target, std::optional<std::string> etag, std::optional<std::string> since) {
    auto r = make(request::verb::get, target);
    r.if_none_match = std::move(etag);
    r.if_modified_since = std::move(since);
    return ask(r);
  };
  const auto same = read(address, "W/\"1\"", {});
  BOOST_TEST(same.status == 304);
  BOOST_TEST(same.body.is_null());
  BOOST_TEST(same.field("ETag") == "W/\"1\"");
  BOOST_TEST(same.field("Last-Modified") == created.field("Last-Modified"));
  BOOST_TEST(read(address + "/_history/1", "*", {}).status == 304);
  BOOST_TEST(read(address, {}, created.field("Last-Modified")).status == 304);
  BOOST_TEST(read(address, {}, "Sun, 06 Nov 1994 08:49:37 GMT").status == 200);
  BOOST_TEST(read(address, "W/\"7\", W/\"8\"", created.field("Last-Modified")).status == 200); // the ETag counts
  BOOST_TEST(read("/QuestionnaireResponse/0123456789abcdef0123456789abcdef", "*", {}).status == 404);
  auto changed = phq9("42", 2);
  changed["status"] = "amended";
  BOOST_REQUIRE(amend(id, changed, "", "why").status == 200);
  BOOST_TEST(read(address, "W/\"1\"", {}).body["meta"]["versionId"] == "2");
  BOOST_TEST(read(address, "W/\"1\", W/\"2\"", {}).status == 304);
  const auto form = get("/Questionnaire/phq-9");
  BOOST_REQUIRE(!form.field("Last-Modified").empty());
  BOOST_TEST(read("/Questionnaire/phq-9", {}, form.field("Last-Modified")).status == 304);
  BOOST_TEST(read("/Questionnaire/phq-9", {}, "Sun, 06 Nov 1994 08:49:37 GMT").body == form.body);
  BOOST_TEST(read("/Questionnaire/phq-9", "W/\"1.0\"", {}).status == 200); // its status may change under the version
  // In a batch the same is said beside the request, the time as FHIR writes it.
  auto by_etag = entry("GET", "QuestionnaireResponse/" + id), by_time = by_etag;
  by_etag["request"]["ifNoneMatch"] = "W/\"2\"";
  by_time["request"]["ifModifiedSince"] = "1994-11-06T08:49:37Z";
  const auto both = bundle("batch", {by_etag, by_time});
  BOOST_REQUIRE(both.status == 200);
  BOOST_TEST(both.body["entry"][0]["response"]["status"] == "304 Not Modified");
  BOOST_TEST(both.body["entry"][0]["response"]["etag"] == "W/\"2\"");
  BOOST_TEST(!both.body["entry"][0].contains("resource"));
  BOOST_TEST(both.body["entry"][1]["resource"]["id"] == id);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found) {
  BOOST_TEST(get("/QuestionnaireResponse/0123456789abcdef0123456789abcdef").status == 404);
  BOOST_TEST(get("/QuestionnaireResponse/short").status == 404);
  BOOST_TEST(get("/Patient/nobody").status == 404);
  const auto put_new = amend("0123456789abcdef0123456789abcdef", phq9("42"), "", "typing error");
  BOOST_TEST(put_new.status == 405); // ids are given by the server
  BOOST_TEST(put_new.field("Allow") == "GET, HEAD");
}

BOOST_AUTO_TEST_CASE(a_patient_is_its_id_and_its_site_and_nothing_else) {
  const auto patient = get("/Patient/42");
  BOOST_REQUIRE(patient.status == 200);
  BOOST_TEST(patient.body["id"] == "42");
  BOOST_TEST(patient.body["identifier"][0]["value"] == "42");
  BOOST_TEST(patient.body["managingOrganization"]["identifier"]["value"] == "S42");
  BOOST_TEST(patient.body.size() == 4u);
}

BOOST_AUTO_TEST_CASE(forms_are_found_and_read_as_they_were_imported) {
  const auto all = get("/Questionnaire?_count=1");
  BOOST_REQUIRE(all.status == 200);
  BOOST_TEST(all.body["total"] == 2);
  BOOST_TEST(all.body["entry"].size() == 1u);
  const auto found = get("/Questionnaire?url=https://epione.example/Questionnaire/phq-9&version=1.0&status=active&title=patient");
  BOOST_TEST(found.body["total"] == 1);
  BOOST_TEST(get("/Questionnaire?title=nothing").body["total"] == 0);
  BOOST_TEST(!get("/Questionnaire?title=nothing").body.contains("entry")); // FHIR's JSON has no empty lists
  const auto one = get("/Questionnaire/phq-9");
  BOOST_REQUIRE(one.status == 200);
  BOOST_TEST(one.body["item"].size() > 9u);
  BOOST_TEST(one.field("ETag") == "W/\"1.0\"");
  BOOST_TEST(get("/Questionnaire/phq-9/_history/1.0").body == one.body);
  BOOST_TEST(get("/Questionnaire/phq-9/_history/0.9").status == 404);
  BOOST_TEST(get("/Questionnaire/other").status == 404);
  const auto checked = ask(make(request::verb::post, "/Questionnaire/$validate", one.body));
  for (const auto& issue : checked.body["issue"])
    BOOST_TEST(issue["severity"] != "error", issue.dump());
}

BOOST_AUTO_TEST_CASE(a_shard_that_is_away_is_said_so_and_nobody_waits_in_silence) {
  const auto created = create(phq9("42"), "k");
  BOOST_REQUIRE(created.status == 201);
  for (const auto* name : {"fhir", "gateway", "region 1", "region 2"}) {
    const auto reading = node.fhir(make(request::verb::get, "/QuestionnaireResponse/" + created.body["id"].get<std::string>()));
    const auto writing = node.fhir(post(phq9("42"), "k"));
    BOOST_TEST(node.kill(name));
    for (const auto t : {reading, writing}) {
      const auto reply = wait(t);
      BOOST_TEST((reply.status == 200 || reply.status == 503), name << " " << reply.status);
      if (reply.status == 503 && !node.sink.abandoned.contains(t)) // those HTTP itself answers
        BOOST_TEST(reply.body["resourceType"] == "OperationOutcome", reply.body.dump());
    }
    node.run(3'000);
    BOOST_TEST(get_patiently("/QuestionnaireResponse/" + created.body["id"].get<std::string>()).status == 200);
  }
}

BOOST_AUTO_TEST_SUITE_END()
