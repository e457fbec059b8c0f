// What a request's head may look like, and every way it may not.
#include "runtime/http/head.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace epione::runtime::http;

BOOST_AUTO_TEST_SUITE(head)

namespace {

const std::string host = "Host: localhost\r\n";

/// Status of the refusal, 0 when the head is taken.
int status(const std::string& raw) {
  request_head out;
  const auto refusal = parse_head(raw, out);
  return refusal ? refusal->status : 0;
}

request_head taken(const std::string& raw) {
  static std::string kept; // the views point into it
  kept = raw;
  request_head out;
  const auto refusal = parse_head(kept, out);
  BOOST_REQUIRE_MESSAGE(!refusal, raw);
  return out;
}

std::string with(const std::string& fields) {
  return "POST /patient/data HTTP/1.1\r\n" + host + fields + "\r\n";
}

} // namespace

BOOST_AUTO_TEST_CASE(an_ordinary_head_is_understood) {
  const auto h = taken("POST /patient/data?x=1 HTTP/1.1\r\nhOsT: localhost:8080\r\nContent-Type:  application/json \r\n"
                       "CONTENT-LENGTH: 17\r\nidempotency-KEY:\tk 1\t\r\nX-Other: \xc3\xa4\r\n\r\n");
  BOOST_TEST((h.verb == method::post));
  BOOST_TEST(h.target == "/patient/data?x=1");
  BOOST_TEST(h.content_length.value() == 17u);
  BOOST_TEST(h.content_type == "application/json");
  BOOST_TEST(h.idempotency_key.value() == "k 1");
  BOOST_TEST(h.keep_alive);
  BOOST_TEST(!h.chunked);
  BOOST_TEST(h.http_1_1);
}

