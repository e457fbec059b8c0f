// Nodes on loopback that link with each other, and somebody at the other end who says what a test wants.
#pragma once

#include "cluster/peer_session.hpp"
#include "cluster/websocket_transport.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics.hpp"
#include "runtime/random.hpp"
#include "tests/support/test_authority.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace epione::cluster::test {

using namespace std::chrono_literals;
using envelope_ptr = std::shared_ptr<const std::string>;

constexpr auto patience = 20s; ///< for what must happen; nothing waits so long unless it is broken

inline envelope_ptr envelope(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

class scratch {
public:
  scratch() : path_((std::filesystem::temp_directory_path() / "epione-peer-XXXXXX").string()) {
    BOOST_REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
  std::string path_;
};

/// Lines that threads write and a test waits for.
class line_book {
public:
  void add(std::string line) {
    std::lock_guard guard{mutex_};
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  /// Whether so many lines with all these words have come, at the latest when the patience is over.
  bool wait(const std::vector<std::string>& words, std::size_t times = 1) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, patience, [&] { return found(words) >= times; });
  }
  std::size_t count(const std::vector<std::string>& words) {
    std::lock_guard guard{mutex_};
    return found(words);
  }
  std::string all() {
    std::lock_guard guard{mutex_};
    std::string out;
    for (const auto& l : lines_)
      out += "\n  " + l;
    return out;
  }

private:
  std::size_t found(const std::vector<std::string>& words) const {
    return static_cast<std::size_t>(std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) {
      return std::all_of(words.begin(), words.end(), [&](const auto& w) { return line.find(w) != std::string::npos; });
    }));
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

inline void expect(line_book& book, const std::vector<std::string>& words, std::size_t times = 1) {
  const bool found = book.wait(words, times);
  BOOST_TEST(found, words.front() << " is not among" << book.all());
}

class booked_log final : public runtime::log {
public:
  void write(runtime::log_level level, std::string_view part, std::string_view event,
             std::initializer_list<runtime::log_field> fields) override {
    book.add(runtime::json_log_line(0, level, part, event, fields));
  }
  line_book book;
};

/// What a transport told: "linked b", "unlinked b why", "received b text".
class booked_events final : public peer_events {
public:
  void linked(const std::string& node, const link_info& info) override {
    book.add("linked " + node + " incarnation " + std::to_string(info.incarnation) + " server " + std::to_string(info.server_id) +
             " protocol " + std::to_string(info.protocol) + " version " + info.version);
  }
  void unlinked(const std::string& node, const std::string& why) override { book.add("unlinked " + node + " " + why); }
  void received(const std::string& node, envelope_ptr bytes) override {
    book.add("received " + node + " " + (bytes->size() < 100 ? *bytes : std::to_string(bytes->size()) + " bytes"));
  }
  line_book book;
};

/// One node's end, with a log of its own.
struct test_node {
  test_node(const std::string& name, const tls_files& files, std::uint64_t incarnation = 1,
            const std::function<void(websocket_options&)>& change = {})
      : identity(name, "0.1.0", incarnation) {
    websocket_options o;
    o.files = files;
    o.dial_ms = 10;
    o.dial_ms_max = 50;
    o.certificate_look_ms = 20;
    if (change)
      change(o);
    transport = std::make_unique<websocket_transport>(o, identity, log, metrics, clock, random);
  }
  ~test_node() { transport->stop(); }
  void start() {
    const auto listening = transport->listen();
    BOOST_REQUIRE_MESSAGE(listening, (listening ? "" : listening.error()));
    port = *listening;
    transport->start(events);
  }
  void keep(const test_node& other, const std::string& as = {}) {
    transport->keep({as.empty() ? other.identity.node() : as, "127.0.0.1", other.port});
  }

  local_identity identity;
  booked_log log;
  runtime::metrics metrics;
  runtime::system_clock clock;
  runtime::system_random random;
  booked_events events;
  std::unique_ptr<websocket_transport> transport;
  std::uint16_t port = 0;
};

/// The other end of one connection, driven by the test: nothing is read or written but while it runs.
class scripted_peer final : public peer_session_owner {
public:
  scripted_peer(const tls_files& files, std::uint16_t port, messages::hello hello) : hello_(std::move(hello)) {
    const auto material = read_tls_files(files);
    BOOST_REQUIRE(material);
    auto made = make_peer_context(*material, files, hello_.node, now_s());
    BOOST_REQUIRE(made);
    context_ = std::move(*made);
    boost::asio::ip::tcp::socket socket{loop_};
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
    peer_session_options o;
    o.dials = true;
    o.expected = "whoever";
    o.address = "127.0.0.1:" + std::to_string(port);
    o.envelope_bytes_max = o.queue_bytes_max = 256u << 20;
    o.handshake_limit_ms = o.close_limit_ms = o.idle_limit_ms = 20'000;
    session = make_peer_session(std::move(socket), context_.context.get(), *this, o);
    session->start();
  }
  /// Until something of it was told, or the patience is over.
  bool run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!done() && std::chrono::steady_clock::now() < end) {
      loop_.restart();
      loop_.run_one_for(100ms);
    }
    return done();
  }

  messages::hello own_hello() override { return hello_; }
  std::string admit(peer_session&, const messages::hello&, const std::vector<std::string>&) override { return {}; }
  void linked(peer_session&) override { is_linked = true; }
  void received(peer_session&, envelope_ptr bytes) override { got.push_back(*bytes); }
  void ended(peer_session&, const std::string& why) override {
    is_ended = true;
    end = why;
  }

  bool is_linked = false, is_ended = false;
  std::string end;
  std::vector<std::string> got;

private:
  messages::hello hello_;
  peer_context context_;
  boost::asio::io_context loop_;

public:
  std::shared_ptr<peer_session> session;
};

} // namespace epione::cluster::test
