// What a node does with one that it has let in and that does not answer yet: the moment between both ends' words.
#include "tests/unit/peer/peer_fixture.hpp"

#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <optional>

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::test;

namespace {

/// The other end of a greeting, a message at a time. Each call blocks; the node's own limits end it.
class slow_greeter {
public:
  slow_greeter(const tls_files& files, std::uint16_t port) {
    context_.use_certificate_chain_file(files.certificate);
    context_.use_private_key_file(files.key, boost::asio::ssl::context::pem);
    stream_.emplace(loop_, context_);
    stream_->next_layer().next_layer().connect({boost::asio::ip::make_address("127.0.0.1"), port});
    stream_->next_layer().handshake(boost::asio::ssl::stream_base::client);
    stream_->handshake("127.0.0.1", "/peer");
    stream_->binary(true);
  }
  void say(const std::string& bytes) { stream_->write(boost::asio::buffer(bytes)); }
  /// The next message; throws at the end.
  std::string hear() {
    boost::beast::flat_buffer bytes;
    stream_->read(bytes);
    return {static_cast<const char*>(bytes.cdata().data()), bytes.size()};
  }

private:
  boost::asio::io_context loop_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
  std::optional<boost::beast::websocket::stream<boost::asio::ssl::stream<boost::asio::ip::tcp::socket>>> stream_;
};

struct greeting_fixture {
  greeting_fixture() : trust(dir / "ca"), a("a", trust.issue("a", dir / "a")) { a.start(); }
  /// As the catalog names node b: of this server, when so many ids have been given.
  void keep_b(std::uint64_t server_id, std::uint64_t ids_given) {
    peer_address b{"b", "127.0.0.1", 1};
    b.server_id = server_id;
    b.ids_given = ids_given;
    a.transport->keep(b);
  }
  scratch dir;
  authority trust;
  test_node a;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(greetings, greeting_fixture)

BOOST_AUTO_TEST_CASE(a_node_that_is_replaced_while_its_link_is_being_made_gets_none) {
  keep_b(3, 4);
  slow_greeter b{trust.issue("b", dir / "b"), a.port};
  b.say(encode(messages::hello{peer_protocol_min, peer_protocol_max, "b", "", "0.1.0", 3, 7}));
  const auto hello = messages::decode_hello(b.hear());
  BOOST_REQUIRE(hello);
  BOOST_TEST(hello->node == "a");
  BOOST_TEST(b.hear().empty()); // it is let in, and has not said that it is content
  keep_b(0, 4);                 // replaced
  BOOST_CHECK_THROW(b.hear(), boost::system::system_error);
  expect(a.log.book, {"no link was made", "\"b\"", "node b was replaced"});
  BOOST_TEST(a.events.book.count({"linked b"}) == 0U);
}

BOOST_AUTO_TEST_CASE(a_link_is_there_once_both_have_said_that_they_are_content) {
  keep_b(3, 4);
  slow_greeter b{trust.issue("b", dir / "b"), a.port};
  b.say(encode(messages::hello{peer_protocol_min, peer_protocol_max, "b", "", "0.1.0", 3, 7}));
  BOOST_REQUIRE(messages::decode_hello(b.hear()));
  BOOST_TEST(b.hear().empty());
  BOOST_TEST(a.events.book.count({"linked b"}) == 0U);
  b.say({});
  expect(a.events.book, {"linked b", "server 3"});
}

BOOST_AUTO_TEST_SUITE_END()
