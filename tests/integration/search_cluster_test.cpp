// A search over all patients in a cluster: any node goes on with it, and while leaders change nothing is missed or repeated.
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_cluster.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::tests;

namespace {

struct search_page {
  int status = 0;
  std::uint32_t retry_after_s = 0;
  std::vector<std::string> ids;
  std::string next; ///< empty: there is none
};

struct searched_cluster {
  searched_cluster() {
    const bool formed = cluster.form();
    BOOST_REQUIRE_MESSAGE(formed, cluster.why_not);
    for (int patient = 1; patient <= 12; ++patient)
      store(cluster.at(static_cast<std::size_t>(patient % 3 + 1)), patient);
    std::sort(stored.begin(), stored.end());
  }

  void store(test_cluster::member& through, int patient) {
    const auto subject = std::to_string(patient);
    BOOST_REQUIRE(cluster.send(through, subject, test_node::phq9(), "key") == 202);
    stored.push_back(domain::to_text(domain::make_receipt("demo", subject, "key")));
  }

  test_cluster::member& other_than(const test_cluster::member& m) { return &m == &cluster.at(1) ? cluster.at(2) : cluster.at(1); }

  messages::ticket ask(test_cluster::member& m, const std::string& query) {
    messages::fhir_request r;
    r.path = "/QuestionnaireResponse";
    r.query = query;
    r.base = "http://localhost:8080/fhir";
    return m.node->fhir(r);
  }

  search_page wait(test_cluster::member& m, messages::ticket t) {
    search_page page;
    const auto& answers = m.node->sink.answers;
    BOOST_REQUIRE(cluster.run_until([&] { return answers.count(t) != 0; }, 15'000));
    const auto& answer = answers.at(t);
    page.status = answer.status;
    page.retry_after_s = answer.retry_after_s;
    if (page.status != 200)
      return page;
    const auto body = json::parse(answer.body);
    if (body.contains("entry"))
      for (const auto& e : body["entry"])
        page.ids.push_back(e["resource"]["id"]);
    for (const auto& link : body["link"])
      if (link["relation"] == "next")
        page.next = link["url"].get<std::string>().substr(link["url"].get<std::string>().find('?') + 1);
    return page;
  }

  /// As a client does that honours Retry-After.
  search_page ask_patiently(test_cluster::member& m, const std::string& query) {
    auto page = wait(m, ask(m, query));
    for (int attempt = 0; attempt < 20 && page.status == 503; ++attempt) {
      BOOST_TEST(page.retry_after_s > 0u);
      cluster.run(1'000);
      page = wait(m, ask(m, query));
    }
    BOOST_REQUIRE(page.status == 200);
    return page;
  }

  void start_again(test_cluster::member& m) {
    cluster.start(m);
    BOOST_REQUIRE(cluster.run_until([&] { return cluster.all_ready() && cluster.whole(); }, 120'000));
  }

  scratch_disk disk;
  test_cluster cluster{disk.disk(), 3};
  std::vector<std::string> stored; ///< before the first page
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(search_in_a_cluster, searched_cluster)

BOOST_AUTO_TEST_CASE(another_node_goes_on_with_a_search_whose_leaders_have_changed) {
  const auto before = stored;
  std::vector<std::string> seen;
  std::string query = "_count=2";
  std::size_t node = 0;
  for (int pages = 0; !query.empty() && pages < 20; ++pages) {
    test_cluster::member* killed = nullptr;
    if (pages == 1 || pages == 3) { // each shard once; what comes meanwhile is newer than the first page
      killed = cluster.leader(pages == 1 ? 1 : 2);
      BOOST_REQUIRE(killed != nullptr);
      cluster.crash(*killed);
      store(other_than(*killed), 100 + pages);
    }
    auto& asked = killed != nullptr ? other_than(*killed) : cluster.at(node++ % 3 + 1);
    const auto page = ask_patiently(asked, query);
    seen.insert(seen.end(), page.ids.begin(), page.ids.end());
    query = page.next;
    if (killed != nullptr)
      start_again(*killed);
  }
  BOOST_TEST(query.empty());
  std::sort(seen.begin(), seen.end());
  BOOST_TEST(seen == before, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_page_that_is_asked_for_when_a_leader_dies_has_everything_or_is_none) {
  for (const int steps : {0, 1, 2}) {
    auto* killed = cluster.leader(1);
    BOOST_REQUIRE(killed != nullptr);
    auto& asked = other_than(*killed);
    const auto t = ask(asked, "_count=50");
    for (int i = 0; i < steps; ++i)
      cluster.step(); // it is on its way to the leaders, or the answers are on theirs
    cluster.crash(*killed);
    auto page = wait(asked, t);
    if (page.status == 503) {
      BOOST_TEST(page.retry_after_s > 0u);
      page = ask_patiently(asked, "_count=50");
    }
    BOOST_REQUIRE(page.status == 200);
    BOOST_TEST(page.next.empty());
    std::sort(page.ids.begin(), page.ids.end());
    BOOST_TEST(page.ids == stored, boost::test_tools::per_element());
    start_again(*killed);
  }
}

BOOST_AUTO_TEST_SUITE_END()
