// The link between replicas, router and the network: what is gathered, what is dropped, what is measured.
#include "cluster/peer_clock.hpp"
#include "cluster/peer_link.hpp"
#include "tests/unit/actors/actor_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::cluster;
using namespace epione::messages;
using namespace std::chrono_literals;

namespace {

constexpr envelope_limits no_limits{1u << 30, 1u << 20, 1u << 20, 1u << 20};
constexpr std::size_t window = 100'000;

class recorded_transport final : public peer_transport {
public:
  void start(peer_events&) override {}
  void stop() override {}
  void keep(const peer_address&) override {}
  void forget(const std::string&) override {}
  void reconnect(const std::string& node) override { anew.push_back(node); }
  bool send(const std::string& node, std::shared_ptr<const std::string> envelope) override {
    BOOST_TEST(node == "b");
    if (takes)
      sent.push_back(std::move(envelope));
    return takes;
  }
  bool takes = true;
  std::vector<std::string> anew;
  std::vector<std::shared_ptr<const std::string>> sent;
};

/// Somebody a link delivers to.
struct taken {
  std::vector<std::pair<std::string, std::vector<raft_message>>> raft;
  std::vector<std::string> parcels;
};

struct taker_state {
  taker_state() = default;
  static inline const char* name = "taker";
};

raft_receiver::behavior_type replica_like(raft_receiver::stateful_pointer<taker_state>, taken* out) {
  return {[out](receive_atom, const raft_messages_ptr& messages, const std::string& node) {
    out->raft.emplace_back(node, *messages);
  }};
}

parcel_receiver::behavior_type router_like(parcel_receiver::stateful_pointer<taker_state>, taken* out) {
  return {[out](receive_atom, const std::string& node, parcel_kind kind, std::uint64_t to, const bytes_ptr& bytes) {
    out->parcels.push_back(node + " " + std::to_string(static_cast<int>(kind)) + " " + std::to_string(to) + " " + *bytes);
  }};
}

struct link_fixture : actors::test::actor_fixture {
  link_fixture() : identity("a", "0.1.0", 5) {
    start();
    router = system.spawn(router_like, &got);
    replica = system.spawn(replica_like, &got);
    env.directory->put("router", caf::actor_cast<caf::strong_actor_ptr>(router));
    env.directory->put("replica 3", caf::actor_cast<caf::strong_actor_ptr>(replica));
    run();
  }
  ~link_fixture() {
    for (const auto& x :
         {caf::actor_cast<caf::actor>(link), caf::actor_cast<caf::actor>(router), caf::actor_cast<caf::actor>(replica)})
      self->send_exit(x, caf::exit_reason::kill);
    run();
  }
  void start() {
    peer_link_options o;
    o.node = "b";
    o.window_bytes = window;
    link = runtime::spawn_actor(system, env, cluster::peer_link, o, std::ref<peer_transport>(transport), std::cref(identity),
                                std::ref(view));
    env.directory->put(peer_link_name("b"), caf::actor_cast<caf::strong_actor_ptr>(link));
    run();
  }
  void link_up(std::uint64_t server_id = 22) {
    peer_event_sender{env.directory}.linked("b", {"b", "192.0.2.2:1", "c", "0.1.1", 1, server_id, 77});
    run();
    transport.sent.clear();
    counted = 0;
  }
  /// All parcels sent since the last call, envelope by envelope.
  std::vector<std::vector<parcel>> sent() {
    std::vector<std::vector<parcel>> out;
    for (; counted < transport.sent.size(); ++counted) {
      auto read = decode_envelope(*transport.sent[counted], no_limits);
      BOOST_REQUIRE(read);
      out.push_back(std::move(*read));
    }
    return out;
  }
  void say(std::uint32_t group, std::vector<raft_message> messages) {
    caf::anon_send(link, raft_atom::value, group, std::make_shared<const std::vector<raft_message>>(std::move(messages)));
  }
  void say(parcel_kind kind, std::uint64_t to, std::string bytes) {
    caf::anon_send(link, send_atom::value, kind, to, std::make_shared<const std::string>(std::move(bytes)));
  }
  void hear(const std::vector<parcel>& parcels) {
    peer_event_sender{env.directory}.received("b", std::make_shared<const std::string>(encode_envelope(parcels)));
    run();
  }
  std::uint64_t dropped() const { return view.get("b")->dropped; }
  /// Until the link has written its entry of the view.
  void tick() { advance(1s); }

