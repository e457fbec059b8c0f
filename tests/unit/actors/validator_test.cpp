// What a validator answers before the studies are read.
#include "actor_fixture.hpp"
#include "actors/validator.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using namespace epione::messages;

namespace {

struct client_state {
  client_state() = default;
  static inline const char* name = "client";
};

assessment_client::behavior_type client(assessment_client::stateful_pointer<client_state> self, const runtime::environment& env,
                                        std::vector<assessment_ptr>& verdicts) {
  runtime::prepare(self, env, "client");
  return {[&verdicts](verdict_atom, const assessment_ptr& verdict) { verdicts.push_back(verdict); }};
}

struct validator_fixture : actor_fixture {
  validator_fixture() {
    asking = runtime::spawn_actor(system, env, client, std::ref(verdicts));
    tested = runtime::spawn_actor(system, env, validator, std::string{"validator 1"}, std::cref(view));
  }
  ~validator_fixture() {
    for (const auto& actor : {caf::actor_cast<caf::strong_actor_ptr>(asking), caf::actor_cast<caf::strong_actor_ptr>(tested)})
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    run();
  }
  assessment_ptr check(content_kind kind) {
    submission s;
    s.study = "demo";
    s.subject = "42";
    s.kind = kind;
    self->send(tested, check_atom::value, submission_ptr{std::make_shared<const submission>(s)}, asking);
    run();
    BOOST_REQUIRE(!verdicts.empty());
    return verdicts.back();
  }

  runtime::catalog_view view;
  std::vector<assessment_ptr> verdicts;
  assessment_client asking;
  validator_actor tested;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(validator_of_submissions, validator_fixture)

BOOST_AUTO_TEST_CASE(while_the_studies_are_not_read_nothing_is_refused_for_good) {
  for (const auto kind : {content_kind::data, content_kind::response}) {
    const auto verdict = check(kind);
    BOOST_TEST(verdict->status == 503);
    BOOST_TEST(verdict->refusal.find("not_stored") != std::string::npos, verdict->refusal);
    BOOST_TEST((verdict->command == nullptr));
  }
  view.set(std::make_shared<const runtime::catalog_snapshot>()); // read, and there is none
  for (const auto kind : {content_kind::data, content_kind::response})
    BOOST_TEST(check(kind)->status == 404);
}

BOOST_AUTO_TEST_SUITE_END()
