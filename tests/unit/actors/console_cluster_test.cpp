// What the console of a node of a cluster shows of the others and asks of them; router, catalog and links are the test's.
#include "actors/admin_console.hpp"
#include "actors/console_bridge.hpp"
#include "messages/steward.hpp"
#include "tests/unit/actors/actor_fixture.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace epione;
using namespace epione::actors;
using namespace epione::messages;
using nlohmann::json;

namespace {

/// Three nodes: n2 is linked and answers, n3 is cut off, n4 may join. n1 is this one, and leads shards 0 and 2; n2 leads shard 1,
/// where n3 is far behind.
struct console_of_cluster : test::actor_fixture {
  console_of_cluster() {
    put_views();
    put_links();
    console_ports ports;
    ports.shards = 2;
    ports.cluster.emplace(console_cluster{"n1", nodes, shards, [this] { return links; }});
    ports.started_ns = env.clock.now_ns() - 90'000'000'000;
    ports.load = [] { return std::optional{0.25}; };
    put("console", runtime::spawn_actor(system, env, admin_console, ports));
    put("router", system.spawn(
                      [this](caf::event_based_actor* me, caf::unit_t) -> caf::behavior {
                        me->set_default_handler(caf::drop);
                        return {[this](ask_atom, const std::string& node, routed_kind kind, const bytes_ptr& question,
                                       std::uint32_t) { return asked(node, kind, *question); }};
                      },
                      caf::unit));
    put("catalog", system.spawn(
                       [this](caf::event_based_actor* me, caf::unit_t) -> caf::behavior {
                         me->set_default_handler(caf::drop);
                         return {[this](record_atom, const event_ptr& e) {
                           order.push_back(e->who + " " + e->action + " " + e->entity + " because " + e->reason);
                           return true;
                         }};
                       },
                       caf::unit));
  }
  ~console_of_cluster() {
    for (const auto& actor : others)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
    others.clear();
    run();
  }

  void put_views() {
    auto state = std::make_shared<domain::cluster_state>();
    for (const auto* name : {"n1", "n2", "n3"})
      state->add({name, "", "", domain::node_phase::member, static_cast<std::uint64_t>(name[1] - '0'), {}, false});
    state->add({"n4", "", "", domain::node_phase::invited, 0, {}, false});
    nodes.set(state);
    runtime::group_view here;
    here.role = "leader";
    here.leader = "n1";
    here.serving = true;
    here.members = {{1, "n1", "leader", true, 5, 0}, {2, "n2", "voter", true, 5, 10}, {3, "n3", "stand-by", true, 5, 10}};
    shards.set(0, here);
    shards.set(2, here);
    runtime::group_view there;
    there.role = "leader";
    there.term = 7;
    there.commit = there.last = 1'234;
    there.leader = "n2";
    there.serving = true;
    there.members = {
        {1, "n1", "voter", true, 1'234, 10}, {2, "n2", "leader", true, 1'234, 0}, {3, "n3", "stand-by", true, 34, -1}};
    shards.claim("n2", {{1, there}}, true);
  }
  void put_links() {
    console_link up;
    up.node = "n2";
    up.linked = true;
    up.since_us = env.clock.wall_us() - 7'500'000'000;
    up.version = "9.8.7";
    up.round_trip_ns = 1'200'000;
    up.clock_offset_us = 1'500;
    up.sent_bytes = 4'300'000;
    up.received_bytes = 512;
    up.dropped = 3;
    console_link down;
    down.node = "n3";
    down.why = "connection refused";
    links = {up, down};
  }

  template <class Handle>
  void put(const std::string& name, const Handle& actor) {
    others.push_back(caf::actor_cast<caf::strong_actor_ptr>(actor));
    env.directory->put(name, others.back());
  }

