#include "runtime/scope_limit.hpp"

#include <boost/test/unit_test.hpp>
#include <future>
#include <utility>

using namespace epione::runtime;
using namespace std::chrono_literals;

namespace {

class recording_process final : public process {
public:
  void fatal(int exit_code, std::string_view why) override { ended.set_value({exit_code, std::string{why}}); }
  std::promise<std::pair<int, std::string>> ended;
};

} // namespace

BOOST_AUTO_TEST_SUITE(scope_limits)

BOOST_AUTO_TEST_CASE(a_scope_that_takes_too_long_ends_the_process) {
  recording_process p;
  auto ended = p.ended.get_future();
  const scope_limit limit{p, 1ms, 4, "a call to the disk does not return"};
  BOOST_REQUIRE((ended.wait_for(10s) == std::future_status::ready));
  const auto [code, why] = ended.get();
  BOOST_TEST(code == 4);
  BOOST_TEST(why == "a call to the disk does not return");
}

BOOST_AUTO_TEST_CASE(a_scope_that_ends_in_time_does_not_and_is_not_held_up) {
  recording_process p;
  auto ended = p.ended.get_future();
  {
    const scope_limit limit{p, 10min, 1, "too long"};
  }
  BOOST_TEST((ended.wait_for(0s) == std::future_status::timeout));
}

BOOST_AUTO_TEST_SUITE_END()
