// Reading stores: what is there, what is not there yet, and what is damaged.
#include "tests/unit/cluster/chain_fixture.hpp"

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::test;

BOOST_FIXTURE_TEST_SUITE(reading, fixture)

namespace {

/// What a reader answers, newest of each.
struct answers {
  subject_head_ptr head;
  stored_event_ptr found;
  stored_events_ptr listed;
  caf::error why;
  unsigned heads = 0;
};

using reading_client = caf::typed_actor<caf::reacts_to<head_atom, std::uint64_t, subject_head_ptr>,
                                        caf::reacts_to<found_atom, domain::receipt, stored_event_ptr, caf::error>,
                                        caf::reacts_to<list_atom, ticket, read_request_ptr, stored_events_ptr, caf::error>>;

reading_client::behavior_type reading(reading_client::stateful_pointer<client_state>, std::shared_ptr<answers> a) {
  return {
      [a](head_atom, std::uint64_t, const subject_head_ptr& head) {
        a->head = head;
        ++a->heads;
      },
      [a](found_atom, const domain::receipt&, const stored_event_ptr& event, const caf::error& why) {
        a->found = event;
        a->why = why;
      },
      [a](list_atom, ticket, const read_request_ptr&, const stored_events_ptr& events, const caf::error& why) {
        a->listed = events;
        a->why = why;
      },
  };
}

struct reader_of {
  explicit reader_of(chain& n) : node(n) {
    reader = runtime::spawn_actor(node.system, node.env, actors::store_reader, std::string{"reader 0"});
    client = node.system.spawn(reading, told);
    node.clients.push_back(caf::actor_cast<caf::actor>(reader));
    node.clients.push_back(caf::actor_cast<caf::actor>(client));
  }
  void head(std::uint64_t subject) {
    node.self->send(reader, head_atom::value, std::uint32_t{1}, subject, store_client{client});
    node.run();
  }
  void find(std::uint64_t subject, const std::string& key) {
    node.self->send(reader, find_atom::value, std::uint32_t{1}, subject,
                    domain::make_receipt("demo", std::to_string(subject), key), store_client{client});
    node.run();
  }
  void list(std::uint64_t subject, std::uint32_t limit) {
    read_request r;
    r.study = "demo";
    r.subject = std::to_string(subject);
    r.subject_hash = subject;
    r.shard = 1;
    r.limit = limit;
    node.self->send(reader, list_atom::value, ticket{1}, std::make_shared<const read_request>(r), list_client{client});
    node.run();
  }
  chain& node;
  std::shared_ptr<answers> told = std::make_shared<answers>();
  store_reader_actor reader;
  reading_client client;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_store_that_is_not_there_holds_nothing_and_is_not_shown_as_an_empty_one) {
  reader_of r{*node};
  r.head(1);
  BOOST_REQUIRE(r.told->head != nullptr);
  BOOST_TEST(r.told->head->count == 0);
  r.find(1, "a");
  BOOST_TEST(r.told->found == nullptr);
  BOOST_TEST(!r.told->why);
  r.list(1, 20);
  BOOST_TEST(r.told->listed->empty());
  BOOST_TEST((runtime::code_of(r.told->why) == ec::not_serving));
}

BOOST_AUTO_TEST_CASE(what_was_applied_is_found_and_one_more_than_asked_for_says_there_is_more) {
  node->start();
  heard h;
  auto c = node->listen(h);
  for (std::uint64_t i = 1; i <= 5; ++i)
    node->propose(c, h.serving, i, one(1, std::to_string(i)));
  node->run();
  node->flush_store();
  reader_of r{*node};
  r.head(1);
  BOOST_TEST(r.told->head->count == 5);
  BOOST_TEST(r.told->head->tags.size() == 5);
  r.find(1, "3");
  BOOST_REQUIRE(r.told->found != nullptr);
  BOOST_TEST(r.told->found->seq == 3);
  r.find(1, "nobody");
  BOOST_TEST(r.told->found == nullptr);
  BOOST_TEST(!r.told->why);
  r.list(1, 3);
  BOOST_TEST(r.told->listed->size() == 4);
  BOOST_TEST(r.told->listed->front().seq == 5);
}

BOOST_AUTO_TEST_CASE(a_damaged_row_is_an_error_and_never_served) {
  fill(*node, 3);
  reader_of r{*node};
  damage(path + "/shard-001.db", flip_newest_event);
  r.find(3, "a");
  BOOST_TEST(r.told->found == nullptr);
  BOOST_TEST(runtime::error_code_text(r.told->why) == "damaged");
  r.list(3, 20);
  BOOST_TEST(r.told->listed->empty());
  BOOST_TEST(runtime::error_code_text(r.told->why) == "damaged");
}

BOOST_AUTO_TEST_CASE(a_reader_follows_a_store_that_was_built_again) {
  fill(*node, 3);
  reader_of r{*node};
  r.head(3);
  BOOST_TEST(r.told->head->count == 1);
  node->stop(node->store, caf::exit_reason::kill);
  damage(path + "/shard-001.db", flip_newest_event);
  node->start_store();
  node->run();
  heard h;
  auto c = node->listen(h);
  node->propose(c, h.serving, 1, one(3, "b"));
  node->run();
  node->flush_store();
  r.head(3);
  BOOST_TEST(r.told->head->count == 2);
}

BOOST_AUTO_TEST_CASE(nothing_is_served_while_a_store_is_built_again) {
  node->start();
  heard h;
  auto c = node->listen(h);
  auto broken = command_of(1, "a", "one");
  broken.event = "no submission";
  node->propose(c, h.serving, 1, {broken});
  node->run();
  node->flush_store();
  const auto epoch = h.serving;
  node->propose(c, epoch, 2, {command_of(1, "a", "one")});
  node->run();
  h.all.clear();
  node->flush_store(); // finds the damage
  BOOST_REQUIRE(!h.all.empty());
  BOOST_TEST(h.all.front() == "closed");
  BOOST_TEST(h.closed == epoch);
}

BOOST_AUTO_TEST_SUITE_END()
