// The pages for operators and programs, and that the interface's description says what the interface does.
#include "runtime/config.hpp"
#include "runtime/http/http_metrics.hpp"
#include "runtime/http/openapi.hpp"
#include "runtime/http/routes.hpp"
#include "server_fixture.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <set>

using namespace epione::runtime;
using namespace epione::runtime::test;

BOOST_AUTO_TEST_SUITE(pages)

BOOST_AUTO_TEST_CASE(readyz_gives_the_reasons_until_there_are_none) {
  running_server node;
  node.around.ready.set("shard 3", "waits for its \"store\"");
  node.around.ready.set("journal", "is opening");
  auto probe = node.client();
  auto answer = probe.ask(get("/readyz"));
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 503);
  BOOST_TEST(answer->header.at("retry-after") == "1");
  const auto body = nlohmann::json::parse(answer->body);
  BOOST_TEST(body["status"] == "not ready");
  BOOST_TEST(body["reasons"].size() == 2u);
  BOOST_TEST(body["reasons"][1]["part"] == "shard 3");
  BOOST_TEST(body["reasons"][1]["reason"] == "waits for its \"store\"");
  node.around.ready.clear("shard 3");
  BOOST_TEST(probe.ask(get("/readyz"))->status == 503);
  node.around.ready.clear("journal");
  answer = probe.ask(get("/readyz"));
  BOOST_TEST(answer->status == 200);
  BOOST_TEST(nlohmann::json::parse(answer->body)["status"] == "ready");
  BOOST_TEST(probe.ask(get("/healthz"))->status == 200);
}

BOOST_AUTO_TEST_CASE(metrics_count_requests_by_route_and_status) {
  running_server node;
  node.behind.answer_with(node.server,
                          [](const fake_front::request& r) { return epione::messages::reply{r.ticket, 202, "{}", 0}; });
  auto client = node.client();
  BOOST_TEST(client.ask(post(R"({"patientId":1,"data":{}})"))->status == 202);
  BOOST_TEST(client.ask(post(R"({"patientId":1,"data":{}})"))->status == 202);
  BOOST_TEST(client.ask(post("{"))->status == 400);
  BOOST_TEST(client.ask(get("/nothing"))->status == 404);
  const auto answer = client.ask(get("/metrics"));
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->header.at("content-type").substr(0, 25) == "text/plain; version=0.0.4");
  for (const auto* line :
       {"epione_http_requests_total{route=\"submit\",status=\"202\"} 2",
        "epione_http_requests_total{route=\"submit\",status=\"400\"} 1",
        "epione_http_requests_total{route=\"none\",status=\"404\"} 1", "epione_http_request_seconds_count{route=\"submit\"} 3",
        "epione_http_connections 1", "epione_http_connections_accepted_total 1"})
    BOOST_TEST(answer->body.find(line) != std::string::npos, line);
}

BOOST_AUTO_TEST_CASE(who_asks_for_metrics_by_the_dozen_lets_others_have_their_turn) {
  constexpr int asked = 20;
  std::promise<void> sent, answered;
  auto was_sent = sent.get_future(), was_answered = answered.get_future();
  int rendered = 0;
  bool in_time = false;
  surroundings around;
  auto parts = around.get();
  parts.before_metrics = [&] {
    ++rendered;
    if (rendered == 1)
      was_sent.wait_for(std::chrono::seconds{10});
    if (rendered == asked)
      in_time = was_answered.wait_for(std::chrono::seconds{10}) == std::future_status::ready;
  };
  fake_front behind;
  http_options one_thread;
  one_thread.threads = 1;
  http_server server{one_thread, parts};
  const auto endpoint = server.start(behind);
  BOOST_REQUIRE(endpoint);
  raw_client greedy{endpoint->port}, other{endpoint->port};
  BOOST_REQUIRE(other.ask(get("/healthz"))); // it is known to the thread
  std::string dozens;
  for (int i = 0; i < asked; ++i)
    dozens += get("/metrics");
  BOOST_REQUIRE(greedy.send(dozens));
  BOOST_REQUIRE(other.send(get("/healthz")));
  sent.set_value();
  BOOST_REQUIRE(other.receive());
  answered.set_value();
  for (int i = 0; i < asked; ++i)
    BOOST_REQUIRE(greedy.receive());
  BOOST_TEST(in_time);
}

