// Memory of replies is used again, within limits, from any thread.
#include "runtime/reply_buffers.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

using namespace epione::runtime;

namespace {

struct pool {
  metrics numbers;
  reply_buffers buffers{numbers, 2, 64 * 1024};

  void release(std::size_t bytes) {
    std::string s;
    s.reserve(bytes);
    buffers.release(std::move(s));
  }
  double held() { return numbers.gauge("epione_reply_buffers_bytes", "").Value(); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reply_buffers_suite, pool)

BOOST_AUTO_TEST_CASE(what_is_acquired_is_empty_and_has_the_memory_of_what_was_released) {
  std::string page(30'000, 'x');
  const auto* memory = page.data();
  buffers.release(std::move(page));
  const auto again = buffers.acquire();
  BOOST_TEST(again.empty());
  BOOST_TEST(again.data() == memory);
  BOOST_TEST(buffers.acquire().capacity() < reply_buffers::bytes_min); // nothing waits any more
  BOOST_TEST(numbers.counter("epione_reply_buffers_total", "", {{"memory", "used_again"}}).Value() == 1);
  BOOST_TEST(numbers.counter("epione_reply_buffers_total", "", {{"memory", "new"}}).Value() == 1);
}

BOOST_AUTO_TEST_CASE(it_keeps_no_more_than_it_may) {
  for (int i = 0; i < 5; ++i)
    release(2'000);
  BOOST_TEST(held() == 4'000);
  buffers.acquire();
  BOOST_TEST(held() == 2'000);
}

BOOST_AUTO_TEST_CASE(short_ones_and_very_long_ones_are_not_kept) {
  release(reply_buffers::bytes_min - 1);
  release(64 * 1024 + 1);
  BOOST_TEST(held() == 0);
}

BOOST_AUTO_TEST_CASE(threads_never_get_the_same_memory) {
  std::vector<std::thread> threads;
  for (char c = 'a'; c < 'e'; ++c)
    threads.emplace_back([this, c] {
      for (int i = 0; i < 2'000; ++i) {
        auto mine = buffers.acquire();
        mine.assign(2'000, c);
        std::this_thread::yield();
        if (mine != std::string(2'000, c))
          BOOST_ERROR("another thread wrote here");
        buffers.release(std::move(mine));
      }
    });
  for (auto& t : threads)
    t.join();
}

BOOST_AUTO_TEST_SUITE_END()
