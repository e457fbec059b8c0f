#include "domain/event.hpp"

#include "domain/notice_change.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::domain;

namespace {

submission_record record() {
  submission_record r;
  r.study = "demo";
  r.subject = "42";
  r.site = "S07";
  r.key = "k-1";
  r.id = make_receipt("demo", "42", "k-1");
  r.content_fingerprint = make_fingerprint("content");
  r.form = "phq-9";
  r.version = "1.0";
  r.authored = "2024-05-01T08:30:00+02:00";
  r.stored_us = 1714545000123456;
  r.answers = "\x81\xa2q1\xa8LA6568-5";
  r.scores = {{"total", 12, "moderate"}, {"mean", 1.5, ""}};
  r.alerts = {{"q9-above-0"}, {"total-20"}};
  return r;
}

} // namespace

BOOST_AUTO_TEST_SUITE(events)

BOOST_AUTO_TEST_CASE(an_event_reads_back_as_it_was) {
  const event e{-5, "os:root", "operator", "study.import", "demo", std::string("\0\xff", 2), "after", "because"};
  const auto back = decode_event(encode(e));
  BOOST_REQUIRE(back);
  BOOST_TEST(back->time_us == -5);
  BOOST_TEST(back->who == e.who);
  BOOST_TEST(back->role == e.role);
  BOOST_TEST(back->action == e.action);
  BOOST_TEST(back->entity == e.entity);
  BOOST_TEST((back->before == e.before));
  BOOST_TEST(back->after == e.after);
  BOOST_TEST(back->reason == e.reason);
}

BOOST_AUTO_TEST_CASE(a_submission_reads_back_as_it_was) {
  const auto r = record();
  const auto back = decode_submission_event(encode_submission_event(r));
  BOOST_REQUIRE(back);
  BOOST_TEST(back->study == r.study);
  BOOST_TEST(back->subject == r.subject);
  BOOST_TEST(back->site == r.site);
  BOOST_TEST(back->key == r.key);
  BOOST_TEST((back->id == r.id));
  BOOST_TEST((back->content_fingerprint == r.content_fingerprint));
  BOOST_TEST(back->form == r.form);
  BOOST_TEST(back->version == r.version);
  BOOST_TEST(back->authored == r.authored);
  BOOST_TEST(back->stored_us == r.stored_us);
  BOOST_TEST((back->answers == r.answers));
  BOOST_REQUIRE(back->scores.size() == 2u);
  BOOST_TEST(back->scores[0].name == "total");
  BOOST_TEST(back->scores[0].value == 12);
  BOOST_TEST(back->scores[0].label == "moderate");
  BOOST_TEST(back->scores[1].value == 1.5);
  BOOST_REQUIRE(back->alerts.size() == 2u);
  BOOST_TEST(back->alerts[1].rule == "total-20");
}

BOOST_AUTO_TEST_CASE(a_submission_without_notices_is_written_as_it_always_was) {
  const auto e = decode_event(encode_submission_event(record()));
  BOOST_REQUIRE(e);
  BOOST_TEST(e->after.front() == '\x9d'); // thirteen members
  BOOST_TEST(planned_notices(encode_submission_event(record())).value().empty());
}

BOOST_AUTO_TEST_CASE(planned_notices_are_part_of_the_event_and_read_without_the_rest) {
  auto r = record();
  r.notices = {{"q9-above-0", "doctor", "dr-lee", true}, {"", "mail", "nurses", false}};
  const auto bytes = encode_submission_event(r);
  const auto back = decode_submission_event(bytes);
  BOOST_REQUIRE(back);
  BOOST_REQUIRE(back->notices.size() == 2u);
  BOOST_TEST(back->notices[0].rule == "q9-above-0");
  BOOST_TEST(back->notices[1].rule == "");
  BOOST_TEST(back->alerts.size() == 2u);
  const auto planned = planned_notices(bytes);
  BOOST_REQUIRE(planned);
  BOOST_REQUIRE(planned->size() == 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(back->notices[i].channel == r.notices[i].channel);
    BOOST_TEST(back->notices[i].recipient == r.notices[i].recipient);
    BOOST_TEST(back->notices[i].urgent == r.notices[i].urgent);
    BOOST_TEST(planned->at(i).study == "demo");
    BOOST_TEST(planned->at(i).channel == r.notices[i].channel);
    BOOST_TEST(planned->at(i).recipient == r.notices[i].recipient);
    BOOST_TEST(planned->at(i).urgent == r.notices[i].urgent);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BOOST_TEST(!decode_submission_event(std::string_view{bytes}.substr(0, size)));
    BOOST_TEST(!planned_notices(std::string_view{bytes}.substr(0, size)));
  }
}

