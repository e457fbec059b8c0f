// What crosses a link is read as it was written, by neighbouring versions too, and nothing that anybody could send breaks the
// reader.
#include "domain/msgpack.hpp"
#include "messages/peer.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <stdexcept>
#include <xxhash.h>

using namespace epione;
using namespace epione::messages;

namespace {

constexpr envelope_limits limits{1u << 20, 100, 100, 100};

std::shared_ptr<const std::string> text(std::string x) {
  return std::make_shared<const std::string>(std::move(x));
}

raft_message append_of_two() {
  raft_message m;
  m.kind = message_kind::append_entries;
  m.version = 1;
  m.peer = 3;
  m.term = 7;
  m.index = 41;
  m.index_term = 6;
  m.commit = 40;
  m.entries = {{42, 7, entry_type::command, text("first")}, {43, 7, entry_type::barrier, text("")}};
  return m;
}

raft_message refusal() {
  raft_message m;
  m.kind = message_kind::append_entries_result;
  m.peer = std::numeric_limits<std::uint64_t>::max();
  m.term = 8;
  m.index = 12;
  m.rejected = 41;
  m.features = 1;
  m.capacity = 65'535;
  return m;
}

raft_message vote() {
  raft_message m;
  m.kind = message_kind::request_vote;
  m.peer = 2;
  m.term = 9;
  m.granted = m.pre_vote = m.disrupt_leader = true;
  return m;
}

void check_same(const raft_message& a, const raft_message& b) {
  BOOST_TEST((a.kind == b.kind && a.version == b.version && a.peer == b.peer && a.term == b.term && a.index == b.index &&
              a.index_term == b.index_term && a.commit == b.commit && a.rejected == b.rejected && a.features == b.features &&
              a.capacity == b.capacity && a.granted == b.granted && a.pre_vote == b.pre_vote &&
              a.disrupt_leader == b.disrupt_leader));
  BOOST_REQUIRE_EQUAL(a.entries.size(), b.entries.size());
  for (std::size_t i = 0; i < a.entries.size(); ++i)
    BOOST_TEST((a.entries[i].index == b.entries[i].index && a.entries[i].term == b.entries[i].term &&
                a.entries[i].type == b.entries[i].type && *a.entries[i].data == *b.entries[i].data));
}

std::string whole_envelope() {
  const raft_message messages[]{append_of_two(), refusal()};
  const parcel parcels[]{{parcel_kind::raft, 5, text(encode_raft(messages))},
                         {parcel_kind::request, 77, text("question")},
                         {parcel_kind::ack, 123'456'789, text("")}};
  return encode_envelope(parcels);
}

/// An envelope around any content, with the checksum that belongs to it.
std::string sealed(const std::string& content, char format = 1, const std::string& magic = "EPE") {
  std::string out = magic + format;
  const std::uint64_t sum = XXH64(content.data(), content.size(), 0);
  for (int i = 0; i < 8; ++i)
    out += static_cast<char>(sum >> (8 * i));
  return out + content;
}

} // namespace

BOOST_AUTO_TEST_SUITE(envelopes)

BOOST_AUTO_TEST_CASE(an_envelope_is_read_as_it_was_written) {
  const auto read = decode_envelope(whole_envelope(), limits);
  BOOST_REQUIRE(read);
  BOOST_REQUIRE_EQUAL(read->size(), 3u);
  BOOST_TEST(((*read)[0].kind == parcel_kind::raft && (*read)[0].to == 5));
  BOOST_TEST(((*read)[1].kind == parcel_kind::request && (*read)[1].to == 77 && *(*read)[1].bytes == "question"));
  BOOST_TEST(((*read)[2].kind == parcel_kind::ack && (*read)[2].to == 123'456'789 && (*read)[2].bytes->empty()));
  const auto messages = decode_raft(*(*read)[0].bytes, limits);
  BOOST_REQUIRE(messages);
  BOOST_REQUIRE_EQUAL(messages->size(), 2u);
  check_same((*messages)[0], append_of_two());
  check_same((*messages)[1], refusal());
  BOOST_TEST(decode_envelope(encode_envelope({}), limits)->empty());
}

BOOST_AUTO_TEST_CASE(every_kind_of_message_is_read_as_it_was_written) {
  for (int kind = 1; kind <= 6; ++kind) {
    auto m = vote();
    m.kind = static_cast<message_kind>(kind);
    const auto read = decode_raft(encode_raft({&m, 1}), limits);
    BOOST_REQUIRE(read);
    BOOST_REQUIRE_EQUAL(read->size(), 1u);
    check_same(read->front(), m);
  }
}

