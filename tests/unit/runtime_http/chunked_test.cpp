// Bodies in chunks: the same bytes however they are cut, and nothing that two parsers could read differently.
#include "runtime/http/chunked.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace epione::runtime::http;
using state = chunked_decoder::state;

BOOST_AUTO_TEST_SUITE(chunked)

namespace {

struct outcome {
  state now;
  std::string body, rest;
};

/// Feeds `part` bytes at a time.
outcome decode(std::string raw, std::size_t part, std::size_t room = 1000) {
  chunked_decoder decoder;
  outcome out{state::more, {}, {}};
  while (!raw.empty() && out.now == state::more) {
    auto piece = raw.substr(0, part);
    raw.erase(0, piece.size());
    const auto step = decoder.feed(piece.data(), piece.size(), room - out.body.size());
    out.now = step.now;
    out.body += piece.substr(0, step.decoded);
    if (step.now == state::done)
      out.rest = piece.substr(step.used);
  }
  out.rest += raw;
  return out;
}

state state_of(const std::string& raw) {
  const auto whole = decode(raw, raw.size()).now;
  BOOST_TEST((decode(raw, 1).now == whole)); // cutting it changes nothing
  return whole;
}

} // namespace

BOOST_AUTO_TEST_CASE(chunks_become_one_body_wherever_they_are_cut) {
  const std::string raw = "5\r\nhello\r\n1;name=value\r\n,\r\n0006\r\n world\r\n0\r\nTrailer: x\r\n\r\nnext";
  for (std::size_t part = 1; part <= raw.size(); ++part) {
    const auto out = decode(raw, part);
    BOOST_TEST((out.now == state::done));
    BOOST_TEST(out.body == "hello, world");
    BOOST_TEST(out.rest == "next");
  }
}

BOOST_AUTO_TEST_CASE(sizes_are_hexadecimal_digits_and_nothing_else) {
  BOOST_TEST((state_of("A\r\n0123456789\r\n0\r\n\r\n") == state::done));
  BOOST_TEST((state_of("a\r\n0123456789\r\n0\r\n\r\n") == state::done));
  for (const std::string bad :
       {"\r\nx", "-1\r\n", "+1\r\nx", "0x1\r\nx", " 1\r\nx", "1 \r\nx", "g\r\n", ";a\r\n", "1\nx", "1\r x"})
    BOOST_TEST((state_of(bad + "\r\n0\r\n\r\n") == state::malformed));
  BOOST_TEST((state_of("000000001\r\n") == state::malformed)); // nine digits
  BOOST_TEST((state_of("ffffffff\r\n") == state::too_large));
}

BOOST_AUTO_TEST_CASE(data_ends_where_its_size_says) {
  BOOST_TEST((state_of("3\r\nabcd\r\n0\r\n\r\n") == state::malformed));
  BOOST_TEST((state_of("3\r\nab\r\n0\r\n\r\n") == state::malformed));
  BOOST_TEST((state_of("3\r\nabc\n0\r\n\r\n") == state::malformed));
  BOOST_TEST((state_of("3\r\nabc0\r\n\r\n") == state::malformed));
}

BOOST_AUTO_TEST_CASE(the_limit_holds_before_the_data_comes) {
  BOOST_TEST((decode("5\r\nhello\r\n0\r\n\r\n", 100, 5).now == state::done));
  BOOST_TEST((decode("6\r\n", 100, 5).now == state::too_large));
  BOOST_TEST((decode("3\r\nabc\r\n3\r\n", 100, 5).now == state::too_large));
  BOOST_TEST((decode("3\r\nabc\r\n3\r\n", 1, 5).now == state::too_large));
}

BOOST_AUTO_TEST_CASE(extensions_and_trailers_are_read_over_within_a_limit) {
  BOOST_TEST((state_of("1;" + std::string(4000, 'x') + "\r\na\r\n0\r\n\r\n") == state::done));
  BOOST_TEST((state_of("1;" + std::string(5000, 'x') + "\r\na\r\n0\r\n\r\n") == state::malformed));
  BOOST_TEST((state_of("0\r\nA: " + std::string(5000, 'x') + "\r\n\r\n") == state::malformed));
  BOOST_TEST((state_of("0\r\n folded\r\n\r\n") == state::malformed));
  BOOST_TEST((state_of("0\r\nA: x\n\r\n") == state::malformed));
  BOOST_TEST((state_of("0\r\nA: \x01\r\n\r\n") == state::malformed));
  BOOST_TEST((state_of("1;a\nb\r\na\r\n0\r\n\r\n") == state::malformed));
  BOOST_TEST((state_of("0\r\n\n") == state::malformed));
}

BOOST_AUTO_TEST_SUITE_END()
