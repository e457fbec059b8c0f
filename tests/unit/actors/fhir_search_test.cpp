// What a page of a search needs before it is shown: every shard, and the studies that the page before knew.
#include "actor_fixture.hpp"
#include "actors/fhir_service.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using namespace epione::messages;

namespace {

/// A node's FHIR service, two shards, and what they are asked.
struct search_fixture {
  void know(std::uint64_t changed_seq) {
    auto snapshot = std::make_shared<runtime::catalog_snapshot>();
    snapshot->changed_seq = changed_seq;
    catalog.set(std::move(snapshot));
  }
  fhir_answer ask(const std::string& query) {
    auto request = std::make_shared<fhir_request>();
    request->path = "/QuestionnaireResponse";
    request->query = query;
    request->base = "http://localhost:8080/fhir";
    asked.clear();
    std::optional<fhir_answer> answer;
    service.handle(request, [&](fhir_answer a) { answer = std::move(a); });
    BOOST_REQUIRE(answer.has_value());
    return *answer;
  }
  static bool is_try_again(const fhir_answer& a) {
    return a.status == 503 && a.retry_after_s == 7 && a.body.find("transient") != std::string::npos;
  }

  fhir_ports ports() {
    fhir_ports p;
    p.read = [this](read_request_ptr r, std::function<void(const std::vector<stored_event>*)> done) {
      asked.push_back(r);
      const auto answer = answers.find(r->shard);
      done(answer == answers.end() ? nullptr : &answer->second);
    };
    return p;
  }
  /// No response among the events it looked at, and more behind this one; 0: none.
  static std::vector<stored_event> ends_at(std::uint64_t seq) {
    std::vector<stored_event> page;
    page.push_back({seq, {}, {}, {}});
    return page;
  }

  manual_clock clock;
  counting_random random;
  runtime::catalog_view catalog;
  std::map<std::uint32_t, std::vector<stored_event>> answers{{1, ends_at(7)}, {2, ends_at(0)}};
  std::vector<read_request_ptr> asked;
  fhir_service service{ports(), {2, 200, 7}, catalog, clock, random};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(fhir_searches, search_fixture)

BOOST_AUTO_TEST_CASE(a_page_goes_on_only_where_something_is_left) {
  know(5);
  const auto first = ask("_count=3");
  BOOST_TEST(first.status == 200);
  BOOST_TEST(asked.size() == 2u);
  BOOST_TEST(first.body.find("_count=3&_cursor=2-5-7-0\"") != std::string::npos, first.body);
  const auto second = ask("_count=3&_cursor=2-5-7-0");
  BOOST_TEST(second.status == 200);
  BOOST_REQUIRE(asked.size() == 1u);
  BOOST_TEST(asked.front()->shard == 1u);
  BOOST_TEST(asked.front()->before_seq == 7u);
}

BOOST_AUTO_TEST_CASE(a_node_that_knows_less_of_the_studies_than_the_page_before_says_try_again) {
  know(4);
  BOOST_TEST(is_try_again(ask("_cursor=2-5-7-0")));
  BOOST_TEST(asked.empty());
  know(5);
  BOOST_TEST(ask("_cursor=2-5-7-0").status == 200);
  know(6); // a study more shows nothing that was not there
  const auto later = ask("_cursor=2-5-7-0");
  BOOST_TEST(later.status == 200);
  BOOST_TEST(later.body.find("_cursor=2-6-7-0") != std::string::npos, later.body);
}

BOOST_AUTO_TEST_CASE(a_shard_that_does_not_say_where_it_ends_makes_no_page) {
  answers.erase(2);
  BOOST_TEST(is_try_again(ask("")));
  answers[2] = {};
  BOOST_TEST(is_try_again(ask("")));
  BOOST_TEST(ask("_cursor=2-0-7-0").status == 200); // that shard is not asked any more
}

BOOST_AUTO_TEST_SUITE_END()