  recorded_transport transport;
  local_identity identity;
  peer_view view;
  taken got;
  peer_link_actor link;
  parcel_receiver router;
  raft_receiver replica;
  std::size_t counted = 0;
};

raft_message heartbeat(std::uint64_t peer = 22) {
  raft_message m;
  m.kind = message_kind::append_entries;
  m.peer = peer;
  m.term = 4;
  m.index = 10;
  m.index_term = 4;
  return m;
}

raft_message result() {
  auto m = heartbeat();
  m.kind = message_kind::append_entries_result;
  return m;
}

raft_message append(std::size_t entries, std::size_t bytes) {
  auto m = heartbeat();
  for (std::size_t i = 1; i <= entries; ++i)
    m.entries.push_back({m.index + i, 4 + i / 3, entry_type::command, std::make_shared<const std::string>(bytes, 'x')});
  return m;
}

std::shared_ptr<const std::string> text(std::string x) {
  return std::make_shared<const std::string>(std::move(x));
}

std::vector<raft_message> raft_of(const parcel& p) {
  BOOST_REQUIRE((p.kind == parcel_kind::raft));
  auto read = decode_raft(*p.bytes, no_limits);
  BOOST_REQUIRE(read);
  return std::move(*read);
}

const parcel* find(const std::vector<std::vector<parcel>>& envelopes, parcel_kind kind) {
  for (const auto& e : envelopes)
    for (const auto& p : e)
      if (p.kind == kind)
        return &p;
  return nullptr;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(peer_links, link_fixture)

BOOST_AUTO_TEST_CASE(heartbeats_of_all_groups_within_10_ms_share_an_envelope) {
  link_up();
  for (std::uint32_t group = 0; group < 17; ++group) {
    say(group, {heartbeat()});
    run();
    if (group == 8)
      advance(5ms);
  }
  BOOST_TEST(sent().empty());
  advance(5ms);
  const auto out = sent();
  BOOST_REQUIRE_EQUAL(out.size(), 1U);
  BOOST_REQUIRE_EQUAL(out[0].size(), 17U);
  for (std::uint32_t group = 0; group < 17; ++group) {
    BOOST_TEST(out[0][group].to == group);
    BOOST_TEST(raft_of(out[0][group]).size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(everything_else_leaves_at_the_end_of_the_turn_together) {
  link_up();
  say(1, {heartbeat()});
  say(1, {append(2, 10)});
  say(2, {result()});
  say(parcel_kind::request, 9, "question");
  run();
  const auto out = sent();
  BOOST_REQUIRE_EQUAL(out.size(), 1U);
  BOOST_REQUIRE_EQUAL(out[0].size(), 3U);
  const auto first = raft_of(out[0][0]);
  BOOST_REQUIRE_EQUAL(first.size(), 2U); // in their order
  BOOST_TEST(first[0].entries.empty());
  BOOST_TEST(first[1].entries.size() == 2U);
  BOOST_TEST((out[0][2].kind == parcel_kind::request && out[0][2].to == 9 && *out[0][2].bytes == "question"));
  advance(10ms); // the heartbeat went with the others
  BOOST_TEST(sent().empty());
}

BOOST_AUTO_TEST_CASE(a_long_append_is_cut_into_consecutive_ones) {
  link_up();
  const auto whole = append(5, 700'000);
  say(1, {whole});
  run();
  const auto out = sent();
  BOOST_REQUIRE_EQUAL(out.size(), 5U);
  std::uint64_t index = whole.index, term = whole.index_term;
  for (const auto& e : out) {
    const auto messages = raft_of(e.at(0));
    BOOST_REQUIRE_EQUAL(messages.size(), 1U);
    BOOST_TEST((messages[0].index == index && messages[0].index_term == term && messages[0].term == whole.term));
    index = messages[0].entries.back().index;
    term = messages[0].entries.back().term;
  }
  BOOST_TEST(index == whole.entries.back().index);
}

BOOST_AUTO_TEST_CASE(a_full_window_drops_entries_and_streams_but_no_votes) {
  link_up();
  say(1, {append(1, window - 5'000)});
  run();
  BOOST_TEST(sent().size() == 1U);
  say(1, {append(1, 10'000)});
  say(parcel_kind::request, 1, std::string(10'000, 'x'));
  say(parcel_kind::chunk, 1, "little");
  auto vote = heartbeat();
  vote.kind = message_kind::request_vote;
  say(1, {vote});
  run();
  const auto out = sent();
  BOOST_REQUIRE_EQUAL(out.size(), 1U);
  BOOST_REQUIRE_EQUAL(out[0].size(), 1U);
  BOOST_TEST((raft_of(out[0][0])[0].kind == message_kind::request_vote));
  tick();
  BOOST_TEST(dropped() == 3U);
}

BOOST_AUTO_TEST_CASE(what_is_acknowledged_makes_room) {
  link_up();
  say(1, {append(1, window)}); // larger than the window, alone
  run();
  BOOST_REQUIRE_EQUAL(sent().size(), 1U);
  const auto bytes = transport.sent.back()->size();
  say(1, {append(1, 10)});
  run();
  BOOST_TEST(sent().empty());
  // The link's first ping was sent before.
  hear({{parcel_kind::ack, bytes, text("")}});
  say(1, {append(1, 10)});
  run();
  BOOST_TEST(sent().size() == 1U);
}

BOOST_AUTO_TEST_CASE(without_a_link_everything_is_dropped_and_counted) {
  say(1, {heartbeat(), append(1, 10)});
  say(parcel_kind::cast, 1, "x");
  run();
  advance(20ms);
  BOOST_TEST(transport.sent.empty());
  BOOST_TEST(!view.linked("b"));
  link_up();
  BOOST_TEST(view.linked("b"));
  BOOST_TEST(dropped() == 3U);
}

BOOST_AUTO_TEST_CASE(what_the_transport_does_not_take_is_counted) {
  link_up();
  transport.takes = false;
  say(1, {append(1, 10), append(1, 10)});
  say(parcel_kind::reply, 1, "x");
  run();
  transport.takes = true;
  tick();
  BOOST_TEST(dropped() == 3U);
  say(1, {append(1, window / 2)}); // nothing of it counts as sent
  run();
  BOOST_TEST(!sent().empty());
}

BOOST_AUTO_TEST_CASE(messages_come_to_the_replica_as_from_the_senders_server) {
  identity.set_membership("c", 11);
  link_up(22);
  const raft_message messages[]{heartbeat(11), append(2, 3), heartbeat(99)};
  auto two = append(2, 3);
  two.peer = 11;
  const raft_message mixed[]{heartbeat(11), two, heartbeat(99)};
  hear({{parcel_kind::raft, 3, text(encode_raft(mixed))}, {parcel_kind::raft, 4, text(encode_raft({messages, 1}))}});
  BOOST_REQUIRE_EQUAL(got.raft.size(), 1U); // there is no replica 4
  BOOST_TEST(got.raft[0].first == "b");
  BOOST_REQUIRE_EQUAL(got.raft[0].second.size(), 2U); // the last was to a predecessor under this name
  for (const auto& m : got.raft[0].second)
    BOOST_TEST(m.peer == 22U);
  BOOST_TEST(got.raft[0].second[1].entries.size() == 2U);
}

BOOST_AUTO_TEST_CASE(parcels_come_to_the_router_and_nothing_else_may_be_sent_as_one) {
  link_up();
  hear({{parcel_kind::request, 5, text("q")},
        {parcel_kind::reply, 6, text("r")},
        {parcel_kind::cast, 7, text("c")},
        {parcel_kind::chunk, 8, text("k")}});
  BOOST_TEST((got.parcels == std::vector<std::string>{"b 2 5 q", "b 3 6 r", "b 4 7 c", "b 8 8 k"}));
  say(parcel_kind::raft, 1, "x");
  say(parcel_kind::ack, 1, "x");
  run();
  BOOST_TEST(sent().empty());
}

BOOST_AUTO_TEST_CASE(a_ping_is_answered_at_once_with_our_time) {
  link_up();
  hear({{parcel_kind::ping, 0, text(encode(ping{123, 456}))}});
  const auto out = sent();
  const auto* p = find(out, parcel_kind::pong);
  BOOST_REQUIRE(p != nullptr);
  const auto answer = decode_pong(*p->bytes);
  BOOST_REQUIRE(answer);
  BOOST_TEST((answer->ping_mono_ns == 123 && answer->ping_wall_us == 456 && answer->wall_us == clock.wall_us()));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_off_is_reported_once_until_it_is_right) {
  link_up();
  const auto answer = [&](std::int64_t offset_us) {
    tick();
    const auto out = sent();
    const auto* p = find(out, parcel_kind::ping);
    BOOST_REQUIRE(p != nullptr);
    const auto asked = decode_ping(*p->bytes);
    BOOST_REQUIRE(asked);
    clock.now += 4'000'000; // 2 ms there, 2 ms back
    hear({{parcel_kind::pong, 0, text(encode(pong{asked->mono_ns, asked->wall_us, asked->wall_us + 2'000 + offset_us}))}});
  };
  answer(400'000);
  BOOST_TEST(view.get("b")->round_trip_ns.value() == 4'000'000);
  BOOST_TEST(view.get("b")->clock_offset_us.value() == 400'000);
  BOOST_TEST(log.count("the clocks of two nodes differ") == 0U);
  for (int i = 0; i < 12; ++i)
    answer(-700'000);
  BOOST_TEST(log.count("the clocks of two nodes differ, offset=-700 ms, limit=500 ms") == 1U);
  BOOST_TEST(metrics.text().find("epione_clock_alarm{peer=\"b\"} 1") != std::string::npos);
  for (int i = 0; i < 12; ++i)
    answer(100'000);
  BOOST_TEST(log.count("the clocks of two nodes agree again") == 1U);
  BOOST_TEST(metrics.text().find("epione_clock_alarm{peer=\"b\"} 0") != std::string::npos);
  for (int i = 0; i < 12; ++i)
    answer(501'000);
  BOOST_TEST(log.count("the clocks of two nodes differ") == 2U);
  BOOST_TEST(metrics.text().find("epione_clock_offset_seconds{peer=\"b\"} 0.501") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_answer_that_waited_on_one_way_does_not_move_the_clock) {
  peer_clock c{8};
  BOOST_TEST(c.take({0, 0, 1'000}, 2'000'000));     // 2 ms, clocks equal
  BOOST_TEST(c.take({0, 0, 1'000}, 2'000'000'000)); // the answer waited for 2 s: would be 999 ms behind
  BOOST_TEST(c.offset_us().value() == 0);
  BOOST_TEST(c.round_trip_ns().value() == 2'000'000'000);
  BOOST_TEST(!c.take({5, 0, 0}, 4));                 // from the future
  BOOST_TEST(!c.take({0, 0, 0}, 61'000'000'000));    // a minute old
  BOOST_TEST(!c.take({0, INT64_MIN, INT64_MAX}, 1)); // no such time
  BOOST_TEST(!c.take({INT64_MIN, 0, 0}, INT64_MAX));
}

BOOST_AUTO_TEST_CASE(what_was_received_is_acknowledged_at_a_quarter_of_the_window_and_with_the_next_ping) {
  link_up();
  hear({{parcel_kind::cast, 1, text("x")}});
  BOOST_TEST(sent().empty());
  hear({{parcel_kind::cast, 1, text(std::string(window / 4, 'x'))}});
  auto out = sent();
  const auto* p = find(out, parcel_kind::ack);
  BOOST_REQUIRE(p != nullptr);
  BOOST_TEST(p->to > window / 4);
  const auto before = p->to;
  hear({{parcel_kind::cast, 1, text("x")}});
  BOOST_TEST(sent().empty());
  tick();
  out = sent();
  p = find(out, parcel_kind::ack);
  BOOST_REQUIRE(p != nullptr);
  BOOST_TEST(p->to > before);
}

BOOST_AUTO_TEST_CASE(an_envelope_that_cannot_be_read_makes_the_link_anew) {
  for (const auto& bad : {std::string{"EPE"}, encode_envelope(std::vector<parcel>{{parcel_kind::raft, 3, text("no messages")}}),
                          encode_envelope(std::vector<parcel>{{parcel_kind::ack, 1u << 30, text("")}}),
                          encode_envelope(std::vector<parcel>{{parcel_kind::ping, 0, text("")}})}) {
    link_up();
    transport.anew.clear();
    peer_event_sender{env.directory}.received("b", text(bad));
    run();
    BOOST_TEST((transport.anew == std::vector<std::string>{"b"}));
    BOOST_TEST(!view.linked("b"));
    hear({{parcel_kind::cast, 1, text("of the old link")}}); // what was on its way is overlooked
    BOOST_TEST(got.parcels.empty());
    say(1, {append(1, 10)});
    run();
    BOOST_TEST(sent().empty());
  }
  BOOST_TEST(log.count("an envelope cannot be read; the link is made anew") == 4U);
}

BOOST_AUTO_TEST_CASE(a_lost_link_forgets_what_was_on_its_way) {
  link_up();
  say(1, {append(1, window)});
  say(1, {heartbeat()});
  run();
  peer_event_sender{env.directory}.unlinked("b", "the cable was cut");
  run();
  BOOST_TEST(view.get("b")->why == "the cable was cut");
  BOOST_TEST(log.count("not linked any more, why=the cable was cut") == 1U);
  link_up();
  say(1, {append(1, window)});
  run();
  BOOST_TEST(sent().size() == 1U);
  BOOST_TEST(view.get("b")->in_flight_bytes < window);
}

BOOST_AUTO_TEST_CASE(a_link_that_starts_again_asks_for_a_new_one) {
  link_up();
  BOOST_TEST((transport.anew == std::vector<std::string>{"b"})); // its first start
  self->send_exit(caf::actor_cast<caf::actor>(link), caf::exit_reason::kill);
  run();
  BOOST_TEST(!view.linked("b"));
  start();
  BOOST_TEST(transport.anew.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_console_is_told_how_the_link_is) {
  link_up();
  status_report_ptr report;
  auto asked = self->request(link, 1s, status_atom::value);
  run();
  asked.receive([&](const status_report_ptr& r) { report = r; }, [](const caf::error&) {});
  BOOST_REQUIRE(report != nullptr);
  BOOST_TEST(report->name == "peer b");
  BOOST_TEST(report->state == "linked");
}

BOOST_AUTO_TEST_SUITE_END()
