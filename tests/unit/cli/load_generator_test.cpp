// The generator and the verifier against a node that fails as told.
#include "cli/load_generator.hpp"
#include "cli/load_verifier.hpp"
#include "fake_node.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

using namespace epione::cli;
using test::fake_node;

namespace {

load_options few(std::uint64_t count, std::uint32_t connections = 4) {
  load_options o;
  o.plan = {77, 5, 10, 100'000, load_forms::mixed};
  o.connections = connections;
  o.count = count;
  return o;
}

struct run {
  load_result result;
  load_ledger_writer writer;
};

std::unique_ptr<run> submit(fake_node& node, const load_options& options) {
  auto writer = load_ledger_writer::open("", options.plan);
  BOOST_REQUIRE(writer);
  auto where = parse_endpoint(node.url());
  BOOST_REQUIRE(where);
  load_generator generator{options, where->host, &*writer};
  auto result = generator.run(*where, {}, -1, {});
  BOOST_REQUIRE(result);
  return std::make_unique<run>(run{std::move(*result), std::move(*writer)});
}

verify_result verify(fake_node& node, const run& r) {
  const auto ledger = load_ledger::read_descriptor(r.writer.descriptor(), "memory");
  BOOST_REQUIRE(ledger);
  verify_options options;
  options.connections = 3;
  auto where = parse_endpoint(node.url());
  load_verifier verifier{*ledger, options, where->host};
  auto result = verifier.run(*where, {}, -1, {});
  BOOST_REQUIRE(result);
  return *result;
}

fake_node::submission& any_stored(fake_node& node) {
  for (auto& [patient, list] : node.stored)
    if (!list.empty())
      return list.front();
  throw std::logic_error{"nothing is stored"};
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_generator_test)

BOOST_AUTO_TEST_CASE(everything_is_sent_once_acknowledged_and_verified) {
  fake_node node;
  const auto r = submit(node, few(200));
  BOOST_TEST(r->result.sent == 200u);
  BOOST_TEST(r->result.acknowledged == 200u);
  BOOST_TEST(r->result.acknowledged_measured == 200u);
  BOOST_TEST(r->result.statuses[202] == 200u);
  BOOST_TEST(r->result.latency.count() == 200u);
  BOOST_TEST(r->result.retries == 0u);
  const auto v = verify(node, *r);
  BOOST_TEST(v.acknowledged == 200u);
  BOOST_TEST(v.found == 200u);
  BOOST_TEST(v.compared == 200u);
  BOOST_TEST(v.problems() == 0u);
  BOOST_TEST(v.unread == 0u);
}

BOOST_AUTO_TEST_CASE(an_open_loop_sends_at_its_rate) {
  fake_node node;
  auto options = few(load_count_max);
  options.rate = 500;
  options.duration_ns = 400'000'000;
  const auto r = submit(node, options);
  BOOST_TEST(r->result.sent + r->result.not_due_sent <= 201u);
  BOOST_TEST(r->result.sent + r->result.not_due_sent >= 199u);
  BOOST_TEST(r->result.acknowledged == r->result.sent);
}

BOOST_AUTO_TEST_CASE(an_open_loop_counts_from_when_a_submission_was_due) {
  // All fall due within 2 ms, and one connection brings them one after the other: they waited for each other, and that counts.
  fake_node node;
  auto options = few(2000, 1);
  options.rate = 1e6;
  const auto r = submit(node, options);
  BOOST_TEST(r->result.acknowledged == 2000u);
  const auto whole = r->result.measured_ns;
  BOOST_TEST(r->result.latency.max_ns() > whole - 5'000'000);
  BOOST_TEST(r->result.latency.quantile_ns(0.5) > whole / 4);
}

BOOST_AUTO_TEST_CASE(an_open_loop_ends_when_told_to_while_submissions_are_due) {
  fake_node node;
  auto options = few(load_count_max);
  options.rate = 500;
  auto where = parse_endpoint(node.url());
  const int stop = eventfd(0, EFD_CLOEXEC);
  load_generator generator{options, where->host, nullptr};
  const auto result = generator.run(*where, {}, stop, [&](const load_progress&) {
    eventfd_write(stop, 1);
    for (const auto until = steady_ns() + 20'000'000; steady_ns() < until;) // ten fall due, and nobody is busy
      ;
  });
  close(stop);
  BOOST_REQUIRE(result);
  BOOST_TEST(result->interrupted);
  BOOST_TEST(result->acknowledged == result->sent);
}

BOOST_AUTO_TEST_CASE(a_lost_answer_is_asked_for_again_under_the_same_key) {
  fake_node node{[](std::uint64_t n) -> std::optional<fake_node::answer> {
    if (n % 10 == 3)
      return fake_node::hang_up(n % 20 == 3); // stored or not, the phone cannot know
    return std::nullopt;
  }};
  const auto r = submit(node, few(100));
  BOOST_TEST(r->result.acknowledged == 100u);
  BOOST_TEST(r->result.connections.lost >= 10u);
  BOOST_TEST(r->result.retries == r->result.connections.lost);
  BOOST_TEST(r->result.statuses[200] + r->result.statuses[202] == 100u);
  // What was stored before the answer was lost is a repeat at the next try; that answer may be lost as well.
  BOOST_TEST(r->result.statuses[200] <= node.keys_repeated);
  BOOST_TEST(r->result.statuses[200] >= 4u);
  const auto v = verify(node, *r);
  BOOST_TEST(v.found == 100u);
  BOOST_TEST(v.problems() == 0u);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_retried_after_the_time_it_names) {
  fake_node node{[](std::uint64_t n) -> std::optional<fake_node::answer> {
    if (n == 0)
      return fake_node::answer{503, R"({"error":"busy","outcome":"not_stored"})", "Retry-After: 1\r\n"};
    return std::nullopt;
  }};
  const auto r = submit(node, few(5, 1));
  BOOST_TEST(r->result.acknowledged == 5u);
  BOOST_TEST(r->result.not_stored_503 == 1u);
  BOOST_TEST(r->result.retries == 1u);
  BOOST_TEST(r->result.latency.max_ns() >= 1'000'000'000); // as its patient saw it
}

BOOST_AUTO_TEST_CASE(what_was_refused_for_good_must_not_be_there) {
  const auto refuse_all = [](std::uint64_t) -> std::optional<fake_node::answer> {
    return fake_node::answer{503, R"({"error":"busy","outcome":"not_stored"})", "Retry-After: 1\r\n"};
  };
  fake_node node{refuse_all};
  auto options = few(10);
  options.attempts_max = 1;
  const auto r = submit(node, options);
  BOOST_TEST(r->result.refused == 10u);
  BOOST_TEST(verify(node, *r).problems() == 0u);
  fake_node liar; // the same submissions, stored
  submit(liar, few(10));
  BOOST_TEST(verify(liar, *r).refused_present == 10u);
}

BOOST_AUTO_TEST_CASE(what_is_unknown_may_be_there_but_once) {
  fake_node node{[](std::uint64_t n) -> std::optional<fake_node::answer> {
    if (n < 3)
      return fake_node::answer{503, R"({"error":"late","outcome":"unknown"})", {}};
    return std::nullopt;
  }};
  auto options = few(10, 1);
  options.attempts_max = 1;
  const auto r = submit(node, options);
  BOOST_TEST(r->result.unknown == 3u);
  BOOST_TEST(r->result.unknown_503 == 3u);
  submit(node, few(10, 1)); // now they are there
  auto v = verify(node, *r);
  BOOST_TEST(v.unknown_present == 3u);
  BOOST_TEST(v.found == 7u);
  BOOST_TEST(v.problems() == 0u);
}

BOOST_AUTO_TEST_CASE(a_missing_submission_is_found_out) {
  fake_node node;
  const auto r = submit(node, few(50));
  for (auto& [patient, list] : node.stored)
    if (patient % 2 == 0)
      list.clear();
  const auto v = verify(node, *r);
  BOOST_TEST(v.missing > 0u);
  BOOST_TEST(v.missing + v.found == 50u);
  BOOST_TEST(v.problems() == v.missing);
  BOOST_TEST(!v.examples.empty());
}

BOOST_AUTO_TEST_CASE(a_changed_answer_is_found_out) {
  fake_node node;
  const auto r = submit(node, few(50));
  auto& value = any_stored(node).data["answers"]["q2"];
  value = (value.get<int>() + 1) % 4;
  BOOST_TEST(verify(node, *r).different == 1u);
}

BOOST_AUTO_TEST_CASE(another_receipt_is_found_out) {
  fake_node node;
  const auto r = submit(node, few(50));
  any_stored(node).receipt = std::string(32, 'a');
  BOOST_TEST(verify(node, *r).different == 1u);
}

BOOST_AUTO_TEST_CASE(a_submission_stored_twice_is_found_out) {
  fake_node node;
  const auto r = submit(node, few(50));
  auto& list = node.stored.begin()->second;
  BOOST_REQUIRE(!list.empty());
  auto again = list.front();
  again.receipt = std::string(32, 'b');
  list.push_back(again);
  BOOST_TEST(verify(node, *r).duplicated == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_there_is_unreachable) {
  std::string url;
  {
    fake_node node;
    url = node.url();
  }
  auto options = few(1);
  options.give_up_at_first_ns = 50'000'000;
  auto where = parse_endpoint(url);
  load_generator generator{options, where->host, nullptr};
  const auto result = generator.run(*where, {}, -1, {});
  BOOST_REQUIRE(result);
  BOOST_TEST(result->unreachable);
}

BOOST_AUTO_TEST_CASE(a_node_that_moved_is_found_again) {
  auto first = std::make_unique<fake_node>();
  fake_node second;
  auto where = parse_endpoint(first->url());
  first.reset(); // nobody listens where it was
  load_generator generator{few(20), where->host, nullptr};
  const auto result = generator.run(*where, [&] { return std::optional{*parse_endpoint(second.url())}; }, -1, {});
  BOOST_REQUIRE(result);
  BOOST_TEST(result->acknowledged == 20u);
}

BOOST_AUTO_TEST_SUITE_END()
