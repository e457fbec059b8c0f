#include "domain/canonical.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <msgpack.hpp>

using namespace epione::domain;

namespace {

constexpr unsigned depth = 8;

std::string packed(const std::function<void(msgpack::packer<msgpack::sbuffer>&)>& write) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> p{buffer};
  write(p);
  return {buffer.data(), buffer.size()};
}

std::string bytes_of(std::initializer_list<int> bytes) {
  std::string s;
  for (int b : bytes)
    s.push_back(static_cast<char>(b));
  return s;
}

std::string canonical(const std::string& bytes) {
  const auto c = canonical_from_msgpack(bytes, depth);
  BOOST_TEST_REQUIRE(c.has_value(), (c ? "" : c.error()));
  return *c;
}

std::string error_of(const std::string& bytes, unsigned depth_max = depth) {
  const auto c = canonical_from_msgpack(bytes, depth_max);
  return c ? "accepted" : c.error();
}

std::string double_bytes(double value) {
  return packed([&](auto& p) { p.pack_double(value); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(msgpack_writing)

BOOST_AUTO_TEST_CASE(integers_are_written_as_a_msgpack_library_writes_them) {
  for (int shift = 0; shift < 64; ++shift)
    for (int delta = -2; delta <= 2; ++delta) {
      const auto u = (std::uint64_t{1} << shift) + static_cast<std::uint64_t>(delta);
      std::string mine;
      append_uint(mine, u);
      BOOST_TEST((mine == packed([&](auto& p) { p.pack_uint64(u); })));
      const auto i = static_cast<std::int64_t>(u);
      for (auto value : {i, static_cast<std::int64_t>(0 - u)}) {
        mine.clear();
        append_int(mine, value);
        BOOST_TEST((mine == packed([&](auto& p) { p.pack_int64(value); })));
        BOOST_TEST(msgpack_reader{mine}.next().as_int64() == value);
      }
    }
}

BOOST_AUTO_TEST_CASE(lengths_are_written_as_a_msgpack_library_writes_them) {
  for (std::uint32_t n : {0u, 15u, 16u, 31u, 32u, 255u, 256u, 65535u, 65536u}) {
    const std::string text(n, 'x');
    std::string mine;
    append_string(mine, text), append_bin(mine, text), append_array_header(mine, n), append_map_header(mine, n);
    const auto theirs = packed([&](auto& p) {
      p.pack_str(n).pack_str_body(text.data(), n).pack_bin(n).pack_bin_body(text.data(), n);
      p.pack_array(n).pack_map(n);
    });
    BOOST_TEST((mine == theirs));
    msgpack_reader r{mine};
    BOOST_TEST(r.next().text.size() == n);
    BOOST_TEST(r.next().text.size() == n);
    BOOST_TEST(r.next().count == n);
    BOOST_TEST(r.next().count == n);
    BOOST_TEST(r.at_end());
  }
}

BOOST_AUTO_TEST_CASE(skipping_passes_over_a_whole_value_however_deep) {
  std::string deep(100'000, static_cast<char>(0x91));
  deep += bytes_of({0x01, 0xC3});
  msgpack_reader r{deep};
  BOOST_TEST(r.skip());
  BOOST_TEST(r.next().boolean);
  std::string cut(100'000, static_cast<char>(0x91));
  BOOST_TEST(!msgpack_reader{cut}.skip());
}

BOOST_AUTO_TEST_CASE(utf8_is_what_the_unicode_standard_says) {
  for (const auto* good :
       {"", "abc", "\xc3\xa9", "\xe4\xb8\xad\xe6\x96\x87", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"})
    BOOST_TEST(valid_utf8(good));
  for (const auto* bad : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
                          "12345678\xff", "\xe4\xb8", "\xf0\x9f\x98", "\xe4\x28\xa1"})
    BOOST_TEST(!valid_utf8(bad));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(canonical_content)

BOOST_AUTO_TEST_CASE(a_number_is_the_same_however_it_was_written) {
  for (const auto& one : {bytes_of({0x01}), bytes_of({0xCC, 1}), bytes_of({0xCD, 0, 1}), bytes_of({0xD3, 0, 0, 0, 0, 0, 0, 0, 1}),
                          bytes_of({0xCA, 0x3F, 0x80, 0, 0}), double_bytes(1.0)})
    BOOST_TEST((canonical(one) == bytes_of({1})));
  BOOST_TEST((canonical(double_bytes(-0.0)) == bytes_of({0})));
  BOOST_TEST((canonical(double_bytes(0.5)) == canonical(bytes_of({0xCA, 0x3F, 0, 0, 0}))));
  BOOST_TEST(canonical(double_bytes(0.1)).size() == 9u);
  BOOST_TEST(canonical(double_bytes(1e300)).size() == 9u);
}

BOOST_AUTO_TEST_CASE(integers_end_where_doubles_stop_being_exact) {
  BOOST_TEST((canonical(double_bytes(9007199254740992.0)) == bytes_of({0xCF, 0, 0x20, 0, 0, 0, 0, 0, 0})));
  BOOST_TEST((canonical(double_bytes(9007199254740994.0)) == double_bytes(9007199254740994.0)));
  const auto largest = packed([](auto& p) { p.pack_uint64(std::numeric_limits<std::uint64_t>::max()); });
  BOOST_TEST((canonical(largest) == largest));
}

BOOST_AUTO_TEST_CASE(members_are_sorted_at_every_depth) {
  const auto mixed = packed([](auto& p) {
    p.pack_map(3).pack(std::string{"b"}).pack(1);
    p.pack(std::string{"a"}).pack_array(2).pack_map(2).pack(std::string{"z"}).pack(2).pack(std::string{"y"}).pack(3).pack(true);
    p.pack(std::string{"ab"}).pack_nil();
  });
  BOOST_TEST(json_from_msgpack(canonical(mixed)) == R"({"a":[{"y":3,"z":2},true],"ab":null,"b":1})");
  BOOST_TEST((canonical(canonical(mixed)) == canonical(mixed)));
}

BOOST_AUTO_TEST_CASE(large_maps_and_arrays_have_the_shortest_header) {
  for (int n : {15, 16, 17, 65535, 65536}) {
    const auto backwards = packed([&](auto& p) {
      p.pack_map(2).pack(std::string{"m"}).pack_map(static_cast<std::uint32_t>(n));
      for (int i = n; i > 0; --i)
        p.pack(std::to_string(100000 + i)).pack(i);
      p.pack(std::string{"a"}).pack_array(static_cast<std::uint32_t>(n));
      for (int i = n; i > 0; --i)
        p.pack(i);
    });
    const auto sorted = packed([&](auto& p) {
      p.pack_map(2).pack(std::string{"a"}).pack_array(static_cast<std::uint32_t>(n));
      for (int i = n; i > 0; --i)
        p.pack(i);
      p.pack(std::string{"m"}).pack_map(static_cast<std::uint32_t>(n));
      for (int i = 1; i <= n; ++i)
        p.pack(std::to_string(100000 + i)).pack(i);
    });
    BOOST_TEST((canonical(backwards) == sorted));
  }
}

BOOST_AUTO_TEST_CASE(what_is_refused_is_named_by_its_place_and_never_by_its_value) {
  BOOST_TEST(error_of("") == "the value: the bytes end in the middle of a value, or are not msgpack");
  BOOST_TEST(error_of(bytes_of({0xC1})) == "the value: the bytes end in the middle of a value, or are not msgpack");
  BOOST_TEST(error_of(bytes_of({1, 2})) == "the value: something follows the value");
  BOOST_TEST(error_of(bytes_of({0x81, 1, 2})) == "the value: a name that is not a string");
  const auto inside = [](const std::string& value) {
    return packed([](auto& p) {
             p.pack_map(1).pack(std::string{"answers"}).pack_map(1).pack(std::string{"q1"}).pack_array(3).pack(1).pack(2);
           }) +
           value;
  };
  BOOST_TEST(error_of(inside(double_bytes(std::nan("")))) == "answers.q1[2]: a number that is not finite");
  BOOST_TEST(error_of(inside(double_bytes(-INFINITY))) == "answers.q1[2]: a number that is not finite");
  BOOST_TEST(error_of(inside(bytes_of({0xA1, 0xFF}))) == "answers.q1[2]: a string that is not UTF-8");
  BOOST_TEST(error_of(inside(bytes_of({0xC4, 1, 0x41}))) == "answers.q1[2]: a bin value; send a string");
  BOOST_TEST(error_of(inside(bytes_of({0xD4, 1, 0x41}))) == "answers.q1[2]: an ext value; send a string or a number");
  BOOST_TEST(error_of(inside("")) == "answers.q1[2]: the bytes end in the middle of a value, or are not msgpack");
  BOOST_TEST(error_of(bytes_of({0x81, 0xA1, 0xFF, 1})) == "the value: a name that is not UTF-8");
}

BOOST_AUTO_TEST_CASE(a_name_that_is_there_twice_is_refused) {
  const auto twice = packed([](auto& p) {
    p.pack_map(1).pack(std::string{"answers"}).pack_map(3);
    p.pack(std::string{"q1"}).pack(1).pack(std::string{"q0"}).pack(2).pack(std::string{"q1"}).pack(1);
  });
  BOOST_TEST(error_of(twice) == "answers.q1: the name is there twice");
  const auto side_by_side = packed([](auto& p) { p.pack_map(2).pack(std::string{"a"}).pack(1).pack(std::string{"a"}).pack(1); });
  BOOST_TEST(error_of(side_by_side) == "a: the name is there twice");
}

BOOST_AUTO_TEST_CASE(nesting_ends_at_the_limit) {
  const auto nested = [](std::size_t n) { return std::string(n, static_cast<char>(0x91)) + '\x01'; };
  BOOST_TEST(error_of(nested(8)) == "accepted");
  BOOST_TEST(error_of(nested(9)) == "[0][0][0][0][0][0][0][0]: nested more than 8 deep");
  BOOST_TEST(error_of(nested(1'000'000), 3) == "[0][0][0]: nested more than 3 deep");
}

BOOST_AUTO_TEST_CASE(a_long_name_is_cut_between_characters_in_a_sentence) {
  std::string name;
  for (int i = 0; i < 40; ++i)
    name += "\xe4\xb8\xad";
  const auto bytes = packed([&](auto& p) { p.pack_map(1).pack(name); }) + bytes_of({0xC1});
  const auto error = error_of(bytes);
  BOOST_TEST(valid_utf8(error));
  BOOST_TEST(error.size() < 150u);
}

BOOST_AUTO_TEST_CASE(any_bytes_at_all_are_read_or_refused) {
  std::uint64_t state = 1;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (int i = 0; i < 24; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      bytes.push_back(static_cast<char>(state >> 33));
    }
    bytes[0] = static_cast<char>(round % 2 == 0 ? 0x93 : 0x82);
    const auto c = canonical_from_msgpack(bytes, depth);
    if (c)
      BOOST_TEST((canonical_from_msgpack(*c, depth).value() == *c));
    json_from_msgpack(bytes);
    msgpack_reader{bytes}.skip();
  }
}

BOOST_AUTO_TEST_CASE(a_writer_can_be_used_again_and_refuses_what_is_not_one_value) {
  canonical_writer w{4};
  std::string out;
  w.start(out);
  BOOST_TEST((w.begin_map() && w.name("b") && w.integer(-7) && w.name("a") && w.string("x") && w.end_map() && w.finish()));
  BOOST_TEST(json_from_msgpack(out) == R"({"a":"x","b":-7})");
  w.start(out);
  BOOST_TEST(!w.finish());
  w.start(out);
  BOOST_TEST((w.begin_map() && !w.integer(1)));
  BOOST_TEST(!w.name("a")); // nothing works after the first failure
  BOOST_TEST(w.error() == "the value: a value without a name");
  w.start(out);
  BOOST_TEST((w.begin_array() && !w.end_map()));
  w.start(out);
  BOOST_TEST((w.begin_map() && w.name("a") && !w.end_map()));
  w.start(out);
  BOOST_TEST((w.null() && !w.null()));
  w.start(out);
  BOOST_TEST((w.boolean(true) && w.finish()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(json_text)

BOOST_AUTO_TEST_CASE(strings_are_escaped_where_json_asks_for_it) {
  std::string out;
  append_json_string(out, std::string_view{"a\"b\\c\n\r\t\0\x1f\xe4\xb8\xad", 13});
  BOOST_TEST(out == "\"a\\\"b\\\\c\\n\\r\\t\\u0000\\u001f\xe4\xb8\xad\"");
}

BOOST_AUTO_TEST_CASE(numbers_are_the_shortest_text_that_reads_back) {
  const auto text = [](double value) {
    std::string out;
    append_json_number(out, value);
    return out;
  };
  BOOST_TEST(text(12.0) == "12");
  BOOST_TEST(text(0.1) == "0.1");
  BOOST_TEST(text(-2.5) == "-2.5");
  BOOST_TEST(text(1e300) == "1e+300");
  BOOST_TEST(text(std::nan("")) == "null");
}

BOOST_AUTO_TEST_CASE(damaged_msgpack_is_null_and_not_half_a_value) {
  BOOST_TEST(json_from_msgpack(bytes_of({0x92, 1})) == "null");
  BOOST_TEST(json_from_msgpack("") == "null");
  BOOST_TEST(json_from_msgpack(bytes_of({0x93, 0xC0, 0xC2, 0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})) ==
             "[null,false,18446744073709551615]");
}

BOOST_AUTO_TEST_SUITE_END()
