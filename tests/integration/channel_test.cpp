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
  node.other_channels.clear();
  const bool started = node.start_with_demo();
  BOOST_REQUIRE_MESSAGE(started, node.why_not());
  BOOST_TEST((node.tree->directory().find("notifier log") != nullptr));

  BOOST_TEST(node.send("42", node.phq9(3), "k") == 202); // alarming
  BOOST_TEST(node.run_until([&] { return node.alert_states("42") == "sent"; }, 60'000));
  BOOST_REQUIRE(loft.flown.size() == 1U);
  BOOST_TEST(loft.flown[0] == domain::to_text(domain::make_receipt("demo", "42", "k")));

  BOOST_TEST(node.kill("notifier doctor")); // and it comes back
  BOOST_TEST(node.send("43", node.phq9(3), "k") == 202);
  BOOST_TEST(node.run_until([&] { return node.alert_states("43") == "sent"; }, 60'000));
  BOOST_TEST(loft.flown.back() == domain::to_text(domain::make_receipt("demo", "43", "k")));
  BOOST_TEST(node.stop());
}

BOOST_AUTO_TEST_SUITE_END()
