// What a log line promises to whoever reads it with a program.
#include "runtime/log.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <nlohmann/json.hpp>

using namespace epione::runtime;

BOOST_AUTO_TEST_SUITE(log_lines)

BOOST_AUTO_TEST_CASE(a_line_has_time_level_part_event_and_its_fields) {
  const auto line = json_log_line(1'700'000'000'007, log_level::warning, "shard_region 3", "falls behind",
                                  {{"entries", std::uint64_t{12}}, {"share", 0.5}, {"serving", true}, {"term", -1}});
  BOOST_TEST(line == R"({"time":"2023-11-14T22:13:20.007Z","level":"warning","part":"shard_region 3","event":"falls behind",)"
                     R"("entries":12,"share":0.5,"serving":true,"term":-1})");
}

BOOST_AUTO_TEST_CASE(whatever_a_text_holds_the_line_is_one_line_of_json) {
  const std::string nasty =
      "quote \" backslash \\ feed \n return \r tab \t zero " + std::string(1, '\0') + " bell \x07 not utf-8 \xff\xc3( 中文";
  const auto line = json_log_line(0, log_level::error, nasty, nasty, {{nasty, std::string_view{nasty}}});
  BOOST_TEST(line.find('\n') == std::string::npos);
  const auto parsed = nlohmann::json::parse(line);
  const auto event = parsed.at("event").get<std::string>();
  BOOST_TEST(event.starts_with("quote \" backslash \\ feed \n return \r tab \t zero "));
  BOOST_TEST(event.ends_with("中文"));
  BOOST_TEST(event.find("\xef\xbf\xbd") != std::string::npos); // U+FFFD for what is not UTF-8
}

BOOST_AUTO_TEST_CASE(a_number_json_does_not_have_becomes_null) {
  const auto line = json_log_line(0, log_level::info, "p", "e", {{"x", std::numeric_limits<double>::infinity()}});
  BOOST_TEST(nlohmann::json::parse(line).at("x").is_null());
}

BOOST_AUTO_TEST_CASE(level_names_and_levels_agree) {
  for (const auto level : {log_level::debug, log_level::info, log_level::warning, log_level::error})
    BOOST_TEST((parse_log_level(to_string(level)) == level));
  BOOST_TEST(!parse_log_level("Info").has_value());
  BOOST_TEST(!parse_log_level("").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
