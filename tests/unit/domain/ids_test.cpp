#include "domain/chain.hpp"
#include "domain/ids.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::domain;

BOOST_AUTO_TEST_SUITE(ids)

BOOST_AUTO_TEST_CASE(a_receipt_is_the_same_for_the_same_study_subject_and_key) {
  BOOST_TEST((make_receipt("demo", "42", "k") == make_receipt("demo", "42", "k")));
  BOOST_TEST((make_receipt("demo", "42", "k") != make_receipt("demo", "42", "l")));
}

BOOST_AUTO_TEST_CASE(what_is_named_by_several_texts_depends_on_where_each_ends) {
  BOOST_TEST((make_receipt("a", "bc", "d") != make_receipt("ab", "c", "d")));
  BOOST_TEST((make_receipt("a", "b", "cd") != make_receipt("a", "bc", "d")));
  BOOST_TEST(subject_hash("a", "bc") != subject_hash("ab", "c"));
}

// These values are in every stored file: a change here means that nothing stored is found again.
BOOST_AUTO_TEST_CASE(names_do_not_change_between_versions) {
  // Both computed independently, with other implementations of both hashes.
  BOOST_TEST(subject_hash("demo", "42") == 0xFE92DA8DAA01F1BEu);
  BOOST_TEST(to_text(make_receipt("demo", "42", "key-1")) == "3d4052c3499b7c3374013f72797b11a5");
  BOOST_TEST(to_text(make_fingerprint("\x81\xa1"
                                      "a\x01")) == "510996f47e4967cc1ea81c1242cd27dd");
}

BOOST_AUTO_TEST_CASE(every_subject_has_a_shard_and_none_is_in_the_catalogs_group) {
  std::array<int, 17> seen{};
  for (int i = 0; i < 1600; ++i) {
    const auto shard = shard_of(subject_hash("demo", std::to_string(i)), 16);
    BOOST_REQUIRE(shard >= 1);
    BOOST_REQUIRE(shard <= 16);
    ++seen[shard];
  }
  for (std::size_t shard = 1; shard <= 16; ++shard)
    BOOST_TEST(seen[shard] > 50); // 100 expected
}

BOOST_AUTO_TEST_CASE(a_receipt_reads_back_from_its_text) {
  const auto r = make_receipt("demo", "1", "x");
  const auto text = to_text(r);
  BOOST_TEST(text.size() == 32u);
  BOOST_REQUIRE(parse_receipt(text));
  BOOST_TEST((*parse_receipt(text) == r));
}

BOOST_AUTO_TEST_CASE(only_32_lower_case_hexadecimal_digits_are_a_receipt) {
  const auto text = to_text(make_receipt("demo", "1", "x"));
  auto upper = std::string(32, 'A');
  BOOST_TEST(!parse_receipt(""));
  BOOST_TEST(!parse_receipt(text.substr(1)));
  BOOST_TEST(!parse_receipt(text + "0"));
  BOOST_TEST(!parse_receipt(upper));
  BOOST_TEST(!parse_receipt(text.substr(1) + "g"));
}

BOOST_AUTO_TEST_CASE(a_key_tag_is_the_receipts_first_16_bits) {
  receipt r;
  r.bytes[0] = 0x12;
  r.bytes[1] = 0x34;
  BOOST_TEST(key_tag(r) == 0x1234);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(chain)

namespace {
std::string hex(const chain_hash& hash) {
  id128 a, b;
  std::copy(hash.begin(), hash.begin() + 16, a.bytes.begin());
  std::copy(hash.begin() + 16, hash.end(), b.bytes.begin());
  return to_text(a) + to_text(b);
}
} // namespace

BOOST_AUTO_TEST_CASE(links_do_not_change_between_versions) {
  BOOST_TEST(hex(chain_origin(3)) == "d4c4c1af7f97ee13e9015ba1eee2feac939817d009d275a816fead32647e65d3");
  BOOST_TEST(hex(chain_next(chain_origin(3), 7, "event")) == "22d5bc3fa2a5129121a703d96d12e8c74d3c48dd01f808bbb42916286804df02");
}

BOOST_AUTO_TEST_CASE(a_link_covers_what_was_before_the_number_and_the_event) {
  const auto first = chain_next(chain_origin(1), 1, "event");
  BOOST_TEST((first != chain_next(chain_origin(2), 1, "event")));
  BOOST_TEST((first != chain_next(chain_origin(1), 2, "event")));
  BOOST_TEST((first != chain_next(chain_origin(1), 1, "evenu")));
}

BOOST_AUTO_TEST_SUITE_END()
