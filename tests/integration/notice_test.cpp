// Who is to be told is told, at least once, whatever dies meanwhile; and GET says how far it is.
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_node.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <set>

using namespace epione;
using epione::tests::json;
using epione::tests::notifier_book;
using epione::tests::scratch_disk;
using epione::tests::test_node;

namespace {

struct notice_node {
  notice_node() { BOOST_REQUIRE(node.start_with_demo()); }
  ~notice_node() { BOOST_CHECK(node.sink.repeated.empty()); }

  std::uint32_t shard_of(const std::string& subject) {
    return domain::shard_of(domain::subject_hash("demo", subject), node.config().shards.count);
  }
  bool all_sent(int subjects) {
    for (int i = 1; i <= subjects; ++i)
      if (node.alert_states(std::to_string(i)) != "sent")
        return false;
    return true;
  }

  scratch_disk disk;
  test_node node{disk.disk(), disk.directory()};
};

/// A message key stands for one notice and one only.
void check_keys(const std::vector<messages::notice>& received) {
  std::map<messages::notice_key, std::pair<std::string, std::string>> by_key;
  for (const auto& n : received) {
    const std::pair what{to_text(n.id), n.rule + ">" + n.channel + ">" + n.recipient};
    const auto [found, added] = by_key.emplace(n.key, what);
    BOOST_TEST((found->second == what));
  }
}

std::set<std::string> receipts_of(const std::vector<messages::notice>& received) {
  std::set<std::string> out;
  for (const auto& n : received)
    out.insert(to_text(n.id));
  return out;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(notices_suite, notice_node)

BOOST_AUTO_TEST_CASE(an_alerts_notice_reaches_its_notifier_and_get_says_so) {
  BOOST_TEST(node.send("42", node.phq9(3), "k") == 202);
  BOOST_TEST(node.alert_states("42") == "pending");
  node.start_notifier();
  node.run(5'000);
  BOOST_REQUIRE(node.notices->received.size() == 1u);
  const auto& n = node.notices->received.front();
  BOOST_TEST(n.key.shard == shard_of("42"));
  BOOST_TEST(n.study == "demo");
  BOOST_TEST(n.subject == "42");
  BOOST_TEST(!n.site.empty());
  BOOST_TEST(n.form == "phq-9");
  BOOST_TEST(n.rule == "phq-9-q9");
  BOOST_TEST(to_text(n.id) == to_text(domain::make_receipt("demo", "42", "k")));
  BOOST_TEST(n.channel == "doctor");
  BOOST_TEST(n.recipient == "investigators");
  BOOST_TEST(n.urgent);
  BOOST_TEST(node.alert_states("42") == "sent");
  const auto one = node.body(node.get("42", domain::make_receipt("demo", "42", "k")));
  BOOST_TEST(one["alerts"][0]["notice"] == "sent");
}

BOOST_AUTO_TEST_CASE(what_raises_no_alert_tells_nobody_and_an_alert_without_a_route_says_null) {
  node.start_notifier();
  BOOST_TEST(node.send("42", node.phq9(0), "k") == 202);
  auto source = node::demo_study();
  source.toml.resize(source.toml.find("[[recipients]]"));
  BOOST_TEST(node.import(source) == "");
  BOOST_TEST(node.send("43", node.phq9(3), "k") == 202);
  node.run(5'000);
  BOOST_TEST(node.notices->received.empty());
  BOOST_TEST(node.alert_states("43") == "null");
}

BOOST_AUTO_TEST_CASE(a_pending_notice_outlives_a_crash_and_is_sent_after_it) {
  BOOST_TEST(node.send("42", node.phq9(3), "k") == 202);
  node.crash();
  BOOST_REQUIRE(node.start());
  node.start_notifier();
  node.run(5'000);
  BOOST_TEST(node.notices->received.size() == 1u);
  BOOST_TEST(node.alert_states("42") == "sent");
}

BOOST_AUTO_TEST_CASE(what_was_sent_and_not_yet_stored_as_sent_is_sent_again_under_the_same_key) {
  node.start_notifier();
  node.notices->decide = [](const auto&) { return std::nullopt; };
  BOOST_TEST(node.send("42", node.phq9(3), "k") == 202);
  node.run(5'000);
  BOOST_REQUIRE(node.notices->received.size() == 1u);
  node.crash();
  BOOST_REQUIRE(node.start());
  node.notices->decide = nullptr;
  node.start_notifier();
  node.run(5'000);
  BOOST_REQUIRE(node.notices->received.size() == 2u);
  check_keys(node.notices->received);
  BOOST_TEST(node.alert_states("42") == "sent");
}

BOOST_AUTO_TEST_CASE(what_a_dead_notifier_had_in_hand_goes_to_its_successor) {
  node.start_notifier();
  node.notices->decide = [](const auto&) { return std::nullopt; };
  BOOST_TEST(node.send("42", node.phq9(3), "k") == 202);
  node.run(3'000);
  BOOST_TEST(node.notices->received.size() == 1u);
  node.end_notifier();
  node.notices->decide = nullptr;
  node.run(3'000);
  BOOST_TEST(node.alert_states("42") == "pending");
  node.start_notifier();
  node.run(3'000);
  BOOST_TEST(node.notices->received.size() == 2u);
  check_keys(node.notices->received);
  BOOST_TEST(node.alert_states("42") == "sent");
}

BOOST_AUTO_TEST_CASE(a_dead_letter_is_listed_and_sent_again_or_dropped_by_an_operator) {
  node.start_notifier();
  node.notices->decide = [](const auto& n) { return notifier_book::dead(n); };
  for (const auto* subject : {"1", "2", "3", "4", "5", "6"})
    BOOST_TEST(node.send(subject, node.phq9(3), "k") == 202);
  node.run(5'000);
  std::vector<messages::dead_letter> letters;
  for (std::uint32_t shard : {1u, 2u}) {
    const auto found = node.ask_outbox<messages::dead_letters_ptr>(shard, messages::letters_atom::value,
                                                                   messages::notice_key{shard, 0, 0}, std::uint32_t{100});
    BOOST_REQUIRE(found.has_value());
    letters.insert(letters.end(), (*found)->begin(), (*found)->end());
  }
  BOOST_REQUIRE(letters.size() == 6u);
  BOOST_TEST(letters[0].reason == "no such mailbox");
  BOOST_TEST(letters[0].what.rule == "phq-9-q9");
  BOOST_TEST(node.alert_states("1") == "dead");
  node.notices->decide = nullptr;
  const auto wish = [&](messages::letter_wish w, std::uint32_t shard, std::optional<messages::notice_key> key) {
    messages::letter_request r;
    r.wish = w;
    r.key = key;
    r.who = "os:ann";
    return node.ask_outbox<std::uint64_t>(shard, messages::letters_atom::value,
                                          std::make_shared<const messages::letter_request>(r));
  };
  const auto& first = letters[0].what;
  BOOST_TEST(wish(messages::letter_wish::drop, first.key.shard, first.key).value_or(0) == 1u);
  BOOST_TEST(node.alert_states(first.subject) == "dead");
  BOOST_TEST(!wish(messages::letter_wish::retry, first.key.shard, first.key).has_value());
  BOOST_TEST((node.outbox_error.find(to_text(first.key)) != std::string::npos), node.outbox_error);
  const auto& second = letters[1].what;
  BOOST_TEST(wish(messages::letter_wish::retry, second.key.shard, second.key).value_or(0) == 1u);
  node.run(5'000);
  BOOST_TEST(node.alert_states(second.subject) == "sent");
  std::uint64_t rest = 0;
  for (std::uint32_t shard : {1u, 2u})
    rest += wish(messages::letter_wish::retry, shard, {}).value_or(100);
  BOOST_TEST(rest == 4u);
  node.run(5'000);
  for (const auto& letter : letters)
    BOOST_TEST(node.alert_states(letter.what.subject) == (letter.what.key == first.key ? "dead" : "sent"));
  check_keys(node.notices->received);
}

BOOST_AUTO_TEST_CASE(whoever_dies_at_any_stage_of_a_notice_every_notice_is_delivered) {
  const std::vector<std::string> stages{"outbox.page",    "outbox.hand", "outbox.outcome", "outbox.propose",
                                        "outbox.applied", "reader.read", "store.apply",    "writer.committed"};
  const std::vector<std::string> victims{"outbox 1", "region 1", "writer 1", "store 1", "replica 1",
                                         "reader 0", "reader 1", "journal",  "shards",  "notifier doctor"};
  for (const auto& victim : victims)
    for (const auto& stage : stages)
      BOOST_TEST_CONTEXT("kill " << victim << " at " << stage) {
        notice_node f;
        f.node.start_notifier();
        bool done = false;
        f.node.faults.on_hit = [&](std::string_view point, std::string_view) {
          if (!done && point == stage)
            done = f.node.kill(victim);
        };
        for (int i = 1; i <= 8; ++i)
          f.node.post(std::to_string(i), f.node.phq9(3), "k");
        f.node.run(3'000);
        BOOST_TEST(done);
        f.node.faults.on_hit = nullptr;
        f.node.start_notifier(); // who was killed is started again
        for (int i = 1; i <= 8; ++i) {
          const auto status = f.node.send(std::to_string(i), f.node.phq9(3), "k");
          BOOST_TEST((status == 200 || status == 202));
        }
        f.node.run(30'000);
        BOOST_TEST(f.all_sent(8));
        BOOST_TEST(receipts_of(f.node.notices->received).size() == 8u);
        check_keys(f.node.notices->received);
      }
}

BOOST_AUTO_TEST_CASE(an_exception_at_any_stage_of_a_notice_loses_none) {
  for (const auto* stage : {"outbox.page", "outbox.hand", "outbox.outcome", "outbox.propose", "outbox.applied"})
    BOOST_TEST_CONTEXT("throw at " << stage) {
      notice_node f;
      f.node.start_notifier();
      int count = 0;
      f.node.faults.on_hit = [&](std::string_view point, std::string_view) {
        if (point == stage && ++count == 1)
          throw std::runtime_error("planted");
      };
      for (int i = 1; i <= 4; ++i)
        BOOST_TEST(f.node.send(std::to_string(i), f.node.phq9(3), "k") == 202);
      f.node.run(30'000);
      BOOST_TEST(count >= 1);
      BOOST_TEST(f.all_sent(4));
      check_keys(f.node.notices->received);
    }
}

BOOST_AUTO_TEST_SUITE_END()
