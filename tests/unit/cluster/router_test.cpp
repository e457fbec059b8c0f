// What other nodes say of themselves, and how long it holds.
#include "cluster/claims.hpp"
#include "cluster/router.hpp"
#include "runtime/error_text.hpp"
#include "tests/unit/actors/actor_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

using namespace epione;
using namespace epione::cluster;
using namespace epione::messages;
using namespace std::chrono_literals;

namespace {

struct router_among_peers : actors::test::actor_fixture {
  router_among_peers() {
    start();
    link(true);
    say(true);
  }
  ~router_among_peers() { end(); }

  void start() {
    router_options options;
    options.node = "n1";
    options.shards = 2;
    options.request_limit_ms = 10'000;
    options.under_way_max = 10;
    tested = runtime::spawn_actor(system, env, router, options, std::cref(peers), std::ref(shards));
    run();
  }
  void end() {
    self->send_exit(tested, caf::exit_reason::kill);
    run();
  }
  void link(bool there, std::int64_t since_us = 1) {
    peer_state state;
    state.node = "n2";
    state.linked = there;
    state.since_us = since_us;
    state.incarnation = 5;
    peers.set(state);
  }
  /// n2 leads shard 1, and gives its leaderships away, or not.
  void say(bool draining) {
    claims c;
    auto& group = c.led[1];
    group.role = "leader";
    group.term = 3;
    group.serving = true;
    c.draining = draining;
    self->send(tested, receive_atom::value, std::string{"n2"}, parcel_kind::cast, std::uint64_t{0},
               bytes_ptr{std::make_shared<const std::string>(encode_claims(c))});
    run();
  }
  void wait(int ms) {
    for (int i = 0; i < ms; i += 50)
      advance(std::chrono::milliseconds{50});
  }

  peer_view peers;
  runtime::shard_view shards;
  router_actor tested;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(claims_of_others, router_among_peers)

BOOST_AUTO_TEST_CASE(what_a_node_says_holds_until_it_says_something_else) {
  BOOST_TEST(shards.is_draining("n2"));
  BOOST_TEST(shards.where(1).leader == "n2");
  wait(1'500);
  BOOST_TEST(shards.is_draining("n2"));
  say(false);
  BOOST_TEST(!shards.is_draining("n2"));
  BOOST_TEST(shards.where(1).leader == "n2");
}

BOOST_AUTO_TEST_CASE(what_a_node_said_goes_with_its_link) {
  link(false);
  wait(50);
  BOOST_TEST(!shards.is_draining("n2"));
  BOOST_TEST(shards.where(1).leader == "");
}

BOOST_AUTO_TEST_CASE(a_node_that_says_nothing_any_more_is_neither_draining_nor_a_leader) {
  wait(2'000);
  BOOST_TEST(shards.is_draining("n2"));
  wait(50);
  BOOST_TEST(!shards.is_draining("n2"));
  BOOST_TEST(shards.where(1).leader == "");
}

BOOST_AUTO_TEST_CASE(what_a_node_said_to_the_router_before_goes_as_well) {
  end();
  link(false);
  start();
  BOOST_TEST(shards.is_draining("n2"));
  wait(50);
  BOOST_TEST(!shards.is_draining("n2"));
  BOOST_TEST(shards.where(1).leader == "");
}

BOOST_AUTO_TEST_CASE(what_a_link_took_with_it_is_lost_also_when_there_is_another_one_at_once) {
  const auto peer = system.spawn(
      [](caf::event_based_actor* me, caf::unit_t) -> caf::behavior {
        me->set_default_handler(caf::drop);
        return {[](caf::unit_t) {}};
      },
      caf::unit);
  env.directory->put("peer n2", caf::actor_cast<caf::strong_actor_ptr>(peer));
  const auto question = std::make_shared<const std::string>("?");
  auto asked = self->request(tested, 60s, ask_atom::value, std::string{"n2"}, routed_kind::steward, bytes_ptr{question},
                             std::uint32_t{20'000});
  run();
  wait(100);
  BOOST_TEST(!self->has_next_message());
  link(true, 2);
  wait(100);
  BOOST_REQUIRE(self->has_next_message());
  ec why = ec::none;
  asked.receive([](const bytes_ptr&) {}, [&](caf::error& x) { why = runtime::code_of(x).value_or(ec::none); });
  BOOST_TEST((why == ec::time_limit));
  self->send_exit(peer, caf::exit_reason::kill);
  run();
}

// An answer to the router before it may still come over the same link, and would be taken for one to a question of this one.
BOOST_AUTO_TEST_CASE(a_router_that_is_started_again_uses_no_number_of_the_one_before_it) {
  const auto numbers = std::make_shared<std::set<std::uint64_t>>();
  const auto peer = system.spawn(
      [numbers](caf::event_based_actor* me, caf::unit_t) -> caf::behavior {
        me->set_default_handler(caf::drop);
        return {[numbers](send_atom, parcel_kind kind, std::uint64_t number, const bytes_ptr&) {
          if (kind == parcel_kind::request)
            numbers->insert(number);
        }};
      },
      caf::unit);
  env.directory->put("peer n2", caf::actor_cast<caf::strong_actor_ptr>(peer));
  const auto question = std::make_shared<const std::string>("?");
  for (std::size_t asked = 1; asked <= 3; ++asked) {
    self->request(tested, 60s, ask_atom::value, std::string{"n2"}, routed_kind::steward, bytes_ptr{question},
                  std::uint32_t{20'000});
    run();
    BOOST_TEST(numbers->size() == asked);
    end();
    start();
  }
  self->send_exit(peer, caf::exit_reason::kill);
  run();
}

BOOST_AUTO_TEST_SUITE_END()
