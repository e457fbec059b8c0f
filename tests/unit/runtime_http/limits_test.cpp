// Over a real socket: every status a malformed or excessive request gets, every time limit, every limit on connections.
#include "server_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace epione::runtime;
using namespace epione::runtime::test;
using epione::messages::reply;

BOOST_AUTO_TEST_SUITE(limits)

namespace {

const std::string small_body = R"({"patientId":1,"key":"k","data":{}})";

http_options quick() {
  http_options out;
  out.sweep_interval_ms = 5; // the clock is the test's; the sweep only has to look at it
  return out;
}

/// Sends one request to a connection of its own: the status, and whether the server closed the connection after it.
std::pair<int, bool> outcome(running_server& node, const std::string& bytes) {
  auto client = node.client();
  client.send(bytes);
  const auto answer = client.receive();
  if (!answer)
    return {0, true};
  const bool said = answer->header.count("connection") != 0 && answer->header.at("connection") == "close";
  if (answer->body.find("\"error\"") == std::string::npos)
    BOOST_ERROR("an error must be described: " + answer->body);
  if (!said)
    return {answer->status, false};
  client.end_sending();
  return {answer->status, client.ends()};
}

void refuses(running_server& node, int status, const std::string& bytes) {
  const auto [got, closed] = outcome(node, bytes);
  BOOST_TEST(got == status, bytes.substr(0, 200) << " -> " << got);
  BOOST_TEST(closed, "the connection must be closed after " << bytes.substr(0, 200));
}

void answers(running_server& node, int status, const std::string& bytes) {
  const auto [got, closed] = outcome(node, bytes);
  BOOST_TEST(got == status, bytes.substr(0, 200) << " -> " << got);
  BOOST_TEST(!closed, "the connection must be kept after " << bytes.substr(0, 200));
}

} // namespace

