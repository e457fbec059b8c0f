// What is true of the tree of actors before it starts and after it has ended.
#include "node/actor_tree.hpp"

#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics.hpp"
#include "runtime/process.hpp"
#include "runtime/random.hpp"
#include "runtime/storage/disk.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;

namespace {

class no_sink final : public runtime::reply_sink {
public:
  void deliver(messages::replies) override {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(trees)

BOOST_AUTO_TEST_CASE(a_tree_that_has_not_started_is_not_ready) {
  caf::actor_system_config settings;
  caf::actor_system system{settings};
  const auto log = runtime::make_silent_log();
  const auto disk = runtime::make_system_disk();
  const auto process = runtime::make_system_process(*log);
  runtime::metrics numbers;
  runtime::system_clock clock;
  runtime::system_random random;
  no_sink sink;
  runtime::config config;
  config.shards.count = 3;
  node::actor_tree tree{system, {*log, numbers, clock, random, *disk, nullptr, *process, sink}, config, false};
  BOOST_TEST(!tree.readiness().ready());
  BOOST_TEST(tree.readiness().reasons().size() == 4u); // the studies and each shard
}

BOOST_AUTO_TEST_CASE(only_an_end_that_was_asked_for_is_a_success) {
  BOOST_TEST(node::exit_code_of({}) == 0);
  BOOST_TEST(node::exit_code_of(caf::exit_reason::user_shutdown) == 0);
  BOOST_TEST(node::exit_code_of(caf::exit_reason::kill) == 1);
  BOOST_TEST(node::exit_code_of(caf::make_error(ec::damaged, "a store")) == 4);
  BOOST_TEST(node::exit_code_of(caf::make_error(ec::io_failed, "the disk")) == 1);
  BOOST_TEST(node::exit_code_of(caf::make_error(ec::restart_intensity, "a shard")) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
