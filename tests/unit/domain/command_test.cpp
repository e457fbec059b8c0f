#include "domain/command.hpp"

#include <boost/test/unit_test.hpp>
#include <msgpack.hpp>

using namespace epione::domain;

namespace {

std::vector<command> commands_of_each_type() {
  command a;
  a.type = command_type::submission;
  a.subject_hash = 0xFEDCBA9876543210u;
  a.id = make_receipt("demo", "42", "k");
  a.content = make_fingerprint("content");
  a.event = std::string(300, 'e') + '\0' + "\xff";
  command b;
  b.type = command_type::record;
  b.event = "x";
  auto c = a;
  c.type = command_type::submission_with_notices;
  auto d = b;
  d.type = command_type::notice_changes;
  return {a, b, c, d};
}

} // namespace

BOOST_AUTO_TEST_SUITE(batches)

BOOST_AUTO_TEST_CASE(a_batch_reads_back_as_it_was) {
  const auto bytes = encode_batch(commands_of_each_type());
  const auto back = decode_batch(bytes);
  BOOST_REQUIRE(back);
  BOOST_REQUIRE(back->size() == 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto expected = commands_of_each_type()[i];
    BOOST_TEST((back->at(i).type == expected.type));
    BOOST_TEST(back->at(i).subject_hash == expected.subject_hash);
    BOOST_TEST((back->at(i).id == expected.id));
    BOOST_TEST((back->at(i).content == expected.content));
    BOOST_TEST((back->at(i).event == expected.event));
  }
}

BOOST_AUTO_TEST_CASE(an_empty_batch_reads_back) {
  const auto bytes = encode_batch({});
  BOOST_TEST(decode_batch(bytes).value().empty());
}

BOOST_AUTO_TEST_CASE(a_batch_is_what_any_msgpack_library_reads) {
  const auto bytes = encode_batch(commands_of_each_type());
  const auto handle = msgpack::unpack(bytes.data(), bytes.size());
  const auto& batch = handle.get();
  BOOST_REQUIRE(batch.type == msgpack::type::ARRAY);
  BOOST_TEST(batch.via.array.ptr[0].as<int>() == 1);
  const auto& first = batch.via.array.ptr[1].via.array.ptr[0].via.array;
  BOOST_TEST(first.ptr[1].as<std::uint64_t>() == 0xFEDCBA9876543210u);
  BOOST_TEST(first.ptr[4].via.bin.size == 302u);
}

BOOST_AUTO_TEST_CASE(a_batch_cut_anywhere_is_refused) {
  const auto bytes = encode_batch(commands_of_each_type());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_TEST(!decode_batch(std::string_view{bytes}.substr(0, size)));
  BOOST_TEST(!decode_batch(bytes + "x"));
}

BOOST_AUTO_TEST_CASE(any_changed_byte_is_read_or_refused_but_never_ends_the_program) {
  const auto bytes = encode_batch(commands_of_each_type());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      if (const auto back = decode_batch(changed))
        BOOST_TEST(back->size() <= 4u);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_type_or_format_is_refused_by_name) {
  auto commands = commands_of_each_type();
  commands[1].type = static_cast<command_type>(9);
  BOOST_TEST(decode_batch(encode_batch(commands)).error() == "command 1 of the batch: its type is unknown to this version");
  auto bytes = encode_batch(commands_of_each_type());
  bytes[1] = 2;
  BOOST_TEST(decode_batch(bytes).error() == "batch format 2 is unknown to this version, which reads format 1");
}

BOOST_AUTO_TEST_CASE(a_promise_of_many_commands_takes_no_memory) {
  BOOST_TEST(!decode_batch(std::string_view{"\x92\x01\xdd\xff\xff\xff\xff", 7}));
}

BOOST_AUTO_TEST_SUITE_END()
