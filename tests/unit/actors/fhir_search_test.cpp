// What a page of a search needs before it is shown: every shard, and the studies that the page before knew. And which parameters
// it takes, from where, and what becomes of others.
#include "actor_fixture.hpp"
#include "actors/fhir_service.hpp"
#include "runtime/defaults.hpp"

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
  fhir_answer ask(fhir_request r) {
    r.base = "http://localhost:8080/fhir";
    asked.clear();
    std::optional<fhir_answer> answer;
    service.handle(std::make_shared<const fhir_request>(std::move(r)), [&](fhir_answer a) { answer = std::move(a); });
    BOOST_REQUIRE(answer.has_value());
    return *answer;
  }
  fhir_answer ask(const std::string& query, const std::string& prefer = {}) {
    fhir_request r;
    r.path = "/QuestionnaireResponse";
    r.query = query;
    if (!prefer.empty())
      r.prefer = prefer;
    return ask(std::move(r));
  }
  fhir_answer post(const std::string& query, const std::string& body,
                   const std::string& content_type = "application/x-www-form-urlencoded") {
    fhir_request r;
    r.method = fhir_request::verb::post;
    r.path = "/QuestionnaireResponse/_search";
    r.query = query;
    r.body = body;
    r.content_type = content_type;
    return ask(std::move(r));
  }
  static bool has(const fhir_answer& a, std::string_view text) { return a.body.find(text) != std::string::npos; }
  static bool is_try_again(const fhir_answer& a) {
    return a.status == 503 && a.retry_after_s == 7 && a.body.find("transient") != std::string::npos;
  }

  fhir_ports ports() {
    fhir_ports p;
    p.read = [this](read_request_ptr r, std::function<void(const std::vector<stored_event>*)> done) {
      asked.push_back(r);
      if (const auto page = pages.find({r->shard, r->before_seq}); page != pages.end())
        return done(&page->second);
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

  /// So many responses, and more behind `next`; 0: none.
  static std::vector<stored_event> page_of(std::uint64_t found, std::uint64_t next) {
    std::vector<stored_event> page;
    for (auto n = found; n > 0; --n)
      page.push_back({next + n, "an event", {}, {}});
    page.push_back({next, {}, {}, {}});
    return page;
  }

  manual_clock clock;
  counting_random random;
  runtime::catalog_view catalog;
  std::map<std::uint32_t, std::vector<stored_event>> answers{{1, ends_at(7)}, {2, ends_at(0)}};
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<stored_event>> pages; ///< by shard and where it is to go on
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

BOOST_AUTO_TEST_CASE(a_total_is_counted_page_after_page_on_every_shard) {
  pages[{1, 0}] = page_of(3, 50);
  pages[{1, 50}] = page_of(2, 0);
  pages[{2, 0}] = page_of(0, 9);
  pages[{2, 9}] = page_of(4, 0);
  for (const auto* query : {"_summary=count", "_count=0", "_count=0&_summary=true", "_count=5&_summary=count"}) {
    const auto counted = ask(query);
    BOOST_TEST(counted.status == 200, query);
    BOOST_TEST(has(counted, R"("total":9,)"), counted.body);
    BOOST_TEST(!has(counted, R"("entry")"), counted.body);
    BOOST_TEST(!has(counted, R"("next")"), counted.body);
    BOOST_TEST(asked.size() == 4u, query);
  }
}

BOOST_AUTO_TEST_CASE(there_is_no_total_of_what_could_not_be_read) {
  pages[{1, 0}] = page_of(3, 50);
  pages[{1, 50}] = {};
  answers[2] = ends_at(0);
  BOOST_TEST(is_try_again(ask("_summary=count")));
  pages[{1, 50}] = page_of(3, 50); // a page that does not come forward
  BOOST_TEST(is_try_again(ask("_summary=count")));
  pages[{1, 50}] = page_of(3, 0);
  BOOST_TEST(has(ask("_summary=count"), R"("total":6,)"));
}

BOOST_AUTO_TEST_CASE(a_total_that_would_take_too_long_is_refused_and_not_guessed) {
  constexpr std::uint64_t look_max = runtime::defaults::search_look_max, count_max = runtime::defaults::search_count_max;
  std::uint64_t at = 2 * count_max;
  pages[{1, 0}] = page_of(0, at);
  for (; at > look_max; at -= look_max)
    pages[{1, at}] = page_of(0, at - look_max);
  pages[{1, at}] = page_of(1, 0);
  const auto refused = ask("_summary=count");
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(has(refused, "too-costly"), refused.body);
  BOOST_TEST(asked.size() <= count_max / look_max + 2);
  pages[{1, 0}] = page_of(0, count_max / 2);
  BOOST_TEST(has(ask("_summary=count"), R"("total":1,)"));
}

BOOST_AUTO_TEST_CASE(more_entries_than_a_page_has_are_asked_for_and_a_page_is_given) {
  const auto page = ask("_count=1000");
  BOOST_TEST(page.status == 200);
  BOOST_TEST(has(page, "/QuestionnaireResponse?_count=200\""), page.body); // as the link self says
  BOOST_REQUIRE(!asked.empty());
  BOOST_TEST(asked.front()->limit == 201u);
  for (const auto* bad : {"_count=-1", "_count=", "_count=1x", "_count=99999999999999999999"})
    BOOST_TEST(ask(bad).status == 400, bad);
}

BOOST_AUTO_TEST_CASE(parameters_of_how_the_answer_looks_are_left_out_of_account_and_it_says_so) {
  const auto sorted = ask("_sort=-authored&_count=3&_include=QuestionnaireResponse:subject");
  BOOST_TEST(sorted.status == 200);
  BOOST_TEST(has(sorted, R"("relation":"self","url":"http://localhost:8080/fhir/QuestionnaireResponse?_count=3")"), sorted.body);
  BOOST_TEST(has(sorted, "_sort, _include"), sorted.body);
  BOOST_TEST(has(sorted, R"("search":{"mode":"outcome"})"), sorted.body);
  BOOST_TEST(!has(ask("_count=3"), "OperationOutcome"));
  BOOST_TEST(ask("_sort=-authored", "handling=strict").status == 400);
}

BOOST_AUTO_TEST_CASE(a_parameter_of_what_is_looked_for_is_left_out_of_account_only_when_that_is_wanted) {
  const auto refused = ask("author=Practitioner/1");
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(has(refused, "not-supported"), refused.body);
  BOOST_TEST(has(refused, "author"), refused.body);
  BOOST_TEST(asked.empty());
  BOOST_TEST(ask("author=Practitioner/1", "handling=strict").status == 400);
  const auto lenient = ask("author=Practitioner/1&_count=3", "handling=lenient");
  BOOST_TEST(lenient.status == 200);
  BOOST_TEST(has(lenient, R"("relation":"self","url":"http://localhost:8080/fhir/QuestionnaireResponse?_count=3")"),
             lenient.body);
  BOOST_TEST(has(lenient, "left out of account"), lenient.body);
  // FHIR says that a modifier must never be.
  for (const auto* query : {"subject:identifier=1", "status:not=completed", "subject.name=x", "_id:missing=true"})
    BOOST_TEST(ask(query, "handling=lenient").status == 400, query);
  BOOST_TEST(ask("subject:Patient=1").status == 200);
  BOOST_TEST(ask("_format=application/fhir+json&_pretty=true&_count=3").status == 200); // a "+" that was not encoded
  BOOST_TEST(ask("_format=xml").status == 406);
}

BOOST_AUTO_TEST_CASE(what_is_given_twice_means_both_or_is_refused) {
  for (const auto* query :
       {"status=completed&status=amended", "questionnaire=a&questionnaire=b", "_id=a&_id=b", "_count=1&_count=2"})
    BOOST_TEST(ask(query).status == 400, query);
  BOOST_TEST(ask("status=completed&status=completed").status == 200);
  BOOST_TEST(ask("authored=ge2026&authored=lt2027").status == 200);
  BOOST_REQUIRE(!asked.empty() && asked.front()->filter);
  BOOST_TEST(asked.front()->filter->authored.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_search_by_post_takes_its_parameters_from_address_and_body_together) {
  const auto found = post("status=completed", "_count=3&authored=ge2026%2D01&identifier=a+b%7Cc");
  BOOST_TEST(found.status == 200);
  BOOST_REQUIRE(!asked.empty() && asked.front()->filter);
  const auto& filter = *asked.front()->filter;
  BOOST_TEST(filter.statuses == std::vector<std::string>{"completed"}, boost::test_tools::per_element());
  BOOST_TEST(filter.authored.size() == 1u);
  BOOST_REQUIRE(filter.identifiers.size() == 1u);
  BOOST_TEST(filter.identifiers[0][0].system == "a b");
  // Its links are searches by GET, which any client can follow.
  BOOST_TEST(has(found, "QuestionnaireResponse?status=completed&_count=3&authored=ge2026-01&identifier=a%20b%7Cc&_cursor="),
             found.body);
  BOOST_TEST(post("_count=3", "").status == 200);
  BOOST_TEST(post("_count=3", "", "").status == 200);
  BOOST_TEST(post("", "_count=3", "application/x-www-form-urlencoded; charset=UTF-8").status == 200);
  BOOST_TEST(post("status=completed", "status=amended").status == 400);
  pages[{1, 7}] = page_of(0, 0);
  BOOST_TEST(post("", "_summary=count").status == 200);
  BOOST_TEST(post("", "_format=xml").status == 406);
  for (const auto* type :
       {"", "application/fhir+json", "multipart/form-data", "application/x-www-form-urlencoded; charset=latin1"})
    BOOST_TEST(post("", "_count=3", type).status == 415, type);
  const std::string long_one = "identifier=" + std::string(runtime::defaults::search_bytes_max, 'x');
  const auto too_long = post("", long_one);
  BOOST_TEST(too_long.status == 400);
  BOOST_TEST(has(too_long, "too-long"), too_long.body);
}

BOOST_AUTO_TEST_SUITE_END()
