// Links over loopback: who may link and who may not, and that both ends can tell why.
#include "tests/unit/peer/peer_fixture.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <fstream>

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::test;

namespace {

/// Two nodes of one cluster, linked: the smaller name dials.
struct pair_fixture {
  pair_fixture() : trust(dir / "ca") {
    a = std::make_unique<test_node>("a", trust.issue("a", dir / "a"));
    b = std::make_unique<test_node>("b", trust.issue("b", dir / "b"));
  }
  void link() {
    a->start();
    b->start();
    b->keep(*a);
    a->keep(*b);
    BOOST_REQUIRE_MESSAGE(a->events.book.wait({"linked b"}), a->log.book.all() << b->log.book.all());
    BOOST_REQUIRE(b->events.book.wait({"linked a"}));
  }
  /// Whether something that a says arrives at b, while the link is made anew perhaps.
  bool reaches(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (b->events.book.count({"received a " + text}) == 0 && std::chrono::steady_clock::now() < end) {
      a->transport->send("b", envelope(text));
      std::this_thread::yield();
    }
    return b->events.book.count({"received a " + text}) > 0;
  }
  scratch dir;
  authority trust;
  std::unique_ptr<test_node> a, b;
};

messages::hello hello_of(const std::string& node, std::uint64_t incarnation = 7) {
  return {peer_protocol_min, peer_protocol_max, node, "", "0.1.0", 0, incarnation};
}

/// Node "a", and "b" or whoever bears these files at the other end.
struct refusal_fixture {
  refusal_fixture() : trust(dir / "ca"), a("a", trust.issue("a", dir / "a")) { a.start(); }
  /// Node b with these files dials a... but a has the smaller name, so it is a that dials b.
  void meet(const tls_files& files, const std::string& name = "b") {
    b = std::make_unique<test_node>(name, files);
    b->start();
    b->keep(a);
    a.keep(*b);
  }
  scratch dir;
  authority trust;
  test_node a;
  std::unique_ptr<test_node> b;
};

} // namespace

BOOST_AUTO_TEST_SUITE(transports)

BOOST_FIXTURE_TEST_CASE(two_nodes_link_and_envelopes_arrive_in_order, pair_fixture) {
  b->identity.set_membership("c1", 42);
  link();
  BOOST_TEST(a->events.book.count({"linked b", "incarnation 1", "server 42", "protocol 1", "version 0.1.0"}) == 1U);
  for (int i = 0; i < 100; ++i)
    BOOST_TEST(a->transport->send("b", envelope("n" + std::to_string(i) + ".")));
  BOOST_TEST(b->transport->send("a", envelope("back")));
  expect(b->events.book, {"received a n99."});
  expect(a->events.book, {"received b back"});
  const auto all = b->events.book.all();
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    const auto next = all.find("n" + std::to_string(i) + ".");
    BOOST_REQUIRE(next != std::string::npos);
    BOOST_TEST(next > at);
    at = next;
  }
}

BOOST_FIXTURE_TEST_CASE(a_large_envelope_arrives_whole, pair_fixture) {
  link();
  BOOST_TEST(a->transport->send("b", envelope(std::string(20u << 20, 'x'))));
  expect(b->events.book, {"received a 20971520 bytes"});
}

BOOST_FIXTURE_TEST_CASE(without_a_link_nothing_is_taken, pair_fixture) {
  a->start();
  BOOST_TEST(!a->transport->send("b", envelope("x")));
}

BOOST_FIXTURE_TEST_CASE(a_node_that_stops_says_so_and_is_dialled_until_it_is_back, pair_fixture) {
  link();
  const auto port = b->port;
  b->transport->stop();
  expect(a->events.book, {"unlinked b", "node b stops"});
  b = std::make_unique<test_node>("b", tls_files{dir / "b/b.crt", dir / "b/b.key", dir / "b/authorities.crt"}, 2,
                                  [&](websocket_options& o) { o.port = port; });
  b->start();
  b->keep(*a);
  expect(a->events.book, {"linked b", "incarnation 2"});
}

