// Requests that were meant for somebody else: a page of another site must not read what is here.
#include "runtime/http/host.hpp"
#include "server_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::runtime;
using namespace epione::runtime::test;
using http::names_this_machine;

BOOST_AUTO_TEST_SUITE(hosts)

BOOST_AUTO_TEST_CASE(loopback_literals_and_localhost_name_this_machine_with_any_port) {
  for (const auto* ours : {"127.0.0.1", "127.0.0.1:8080", "127.8.9.10:1", "localhost", "LocalHost:65535", "localhost:", "[::1]",
                           "[::1]:8080", "[0:0:0:0:0:0:0:1]:80"})
    BOOST_TEST(names_this_machine(ours), ours);
}

BOOST_AUTO_TEST_CASE(every_name_that_somebody_can_point_here_does_not) {
  for (const auto* other : {"",
                            ":8080",
                            "example.org",
                            "localhost.example.org",
                            "localhost.",
                            "127.0.0.1.example.org",
                            "10.0.0.1",
                            "0.0.0.0",
                            "127.1",
                            "2130706433",
                            "0x7f.0.0.1",
                            "0127.0.0.1",
                            "[::]",
                            "[::1",
                            "::1",
                            "[::1]x",
                            "[::1%25lo]",
                            "[::ffff:10.0.0.1]",
                            "127.0.0.1:80a",
                            "localhost:80:80",
                            "localhost@example.org",
                            "[fe80::1]:80"})
    BOOST_TEST(!names_this_machine(other), other);
}

BOOST_AUTO_TEST_CASE(a_request_meant_for_another_host_is_421_and_nobody_behind_sees_it) {
  running_server node;
  for (const auto* request :
       {"GET /patient/1 HTTP/1.1\r\nHost: example.org\r\n\r\n", "GET /patient/1 HTTP/1.1\r\nHost: example.org:8080\r\n\r\n",
        "GET /patient/1 HTTP/1.0\r\nHost: example.org\r\n\r\n", "GET /patient/1 HTTP/1.1\r\nHost:\r\n\r\n",
        "GET http://example.org/patient/1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    auto client = node.client();
    const auto answer = client.ask(request);
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->status == 421, request);
    BOOST_TEST(answer->status_line == "HTTP/1.1 421 Misdirected Request");
    BOOST_TEST(answer->body.find("localhost") != std::string::npos, answer->body);
    BOOST_TEST(answer->header.at("connection") == "close");
  }
  BOOST_TEST(node.behind.waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(a_request_meant_for_this_host_is_answered) {
  running_server node;
  for (const auto* request :
       {"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: [::1]\r\n\r\n",
        "GET http://localhost:8080/healthz HTTP/1.1\r\nHost: example.org\r\n\r\n", // RFC 9112, 3.2.2: the target's authority
                                                                                   // counts
        "GET /healthz HTTP/1.0\r\n\r\n"}) {
    const auto answer = node.client().ask(request);
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->status == 200, request);
  }
}

BOOST_AUTO_TEST_SUITE_END()