  caf::result<bytes_ptr> asked(const std::string& node, routed_kind kind, const std::string& question) {
    if (kind == routed_kind::console) {
      const auto q = json::parse(question);
      order.push_back(node + " " + q["words"].dump() + (q["json"] == true ? " json" : ""));
      if (silent)
        return caf::make_error(ec::not_serving, "node " + node + " is not ready for that");
      return std::make_shared<const std::string>(json{{"code", 0}, {"text", said}, {"message", ""}, {"cursor", "7"}}.dump());
    }
    const auto q = decode_steward_question(question);
    BOOST_REQUIRE(q.has_value());
    order.push_back(node + (q->verb == steward_verb::transfer
                                ? " transfer " + std::to_string(q->group) + " to " + std::to_string(q->change.id)
                                : " " + q->text + " " + q->text2));
    return std::make_shared<const std::string>(
        encode(silent ? steward_answer{ec::not_serving, "it does not lead"} : steward_answer{ec::none, "done there"}));
  }

  console_reply ask(const std::string& line, bool as_json = false) {
    auto request = std::make_shared<console_request>();
    std::istringstream in{line};
    for (std::string word; in >> word;)
      request->words.push_back(word);
    request->json = as_json;
    request->columns = 100;
    request->who = "os:nurse";
    console_reply reply;
    auto pending = self->request(env.directory->get<admin_console_actor>("console"), std::chrono::seconds{3600},
                                 console_atom::value, console_request_ptr{request});
    run();
    BOOST_REQUIRE_MESSAGE(self->has_next_message(), line << " is not answered");
    pending.receive([&](const console_reply_ptr& x) { reply = *x; },
                    [&](caf::error& why) { BOOST_FAIL(line << ": " << runtime::error_text(why)); });
    return reply;
  }
  /// Its lines without the heading, each in cells.
  std::vector<std::vector<std::string>> rows(const std::string& line) {
    const auto reply = ask(line);
    BOOST_TEST(reply.code == 0, line << ": " << reply.message);
    std::istringstream in{reply.text};
    std::vector<std::vector<std::string>> result;
    for (std::string text; std::getline(in, text);) {
      result.emplace_back();
      for (std::size_t at = 0; at < text.size();) {
        at = std::min(text.find_first_not_of(' ', at), text.size());
        const auto end = std::min(text.find("  ", at), text.size());
        result.back().push_back(text.substr(at, end - at));
        at = end;
      }
    }
    BOOST_REQUIRE(!result.empty());
    result.erase(result.begin());
    return result;
  }
  /// There are no actors of the shards here: it is answered once they were waited for.
  std::string shards_text(bool as_json) {
    std::string text;
    auto pending =
        self->request(env.directory->get<admin_console_actor>("console"), std::chrono::seconds{3600}, console_atom::value,
                      console_request_ptr{std::make_shared<console_request>(console_request{{"shards"}, as_json, 0, "", ""})});
    run();
    advance(std::chrono::milliseconds{4'000});
    BOOST_REQUIRE(self->has_next_message());
    pending.receive([&](const console_reply_ptr& x) { text = x->text; },
                    [&](caf::error& why) { BOOST_FAIL(runtime::error_text(why)); });
    return text;
  }
  /// Answered so, nobody asked and nothing recorded.
  void is_refused(const std::string& line, int code, const std::string& why) {
    order.clear();
    const auto reply = ask(line);
    BOOST_TEST(reply.code == code, line << ": " << reply.code);
    BOOST_TEST(reply.message.find(why) != std::string::npos, line << ": " << reply.message);
    BOOST_TEST(order.empty(), line << " did something");
  }

  runtime::cluster_view nodes;
  runtime::shard_view shards;
  std::vector<console_link> links;
  std::vector<std::string> order; ///< what was recorded and asked
  std::string said = R"({"version":"9.8.7","uptime_ms":7500000,"load":1.5,"links_up":1,"links":2})";
  bool silent = false;
  std::vector<caf::strong_actor_ptr> others;
};

using cells = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(console_in_a_cluster, console_of_cluster)

BOOST_AUTO_TEST_CASE(nodes_are_shown_as_far_as_they_are_known) {
  const auto shown = rows("nodes");
  BOOST_REQUIRE(shown.size() == 4U);
  BOOST_TEST(shown[0] == (cells{"n1", EPIONE_VERSION, "1m30s", "0.25", "2", "1 of 2", "-", "member, here"}),
             boost::test_tools::per_element());
  BOOST_TEST(shown[1] == (cells{"n2", "9.8.7", "2h05m", "1.50", "1", "1 of 2", "+1.5 ms", "member, draining"}),
             boost::test_tools::per_element());
  BOOST_TEST(shown[2] == (cells{"n3", "unknown", "unknown", "unknown", "0", "unknown", "unknown", "member, NOT LINKED"}),
             boost::test_tools::per_element());
  BOOST_TEST(shown[3][7] == "invited, NOT LINKED");
  BOOST_TEST(order == std::vector<std::string>{"n2 [\"version\"] json"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_a_node_does_not_say_is_unknown_and_null) {
  silent = true; // as one of an earlier version, which has no bridge
  const auto shown = rows("nodes");
  BOOST_TEST(shown.at(1) == (cells{"n2", "9.8.7", "unknown", "unknown", "1", "unknown", "+1.5 ms", "member, draining"}),
             boost::test_tools::per_element());
  const auto all = json::parse(ask("nodes", true).text);
  BOOST_TEST(all[1]["uptime_ms"].is_null());
  BOOST_TEST(all[1]["load"].is_null());
  BOOST_TEST(all[1]["clock_offset_ms"] == 1.5);
  BOOST_TEST(all[0]["uptime_ms"] == 90'000);
  BOOST_TEST(all[2]["version"].is_null());
  silent = false;
  for (const auto* text : {"", "7", "[]", R"({"uptime_ms":"long","load":null})"}) {
    said = text;
    BOOST_TEST(rows("nodes").at(1).at(2) == "unknown", text);
  }
}

BOOST_AUTO_TEST_CASE(before_group_0_has_said_anything_nodes_says_so) {
  nodes.set(nullptr);
  is_refused("nodes", 1, "has not read yet which nodes there are");
  BOOST_TEST(rows("links").size() == 2U);
}

BOOST_AUTO_TEST_CASE(links_are_those_of_this_node) {
  const auto shown = rows("links");
  BOOST_REQUIRE(shown.size() == 2U);
  BOOST_TEST(shown[0] == (cells{"n2", "2h05m", "9.8.7", "4.1 MiB", "512 B", "3", "1.2 ms", "+1.5 ms", "linked"}),
             boost::test_tools::per_element());
  BOOST_TEST(shown[1] ==
                 (cells{"n3", "never", "unknown", "0 B", "0 B", "0", "unknown", "unknown", "NOT LINKED: connection refused"}),
             boost::test_tools::per_element());
  const auto all = json::parse(ask("links", true).text);
  BOOST_TEST(all[0]["sent_bytes"] == 4'300'000);
  BOOST_TEST(all[0]["why"].is_null());
  BOOST_TEST(all[1]["since_us"].is_null());
  BOOST_TEST(all[1]["why"] == "connection refused");
  is_refused("links n2", 2, "takes no arguments");
}

BOOST_AUTO_TEST_CASE(a_node_whose_clock_differs_too_much_is_marked) {
  BOOST_TEST(rows("nodes")[1].back().find("CLOCK") == std::string::npos);
  BOOST_TEST(json::parse(ask("links", true).text)[0]["clock_alarm"] == false);
  links[0].clock_alarm = true;
  BOOST_TEST(rows("links")[0].back() == "linked, CLOCK DIFFERS");
  BOOST_TEST(rows("nodes")[1].back().find("CLOCK DIFFERS") != std::string::npos);
  BOOST_TEST(json::parse(ask("links", true).text)[0]["clock_alarm"] == true);
  BOOST_TEST(json::parse(ask("nodes", true).text)[1]["clock_alarm"] == true);
}

BOOST_AUTO_TEST_CASE(shards_show_leader_and_how_far_each_replica_is_behind) {
  const auto all = json::parse(shards_text(true));
  BOOST_REQUIRE(all.size() == 3U);
  BOOST_TEST(all[0]["leader"] == "n1");
  BOOST_TEST(all[1]["leader"] == "n2");
  BOOST_TEST(all[1]["term"] == 7);
  BOOST_TEST(all[1]["commit"] == 1'234);
  BOOST_TEST(all[1]["replicas"][2] == (json{{"node", "n3"}, {"role", "stand-by"}, {"lag", 1'200}, {"reachable", false}}));
  BOOST_TEST(all[1]["replicas"][0]["lag"] == 0);
  BOOST_TEST(all[1]["size_bytes"].is_null()); // no store runs here
  const auto shown = shards_text(false);
  BOOST_TEST(shown.find("EVENTS  SIZE  WAL") != std::string::npos, shown);
  BOOST_TEST(shown.find("n1 0, n2 0, n3 1,200 stand-by NOT HEARD") != std::string::npos, shown);
}

BOOST_AUTO_TEST_CASE(a_shard_that_another_node_leads_is_followed_or_elsewhere) {
  put("region 1", system.spawn(
                      [](caf::event_based_actor* me, caf::unit_t) -> caf::behavior {
                        me->set_default_handler(caf::drop);
                        return {[](status_atom) -> status_report_ptr {
                          return std::make_shared<const status_report>(status_report{"region 1", "not_serving", {}});
                        }};
                      },
                      caf::unit));
  const auto state = [&] { return json::parse(shards_text(true))[1]["state"].get<std::string>(); };
  BOOST_TEST(state() == "following");
  auto there = *shards.best(1);
  std::erase_if(there.members, [](const auto& m) { return m.node == "n1"; });
  shards.claim("n2", {{1, there}}, false);
  BOOST_TEST(state() == "elsewhere");
  shards.forget("n2");
  BOOST_TEST(state() == "not_serving");
}

BOOST_AUTO_TEST_CASE(a_shard_that_nobody_is_known_to_lead_shows_nothing_of_a_followers_own) {
  auto follows = *shards.get(2);
  follows.role = "follower";
  follows.serving = false;
  follows.term = 99;
  shards.set(2, follows);
  const auto all = json::parse(shards_text(true));
  BOOST_TEST(all[2]["leader"].is_null());
  BOOST_TEST(all[2]["term"].is_null());
  BOOST_TEST(all[2]["replicas"].empty());
}

BOOST_AUTO_TEST_CASE(a_transfer_is_recorded_and_then_asked_of_who_leads) {
  const auto reply = ask("transfer 1 n1 because n2 is slow");
  BOOST_TEST(reply.code == 0, reply.message);
  BOOST_TEST(reply.text == "shard 1 is handed over from node n2 to node n1\n");
  BOOST_TEST(order ==
                 (std::vector<std::string>{"os:nurse console.transfer shard 1 to n1 because n2 is slow", "n2 transfer 1 to 1"}),
             boost::test_tools::per_element());
  BOOST_TEST(json::parse(ask("transfer 0 n2", true).text) ==
             (json{{"action", "transfer"}, {"shard", 0}, {"from", "n1"}, {"node", "n2"}, {"recorded", true}}));
  silent = true;
  const auto refused = ask("transfer 0 n2");
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(refused.message == "transfer of shard 0 to n2: it does not lead");
}

BOOST_AUTO_TEST_CASE(a_transfer_that_cannot_be_is_refused_before_it_is_recorded) {
  is_refused("transfer", 2, "transfer takes a shard and a node");
  is_refused("transfer 1", 2, "transfer takes a shard and a node");
  is_refused("transfer one n1", 2, "\"one\" is no number");
  is_refused("transfer 3 n1", 1, "there is no shard 3");
  is_refused("transfer 1 n9", 1, "node n9 has no replica of shard 1");
  is_refused("transfer 1 n2", 1, "node n2 leads shard 1 already");
  is_refused("transfer 1 n3", 1, "node n3 is a stand-by of shard 1");
  is_refused("transfer 1 n1 because", 2, "the reason is missing");
  shards.forget("n2");
  is_refused("transfer 1 n1", 1, "no node is known to lead shard 1 just now");
}

BOOST_AUTO_TEST_CASE(leaderships_of_any_node_are_given_away_and_taken_back) {
  const auto reply = ask("drain n2 because of a new disk");
  BOOST_TEST(reply.text == "done there\n", reply.message);
  BOOST_TEST(ask("undrain n1").code == 0);
  BOOST_TEST(order == (std::vector<std::string>{"os:nurse console.drain node n2 because of a new disk", "n2 drain ",
                                                "os:nurse console.undrain node n1 because ", "n1 undrain "}),
             boost::test_tools::per_element());
  is_refused("undrain", 2, "undrain takes the name of one node");
  is_refused("drain n2 n3", 2, "drain takes the name of one node");
  is_refused("drain n9", 1, "there is no node n9 in the cluster, only n1, n2, n3, n4");
  is_refused("drain n3", 1, "no link with node n3 just now: connection refused");
  is_refused("drain n4", 1, "has not joined yet");
}

BOOST_AUTO_TEST_CASE(a_look_is_had_at_another_node) {
  said = "its actors\n";
  const auto reply = ask("actors store 1 @n2");
  BOOST_TEST(reply.code == 0, reply.message);
  BOOST_TEST(reply.text == "its actors\n");
  BOOST_TEST(reply.cursor == "7");
  BOOST_TEST(order == std::vector<std::string>{R"(n2 ["actors","store","1"])"}, boost::test_tools::per_element());
  order.clear();
  BOOST_TEST(json::parse(ask("version @n1", true).text)["node"] == "n1"); // this one
  is_refused("drain @n2", 2, "names its node without @");
  is_refused("actors @n9", 1, "there is no node \"n9\"");
  is_refused("kill store 1 @n2", 2, "say it at the console of node n2");
  silent = true;
  BOOST_TEST(ask("actors @n2").message == "node n2: node n2 is not ready for that");
}

BOOST_AUTO_TEST_CASE(the_bridge_takes_what_only_looks) {
  const auto bridge = runtime::spawn_actor(system, env, console_bridge);
  put("console bridge", bridge);
  const auto across = [&](const std::string& question) {
    auto pending = self->request(bridge, std::chrono::seconds{3600}, ask_atom::value, std::string{"n2"},
                                 bytes_ptr{std::make_shared<const std::string>(question)});
    run();
    BOOST_REQUIRE(self->has_next_message());
    std::string result;
    pending.receive([&](const bytes_ptr& bytes) { result = *bytes; },
                    [&](caf::error& why) { result = runtime::error_text(why); });
    return result;
  };
  const auto answer = decode_bridge_answer(across(bridge_question({"version"}, true)));
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->code == 0);
  BOOST_TEST(json::parse(answer->text)["links_up"] == 1);
  for (const auto* word : {"kill", "drain", "transfer", "dead-letters", "watch", "frobnicate"})
    BOOST_TEST(across(bridge_question({word, "n2"}, false)).find("not one to be taken") != std::string::npos, word);
  for (const auto& question : {std::string{"x"}, std::string{"{}"}, bridge_question({}, false), std::string{R"({"words":[1]})"},
                               bridge_question({"version", "@n2"}, false)})
    BOOST_TEST(across(question).find("cannot be read") != std::string::npos, question);
  BOOST_TEST(order.empty());
  for (const auto* bad : {"", "{}", R"({"code":"0","text":"","message":"","cursor":""})", R"({"code":0,"text":""})"})
    BOOST_TEST(!decode_bridge_answer(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(a_node_that_is_alone_says_so) {
  console_ports ports;
  ports.shards = 2;
  put("console", runtime::spawn_actor(system, env, admin_console, ports));
  for (const auto* line : {"nodes", "links", "transfer 1 n2", "undrain n2", "actors @n2"})
    is_refused(line, 1, "this node is alone");
  is_refused("drain n2", 2, "this node is alone");
  BOOST_TEST(json::parse(ask("version", true).text)["uptime_ms"].is_null());
}

BOOST_AUTO_TEST_SUITE_END()