BOOST_FIXTURE_TEST_CASE(a_node_that_cannot_be_reached_is_named_once_a_minute, pair_fixture) {
  a->start();
  a->transport->keep({"b", "127.0.0.1", 1}); // nobody listens there
  expect(a->log.book, {"a node cannot be reached", "127.0.0.1:1"});
  b->start();
  a->keep(*b);
  b->keep(*a);
  expect(a->events.book, {"linked b"});
  BOOST_TEST(a->log.book.count({"a node cannot be reached"}) == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_certificate_for_another_name_is_refused_on_both_sides, refusal_fixture) {
  meet(trust.issue("c", dir / "c"));
  BOOST_TEST(b->log.book.count({"other nodes will refuse", "is not for node b but for c"}) == 1U);
  expect(a.log.book, {"no link was made", "says it is node b, but its certificate is for c"});
  expect(b->log.book, {"no link was made", "the other side refuses", "certificate is for c"});
  BOOST_TEST(a.events.book.count({"linked"}) == 0U);
  BOOST_TEST(b->events.book.count({"linked"}) == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_certificate_that_has_ended_is_refused_on_both_sides, refusal_fixture) {
  meet(trust.issue("b", dir / "b", -20, 5));
  BOOST_TEST(b->log.book.count({"other nodes will refuse", "ended on"}) == 1U);
  expect(a.log.book, {"no link was made", "\"b\"", "its certificate (b) ended on", "epione cert issue"});
  expect(b->log.book, {"no link was made", "it refuses this node's certificate as ended"});
  BOOST_TEST(a.events.book.count({"linked"}) == 0U);
}

BOOST_FIXTURE_TEST_CASE(who_dials_with_an_ended_certificate_is_refused_on_both_sides, refusal_fixture) {
  test_node first{"0-first", trust.issue("0-first", dir / "first", -20, 5)};
  first.start();
  a.keep(first);
  first.keep(a);
  expect(a.log.book, {"no link was made", "its certificate (0-first) ended on"});
  expect(first.log.book, {"no link was made", "\"a\"", "it refuses this node's certificate as ended"});
}

BOOST_FIXTURE_TEST_CASE(a_foreign_authority_is_refused_on_both_sides, refusal_fixture) {
  authority foreign{dir / "foreign"};
  meet(foreign.issue("b", dir / "b"));
  expect(a.log.book, {"no link was made", "certificate (b) is not from an authority this node trusts"});
  expect(b->log.book, {"no link was made", "it does not trust the authority of this node's certificate"});
  BOOST_TEST(a.events.book.count({"linked"}) == 0U);
}

BOOST_FIXTURE_TEST_CASE(who_shows_no_certificate_is_refused_and_told_so, refusal_fixture) {
  boost::asio::io_context loop;
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream{loop, context};
  stream.next_layer().connect({boost::asio::ip::make_address("127.0.0.1"), a.port});
  boost::system::error_code e;
  stream.handshake(boost::asio::ssl::stream_base::client, e);
  char byte = 0;
  if (!e) // TLS 1.3: the answer to what was not shown comes with the first read
    boost::asio::read(stream, boost::asio::buffer(&byte, 1), e);
  BOOST_TEST(tls_error_text(static_cast<unsigned>(e.value())).find("wants a certificate from this node") != std::string::npos,
             e.message());
  expect(a.log.book, {"no link was made", "it shows no certificate"});
}

BOOST_FIXTURE_TEST_CASE(who_does_not_speak_tls_is_refused, refusal_fixture) {
  boost::asio::io_context loop;
  boost::asio::ip::tcp::socket socket{loop};
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), a.port});
  boost::asio::write(socket, boost::asio::buffer(std::string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n"}));
  expect(a.log.book, {"no link was made", "it does not speak TLS"});
}

BOOST_FIXTURE_TEST_CASE(versions_that_are_no_neighbours_refuse_each_other_by_number, refusal_fixture) {
  a.transport->keep({"b", "127.0.0.1", 1});
  auto hello = hello_of("b");
  hello.protocol_min = peer_protocol_max + 1;
  hello.protocol_max = peer_protocol_max + 2;
  hello.version = "9.0.0";
  scripted_peer b2{trust.issue("b", dir / "b"), a.port, hello};
  BOOST_TEST(b2.run_until([&] { return b2.is_ended; }));
  BOOST_TEST(b2.end.find("the other side refuses: versions: b (9.0.0) speaks protocol 2 to 3, a (0.1.0) protocol 1 to 1") !=
                 std::string::npos,
             b2.end);
  expect(a.log.book, {"no link was made", "b (9.0.0) speaks protocol 2 to 3", "step by step"});
}

BOOST_FIXTURE_TEST_CASE(a_neighbouring_version_is_spoken_to_in_what_both_know, refusal_fixture) {
  a.transport->keep({"b", "127.0.0.1", 1});
  auto hello = hello_of("b");
  hello.protocol_max = peer_protocol_max + 1;
  scripted_peer b2{trust.issue("b", dir / "b"), a.port, hello};
  BOOST_TEST(b2.run_until([&] { return b2.is_linked; }), b2.end);
  expect(a.events.book, {"linked b", "protocol " + std::to_string(peer_protocol_max)});
}

BOOST_FIXTURE_TEST_CASE(a_stranger_a_foreign_cluster_and_a_namesake_are_refused, refusal_fixture) {
  a.identity.set_membership("c1", 1);
  scripted_peer stranger{trust.issue("x", dir / "x"), a.port, hello_of("x")};
  BOOST_TEST(stranger.run_until([&] { return stranger.is_ended; }));
  BOOST_TEST(stranger.end.find("node x is not one of those a knows") != std::string::npos, stranger.end);
  a.transport->keep({"x", "127.0.0.1", 1});
  auto hello = hello_of("x");
  hello.cluster = "c2";
  scripted_peer foreign{trust.issue("x", dir / "x", 0, 10, true), a.port, hello};
  BOOST_TEST(foreign.run_until([&] { return foreign.is_ended; }));
  BOOST_TEST(foreign.end.find("node x is of cluster c2, a of c1") != std::string::npos, foreign.end);
  scripted_peer namesake{trust.issue("a", dir / "a2"), a.port, hello_of("a")};
  BOOST_TEST(namesake.run_until([&] { return namesake.is_ended; }));
  BOOST_TEST(namesake.end.find("has the name of the node it talks to") != std::string::npos, namesake.end);
  BOOST_TEST(a.events.book.count({"linked"}) == 0U);
}

BOOST_FIXTURE_TEST_CASE(the_directory_of_a_node_that_was_replaced_is_refused_and_its_successor_is_not, refusal_fixture) {
  const auto files = trust.issue("b", dir / "b");
  const auto at = [](std::uint64_t server_id, std::uint64_t ids_given) {
    peer_address x{"b", "127.0.0.1", 1};
    x.server_id = server_id;
    x.ids_given = ids_given;
    return x;
  };
  const auto with = [](std::uint64_t server_id) {
    auto hello = hello_of("b", server_id + 1);
    hello.server_id = server_id;
    return hello;
  };
  a.transport->keep(at(3, 4));
  scripted_peer member{files, a.port, with(3)};
  BOOST_TEST(member.run_until([&] { return member.is_linked; }), member.end);
  expect(a.events.book, {"linked b"});
  a.transport->keep(at(0, 4)); // replaced, while it runs
  BOOST_TEST(member.run_until([&] { return member.is_ended; }));
  expect(a.events.book, {"unlinked b", "node b was replaced"});
  scripted_peer again{files, a.port, with(3)};
  BOOST_TEST(again.run_until([&] { return again.is_ended; }));
  BOOST_TEST(again.end.find("move this directory, of server 3, away and start with an empty one") != std::string::npos,
             again.end);
  expect(a.log.book, {"no link was made", "node b was replaced"});
  scripted_peer empty{files, a.port, with(0)};
  BOOST_TEST(empty.run_until([&] { return empty.is_linked; }), empty.end);
  scripted_peer successor{files, a.port, with(4)}; // its id was given a moment ago, and a has not read of it yet
  BOOST_TEST(successor.run_until([&] { return successor.is_linked; }), successor.end);
}

BOOST_FIXTURE_TEST_CASE(another_node_at_the_address_is_refused, refusal_fixture) {
  b = std::make_unique<test_node>("c", trust.issue("c", dir / "c"));
  b->start();
  b->keep(a);
  a.transport->keep({"b", "127.0.0.1", b->port});
  expect(a.log.book, {"no link was made", "\"b\"", "node c answers at the address of b; correct the cluster file"});
  expect(b->log.book, {"no link was made", "the other side refuses: node c answers"});
}

BOOST_FIXTURE_TEST_CASE(a_newer_incarnation_takes_the_place_of_the_older_link, refusal_fixture) {
  a.transport->keep({"b", "127.0.0.1", 1});
  const auto files = trust.issue("b", dir / "b");
  scripted_peer older{files, a.port, hello_of("b", 1)};
  BOOST_TEST(older.run_until([&] { return older.is_linked; }), older.end);
  expect(a.events.book, {"linked b", "incarnation 1"});
  scripted_peer newer{files, a.port, hello_of("b", 2)};
  BOOST_TEST(newer.run_until([&] { return newer.is_linked; }), newer.end);
  expect(a.events.book, {"unlinked b the node was started again"});
  expect(a.events.book, {"linked b", "incarnation 2"});
  BOOST_TEST(older.run_until([&] { return older.is_ended; }));
  BOOST_TEST(a.transport->send("b", envelope("to the newer one")));
  BOOST_TEST(newer.run_until([&] { return !newer.got.empty(); }));
  BOOST_TEST(older.got.empty());
  const auto all = a.events.book.all();
  BOOST_TEST(all.find("unlinked b") < all.find("incarnation 2"));
}

BOOST_FIXTURE_TEST_CASE(what_waits_for_the_network_has_a_limit, refusal_fixture) {
  a.transport->keep({"b", "127.0.0.1", 1});
  scripted_peer silent{trust.issue("b", dir / "b"), a.port, hello_of("b")};
  BOOST_TEST(silent.run_until([&] { return silent.is_linked; }), silent.end);
  expect(a.events.book, {"linked b"});
  // It reads nothing from here on: sockets take a few of these, the queue 24 MiB.
  const auto piece = envelope(std::string(4u << 20, 'x'));
  int taken = 0;
  while (taken < 100 && a.transport->send("b", piece))
    ++taken;
  BOOST_TEST(taken >= 5);
  BOOST_TEST(taken < 100);
}

BOOST_AUTO_TEST_CASE(who_is_silent_is_noticed) {
  const scratch dir;
  authority trust{dir / "ca"};
  test_node a{"a", trust.issue("a", dir / "a"), 1, [](websocket_options& o) { o.idle_limit_ms = 200; }};
  a.start();
  a.transport->keep({"b", "127.0.0.1", 1});
  scripted_peer b{trust.issue("b", dir / "b"), a.port, hello_of("b")};
  BOOST_TEST(b.run_until([&] { return b.is_linked; }), b.end);
  expect(a.events.book, {"unlinked b nothing was heard from it for 200 ms"});
}

BOOST_AUTO_TEST_CASE(an_envelope_beyond_the_limit_ends_the_link) {
  const scratch dir;
  authority trust{dir / "ca"};
  test_node a{"a", trust.issue("a", dir / "a"), 1, [](websocket_options& o) { o.envelope_bytes_max = 1'000; }};
  a.start();
  a.transport->keep({"b", "127.0.0.1", 1});
  scripted_peer b{trust.issue("b", dir / "b"), a.port, hello_of("b")};
  BOOST_TEST(b.run_until([&] { return b.is_linked; }), b.end);
  BOOST_TEST(b.session->offer(envelope(std::string(1'000, 'x'))));
  BOOST_TEST(b.session->offer(envelope(std::string(1'001, 'x'))));
  BOOST_TEST(b.run_until([&] { return b.is_ended; }));
  expect(a.events.book, {"unlinked b"});
  BOOST_TEST(a.events.book.count({"received b 1000 bytes"}) == 1U);
  BOOST_TEST(a.events.book.count({"received b 1001 bytes"}) == 0U);
}

BOOST_AUTO_TEST_CASE(connections_that_say_nothing_are_limited_and_end) {
  const scratch dir;
  authority trust{dir / "ca"};
  test_node a{"a", trust.issue("a", dir / "a"), 1, [](websocket_options& o) {
                o.handshakes_max = 2;
                o.handshake_limit_ms = 300;
              }};
  a.start();
  boost::asio::io_context loop;
  const boost::asio::ip::tcp::endpoint to{boost::asio::ip::make_address("127.0.0.1"), a.port};
  std::vector<boost::asio::ip::tcp::socket> silent;
  for (int i = 0; i < 3; ++i)
    silent.emplace_back(loop).connect(to);
  expect(a.log.book, {"too many links are being made at once", "\"limit\":2"});
  for (auto& s : silent) {
    char byte = 0;
    boost::system::error_code e;
    boost::asio::read(s, boost::asio::buffer(&byte, 1), e); // ends with the limit
    BOOST_TEST(e.failed());
  }
  expect(a.log.book, {"no link was made", "within 300 ms"});
}

BOOST_FIXTURE_TEST_CASE(a_node_that_was_forgotten_has_no_link_any_more, pair_fixture) {
  link();
  a->transport->forget("b");
  expect(a->events.book, {"unlinked b"});
  expect(b->events.book, {"unlinked a", "left the cluster"});
  BOOST_TEST(!a->transport->send("b", envelope("x")));
}

BOOST_FIXTURE_TEST_CASE(a_link_that_is_made_anew_says_what_has_changed, pair_fixture) {
  link();
  b->identity.set_membership("c9", 9);
  b->transport->reconnect("a");
  expect(a->events.book, {"linked b", "server 9"});
  a->identity.set_membership("c9", 8);
  a->transport->reconnect({});
  expect(b->events.book, {"linked a", "server 8"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rotation)

BOOST_FIXTURE_TEST_CASE(exchanged_certificates_are_taken_without_a_restart, pair_fixture) {
  link();
  trust.issue("b", dir / "b", 0, 9, true);
  expect(b->log.book, {"took new certificates"});
  expect(a->events.book, {"unlinked b", "the certificates of b were exchanged"});
  expect(a->events.book, {"linked b"}, 3); // "unlinked b" has it too
}

BOOST_FIXTURE_TEST_CASE(a_bad_file_changes_nothing_and_is_reported, pair_fixture) {
  link();
  std::ofstream{dir / "b/b.crt"} << "not a certificate\n";
  expect(b->log.book, {"the certificates cannot be used; the ones before stay", "holds no certificate"});
  std::filesystem::remove(dir / "b/b.key");
  expect(b->log.book, {"the certificates cannot be used", "cannot read"});
  b->transport->reconnect({});
  expect(a->events.book, {"unlinked b", "made anew"});
  expect(a->events.book, {"linked b"}, 3);
}

BOOST_FIXTURE_TEST_CASE(a_certificate_that_others_would_refuse_is_not_taken, pair_fixture) {
  link();
  const auto c = trust.issue("c", dir / "c");
  std::filesystem::copy_file(c.key, dir / "b/b.key", std::filesystem::copy_options::overwrite_existing);
  std::filesystem::copy_file(c.certificate, dir / "b/b.crt", std::filesystem::copy_options::overwrite_existing);
  expect(b->log.book, {"the certificates cannot be used; the ones before stay", "is not for node b but for c"});
  BOOST_TEST(b->log.book.count({"took new certificates"}) == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_authority_is_exchanged_while_two_overlap, pair_fixture) {
  link();
  authority next{dir / "next"};
  // 1. Everybody trusts both.
  for (const auto* node : {"a", "b"}) {
    std::ifstream in{next.certificate()};
    std::ofstream{dir / (std::string{node} + "/authorities.crt"), std::ios::app} << in.rdbuf();
  }
  expect(a->log.book, {"took new certificates"});
  expect(b->log.book, {"took new certificates"});
  BOOST_TEST(reaches("both are trusted"));
  // 2. One after the other gets a certificate of the new one.
  next.issue("b", dir / "b", 0, 9, true);
  expect(b->log.book, {"took new certificates"}, 2);
  BOOST_TEST(reaches("one step on"));
  next.issue("a", dir / "a", 0, 9, true);
  expect(a->log.book, {"took new certificates"}, 2);
  // 3. The old one is trusted no longer.
  for (const auto* node : {"a", "b"})
    std::filesystem::copy_file(next.certificate(), dir / (std::string{node} + "/authorities.crt"),
                               std::filesystem::copy_options::overwrite_existing);
  expect(a->log.book, {"took new certificates"}, 3);
  expect(b->log.book, {"took new certificates"}, 3);
  BOOST_TEST(reaches("still there"));
}

BOOST_AUTO_TEST_CASE(an_end_that_is_near_is_announced) {
  const scratch dir;
  authority trust{dir / "ca"};
  test_node a{"a", trust.issue("a", dir / "a", 0, 29)};
  a.start();
  expect(a.log.book, {"this node's certificate ends soon", "epione cert issue --node a --force"});
}

BOOST_AUTO_TEST_CASE(files_that_are_missing_or_do_not_belong_together_are_named) {
  const scratch dir;
  authority trust{dir / "ca"};
  auto files = trust.issue("a", dir / "a");
  files.key = trust.issue("b", dir / "b").key;
  test_node wrong{"a", files};
  const auto refused = wrong.transport->listen();
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().find("b.key is not the key of") != std::string::npos, refused.error());
  files.key = dir / "nothing";
  test_node missing{"a", files};
  const auto absent = missing.transport->listen();
  BOOST_REQUIRE(!absent);
  BOOST_TEST(absent.error().find("cannot read " + files.key) != std::string::npos, absent.error());
}

BOOST_AUTO_TEST_SUITE_END()
