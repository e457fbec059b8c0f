// Who is given a store's file, and what ends that.
#include "cluster/snapshot_server.hpp"
#include "messages/snapshot.hpp"
#include "runtime/storage/database_pages.hpp"
#include "runtime/storage/shard_store.hpp"
#include "tests/unit/cluster/chain_fixture.hpp"

#include <filesystem>

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
    BOOST_REQUIRE_MESSAGE(bytes.has_value(), (bytes ? "" : bytes.error()));
    return *decode_snapshot_offer(*bytes);
  }

  tl::expected<std::string, std::string> piece(const std::string& who, const snapshot_offer& offer) {
    snapshot_question q;
    q.what = snapshot_question::kind::piece;
    q.transfer = offer.transfer;
    q.size = 4'096;
    return end(begin(who, q));
  }

  std::string state() {
    std::string out;
    auto asked = node->self->request(server, 60s, status_atom::value);
    node->run();
    asked.receive([&](const status_report_ptr& r) { out = r->state; }, [&](caf::error& why) { out = runtime::error_text(why); });
    return out;
  }

  /// Whether it goes on for so long when somebody asks for a piece now and then.
  bool lasts(const snapshot_offer& offer, std::chrono::seconds length) {
    for (std::chrono::seconds passed{0}; passed < length; passed += 10s) {
      if (!piece("n2", offer))
        return false;
      node->advance(10s);
    }
    return piece("n2", offer).has_value();
  }

  snapshot_server_actor server;
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

BOOST_AUTO_TEST_CASE(a_store_is_let_go_when_nobody_asks_for_a_piece_although_nobody_else_wants_a_copy) {
  const auto offer = open("n2", 77);
  node->advance(std::chrono::milliseconds{runtime::defaults::snapshot_idle_limit_ms - 1'000});
  BOOST_TEST(piece("n2", offer).has_value());
  node->advance(std::chrono::milliseconds{runtime::defaults::snapshot_idle_limit_ms - 1'000});
  BOOST_TEST(state() == "giving a file");
  node->advance(2s);
  BOOST_TEST(state() == "idle");
}

BOOST_AUTO_TEST_CASE(a_small_file_is_held_for_ten_minutes_at_most_however_often_it_is_asked_for) {
  const auto offer = open("n2", 0);
  BOOST_TEST(lasts(offer, 590s));
  node->advance(10s);
  BOOST_TEST(!piece("n2", offer).has_value());
}

BOOST_AUTO_TEST_CASE(a_large_file_is_held_for_twice_as_long_as_it_takes) {
  // Larger by a hole at its end, which is gone with the checkpoint that the copy begins with.
  std::filesystem::resize_file(runtime::shard_path(path, 1), 4'096ull * 7'500'000);
  const auto offer = open("n2", 0);
  BOOST_TEST(lasts(offer, 1'270s)); // 30.72 GB at 48 MB/s take 640 s
  node->advance(12s);
  BOOST_TEST(!piece("n2", offer).has_value());
}

BOOST_AUTO_TEST_CASE(how_long_a_file_is_held_follows_from_its_size) {
  BOOST_TEST(runtime::copy_hold_ms(0) == 600'000u);
  BOOST_TEST(runtime::copy_hold_ms(14'400'000'000) == 600'000u);
  BOOST_TEST(runtime::copy_hold_ms(28'800'000'000) == 1'200'000u);
  BOOST_TEST(runtime::copy_hold_ms(200'000'000'000) == 8'333'333u);
  BOOST_TEST(runtime::copy_hold_ms(~std::uint64_t{0}) == 2'147'483'647u);
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