BOOST_AUTO_TEST_CASE(every_truncated_envelope_is_refused_with_a_sentence) {
  const auto whole = whole_envelope();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto read = decode_envelope(std::string_view{whole}.substr(0, n), limits);
    BOOST_TEST((!read && !read.error().empty()), n << " bytes of it are read");
  }
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_noticed) {
  const auto whole = whole_envelope();
  for (std::size_t i = 0; i < 8 * whole.size(); ++i) {
    auto flipped = whole;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    BOOST_TEST(!decode_envelope(flipped, limits), "bit " << i << " may be another");
  }
}

/// Without a checksum in front of it: this is what a hostile member could send.
BOOST_AUTO_TEST_CASE(truncated_and_flipped_messages_break_nothing) {
  const raft_message messages[]{append_of_two(), refusal(), vote()};
  const auto whole = encode_raft(messages);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto read = decode_raft(std::string_view{whole}.substr(0, n), limits);
    BOOST_TEST((!read && !read.error().empty()), n << " bytes of it are read");
  }
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (int value = 0; value < 256; ++value) {
      auto changed = whole;
      changed[i] = static_cast<char>(value);
      if (const auto read = decode_raft(changed, limits))
        for (const auto& m : *read)
          for (const auto& e : m.entries)
            BOOST_TEST(e.data != nullptr);
      else
        BOOST_TEST(!read.error().empty());
    }
}

BOOST_AUTO_TEST_CASE(a_promise_of_more_than_is_there_takes_no_memory) {
  std::string content;
  domain::append_map_header(content, 1);
  domain::append_uint(content, 1);
  domain::append_array_header(content, 0xFFFFFFFF);
  BOOST_TEST(!decode_envelope(sealed(content), {1u << 20, 0xFFFFFFFF, 1, 1}));
  std::string messages;
  domain::append_array_header(messages, 0xFFFFFFFF);
  BOOST_TEST(!decode_raft(messages, {1u << 20, 1, 0xFFFFFFFF, 0xFFFFFFFF}));
}

BOOST_AUTO_TEST_CASE(limits_are_kept_and_named) {
  const auto whole = whole_envelope();
  const auto large = decode_envelope(whole, {whole.size() - 1, 100, 100, 100});
  BOOST_REQUIRE(!large);
  BOOST_TEST(large.error().find(std::to_string(whole.size() - 1)) != std::string::npos);
  BOOST_TEST(decode_envelope(whole, {whole.size(), 3, 100, 100}).has_value());
  BOOST_TEST(!decode_envelope(whole, {whole.size(), 2, 100, 100}));
  const raft_message messages[]{append_of_two(), refusal()};
  const auto raft = encode_raft(messages);
  BOOST_TEST(decode_raft(raft, {0, 0, 2, 2}).has_value());
  BOOST_TEST(!decode_raft(raft, {0, 0, 1, 2}));
  BOOST_TEST(!decode_raft(raft, {0, 0, 2, 1}));
}

BOOST_AUTO_TEST_CASE(what_a_later_version_adds_is_overlooked) {
  std::string content;
  domain::append_map_header(content, 3);
  domain::append_string(content, "later");
  domain::append_array_header(content, 1);
  domain::append_nil(content);
  domain::append_uint(content, 1);
  domain::append_array_header(content, 2);
  domain::append_array_header(content, 4); // a value more
  domain::append_uint(content, 4);
  domain::append_uint(content, 1);
  domain::append_bin(content, "known");
  domain::append_map_header(content, 0);
  domain::append_array_header(content, 3); // a kind more
  domain::append_uint(content, 99);
  domain::append_uint(content, 1);
  domain::append_bin(content, "unknown");
  domain::append_uint(content, 40);
  domain::append_bool(content, true);
  const auto read = decode_envelope(sealed(content), limits);
  BOOST_REQUIRE(read);
  BOOST_REQUIRE_EQUAL(read->size(), 1u);
  BOOST_TEST(*read->front().bytes == "known");

  std::string messages;
  domain::append_array_header(messages, 1);
  domain::append_map_header(messages, 4);
  for (const unsigned x : {1u, 2u, 3u, 9u, 4u, 5u, 60u, 1u})
    domain::append_uint(messages, x);
  const auto raft = decode_raft(messages, limits);
  BOOST_REQUIRE(raft);
  BOOST_TEST(raft->front().term == 5u);
}

