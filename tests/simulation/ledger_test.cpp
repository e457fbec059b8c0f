// The checker must see each broken promise: a node of lies, one answer at a time.
#include "tests/simulation/ledger.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::simulation;
using nlohmann::json;

namespace {

const std::string receipt_a(32, 'a'), receipt_b(32, 'b');

struct fixture {
  fixture() { book.now_is(now); }

  const json set_aside{{"problems", {{{"code", "set-aside"}}}}};
  std::int64_t now = 0;
  trace log{now, nullptr};
  ledger book{log};
  chance luck{1};
  subject_record& patient = book.subject("42", true);
  key_record& key = book.new_key(patient, "k1");
  content_ptr first = fill_in(luck, 0), other = change_answers(luck, *first);

  static json scores(const form_content& c) { return {{{"name", "total"}, {"value", c.total}, {"label", c.label}}}; }

  static json stored(const form_content& c, const std::string& receipt = receipt_a) {
    return {{"message", "stored"}, {"receipt", receipt}, {"status", "stored"}, {"scores", scores(c)}};
  }

  static json item(const form_content& c, const std::string& receipt = receipt_a) {
    json alerts = json::array();
    for (const auto& rule : c.alerts)
      alerts.push_back({{"rule", rule}, {"raised", "then"}});
    return {{"receipt", receipt}, {"form", c.form},      {"version", "1"},  {"authored", c.authored},
            {"stored", "then"},   {"scores", scores(c)}, {"alerts", alerts}};
  }

  static json unavailable(const char* outcome) { return {{"error", "later"}, {"outcome", outcome}}; }

  void answer(messages::ticket t, int status, const json& body) {
    ++now; // later than it was sent, and sooner than what is sent next
    book.answered({t, status, body.dump(), status == 503 ? 1u : 0u});
    ++now;
  }

  void submit(const content_ptr& what, int status, const json& body) { answer(book.submission_sent(key, what), status, body); }

  void read(const std::vector<json>& newest_first) {
    auto r = book.begin_reading(patient);
    answer(book.page_asked(r), 200, {{"patientId", "42"}, {"site", "S01"}, {"submissions", newest_first}, {"next", nullptr}});
  }

  void answer_page(const reading_ptr& r, const std::vector<json>& newest_first, const json& next) {
    answer(book.page_asked(r), 200, {{"patientId", "42"}, {"site", "S01"}, {"submissions", newest_first}, {"next", next}});
  }

  /// Another form, under another key.
  content_ptr submit_another(const std::string& name, std::uint64_t number, const std::string& receipt) {
    const auto what = fill_in(luck, number);
    answer(book.submission_sent(book.new_key(patient, name), what), 202, stored(*what, receipt));
    return what;
  }

  void read_one(const json& body) { answer(book.detail_asked(key), 200, body); }

