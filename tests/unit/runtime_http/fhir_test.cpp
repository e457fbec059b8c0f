// Requests under /fhir as HTTP hands them on, and its own errors there.
#include "server_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace epione::runtime;
using namespace epione::runtime::test;
using epione::messages::reply;

BOOST_AUTO_TEST_SUITE(fhir_requests)

BOOST_AUTO_TEST_CASE(a_request_reaches_the_front_with_its_headers_and_its_reply_brings_its_own) {
  running_server node;
  auto client = node.client();
  const std::string body = R"({"resourceType":"QuestionnaireResponse"})";
  client.send(
      "PUT /fhir/QuestionnaireResponse/6f1d?study=demo HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: application/fhir+json\r\n"
      "if-match: W/\"3\"\r\nX-Provenance:  {\"a\": 1} \r\nPrefer: return=minimal\r\nAccept: */*\r\nIdempotency-Key: k\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  const auto request = node.behind.take();
  BOOST_REQUIRE(request && request->fhir);
  const auto& r = *request->fhir;
  BOOST_TEST((r.method == epione::messages::fhir_request::verb::put));
  BOOST_TEST(r.path == "/QuestionnaireResponse/6f1d");
  BOOST_TEST(r.query == "study=demo");
  BOOST_TEST(r.base == "http://localhost:1/fhir");
  BOOST_TEST(r.content_type == "application/fhir+json");
  BOOST_TEST(r.if_match.value() == "W/\"3\"");
  BOOST_TEST(r.provenance.value() == "{\"a\": 1}");
  BOOST_TEST(r.prefer.value() == "return=minimal");
  BOOST_TEST(r.accept.value() == "*/*");
  BOOST_TEST(r.idempotency_key.value() == "k");
  BOOST_TEST(!r.if_none_exist);
  BOOST_TEST(r.body == body);
  BOOST_TEST(r.received_ns > 0);
  node.server.deliver(
      {{request->ticket, 201, "", 0, epione::messages::elsewhere::no, "Location: http://x/1\r\nETag: W/\"1\"\r\n"}});
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status_line == "HTTP/1.1 201 Created");
  BOOST_TEST(answer->header.at("content-type") == "application/fhir+json; charset=utf-8");
  BOOST_TEST(answer->header.at("location") == "http://x/1");
  BOOST_TEST(answer->header.at("etag") == "W/\"1\"");
  BOOST_TEST(answer->body == "");
}