BOOST_AUTO_TEST_CASE(another_format_is_refused_by_its_number) {
  const auto read = decode_envelope(sealed("\x80", 2), limits);
  BOOST_REQUIRE(!read);
  BOOST_TEST(read.error().find("format 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(members_twice_or_missing_and_bytes_behind_are_refused) {
  BOOST_TEST(!decode_envelope(sealed("\x80"), limits));                              // no parcels
  BOOST_TEST(!decode_envelope(sealed(std::string{"\x82\x01\x90\x01\x90"}), limits)); // twice
  BOOST_TEST(!decode_envelope(sealed(std::string{"\x81\x01\x90\x01"}), limits));     // behind
  BOOST_TEST(decode_envelope(sealed(std::string{"\x81\x01\x90"}), limits).has_value());
  BOOST_TEST(!decode_raft(std::string{"\x91\x82\x01\x02\x03\x04"}, limits)); // no term
}

BOOST_AUTO_TEST_CASE(an_index_at_the_end_of_its_range_does_not_wrap) {
  auto m = append_of_two();
  const auto written = encode_raft({&m, 1});
  m.index = std::numeric_limits<std::uint64_t>::max() - 1;
  m.entries = {{m.index + 1, 7, entry_type::command, text("last")}};
  auto bytes = encode_raft({&m, 1});
  BOOST_TEST(decode_raft(bytes, limits).has_value());
  const auto at = bytes.find(std::string{"\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE"});
  BOOST_REQUIRE(at != std::string::npos);
  bytes[at + 8] = '\xFF';
  BOOST_TEST(!decode_raft(bytes, limits));
}

BOOST_AUTO_TEST_CASE(entries_that_are_not_behind_the_index_are_never_written) {
  auto m = append_of_two();
  m.entries[1].index = 44;
  BOOST_CHECK_THROW(encode_raft({&m, 1}), std::logic_error);
}

BOOST_AUTO_TEST_CASE(the_size_is_known_before_anything_is_written) {
  for (const auto& m : {append_of_two(), refusal(), vote()})
    BOOST_TEST(encode_raft({&m, 1}).size() <= encoded_size(m));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(hellos)

BOOST_AUTO_TEST_CASE(a_hello_is_read_as_it_was_written) {
  const hello x{1, 2, "node-a", "c1", "0.1.0", 4, 0xFEDCBA9876543210};
  const auto read = decode_hello(encode(x));
  BOOST_REQUIRE(read);
  BOOST_TEST((read->protocol_min == 1 && read->protocol_max == 2 && read->node == "node-a" && read->cluster == "c1" &&
              read->version == "0.1.0" && read->server_id == 4 && read->incarnation == 0xFEDCBA9876543210));
}

BOOST_AUTO_TEST_CASE(every_truncated_prefix_and_flipped_bit_is_refused) {
  const auto whole = encode(hello{1, 1, "node-a", "", "0.1.0", 0, 5});
  BOOST_REQUIRE(decode_hello(whole));
  for (std::size_t n = 0; n < whole.size(); ++n)
    BOOST_TEST(!decode_hello(std::string_view{whole}.substr(0, n)));
  for (std::size_t i = 0; i < 8 * whole.size(); ++i) {
    auto flipped = whole;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    BOOST_TEST(!decode_hello(flipped));
  }
}

BOOST_AUTO_TEST_CASE(texts_that_do_not_belong_into_a_log_are_refused) {
  BOOST_TEST(!decode_hello(encode(hello{1, 1, "node\n", "", "1", 0, 5})));
  BOOST_TEST(!decode_hello(encode(hello{1, 1, std::string(256, 'a'), "", "1", 0, 5})));
  BOOST_TEST(!decode_hello(encode(hello{1, 1, "", "", "1", 0, 5})));
  BOOST_TEST(!decode_hello(encode(hello{2, 1, "a", "", "1", 0, 5})));
}

BOOST_AUTO_TEST_CASE(pings_and_their_answers_are_read_as_they_were_written) {
  const auto a = decode_ping(encode(ping{std::numeric_limits<std::int64_t>::max(), -5}));
  BOOST_REQUIRE(a);
  BOOST_TEST((a->mono_ns == std::numeric_limits<std::int64_t>::max() && a->wall_us == -5));
  const auto b = decode_pong(encode(pong{1, 2, 3}));
  BOOST_REQUIRE(b);
  BOOST_TEST((b->ping_mono_ns == 1 && b->ping_wall_us == 2 && b->wall_us == 3));
  BOOST_TEST(!decode_ping("\x91\x01"));
  BOOST_TEST(!decode_ping(""));
  BOOST_TEST(decode_ping("\x93\x01\x02\xc0").has_value()); // a value more
}

BOOST_AUTO_TEST_SUITE_END()