BOOST_AUTO_TEST_CASE(connections_are_kept_as_the_version_says) {
  BOOST_TEST(taken("GET / HTTP/1.1\r\n" + host + "\r\n").keep_alive);
  BOOST_TEST(!taken("GET / HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n").keep_alive);
  BOOST_TEST(!taken("GET / HTTP/1.1\r\n" + host + "Connection: x, Close\r\n\r\n").keep_alive);
  BOOST_TEST(!taken("GET / HTTP/1.0\r\n\r\n").keep_alive);
  BOOST_TEST(taken("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  BOOST_TEST(!taken("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").keep_alive);
}

BOOST_AUTO_TEST_CASE(the_request_line_is_exact) {
  BOOST_TEST(status("GET  / HTTP/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET /  HTTP/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status(" GET / HTTP/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.1 \r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET\t/ HTTP/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET /\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET /a b HTTP/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET /#x HTTP/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("G@T / HTTP/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET path HTTP/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("\r\n" + host + "\r\n") == 400);
}

BOOST_AUTO_TEST_CASE(versions_and_methods_of_others_are_named) {
  BOOST_TEST(status("GET / HTTP/2.0\r\n" + host + "\r\n") == 505);
  BOOST_TEST(status("GET / HTTP/0.9\r\n" + host + "\r\n") == 505);
  BOOST_TEST(status("GET / HTTP/1.2\r\n" + host + "\r\n") == 505);
  BOOST_TEST(status("GET / http/1.1\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.10\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/11\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status("BREW / HTTP/1.1\r\n" + host + "\r\n") == 501);
  BOOST_TEST(status("get / HTTP/1.1\r\n" + host + "\r\n") == 501);
  BOOST_TEST((taken("PUT / HTTP/1.1\r\n" + host + "\r\n").verb == method::put)); // FHIR's updates
  for (const std::string verb : {"DELETE", "PATCH", "OPTIONS", "TRACE"})
    BOOST_TEST((taken(verb + " / HTTP/1.1\r\n" + host + "\r\n").verb == method::other));
  BOOST_TEST((taken("CONNECT localhost:80 HTTP/1.1\r\n" + host + "\r\n").verb == method::other));
  BOOST_TEST((taken("OPTIONS * HTTP/1.1\r\n" + host + "\r\n").verb == method::other));
}

BOOST_AUTO_TEST_CASE(the_absolute_form_is_a_path_with_an_authority_before_it) {
  BOOST_TEST(taken("GET http://localhost:8080/healthz?x HTTP/1.1\r\n" + host + "\r\n").target == "/healthz?x");
  BOOST_TEST(taken("GET HTTPS://localhost HTTP/1.1\r\n" + host + "\r\n").target == "/");
  BOOST_TEST(status("GET ftp://localhost/ HTTP/1.1\r\n" + host + "\r\n") == 400);
}

BOOST_AUTO_TEST_CASE(one_host_and_only_one) {
  BOOST_TEST(status("GET / HTTP/1.1\r\n\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.1\r\n" + host + host + "\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.1\r\n" + host + "hOST: other\r\n\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.0\r\n" + host + host + "\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.0\r\n\r\n") == 0);
  BOOST_TEST(status("GET / HTTP/1.1\r\nHost:\r\n\r\n") == 0);
  BOOST_TEST(status("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.1\r\nHost: a b\r\n\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n") == 0);
}

BOOST_AUTO_TEST_CASE(one_length_and_never_with_a_transfer_coding) {
  BOOST_TEST(status(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")) == 400);
  BOOST_TEST(status(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length: 5\r\nContent-Length: 6\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length: 5\r\nContent-Length: 5\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length: 5, 5\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length: +5\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length: -5\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length: 0x5\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length: 5 5\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length:\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length: 9999999999999999999\r\n")) == 413);
  BOOST_TEST(status(with("Content-Length: 18446744073709551621\r\n")) == 400); // 5 and 2^64: no length at all
  BOOST_TEST(taken(with("Content-Length: 00012\r\n")).content_length.value() == 12u);
}

BOOST_AUTO_TEST_CASE(chunked_is_the_only_transfer_coding) {
  BOOST_TEST(taken(with("Transfer-Encoding: Chunked\r\n")).chunked);
  BOOST_TEST(status(with("Transfer-Encoding: gzip, chunked\r\n")) == 501);
  BOOST_TEST(status(with("Transfer-Encoding: gzip\r\n")) == 501);
  BOOST_TEST(status(with("Transfer-Encoding: identity\r\n")) == 501);
  BOOST_TEST(status(with("Transfer-Encoding: xchunked\r\n")) == 501);
  BOOST_TEST(status(with("Transfer-Encoding:\r\n")) != 0);
  BOOST_TEST(status(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")) == 400);
  BOOST_TEST(status(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")) == 400);
  BOOST_TEST(status(with("Transfer-Encoding: \"chunked\"\r\n")) == 501);
  BOOST_TEST(status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

BOOST_AUTO_TEST_CASE(header_lines_are_exact) {
  BOOST_TEST(status(with("Content-Length : 5\r\n")) == 400);
  BOOST_TEST(status(with("Content-Length\t: 5\r\n")) == 400);
  BOOST_TEST(status(with("X-Folded: a\r\n b\r\n")) == 400);
  BOOST_TEST(status(with("X-Folded: a\r\n\tb\r\n")) == 400);
  BOOST_TEST(status("GET / HTTP/1.1\r\n X: folded\r\n" + host + "\r\n") == 400);
  BOOST_TEST(status(with("no colon\r\n")) == 400);
  BOOST_TEST(status(with(": no name\r\n")) == 400);
  BOOST_TEST(status(with("bad name: x\r\n")) == 400);
  BOOST_TEST(status(with("b\xc3\xa4"
                         "d: x\r\n")) == 400);
  BOOST_TEST(status(with("empty:\r\n")) == 0);
}

BOOST_AUTO_TEST_CASE(line_ends_are_cr_lf_and_control_characters_are_nowhere) {
  BOOST_TEST(status("GET / HTTP/1.1\n" + host + "\r\n") == 400);
  BOOST_TEST(status("GET / HTTP/1.1\r\nHost: localhost\n\r\n") == 400);
  BOOST_TEST(status(with("X: a\nY: b\r\n")) == 400);
  BOOST_TEST(status(with("X: a\rY: b\r\n")) == 400);
  BOOST_TEST(status(with("X: a\r\r\n")) == 400);
  BOOST_TEST(status(with(std::string{"X: a\0b\r\n", 8})) == 400);
  BOOST_TEST(status(with("X: a\x01\r\n")) == 400);
  BOOST_TEST(status(with("X: a\x7f\r\n")) == 400);
  BOOST_TEST(status(with(std::string{"X\0: a\r\n", 7})) == 400);
  BOOST_TEST(status(with("X: a\tb\r\n")) == 0);
}

BOOST_AUTO_TEST_CASE(expectations) {
  BOOST_TEST(taken(with("Expect: 100-Continue\r\n")).expects_continue);
  BOOST_TEST(status(with("Expect: 200-ok\r\n")) == 417);
  BOOST_TEST(!taken("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expects_continue);
}

BOOST_AUTO_TEST_CASE(what_may_be_there_once_is_refused_twice) {
  BOOST_TEST(status(with("Content-Type: a/b\r\nContent-Type: a/b\r\n")) == 400);
  BOOST_TEST(status(with("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n")) == 400);
  BOOST_TEST(status(with("Idempotency-Key: a\r\nIdempotency-Key: a\r\n")) == 400);
}

BOOST_AUTO_TEST_CASE(the_heads_end_is_found_wherever_the_bytes_are_cut) {
  const std::string whole = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET";
  for (std::size_t cut = 0; cut < whole.size() - 3; ++cut)
    BOOST_TEST(find_head_end(std::string_view{whole}.substr(0, cut), 0) == 0u);
  for (std::size_t from = 0; from < whole.size() - 4; ++from)
    BOOST_TEST(find_head_end(whole, from) == whole.size() - 3);
  // A bare LF ends the search: the head is invalid whatever follows.
  BOOST_TEST(find_head_end("GET / HTTP/1.1\nHo", 0) == 15u);
  BOOST_TEST(find_head_end("\nHo", 0) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
