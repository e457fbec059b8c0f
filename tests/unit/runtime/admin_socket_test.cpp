// The node's private door: what gets through, who may ask, and what happens to everything else.
#include "runtime/admin_frame.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/log.hpp"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <pwd.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

using namespace epione::runtime;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(admin_socket)

namespace {

struct door {
  explicit door(admin_server::handler handle, admin_options options = {}, const std::string& below = {}) {
    auto name = (std::filesystem::temp_directory_path() / "epione-admin-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    root = name;
    std::filesystem::create_directories(std::filesystem::path{root} / below);
    path = (std::filesystem::path{root} / below / admin_socket_name).string();
    server = std::make_unique<admin_server>(path, std::move(handle), *quiet, options);
    const auto started = server->start();
    const std::string why = started ? "" : started.error();
    BOOST_REQUIRE_MESSAGE(why.empty(), why);
  }
  ~door() {
    server.reset();
    std::filesystem::remove_all(root);
  }
  std::unique_ptr<epione::runtime::log> quiet = make_silent_log();
  std::string root, path;
  std::unique_ptr<admin_server> server;
};

admin_reply echo(const admin_request& r, const std::string&) {
  return {4, r.command, r.arguments};
}

int connected(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof(to.sun_path) - 1);
  BOOST_REQUIRE_EQUAL(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  return fd;
}

/// All that comes until the other side closes.
std::string receive_all(int fd) {
  std::string out;
  char part[4096];
  for (auto n = ::recv(fd, part, sizeof(part), 0); n > 0; n = ::recv(fd, part, sizeof(part), 0))
    out.append(part, static_cast<std::size_t>(n));
  ::close(fd);
  return out;
}

/// A client that sends what it likes.
std::string send_raw(const std::string& path, const std::string& bytes) {
  const int fd = connected(path);
  BOOST_REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0);
  ::shutdown(fd, SHUT_WR);
  return receive_all(fd);
}

std::string message_of(const std::string& frame) {
  const auto reply = decode_admin_reply(std::string_view{frame}.substr(std::min(frame.size(), admin_header_bytes)));
  return reply ? reply->message : "no reply";
}

} // namespace

BOOST_AUTO_TEST_CASE(a_command_reaches_the_handler_and_its_reply_the_caller) {
  door d{echo};
  const std::string binary{"\0\xff\x80", 3};
  const auto reply = admin_call(d.path, {"study-import", {{"toml", "a = 1"}, {"file", binary}}}, 10s);
  BOOST_REQUIRE(reply);
  BOOST_TEST(reply->code == 4);
  BOOST_TEST(reply->message == "study-import");
  BOOST_TEST(reply->values.at("toml") == "a = 1");
  BOOST_TEST((reply->values.at("file") == binary));
}

BOOST_AUTO_TEST_CASE(the_handler_is_told_who_asks_whatever_the_caller_says) {
  door d{[](const admin_request&, const std::string& who) { return admin_reply{0, who, {}}; }};
  const auto reply = admin_call(d.path, {"console", {{"who", "os:somebody-else"}}}, 10s);
  BOOST_REQUIRE(reply);
  const auto* entry = ::getpwuid(::geteuid());
  BOOST_TEST(reply->message == "os:" + (entry != nullptr ? std::string{entry->pw_name} : std::to_string(::geteuid())));
}

BOOST_AUTO_TEST_CASE(megabytes_fit_both_ways) {
  door d{echo};
  const std::string large(20u << 20, 'x');
  const auto reply = admin_call(d.path, {"echo", {{"large", large}}}, 60s);
  BOOST_REQUIRE(reply);
  BOOST_TEST((reply->values.at("large") == large));
}

BOOST_AUTO_TEST_CASE(only_the_owner_may_open_the_socket) {
  door d{echo};
  struct stat info{};
  BOOST_REQUIRE_EQUAL(::stat(d.path.c_str(), &info), 0);
  BOOST_TEST((info.st_mode & 0777) == 0600u);
}

BOOST_AUTO_TEST_CASE(a_data_directory_may_have_a_long_path) {
  const std::string part(100, 'd');
  door d{echo, {}, part + "/" + part};
  BOOST_TEST(admin_call(d.path, {"status", {}}, 10s).has_value());
}

