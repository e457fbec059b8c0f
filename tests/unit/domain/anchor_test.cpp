// An anchor is believed only as it was signed.
#include "domain/anchor.hpp"
#include "domain/chain.hpp"
#include "domain/hex.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::domain;

namespace {

anchor some() {
  anchor a;
  a.cluster = "c1";
  a.node = "n1";
  a.time_us = 1'700'000'000'000'000;
  a.heads = {{0, 3, chain_next(chain_origin(0), 3, "x"), 7}, {5, 12, chain_next(chain_origin(5), 12, "y"), 40}};
  sign(a, {1, 2, 3});
  return a;
}

} // namespace

BOOST_AUTO_TEST_SUITE(anchors)

BOOST_AUTO_TEST_CASE(an_anchor_says_the_same_after_its_way_through_bytes) {
  const auto a = some();
  const auto back = decode_anchor(encode(a));
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST(encode(*back) == encode(a));
  BOOST_TEST(back->heads.at(1).shard == 5u);
  BOOST_TEST(back->heads.at(1).index == 40u);
  BOOST_TEST(is_signed(*back));
}

BOOST_AUTO_TEST_CASE(whatever_is_changed_in_it_breaks_the_signature) {
  BOOST_TEST(is_signed(some()));
  const auto broken = [](auto change) {
    auto a = some();
    change(a);
    return !is_signed(a);
  };
  BOOST_TEST(broken([](anchor& a) { a.cluster = "c2"; }));
  BOOST_TEST(broken([](anchor& a) { a.node = "n2"; }));
  BOOST_TEST(broken([](anchor& a) { ++a.time_us; }));
  BOOST_TEST(broken([](anchor& a) { --a.heads[1].seq; }));
  BOOST_TEST(broken([](anchor& a) { a.heads[1].hash[31] ^= 1; }));
  BOOST_TEST(broken([](anchor& a) { ++a.heads[1].index; }));
  BOOST_TEST(broken([](anchor& a) { a.heads.pop_back(); }));
  BOOST_TEST(broken([](anchor& a) { a.key[0] ^= 1; }));
  BOOST_TEST(broken([](anchor& a) { a.signature[0] ^= 1; }));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_anchor_are_refused) {
  const auto bytes = encode(some());
  for (std::size_t n = 0; n < bytes.size(); ++n)
    BOOST_TEST(!decode_anchor(bytes.substr(0, n)).has_value());
  BOOST_TEST(!decode_heads("\x01").has_value());
  BOOST_TEST(decode_heads(encode_heads(some().heads))->size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_a_later_version_adds_is_left_out_or_refused_by_its_format) {
  auto more = encode(some());
  BOOST_REQUIRE(more.front() == '\x97');
  more.front() = '\x98';
  more += '\x2a';
  const auto back = decode_anchor(more);
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST(is_signed(*back));
  auto other = encode(some());
  BOOST_REQUIRE(other.at(1) == '\x01');
  other.at(1) = '\x02';
  BOOST_TEST(decode_anchor(other).error() == "an anchor of format 2, which this version does not know");
  other.resize(2); // whatever such a one looks like
  BOOST_TEST(decode_anchor(other).error() == "an anchor of format 2, which this version does not know");
  anchor none;
  sign(none, {1});
  auto heads = encode(none);
  const auto at = heads.find('\x90'); // the empty list
  BOOST_REQUIRE(at != std::string::npos);
  heads.replace(at, 1, std::string{"\x91\x95\x01\x01\xc4\x20", 6} + std::string(32, 'h') + std::string{"\x01\x2a", 2});
  BOOST_TEST(!decode_anchor(heads).has_value());
}

BOOST_AUTO_TEST_CASE(digits_are_read_back_and_nothing_else_is) {
  const std::array<std::uint8_t, 3> bytes{0x00, 0x9f, 0xff};
  BOOST_TEST(to_hex(bytes) == "009fff");
  BOOST_TEST((parse_hex<3>("009fff") == bytes));
  for (const auto* text : {"", "009ff", "009fff0", "009ffg", "009FFF"})
    BOOST_TEST(!parse_hex<3>(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
