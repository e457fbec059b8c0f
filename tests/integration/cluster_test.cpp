// Three nodes as one system, in one thread: what is acknowledged survives any one of them, and any of them answers for any
// patient.
#include "domain/compiled_study.hpp"
#include "node/cluster_answers.hpp"
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_cluster.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <sstream>

using namespace epione;
using namespace epione::tests;

namespace {

struct three_nodes {
  scratch_disk disk;
  test_cluster cluster{disk.disk(), 3};

  void form() {
    const bool formed = cluster.form();
    BOOST_REQUIRE_MESSAGE(formed, why());
  }
  test_cluster::member& other_than(const test_cluster::member& m, std::size_t which) {
    std::vector<test_cluster::member*> others;
    for (auto& x : cluster.members)
      if (x.get() != &m)
        others.push_back(x.get());
    return *others.at(which);
  }
  void wipe(test_cluster::member& m) {
    for (const auto& file : disk.disk().files())
      if (file.rfind(m.directory + "/", 0) == 0)
        disk.disk().remove(file);
    m.server_id = 0;
  }
  std::string why() {
    std::string text = cluster.why_not;
    for (auto& m : cluster.members) {
      if (!m->runs())
        continue;
      text += "\n" + m->name + ": " + m->node->why_not();
      for (std::uint32_t g = 0; g <= test_node::small_config().shards.count; ++g)
        if (const auto v = m->parts->shards.get(g)) {
          text += "\n  group " + std::to_string(g) + " " + v->role + " term " + std::to_string(v->term) + " leader " + v->leader +
                  " commit " + std::to_string(v->commit) + " applied " + std::to_string(v->applied) +
                  (v->serving ? " serving" : "");
          for (const auto& x : v->members)
            text += " [" + x.node + " " + x.role + " " + std::to_string(x.match) + "]";
        }
    }
    return text;
  }
};

std::uint32_t shard_of(const std::string& patient) {
  return domain::shard_of(domain::subject_hash("demo", patient), test_node::small_config().shards.count);
}

std::string receipt_of(int patient) {
  return domain::to_text(domain::make_receipt("demo", std::to_string(patient), "key"));
}

/// A console on each node; it ends before they do.
struct consoles {
  explicit consoles(test_cluster& c) : cluster(c) {
    for (auto& m : cluster.members)
      beside.push_back(m->node->tree->start_console(nullptr));
    cluster.run(100);
  }
  ~consoles() {
    for (const auto& x : beside)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(x), caf::exit_reason::kill);
    cluster.run(100);
  }
  messages::console_reply ask(test_cluster::member& m, const std::string& line, bool as_json = false) {
    auto request = std::make_shared<messages::console_request>();
    std::istringstream in{line};
    for (std::string word; in >> word;)
      request->words.push_back(word);
    request->json = as_json;
    request->who = "os:nurse";
    messages::console_reply reply;
    caf::scoped_actor self{m.node->system(), true};
    auto pending = self->request(m.node->tree->console(), std::chrono::seconds{3600}, messages::console_atom::value,
                                 messages::console_request_ptr{request});
    BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return self->has_next_message(); }, 60'000), line << " is not answered");
    pending.receive([&](const messages::console_reply_ptr& x) { reply = *x; },
                    [&](caf::error& why) { BOOST_FAIL(line << ": " << runtime::error_text(why)); });
    return reply;
  }
  test_cluster& cluster;
  std::vector<caf::strong_actor_ptr> beside;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster, three_nodes)