BOOST_AUTO_TEST_CASE(what_must_be_refused_is_refused_and_the_connection_closed) {
  running_server node{quick()};
  const std::string line = "POST /patient/data HTTP/1.1\r\n", host = "Host: localhost\r\n",
                    type = "Content-Type: application/json\r\n";
  refuses(node, 400, line + host + type + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  refuses(node, 400, line + host + type + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n");
  refuses(node, 400, line + host + type + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}");
  refuses(node, 400, line + host + type + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}");
  refuses(node, 400, line + host + type + "Content-Length: 2, 2\r\n\r\n{}");
  refuses(node, 400, line + host + type + "Content-Length : 2\r\n\r\n{}");
  refuses(node, 400, "POST /patient/data HTTP/1.1\n" + host + type + "Content-Length: 2\r\n\r\n{}");
  refuses(node, 400, line + "Host: localhost\n" + type + "Content-Length: 2\r\n\r\n{}");
  refuses(node, 400, line + host + type + "Content-Length: 2\r\n\n{}");
  refuses(node, 400, line + type + "Content-Length: 2\r\n\r\n{}");
  refuses(node, 400, line + host + host + type + "Content-Length: 2\r\n\r\n{}");
  refuses(node, 400, line + host + "X: a\r\n b\r\n" + type + "Content-Length: 2\r\n\r\n{}");
  refuses(node, 400, line + host + std::string{"X: a\0b\r\n", 8} + type + "Content-Length: 2\r\n\r\n{}");
  refuses(node, 400, line + host + type + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n");
  refuses(node, 400, line + host + type + "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n");
  refuses(node, 400, line + host + type + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n");
  refuses(node, 501, line + host + type + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
  refuses(node, 501, "BREW / HTTP/1.1\r\n" + host + "\r\n");
  refuses(node, 505, "GET / HTTP/2.0\r\n" + host + "\r\n");
  refuses(node, 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  refuses(node, 417, line + host + type + "Expect: cake\r\nContent-Length: 2\r\n\r\n{}");
  refuses(node, 400, "no request at all\r\n\r\n");
  refuses(node, 400, std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 12}); // somebody speaks TLS
  BOOST_TEST(node.behind.waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_only_not_right_is_answered_and_the_connection_kept) {
  running_server node{quick()};
  answers(node, 404, get("/nothing/here"));
  answers(node, 404, get("/patient/"));
  answers(node, 404, get("/patient/1/"));
  answers(node, 404, get("/healthz/"));
  answers(node, 405, post("{}").replace(0, 4, "PUT"));
  answers(node, 405, "DELETE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  answers(node, 405, "OPTIONS /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  answers(node, 405, "POST /patient/5 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
  answers(node, 415, post("{}", "", "text/plain"));
  answers(node, 415, post("{}", "Content-Encoding: gzip\r\n"));
  answers(node, 415, "POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
  answers(node, 400, "POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\r\n");
  answers(node, 400, post("{"));
  answers(node, 400, post(R"({"data":{}})"));
  answers(node, 404, post(R"({"patientId":101,"data":{}})"));
  answers(node, 400, get("/patient/1?limit=0"));
}

BOOST_AUTO_TEST_CASE(a_405_says_what_is_allowed) {
  running_server node;
  auto client = node.client();
  BOOST_TEST(client.ask("PUT /patient/data HTTP/1.1\r\nHost: localhost\r\n\r\n")->header.at("allow") == "POST");
  BOOST_TEST(client.ask("POST /patient/1/submissions/2 HTTP/1.1\r\nHost: localhost\r\n\r\n")->header.at("allow") == "GET, HEAD");
}

BOOST_AUTO_TEST_CASE(a_body_above_the_limit_is_refused_however_it_comes) {
  running_server node{quick()};
  const auto limit = http_options{}.body_bytes_max;
  const std::string head = "POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  refuses(node, 413, head + "Content-Length: " + std::to_string(limit + 1) + "\r\n\r\n");
  refuses(node, 413, head + "Content-Length: " + std::to_string(limit + 1) + "\r\n\r\n" + std::string(limit + 1, ' '));
  refuses(node, 413, head + "Content-Length: 9999999999999999999\r\n\r\n");
  std::string chunks;
  for (int i = 0; i < 5; ++i)
    chunks += "10000\r\n" + std::string(65536, ' ') + "\r\n"; // 320 KiB
  refuses(node, 413, head + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n");
  refuses(node, 413, head + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n");
}

BOOST_AUTO_TEST_CASE(a_chunked_body_up_to_the_limit_is_taken) {
  running_server node;
  auto client = node.client();
  const std::string start = R"({"patientId":1,"key":"k","data":{"note":")", end = R"("}})";
  const std::string body = start + std::string(256 * 1024 - start.size() - end.size(), 'x') + end;
  std::string request =
      "POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 1000) {
    const auto part = body.substr(at, 1000);
    char size[16];
    std::snprintf(size, sizeof(size), "%zx\r\n", part.size());
    request += size + part + "\r\n";
  }
  client.send(request + "0\r\n\r\n" + get("/healthz"));
  const auto got = node.behind.take();
  BOOST_REQUIRE(got && got->submission);
  BOOST_TEST(got->submission->content.size() > 250'000u);
  node.server.deliver({{got->ticket, 202, "{}", 0}});
  BOOST_TEST(client.receive()->status == 202);
  BOOST_TEST(client.receive()->body == R"({"status":"alive"})"); // what came behind the last chunk is the next request
}

BOOST_AUTO_TEST_CASE(a_header_above_the_limit_is_refused) {
  running_server node{quick()};
  refuses(node, 431, get("/healthz", "X: " + std::string(16 * 1024, 'x') + "\r\n"));
  refuses(node, 431, "GET /" + std::string(17 * 1024, 'x'));
  auto client = node.client();
  BOOST_TEST(client.ask(get("/healthz", "X: " + std::string(15 * 1024, 'x') + "\r\n"))->status == 200);
}

BOOST_AUTO_TEST_CASE(an_expected_continue_is_given_or_refused_before_the_body) {
  running_server node;
  node.behind.answer_with(node.server, [](const fake_front::request& r) { return reply{r.ticket, 202, "{}", 0}; });
  auto client = node.client();
  auto request = post(small_body, "Expect: 100-continue\r\n");
  client.send(request.substr(0, request.size() - small_body.size()));
  BOOST_TEST(client.receive()->status == 100);
  BOOST_TEST(client.ask(small_body)->status == 202);
  // The body is there already: no need to ask for it.
  BOOST_TEST(client.ask(request)->status == 202);
  for (const auto& [status, head] : std::map<int, std::string>{
           {415, "POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n"},
           {404, "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"},
           {405, "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"},
           {413,
            "POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n"}}) {
    auto other = node.client();
    const auto answer = other.ask(head + "Expect: 100-continue\r\n\r\n");
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->status == status);
    BOOST_TEST(answer->header.at("connection") == "close");
  }
}

BOOST_AUTO_TEST_CASE(head_is_answered_like_get_without_the_body) {
  running_server node;
  auto client = node.client();
  client.send("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto answer = client.receive(true);
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 200);
  BOOST_TEST(answer->header.at("content-length") == "18");
  BOOST_TEST(client.ask(get("/healthz"))->body == R"({"status":"alive"})");
}

BOOST_AUTO_TEST_CASE(http_1_0_is_answered_and_closed_unless_it_asks_to_be_kept) {
  running_server node;
  auto one = node.client();
  BOOST_TEST(one.ask("GET /healthz HTTP/1.0\r\n\r\n")->header.at("connection") == "close");
  BOOST_TEST(one.ends());
  auto two = node.client();
  BOOST_TEST(two.ask("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->header.at("connection") == "keep-alive");
  BOOST_TEST(two.ask("GET /healthz HTTP/1.0\r\n\r\n")->status == 200);
}

BOOST_AUTO_TEST_CASE(one_empty_line_before_a_request_is_read_over) {
  running_server node{quick()};
  auto client = node.client();
  BOOST_TEST(client.ask("\r\n" + get("/healthz"))->status == 200);
  client.send("\r");
  BOOST_TEST(client.ask("\n" + get("/healthz"))->status == 200);
  refuses(node, 400, "\r\n\r\n" + get("/healthz"));
}

BOOST_AUTO_TEST_CASE(a_header_that_does_not_end_is_given_up) {
  running_server node{quick()};
  auto slow = node.client();
  slow.send("GET /healthz HTTP/1.1\r\nHo");
  auto other = node.client();
  BOOST_TEST(other.ask(get("/healthz"))->status == 200); // the first bytes of `slow` have been read by now
  BOOST_TEST(eventually([&] { return node.server.connections() == 2; }));
  node.around.time.advance_ms(10'100);
  const auto answer = slow.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 408);
  BOOST_TEST(answer->header.at("connection") == "close");
}

BOOST_AUTO_TEST_CASE(a_header_that_comes_drop_by_drop_is_given_up_all_the_same) {
  running_server node{quick()};
  auto slow = node.client();
  std::optional<received_reply> answer;
  slow.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
  BOOST_TEST(node.client().ask(get("/healthz"))->status == 200); // by now its time has begun
  for (int i = 0; i < 12; ++i) {
    slow.send("X: y\r\n");
    node.around.time.advance_ms(1'000);
  }
  answer = slow.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 408);
}

BOOST_AUTO_TEST_CASE(a_body_that_does_not_end_is_given_up) {
  running_server node{quick()};
  auto slow = node.client();
  // The continue tells that the head has been read and the body's time has begun.
  slow.send("POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: "
            "100-continue\r\n\r\n");
  BOOST_TEST(slow.receive()->status == 100);
  slow.send("{");
  node.around.time.advance_ms(30'100);
  const auto answer = slow.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 408);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_without_a_word) {
  running_server node{quick()};
  auto idle = node.client();
  BOOST_TEST(idle.ask(get("/healthz"))->status == 200);
  auto fresh = node.client(); // never says anything
  BOOST_TEST(eventually([&] { return node.server.connections() == 2; }));
  node.around.time.advance_ms(10'100);
  BOOST_TEST(fresh.ends());
  BOOST_TEST(idle.ask(get("/healthz"))->status == 200); // 60 s for this one
  node.around.time.advance_ms(60'100);
  BOOST_TEST(idle.ends());
  BOOST_TEST(eventually([&] { return node.server.connections() == 0; }));
}

BOOST_AUTO_TEST_CASE(a_request_nobody_answers_ends_as_unknown) {
  running_server node{quick()};
  auto phone = node.client();
  phone.send(post(small_body));
  BOOST_REQUIRE(node.behind.take());
  node.around.time.advance_ms(30'100);
  const auto answer = phone.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 503);
  BOOST_TEST(answer->body.find("unknown") != std::string::npos);
  BOOST_TEST(node.around.admitted.under_way() == 0u);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_take_its_reply_is_cut_off) {
  running_server node{quick()};
  auto lazy = node.client();
  lazy.send(get("/patient/1"));
  const auto request = node.behind.take();
  node.server.deliver({{request->ticket, 200, std::string(30u << 20, 'x'), 0}});
  BOOST_TEST(eventually([&] { return node.around.admitted.under_way() == 0; })); // the reply is being written
  node.around.time.advance_ms(30'100);
  BOOST_TEST(eventually([&] { return node.server.connections() == 0; }));
}

BOOST_AUTO_TEST_CASE(connections_beyond_the_limit_are_told_and_closed) {
  auto options = quick();
  options.connections_max = 5;
  running_server node{options};
  std::vector<raw_client> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(node.client());
    BOOST_TEST(clients.back().ask(get("/healthz"))->status == 200);
  }
  auto late = node.client();
  const auto answer = late.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 503);
  BOOST_TEST(answer->header.at("retry-after") == "1");
  late.end_sending();
  BOOST_TEST(late.ends());
  clients.pop_back();
  BOOST_TEST(eventually([&] { return node.server.connections() == 4; }));
  BOOST_TEST(node.client().ask(get("/healthz"))->status == 200);
}

BOOST_AUTO_TEST_CASE(connections_beyond_those_that_are_told_are_closed_unheard) {
  auto options = quick();
  options.connections_max = 1;
  options.turned_away_max = 1;
  running_server node{options};
  auto first = node.client();
  BOOST_TEST(first.ask(get("/healthz"))->status == 200);
  auto told = node.client();
  BOOST_TEST(told.receive()->status == 503);
  auto unheard = node.client();
  BOOST_TEST(unheard.ends());
}

BOOST_AUTO_TEST_CASE(bodies_that_are_half_received_share_a_limit) {
  auto options = quick();
  options.buffered_bytes_max = 1u << 20;
  running_server node{options};
  std::vector<raw_client> hogs;
  bool refused = false;
  for (int i = 0; i < 10 && !refused; ++i) {
    hogs.push_back(node.client());
    hogs.back().send(
        "POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 262144\r\n"
        "Expect: 100-continue\r\n\r\n");
    const auto go_on = hogs.back().receive();
    refused = !go_on || go_on->status == 503 || !hogs.back().send(std::string(262'143, ' '));
  }
  // Somebody was refused; who it was depends on whose bytes came first.
  BOOST_TEST(eventually([&] { return node.around.numbers.text().find(R"(status="503")") != std::string::npos; }));
  hogs.clear();
  BOOST_TEST(eventually([&] { return node.server.connections() == 0; }));
  BOOST_TEST(node.client().ask(get("/healthz"))->status == 200);
}

BOOST_AUTO_TEST_CASE(without_file_descriptors_the_node_waits_and_goes_on) {
  auto options = quick();
  options.connections_max = 1; // so that the limit is not raised
  running_server node{options};
  auto first = node.client();
  BOOST_TEST(first.ask(get("/healthz"))->status == 200);
  auto second = node.client(); // takes its descriptor now; the server has none for it
  BOOST_TEST(second.receive()->status == 503);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  auto tight = before;
  const int next = ::dup(0);
  ::close(next);
  tight.rlim_cur = static_cast<rlim_t>(next) + 1;
  const auto failures = [&] {
    return node.around.numbers
        .counter("epione_http_connections_refused_total", "HTTP connections refused at the limit or without a file descriptor")
        .Value();
  };
  const auto seen = failures();
  ::setrlimit(RLIMIT_NOFILE, &tight);
  auto third = node.client(); // the last descriptor
  const bool noticed = eventually([&] { return failures() > seen; });
  ::setrlimit(RLIMIT_NOFILE, &before);
  BOOST_TEST(noticed);
  BOOST_TEST(third.receive()->status == 503); // accepted now, and beyond the limit of one
}

BOOST_AUTO_TEST_CASE(draining_finishes_what_was_accepted_and_closes_the_rest) {
  running_server node{quick()};
  auto idle = node.client();
  BOOST_TEST(idle.ask(get("/healthz"))->status == 200);
  auto busy = node.client();
  busy.send(post(small_body));
  const auto request = node.behind.take();
  BOOST_REQUIRE(request);
  node.server.stop_accepting();
  BOOST_TEST(idle.ends());
  BOOST_TEST(!node.server.wait_until_idle(std::chrono::milliseconds{1}));
  node.server.deliver({{request->ticket, 202, "{}", 0}});
  const auto answer = busy.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 202);
  BOOST_TEST(answer->header.at("connection") == "close");
  BOOST_TEST(busy.ends());
  BOOST_TEST(node.server.wait_until_idle(std::chrono::seconds{10}));
}

BOOST_AUTO_TEST_CASE(draining_does_not_wait_for_what_is_half_received) {
  running_server node{quick()};
  auto half_head = node.client();
  half_head.send("GET /healthz HTTP/1.1\r\nHo");
  auto half_body = node.client();
  const auto request = post(small_body, "Expect: 100-continue\r\n");
  half_body.send(request.substr(0, request.size() - small_body.size()));
  BOOST_TEST(half_body.receive()->status == 100); // asked last and begun: the other's bytes have been read as well
  half_body.send("{");
  node.server.stop_accepting();
  for (auto* client : {&half_head, &half_body}) {
    const auto answer = client->receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->status == 503);
    BOOST_TEST(answer->body.find("this node is stopping") != std::string::npos);
    BOOST_TEST(answer->body.find("not_stored") != std::string::npos);
    BOOST_TEST(answer->header.at("retry-after") == "1");
    BOOST_TEST(client->ends());
  }
  node.around.time.advance_ms(2'100); // they may say more for so long, to nobody
  BOOST_TEST(node.server.wait_until_idle(std::chrono::seconds{10}));
  BOOST_TEST(node.behind.waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(a_reply_that_is_being_written_when_draining_begins_is_its_connections_last) {
  running_server node{quick()};
  auto slow = node.client();
  slow.send(get("/patient/1"));
  const auto request = node.behind.take();
  BOOST_REQUIRE(request);
  node.server.deliver({{request->ticket, 200, std::string(30u << 20, 'x'), 0}});
  BOOST_TEST(eventually([&] { return node.around.admitted.under_way() == 0; })); // the reply is being written
  node.server.stop_accepting();
  const auto answer = slow.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->body.size() == 30u << 20);
  BOOST_TEST(slow.ends());
  BOOST_TEST(node.server.wait_until_idle(std::chrono::seconds{10}));
}

BOOST_AUTO_TEST_CASE(stopping_closes_everything_and_later_replies_are_dropped) {
  running_server node{quick()};
  auto phone = node.client();
  phone.send(post(small_body));
  const auto request = node.behind.take();
  BOOST_REQUIRE(request);
  node.server.stop();
  BOOST_TEST(phone.ends());
  node.server.deliver({{request->ticket, 202, "{}", 0}});
  node.server.abandon_all();
  node.server.stop();
  BOOST_TEST(node.around.admitted.under_way() == 0u);
}

BOOST_AUTO_TEST_CASE(http_stays_on_loopback) {
  for (const auto* address : {"127.0.0.1", "127.8.9.10", "::1", "localhost"})
    BOOST_TEST(check_http_address(address).has_value(), address);
  for (const auto* address :
       {"0.0.0.0", "::", "10.0.0.1", "192.168.1.1", "::ffff:10.0.0.1", "fe80::1", "example.org", "", "127.1", "*"})
    BOOST_TEST(!check_http_address(address).has_value(), address);
  BOOST_TEST(check_http_address("0.0.0.0").error().find("stays on loopback until sign-in exists") != std::string::npos);
  surroundings around;
  fake_front behind;
  http_server open{{.address = "0.0.0.0"}, around.get()};
  BOOST_TEST(!open.start(behind).has_value());
}

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_is_named) {
  running_server node;
  surroundings around;
  fake_front behind;
  http_server second{{.port = node.port}, around.get()};
  const auto started = second.start(behind);
  BOOST_REQUIRE(!started);
  BOOST_TEST(started.error().find(std::to_string(node.port)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_thousand_connections_are_served_at_once) {
  auto options = quick();
  options.threads = 2;
  running_server node{options};
  node.behind.answer_with(node.server, [](const fake_front::request& r) { return reply{r.ticket, 202, r.submission->key, 0}; });
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const int count = files.rlim_cur > 3000 ? 1000 : 100; // both ends are ours
  std::vector<raw_client> phones;
  for (int i = 0; i < count; ++i)
    phones.push_back(node.client());
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < phones.size(); ++i)
      phones[i].send(post(R"({"patientId":1,"data":{},"key":"k)" + std::to_string(i) + "\"}"));
    for (std::size_t i = 0; i < phones.size(); ++i) {
      const auto answer = phones[i].receive();
      BOOST_REQUIRE(answer);
      BOOST_REQUIRE_EQUAL(answer->body, "k" + std::to_string(i));
    }
  }
  BOOST_TEST(node.server.connections() == static_cast<std::size_t>(count));
  phones.clear();
  BOOST_TEST(eventually([&] { return node.server.connections() == 0; }));
}

BOOST_AUTO_TEST_SUITE_END()
