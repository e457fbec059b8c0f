// Amendments and Bundles through FHIR: what changes, what stays readable, who comes first, all or nothing.
#include "fhir_fixture.hpp"

#include "runtime/storage/audit.hpp"

using namespace epione;
using namespace epione::tests;

namespace {

struct amended_node : fhir_node {
  amended_node() {
    const auto created = create(phq9("42", 1, 0), "k");
    BOOST_REQUIRE(created.status == 201);
    id = created.body["id"];
  }
  json amended(int others, int q9 = 0) {
    auto r = phq9("42", others, q9);
    r["status"] = "amended";
    return r;
  }
  std::string address() const { return "/QuestionnaireResponse/" + id; }
  std::string id;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(fhir_amendment, amended_node)

BOOST_AUTO_TEST_CASE(an_amendment_makes_a_version_and_the_earlier_one_stays_readable) {
  const auto changed = amend(id, amended(2), "W/\"1\"", "the patient misread the question");
  BOOST_REQUIRE_MESSAGE(changed.status == 200, changed.body.dump());
  BOOST_TEST(changed.field("ETag") == "W/\"2\"");
  BOOST_TEST(changed.body["status"] == "amended");
  const auto check = [&] {
    BOOST_TEST(get_patiently(address()).body == changed.body);
    const auto first = get(address() + "/_history/1");
    BOOST_TEST(first.status == 200);
    BOOST_TEST(first.body["status"] == "completed");
    BOOST_TEST(first.field("ETag") == "W/\"1\"");
    BOOST_TEST(get(address() + "/_history/2").body == changed.body);
    BOOST_TEST(get(address() + "/_history/3").status == 404);
    const auto history = get(address() + "/_history");
    BOOST_TEST(history.body["total"] == 2);
    BOOST_TEST(history.body["entry"][0]["resource"] == changed.body);
    BOOST_TEST(history.body["entry"][1]["request"]["method"] == "POST");
  };
  check();
  disk.disk().crash();
  node.crash();
  BOOST_REQUIRE(node.start());
  check();
  // The way of the short form shows the current version and says so.
  const auto one = node.body(node.get("42", domain::make_receipt("demo", "42", "k")));
  BOOST_TEST(one["scores"][0]["value"] == 16);
  BOOST_TEST(one["amended"]["version"] == 2);
  BOOST_TEST(one["amended"]["reason"] == "the patient misread the question");
  BOOST_TEST(one["amended"]["who"] == "fhir:Practitioner/nurse-7");
  const auto all = node.body(node.get("42"));
  BOOST_REQUIRE(all["submissions"].size() == 1u);
  BOOST_TEST(all["submissions"][0]["scores"][0]["value"] == 16);
  // The first content is still the one that its key stands for.
  BOOST_TEST(create(phq9("42", 1, 0), "k").status == 200);
  BOOST_TEST(create(phq9("42", 1, 0), "k").field("ETag") == "W/\"2\"");
}

BOOST_AUTO_TEST_CASE(an_amendment_needs_a_reason_the_same_patient_and_the_same_form) {
  BOOST_TEST(amend(id, amended(2), "", "").status == 422);
  auto empty = put(id, amended(2), "", "");
  empty.provenance = R"({"resourceType":"Provenance","reason":[{"text":" "}]})";
  BOOST_TEST(ask(empty).status == 422);
  auto other = amended(2);
  other["subject"]["reference"] = "Patient/43";
  BOOST_TEST(amend(id, other, "", "why").status == 422);
  auto bad = amended(2);
  bad["item"].erase(3);
  const auto refused = amend(id, bad, "", "why");
  BOOST_TEST(refused.status == 422);
  BOOST_TEST(refused.body["resourceType"] == "OperationOutcome");
  auto elsewhere = put(id, amended(2), "", "why");
  elsewhere.path = "/QuestionnaireResponse/0123456789abcdef0123456789abcdef";
  BOOST_TEST((ask(elsewhere).status == 400 || ask(elsewhere).status == 405));
  BOOST_TEST(get(address()).field("ETag") == "W/\"1\"");
}

BOOST_AUTO_TEST_CASE(of_two_amendments_of_one_version_one_is_told_to_read_again) {
  const auto one = node.fhir(put(id, amended(2), "W/\"1\"", "first")), two = node.fhir(put(id, amended(3), "W/\"1\"", "second"));
  const std::multiset<int> statuses{wait(one).status, wait(two).status};
  BOOST_TEST((statuses == std::multiset<int>{200, 412}));
  BOOST_TEST(get(address()).field("ETag") == "W/\"2\"");
  BOOST_TEST(amend(id, amended(3), "W/\"1\"", "late").status == 412);
  BOOST_TEST(amend(id, amended(0), "W/\"2\"", "third").status == 200);
  BOOST_TEST(amend(id, amended(1), "W/\"nonsense\"", "fourth").status == 400);
}

BOOST_AUTO_TEST_CASE(the_same_amendment_again_changes_nothing) {
  BOOST_TEST(amend(id, amended(2), "W/\"1\"", "why").field("ETag") == "W/\"2\"");
  BOOST_TEST(amend(id, amended(2), "W/\"1\"", "why").field("ETag") == "W/\"2\"");
  BOOST_TEST(amend(id, amended(2), "", "why").field("ETag") == "W/\"2\"");
  BOOST_TEST(amend(id, amended(1), "", "back").field("ETag") == "W/\"3\"");
  BOOST_TEST(get(address() + "/_history").body["total"] == 3);
}

BOOST_AUTO_TEST_CASE(many_amendments_at_once_are_all_kept_in_some_order) {
  std::vector<messages::ticket> tickets;
  for (int i = 0; i < 12; ++i) {
    auto r = amended(1 + i % 3);
    r["item"][0]["text"] = "attempt " + std::to_string(i);
    tickets.push_back(node.fhir(put(id, r, "", "attempt")));
  }
  for (const auto t : tickets)
    BOOST_TEST(wait(t).status == 200);
  BOOST_TEST(get(address()).field("ETag") == "W/\"13\"");
  BOOST_TEST(get(address() + "/_history").body["total"] == 13);
}

BOOST_AUTO_TEST_CASE(an_alert_that_is_new_with_an_amendment_is_told_and_an_old_one_not_again) {
  node.start_notifier();
  BOOST_TEST(node.alert_states("42") == "");
  BOOST_REQUIRE(amend(id, amended(1, 2), "", "item 9 was left out by mistake").status == 200);
  const auto states = node.alert_states("42");
  BOOST_TEST(!states.empty());
  BOOST_TEST(states != "null");
  const auto since = node.body(node.get("42"))["submissions"][0]["alerts"][0]["raised"];
  BOOST_REQUIRE(amend(id, amended(1, 3), "", "and it was 3").status == 200);
  BOOST_TEST(node.body(node.get("42"))["submissions"][0]["alerts"][0]["raised"] == since);
}

BOOST_AUTO_TEST_CASE(a_short_submission_is_amended_like_any_other) {
  BOOST_REQUIRE(node.send("7", test_node::phq9(), "phone") == 202);
  const auto short_id = domain::to_text(domain::make_receipt("demo", "7", "phone"));
  auto r = get("/QuestionnaireResponse/" + short_id).body;
  r["item"][0]["answer"][0]["valueCoding"] = {{"system", "http://loinc.org"}, {"code", "LA6571-9"}};
  r["status"] = "amended";
  BOOST_TEST(amend(short_id, r, "W/\"1\"", "why").status == 200);
  BOOST_TEST(node.send("7", test_node::phq9(), "phone") == 200); // the phone's repeat is the first one's all the same
  BOOST_TEST(node.body(node.get("7"))["submissions"][0]["amended"]["version"] == 2);
}

BOOST_AUTO_TEST_CASE(whoever_dies_an_amendment_is_made_once_or_not_at_all) {
  int version = 1;
  for (const auto* name : {"validator 0", "writer 1", "writer 2", "store 1", "store 2", "region 1", "region 2", "reader 0",
                           "journal", "gateway", "fhir"}) {
    const auto before = version;
    const auto t = node.fhir(put(id, amended(1 + version % 2, version % 4), "W/\"" + std::to_string(version) + "\"", "why"));
    node.kill(name);
    const auto reply = wait(t);
    BOOST_TEST((reply.status == 200 || reply.status == 503), name << " " << reply.status << reply.body.dump());
    node.run(5'000);
    const auto now = get_patiently(address());
    BOOST_REQUIRE(now.status == 200);
    version = std::stoi(now.body["meta"]["versionId"].get<std::string>());
    BOOST_TEST((version == before + 1 || (reply.status == 503 && version == before)), name);
  }
  BOOST_TEST(!node.process.exit_code.has_value());
}

BOOST_AUTO_TEST_CASE(the_audit_follows_amendments) {
  BOOST_REQUIRE(amend(id, amended(2), "", "why").status == 200);
  BOOST_REQUIRE(amend(id, amended(1, 3), "", "why").status == 200);
  BOOST_REQUIRE(node.stop());
  const auto report = runtime::audit_directory(disk.disk(), disk.directory(), {});
  for (const auto& p : report.parts)
    BOOST_TEST(!p.broken, p.broken.value_or(""));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(fhir_bundle, fhir_node)

BOOST_AUTO_TEST_CASE(entries_of_a_batch_stand_for_themselves) {
  auto bad = phq9("3");
  bad["item"].erase(0);
  const auto reply =
      bundle("batch", {entry("POST", "QuestionnaireResponse", phq9("1")), entry("POST", "QuestionnaireResponse", bad),
                       entry("GET", "Patient/2"), entry("DELETE", "Patient/2"), entry("GET", "Patient/nobody")});
  BOOST_REQUIRE(reply.status == 200);
  BOOST_TEST(reply.body["type"] == "batch-response");
  const auto& e = reply.body["entry"];
  BOOST_REQUIRE(e.size() == 5u);
  BOOST_TEST(e[0]["response"]["status"] == "201 Created");
  BOOST_TEST(e[0]["response"]["etag"] == "W/\"1\"");
  BOOST_TEST(e[0]["resource"]["subject"]["reference"] == "Patient/1");
  BOOST_TEST(e[1]["response"]["status"].get<std::string>().starts_with("422"));
  BOOST_TEST(e[1]["response"]["outcome"]["resourceType"] == "OperationOutcome");
  BOOST_TEST(e[2]["resource"]["resourceType"] == "Patient");
  BOOST_TEST(e[3]["response"]["status"].get<std::string>().starts_with("400"));
  BOOST_TEST(e[4]["response"]["status"].get<std::string>().starts_with("404"));
  BOOST_TEST(node.receipts("1").size() == 1u);
  BOOST_TEST(node.receipts("3").empty());
}

BOOST_AUTO_TEST_CASE(a_transaction_is_stored_as_a_whole) {
  const auto old = create(phq9("42"), "old").body["id"].get<std::string>();
  auto changed = phq9("42", 3);
  changed["id"] = old;
  auto request =
      make(request::verb::post, "",
           {{"resourceType", "Bundle"},
            {"type", "transaction"},
            {"entry",
             {entry("POST", "QuestionnaireResponse", phq9("42", 1)), entry("PUT", "QuestionnaireResponse/" + old, changed),
              entry("POST", "QuestionnaireResponse", phq9("42", 2))}}});
  request.provenance = because("typed at the site");
  request.idempotency_key = "evening";
  const auto first = ask(request);
  BOOST_REQUIRE_MESSAGE(first.status == 200, first.body.dump());
  BOOST_TEST(first.body["type"] == "transaction-response");
  BOOST_TEST(first.body["entry"][0]["response"]["status"] == "201 Created");
  BOOST_TEST(first.body["entry"][1]["response"]["etag"] == "W/\"2\"");
  BOOST_TEST(first.body["entry"][2]["resource"]["id"].get<std::string>().size() == 32u);
  disk.disk().crash();
  node.crash();
  BOOST_REQUIRE(node.start());
  BOOST_TEST(node.receipts("42").size() == 3u);
  BOOST_TEST(get_patiently("/QuestionnaireResponse/" + old).field("ETag") == "W/\"2\"");
  const auto again = ask(request); // the phone did not get the answer
  BOOST_TEST(again.status == 200);
  BOOST_TEST(again.body["entry"][0]["response"]["status"] == "200 OK");
  BOOST_TEST(again.body["entry"][1]["response"]["etag"] == "W/\"2\"");
  BOOST_TEST(node.receipts("42").size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_transaction_with_one_wrong_entry_stores_nothing_and_names_it) {
  auto bad = phq9("42", 2);
  bad["item"].erase(0);
  const auto reply =
      bundle("transaction", {entry("POST", "QuestionnaireResponse", phq9("42", 1)), entry("POST", "QuestionnaireResponse", bad)});
  BOOST_TEST(reply.status == 422);
  BOOST_TEST(reply.body["resourceType"] == "OperationOutcome");
  BOOST_TEST(node.receipts("42").empty());
  // What was held for it is free again.
  auto one = entry("POST", "QuestionnaireResponse", phq9("42", 1));
  one["fullUrl"] = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";
  auto two = entry("POST", "QuestionnaireResponse", bad);
  BOOST_TEST(bundle("transaction", {one, two}).status == 422);
  BOOST_TEST(bundle("transaction", {one}).status == 200);
  BOOST_TEST(bundle("transaction", {one}).body["entry"][0]["response"]["status"] == "200 OK");
  BOOST_TEST(node.receipts("42").size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_transaction_of_two_patients_is_not_supported) {
  const auto reply = bundle(
      "transaction", {entry("POST", "QuestionnaireResponse", phq9("42")), entry("POST", "QuestionnaireResponse", phq9("43"))});
  BOOST_TEST(reply.status == 422);
  BOOST_TEST(reply.code() == "not-supported");
  BOOST_TEST(node.receipts("42").empty());
  BOOST_TEST(node.receipts("43").empty());
  BOOST_TEST(bundle("transaction", {entry("GET", "Patient/42")}).code() == "not-supported");
  BOOST_TEST(bundle("message", {}).status == 400);
}

BOOST_AUTO_TEST_CASE(transactions_and_single_requests_under_the_same_keys_never_mix) {
  const auto transaction = [&](int others) {
    auto r = make(request::verb::post, "",
                  {{"resourceType", "Bundle"},
                   {"type", "transaction"},
                   {"entry",
                    {entry("POST", "QuestionnaireResponse", phq9("42", others)),
                     entry("POST", "QuestionnaireResponse", phq9("42", others + 1))}}});
    r.idempotency_key = "k";
    return node.fhir(r);
  };
  std::vector<messages::ticket> tickets;
  for (int i = 0; i < 4; ++i) {
    tickets.push_back(transaction(i % 2));
    tickets.push_back(node.fhir(post(phq9("42", i % 2), "k#0")));
    tickets.push_back(node.fhir(post(phq9("42", 2), "k#1")));
  }
  for (const auto t : tickets) {
    const auto status = wait(t).status;
    BOOST_TEST((status == 200 || status == 201 || status == 409), status);
  }
  BOOST_TEST(node.receipts("42").size() == 2u);
  BOOST_TEST(!node.process.exit_code.has_value());
}

BOOST_AUTO_TEST_CASE(whoever_dies_a_transaction_is_stored_whole_or_not_at_all) {
  int round = 0;
  for (const auto* name : {"validator 0", "validator 1", "writer 1", "writer 2", "store 1", "region 1", "region 2", "reader 0",
                           "reader 1", "journal", "gateway", "fhir"}) {
    const auto subject = std::to_string(100 + ++round);
    auto r = make(
        request::verb::post, "",
        {{"resourceType", "Bundle"},
         {"type", "transaction"},
         {"entry",
          {entry("POST", "QuestionnaireResponse", phq9(subject, 1)), entry("POST", "QuestionnaireResponse", phq9(subject, 2)),
           entry("POST", "QuestionnaireResponse", phq9(subject, 3))}}});
    r.idempotency_key = "k";
    const auto t = node.fhir(r);
    node.kill(name);
    const auto status = wait(t).status;
    BOOST_TEST((status == 200 || status == 503), name << " " << status);
    node.run(5'000);
    const auto stored = node.receipts(subject).size();
    BOOST_TEST((stored == 3u || (stored == 0u && status == 503)), name << " " << stored);
    auto again = ask(r);
    for (int attempt = 0; attempt < 20 && again.status == 503; ++attempt) {
      node.run(500);
      again = ask(r);
    }
    BOOST_TEST(again.status == 200, name);
    BOOST_TEST(node.receipts(subject).size() == 3u, name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(fhir_search, fhir_node)

BOOST_AUTO_TEST_CASE(pages_show_each_response_once_while_new_ones_arrive_and_survive_restarts) {
  std::vector<std::string> stored;
  for (int i = 0; i < 40; ++i) {
    const auto subject = std::to_string(1 + i % 13);
    if (i % 2 == 0) {
      stored.push_back(create(phq9(subject), "k" + std::to_string(i)).body["id"]);
    } else {
      BOOST_REQUIRE(node.send(subject, test_node::phq9(), "k" + std::to_string(i)) == 202);
      stored.push_back(domain::to_text(domain::make_receipt("demo", subject, "k" + std::to_string(i))));
    }
    node.clock.wall_offset_us += 1'000'000;
  }
  std::reverse(stored.begin(), stored.end()); // newest first
  BOOST_TEST(search("/QuestionnaireResponse?_count=200") == stored, boost::test_tools::per_element());
  int more = 0;
  const auto found = search("/QuestionnaireResponse?_count=7", 1'000, [&] {
    create(phq9(std::to_string(1 + more), 2), "late" + std::to_string(more));
    ++more;
    if (more == 3) {
      BOOST_TEST(node.stop());
      BOOST_REQUIRE(node.start());
    }
  });
  BOOST_TEST(found == stored, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_search_finds_what_it_is_asked_for) {
  auto gad = phq9("2");
  gad["questionnaire"] = "https://epione.example/Questionnaire/gad-7";
  gad["item"].erase(7);
  gad["item"].erase(7);
  gad["authored"] = "2026-10-01";
  const auto g = create(gad, "g");
  BOOST_REQUIRE_MESSAGE(g.status == 201, g.body.dump());
  const auto a = create(phq9("1"), "a").body["id"].get<std::string>(), b = create(phq9("2"), "b").body["id"].get<std::string>();
  auto changed = phq9("1", 2);
  changed["status"] = "amended";
  BOOST_REQUIRE(amend(a, changed, "", "why").status == 200);
  const auto find = [&](const std::string& query) {
    const auto ids = search("/QuestionnaireResponse?" + query);
    return std::set<std::string>{ids.begin(), ids.end()};
  };
  using ids = std::set<std::string>;
  const auto gid = g.body["id"].get<std::string>();
  BOOST_TEST((find("subject=Patient/2") == ids{gid, b}));
  BOOST_TEST((find("patient=2") == ids{gid, b}));
  BOOST_TEST((find("patient=3") == ids{}));
  BOOST_TEST((find("patient=nobody") == ids{}));
  BOOST_TEST((find("questionnaire=https://epione.example/Questionnaire/gad-7") == ids{gid}));
  BOOST_TEST((find("questionnaire=https://epione.example/Questionnaire/phq-9%7C1.0") == ids{a, b}));
  BOOST_TEST((find("questionnaire=https://epione.example/Questionnaire/phq-9%7C9.0") == ids{}));
  BOOST_TEST((find("questionnaire=phq-9,gad-7") == ids{a, b, gid}));
  BOOST_TEST((find("status=amended") == ids{a}));
  BOOST_TEST((find("status=completed") == ids{b, gid}));
  BOOST_TEST((find("authored=2026-10") == ids{gid}));
  BOOST_TEST((find("authored=lt2026-11-01") == ids{gid}));
  BOOST_TEST((find("authored=ge2026-11-23T18:30:00Z&authored=lt2026-11-24") == ids{a, b}));
  BOOST_TEST((find("authored=gt2026-11-24") == ids{}));
  BOOST_TEST((find("_id=" + a) == ids{a}));
  BOOST_TEST((find("_id=" + a + "&status=completed") == ids{}));
  BOOST_TEST((find("patient=2&_count=1&questionnaire=phq-9") == ids{b}));
  for (const auto* wrong : {"authored=yesterday", "status=done", "_count=many", "_cursor=1", "_cursor=1-5", "patient=a/b",
                            "study=other", "subject=Patient/1&patient=2"})
    BOOST_TEST(get(std::string{"/QuestionnaireResponse?"} + wrong).status == 400, wrong);
}

BOOST_AUTO_TEST_CASE(a_total_is_that_of_all_pages_on_all_shards_also_by_post) {
  for (int i = 0; i < 9; ++i)
    BOOST_REQUIRE(create(phq9(std::to_string(1 + i % 4)), "k" + std::to_string(i)).status == 201);
  for (const auto* query : {"_summary=count", "_count=0"}) {
    const auto all = get(std::string{"/QuestionnaireResponse?"} + query);
    BOOST_REQUIRE_MESSAGE(all.status == 200, all.body.dump());
    BOOST_TEST(all.body["total"] == 9, query);
    BOOST_TEST(!all.body.contains("entry"), query);
    BOOST_TEST(all.body["link"].size() == 1u, query);
    BOOST_TEST(get(std::string{"/QuestionnaireResponse?patient=1&"} + query).body["total"] == 3, query);
    BOOST_TEST(get(std::string{"/QuestionnaireResponse?patient=nobody&"} + query).body["total"] == 0, query);
    BOOST_TEST(get(std::string{"/Questionnaire?"} + query).body["total"] == 2, query);
    BOOST_TEST(!get(std::string{"/Questionnaire?"} + query).body.contains("entry"), query);
  }
  auto posted = make(request::verb::post, "/QuestionnaireResponse/_search?patient=1");
  posted.content_type = "application/x-www-form-urlencoded";
  posted.body = "_count=2&status=completed";
  const auto page = ask(posted);
  BOOST_REQUIRE_MESSAGE(page.status == 200, page.body.dump());
  BOOST_TEST(page.body["entry"].size() == 2u);
  posted.body = "_summary=count";
  BOOST_TEST(ask(posted).body["total"] == 3);
  posted.path = "/Questionnaire/_search";
  posted.query = "";
  posted.body = "title=patient";
  BOOST_TEST(ask(posted).body["total"] == 1);
  posted.path = "/Patient/_search";
  BOOST_TEST(ask(posted).status == 404);
}

BOOST_AUTO_TEST_CASE(several_are_found_by_their_ids_at_once) {
  const auto a = create(phq9("1"), "a").body["id"].get<std::string>(), b = create(phq9("2"), "b").body["id"].get<std::string>();
  const std::string unknown = "0123456789abcdef0123456789abcdef";
  BOOST_TEST((search("/QuestionnaireResponse?_id=" + b + "," + unknown + ",short," + a + "," + b) == std::vector{b, a}));
  const auto of_one = get("/QuestionnaireResponse?patient=1&_id=" + a + "," + b);
  BOOST_TEST(of_one.body["total"] == 1);
  BOOST_TEST(of_one.body["entry"][0]["resource"]["id"] == a);
  const auto counted = get("/QuestionnaireResponse?_summary=count&_id=" + a + "," + b);
  BOOST_TEST(counted.body["total"] == 2);
  BOOST_TEST(!counted.body.contains("entry"));
  BOOST_TEST(get("/QuestionnaireResponse?_count=1&_id=" + a + "," + b).status == 400); // never more than was asked for
}

BOOST_AUTO_TEST_CASE(a_part_of_a_response_is_shown_as_such_and_not_taken_back_as_the_whole) {
  const auto id = create(phq9("42"), "k").body["id"].get<std::string>();
  const auto address = "/QuestionnaireResponse/" + id;
  const auto check = [&](const json& shown) {
    BOOST_TEST(shown["id"] == id, shown.dump());
    BOOST_TEST(shown["meta"]["tag"][0]["code"] == "SUBSETTED", shown.dump());
    BOOST_TEST(shown["status"] == "completed");
    BOOST_TEST(!shown.contains("item"));
  };
  check(get(address + "?_summary=true").body);
  check(get(address + "/_history/1?_elements=authored").body);
  check(get(address + "/_history?_summary=text").body["entry"][0]["resource"]);
  check(get("/QuestionnaireResponse?_summary=true").body["entry"][0]["resource"]);
  check(get("/QuestionnaireResponse?_elements=subject&_id=" + id).body["entry"][0]["resource"]);
  BOOST_TEST(get("/Questionnaire/phq-9?_summary=true").body["title"] == get("/Questionnaire/phq-9").body["title"]);
  BOOST_TEST(!get("/Questionnaire/phq-9?_summary=true").body.contains("item"));
  BOOST_TEST(!get("/Questionnaire?_elements=url").body["entry"][0]["resource"].contains("item"));
  BOOST_TEST(get(address + "?_summary=false").body == get(address).body);
  BOOST_TEST(get(address + "/_history?_summary=count").body["total"] == 1);
  BOOST_TEST(!get(address + "/_history?_summary=count").body.contains("entry"));
  BOOST_TEST(get(address + "?_summary=count").status == 400);
  BOOST_TEST(get(address + "?_summary=short").status == 400);
  auto part = get(address + "?_summary=data").body;
  BOOST_TEST(part.contains("item"));
  part["status"] = "amended";
  const auto refused = amend(id, part, "", "why");
  BOOST_TEST(refused.status == 422);
  BOOST_TEST(refused.body.dump().find("SUBSETTED") != std::string::npos, refused.body.dump());
  BOOST_TEST(create(part, "other").status == 422);
  BOOST_TEST(ask(make(request::verb::post, "/Questionnaire", get("/Questionnaire/phq-9?_summary=data").body)).status == 422);
  BOOST_TEST(get(address).field("ETag") == "W/\"1\"");
}

BOOST_AUTO_TEST_SUITE_END()
