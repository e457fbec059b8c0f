// Texts and keys of notices, and what holds a channel back.
#include "runtime/circuit_breaker.hpp"
#include "runtime/notice_text.hpp"
#include "runtime/token_bucket.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::runtime;

namespace {

messages::notice make(std::string rule) {
  messages::notice n;
  n.key = {3, 17, 1};
  n.study = "demo";
  n.site = "S1";
  n.subject = "42";
  n.form = "phq-9";
  n.rule = std::move(rule);
  n.channel = "doctor";
  n.recipient = "wang";
  return n;
}

constexpr std::int64_t second = 1'000'000'000;

} // namespace

BOOST_AUTO_TEST_SUITE(notice_texts)

BOOST_AUTO_TEST_CASE(a_key_names_one_notice_and_fits_any_header) {
  BOOST_TEST(message_key(make("q9")) == "3-17-q9-doctor-wang");
  BOOST_TEST(message_key(make("")) == "3-17---doctor-wang");
  BOOST_TEST(message_key(make("-")) == "3-17-%2D-doctor-wang");
  BOOST_TEST(message_key(make("a\r\nb: <研>")) == "3-17-a%0D%0Ab%3A%20%3C%E7%A0%94%3E-doctor-wang");
  auto a = make("x-y"), b = make("x");
  a.channel = "z";
  b.channel = "y-z";
  BOOST_TEST(message_key(a) != message_key(b));
}

BOOST_AUTO_TEST_CASE(there_are_texts_in_every_language_and_english_for_others) {
  const domain::recipient zh{"wang", "", "zh", "UTC", {}, {}}, fr{"wang", "", "fr", "UTC", {}, {}};
  const auto alert = make("q9"), stored = make("");
  BOOST_TEST(compose({&alert}, zh, "").subject.starts_with("警报 q9"));
  BOOST_TEST(compose({&stored}, zh, "").subject.starts_with("新的问卷"));
  BOOST_TEST(compose({&alert}, fr, "").language == "en");
  BOOST_TEST(compose({&alert, &stored}, fr, "").subject == "2 notices, 1 of them alerts: study demo");
  BOOST_TEST(is_known_language("zh"));
  BOOST_TEST(!is_known_language("fr"));
}

BOOST_AUTO_TEST_CASE(what_is_in_a_name_is_not_read_as_a_placeholder) {
  const domain::recipient to{"wang", "", "en", "UTC", {}, {}};
  auto n = make("{subject}");
  BOOST_TEST(compose({&n}, to, "").subject == "Alert {subject}: study demo, site S1, subject 42");
}

BOOST_AUTO_TEST_CASE(a_bucket_lets_through_a_second_s_worth_and_then_evenly) {
  token_bucket b{10, 1'000};
  const std::int64_t now = 100 * second;
  int passed = 0;
  for (; b.may_pass(now); ++passed)
    b.pass(now);
  BOOST_TEST(passed == 10);
  BOOST_TEST(b.when() == now + second / 10);
  BOOST_TEST(b.may_pass(b.when()));
}

BOOST_AUTO_TEST_CASE(a_breaker_opens_tries_once_and_waits_longer_each_time) {
  circuit_breaker b{3, 1'000, 3'000};
  BOOST_TEST(!b.failed(0));
  BOOST_TEST(!b.failed(0));
  BOOST_TEST(b.failed(0));
  BOOST_TEST(!b.may_pass(second - 1));
  BOOST_TEST(b.may_pass(second));
  b.pass();
  BOOST_TEST(!b.may_pass(10 * second)); // one trial at a time
  BOOST_TEST(b.failed(second));
  BOOST_TEST(b.until_ns() == 3 * second);
  b.pass();
  BOOST_TEST(b.failed(3 * second));
  BOOST_TEST(b.until_ns() == 6 * second); // not beyond its longest
  b.pass();
  BOOST_TEST(b.succeeded());
  BOOST_TEST(b.may_pass(0));
  BOOST_TEST(!b.failed(0));
}

BOOST_AUTO_TEST_SUITE_END()