BOOST_AUTO_TEST_CASE(headers_that_are_lists_may_stand_in_several_lines) {
  running_server node;
  auto client = node.client();
  client.send(get("/fhir/QuestionnaireResponse/6f1d",
                  "Prefer: return=minimal\r\nIf-None-Match: W/\"1\"\r\nprefer:handling=strict\r\nIf-None-Match: W/\"2\"\r\n"
                  "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  const auto request = node.behind.take();
  BOOST_REQUIRE(request && request->fhir);
  BOOST_TEST(request->fhir->prefer.value_or("") == "return=minimal, handling=strict");
  BOOST_TEST(request->fhir->if_none_match.value_or("") == "W/\"1\", W/\"2\"");
  BOOST_TEST(request->fhir->if_modified_since.value_or("") == "Sun, 06 Nov 1994 08:49:37 GMT");
  BOOST_TEST(!request->fhir->accept);
  node.server.deliver({{request->ticket, 200, "{}", 0}});
  BOOST_TEST(client.receive()->status == 200);
}

BOOST_AUTO_TEST_CASE(what_is_not_modified_has_neither_body_nor_length_and_the_connection_goes_on) {
  running_server node;
  auto client = node.client();
  client.send(get("/fhir/QuestionnaireResponse/6f1d", "If-None-Match: W/\"1\"\r\n"));
  const auto request = node.behind.take();
  BOOST_REQUIRE(request);
  node.server.deliver({{request->ticket, 304, "", 0, epione::messages::elsewhere::no, "ETag: W/\"1\"\r\n"}});
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status_line == "HTTP/1.1 304 Not Modified");
  BOOST_TEST(answer->header.at("etag") == "W/\"1\"");
  BOOST_TEST(answer->header.count("content-length") == 0u);
  BOOST_TEST(answer->header.count("content-type") == 0u);
  BOOST_TEST(client.ask(get("/healthz"))->status == 200);
}

BOOST_AUTO_TEST_CASE(head_is_a_read_whose_answer_has_its_length_and_no_body) {
  running_server node;
  auto client = node.client();
  client.send("HEAD /fhir/QuestionnaireResponse/6f1d HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto request = node.behind.take();
  BOOST_REQUIRE(request && request->fhir);
  BOOST_TEST((request->fhir->method == epione::messages::fhir_request::verb::get));
  node.server.deliver({{request->ticket, 200, "{\"a\":1}", 0, epione::messages::elsewhere::no, "ETag: W/\"1\"\r\n"}});
  const auto answer = client.receive(true);
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 200);
  BOOST_TEST(answer->header.at("content-length") == "7");
  BOOST_TEST(answer->header.at("etag") == "W/\"1\"");
  BOOST_TEST(client.ask(get("/healthz"))->body.find("alive") != std::string::npos); // nothing was left over
}

BOOST_AUTO_TEST_CASE(a_search_by_post_reaches_the_front_as_it_is_and_is_no_id) {
  running_server node;
  auto client = node.client();
  client.send("POST /fhir/QuestionnaireResponse/_search?status=completed HTTP/1.1\r\nHost: localhost\r\n"
              "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\n_count=3");
  const auto request = node.behind.take();
  BOOST_REQUIRE(request && request->fhir);
  BOOST_TEST(epione::messages::is_posted_search(*request->fhir));
  BOOST_TEST(request->fhir->query == "status=completed");
  BOOST_TEST(request->fhir->body == "_count=3");
  node.server.deliver({{request->ticket, 200, "{}", 0}});
  BOOST_TEST(client.receive()->status == 200);
  const auto refused = client.ask(get("/fhir/Questionnaire/_search"));
  BOOST_REQUIRE(refused);
  BOOST_TEST(refused->status == 405);
  BOOST_TEST(refused->header.at("allow") == "POST");
  epione::messages::fhir_request other;
  other.method = epione::messages::fhir_request::verb::post;
  for (const auto* path :
       {"", "/_search", "/QuestionnaireResponse", "/QuestionnaireResponse/1/_search", "/QuestionnaireResponse_search"}) {
    other.path = path;
    BOOST_TEST(!epione::messages::is_posted_search(other), path);
  }
}

BOOST_AUTO_TEST_CASE(the_base_may_end_with_a_slash) {
  running_server node;
  auto client = node.client();
  for (const auto* target : {"/fhir", "/fhir/"}) {
    client.send("POST " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
    const auto request = node.behind.take();
    BOOST_REQUIRE(request && request->fhir);
    BOOST_TEST(request->fhir->path == "");
    node.server.deliver({{request->ticket, 200, "{}", 0}});
    BOOST_TEST(client.receive()->status == 200);
  }
}

BOOST_AUTO_TEST_CASE(errors_of_http_itself_are_outcomes_there) {
  running_server node;
  auto client = node.client();
  const auto outcome = [](const std::optional<received_reply>& r, int status) {
    BOOST_REQUIRE(r);
    BOOST_TEST(r->status == status);
    BOOST_TEST(r->header.at("content-type") == "application/fhir+json; charset=utf-8");
    BOOST_TEST(nlohmann::json::parse(r->body)["resourceType"] == "OperationOutcome");
  };
  outcome(client.ask(get("/fhir/Observation")), 404);
  const auto refused = client.ask("DELETE /fhir/QuestionnaireResponse/1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  outcome(refused, 405);
  BOOST_TEST(refused->header.at("allow") == "GET, HEAD, PUT");
  client.send(get("/fhir/metadata"));
  const auto request = node.behind.take();
  BOOST_REQUIRE(request);
  node.server.abandon_all();
  const auto gone = client.receive();
  outcome(gone, 503);
  BOOST_TEST(gone->header.count("retry-after") == 1u);
  BOOST_TEST(gone->body.find("\"unknown\"") != std::string::npos);
  // Outside of it nothing is different.
  BOOST_TEST(client.ask(get("/fhirx"))->header.at("content-type") == "application/json");
}

BOOST_AUTO_TEST_CASE(a_put_elsewhere_is_no_method_there) {
  running_server node;
  auto client = node.client();
  const auto answer = client.ask("PUT /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  BOOST_TEST(answer->status == 405);
  BOOST_TEST(answer->header.at("allow") == "POST");
}

BOOST_AUTO_TEST_SUITE_END()