BOOST_AUTO_TEST_CASE(without_a_node_the_failure_says_that_nothing_was_done) {
  std::string path;
  {
    door d{echo};
    path = d.path;
    d.server->stop();
    const auto reply = admin_call(path, {"status", {}}, 10s);
    BOOST_REQUIRE(!reply);
    BOOST_TEST(reply.error().unreachable);
  }
  const auto reply = admin_call(path, {"status", {}}, 10s); // the directory is gone as well
  BOOST_REQUIRE(!reply);
  BOOST_TEST(reply.error().unreachable);
  BOOST_TEST(reply.error().message.find(path) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_socket_of_a_dead_process_is_replaced) {
  door d{echo};
  d.server->stop();
  std::ofstream{d.path} << "left behind";
  BOOST_TEST(d.server->start().has_value());
  BOOST_TEST(admin_call(d.path, {"status", {}}, 10s).has_value());
}

BOOST_AUTO_TEST_CASE(an_exception_in_a_handler_is_a_failed_command_and_nothing_more) {
  door d{[](const admin_request& r, const std::string&) -> admin_reply {
    if (r.command == "bad")
      throw std::runtime_error{"secret"};
    return echo(r, {});
  }};
  const auto bad = admin_call(d.path, {"bad", {}}, 10s);
  BOOST_REQUIRE(bad);
  BOOST_TEST(bad->code == 1);
  BOOST_TEST(bad->message.find("secret") == std::string::npos);
  BOOST_TEST(admin_call(d.path, {"good", {}}, 10s)->code == 4);
}

BOOST_AUTO_TEST_CASE(what_is_not_a_request_is_refused) {
  // A call counts until its thread ends, a little after its caller has the reply: room for all of these at once.
  door d{echo, {.frame_bytes_max = 1000, .calls_max = 16}};
  const auto good = admin_frame(encode(admin_request{"x", {}}));
  BOOST_TEST(message_of(send_raw(d.path, good)) == "x");

  auto magic = good;
  magic[0] = 'X';
  BOOST_TEST(message_of(send_raw(d.path, magic)).find("does not speak") != std::string::npos);
  auto version = good;
  version[4] = 9;
  BOOST_TEST(message_of(send_raw(d.path, version)).find("version 9") != std::string::npos);
  auto flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  BOOST_TEST(message_of(send_raw(d.path, flipped)).find("damaged") != std::string::npos);
  BOOST_TEST(message_of(send_raw(d.path, admin_frame(std::string(1001, 'x')))).find("larger than the limit") !=
             std::string::npos);
  BOOST_TEST(message_of(send_raw(d.path, good.substr(0, good.size() - 1))).find("closed") != std::string::npos);
  BOOST_TEST(message_of(send_raw(d.path, admin_frame("\xc0"))).find("not {") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_silent_client_is_let_go_after_the_time_limit) {
  door d{echo, {.io_limit = 20ms}};
  BOOST_TEST(message_of(receive_all(connected(d.path))).find("time limit") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stop_does_not_wait_for_a_silent_client) {
  door d{echo, {.io_limit = 10min, .calls_max = 1}};
  const int silent = connected(d.path);
  const auto second = admin_call(d.path, {"x", {}}, 10s);
  BOOST_REQUIRE(second);
  BOOST_TEST(second->message.find("busy") != std::string::npos); // so the first one has begun
  d.server->stop_accepting();
  BOOST_TEST(d.server->wait_until_idle(10s));
  BOOST_TEST(message_of(receive_all(silent)).find("stopping") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stop_waits_for_a_command_that_runs_no_longer_than_it_is_told) {
  std::promise<void> begun, end;
  auto ended = end.get_future().share();
  door d{[&](const admin_request& r, const std::string&) {
    begun.set_value();
    ended.wait();
    return echo(r, {});
  }};
  auto call = std::async(std::launch::async, [&] { return admin_call(d.path, {"slow", {}}, 10s); });
  begun.get_future().wait();
  d.server->stop_accepting();
  BOOST_TEST(!d.server->wait_until_idle(1ms));
  BOOST_TEST(admin_call(d.path, {"late", {}}, 10s).error().unreachable);
  end.set_value();
  BOOST_TEST(d.server->wait_until_idle(10s));
  BOOST_TEST(call.get()->message == "slow");
}

BOOST_AUTO_TEST_CASE(more_calls_than_allowed_are_told_to_come_back_and_stop_waits_for_the_rest) {
  std::mutex mutex;
  std::condition_variable changed;
  unsigned inside = 0;
  bool go = false;
  door d{[&](const admin_request& r, const std::string&) {
           std::unique_lock guard{mutex};
           ++inside;
           changed.notify_all();
           changed.wait(guard, [&] { return go; });
           return echo(r, {});
         },
         {.calls_max = 2}};
  const auto call = [&] { return admin_call(d.path, {"slow", {}}, 10s); };
  auto first = std::async(std::launch::async, call);
  auto second = std::async(std::launch::async, call);
  {
    std::unique_lock guard{mutex};
    BOOST_REQUIRE(changed.wait_for(guard, 10s, [&] { return inside == 2; }));
  }
  const auto third = call();
  BOOST_REQUIRE(third);
  BOOST_TEST(third->message.find("busy") != std::string::npos);
  {
    std::lock_guard guard{mutex};
    go = true;
  }
  changed.notify_all();
  d.server->stop();
  BOOST_TEST(first.get().has_value());
  BOOST_TEST(second.get().has_value());
}

BOOST_AUTO_TEST_CASE(a_caller_does_not_wait_beyond_its_limit) {
  std::promise<void> end;
  auto ended = end.get_future().share();
  door d{[&](const admin_request& r, const std::string&) {
    ended.wait();
    return echo(r, {});
  }};
  const auto reply = admin_call(d.path, {"slow", {}}, 20ms);
  end.set_value();
  BOOST_REQUIRE(!reply);
  BOOST_TEST(!reply.error().unreachable); // it may have been done
  BOOST_TEST(reply.error().message.find("time limit") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_caller_who_is_asked_to_stop_does_not_wait_for_the_answer) {
  std::promise<void> end;
  auto ended = end.get_future().share();
  door d{[&](const admin_request& r, const std::string&) {
    ended.wait();
    return echo(r, {});
  }};
  const int stop = ::eventfd(1, EFD_CLOEXEC);
  BOOST_REQUIRE(stop >= 0);
  const auto reply = admin_call(d.path, {"slow", {}}, 600s, stop);
  end.set_value();
  BOOST_REQUIRE(!reply);
  BOOST_TEST(!reply.error().unreachable); // it may have been done
  BOOST_TEST(reply.error().message.find("asked to stop") != std::string::npos, reply.error().message);
  ::close(stop);
}

BOOST_AUTO_TEST_SUITE_END()
