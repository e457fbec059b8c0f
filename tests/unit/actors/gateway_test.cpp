// What those are told who wait longer than their limit.
#include "actor_fixture.hpp"
#include "actors/gateway.hpp"

#include <boost/test/unit_test.hpp>
#include <map>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using messages::ticket;

namespace {

class recording_sink final : public runtime::reply_sink {
public:
  void deliver(messages::replies batch) override {
    for (auto& r : batch)
      answers[r.to] = std::move(r);
  }
  std::map<ticket, messages::reply> answers;
};

/// A region that takes everything and answers nothing.
caf::behavior silent(caf::event_based_actor* self, caf::unit_t) {
  self->set_default_handler(caf::drop);
  return {[](messages::status_atom) {}};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(gateways, actor_fixture)

BOOST_AUTO_TEST_CASE(a_late_submission_is_to_be_sent_again_under_its_key_and_a_late_read_just_again) {
  recording_sink sink;
  runtime::catalog_view catalog;
  catalog.set(std::make_shared<const runtime::catalog_snapshot>());
  const auto region = system.spawn(silent, caf::unit); // without any argument CAF dereferences a null pointer
  env.directory->put("region 1", caf::actor_cast<caf::strong_actor_ptr>(region));
  gateway_options options;
  options.shards = 1;
  options.in_flight_per_shard_max = 10;
  options.request_limit_ms = 1'000;
  options.retry_after_s = 7;
  const auto front = runtime::spawn_actor(system, env, gateway, options, std::ref<runtime::reply_sink>(sink), std::cref(catalog));
  run();
  auto submission = std::make_shared<messages::submission>();
  submission->shard = 1;
  auto read = std::make_shared<messages::read_request>();
  read->shard = 1;
  self->send(front, messages::submit_atom::value, ticket{1}, messages::submission_ptr{submission});
  self->send(front, messages::read_atom::value, ticket{2}, messages::read_request_ptr{read});
  for (int i = 0; i < 11; ++i)
    advance(100ms);
  BOOST_REQUIRE(sink.answers.size() == 2u);
  for (const auto& [t, answer] : sink.answers) {
    BOOST_TEST(answer.status == 503);
    BOOST_TEST(answer.retry_after_s == 7u);
    BOOST_TEST(answer.body.find(R"("outcome":"unknown")") != std::string::npos);
  }
  BOOST_TEST(sink.answers[1].body.find("send it again under the same key") != std::string::npos);
  BOOST_TEST(sink.answers[2].body.find("no answer within the time limit; try again") != std::string::npos);
  BOOST_TEST(sink.answers[2].body.find("key") == std::string::npos);
  self->send_exit(region, caf::exit_reason::kill);
  self->send_exit(front, caf::exit_reason::kill);
  run();
}

BOOST_AUTO_TEST_SUITE_END()