  bool holds() const { return book.violations().empty(); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(checker, fixture)

BOOST_AUTO_TEST_CASE(an_honest_node_passes) {
  submit(first, 503, unavailable("unknown"));
  submit(first, 200, stored(*first));
  submit(other, 409, {{"error", "used"}, {"receipt", receipt_a}});
  read({item(*first)});
  auto whole = item(*first);
  whole["answers"] = first->stored;
  read_one(whole);
  BOOST_TEST(holds());
}

BOOST_AUTO_TEST_CASE(a_lost_acknowledgement_is_seen) {
  submit(first, 202, stored(*first));
  read({});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_second_202_is_seen) {
  submit(first, 202, stored(*first));
  submit(first, 202, stored(*first));
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(another_receipt_is_seen) {
  submit(first, 202, stored(*first));
  submit(first, 200, stored(*first, receipt_b));
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(wrong_scores_are_seen) {
  auto body = stored(*first);
  body["scores"][0]["value"] = first->total + 1;
  submit(first, 202, body);
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_200_for_what_nobody_can_have_stored_is_seen) {
  submit(first, 503, unavailable("not_stored"));
  submit(first, 200, stored(*first));
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_409_without_another_content_is_seen) {
  submit(other, 503, unavailable("not_stored"));
  submit(first, 409, {{"error", "used"}, {"receipt", receipt_a}});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_409_for_what_is_stored_is_seen) {
  submit(first, 202, stored(*first));
  submit(first, 409, {{"error", "used"}, {"receipt", receipt_a}});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(an_acknowledged_conflict_is_seen) {
  submit(first, 202, stored(*first));
  submit(other, 200, stored(*other));
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(what_was_not_stored_and_is_there_is_seen) {
  submit(first, 503, unavailable("not_stored"));
  read({item(*first)});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_submission_that_is_there_twice_is_seen) {
  submit(first, 202, stored(*first));
  read({item(*first), item(*first)});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(what_nobody_sent_is_seen) {
  auto strange = item(*first);
  strange["authored"] = "1999-01-01T00:00:00Z";
  read({strange});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(changed_answers_are_seen) {
  submit(first, 202, stored(*first));
  auto whole = item(*first);
  whole["answers"] = other->stored;
  read_one(whole);
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_read_that_goes_back_is_seen) {
  submit(first, 503, unavailable("unknown"));
  read({item(*first)});
  BOOST_TEST(holds());
  read({});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_read_that_began_before_need_not_show_it) {
  const auto r = book.begin_reading(patient);
  const auto t = book.page_asked(r);
  submit(first, 202, stored(*first));
  answer(t, 200, {{"patientId", "42"}, {"site", "S01"}, {"submissions", json::array()}, {"next", nullptr}});
  BOOST_TEST(holds());
}

BOOST_AUTO_TEST_CASE(a_refused_valid_form_is_seen) {
  submit(first, 422, {{"problems", {{{"code", "required"}}}}});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_valid_form_that_is_set_aside_without_having_crashed_validators_is_seen) {
  book.poisoned("43");
  submit(first, 422, set_aside);
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(what_was_there_while_its_patient_was_poisoned_may_be_set_aside_then_and_later) {
  const auto before = book.submission_sent(key, first);
  book.poisoned("42");
  submit(other, 422, set_aside);
  book.poisoned({});
  answer(before, 422, set_aside);
  submit(first, 422, set_aside);
  submit(other, 422, set_aside);
  BOOST_TEST(holds());
  auto& later = book.new_key(patient, "k2");
  answer(book.submission_sent(later, first), 422, set_aside);
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(an_accepted_invalid_form_is_seen) {
  const auto bad = fill_in_badly(luck, 7);
  submit(bad, 202, stored(*bad));
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_404_for_an_enrolled_subject_is_seen) {
  submit(first, 404, {{"error", "unknown subject"}});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_second_answer_is_seen) {
  const auto t = book.submission_sent(key, first);
  answer(t, 202, stored(*first));
  answer(t, 503, unavailable("unknown"));
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_503_that_says_nothing_is_seen) {
  submit(first, 503, {{"error", "later"}});
  BOOST_TEST(!holds());
}

// ---- in the end: is there an order of all operations?
// ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_answers_of_an_honest_node_have_an_order) {
  submit(first, 503, unavailable("unknown"));
  submit(other, 503, unavailable("not_stored"));
  submit(first, 200, stored(*first));
  submit(other, 409, {{"error", "used"}, {"receipt", receipt_a}});
  read({item(*first)});
  auto whole = item(*first);
  whole["answers"] = first->stored;
  read_one(whole);
  answer(book.submission_sent(key, other), 503, unavailable("unknown"));
  book.submission_sent(key, first);
  book.node_gone();
  book.check_order();
  BOOST_TEST(holds());
  BOOST_TEST(book.counts().ordered == 7u); // all but what is known not to be stored
  BOOST_TEST(book.counts().undecided == 0u);
}

BOOST_AUTO_TEST_CASE(a_history_without_what_a_conflict_spoke_of_has_no_order) {
  submit(first, 503, unavailable("unknown"));
  submit(other, 409, {{"error", "used"}, {"receipt", receipt_a}});
  read({});
  BOOST_TEST(holds()); // nothing so far says that it must be shown
  book.check_order();
  BOOST_TEST_REQUIRE(book.violations().size() == 1u);
  BOOST_TEST(book.violations().front() == "patient 42: no order of its requests fits their answers: 0.000000-0.000000 s k1#2 in "
                                          "conflict with what is stored; 0.000000-0.000000 s history, oldest first: nothing");
}

BOOST_AUTO_TEST_CASE(a_submission_that_vanishes_after_it_was_read_has_no_order) {
  submit(first, 503, unavailable("unknown"));
  auto whole = item(*first);
  whole["answers"] = first->stored;
  read_one(whole);
  submit(first, 422, {{"problems", {{{"code", "required"}}}}});
  const auto before = book.violations().size();
  book.check_order();
  BOOST_TEST(book.violations().size() == before + 1);
}

BOOST_AUTO_TEST_CASE(a_history_in_pages_is_as_old_as_its_first_one) {
  submit(first, 202, stored(*first));
  const auto second = submit_another("k2", 1, receipt_b);
  const auto r = book.begin_reading(patient);
  answer_page(r, {item(*second, receipt_b)}, "7");
  submit_another("k3", 2, std::string(32, 'c'));
  answer_page(r, {item(*first)}, nullptr);
  book.check_order();
  BOOST_TEST(holds());
  BOOST_TEST(book.counts().ordered == 4u);
}

BOOST_AUTO_TEST_CASE(the_first_page_of_a_reading_that_never_ends_is_judged) {
  submit(first, 202, stored(*first));
  const auto second = submit_another("k2", 1, receipt_b);
  answer_page(book.begin_reading(patient), {item(*second, receipt_b)}, "7");
  book.check_order();
  BOOST_TEST(holds());
  answer_page(book.begin_reading(patient), {item(*first)}, "5"); // without the newest
  BOOST_TEST(holds());
  book.check_order();
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_SUITE_END()
