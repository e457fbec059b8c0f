// A read after a receipt: not older than that submission, whichever node it is asked of, and never silent.
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_cluster.hpp"
#include "tests/integration/test_node.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::tests;

namespace {

domain::receipt receipt_of(const std::string& patient, const std::string& key) {
  return domain::make_receipt("demo", patient, key);
}

struct reading_node {
  reading_node() { BOOST_REQUIRE(node.start_with_demo()); }
  scratch_disk disk;
  test_node node{disk.disk(), disk.directory()};
};

} // namespace

BOOST_AUTO_TEST_SUITE(read_after)

BOOST_FIXTURE_TEST_CASE(a_receipt_that_was_given_is_in_the_answer, reading_node) {
  BOOST_TEST(node.send("7", node.phq9(), "k1") == 202);
  const auto t = node.get_after("7", receipt_of("7", "k1"));
  BOOST_TEST(node.status(t) == 200);
  BOOST_TEST(node.body(t)["submissions"].size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_submission_that_is_on_its_way_is_waited_for, reading_node) {
  const auto sent = node.post("7", node.phq9(), "k1");
  const auto t = node.get_after("7", receipt_of("7", "k1"));
  BOOST_TEST(node.status(t) == 200);
  BOOST_TEST(node.status(sent) == 202);
  BOOST_TEST(node.body(t)["submissions"].size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_submission_that_is_refused_is_not_waited_for_any_longer, reading_node) {
  auto invalid = node.phq9();
  invalid["answers"].erase("q1");
  const auto sent = node.post("7", invalid, "k1");
  const auto t = node.get_after("7", receipt_of("7", "k1"));
  BOOST_TEST(node.status(t) == 404);
  BOOST_TEST(node.status(sent) == 422);
}

BOOST_FIXTURE_TEST_CASE(a_receipt_that_nobody_was_given_is_not_found, reading_node) {
  BOOST_TEST(node.status(node.get_after("7", receipt_of("7", "k1"))) == 404); // there is nothing at all yet
  BOOST_TEST(node.send("7", node.phq9(), "k1") == 202);
  const auto t = node.get_after("7", receipt_of("7", "other"));
  BOOST_TEST(node.status(t) == 404);
  BOOST_TEST(node.body(t)["error"].get<std::string>().find("after") != std::string::npos);
  BOOST_TEST(node.status(node.get_after("8", receipt_of("7", "k1"))) == 404); // of another patient
}

BOOST_FIXTURE_TEST_CASE(what_never_comes_is_answered_with_503_and_when_to_ask_again, reading_node) {
  // Its check goes on for ever: the validator's word is lost.
  node.faults.on_hit = [](std::string_view point, std::string_view) {
    if (point == "region.verdict")
      throw std::runtime_error{"lost"};
  };
  const auto sent = node.post("7", node.phq9(), "k1");
  const auto t = node.get_after("7", receipt_of("7", "k1"));
  BOOST_TEST(node.status(t) == 503);
  BOOST_TEST(node.sink.answers.at(t).retry_after_s > 0u);
  node.faults.on_hit = nullptr;
  BOOST_TEST(node.status(sent) == 503);
}

BOOST_AUTO_TEST_CASE(any_node_of_a_cluster_answers_or_says_that_it_took_too_long) {
  scratch_disk disk;
  test_cluster cluster{disk.disk(), 3};
  BOOST_REQUIRE(cluster.form());
  const auto status = [&](test_cluster::member& m, messages::ticket t) {
    cluster.run_until([&] { return m.node->sink.answers.count(t) != 0; }, 15'000);
    const auto found = m.node->sink.answers.find(t);
    return found == m.node->sink.answers.end() ? 0 : found->second.status;
  };
  BOOST_TEST(cluster.send(cluster.at(1), "7", test_node::phq9(), "k1") == 202);
  for (auto& m : cluster.members) {
    BOOST_TEST(status(*m, m->node->get_after("7", receipt_of("7", "k1"))) == 200);
    BOOST_TEST(status(*m, m->node->get_after("7", receipt_of("7", "other"))) == 404);
  }
  // Its leader cannot commit: the read waits with the submission, and has an end.
  const auto shard = domain::shard_of(domain::subject_hash("demo", "7"), test_node::small_config().shards.count);
  auto* leader = cluster.leader(shard);
  BOOST_REQUIRE(leader != nullptr);
  for (auto& m : cluster.members)
    if (m.get() != leader)
      cluster.network.cut(leader->name, m->name);
  leader->node->post("7", test_node::phq9(), "k2");
  const auto t = leader->node->get_after("7", receipt_of("7", "k2"));
  BOOST_TEST(status(*leader, t) == 503);
}

BOOST_AUTO_TEST_SUITE_END()
