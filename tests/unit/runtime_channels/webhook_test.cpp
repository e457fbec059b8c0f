// Web services that take, refuse, postpone, hang and cut; and what is put into the JSON stays where it was put.
#include "runtime/channels/json_template.hpp"
#include "runtime/defaults.hpp"
#include "tests/unit/runtime_channels/channel_fixture.hpp"

#include <nlohmann/json.hpp>

using namespace epione;
using namespace epione::runtime;
using namespace epione::runtime::test;
using messages::send_failure;
using nlohmann::json;

namespace {

struct webhook_fixture : channel_fixture {
  section_entries plain(const web_receiver& server, section_entries more = {}) {
    section_entries all{{"kind", "webhook"}, {"url", server.url()}, {"tls", "none"}, {"timeout_ms", "3000"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  static section_entries simple() { return {{"template", R"({"to":"{to}","text":"{text}"})"}}; }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(webhooks, webhook_fixture)

BOOST_AUTO_TEST_CASE(a_message_arrives_as_json_with_its_key) {
  web_receiver server;
  auto c = make(plain(server, simple()));
  auto m = message("+86 138");
  BOOST_TEST(is_sent(c->send(m)));
  BOOST_REQUIRE(server.requests().size() == 1U);
  const auto r = server.requests()[0];
  BOOST_TEST(r.method == "POST");
  BOOST_TEST(r.path == "/notify");
  BOOST_TEST(r.headers.at("content-type") == "application/json");
  BOOST_TEST(r.headers.at("idempotency-key") == m.key);
  BOOST_TEST(json::parse(r.body) == (json{{"to", "+86 138"}, {"text", m.text}}));
  BOOST_TEST(is_sent(c->send(m)));
  BOOST_TEST(server.connections() == 1U); // the connection is used again
}

BOOST_AUTO_TEST_CASE(nothing_that_is_put_in_gets_out_of_its_text) {
  web_receiver server;
  auto c = make(plain(server, simple()));
  auto m = message(R"(","admin":true,"x":")");
  m.text = "\"}\n{to}{{text}\\u0000\x01\xff";
  BOOST_TEST(is_sent(c->send(m)));
  const auto body = json::parse(server.requests().at(0).body);
  BOOST_TEST(body.size() == 2U);
  BOOST_TEST(body["to"] == m.to);
  BOOST_TEST(body["text"].get<std::string>().starts_with("\"}\n{to}{{text}\\u0000\x01"));
}

BOOST_AUTO_TEST_CASE(what_the_service_refuses_and_what_it_postpones) {
  web_receiver server;
  auto c = make(plain(server, simple()));
  const auto answered = [&](int status, std::string headers = {}) {
    server.answer(status, std::move(headers));
    return c->send(message("1"));
  };
  for (const int status : {400, 409, 413, 422})
    BOOST_TEST(is_refused(answered(status)), status);
  for (const int status : {402, 403, 404, 405, 410, 415, 426, 451})
    BOOST_TEST(is_later(answered(status), send_failure::configuration), status);
  for (const int status : {408, 425, 429, 500, 502, 503})
    BOOST_TEST(is_later(answered(status), send_failure::busy), status);
  for (const int status : {401, 407})
    BOOST_TEST(is_later(answered(status), send_failure::credentials), status);
  BOOST_TEST(is_later(answered(302, "Location: http://127.0.0.1:1/\r\n"), send_failure::configuration));
  for (const int status : {200, 201, 202, 204})
    BOOST_TEST(is_sent(answered(status)), status);
  BOOST_TEST(answered(429, "Retry-After: 17\r\n").retry_after_s.value_or(0) == 17U);
  BOOST_TEST(answered(503, "Retry-After: 999999999\r\n").retry_after_s.value_or(0) == defaults::channel_retry_after_s_max);
}

BOOST_AUTO_TEST_CASE(a_service_that_hangs_or_cuts_is_tried_later) {
  web_receiver server;
  auto entries = plain(server, simple());
  entries[3].second = "300";
  auto c = make(entries);
  server.fault = receiver_fault::hang;
  BOOST_TEST(is_later(c->send(message("1")), send_failure::time_limit));
  for (const auto how : {receiver_fault::cut, receiver_fault::cut_after}) {
    server.fault = how;
    BOOST_TEST(is_later(c->send(message("1")), send_failure::unreachable));
  }
  server.fault = receiver_fault::none;
  BOOST_TEST(is_sent(c->send(message("1"))));
}

BOOST_AUTO_TEST_CASE(secrets_come_from_files_and_are_not_shown) {
  tests::test_certificate certificate;
  web_receiver server{{0, certificate.context(), {}}};
  const temporary_file token{"tok-en-1\n"}, url{server.url() + "?key=robot-secret\n"};
  auto c = make({{"kind", "webhook"},
                 {"url_file", url.path()},
                 {"token_file", token.path()},
                 {"ca_file", certificate.file()},
                 {"template", R"({"a":"{title}"})"}});
  BOOST_TEST(is_sent(c->send(message(""))));
  const auto r = server.requests().at(0);
  BOOST_TEST(r.path == "/notify?key=robot-secret");
  BOOST_TEST(r.headers.at("authorization") == "Bearer tok-en-1");
  BOOST_TEST(steps.find("POST /notify") != std::string::npos);
  BOOST_TEST(steps.find("robot-secret") == std::string::npos, steps);
  BOOST_TEST(steps.find("tok-en") == std::string::npos, steps);
}

BOOST_AUTO_TEST_CASE(a_certificate_nobody_vouches_for_is_not_believed) {
  tests::test_certificate certificate, other;
  web_receiver server{{0, certificate.context(), {}}};
  const auto r =
      make({{"kind", "webhook"}, {"url", server.url()}, {"ca_file", other.file()}, {"template", "{}"}})->send(message("1"));
  BOOST_TEST(is_later(r, send_failure::tls), r.reason);
  BOOST_TEST(server.requests().empty());
}

BOOST_AUTO_TEST_CASE(a_wecom_robot_says_in_its_answer_what_it_did) {
  web_receiver server;
  auto c = make(plain(server, {{"preset", "wecom"}}));
  server.answer(200, {}, R"({"errcode":0,"errmsg":"ok"})");
  auto m = message("13800001111");
  BOOST_TEST(is_sent(c->send(m)));
  auto body = json::parse(server.requests().at(0).body);
  BOOST_TEST(body["msgtype"] == "text");
  BOOST_TEST(body["text"]["content"] == m.subject + "\n" + m.text);
  BOOST_TEST(body["text"]["mentioned_mobile_list"] == json::array({"13800001111"}));
  BOOST_TEST(is_sent(c->send(message("")))); // the whole group, nobody in particular
  BOOST_TEST(json::parse(server.requests().at(1).body)["text"]["mentioned_mobile_list"] == json::array());
  server.answer(200, {}, R"({"errcode":45009,"errmsg":"api freq out of limit"})");
  BOOST_TEST(is_later(c->send(m), send_failure::busy));
  server.answer(200, {}, R"({"errcode":93000,"errmsg":"invalid webhook url"})"); // the robot is gone, not this message wrong
  BOOST_TEST(is_later(c->send(m), send_failure::busy));
  server.answer(200, {}, R"({"errcode":40058,"errmsg":"invalid Request Parameter"})");
  BOOST_TEST(is_refused(c->send(m)));
  server.answer(200, {}, "<html>");
  BOOST_TEST(is_later(c->send(m), send_failure::busy));
}

BOOST_AUTO_TEST_CASE(the_other_presets_list_every_receipt) {
  web_receiver server;
  auto m = message("13800001111");
  m.notices.push_back(m.notices[0]);
  m.notices[1].receipt = "ffffc3b3eff2d398565f4e795cf0a7ab";
  BOOST_TEST(is_sent(make(plain(server, {{"preset", "sms"}}))->send(m)));
  BOOST_TEST(is_sent(make(plain(server, {{"preset", "push"}}))->send(m)));
  const auto sms = json::parse(server.requests().at(0).body), push = json::parse(server.requests().at(1).body);
  for (const auto& n : m.notices)
    BOOST_TEST(sms["text"].get<std::string>().find(n.receipt) != std::string::npos);
  BOOST_TEST(push["count"] == 2);
  BOOST_TEST(push["priority"] == "high");
  BOOST_TEST(push["notices"][1]["receipt"] == m.notices[1].receipt);
}

BOOST_AUTO_TEST_CASE(who_has_no_address_is_told_so) {
  web_receiver server;
  const auto r = make(plain(server, {{"preset", "sms"}}))->send(message(""));
  BOOST_TEST(is_without_address(r));
  BOOST_TEST(r.reason.find("'wang'") != std::string::npos, r.reason);
  BOOST_TEST(server.requests().empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(templates)

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_template_is_told) {
  const auto problem = [](std::string_view text) {
    const auto t = json_template::parse(text);
    return t ? std::string{} : t.error();
  };
  BOOST_TEST(problem("{") == "is not JSON");
  BOOST_TEST(problem("\"{text}\"") == "is not a JSON object or array");
  BOOST_TEST(problem(R"({"a":["{titel}"]})").find("the nearest is {title}") != std::string::npos);
  BOOST_TEST(problem(R"({"a":"x{notices}"})").find("value of its own") != std::string::npos);
  BOOST_TEST(problem(R"({"a":"{{titel} {} {A} {"})") == "");
}

BOOST_AUTO_TEST_CASE(every_documented_placeholder_is_filled) {
  auto m = channel_fixture::message("to");
  for (const auto& [name, meaning] : json_template::placeholders()) {
    const auto t = json_template::parse("[\"x\", \"{" + name + "}\"]");
    BOOST_REQUIRE(t.has_value());
    const auto filled = json::parse(t->render(m));
    BOOST_REQUIRE(filled.size() == 2U);
    BOOST_TEST((!filled[1].empty() && filled[1] != "" && filled[1] != "{" + name + "}"), name);
  }
  BOOST_TEST(json_template::parse(R"({"a":"{{x} {count} {urgent}","b":"{count}","c":"{urgent}","d":1.5})")->render(m) ==
             R"({"a":"{x} 1 true","b":1,"c":true,"d":1.5})");
}

BOOST_AUTO_TEST_SUITE_END()