BOOST_AUTO_TEST_CASE(a_node_that_is_alone_grows_to_three_and_any_of_them_answers_for_any_patient) {
  form();
  for (int patient = 1; patient <= 6; ++patient) {
    auto& through = cluster.at(static_cast<std::size_t>(patient % 3 + 1));
    BOOST_TEST(cluster.send(through, std::to_string(patient), test_node::phq9(), "key") == 202);
  }
  for (auto& m : cluster.members)
    for (int patient = 1; patient <= 6; ++patient)
      BOOST_TEST(cluster.receipts(*m, std::to_string(patient)) == std::vector<std::string>{receipt_of(patient)},
                 boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_form_is_shown_by_the_node_that_was_asked_as_soon_as_it_is_answered) {
  form();
  auto* leader = cluster.leader(0);
  BOOST_REQUIRE(leader != nullptr);
  auto& asked = other_than(*leader, 0);
  const auto studies = [&] { return asked.node->tree->catalog_view().get()->studies; };
  const auto known = [&] { return studies().at("demo")->compiled().find_form("steps") != nullptr; };
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return studies().contains("demo"); }, 30'000), why());
  messages::fhir_request r;
  r.method = messages::fhir_request::verb::post;
  r.path = "/Questionnaire";
  r.base = "http://localhost:8080/fhir";
  r.content_type = "application/fhir+json";
  r.body = R"({"resourceType":"Questionnaire","url":"urn:a:steps","version":"1","status":"active","language":"en",)"
           R"("item":[{"linkId":"s","type":"integer","text":"How many?"}]})";
  BOOST_TEST(!known());
  const auto& answers = asked.node->sink.answers;
  const auto t = asked.node->fhir(r);
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return answers.count(t) != 0; }, 30'000), why());
  BOOST_TEST(answers.at(t).status == 201, answers.at(t).body);
  BOOST_TEST(known());
  // A refusal of the leader's comes with its sentence and nothing before it.
  r.body.replace(r.body.find("How many?"), 9, "How far?!");
  const auto other = asked.node->fhir(r);
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return answers.count(other) != 0; }, 30'000), why());
  BOOST_TEST(answers.at(other).status == 409, answers.at(other).body);
  BOOST_TEST(answers.at(other).body.find("\"version: version") != std::string::npos, answers.at(other).body);
}

BOOST_AUTO_TEST_CASE(a_directory_that_had_no_name_before_grows_to_three) {
  {
    test_node alone{disk.disk(), "/n1"};
    BOOST_REQUIRE(alone.start_with_demo());
    BOOST_TEST(alone.send("7", test_node::phq9(), "key") == 202);
    BOOST_REQUIRE(alone.stop());
  }
  form();
  for (auto& m : cluster.members) {
    BOOST_TEST(cluster.send(*m, "7", test_node::phq9(), "key") == 200);
    BOOST_TEST(cluster.receipts(*m, "7") == std::vector<std::string>{receipt_of(7)}, boost::test_tools::per_element());
  }
  // Who leads is known by that name to those who come back and have heard of nobody.
  auto& back = cluster.at(3);
  cluster.crash(back);
  cluster.crash(cluster.at(2));
  cluster.start(cluster.at(2));
  cluster.start(back);
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return cluster.all_ready(); }, 60'000), why());
  BOOST_TEST(cluster.send(back, "8", test_node::phq9(), "key") == 202);
}

