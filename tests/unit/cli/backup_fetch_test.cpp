// A store's file comes whole from another node, or not at all.
#include "cli/backup_fetch.hpp"

#include "messages/snapshot.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/defaults.hpp"
#include "runtime/log.hpp"
#include "runtime/process.hpp"
#include "tests/unit/cli/scratch.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <unistd.h>
#include <vector>
#include <xxhash.h>

using namespace epione;
using namespace std::chrono_literals;
using epione::cli::fetch_store;
using epione::cli::wanted_store;
using runtime::admin_reply;
using steady_clock = std::chrono::steady_clock;
namespace exit_code = runtime::exit_code;
namespace defaults = runtime::defaults;

namespace {

/// A node here whose admin socket answers what the other one would.
struct two_nodes {
  two_nodes() {
    for (std::size_t i = 0; i < 3 * defaults::snapshot_piece_bytes + 5; ++i)
      file.push_back(static_cast<char>(i % 251));
    offered_bytes = file.size();
    server = std::make_unique<runtime::admin_server>(
        scratch / runtime::admin_socket_name, [this](const auto& r, const auto&) { return answer(r); }, *quiet);
    BOOST_REQUIRE(server->start().has_value());
  }
  ~two_nodes() {
    release.set_value();
    server->stop();
  }

  admin_reply answer(const runtime::admin_request& r) {
    if (hangs) { // and the operator has enough of it
      ::kill(::getpid(), SIGTERM);
      released.wait();
    }
    const std::lock_guard guard{mutex};
    const auto q = messages::decode_snapshot_question(r.arguments.at("question"));
    if (r.command != "cluster-store" || r.arguments.at("node") != "n2" || !q)
      return {exit_code::usage, "no question", {}};
    questions.push_back(*q);
    const auto given = [](std::string bytes) { return admin_reply{exit_code::done, {}, {{"answer", std::move(bytes)}}}; };
    if (q->what == messages::snapshot_question::kind::open && busy-- > 0)
      return {exit_code::failed, "another file is being copied; try again", {}};
    if (q->what == messages::snapshot_question::kind::open)
      return given(encode(messages::snapshot_offer{7, offered_bytes, {applied, 1, "", 0}}));
    if (q->transfer != 7)
      return {exit_code::failed, "this copy was given up; begin again", {}};
    if (q->what == messages::snapshot_question::kind::close)
      return given(messages::encode_number(XXH3_64bits(file.data(), file.size()) + wrong));
    if (q->offset != 0 && lost-- > 0)
      return {exit_code::failed, "the link is down", {}};
    return given(file.substr(q->offset, q->size));
  }

  wanted_store wanted() const { return {scratch.path(), "n2", 6, 9, defaults::backup_bytes_per_s}; }

  std::string to() const { return scratch / "shard-006.db"; }

  auto fetch(const wanted_store& w) {
    return fetch_store(
        w, to(), patience, *disk,
        [this](std::uint64_t bytes) {
          paced += bytes;
          return runtime::storage_result<void>{};
        },
        stop);
  }

  void expect_refused(const wanted_store& w, const std::string& words) {
    const auto fetched = fetch(w);
    BOOST_REQUIRE(!fetched.has_value());
    BOOST_TEST(fetched.error().find(words) != std::string::npos, fetched.error());
    BOOST_TEST(!std::filesystem::exists(to()));
  }

  std::size_t asked(messages::snapshot_question::kind what) {
    const std::lock_guard guard{mutex};
    return static_cast<std::size_t>(
        std::count_if(questions.begin(), questions.end(), [what](const auto& q) { return q.what == what; }));
  }

  cli::stop_descriptor stop; ///< first: the threads of the others are to inherit its signals
  cli::test::scratch scratch;
  std::unique_ptr<runtime::log> quiet = runtime::make_json_log(runtime::log_level::error);
  std::unique_ptr<runtime::disk> disk = runtime::make_system_disk();
  std::string file;
  std::uint64_t offered_bytes = 0, applied = 9, wrong = 0, paced = 0;
  int busy = 0, lost = 0;
  bool hangs = false; ///< until the test is over
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  steady_clock::duration patience{}; ///< none: what is not there at once is given up
  std::mutex mutex;
  std::vector<messages::snapshot_question> questions;
  std::unique_ptr<runtime::admin_server> server;
};

using kind = messages::snapshot_question::kind;

} // namespace

BOOST_FIXTURE_TEST_SUITE(backup_fetch, two_nodes)

BOOST_AUTO_TEST_CASE(a_file_comes_whole_although_it_had_to_be_asked_for_again) {
  busy = 1;
  lost = 2;
  patience = 60s;
  const auto fetched = fetch(wanted());
  BOOST_REQUIRE_MESSAGE(fetched.has_value(), (fetched ? "" : fetched.error()));
  std::ifstream in{to(), std::ios::binary};
  BOOST_TEST((std::string{std::istreambuf_iterator<char>{in}, {}} == file));
  BOOST_TEST(paced == file.size());
  BOOST_TEST(asked(kind::open) == 2u);
  BOOST_TEST((patience > 0s && patience <= 60s - std::chrono::milliseconds{defaults::snapshot_retry_ms}));
  BOOST_TEST(asked(kind::piece) == 6u); // four, and the two that were lost
  BOOST_TEST(asked(kind::close) == 1u);
  BOOST_TEST(questions.front().group == 6u);
  BOOST_TEST(questions.front().at_least == 9u);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_what_the_other_node_has_is_not_kept) {
  wrong = 1;
  expect_refused(wanted(), "does not match its checksum");
}

BOOST_AUTO_TEST_CASE(a_file_that_lacks_what_was_acknowledged_is_not_taken) {
  applied = 8;
  expect_refused(wanted(), "has applied entry 8, but entry 9 is committed");
  BOOST_TEST(asked(kind::piece) == 0u);
  BOOST_TEST(asked(kind::close) == 1u); // the other node need not wait
}

BOOST_AUTO_TEST_CASE(a_file_that_would_not_come_in_time_is_refused_with_what_to_say) {
  offered_bytes = std::uint64_t{600} * 1'000'000;
  auto w = wanted();
  w.bytes_per_s = 1'000'000;
  expect_refused(w, "--bytes-per-second 1250001 or more");
  BOOST_TEST(asked(kind::piece) == 0u);
  BOOST_TEST(asked(kind::close) == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_is_begun_after_a_stop) {
  BOOST_REQUIRE(::kill(::getpid(), SIGTERM) == 0);
  BOOST_REQUIRE(!stop.wait_until(steady_clock::now() + 60s));
  expect_refused(wanted(), "asked to stop");
  BOOST_TEST(questions.empty());
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_wait_for_a_node_that_does_not_answer) {
  hangs = true;
  expect_refused(wanted(), "asked to stop");
}

BOOST_AUTO_TEST_CASE(two_backups_through_one_node_are_told_apart) {
  BOOST_REQUIRE(fetch(wanted()).has_value());
  const auto first = questions.front().requester;
  questions.clear();
  BOOST_REQUIRE(fetch(wanted()).has_value());
  BOOST_TEST(first != 0u); // which is the node's own fetcher
  BOOST_TEST(questions.front().requester != first);
}

BOOST_AUTO_TEST_SUITE_END()
