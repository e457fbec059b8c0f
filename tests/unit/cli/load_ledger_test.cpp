#include "cli/load_ledger.hpp"
#include "scratch.hpp"

#include <filesystem>

using namespace epione::cli;
namespace domain = epione::domain;

namespace {

domain::receipt receipt_of(std::uint8_t x) {
  domain::receipt r;
  r.bytes.fill(x);
  return r;
}

load_plan plan_of(std::uint64_t run) {
  return {run, run * 10, 1000, 20'000, load_forms::mixed};
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_ledger_test)

BOOST_AUTO_TEST_CASE(what_two_runs_wrote_is_read_back) {
  const test::scratch scratch;
  const auto path = scratch / "ledger";
  for (const std::uint64_t run : {1u, 2u}) {
    auto writer = load_ledger_writer::open(path, plan_of(run));
    BOOST_REQUIRE(writer);
    for (std::uint64_t i = 0; i < 5000; ++i)
      writer->append(i % 3 == 0 ? load_outcome::refused : load_outcome::acknowledged, i % 3 == 0 ? 503 : 202, i + run,
                     receipt_of(static_cast<std::uint8_t>(i)));
  }
  const auto ledger = load_ledger::read(path);
  BOOST_REQUIRE(ledger);
  BOOST_REQUIRE(ledger->runs().size() == 2u);
  BOOST_TEST(ledger->runs()[1].run == 2u);
  BOOST_TEST(ledger->runs()[1].seed == 20u);
  BOOST_TEST(ledger->runs()[1].subjects == 1000u);
  BOOST_TEST(ledger->runs()[1].alerts_ppm == 20'000u);
  BOOST_TEST((ledger->runs()[1].forms == load_forms::mixed));
  BOOST_REQUIRE(ledger->size() == 10'000u);
  const auto last = (*ledger)[9'997];
  BOOST_TEST((last.outcome == load_outcome::acknowledged));
  BOOST_TEST(last.status == 202);
  BOOST_TEST(last.run == 1u);
  BOOST_TEST(last.counter == 4999u);
  BOOST_TEST((last.id == receipt_of(static_cast<std::uint8_t>(4997 & 0xFF))));
  BOOST_TEST((ledger->operator[](0).outcome == load_outcome::refused));
}

BOOST_AUTO_TEST_CASE(a_record_cut_short_is_overlooked_and_the_next_run_is_in_step) {
  const test::scratch scratch;
  const auto path = scratch / "ledger";
  {
    auto writer = load_ledger_writer::open(path, plan_of(1));
    writer->append(load_outcome::acknowledged, 202, 1, receipt_of(1));
    writer->append(load_outcome::acknowledged, 202, 2, receipt_of(2));
  }
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 5);
  BOOST_TEST(load_ledger::read(path)->size() == 1u);
  {
    auto writer = load_ledger_writer::open(path, plan_of(2));
    writer->append(load_outcome::acknowledged, 202, 3, receipt_of(3));
  }
  const auto ledger = load_ledger::read(path);
  BOOST_REQUIRE(ledger);
  BOOST_REQUIRE(ledger->size() == 2u);
  BOOST_TEST(ledger->operator[](1).run == 1u);
  BOOST_TEST(ledger->operator[](1).counter == 3u);
}

BOOST_AUTO_TEST_CASE(a_ledger_in_memory_is_read_through_its_descriptor) {
  auto writer = load_ledger_writer::open("", plan_of(1));
  BOOST_REQUIRE(writer);
  writer->append(load_outcome::unknown, 0, 7, {});
  BOOST_TEST(writer->flush());
  const auto ledger = load_ledger::read_descriptor(writer->descriptor(), "memory");
  BOOST_REQUIRE(ledger);
  BOOST_REQUIRE(ledger->size() == 1u);
  BOOST_TEST((ledger->operator[](0).outcome == load_outcome::unknown));
}

BOOST_AUTO_TEST_CASE(what_is_no_ledger_is_refused) {
  const test::scratch scratch;
  BOOST_TEST(!load_ledger::read(scratch / "absent"));
  BOOST_TEST(!load_ledger::read(scratch.write("empty", "")));
  BOOST_TEST(!load_ledger::read(scratch.write("text", std::string(64, 'x'))));
}

BOOST_AUTO_TEST_SUITE_END()
