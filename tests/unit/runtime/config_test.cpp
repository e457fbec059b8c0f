// Which value wins, what is refused, and that code, help and documentation say the same.
#include "runtime/config.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

using namespace epione::runtime;

namespace {

config_input from_file(std::string text) {
  config_input in;
  in.file = config_file{"epione.toml", std::move(text)};
  return in;
}

config_input::flag_value flag(const std::string& name, const std::string& value) {
  return {name, value, find_setting(name)->flag()};
}

resolved_config resolved(const config_input& in) {
  auto r = resolve_config(in);
  BOOST_REQUIRE_MESSAGE(r.has_value(), (r ? "" : r.error().front().place + ": " + r.error().front().message));
  return *r;
}

std::vector<config_problem> refused(const config_input& in) {
  auto r = resolve_config(in);
  BOOST_REQUIRE(!r.has_value());
  return r.error();
}

resolved_config::source source_of(const resolved_config& r, std::string_view name) {
  return r.sources.at(static_cast<std::size_t>(find_setting(name) - settings().data()));
}

std::string contents(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  BOOST_REQUIRE_MESSAGE(in.good(), path << " cannot be read");
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(configuration)

BOOST_AUTO_TEST_CASE(nothing_said_gives_the_defaults) {
  const auto r = resolved({});
  BOOST_TEST(r.values.http.port == defaults::http_port);
  BOOST_TEST(r.values.batch.bytes_max == defaults::batch_bytes_max);
  for (const auto& s : r.sources)
    BOOST_TEST((s.origin == config_origin::standard));
}

BOOST_AUTO_TEST_CASE(flag_wins_over_environment_over_file_over_default) {
  auto in = from_file("[http]\nport = 1001\nthreads = 3\nidle_limit_ms = 500\n");
  in.environment = {{"EPIONE_HTTP_PORT", "1002"}, {"EPIONE_HTTP_THREADS", "4"}, {"PATH", "/bin"}};
  in.flags = {flag("http.port", "1003")};
  const auto r = resolved(in);
  BOOST_TEST(r.values.http.port == 1003U);
  BOOST_TEST(r.values.http.threads == 4U);
  BOOST_TEST(r.values.http.idle_limit_ms == 500U);
  BOOST_TEST(r.values.validators.count == defaults::validators);
  BOOST_TEST((source_of(r, "http.port").origin == config_origin::flag));
  BOOST_TEST((source_of(r, "http.threads").origin == config_origin::environment));
  BOOST_TEST(source_of(r, "http.threads").place == "EPIONE_HTTP_THREADS");
  BOOST_TEST((source_of(r, "http.idle_limit_ms").origin == config_origin::file));
  BOOST_TEST(source_of(r, "http.idle_limit_ms").place == "epione.toml:4");
}

BOOST_AUTO_TEST_CASE(an_unknown_key_names_file_line_key_and_the_nearest_known_one) {
  const auto problems = refused(from_file("[http]\nport = 1\nbody_byte_max = 5000\n"));
  BOOST_REQUIRE_EQUAL(problems.size(), 1U);
  BOOST_TEST(problems[0].place == "epione.toml:3");
  BOOST_TEST(problems[0].key == "http.body_byte_max");
  BOOST_TEST(problems[0].message.find("'http.body_bytes_max'") != std::string::npos, problems[0].message);
}

BOOST_AUTO_TEST_CASE(a_key_in_the_wrong_section_is_told_the_right_one) {
  const auto problems = refused(from_file("[session]\napply_rows_max = 5\n"));
  BOOST_REQUIRE_EQUAL(problems.size(), 1U);
  BOOST_TEST(problems[0].message.find("'storage.apply_rows_max'") != std::string::npos, problems[0].message);
}

BOOST_AUTO_TEST_CASE(a_key_outside_a_section_is_unknown) {
  BOOST_TEST(refused(from_file("port = 5\n"))[0].message.find("'http.port'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unknown_variable_of_ours_is_refused) {
  config_input in;
  in.environment = {{"EPIONE_HTTP_PROT", "1"}, {"EPIONE_CONFIG", "x.toml"}};
  const auto problems = refused(in);
  BOOST_REQUIRE_EQUAL(problems.size(), 1U);
  BOOST_TEST(problems[0].message.find("EPIONE_HTTP_PORT") != std::string::npos, problems[0].message);
}

BOOST_AUTO_TEST_CASE(all_problems_are_listed_at_once) {
  auto in = from_file("[http]\nport = 70000\nfoo = 1\n[log]\nlevel = \"loud\"\n");
  in.environment = {{"EPIONE_SHARDS_COUNT", "0"}};
  in.flags = {flag("readers.count", "many")};
  BOOST_TEST(refused(in).size() == 5U);
}

BOOST_AUTO_TEST_CASE(every_number_is_held_to_its_range) {
  for (const auto& s : settings()) {
    if (s.unit.empty())
      continue;
    BOOST_TEST_CONTEXT(s.name) {
      config_input above;
      above.flags = {flag(std::string{s.name}, std::to_string(s.maximum + 1))};
      const auto problems = refused(above);
      BOOST_TEST(problems[0].message.find(std::to_string(s.maximum)) != std::string::npos);
      if (s.minimum > 0) {
        config_input below;
        below.flags = {flag(std::string{s.name}, std::to_string(s.minimum - 1))};
        refused(below);
      }
      BOOST_TEST(std::stoull(s.value(config{})) >= s.minimum);
      BOOST_TEST(std::stoull(s.value(config{})) <= s.maximum);
      if (std::holds_alternative<std::uint32_t& (*)(config&)>(s.where))
        BOOST_TEST(s.maximum <= UINT32_MAX);
    }
  }
}

BOOST_AUTO_TEST_CASE(numbers_may_carry_a_fitting_unit) {
  config_input in;
  in.flags = {flag("http.body_bytes_max", "128 KiB"), flag("stop.limit_ms", "10s"), flag("http.retry_after_s", "2 min")};
  const auto r = resolved(in);
  BOOST_TEST(r.values.http.body_bytes_max == 131'072U);
  BOOST_TEST(r.values.stop.limit_ms == 10'000U);
  BOOST_TEST(r.values.http.retry_after_s == 120U);
  for (const auto* wrong : {"10 KiB", "-1", "1.5", "", "s", "99999999999999999999", "18446744073709551615 min", "10 s x"}) {
    config_input bad;
    bad.flags = {flag("stop.limit_ms", wrong)};
    refused(bad);
  }
}

BOOST_AUTO_TEST_CASE(http_stays_on_loopback) {
  for (const auto* address : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) {
    config_input in;
    in.flags = {flag("http.address", address)};
    resolved(in);
  }
  for (const auto* address : {"0.0.0.0", "192.168.1.5", "::", "fe80::1", "example", ""}) {
    config_input in;
    in.flags = {flag("http.address", address)};
    refused(in);
  }
  config_input in;
  in.flags = {flag("http.address", "0.0.0.0")};
  BOOST_TEST(refused(in)[0].message.find("until sign-in exists") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_batch_must_hold_the_largest_body) {
  const auto problems = refused(from_file("[http]\nbody_bytes_max = \"2 MiB\"\n"));
  BOOST_REQUIRE_EQUAL(problems.size(), 1U);
  BOOST_TEST(problems[0].key == "batch.bytes_max");
  BOOST_TEST(problems[0].place == "epione.toml:2");
}

BOOST_AUTO_TEST_CASE(the_files_of_the_links_come_together_and_with_their_whole_path) {
  const auto problems = refused(from_file("[peers]\ncertificate = \"/etc/a.crt\"\nkey = \"/etc/a.key\"\n"));
  BOOST_REQUIRE_EQUAL(problems.size(), 1U);
  BOOST_TEST(problems[0].key == "peers.authorities");
  BOOST_TEST(problems[0].place == "epione.toml:2");
  const auto relative = refused(from_file("[peers]\ncertificate = \"a.crt\"\nkey = \"/k\"\nauthorities = \"/a\"\n"));
  BOOST_TEST(relative[0].message.find("not an absolute path") != std::string::npos);
  refused(from_file("[peers]\naddress = \"node-a\"\n"));
}

BOOST_AUTO_TEST_CASE(the_journal_has_a_place_for_every_shard_and_the_catalog) {
  BOOST_TEST(find_setting("shards.count")->maximum + 1 == defaults::journal_groups_max);
}

BOOST_AUTO_TEST_CASE(what_is_not_toml_is_refused_with_its_line) {
  const auto problems = refused(from_file("[http]\nport = = 5\n"));
  BOOST_REQUIRE_EQUAL(problems.size(), 1U);
  BOOST_TEST(problems[0].place == "epione.toml:2");
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_refused) {
  BOOST_TEST(!read_config_file("/nonexistent/epione.toml").has_value());
  BOOST_TEST(!read_config_file("/").has_value());
}

BOOST_AUTO_TEST_CASE(names_are_unique_in_all_their_forms) {
  std::set<std::string> names, variables, flags;
  for (const auto& s : settings()) {
    BOOST_TEST(names.insert(std::string{s.name}).second);
    BOOST_TEST(variables.insert(s.environment()).second);
    BOOST_TEST(flags.insert(s.flag()).second);
    BOOST_TEST(!s.meaning.empty());
  }
}

// Setting UPDATE_DOCS rewrites the tables instead of comparing them.
BOOST_AUTO_TEST_CASE(the_limits_page_holds_the_tables_of_the_code) {
  const std::string path = EPIONE_SOURCE_DIR "/docs/limits.md";
  const std::string begin = "<!-- tables: written by the test -->\n", end = "<!-- end of tables -->";
  const std::string page = contents(path);
  const auto from = page.find(begin), to = page.find(end);
  BOOST_REQUIRE(from != std::string::npos);
  BOOST_REQUIRE(to != std::string::npos);
  const std::string wanted = page.substr(0, from) + begin + "\n" + settings_markdown() + "\n" + page.substr(to);
  if (std::getenv("UPDATE_DOCS") != nullptr)
    std::ofstream{path, std::ios::binary} << wanted;
  else
    BOOST_TEST(page == wanted, "docs/limits.md is not what the code says; run this test with UPDATE_DOCS=1 to rewrite it");
}

BOOST_AUTO_TEST_CASE(every_number_in_defaults_is_a_setting_or_a_fixed_limit) {
  std::set<std::string> known;
  for (const auto& s : settings())
    known.emplace(s.constant);
  for (const auto& f : fixed_limits())
    known.emplace(f.constant);
  for (const auto& k : common_channel_keys())
    known.emplace(k.constant);
  known.emplace("channel_log_rate"); // of the kind log
  const std::string text = contents(EPIONE_SOURCE_DIR "/runtime/defaults.hpp");
  const std::regex constant{R"(inline constexpr [^=;]*?(\w+) =)"};
  std::size_t seen = 0;
  for (std::sregex_iterator at{text.begin(), text.end(), constant}, last; at != last; ++at, ++seen)
    BOOST_TEST(known.contains((*at)[1].str()),
               (*at)[1].str() << " is in defaults.hpp but neither in settings() nor in fixed_limits() (runtime/settings.cpp)");
  BOOST_TEST(seen >= 30U);
}

BOOST_AUTO_TEST_SUITE_END()
