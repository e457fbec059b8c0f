// The ordinary way: a submission in, a reply out, and what a client may rely on around it.
#include "server_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::runtime;
using namespace epione::runtime::test;
using epione::messages::reply;

BOOST_AUTO_TEST_SUITE(submissions)

namespace {

const std::string small_body = R"({"patientId":42,"key":"k1","data":{"form":"phq-9","answers":{"q1":0}}})";

reply stored(const fake_front::request& r) {
  return {r.ticket, 202, R"({"status":"stored"})", 0};
}

} // namespace

BOOST_AUTO_TEST_CASE(a_submission_reaches_the_front_and_its_reply_the_client) {
  running_server node;
  auto phone = node.client();
  phone.send(post(small_body));
  const auto request = node.behind.take();
  BOOST_REQUIRE(request && request->submission);
  BOOST_TEST(request->submission->subject == "42");
  BOOST_TEST(request->submission->study == "demo");
  BOOST_TEST(request->submission->key == "k1");
  BOOST_TEST(request->submission->received_ns > 0);
  node.server.deliver({stored(*request)});
  const auto answer = phone.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status_line == "HTTP/1.1 202 Accepted");
  BOOST_TEST(answer->body == R"({"status":"stored"})");
  BOOST_TEST(answer->header.at("content-type") == "application/json");
  BOOST_TEST(answer->header.at("cache-control") == "no-store");
  BOOST_TEST(answer->header.count("date") == 1u);
  BOOST_TEST(answer->header.count("connection") == 0u);
}

BOOST_AUTO_TEST_CASE(a_connection_carries_one_request_after_the_other) {
  running_server node;
  node.behind.answer_with(node.server, stored);
  auto phone = node.client();
  for (int i = 0; i < 100; ++i) {
    const auto answer = phone.ask(post(small_body));
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->status == 202);
  }
  BOOST_TEST(node.server.connections() == 1u);
}

BOOST_AUTO_TEST_CASE(requests_sent_ahead_are_answered_one_after_the_other_and_in_order) {
  running_server node;
  auto phone = node.client();
  std::string many;
  for (int i = 1; i <= 50; ++i)
    many += post(R"({"patientId":)" + std::to_string(i) + R"(,"key":"k","data":{}})");
  many += get("/healthz");
  phone.send(many);
  for (int i = 1; i <= 50; ++i) {
    const auto request = node.behind.take();
    BOOST_REQUIRE(request && request->submission);
    BOOST_TEST(request->submission->subject == std::to_string(i));
    BOOST_TEST(node.behind.waiting() == 0u); // the next one waits for this one's reply
    node.server.deliver({{request->ticket, 202, request->submission->subject, 0}});
    const auto answer = phone.receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->body == std::to_string(i));
  }
  const auto last = phone.receive();
  BOOST_REQUIRE(last);
  BOOST_TEST(last->body == R"({"status":"alive"})");
}

BOOST_AUTO_TEST_CASE(a_request_may_come_byte_by_byte) {
  running_server node;
  node.behind.answer_with(node.server, stored);
  auto phone = node.client();
  for (const char c : post(small_body))
    phone.send({&c, 1});
  const auto answer = phone.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 202);
}

BOOST_AUTO_TEST_CASE(a_body_up_to_the_limit_is_taken) {
  running_server node;
  auto phone = node.client();
  const std::string start = R"({"patientId":1,"key":"k","data":{"note":")";
  const std::string end = R"("}})";
  const std::string note(256 * 1024 - start.size() - end.size(), 'x');
  phone.send(post(start + note + end));
  const auto request = node.behind.take();
  BOOST_REQUIRE(request && request->submission);
  BOOST_TEST(request->submission->content.size() > note.size());
  node.server.deliver({stored(*request)});
  BOOST_TEST(phone.receive().has_value());
}

BOOST_AUTO_TEST_CASE(reads_carry_their_path_and_query) {
  running_server node;
  auto staff = node.client();
  staff.send(get("/patient/4%322?limit=7&before=99&study=demo"));
  auto request = node.behind.take();
  BOOST_REQUIRE(request && request->read);
  BOOST_TEST(request->read->subject == "422");
  BOOST_TEST(request->read->limit == 7u);
  BOOST_TEST(request->read->before_seq == 99u);
  BOOST_TEST(!request->read->id.has_value());
  node.server.deliver({{request->ticket, 200, "{}", 0}});
  BOOST_TEST(staff.receive()->status == 200);

  staff.send(get("/patient/42/submissions/000102030405060708090a0b0c0d0e0f"));
  request = node.behind.take();
  BOOST_REQUIRE(request && request->read);
  BOOST_REQUIRE(request->read->id.has_value());
  BOOST_TEST(epione::domain::to_text(*request->read->id) == "000102030405060708090a0b0c0d0e0f");
  node.server.deliver({{request->ticket, 404, "{}", 0}});
  BOOST_TEST(staff.receive()->status == 404);
}

BOOST_AUTO_TEST_CASE(a_late_reply_never_reaches_another_request) {
  running_server node;
  auto phone = node.client();
  phone.send(post(small_body));
  const auto first = node.behind.take();
  BOOST_REQUIRE(first);
  node.server.deliver({stored(*first)});
  BOOST_TEST(phone.receive()->status == 202);
  phone.send(post(small_body));
  const auto second = node.behind.take();
  BOOST_REQUIRE(second);
  BOOST_TEST(second->ticket != first->ticket);
  node.server.deliver({{first->ticket, 409, "late", 0}, {12345, 409, "nobody", 0}, {~std::uint64_t{0}, 409, "nobody", 0}});
  node.server.deliver({{second->ticket, 202, "mine", 0}});
  BOOST_TEST(phone.receive()->body == "mine");
}

