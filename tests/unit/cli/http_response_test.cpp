#include "cli/http_response.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace epione::cli;

namespace {
response_state state_of(std::string_view bytes) {
  http_response r;
  std::size_t size = 0;
  return parse_response(bytes, r, size);
}
} // namespace

BOOST_AUTO_TEST_SUITE(http_response_test)

BOOST_AUTO_TEST_CASE(a_response_may_be_cut_anywhere) {
  const std::string text = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nretry-after: 7\r\n"
                           "CONTENT-LENGTH: 12\r\nConnection: Close\r\n\r\n{\"error\":\"\"}";
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    BOOST_TEST((state_of(std::string_view{text}.substr(0, cut)) == response_state::more), "cut at " << cut);
  http_response r;
  std::size_t size = 0;
  const auto longer = text + "HTTP/1.1 200 OK\r\n";
  BOOST_REQUIRE((parse_response(longer, r, size) == response_state::done));
  BOOST_TEST(size == text.size());
  BOOST_TEST(r.status == 503);
  BOOST_TEST(r.retry_after_s == 7u);
  BOOST_TEST(r.close);
  BOOST_TEST(r.body == "{\"error\":\"\"}");
}

BOOST_AUTO_TEST_CASE(a_response_without_a_body_ends_with_its_head) {
  http_response r;
  std::size_t size = 0;
  const std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  BOOST_REQUIRE((parse_response(text, r, size) == response_state::done));
  BOOST_TEST(size == text.size());
  BOOST_TEST((parse_response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", r, size) == response_state::done));
  BOOST_TEST(r.body.empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_response_is_refused) {
  BOOST_TEST((state_of("SSH-2.0-OpenSSH") == response_state::malformed));
  BOOST_TEST((state_of("HTTP/1.0 200 OK\r\n") == response_state::malformed));
  BOOST_TEST((state_of("HTTP/1.1 2x0 OK\r\n") == response_state::malformed));
  BOOST_TEST((state_of("HTTP/1.1 200 OK\n") == response_state::malformed));
  BOOST_TEST((state_of("HTTP/1.1 200 OK\r\nnonsense\r\n") == response_state::malformed));
  BOOST_TEST((state_of("HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n") == response_state::malformed));
  BOOST_TEST((state_of("HTTP/1.1 200 OK\r\n\r\n") == response_state::malformed)); // its end could not be known
}

BOOST_AUTO_TEST_SUITE_END()
