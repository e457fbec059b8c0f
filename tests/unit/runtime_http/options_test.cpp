// Whether everything an operator may set about HTTP reaches the server.
#include "runtime/config.hpp"
#include "runtime/http/http_server.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::runtime;

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(every_setting_of_http_reaches_the_server) {
  config c;
  c.shards.count = 3;
  c.http = {.address = "::1",
            .port = 1234,
            .threads = 2,
            .connections_max = 11,
            .body_bytes_max = 12'000,
            .header_bytes_max = 13'000,
            .header_limit_ms = 14,
            .body_limit_ms = 15,
            .idle_limit_ms = 16,
            .request_limit_ms = 600'000,
            .retry_after_s = 17,
            .read_limit_max = 18};
  const auto o = http_options_of(c);
  BOOST_TEST(o.address == "::1");
  BOOST_TEST(o.port == 1234);
  BOOST_TEST(o.threads == 2u);
  BOOST_TEST(o.shard_count == 3u);
  BOOST_TEST(o.connections_max == 11u);
  BOOST_TEST(o.body_bytes_max == 12'000u);
  BOOST_TEST(o.header_bytes_max == 13'000u);
  BOOST_TEST(o.header_limit_ms == 14u);
  BOOST_TEST(o.body_limit_ms == 15u);
  BOOST_TEST(o.idle_limit_ms == 16u);
  BOOST_TEST(o.retry_after_s == 17u);
  BOOST_TEST(o.read_limit_max == 18u);
  BOOST_TEST(o.reply_limit_ms == 600'000u + defaults::http_reply_margin_ms); // the last resort stays behind the limit
}

BOOST_AUTO_TEST_CASE(nothing_said_gives_the_servers_own_defaults) {
  const auto said = http_options_of(config{});
  const http_options own;
  BOOST_TEST(said.reply_limit_ms == own.reply_limit_ms);
  BOOST_TEST(said.retry_after_s == own.retry_after_s);
  BOOST_TEST(said.read_limit_max == own.read_limit_max);
}

BOOST_AUTO_TEST_SUITE_END()
