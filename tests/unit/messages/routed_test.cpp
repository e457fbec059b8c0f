// What crosses between routers is read as it was written, and nothing damaged is taken for something else.
#include "domain/msgpack.hpp"
#include "messages/routed.hpp"
#include "messages/snapshot.hpp"
#include "messages/steward.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::messages;

namespace {

template <class Decode>
void expect_no_part_is_read(const std::string& bytes, Decode decode) {
  for (std::size_t n = 0; n < bytes.size(); ++n)
    BOOST_TEST(!decode(std::string_view{bytes}.substr(0, n)).has_value(), n);
}

} // namespace

BOOST_AUTO_TEST_SUITE(routed_messages)

BOOST_AUTO_TEST_CASE(a_submission_keeps_everything_but_when_it_was_received) {
  submission s;
  s.study = "demo";
  s.subject = "42";
  s.key = "k";
  s.key_given = true;
  s.subject_hash = 0xF000000000000001u;
  s.shard = 7;
  s.id = domain::make_receipt("demo", "42", "k");
  s.content = std::string("\x81\xa1x\x01", 4);
  s.fingerprint = domain::make_fingerprint(s.content);
  s.received_ns = 5;
  const auto bytes = encode_routed(s);
  const auto read = decode_routed(bytes);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->kind == routed_kind::submit));
  BOOST_TEST(read->what.study == s.study);
  BOOST_TEST(read->what.subject == s.subject);
  BOOST_TEST(read->what.key == s.key);
  BOOST_TEST(read->what.key_given);
  BOOST_TEST(read->what.subject_hash == s.subject_hash);
  BOOST_TEST(read->what.shard == 7u);
  BOOST_TEST((read->what.id == s.id));
  BOOST_TEST((read->what.fingerprint == s.fingerprint));
  BOOST_TEST(read->what.content == s.content);
  BOOST_TEST(read->what.received_ns == 0);
  expect_no_part_is_read(bytes, decode_routed);
}

BOOST_AUTO_TEST_CASE(a_read_keeps_its_receipt_or_that_it_has_none) {
  read_request r;
  r.study = "demo";
  r.subject = "42";
  r.shard = 3;
  r.before_seq = 99;
  r.limit = 5;
  auto read = decode_routed(encode_routed(r));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(!read->read.id.has_value());
  BOOST_TEST(read->read.before_seq == 99u);
  BOOST_TEST(read->read.limit == 5u);
  r.id = domain::make_receipt("demo", "42", "k");
  read = decode_routed(encode_routed(r));
  BOOST_REQUIRE(read.has_value());
  BOOST_REQUIRE(read->read.id.has_value());
  BOOST_TEST((*read->read.id == *r.id));
  BOOST_TEST(!read->read.after.has_value());
  r.after = domain::make_receipt("demo", "42", "other");
  read = decode_routed(encode_routed(r));
  BOOST_REQUIRE((read.has_value() && read->read.after.has_value()));
  BOOST_TEST((*read->read.after == *r.after));
}

BOOST_AUTO_TEST_CASE(a_read_of_the_version_before_names_no_receipt_to_be_after) {
  read_request r;
  r.study = "demo";
  auto bytes = encode_routed(r);
  bytes.front() = static_cast<char>(bytes.front() - 1); // an array of one member less ...
  bytes.resize(bytes.size() - 2);                       // ... which is empty
  const auto read = decode_routed(bytes);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->read.study == "demo");
  BOOST_TEST(!read->read.after.has_value());
}

BOOST_AUTO_TEST_CASE(answers_keep_their_status_and_whether_they_can_be_tried_elsewhere) {
  const auto bytes = encode_answer(reply{0, 503, "{}", 2, elsewhere::after_that});
  const auto read = decode_answer(bytes);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->answer.status == 503);
  BOOST_TEST(read->answer.body == "{}");
  BOOST_TEST(read->answer.retry_after_s == 2u);
  BOOST_TEST((read->answer.hint == elsewhere::after_that));
  expect_no_part_is_read(bytes, decode_answer);
  const std::vector<stored_event> events{{3, "abc", {notice_state::dead, notice_state::sent}}, {1, "", {}}};
  const auto list = decode_answer(encode_answer(&events, ec::none));
  BOOST_REQUIRE(list.has_value());
  BOOST_REQUIRE(list->events.size() == 2u);
  BOOST_TEST(list->events[0].seq == 3u);
  BOOST_TEST(list->events[0].bytes == "abc");
  BOOST_REQUIRE(list->events[0].notices.size() == 2u);
  BOOST_TEST((list->events[0].notices[1] == notice_state::sent));
  BOOST_TEST((decode_answer(encode_answer(nullptr, ec::not_serving))->error == ec::not_serving));
}

BOOST_AUTO_TEST_CASE(questions_to_stewards_and_for_files_are_read_as_written) {
  steward_question q = steward_question::change_members(5, {server_change::kind::promote, 77, "n3", "1 voter, 77 stand-by"});
  q.text4 = "os:root";
  const auto read = decode_steward_question(encode(q));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->group == 5u);
  BOOST_TEST((read->change.what == server_change::kind::promote));
  BOOST_TEST(read->change.seen == "1 voter, 77 stand-by");
  BOOST_TEST(read->change.id == 77u);
  BOOST_TEST(read->text4 == "os:root");
  expect_no_part_is_read(encode(q), decode_steward_question);
  const auto form = decode_steward_question(encode(steward_question::add_form({"demo", "{}", "w", "r", "why"})));
  BOOST_REQUIRE(form.has_value());
  BOOST_TEST((form->verb == steward_verb::add_form));
  BOOST_TEST(domain::decode_form_addition(form->bytes)->reason == "why");
  const steward_answer a{ec::conflict, "why not", true, 77};
  const auto answer = decode_steward_answer(encode(a));
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST((answer->error == ec::conflict));
  BOOST_TEST(answer->text == "why not");
  BOOST_TEST(answer->changed);
  BOOST_TEST(answer->seq == 77u);
  expect_no_part_is_read(encode(a), decode_steward_answer);
  std::string earlier; // as versions before this one wrote it
  domain::append_array_header(earlier, 3);
  domain::append_uint(earlier, 0);
  domain::append_bin(earlier, "demo");
  domain::append_bool(earlier, true);
  BOOST_REQUIRE(decode_steward_answer(earlier).has_value());
  BOOST_TEST(decode_steward_answer(earlier)->seq == 0u);
  const join_grant g{"abc", 4, 16, "state"};
  BOOST_TEST(decode_join_grant(encode(g))->server_id == 4u);
  expect_no_part_is_read(encode(g), decode_join_grant);
  snapshot_offer o{1, 2, {3, 4, "c", 2}};
  BOOST_TEST(decode_snapshot_offer(encode(o))->point.configuration == "c");
  expect_no_part_is_read(encode(o), decode_snapshot_offer);
}

BOOST_AUTO_TEST_SUITE_END()