BOOST_AUTO_TEST_CASE(metrics_are_refreshed_before_they_are_shown) {
  surroundings around;
  auto parts = around.get();
  parts.before_metrics = [&] { around.numbers.gauge("epione_test_refreshed", "Test").Increment(); };
  fake_front behind;
  http_server server{{}, parts};
  const auto endpoint = server.start(behind);
  BOOST_REQUIRE(endpoint);
  raw_client client{endpoint->port};
  client.ask(get("/metrics"));
  BOOST_TEST(client.ask(get("/metrics"))->body.find("epione_test_refreshed 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_description_has_every_route_with_its_statuses_and_nothing_else) {
  running_server node;
  const auto answer = node.client().ask(get("/openapi.json"));
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->body == http::openapi_text());
  const auto description = nlohmann::json::parse(answer->body);
  std::set<std::string> described, real;
  for (const auto& [path, methods] : description["paths"].items())
    for (const auto& [method, operation] : methods.items())
      for (const auto& [status, response] : operation["responses"].items()) {
        described.insert(method + " " + path + " " + status);
        BOOST_TEST((response.contains("description") || response.contains("$ref")));
      }
  for (const auto& r : http::routes()) {
    const std::string method = r.verb == http::method::post ? "post " : r.verb == http::method::put ? "put " : "get ";
    BOOST_TEST(std::is_sorted(r.statuses.begin(), r.statuses.end()));
    for (const int status : r.statuses)
      real.insert(method + std::string{r.pattern} + " " + std::to_string(status));
  }
  BOOST_TEST(described == real, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(everything_the_description_refers_to_is_there) {
  const auto description = nlohmann::json::parse(http::openapi_text());
  BOOST_TEST(description["openapi"] == "3.0.3");
  const std::function<void(const nlohmann::json&)> walk = [&](const nlohmann::json& node) {
    if (node.is_object() && node.contains("$ref"))
      BOOST_TEST(description.contains(nlohmann::json::json_pointer{node["$ref"].get<std::string>().substr(1)}), node["$ref"]);
    if (node.is_structured())
      for (const auto& child : node)
        walk(child);
  };
  walk(description);
}

BOOST_AUTO_TEST_CASE(the_description_gives_what_can_be_configured_as_a_default) {
  const std::string text{http::openapi_text()};
  for (const auto& words :
       {"http.read_limit_max, " + std::to_string(defaults::read_limit_max) + " by default",
        "http.body_bytes_max, " + std::to_string(defaults::http_body_bytes_max / 1024) + " KiB by default",
        "http.header_bytes_max, " + std::to_string(defaults::http_header_bytes_max / 1024) + " KiB by default"})
    BOOST_TEST(text.find(words) != std::string::npos, words);
  const auto description = nlohmann::json::parse(text);
  for (const auto& parameter : description["paths"]["/patient/{id}"]["get"]["parameters"])
    if (parameter["name"] == "limit")
      BOOST_TEST(parameter["schema"]["maximum"] == find_setting("http.read_limit_max")->maximum);
}

BOOST_AUTO_TEST_CASE(every_described_route_is_found_and_takes_only_its_method) {
  for (const auto& r : http::routes()) {
    std::string path{r.pattern};
    for (const std::string brace : {"{id}", "{receipt}", "{version}"})
      if (const auto at = path.find(brace); at != std::string::npos)
        path.replace(at, brace.size(), "x");
    const auto target = path + "?query";
    const auto found = http::find_route(r.verb, target);
    BOOST_REQUIRE(found);
    BOOST_TEST((found->found == &r));
    BOOST_TEST(found->query == "query");
    BOOST_TEST(http::find_route(http::method::other, path).error().status == 405);
    BOOST_TEST(http::find_route(r.verb, path + "/more/of/it").error().status == 404);
  }
  BOOST_TEST(http::find_route(http::method::get, "/patient/a%2Fb/submissions/c")->segments[0] == "a%2Fb");
  BOOST_TEST(http::find_route(http::method::get, "/patient//submissions/c").error().status == 404);
  BOOST_TEST(http::find_route(http::method::get, "*").error().status == 404);
}

BOOST_AUTO_TEST_CASE(a_path_that_is_written_out_is_no_patient) {
  for (const auto verb : {http::method::get, http::method::head}) {
    const auto found = http::find_route(verb, "/patient/data");
    BOOST_REQUIRE(!found);
    BOOST_TEST(found.error().status == 405);
    BOOST_TEST(found.error().allow == "POST");
  }
  BOOST_TEST(http::find_route(http::method::get, "/patient/d%61ta")->segments[0] == "d%61ta");
}

BOOST_AUTO_TEST_CASE(percent_encoding) {
  std::string out;
  BOOST_TEST(http::percent_decode("a%20b+c", false, out));
  BOOST_TEST(out == "a b+c");
  BOOST_TEST(http::percent_decode("a%2Bb+c", true, out));
  BOOST_TEST(out == "a+b c");
  for (const auto* bad : {"%", "%2", "%zz", "x%g0"})
    BOOST_TEST(!http::percent_decode(bad, false, out), bad);
}

BOOST_AUTO_TEST_SUITE_END()
