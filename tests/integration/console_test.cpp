// Every command of the console against a whole node: what it shows, as a table and as JSON, and what it changes.
#include "actors/console_commands.hpp"
#include "actors/outbox.hpp"
#include "actors/supervisor.hpp"
#include "runtime/storage/shard_store.hpp"
#include "scratch_disk.hpp"
#include "test_node.hpp"

#include <boost/test/unit_test.hpp>
#include <sstream>

using namespace epione;
using namespace epione::tests;

namespace {

struct console_node {
  console_node() : node(disk.disk(), disk.directory()) {
    const bool started = node.start_with_demo();
    BOOST_REQUIRE_MESSAGE(started, node.why_not());
    beside = node.tree->start_console([this] { ++stops; });
    node.settle();
  }
  ~console_node() {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(beside), caf::exit_reason::kill);
    for (auto* actors : {&outboxes, &others}) {
      for (const auto& actor : *actors)
        caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
      actors->clear();
    }
    node.settle();
    beside = nullptr;
  }

  messages::console_reply ask(const std::string& line, bool json = false, std::uint32_t columns = 80,
                              const std::string& after = {}, const std::function<void()>& meanwhile = {}) {
    auto request = std::make_shared<messages::console_request>();
    std::istringstream in{line};
    for (std::string word; in >> word;)
      request->words.push_back(word);
    request->json = json;
    request->columns = columns;
    request->who = "os:nurse";
    request->after = after;
    messages::console_reply reply;
    caf::scoped_actor self{node.system(), true};
    auto pending = self->request(node.tree->console(), std::chrono::seconds{3600}, messages::console_atom::value,
                                 messages::console_request_ptr{request});
    node.settle();
    if (meanwhile)
      meanwhile();
    const auto* command = request->words.empty() ? nullptr : actors::find_console_command(request->words.front());
    const auto limit = command != nullptr ? std::max<std::int64_t>(command->limit_ms, 100) : 100;
    BOOST_REQUIRE_MESSAGE(node.run_until([&] { return self->has_next_message(); }, limit),
                          line << " is not answered within its limit of " << limit << " ms");
    pending.receive([&](const messages::console_reply_ptr& x) { reply = *x; },
                    [&](caf::error& why) { BOOST_FAIL(line << ": " << runtime::error_text(why)); });
    return reply;
  }
  std::string text(const std::string& line) {
    const auto reply = ask(line);
    BOOST_TEST(reply.code == 0, line << ": " << reply.message);
    for (std::istringstream lines{reply.text}; std::getline(lines, last_line);)
      BOOST_TEST(columns_of(last_line) <= 80U, line << " is too wide: " << last_line);
    return reply.text;
  }
  json value(const std::string& line) {
    const auto reply = ask(line, true);
    BOOST_TEST(reply.code == 0, line << ": " << reply.message);
    return json::parse(reply.text);
  }
  static std::size_t columns_of(const std::string& line) {
    return static_cast<std::size_t>(
        std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
  }
  json actor(const std::string& name) {
    for (const auto& a : value("actors"))
      if (a["name"] == name)
        return a;
    BOOST_FAIL(name << " is not shown");
    return {};
  }
  /// "who role action entity because" of a group's events, newest last.
  std::vector<std::string> recorded(std::uint32_t group = 0) {
    auto reader = runtime::open_store_reader(disk.disk(), disk.directory(), group);
    BOOST_REQUIRE(reader.has_value());
    node.run(2'000); // until it is applied
    std::vector<std::string> result;
    const auto events = (*reader)->scan(1, 1'000);
    BOOST_REQUIRE(events.has_value());
    for (const auto& stored : *events) {
      const auto e = domain::decode_event(stored.bytes);
      BOOST_REQUIRE(e.has_value());
      result.push_back(e->who + " " + e->role + " " + e->action + " " + e->entity +
                       (e->reason.empty() ? "" : " because " + e->reason));
    }
    return result;
  }

  /// Outboxes that remember what they were asked for; each holds one dead letter.
  void put_outboxes() {
    for (std::uint32_t shard = 1; shard <= 2; ++shard) {
      auto actor = node.system().spawn(
          [this, shard](messages::outbox_actor::pointer self, caf::unit_t) {
            self->set_default_handler(caf::drop);
            return outbox(shard);
          },
          caf::unit);
      outboxes.push_back(caf::actor_cast<caf::strong_actor_ptr>(actor));
      node.tree->directory().put("outbox " + std::to_string(shard), outboxes.back());
    }
  }

  messages::outbox_actor::behavior_type outbox(std::uint32_t shard) {
    using namespace messages;
    auto letter = std::make_shared<dead_letters>(1);
    letter->front().what.key = shard == 1 ? notice_key{1, 7, 0} : notice_key{2, 9, 1};
    letter->front().what.subject = "42";
    letter->front().what.channel = "doctor";
    letter->front().what.recipient = "on-call";
    letter->front().reason = "550 no such mailbox";
    letter->front().at_us = 1'000'000 * (10 - shard);
    return {
        [](serving_atom, std::uint64_t) {},
        [](closed_atom, std::uint64_t) {},
        [](applied_atom, std::uint64_t) {},
        [](applied_atom, const domain::receipt&) {},
        [](outcome_atom, const notice_outcomes_ptr&) {},
        [](changed_atom, const std::string&, const caf::strong_actor_ptr&) {},
        [](caf::tick_atom) {},
        [letter](letters_atom, const notice_key&, std::uint32_t) { return dead_letters_ptr{letter}; },
        [this, shard, letter](letters_atom, const letter_request_ptr& r) -> caf::result<std::uint64_t> {
          if (r->key && *r->key != letter->front().what.key)
            return caf::make_error(ec::not_found, std::string{"there is no dead letter with this key"});
          wishes.push_back(std::to_string(shard) + (r->wish == letter_wish::retry ? " retry " : " drop ") +
                           (r->key ? to_text(*r->key) : "all") + " " + r->who +
                           (r->reason.empty() ? "" : " because " + r->reason));
          return std::uint64_t{1};
        },
        [shard](status_atom) {
          return std::make_shared<const status_report>(
              status_report{"outbox " + std::to_string(shard), "sending", {{"pending", "3"}, {"dead", "1"}}});
        },
    };
  }

  /// The channel "doctor", as it says how it is.
  void put_channel() {
    using namespace messages;
    auto actor = node.system().spawn(
        [](notifier_actor::pointer self, caf::unit_t) -> notifier_actor::behavior_type {
          self->set_default_handler(caf::drop);
          return {
              [](notify_atom, const notices_ptr&, const notice_client&) {},
              [](caf::tick_atom) {},
              [](status_atom) {
                return std::make_shared<const status_report>(status_report{
                    "notifier doctor", "waiting for the other side", {{"waiting", "7"}, {"circuit breaker", "open"}}});
              },
          };
        },
        caf::unit);
    others.push_back(caf::actor_cast<caf::strong_actor_ptr>(actor));
    node.tree->directory().put("notifier doctor", others.back());
  }

  /// Somebody whose mailbox fills, and who says nothing. `State::name` is what kind of actor it is.
  template <class State>
  void put_stuck(const std::string& name) {
    auto actor = node.system().spawn(
        [](caf::stateful_actor<State>* self, caf::unit_t) -> caf::behavior {
          self->set_default_handler(caf::skip);
          return {[](int) {}};
        },
        caf::unit);
    others.push_back(caf::actor_cast<caf::strong_actor_ptr>(actor));
    node.tree->directory().put(name, others.back());
  }

  /// A subject of shard 1, another one for each number.
  std::string subject_of_shard_1(int number) {
    for (int i = 1;; ++i)
      if (domain::shard_of(domain::subject_hash("demo", std::to_string(i)), node.config().shards.count) == 1 && number-- == 0)
        return std::to_string(i);
  }

  scratch_disk disk;
  test_node node;
  std::vector<caf::strong_actor_ptr> outboxes, others;
  std::vector<std::string> wishes;
  caf::strong_actor_ptr beside;
  int stops = 0;
  std::string last_line;
};

struct stuck_reader_state {
  stuck_reader_state() = default;
  static inline const char* name = "store_reader";
};

struct stuck_supervisor_state {
  stuck_supervisor_state() = default;
  static inline const char* name = actors::supervisor_state::name;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(console_commands, console_node)

BOOST_AUTO_TEST_CASE(help_lists_every_command_and_explains_each) {
  const auto all = text("help");
  for (const auto& c : actors::console_commands()) {
    BOOST_TEST(contains(all, std::string{c.name}));
    BOOST_TEST(contains(text("help " + std::string{c.name}), std::string{c.help.substr(0, 20)}));
  }
  BOOST_TEST(value("help").size() == actors::console_commands().size());
  BOOST_TEST(value("help kill")["changes"] == true);
  BOOST_TEST(ask("help frobnicate").code == 2);
}

BOOST_AUTO_TEST_CASE(words_that_are_no_command_are_a_matter_of_usage) {
  BOOST_TEST(ask("frobnicate").code == 2);
  BOOST_TEST(contains(ask("frobnicate").message, "help lists them"));
  BOOST_TEST(ask("").code == 2);
  BOOST_TEST(ask("watch actors").code == 2); // the console's own
  BOOST_TEST(ask("status").code == 2);
  BOOST_TEST(ask("kill").code == 2);
  BOOST_TEST(ask("tail").code == 2);
  BOOST_TEST(ask("tail events last 0").code == 2);
  BOOST_TEST(ask("sessions top x").code == 2);
  BOOST_TEST(ask("log-level loud").code == 2);
  BOOST_TEST(ask("dead-letters drop all").code == 2);
  BOOST_TEST(ask("dead-letters retry 1-2").code == 2);
  BOOST_TEST(ask("dead-letters retry 1-2-0 now").code == 2);
  std::string many;
  for (int i = 0; i < 40; ++i)
    many += "help ";
  BOOST_TEST(ask(many).code == 2);
  BOOST_TEST(ask("status " + std::string(2'000, 'x')).code == 2);
  BOOST_TEST(recorded().size() == 1U); // the demo study's import
}

BOOST_AUTO_TEST_CASE(a_reason_is_taken_where_something_is_changed_and_must_not_be_empty) {
  for (const auto& c : actors::console_commands()) {
    if (c.run == nullptr)
      continue;
    const std::string name{c.name};
    BOOST_TEST(contains(name + " " + std::string{c.arguments}, "because WHY") == c.changes);
    const auto reply = ask(name + " because");
    BOOST_TEST(reply.code == 2);
    BOOST_TEST(contains(reply.message, c.changes ? "the reason is missing" : name + " changes nothing and takes no reason"));
  }
  BOOST_TEST(ask("kill store 1 because").code == 2);
  BOOST_TEST(ask("log-level because of the noise").code == 2);
  BOOST_TEST(ask("dead-letters because I want to see them").code == 2);
  BOOST_TEST(ask("dead-letters list because I want to see them").code == 2);
  BOOST_TEST(ask("sessions top 3 because I want to see them").code == 2);
  BOOST_TEST(stops == 0);
  BOOST_TEST(recorded().size() == 1U); // the demo study's import
}

BOOST_AUTO_TEST_CASE(actors_are_a_tree_with_numbers) {
  const auto tree = text("actors");
  BOOST_TEST(tree.starts_with("ACTOR "));
  BOOST_TEST(contains(tree, "\nnode "));
  BOOST_TEST(contains(tree, "\n├ journal "));
  BOOST_TEST(contains(tree, "\n│ ├ shard 1 "));
  BOOST_TEST(contains(tree, "\n│ │ ├ replica 1 "));
  BOOST_TEST(contains(tree, "\n└ console "));
  const auto region = actor("region 1");
  BOOST_TEST(region["supervisor"] == "shard 1");
  BOOST_TEST(region["state"] == "serving");
  BOOST_TEST(region["answered"] == true);
  BOOST_TEST(region["mailbox"].is_number());
  BOOST_TEST(region["restarts"] == 0);
  BOOST_TEST(region["age_ms"].is_number());
  BOOST_TEST(region["messages_per_second"].is_number());
  BOOST_TEST(actor("node")["supervisor"].is_null());
  const auto part = text("actors shard 1");
  BOOST_TEST(contains(part, "region 1"));
  BOOST_TEST(!contains(part, "region 2"));
  BOOST_TEST(ask("actors shard 77").code == 1);
}

BOOST_AUTO_TEST_CASE(rates_are_what_was_handled_while_the_console_looked) {
  const auto rate = [&](int submissions) {
    std::vector<messages::ticket> tickets;
    const auto reply = ask("actors gateway", true, 80, {}, [&] {
      for (int i = 0; i < submissions; ++i)
        tickets.push_back(node.post("42", test_node::phq9(), "k" + std::to_string(stops++)));
    });
    for (const auto t : tickets)
      BOOST_TEST(node.status(t) == 202);
    return json::parse(reply.text)[0]["messages_per_second"].get<double>();
  };
  const auto idle = rate(0);
  const auto busy = rate(10);
  BOOST_TEST(busy - idle >= 40); // ten in a quarter of a second, and their replies
  BOOST_TEST(busy - idle <= 100);
}

BOOST_AUTO_TEST_CASE(status_shows_all_that_an_actor_says) {
  const auto shown = text("status store 1");
  BOOST_TEST(shown.starts_with("store 1\n"));
  BOOST_TEST(contains(shown, "\nsupervisor"));
  BOOST_TEST(contains(shown, "shard 1\n"));
  BOOST_TEST(contains(shown, "\napplied"));
  BOOST_TEST(contains(shown, "\nwal  "));
  BOOST_TEST(value("status store 1")["details"]["wal_bytes"].is_string());
  BOOST_TEST(value("status node")["state"] == "running");
  BOOST_TEST(ask("status stor 1").code == 1);
}

BOOST_AUTO_TEST_CASE(shards_show_log_and_store) {
  BOOST_TEST(node.send("42", test_node::phq9(), "k") == 202);
  node.run(2'000);
  const auto all = value("shards");
  BOOST_TEST(all.size() == 3U);
  std::uint64_t events = 0;
  for (const auto& s : all) {
    BOOST_TEST(s["state"] == "serving");
    BOOST_TEST(s["store_lag"] == 0);
    BOOST_TEST(s["size_bytes"].get<std::uint64_t>() >= 4'096U); // a page at least
    events += s["events"].get<std::uint64_t>();
  }
  BOOST_TEST(events == 2U); // the study and the submission
  const auto shown = text("shards");
  BOOST_TEST(contains(shown, "SHARD  EPOCH  COMMITTED  LAG  EVENTS"));
  const auto header = shown.substr(0, shown.find('\n'));
  BOOST_TEST(header.find("SIZE") < header.find("WAL"), header);
  BOOST_TEST(contains(shown, "KiB"));
  BOOST_TEST(contains(shown, "serving"));
}

BOOST_AUTO_TEST_CASE(sessions_are_counted_and_the_newest_shown_without_a_name) {
  BOOST_TEST(contains(text("sessions"), "0 sessions"));
  for (int i = 0; i < 5; ++i)
    BOOST_TEST(node.send(std::to_string(41 + i), test_node::phq9(), "k") == 202);
  node.run(1'000);
  BOOST_TEST(value("sessions")["sessions"] == 5);
  BOOST_TEST(value("sessions top 3")["newest"].size() == 3U);
  const auto shown = text("sessions top 2");
  BOOST_TEST(contains(shown, "5 sessions"));
  BOOST_TEST(!contains(shown, " 45 ")); // who was heard of last
}

BOOST_AUTO_TEST_CASE(tail_shows_new_events_and_goes_on_where_it_was) {
  BOOST_TEST(node.send("42", test_node::phq9(3), "first") == 202);
  node.run(2'000);
  const auto begin = ask("tail events", true);
  auto seen = json::parse(begin.text)["events"];
  BOOST_TEST(seen.size() == 2U);
  BOOST_TEST(seen.back()["action"] == "submission.create");
  BOOST_TEST(seen.back()["who"] == "subject:42");
  BOOST_TEST(seen.back()["role"] == "patient");
  BOOST_TEST(!contains(begin.text, "LA6571-9"));
  BOOST_TEST(!contains(begin.text, "\"after\""));
  BOOST_TEST(!contains(begin.text, "\"before\""));
  auto next = ask("tail events", true, 80, begin.cursor);
  BOOST_TEST(json::parse(next.text)["events"].empty());
  BOOST_TEST(node.send("42", test_node::phq9(0), "second") == 202);
  BOOST_TEST(node.send("43", test_node::phq9(0), "second") == 202);
  node.run(2'000);
  next = ask("tail events", true, 80, next.cursor);
  BOOST_TEST(json::parse(next.text)["events"].size() == 2U);
  BOOST_TEST(json::parse(ask("tail events last 1", true).text)["events"].size() == 1U);
  const auto shown = text("tail events");
  BOOST_TEST(contains(shown, "submission.create"));
  BOOST_TEST(contains(shown, "study.import"));
  BOOST_TEST(!contains(shown, "LA6568-5"));
}

BOOST_AUTO_TEST_CASE(tail_says_how_many_it_left_out) {
  const auto begin = ask("tail events", true);
  std::vector<messages::ticket> tickets;
  for (int i = 0; i < 100; ++i)
    tickets.push_back(node.post("42", test_node::phq9(), "k" + std::to_string(i)));
  for (const auto t : tickets)
    BOOST_TEST(node.status(t) == 202);
  node.run(2'000);
  const auto next = json::parse(ask("tail events", true, 80, begin.cursor).text);
  BOOST_TEST(next["events"].size() == runtime::defaults::console_events_max);
  BOOST_TEST(next["left_out"] == 100 - runtime::defaults::console_events_max);
}

BOOST_AUTO_TEST_CASE(each_kind_of_actor_is_killed_and_restarted_by_name_and_the_node_serves_again) {
  int done = 0;
  for (const auto* name : {"validator 0", "reader 0", "region 1", "writer 1", "store 1", "replica 1", "shard 1", "catalog",
                           "store 0", "gateway", "readers", "validators", "shards", "journal"}) {
    for (const std::string what : {"kill ", "restart "}) {
      const auto before = node.tree->directory().find(name);
      const auto reply = ask(what + name + " because a test wants it");
      BOOST_TEST(reply.code == 0, what << name << ": " << reply.message);
      BOOST_TEST(contains(reply.text, std::string{name} + " runs again"));
      BOOST_TEST(reply.message == "");
      BOOST_TEST((node.tree->directory().find(name) != before), what << name << " changed nothing");
      BOOST_TEST_REQUIRE(node.run_until([&] { return node.ready(); }, 60'000), node.why_not());
      BOOST_TEST(node.send("42", test_node::phq9(), what + name) == 202);
      ++done;
    }
  }
  BOOST_TEST(actor("region 1")["restarts"] == 0); // an operator's word is no fault
  std::size_t kills = 0, restarts = 0;
  for (const auto& line : recorded()) {
    kills += line.starts_with("os:nurse operator console.kill ") && line.ends_with(" because a test wants it") ? 1 : 0;
    restarts += line.starts_with("os:nurse operator console.restart ") ? 1 : 0;
  }
  BOOST_TEST(kills == 14U);
  BOOST_TEST(restarts == 14U);
  BOOST_TEST(done == 28);
}

BOOST_AUTO_TEST_CASE(the_console_restarts_itself_and_the_tops_are_refused) {
  const auto before = node.tree->console();
  BOOST_TEST(contains(text("restart console"), "console is started again"));
  node.run(1'000);
  BOOST_TEST((node.tree->console() != nullptr));
  BOOST_TEST((node.tree->console() != before));
  for (const auto* top : {"node", "operations"}) {
    const auto reply = ask(std::string{"kill "} + top);
    BOOST_TEST(reply.code == 1);
    BOOST_TEST(contains(reply.message, "drain stops the node"));
  }
  BOOST_TEST(ask("kill nobody").code == 1);
}

BOOST_AUTO_TEST_CASE(a_console_that_is_killed_answers_what_waits) {
  auto request = std::make_shared<messages::console_request>();
  request->words = {"actors"};
  caf::scoped_actor self{node.system(), true};
  auto pending = self->request(node.tree->console(), std::chrono::seconds{10}, messages::console_atom::value,
                               messages::console_request_ptr{request});
  node.settle();
  node.kill("console");
  node.settle();
  messages::console_reply reply;
  pending.receive([&](const messages::console_reply_ptr& x) { reply = *x; }, [](caf::error&) {});
  BOOST_TEST(reply.code == 1);
  BOOST_TEST(contains(reply.message, "whether it was carried out is unknown"));
}

BOOST_AUTO_TEST_CASE(drain_is_recorded_and_asks_the_node_to_stop) {
  BOOST_TEST(ask("drain now").code == 2);
  BOOST_TEST(stops == 0);
  BOOST_TEST(contains(text("drain because of an update"), "stops"));
  BOOST_TEST(stops == 1);
  BOOST_TEST(recorded().back() == "os:nurse operator console.drain node because of an update");
}

BOOST_AUTO_TEST_CASE(the_log_level_is_shown_changed_and_recorded) {
  BOOST_TEST(value("log-level").contains("level"));
  BOOST_TEST(contains(text("log-level debug"), "logs from debug on"));
  BOOST_TEST(recorded().back() == "os:nurse operator console.log-level debug");
  BOOST_TEST(contains(text("log-level info because the fault is found"), "logs from info on"));
  BOOST_TEST(recorded().back() == "os:nurse operator console.log-level info because the fault is found");
}

BOOST_AUTO_TEST_CASE(a_command_is_carried_out_and_says_so_when_it_cannot_be_recorded) {
  {
    caf::scoped_actor self{node.system(), true};
    self->send_exit(node.tree->directory().find("shard 0"), caf::make_error(ec::unknown_command));
  }
  node.run(100);
  BOOST_TEST(actor("shard 0")["state"] == "halted"); // group 0 is away until an operator acts
  const auto reply = ask("kill reader 0");
  BOOST_TEST(reply.code == 0);
  BOOST_TEST(contains(reply.text, "reader 0 runs again"));
  BOOST_TEST(contains(reply.message, "not in the audit trail"));
  const auto mended = ask("restart shard 0", true);
  BOOST_TEST(mended.code == 0, mended.message);
  BOOST_TEST(json::parse(mended.text)["recorded"] == false);
  BOOST_TEST(node.run_until([&] { return node.ready(); }, 60'000));
  BOOST_TEST(node.send("42", test_node::phq9(), "after") == 202);
}

BOOST_AUTO_TEST_CASE(a_stuck_actor_hides_nobody) {
  put_stuck<stuck_reader_state>("reader 9");
  const auto all = value("actors");
  std::size_t answered = 0;
  for (const auto& a : all) {
    if (a["name"] == "reader 9") {
      BOOST_TEST(a["answered"] == false);
      BOOST_TEST(a["state"] == "no answer within 1000 ms");
    } else {
      answered += a["answered"] == true ? 1 : 0;
    }
  }
  BOOST_TEST(answered == all.size() - 1);
  BOOST_TEST(contains(text("status reader 9"), "no answer within 1000 ms"));
}

BOOST_AUTO_TEST_CASE(a_stuck_supervisor_hides_nobody_and_can_be_ended) {
  put_stuck<stuck_supervisor_state>("shard 1");
  const auto reply = ask("actors", true);
  BOOST_TEST(reply.code == 0);
  BOOST_TEST(reply.message == "who is below these supervisors is not known, they did not answer: shard 1");
  std::map<std::string, json> shown;
  for (const auto& a : json::parse(reply.text))
    BOOST_TEST(shown.emplace(a["name"].get<std::string>(), a).second, a["name"] << " is shown twice");
  for (const auto& name : node.actor_names())
    BOOST_TEST(shown.count(name) == 1U, name << " is not shown");
  BOOST_TEST(shown["shard 1"]["answered"] == false);
  BOOST_TEST(shown["shard 1"]["state"] == "no answer within 1000 ms");
  BOOST_TEST(shown["shard 1"]["supervisor"] == "shards");
  BOOST_TEST(shown["region 1"]["answered"] == true);
  BOOST_TEST(shown["region 1"]["supervisor"].is_null()); // who would say so is silent
  BOOST_TEST(shown["region 2"]["supervisor"] == "shard 2");
  BOOST_TEST(contains(text("actors"), "\nregion 1 "));

  const auto refused = ask("kill region 1");
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(contains(refused.message, "the supervisor of region 1 does not answer (shard 1); kill that one first"));
  BOOST_TEST(recorded().size() == 1U); // the demo study's import
  BOOST_TEST(contains(text("kill shard 1"), "shard 1 runs again"));
  BOOST_TEST_REQUIRE(node.run_until([&] { return node.ready(); }, 60'000), node.why_not());
  BOOST_TEST(actor("region 1")["supervisor"] == "shard 1");
  BOOST_TEST(ask("actors").message == "");
}

BOOST_AUTO_TEST_CASE(dead_letters_are_shown_sent_again_and_dropped) {
  put_outboxes();
  const auto shown = text("dead-letters");
  BOOST_TEST(contains(shown, "KEY"));
  BOOST_TEST(contains(shown, "1-7-0"));
  BOOST_TEST(contains(shown, "doctor"));
  BOOST_TEST(contains(shown, "550 no such"));
  auto all = value("dead-letters list");
  BOOST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0]["key"] == "2-9-1"); // the oldest first
  BOOST_TEST(all[1]["reason"] == "550 no such mailbox");
  BOOST_TEST(all[1]["subject"] == "42");

  BOOST_TEST(contains(text("dead-letters retry 1-7-0"), "1 dead letter is sent again"));
  BOOST_TEST(contains(text("dead-letters drop 2-9-1 because she was told by telephone"), "dropped; nobody will be told"));
  BOOST_TEST(value("dead-letters retry all because the mail server is back")["letters"] == 2);
  BOOST_TEST(
      (wishes == std::vector<std::string>{"1 retry 1-7-0 os:nurse", "2 drop 2-9-1 os:nurse because she was told by telephone",
                                          "1 retry all os:nurse because the mail server is back",
                                          "2 retry all os:nurse because the mail server is back"}));
  const auto silent = ask("dead-letters drop 2-9-1");
  BOOST_TEST(silent.code == 2);
  BOOST_TEST(contains(silent.message, "dead-letters drop 2-9-1 because WHY"));
  BOOST_TEST(wishes.size() == 4U);
  const auto unknown = ask("dead-letters retry 2-1-1");
  BOOST_TEST(unknown.code == 1);
  BOOST_TEST(contains(unknown.message, "there is no dead letter"));
  BOOST_TEST(ask("dead-letters retry 7-1-1").code == 2); // no such shard
}

BOOST_AUTO_TEST_CASE(why_a_dead_letter_is_sent_again_or_dropped_is_in_its_shards_audit_trail) {
  node.start_notifier();
  node.notices->decide = [](const auto& n) { return notifier_book::dead(n); };
  BOOST_TEST(node.send(subject_of_shard_1(0), test_node::phq9(3), "k") == 202);
  node.run(5'000);
  const auto key = value("dead-letters").at(0)["key"].get<std::string>();
  const auto refused = ask("dead-letters drop " + key);
  BOOST_TEST(refused.code == 2);
  BOOST_TEST(contains(refused.message, "because WHY"));
  BOOST_TEST(value("dead-letters").size() == 1U);

  BOOST_TEST(contains(text("dead-letters retry " + key + " because the mailbox was mended"), "1 dead letter is sent again"));
  node.run(5'000); // it is given up once more
  BOOST_TEST(recorded(1).at(2) == "os:nurse operator notice.retry notices because the mailbox was mended");
  BOOST_TEST(contains(text("dead-letters drop " + key + " because she was told by telephone"), "dropped; nobody will be told"));
  BOOST_TEST(value("dead-letters").empty());
  BOOST_TEST(recorded(1).back() == "os:nurse operator notice.drop notices because she was told by telephone");
  const auto tail = json::parse(ask("tail events", true).text)["events"];
  BOOST_TEST(tail.back()["reason"] == "she was told by telephone");
}

BOOST_AUTO_TEST_CASE(notices_go_on_counting_while_an_outbox_has_no_room) {
  actors::outbox_options options;
  options.shard = 1;
  options.readers = node.config().readers.count;
  options.channels = {"doctor"}; // for which nobody is there
  options.window = {1, 1, 1, 1, 1};
  outboxes.push_back(caf::actor_cast<caf::strong_actor_ptr>(
      runtime::spawn_actor(node.system(), node.tree->environment(), actors::outbox, options)));
  node.tree->directory().put("outbox 1", outboxes.back());
  const auto details = [&] {
    node.run(5'000);
    return value("notices")["outboxes"][0]["details"];
  };
  for (int i = 0; i < 2; ++i) // the first one fills it
    BOOST_TEST(node.send(subject_of_shard_1(i), test_node::phq9(3), "k") == 202);
  BOOST_TEST(details()["pending"] == "2");
  for (int i = 2; i < 5; ++i)
    BOOST_TEST(node.send(subject_of_shard_1(i), test_node::phq9(3), "k") == 202);
  const auto now = details();
  BOOST_TEST(now["pending"] == "5");
  BOOST_TEST(now["waiting for a notifier"] == "1");
}

BOOST_AUTO_TEST_CASE(notices_show_every_outbox_and_channel) {
  put_outboxes();
  put_channel();
  const auto shown = text("notices");
  BOOST_TEST(contains(shown, "OUTBOX"));
  BOOST_TEST(contains(shown, "PENDING"));
  BOOST_TEST(contains(shown, "outbox 2"));
  BOOST_TEST(contains(shown, "\nCHANNEL "));
  BOOST_TEST(contains(shown, "\nnotifier doctor "));
  BOOST_TEST(contains(shown, "\nnotifier log "));
  const auto all = value("notices");
  BOOST_REQUIRE(all["channels"].size() == 2U);
  BOOST_TEST(all["channels"][0]["name"] == "notifier doctor");
  BOOST_TEST(all["channels"][0]["state"] == "waiting for the other side");
  BOOST_TEST(all["channels"][0]["answered"] == true);
  BOOST_TEST(all["channels"][0]["details"]["waiting"] == "7");
  BOOST_TEST(all["channels"][0]["details"]["circuit breaker"] == "open");
  BOOST_TEST(all["channels"][1]["name"] == "notifier log");
  BOOST_TEST(all["channels"][1]["details"]["circuit breaker"] == "closed");
  BOOST_TEST(all["outboxes"].size() == 2U);
  BOOST_TEST(all["outboxes"][0]["details"]["pending"] == "3");
}

BOOST_AUTO_TEST_CASE(version_and_names) {
  BOOST_TEST(contains(text("version"), "Epione " EPIONE_VERSION ", 2 shards in "));
  BOOST_TEST(value("version")["shards"] == 2);
  const auto names = value("names");
  BOOST_TEST((std::find(names.begin(), names.end(), "region 1") != names.end()));
  BOOST_TEST(contains(text("names"), "\nregion 1\n"));
}

BOOST_AUTO_TEST_SUITE_END()