BOOST_AUTO_TEST_CASE(a_reply_for_a_connection_that_is_gone_is_dropped) {
  running_server node;
  std::uint64_t ticket = 0;
  {
    auto phone = node.client();
    phone.send(post(small_body));
    ticket = node.behind.take()->ticket;
  }
  node.server.deliver({{ticket, 202, "{}", 0}});
  BOOST_TEST(eventually([&] { return node.server.connections() == 0; }));
  BOOST_TEST(node.around.admitted.under_way() == 0u);
}

BOOST_AUTO_TEST_CASE(a_reply_larger_than_the_socket_takes_at_once_arrives_whole) {
  running_server node;
  auto staff = node.client();
  staff.send(get("/patient/1"));
  const auto request = node.behind.take();
  std::string page(20u << 20, ' ');
  for (std::size_t i = 0; i < page.size(); ++i)
    page[i] = static_cast<char>('a' + i % 26);
  node.server.deliver({{request->ticket, 200, page, 0}});
  const auto answer = staff.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST((answer->body == page));
}

BOOST_AUTO_TEST_CASE(the_memory_of_a_long_reply_is_used_for_the_next_one) {
  running_server node;
  auto staff = node.client();
  staff.send(get("/patient/1"));
  const auto request = node.behind.take();
  auto body = node.server.body_buffer();
  body.assign(10'000, ' ');
  const auto* memory = body.data();
  epione::messages::replies one;
  one.push_back({request->ticket, 200, std::move(body), 0});
  node.server.deliver(std::move(one));
  BOOST_TEST(staff.receive()->body.size() == 10'000u);
  auto& waiting = node.around.numbers.gauge("epione_reply_buffers_bytes", "");
  BOOST_TEST(eventually([&] { return waiting.Value() > 0; }));
  BOOST_TEST(node.server.body_buffer().data() == memory);
}

BOOST_AUTO_TEST_CASE(whoever_waits_when_the_front_is_gone_is_told_that_the_outcome_is_unknown) {
  running_server node;
  auto phone = node.client();
  phone.send(post(small_body));
  BOOST_REQUIRE(node.behind.take());
  node.server.abandon_all();
  const auto answer = phone.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 503);
  BOOST_TEST(answer->header.at("retry-after") == "1");
  BOOST_TEST(answer->body.find(R"("outcome":"unknown")") != std::string::npos);
  node.behind.answer_with(node.server, stored);
  BOOST_TEST(phone.ask(post(small_body))->status == 202);
}

BOOST_AUTO_TEST_CASE(beyond_the_admission_limit_a_request_is_refused_as_not_stored) {
  running_server node;
  while (node.around.admitted.acquire())
    ;
  auto phone = node.client();
  const auto answer = phone.ask(post("not even looked at"));
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 503);
  BOOST_TEST(answer->header.at("retry-after") == "1");
  BOOST_TEST(answer->body.find(R"("outcome":"not_stored")") != std::string::npos);
  node.around.admitted.release();
  phone.send(post(small_body));
  const auto request = node.behind.take();
  node.server.deliver({stored(*request)});
  BOOST_TEST(phone.receive()->status == 202);
  BOOST_TEST(node.around.admitted.under_way() == node.around.admitted.limit() - 1);
}

BOOST_AUTO_TEST_CASE(several_threads_share_the_connections) {
  running_server node{{.threads = 3}};
  node.behind.answer_with(node.server,
                          [](const fake_front::request& r) { return reply{r.ticket, 202, r.submission->subject, 0}; });
  std::vector<raw_client> phones;
  for (int i = 0; i < 30; ++i)
    phones.push_back(node.client());
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < phones.size(); ++i)
      phones[i].send(post(R"({"patientId":)" + std::to_string(i + 1) + R"(,"data":{}})"));
    for (std::size_t i = 0; i < phones.size(); ++i)
      BOOST_TEST(phones[i].receive()->body == std::to_string(i + 1));
  }
}

BOOST_AUTO_TEST_CASE(a_fresh_node_that_has_not_read_its_studies_knows_nothing_and_says_so) {
  surroundings around;
  catalog_view empty;
  auto parts = around.get();
  http_surroundings blank{.catalog = empty,
                          .numbers = parts.numbers,
                          .journal = parts.journal,
                          .time = parts.time,
                          .random = parts.random,
                          .ready = parts.ready,
                          .admitted = parts.admitted};
  fake_front behind;
  http_server server{{}, blank};
  const auto endpoint = server.start(behind);
  BOOST_REQUIRE(endpoint);
  raw_client phone{endpoint->port};
  const auto answer = phone.ask(post(R"({"patientId":1,"data":{}})"));
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 503);
  BOOST_TEST(answer->body.find(R"("outcome":"not_stored")") != std::string::npos);
  auto none = std::make_shared<catalog_snapshot>();
  empty.set(none);
  BOOST_TEST(phone.ask(post(R"({"patientId":1,"data":{}})"))->status == 404);
  BOOST_TEST(phone.ask(get("/patient/1"))->status == 404);
}

BOOST_AUTO_TEST_SUITE_END()
