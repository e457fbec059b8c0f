// What is no whole backup is refused, and what is restored is a node of another cluster.
#include "node/restore.hpp"

#include "domain/anchor.hpp"
#include "domain/event.hpp"
#include "domain/hex.hpp"
#include "node/node.hpp"
#include "runtime/storage/event_walk.hpp"
#include "runtime/storage/store_copy.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sqlite3.h>
#include <sstream>

using namespace epione;
namespace fs = std::filesystem;

namespace {

struct backed_up {
  backed_up() {
    auto name = (fs::temp_directory_path() / "epione-restore-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    place = name;
    options.config.data.directory = place + "/data";
    options.config.shards.count = 2;
    options.config.http.port = 0;
    options.config.log.level = "error";
    options.demo = true;
    run_once();
    back_up();
  }
  ~backed_up() { fs::remove_all(place); }

  /// Starts a node on the directory of the options and stops it again. The exit code, or that of what refused it.
  int run_once() {
    auto started = node::node::start(options);
    if (!started) {
      why = started.error().message;
      return started.error().exit_code;
    }
    (*started)->request_stop();
    return (*started)->wait();
  }

  void back_up() {
    fs::create_directory(place + "/backup");
    for (std::uint32_t g = 0; g <= 2; ++g) {
      const auto file = node::backup_file_name(g), path = place + "/backup/" + file;
      const auto copied = runtime::copy_store(*disk, options.config.data.directory, g, path,
                                              [](std::uint64_t) { return runtime::storage_result<void>{}; });
      BOOST_REQUIRE_MESSAGE(copied.has_value(), (copied ? "" : copied.error().message));
      manifest.groups.push_back({g, file, copied->bytes, *node::checksum_of_file(path), copied->index, copied->term,
                                 copied->head.seq, domain::to_hex(copied->head.hash)});
    }
    manifest.cluster = *node::cluster_of(options.config.data.directory);
    manifest.version = "test";
    manifest.time_us = 1'700'000'000'000'000;
    manifest.store_format = 3;
    manifest.shards = 2;
    BOOST_REQUIRE(node::write_manifest(place + "/backup", manifest).has_value());
  }

  auto restore(const std::string& to = "restored", const std::function<void(std::string_view)>& tell = [](std::string_view) {}) {
    return node::restore_backup(place + "/backup", place + "/" + to, "os:test", tell);
  }

  /// Group 0 of the backup gets two more events: its first one is not looked at any more before the chain is walked.
  void lengthen() {
    for (std::int64_t i = 1; i <= 2; ++i) {
      domain::event e;
      e.time_us = i;
      e.action = "test";
      BOOST_REQUIRE(runtime::adopt_store(*disk, place + "/backup", 0, "", e).has_value());
    }
    const auto found = runtime::look_at_store(*disk, place + "/backup", 0);
    BOOST_REQUIRE(found.has_value());
    auto& g = manifest.groups[0];
    g.index = found->index;
    g.term = found->term;
    g.events = found->head.seq;
    g.head = domain::to_hex(found->head.hash);
  }

  /// Changes a file of the backup as somebody would who can make a manifest that fits.
  void change(std::uint32_t group, const char* sql) {
    const auto path = place + "/backup/" + node::backup_file_name(group);
    sqlite3* db = nullptr;
    BOOST_REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    BOOST_REQUIRE(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    BOOST_REQUIRE(sqlite3_changes(db) == 1);
    BOOST_REQUIRE(sqlite3_close(db) == SQLITE_OK); // takes the log into the file
    BOOST_REQUIRE(!fs::exists(path + "-wal"));
    manifest.groups[group].bytes = fs::file_size(path);
    manifest.groups[group].checksum = *node::checksum_of_file(path);
    BOOST_REQUIRE(node::write_manifest(place + "/backup", manifest).has_value());
  }

  void expect_refused(int code, const std::string& words, const std::string& to = "restored") {
    const auto done = restore(to);
    BOOST_REQUIRE(!done.has_value());
    BOOST_TEST(done.error().exit_code == code);
    BOOST_TEST(done.error().message.find(words) != std::string::npos, done.error().message);
  }

  std::vector<domain::event> events_of(const std::string& directory, std::uint32_t group) {
    std::vector<domain::event> out;
    const auto at = runtime::read_store_position(*disk, directory, group);
    BOOST_REQUIRE(at.has_value());
    BOOST_REQUIRE(runtime::walk_events(*disk, directory, group, {}, at->head, [&](std::uint64_t, std::string_view bytes) {
                    out.push_back(*domain::decode_event(bytes));
                    return runtime::storage_result<void>{};
                  }).has_value());
    return out;
  }

  std::string place, why;
  node::node_options options;
  std::unique_ptr<runtime::disk> disk = runtime::make_system_disk();
  node::backup_manifest manifest;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(restores, backed_up)

BOOST_AUTO_TEST_CASE(a_restored_directory_is_served_as_another_cluster_whose_chain_goes_on) {
  const auto before = events_of(options.config.data.directory, 0);
  const auto done = restore();
  BOOST_REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
  BOOST_TEST(done->cluster != manifest.cluster);
  const auto to = place + "/restored";
  BOOST_TEST(*node::cluster_of(to) == done->cluster);
  BOOST_TEST(node::member_of(to)->node == "");
  BOOST_TEST(*node::shard_count_of(to) == 2u);
  const auto after = events_of(to, 0);
  BOOST_REQUIRE(after.size() == before.size() + 1);
  BOOST_TEST(after.front().after == before.front().after); // the study
  BOOST_TEST(after.back().action == "cluster.restore");
  BOOST_TEST(after.back().who == "os:test");
  BOOST_TEST(after.back().entity == done->cluster);
  BOOST_TEST(after.back().before.find(manifest.cluster) != std::string::npos);
  BOOST_TEST(domain::decode_heads(after.back().after)->size() == 3u);
  options.config.data.directory = to;
  BOOST_TEST(run_once() == 0, why);
  BOOST_TEST(run_once() == 0, why); // with a log of its own by now
}

BOOST_AUTO_TEST_CASE(only_an_empty_directory_is_filled) {
  fs::create_directory(place + "/empty");
  BOOST_TEST(restore("empty").has_value());
  expect_refused(1, "is not empty", "empty");
  std::ofstream{place + "/file"} << "x";
  expect_refused(1, "is not a directory", "file");
}

BOOST_AUTO_TEST_CASE(a_backup_without_its_manifest_did_not_finish) {
  fs::remove(place + "/backup/manifest.json");
  expect_refused(4, "did not finish");
  BOOST_TEST(!fs::exists(place + "/restored"));
}

BOOST_AUTO_TEST_CASE(what_does_not_match_the_manifest_is_refused_and_leaves_the_directory_empty) {
  fs::create_directory(place + "/restored");
  {
    std::fstream file{place + "/backup/shard-001.db", std::ios::binary | std::ios::in | std::ios::out};
    file.seekp(5'000);
    file << "X";
  }
  expect_refused(4, "shard-001.db: does not match the checksum");
  BOOST_TEST(fs::is_empty(place + "/restored"));
  // Also when whoever changed it made a manifest that fits.
  manifest.groups[1].checksum = *node::checksum_of_file(place + "/backup/shard-001.db");
  manifest.groups[0].events += 1;
  BOOST_REQUIRE(node::write_manifest(place + "/backup", manifest).has_value());
  expect_refused(4, "");
  BOOST_TEST(fs::is_empty(place + "/restored"));
}

BOOST_AUTO_TEST_CASE(a_changed_event_is_found_by_walking_its_chain_only) {
  lengthen();
  change(0, "UPDATE event SET body = x'00' WHERE seq = 1");
  expect_refused(4, "shard-000.db: event 1: ");
  BOOST_TEST(!fs::exists(place + "/restored"));
}

BOOST_AUTO_TEST_CASE(the_directory_is_marked_until_it_is_whole) {
  const auto marker = place + "/restored/restoring.json";
  int told = 0;
  const auto done = restore("restored", [&](std::string_view what) {
    BOOST_TEST(fs::exists(marker), what);
    ++told;
  });
  BOOST_REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
  BOOST_TEST(told == 4); // three files and the chains
  BOOST_TEST(!fs::exists(marker));
}

BOOST_AUTO_TEST_CASE(a_directory_named_with_a_slash_at_its_end_is_the_same) {
  BOOST_REQUIRE(restore("restored/").has_value());
  BOOST_TEST((fs::status(place + "/restored").permissions() == fs::perms::owner_all));
}

BOOST_AUTO_TEST_CASE(a_manifest_is_believed_only_as_it_was_written) {
  std::stringstream text;
  text << std::ifstream{place + "/backup/manifest.json"}.rdbuf();
  auto changed = text.str();
  changed.replace(changed.find("\"shards\": 2"), 11, "\"shards\": 3");
  std::ofstream{place + "/backup/manifest.json"} << changed;
  expect_refused(4, "own checksum");
  std::ofstream{place + "/backup/manifest.json"} << R"({"format": 2})";
  expect_refused(1, "use a newer program");
  manifest.store_format = 99;
  BOOST_REQUIRE(node::write_manifest(place + "/backup", manifest).has_value());
  expect_refused(1, "stores of format 99");
  manifest.store_format = 3;
  manifest.groups.pop_back();
  BOOST_REQUIRE(node::write_manifest(place + "/backup", manifest).has_value());
  expect_refused(4, "names 2 groups instead of 3");
}

BOOST_AUTO_TEST_CASE(half_a_restore_is_neither_served_nor_restored_into) {
  BOOST_REQUIRE(restore().has_value());
  std::ofstream{place + "/restored/restoring.json"} << "{}";
  options.config.data.directory = place + "/restored";
  BOOST_TEST(run_once() == 4);
  BOOST_TEST(why.find("a restore that did not finish") != std::string::npos, why);
  expect_refused(4, "a restore that did not finish");
}

BOOST_AUTO_TEST_SUITE_END()