BOOST_AUTO_TEST_CASE(what_became_of_notices_reads_back_as_it_was) {
  const std::vector<notice_change> changes{{7, 0, notice_step::sent, 100, ""},
                                           {7, 255, notice_step::dead, -1, "the mailbox is full"}};
  const auto bytes = encode_notice_event(9, "system", changes);
  const auto e = decode_event(bytes);
  BOOST_REQUIRE(e);
  BOOST_TEST(e->action == "notice.outcome");
  BOOST_TEST(e->role == "system");
  BOOST_TEST(e->time_us == 9);
  const auto back = decode_notice_event(bytes);
  BOOST_REQUIRE(back);
  BOOST_REQUIRE(back->size() == 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(back->at(i).seq == changes[i].seq);
    BOOST_TEST(back->at(i).number == changes[i].number);
    BOOST_TEST((back->at(i).step == changes[i].step));
    BOOST_TEST(back->at(i).at_us == changes[i].at_us);
    BOOST_TEST(back->at(i).reason == changes[i].reason);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_TEST(!decode_notice_event(std::string_view{bytes}.substr(0, size)));
}

BOOST_AUTO_TEST_CASE(an_operators_wish_names_the_operator_and_is_no_outcome) {
  const auto retry = decode_event(encode_notice_event(9, "os:ann", {{7, 0, notice_step::retried, 100, ""}}));
  const auto drop = decode_event(encode_notice_event(9, "os:ann", {{7, 0, notice_step::dropped, 100, ""}}, "she was told"));
  BOOST_REQUIRE(retry);
  BOOST_REQUIRE(drop);
  BOOST_TEST(retry->action == "notice.retry");
  BOOST_TEST(drop->action == "notice.drop");
  BOOST_TEST(retry->who == "os:ann");
  BOOST_TEST(retry->role == "operator");
  BOOST_TEST(drop->reason == "she was told");
  auto mixed = *retry;
  mixed.action = "notice.outcome";
  BOOST_TEST(!decode_notice_event(encode(mixed)));
  BOOST_TEST(!decode_notice_event(encode_submission_event(record())));
  BOOST_TEST(!decode_notice_event(
      encode_notice_event(9, "os:ann", {{7, 0, notice_step::retried, 100, ""}, {8, 0, notice_step::sent, 100, ""}})));
}

BOOST_AUTO_TEST_CASE(a_submissions_event_says_who_did_what_to_which_record_and_when) {
  const auto e = decode_event(encode_submission_event(record()));
  BOOST_REQUIRE(e);
  BOOST_TEST(e->time_us == 1714545000123456);
  BOOST_TEST(e->who == "subject:42");
  BOOST_TEST(e->role == "patient");
  BOOST_TEST(e->action == "submission.create");
  BOOST_TEST(e->entity == "demo/42/" + to_text(record().id));
  BOOST_TEST(e->before.empty());
  BOOST_TEST(!e->after.empty());
}

BOOST_AUTO_TEST_CASE(an_event_cut_anywhere_is_refused) {
  const auto bytes = encode_submission_event(record());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BOOST_TEST(!decode_event(std::string_view{bytes}.substr(0, size)));
    BOOST_TEST(!decode_submission_event(std::string_view{bytes}.substr(0, size)));
  }
  BOOST_TEST(!decode_event(bytes + "x"));
}

BOOST_AUTO_TEST_CASE(any_changed_byte_is_read_or_refused_but_never_ends_the_program) {
  const auto bytes = encode_submission_event(record());
  int read = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      read += decode_submission_event(changed).has_value();
    }
  BOOST_TEST(read > 0); // most bits are in texts
}

BOOST_AUTO_TEST_CASE(an_event_of_another_kind_is_no_submission) {
  event e;
  e.action = "study.import";
  BOOST_TEST(decode_submission_event(encode(e)).error() == "the event is not a submission but study.import");
}

BOOST_AUTO_TEST_CASE(an_unknown_format_is_refused) {
  auto bytes = encode(event{});
  bytes[1] = 2;
  BOOST_TEST(decode_event(bytes).error() == "the event has a format that this version does not know");
}

BOOST_AUTO_TEST_SUITE_END()