BOOST_AUTO_TEST_CASE(what_is_acknowledged_survives_the_leader_and_a_repeat_gets_its_first_receipt) {
  form();
  BOOST_TEST(cluster.send(cluster.at(1), "7", test_node::phq9(), "k1") == 202);
  const auto shard = domain::shard_of(domain::subject_hash("demo", "7"), test_node::small_config().shards.count);
  auto* first = cluster.leader(shard);
  BOOST_REQUIRE(first != nullptr);
  cluster.crash(*first);
  auto& other = first == &cluster.at(1) ? cluster.at(2) : cluster.at(1);
  BOOST_TEST(cluster.send(other, "7", test_node::phq9(), "k2") == 202);
  BOOST_TEST(cluster.send(other, "7", test_node::phq9(), "k1") == 200);
  BOOST_TEST(cluster.receipts(other, "7").size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_leader_that_is_cut_off_shows_nothing_that_may_be_old) {
  form();
  BOOST_REQUIRE(cluster.send(cluster.at(1), "7", test_node::phq9(), "k1") == 202);
  auto* old = cluster.leader(shard_of("7"));
  BOOST_REQUIRE(old != nullptr);
  auto& one = other_than(*old, 0);
  auto& two = other_than(*old, 1);
  cluster.network.cut(old->name, one.name);
  cluster.network.cut(old->name, two.name);
  BOOST_TEST(cluster.send(one, "7", test_node::phq9(), "k2") == 202);
  const auto t = old->node->get("7");
  cluster.run_until([&] { return old->node->sink.answers.count(t) != 0; }, 12'000);
  BOOST_REQUIRE(old->node->sink.answers.count(t) == 1u);
  BOOST_TEST(old->node->sink.answers.at(t).status == 503);
  cluster.network.heal(old->name, one.name);
  cluster.network.heal(old->name, two.name);
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return cluster.whole(); }, 60'000), why());
  BOOST_TEST(cluster.receipts(*old, "7").size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_frozen_leader_that_goes_on_neither_answers_nor_loses_anything) {
  form();
  auto* old = cluster.leader(shard_of("7"));
  BOOST_REQUIRE(old != nullptr);
  auto& one = other_than(*old, 0);
  const auto before = old->node->post("7", test_node::phq9(), "k1");
  old->paused = true;
  cluster.run(3'000);
  const auto stored = cluster.send_until_stored(one, "7", test_node::phq9(), "k2");
  BOOST_TEST((stored == 202 || stored == 200), stored);
  old->paused = false;
  cluster.run_until([&] { return old->node->sink.answers.count(before) != 0; }, 15'000);
  BOOST_REQUIRE(old->node->sink.answers.count(before) == 1u);
  const auto status = old->node->sink.answers.at(before).status;
  BOOST_TEST((status == 202 || status == 503));
  const auto again = cluster.send(one, "7", test_node::phq9(), "k1");
  BOOST_TEST((again == 200 || (again == 202 && status == 503)));
  BOOST_TEST(cluster.receipts(one, "7").size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_empty_directory_under_a_known_name_is_refused_until_the_node_is_replaced) {
  form();
  for (int patient = 1; patient <= 4; ++patient)
    BOOST_REQUIRE(cluster.send(cluster.at(1), std::to_string(patient), test_node::phq9(), "key") == 202);
  auto& lost = cluster.at(3);
  cluster.crash(lost);
  wipe(lost);
  cluster.start(lost);
  BOOST_TEST(!cluster.join(lost));
  BOOST_TEST(cluster.why_not.find("epione cluster replace n3") != std::string::npos, cluster.why_not);
  BOOST_TEST(cluster.change_nodes(cluster.at(1), "replace", "n3") == "");
  const bool joined = cluster.join(lost, 60'000); // asks while its old replicas are still being taken away
  BOOST_REQUIRE_MESSAGE(joined, why());
  BOOST_TEST(lost.server_id == 4u);
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return cluster.whole(); }, 120'000), why());
  for (int patient = 1; patient <= 4; ++patient)
    BOOST_TEST(cluster.receipts(lost, std::to_string(patient)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_node_that_runs_is_not_replaced_and_what_was_said_twice_is_done_once) {
  form();
  auto &asked = cluster.at(1), &lost = cluster.at(3);
  const auto refused = [&](const std::string& as) {
    const auto why = cluster.change_nodes(asked, "replace", "n3");
    BOOST_TEST(why.find("node n3 is not replaced: ") == 0U, why);
    BOOST_TEST(why.find(as) != std::string::npos, why);
    BOOST_TEST(why.find("stop that process") != std::string::npos, why);
  };
  refused("as server 3");
  cluster.crash(lost);
  wipe(lost);
  cluster.run(1'000);
  BOOST_TEST(cluster.change_nodes(asked, "replace", "n3") == "");
  BOOST_TEST(cluster.change_nodes(asked, "replace", "n3") == "");
  cluster.start(lost);
  const bool joined = cluster.join(lost, 60'000);
  BOOST_REQUIRE_MESSAGE(joined, why());
  BOOST_TEST(lost.server_id == 4U);
  refused("as server 4"); // it has its place, and has not begun
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return cluster.whole(); }, 120'000), why());
  refused("as server 4");
  cluster.run(2'000);
  const auto phase_of = [&] { return asked.parts->nodes.get()->find("n3")->phase; };
  BOOST_TEST((phase_of() == domain::node_phase::member));
  BOOST_TEST(asked.parts->nodes.get()->find("n3")->server_id == 4U);
  // An operator may know better.
  BOOST_TEST(cluster.change_nodes(asked, "replace", "n3", std::string{messages::replace_anyway}) == "");
  BOOST_TEST(cluster.run_until([&] { return phase_of() != domain::node_phase::member; }, 10'000));
}

BOOST_AUTO_TEST_CASE(a_node_that_missed_what_the_others_have_cut_takes_over_a_copy_of_their_stores) {
  form();
  auto& late = cluster.at(3);
  cluster.crash(late);
  for (int patient = 1; patient <= 8; ++patient)
    BOOST_REQUIRE(cluster.send(cluster.at(1), std::to_string(patient), test_node::phq9(), "key") == 202);
  // Each writes its stores down and starts again: what is before lies in no log any more.
  for (const auto number : {1u, 2u}) {
    auto& m = cluster.at(number);
    BOOST_REQUIRE(cluster.stop(m));
    cluster.start(m);
    BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return m.node->ready(); }, 60'000), why());
  }
  for (int patient = 9; patient <= 12; ++patient)
    BOOST_REQUIRE(cluster.send(cluster.at(2), std::to_string(patient), test_node::phq9(), "key") == 202);
  cluster.start(late);
  const auto received = [&] {
    return late.node->metrics.counter("epione_snapshot_received_bytes_total", "Bytes of stores' files fetched from other nodes")
        .Value();
  };
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return received() > 0 && cluster.whole(); }, 120'000), why());
  cluster.run(5'000); // all groups
  cluster.crash(cluster.at(1));
  for (int patient = 1; patient <= 12; ++patient)
    BOOST_TEST(cluster.receipts(late, std::to_string(patient)).size() == 1u);
  BOOST_TEST(cluster.send(late, "13", test_node::phq9(), "key") == 202);
}

BOOST_AUTO_TEST_CASE(the_console_of_any_node_looks_at_the_others_and_moves_a_leadership) {
  form();
  consoles c{cluster};
  auto* leader = cluster.leader(1);
  BOOST_REQUIRE(leader != nullptr);
  auto &next = other_than(*leader, 0), &asked = other_than(*leader, 1);
  const auto nodes = json::parse(c.ask(asked, "nodes", true).text);
  BOOST_REQUIRE(nodes.size() == 3U);
  for (const auto& n : nodes) {
    BOOST_TEST(n["state"] == "member");
    BOOST_TEST(n["uptime_ms"].is_number(), n.dump());
    BOOST_TEST(n["links_up"] == 2, n.dump());
  }
  const auto actors = c.ask(asked, "actors @" + next.name);
  BOOST_TEST(actors.code == 0, actors.message);
  BOOST_TEST(actors.text.find("peer " + asked.name) != std::string::npos, actors.text);
  std::multiset<std::string> names;
  for (const auto& a : json::parse(c.ask(asked, "actors", true).text))
    names.insert(a["name"].get<std::string>());
  for (const auto& name : names)
    BOOST_TEST(names.count(name) == 1U, name << " is shown more than once");
  BOOST_TEST(names.contains("router"));
  const auto state_of_1 = [&](test_cluster::member& m) {
    return json::parse(c.ask(m, "shards", true).text)[1]["state"].get<std::string>();
  };
  BOOST_TEST(state_of_1(*leader) == "serving");
  BOOST_TEST(state_of_1(asked) == "following");
  const auto moved = c.ask(asked, "transfer 1 " + next.name + " because a test wants it");
  BOOST_TEST(moved.code == 0, moved.message);
  BOOST_TEST(moved.message == ""); // it is in the audit trail
  BOOST_TEST(cluster.run_until([&] { return cluster.leader(1) == &next; }, 10'000), why());
  BOOST_TEST(c.ask(asked, "drain " + next.name).code == 0);
  BOOST_TEST(cluster.run_until([&] { return next.parts->shards.led_here().empty(); }, 10'000), why());
  // What comes to it all the same, as by an election, does not stay.
  BOOST_REQUIRE(cluster.run_until([&] { return cluster.leader(1) != nullptr; }, 10'000));
  const auto back = c.ask(asked, "transfer 1 " + next.name);
  BOOST_TEST(back.code == 0, back.message);
  BOOST_TEST(cluster.run_until([&] { return cluster.leader(1) == &next; }, 10'000), why());
  BOOST_TEST(cluster.run_until([&] { return next.parts->shards.led_here().empty(); }, 10'000), why());
  BOOST_TEST(c.ask(asked, "undrain " + next.name).code == 0);
}

BOOST_AUTO_TEST_CASE(a_member_that_leaves_takes_nothing_along_and_may_join_anew) {
  form();
  for (int patient = 1; patient <= 12; ++patient)
    BOOST_TEST(cluster.send(cluster.at(1), std::to_string(patient), test_node::phq9(), "key") == 202);
  auto &stays = cluster.at(1), &leaver = cluster.at(3);
  {
    consoles c{cluster};
    BOOST_TEST(c.ask(stays, "transfer 0 n3").code == 0); // so that it has to see to its own leaving, and to hand that over
    BOOST_REQUIRE(cluster.run_until([&] { return stays.parts->shards.where(0).leader == "n3"; }, 10'000));
  }
  BOOST_REQUIRE_EQUAL(cluster.change_nodes(stays, "leave", "n3"), "");
  const auto forgotten = [&] {
    const auto nodes = stays.parts->nodes.get();
    return nodes != nullptr && nodes->find("n3") == nullptr;
  };
  BOOST_REQUIRE_MESSAGE(cluster.run_until(forgotten, 120'000), why());
  for (std::uint32_t g = 0; g <= test_node::small_config().shards.count; ++g) {
    const auto* leads = cluster.leader(g);
    BOOST_REQUIRE(leads != nullptr);
    BOOST_TEST(leads != &leaver);
    const auto view = leads->parts->shards.get(g);
    for (const auto& m : view->members)
      BOOST_TEST(m.node != "n3", "group " << g);
  }
  cluster.crash(leaver);
  for (int patient = 1; patient <= 12; ++patient)
    BOOST_TEST(cluster.receipts(stays, std::to_string(patient)).size() == 1U);
  BOOST_TEST(cluster.send(stays, "13", test_node::phq9(), "key") == 202);
  wipe(leaver);
  BOOST_REQUIRE_EQUAL(cluster.change_nodes(stays, "invite", "n3"), "");
  cluster.start(leaver);
  BOOST_REQUIRE_MESSAGE(cluster.join(leaver), cluster.why_not);
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return cluster.whole(); }, 120'000), why());
  for (int patient = 1; patient <= 13; ++patient)
    BOOST_TEST(cluster.receipts(leaver, std::to_string(patient)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_done_to_a_node_is_refused_before_anybody_is_asked) {
  form();
  auto* leader = cluster.leader(1);
  BOOST_REQUIRE(leader != nullptr);
  auto& m = other_than(*leader, 0);
  const auto shards = test_node::small_config().shards.count;
  BOOST_REQUIRE(cluster.run_until(
      [&] {
        const auto v = m.parts->shards.best(1);
        return v && v->led() && v->leader == leader->name;
      },
      10'000));
  // Whoever is asked would have to answer in the meantime, and nobody runs here unless he is let.
  const auto refused = [&](const std::string& command, const std::map<std::string, std::string>& arguments, int code,
                           const std::string& why) {
    const auto reply = node::answer_cluster({command, arguments}, "os:nurse", m.node->system(), *m.node->tree, *m.parts, shards);
    BOOST_TEST(reply.code == code, why << ": " << reply.code);
    BOOST_TEST(reply.message.find(why) != std::string::npos, reply.message);
  };
  refused("cluster-nodes", {{"verb", "invite"}, {"node", "N_4"}, {"peer", "h:1"}}, 2, "'N_4' cannot be a node's name");
  refused("cluster-nodes", {{"verb", "invite"}, {"node", "n4"}, {"peer", "h"}}, 2, "'h' is no address");
  refused("cluster-nodes", {{"verb", "drain"}, {"node", "n9"}}, 1, "there is no node n9");
  refused("cluster-transfer", {{"shard", "1"}, {"node", leader->name}}, 1, "leads shard 1 already");
  refused("cluster-transfer", {{"shard", "1"}, {"node", "n9"}}, 1, "node n9 has no replica");
  refused("cluster-transfer", {{"shard", "99"}, {"node", m.name}}, 2, "there is no shard 99");
}

BOOST_AUTO_TEST_CASE(the_status_shows_who_drains_and_misses_nothing_for_a_node_that_may_join) {
  form();
  auto& m = cluster.at(2);
  const auto status = [&](bool& whole) {
    return json::parse(node::cluster_status_json(*m.parts, test_node::small_config().shards.count, whole));
  };
  const auto draining = [&] {
    bool whole = false;
    std::string names;
    const auto shown = status(whole);
    for (const auto& n : shown["nodes"])
      if (n["draining"] == true)
        names += n["name"].get<std::string>();
    return names;
  };
  bool whole = false;
  BOOST_TEST(cluster.run_until([&] { return status(whole)["missing"].empty(); }, 30'000), status(whole).dump());
  BOOST_TEST(whole);
  BOOST_TEST(draining() == "");
  BOOST_TEST(cluster.change_nodes(cluster.at(1), "invite", "n4") == "");
  const auto state_of_n4 = [&] {
    const auto shown = status(whole);
    for (const auto& n : shown["nodes"])
      if (n["name"] == "n4")
        return n["state"].get<std::string>();
    return std::string{};
  };
  // It holds nothing, so nothing is missing.
  BOOST_TEST(cluster.run_until([&] { return state_of_n4() == "invited"; }, 10'000));
  BOOST_TEST(whole, status(whole).dump());
  BOOST_TEST(cluster.change_nodes(cluster.at(1), "leave", "n4") == "");
  consoles c{cluster};
  BOOST_TEST(c.ask(m, "drain n3").code == 0);
  BOOST_TEST(cluster.run_until([&] { return draining() == "n3"; }, 10'000));
}

BOOST_AUTO_TEST_CASE(leaderships_spread_over_the_nodes_and_move_back_after_a_restart) {
  form();
  const auto leads = [&](test_cluster::member& m) { return m.parts->shards.led_here().size(); };
  BOOST_REQUIRE_MESSAGE(cluster.run_until([&] { return leads(cluster.at(1)) == 1 && leads(cluster.at(2)) == 1; }, 60'000), why());
  auto& m = cluster.at(2);
  BOOST_REQUIRE(cluster.stop(m));
  cluster.start(m);
  BOOST_TEST(cluster.run_until([&] { return m.runs() && leads(m) == 1; }, 60'000), why());
}

BOOST_AUTO_TEST_CASE(a_fourth_node_gets_its_share_and_who_gave_it_goes_on_answering) {
  test_cluster four{disk.disk(), 4};
  BOOST_REQUIRE_MESSAGE(four.form(), four.why_not);
  for (int patient = 1; patient <= 6; ++patient)
    BOOST_TEST(four.send(four.at(1), std::to_string(patient), test_node::phq9(), "key") == 202);
  // Six replicas of two shards: two nodes have two, the others one.
  const auto is_shared = [&] {
    std::vector<std::size_t> replicas;
    for (auto& m : four.members)
      replicas.push_back(four.replicas_of(*m));
    std::sort(replicas.begin(), replicas.end());
    return replicas == std::vector<std::size_t>{1, 1, 2, 2};
  };
  BOOST_REQUIRE(four.run_until([&] { return is_shared() && four.whole(); }, 120'000));
  // One of the first three has given a replica away. It is told no more by those who have it, and is as good as before, also
  // after a start.
  const auto gave =
      std::find_if(four.members.begin(), four.members.end() - 1, [&](auto& m) { return four.replicas_of(*m) == 1; });
  BOOST_REQUIRE(gave != four.members.end() - 1);
  for (const bool again : {false, true}) {
    if (again) {
      BOOST_REQUIRE(four.stop(**gave));
      four.start(**gave);
      BOOST_REQUIRE(four.run_until([&] { return four.all_ready(); }, 60'000));
    }
    four.run(10'000);
    BOOST_TEST(four.all_ready(), (*gave)->node->why_not());
    for (auto& m : four.members)
      for (int patient = 1; patient <= 6; ++patient)
        BOOST_TEST(four.receipts(*m, std::to_string(patient)) == std::vector<std::string>{receipt_of(patient)},
                   boost::test_tools::per_element());
    BOOST_TEST(four.send(**gave, again ? "8" : "7", test_node::phq9(), "key") == 202);
  }
  BOOST_TEST(is_shared()); // and there it ends
}

BOOST_AUTO_TEST_CASE(a_change_that_was_decided_on_other_members_is_refused) {
  form();
  const auto is_settled = [&] {
    const auto* leader = cluster.leader(1);
    const auto view = leader == nullptr ? std::nullopt : leader->parts->shards.get(1);
    return view && !view->change_under_way;
  };
  BOOST_REQUIRE_MESSAGE(cluster.run_until(is_settled, 10'000), why());
  const auto id = other_than(*cluster.leader(1), 0).server_id;
  const auto why_refused =
      cluster.change_members(1, {messages::server_change::kind::remove, id, {}, "1 voter, 2 voter, 3 voter, 4 voter"});
  BOOST_TEST(why_refused.find("its members are 1 voter, 2 voter, 3 voter by now") != std::string::npos, why_refused);
  BOOST_TEST(cluster.whole(), why());
}

BOOST_AUTO_TEST_SUITE_END()
