// Who is given a store's file, and what ends that.
#include "cluster/snapshot_server.hpp"
#include "messages/snapshot.hpp"
#include "tests/unit/cluster/chain_fixture.hpp"

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::test;

namespace {

struct giving : fixture {
  giving() {
    fill(*node, 3);
    server = runtime::spawn_actor(node->system, node->env, cluster::snapshot_server);
    node->clients.push_back(caf::actor_cast<caf::actor>(server));
  }

  auto begin(const std::string& who, const snapshot_question& q) {
    auto asked =
        node->self->request(server, 60s, ask_atom::value, who, bytes_ptr{std::make_shared<const std::string>(encode(q))});
    node->run();
    return asked;
  }

  /// The answer's bytes, or why there is none.
  template <class Asked>
  static tl::expected<std::string, std::string> end(Asked&& asked) {
    tl::expected<std::string, std::string> out;
    asked.receive([&](const bytes_ptr& bytes) { out = *bytes; },
                  [&](caf::error& why) { out = tl::unexpected(runtime::error_text(why)); });
    return out;
  }

  static snapshot_question opening(std::uint64_t requester, std::uint64_t at_least = 0) {
    snapshot_question q;
    q.group = 1;
    q.requester = requester;
    q.at_least = at_least;
    return q;
  }

  snapshot_offer open(const std::string& who, std::uint64_t requester) {
    const auto bytes = end(begin(who, opening(requester)));
    BOOST_REQUIRE_MESSAGE(bytes.has_value(), bytes.error());
    return *decode_snapshot_offer(*bytes);
  }

  tl::expected<std::string, std::string> piece(const std::string& who, const snapshot_offer& offer) {
    snapshot_question q;
    q.what = snapshot_question::kind::piece;
    q.transfer = offer.transfer;
    q.size = 4'096;
    return end(begin(who, q));
  }

  question_receiver_actor server;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(snapshot_servers, giving)

BOOST_AUTO_TEST_CASE(who_opens_anew_gives_up_what_it_began_and_nothing_of_anybody_else) {
  const auto first = open("n2", 0);
  BOOST_TEST(first.point.index == 5u);
  BOOST_TEST(piece("n2", first)->size() == 4'096u);
  const auto backup = end(begin("n2", opening(77))); // of the same node, another one
  BOOST_REQUIRE(!backup.has_value());
  BOOST_TEST(backup.error().find("another file is being copied") != std::string::npos, backup.error());
  BOOST_TEST(!end(begin("n3", opening(0))).has_value());
  BOOST_TEST(piece("n2", first).has_value());
  const auto again = open("n2", 0);
  BOOST_TEST(again.transfer != first.transfer);
  BOOST_TEST(!piece("n2", first).has_value());
  BOOST_TEST(piece("n2", again).has_value());
}

BOOST_AUTO_TEST_CASE(a_copy_that_nobody_asks_for_any_more_is_in_nobodys_way) {
  const auto first = open("n2", 77);
  node->advance(std::chrono::milliseconds{runtime::defaults::snapshot_idle_limit_ms});
  const auto other = open("n2", 78);
  BOOST_TEST(!piece("n2", first).has_value());
  BOOST_TEST(piece("n2", other).has_value());
}

BOOST_AUTO_TEST_CASE(who_waits_for_an_entry_keeps_nobody_else_from_a_copy) {
  auto waits = begin("n2", opening(77, 100));
  BOOST_TEST(piece("n3", open("n3", 0)).has_value());
  node->advance(std::chrono::milliseconds{runtime::defaults::snapshot_hold_answer_ms / 2 + 100});
  const auto answer = end(waits);
  BOOST_REQUIRE(!answer.has_value());
  BOOST_TEST(answer.error().find("has not applied entry 100 yet") != std::string::npos, answer.error());
}

BOOST_AUTO_TEST_CASE(a_question_of_an_earlier_version_is_of_the_nodes_fetcher) {
  auto bytes = encode(opening(0, 4));
  BOOST_REQUIRE(bytes.front() == '\x97');
  bytes.front() = '\x96'; // one member less, the last
  bytes.pop_back();
  const auto q = decode_snapshot_question(bytes);
  BOOST_REQUIRE(q.has_value());
  BOOST_TEST(q->at_least == 4u);
  BOOST_TEST(q->requester == 0u);
  BOOST_TEST(decode_snapshot_question(encode(opening(77)))->requester == 77u);
}

BOOST_AUTO_TEST_SUITE_END()
