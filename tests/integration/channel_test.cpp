// A kind of channel that only this file knows: written, registered and used without a change anywhere else.
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_node.hpp"

#include "runtime/channel.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::tests;

namespace {

struct pigeon_loft {
  std::vector<std::string> flown; ///< receipts
  int lost = 0;                   ///< how many do not arrive before one does
};

class pigeon_channel final : public runtime::channel {
public:
  pigeon_channel(pigeon_loft& loft, std::string breed) : loft_(loft), breed_(std::move(breed)) {}
  messages::send_result send(const messages::outgoing& m) override {
    if (loft_.lost-- > 0)
      return messages::try_later(messages::send_failure::unreachable, "the " + breed_ + " did not come back");
    for (const auto& n : m.notices)
      loft_.flown.push_back(n.receipt);
    return messages::sent();
  }

private:
  pigeon_loft& loft_;
  std::string breed_;
};

runtime::channel_kind pigeons(pigeon_loft& loft) {
  runtime::channel_kind kind;
  kind.name = "pigeon";
  kind.keys.push_back({"breed", "", "homing pigeon", false, 0, 0, "Which one flies.", "", nullptr});
  kind.make = [&loft](const runtime::channel_settings& s, const runtime::channel_ports&) -> std::unique_ptr<runtime::channel> {
    return std::make_unique<pigeon_channel>(loft, s.text("breed"));
  };
  return kind;
}

struct client_state {
  client_state() = default;
  static inline const char* name = "client";
};

} // namespace

BOOST_AUTO_TEST_SUITE(channels)

BOOST_AUTO_TEST_CASE(a_channel_from_outside_is_registered_and_used) {
  pigeon_loft loft;
  loft.lost = 2;
  scratch_disk disk;
  auto kinds = runtime::builtin_channel_kinds();
  kinds.add(pigeons(loft));
  auto config = test_node::small_config();
  std::vector<runtime::channel_section_problem> problems;
  config.channels.push_back(runtime::check_channel(
      {"doctor", "epione.toml:1", {{"kind", "pigeon", "epione.toml:2", true}, {"breed", "racing homer", "epione.toml:3", true}}},
      kinds, problems));
  BOOST_REQUIRE(problems.empty());
  test_node node{disk.disk(), disk.directory(), config};
  node.kinds = kinds;
  BOOST_REQUIRE_MESSAGE(node.start_with_demo(), node.why_not());
  BOOST_TEST((node.tree->directory().find("notifier log") != nullptr));

  messages::notice n;
  n.key = {1, 5, 0};
  n.study = "demo";
  n.id = domain::make_receipt("demo", "42", "k");
  n.channel = "doctor";
  n.recipient = "doctor";
  n.raised_us = node.clock.wall_us();
  std::vector<messages::notice_outcome> outcomes;
  const auto client = node.system().spawn(
      [&](messages::notice_client::stateful_pointer<client_state>, caf::unit_t) -> messages::notice_client::behavior_type {
        return {[&](messages::outcome_atom, const messages::notice_outcomes_ptr& all) {
          outcomes.insert(outcomes.end(), all->begin(), all->end());
        }};
      },
      caf::unit);
  caf::anon_send(node.tree->directory().get<messages::notifier_actor>("notifier doctor"), messages::notify_atom::value,
                 std::make_shared<const messages::notices>(messages::notices{n}), client);
  BOOST_TEST(node.run_until([&] { return !outcomes.empty(); }, 60'000));
  BOOST_REQUIRE(outcomes.size() == 1U);
  BOOST_TEST(outcomes[0].sent);
  BOOST_REQUIRE(loft.flown.size() == 1U);
  BOOST_TEST(loft.flown[0] == domain::to_text(n.id));
  BOOST_TEST(node.kill("notifier doctor")); // and it comes back
  node.settle();
  BOOST_TEST(node.run_until([&] { return node.tree->directory().find("notifier doctor") != nullptr; }, 5'000));
  caf::anon_send_exit(client, caf::exit_reason::kill);
  BOOST_TEST(node.stop());
}

BOOST_AUTO_TEST_SUITE_END()
