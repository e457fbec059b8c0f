// Which of a cluster's nodes on this machine epione cluster asks, and what it makes of one that says nothing.
#include "runtime/admin_socket.hpp"
#include "runtime/log.hpp"
#include "runtime/process.hpp"
#include "tests/unit/cli/scratch.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace epione;
using namespace epione::cli::test;
namespace exit_code = runtime::exit_code;

namespace {

/// Takes every question and answers none, as a node that ends in the middle of it. A frozen one does the same, but for the time
/// it takes to notice.
class silent_node {
public:
  explicit silent_node(const std::string& directory) {
    std::filesystem::create_directories(directory);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (directory + "/" + runtime::admin_socket_name).c_str(), sizeof(address.sun_path) - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BOOST_REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    BOOST_REQUIRE(::listen(listener_, 8) == 0);
    thread_ = std::thread{[this] {
      for (int socket = -1; (socket = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(socket))
        ++asked;
    }};
  }
  ~silent_node() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::atomic<int> asked{0};

private:
  int listener_ = -1;
  std::thread thread_;
};

/// n1 says nothing, n2 answers, n3 does not run.
struct three_on_one_machine {
  three_on_one_machine() {
    std::filesystem::create_directories(scratch / "n2");
    n2 = std::make_unique<runtime::admin_server>(
        scratch / "n2/" + runtime::admin_socket_name,
        [this](const auto& r, const auto&) {
          ++asked;
          last = r;
          if (r.command == "cluster-status")
            return runtime::admin_reply{exit_code::problems, {}, {{"json", status}}};
          if (r.command == "cluster-locate")
            return runtime::admin_reply{exit_code::done, {}, {{"json", R"({"shard":3,"leader":"n2","http":"http://x"})"}}};
          return runtime::admin_reply{exit_code::done, {}, {{"text", "done by n2"}}};
        },
        *quiet);
    BOOST_REQUIRE(n2->start().has_value());
  }
  ~three_on_one_machine() { n2->stop(); }

  cli::test::scratch scratch;
  std::string file = scratch.write("cluster.toml", R"([nodes.n1]
peer = "127.0.0.1:7101"
data_dir = "n1"
[nodes.n2]
peer = "127.0.0.1:7102"
data_dir = "n2"
[nodes.n3]
peer = "127.0.0.1:7103"
data_dir = "n3"
)");
  const std::string status =
      R"({"cluster":"c","nodes":[{"name":"n2","state":"member","server":2,"here":true,"linked":true,"draining":true,"version":"1",)"
      R"("leads":0,"http":"http://x"},{"name":"n4","state":"invited","server":0,"here":false,"linked":false,"version":"",)"
      R"("leads":0,"http":""}],"shards":[{"id":0,"leader":null,"term":1,"commit":2,"replicas":[]}],"missing":[)"
      R"({"shard":0,"why":"A"},{"shard":1,"why":"A"},{"shard":2,"why":"A"},{"shard":3,"why":"B"},{"shard":5,"why":"A"}]})";
  std::unique_ptr<runtime::log> quiet = runtime::make_json_log(runtime::log_level::error);
  silent_node n1{scratch / "n1"};
  std::atomic<int> asked{0};
  runtime::admin_request last; ///< that n2 was asked; looked at once it has answered
  std::unique_ptr<runtime::admin_server> n2;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster_command, three_on_one_machine)

BOOST_AUTO_TEST_CASE(who_looks_is_answered_by_another_node_when_the_first_one_says_nothing) {
  const auto a = call({"cluster", "locate", "--patient", "42", "--study", "demo", "--json", "--cluster", file});
  BOOST_TEST(a.code == exit_code::done);
  BOOST_TEST(a.out == "{\"shard\":3,\"leader\":\"n2\",\"http\":\"http://x\"}\n");
  BOOST_TEST(a.err.find("n1/admin.sock") != std::string::npos, a.err);
  BOOST_TEST(n1.asked == 1);
}

BOOST_AUTO_TEST_CASE(what_is_missing_of_many_shards_is_said_once_and_a_program_gets_all_of_it) {
  const auto a = call({"cluster", "status", "--cluster", file, "--node", "n2"});
  BOOST_TEST(a.code == exit_code::problems);
  BOOST_TEST(a.out.find("  shards 0 to 2, 5: A\n  shard 3: B\n") != std::string::npos, a.out);
  BOOST_TEST(a.out.find("member, draining") != std::string::npos, a.out);
  BOOST_TEST(a.out.find("DOWN") == std::string::npos, a.out); // n4 was never there
  BOOST_TEST(call({"cluster", "status", "--json", "--cluster", file, "--node", "n2"}).out == status + "\n");
}

BOOST_AUTO_TEST_CASE(who_begins_a_cluster_is_told_what_to_start) {
  const auto begun = call({"cluster", "init", "--cluster", file, "--data-dir", scratch / "elsewhere"});
  BOOST_TEST(begun.code == exit_code::done, begun.err);
  BOOST_TEST(begun.out.find("serve --node n1 --cluster " + file + " --data-dir " + (scratch / "elsewhere") + "\n") !=
                 std::string::npos,
             begun.out);
  BOOST_TEST(begun.out.find("serve --node n2 --cluster " + file + "\n") != std::string::npos, begun.out);
  const auto as_filed = call({"cluster", "init", "--cluster", file, "--node", "n3"});
  BOOST_TEST(as_filed.out.find("--data-dir") == std::string::npos, as_filed.out);
}

BOOST_AUTO_TEST_CASE(a_change_is_asked_of_one_node_only_because_it_may_have_been_made) {
  const auto a = call({"cluster", "drain", "n3", "--cluster", file});
  BOOST_TEST(a.code == exit_code::failed);
  BOOST_TEST(a.err.find("whether it was done is unknown") != std::string::npos, a.err);
  BOOST_TEST(asked == 0);
  BOOST_TEST(call({"cluster", "drain", "n3", "--cluster", file, "--node", "n2"}).out == "done by n2\n");
}

BOOST_AUTO_TEST_CASE(a_node_that_runs_is_replaced_only_by_force) {
  BOOST_TEST(call({"cluster", "replace", "n3", "--cluster", file, "--node", "n2"}).code == exit_code::done);
  BOOST_TEST(last.arguments["verb"] == "replace");
  BOOST_TEST(!last.arguments.contains("force"));
  BOOST_TEST(call({"cluster", "replace", "n3", "--force", "--cluster", file, "--node", "n2"}).code == exit_code::done);
  BOOST_TEST(last.arguments["force"] == "true");
  BOOST_TEST(call({"cluster", "leave", "n3", "--force", "--cluster", file, "--node", "n2"}).code == exit_code::usage);
}

BOOST_AUTO_TEST_CASE(a_node_that_does_not_run_is_unreachable) {
  const auto a = call({"cluster", "status", "--cluster", file, "--node", "n3"});
  BOOST_TEST(a.code == exit_code::unreachable);
  BOOST_TEST(a.err.find("n3/admin.sock") != std::string::npos, a.err);
}

BOOST_AUTO_TEST_SUITE_END()
