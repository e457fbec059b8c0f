// What a person or a program gets from the command line: exit codes, data on stdout, messages on stderr.
#include "tests/unit/cli/scratch.hpp"

#include "cli/settings_flags.hpp"
#include "runtime/config.hpp"

#include <nlohmann/json.hpp>

using namespace epione::cli;
using namespace epione::cli::test;

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(help_and_version_are_data_and_done) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--help"}, {"serve", "--help"}, {"study", "import", "--help"}, {"config", "show", "--help"}, {"--version"}}) {
    const auto a = call(arguments);
    BOOST_TEST(a.code == 0);
    BOOST_TEST(!a.out.empty());
    BOOST_TEST(a.err.empty());
  }
  BOOST_TEST(call({"--version"}).out.starts_with("epione "));
}

BOOST_AUTO_TEST_CASE(help_shows_a_command_under_its_full_name) {
  BOOST_TEST(call({"study", "import", "--help"}).out.find("Usage: epione study import ") != std::string::npos);
  BOOST_TEST(call({"study", "--help"}).out.find("Usage: epione study ") != std::string::npos);
  BOOST_TEST(call({"serve", "--help"}).out.find("Usage: epione serve ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_help_of_serve_names_every_setting) {
  const auto help = call({"serve", "--help"}).out;
  for (const auto& s : epione::runtime::settings())
    BOOST_TEST(help.find(s.flag() + " ") != std::string::npos, s.flag() << " is not in the help");
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_2_with_a_message_and_no_data) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                     {"frobnicate"},
                                                                     {"serve", "--frobnicate"},
                                                                     {"study"},
                                                                     {"study", "import"},
                                                                     {"audit"},
                                                                     {"config"},
                                                                     {"serve", "--http-port", "70000"},
                                                                     {"serve", "--http", "nonsense"},
                                                                     {"serve", "--http", "0.0.0.0:80"},
                                                                     {"serve", "extra"},
                                                                     {"doctor", "--config", "/nonexistent.toml"}}) {
    const auto a = call(arguments);
    BOOST_TEST_CONTEXT((arguments.empty() ? std::string{"(nothing)"} : arguments.back())) {
      BOOST_TEST(a.code == 2);
      BOOST_TEST(a.out.empty());
      BOOST_TEST(!a.err.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(http_beyond_loopback_is_refused_with_the_reason) {
  BOOST_TEST(call({"serve", "--http", "0.0.0.0:8080"}).err.find("until sign-in exists") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_good_configuration_is_0_and_a_bad_one_4) {
  BOOST_TEST(call({"config", "check"}).code == 0);
  scratch s;
  const auto file = s.write("epione.toml", "[http]\nprot = 1\n");
  const auto a = call({"config", "check", "--config", file});
  BOOST_TEST(a.code == 4);
  BOOST_TEST(a.out.find(file + ":2") != std::string::npos);
  BOOST_TEST(a.out.find("'http.port'") != std::string::npos);
  const auto json = nlohmann::json::parse(call({"config", "check", "--json", "--config", file}).out);
  BOOST_TEST(json.at("ok") == false);
  BOOST_TEST(json.at("problems").at(0).at("key") == "http.prot");
}

BOOST_AUTO_TEST_CASE(show_tells_value_and_origin_of_every_setting) {
  scratch s;
  const auto file = s.write("epione.toml", "[http]\nport = 1001\nthreads = 2\n");
  const auto a =
      call({"config", "show", "--json", "--http", "127.0.0.1:1003"}, {{"EPIONE_CONFIG", file}, {"EPIONE_HTTP_THREADS", "4"}});
  BOOST_TEST(a.code == 0);
  const auto list = nlohmann::json::parse(a.out);
  BOOST_TEST(list.size() == epione::runtime::settings().size());
  for (const auto& item : list) {
    if (item.at("setting") == "http.port") {
      BOOST_TEST(item.at("value") == 1003);
      BOOST_TEST(item.at("origin") == "flag");
    } else if (item.at("setting") == "http.threads") {
      BOOST_TEST(item.at("value") == 4);
      BOOST_TEST(item.at("origin") == "env");
    } else if (item.at("setting") != "http.address") {
      BOOST_TEST(item.at("origin") == "default");
    }
  }
}

BOOST_AUTO_TEST_CASE(the_shard_count_of_a_directory_is_taken_from_there_unless_another_is_given) {
  scratch s;
  s.write("cluster.json", R"({"format": 1, "cluster": "c", "shards": 4})");
  const auto shards = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"config", "show", "--json", "--data-dir", s.path()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    for (const auto& item : nlohmann::json::parse(call(arguments).out))
      if (item.at("setting") == "shards.count")
        return item;
    return nlohmann::json{};
  };
  BOOST_TEST(shards({}).at("value") == 4);
  BOOST_TEST(shards({}).at("origin") == "directory");
  BOOST_TEST(shards({}).at("place") == s / "cluster.json");
  const auto expect_problem = [&](const std::vector<std::string>& more, const char* words) {
    for (const auto* verb : {"check", "show"}) {
      std::vector<std::string> arguments{"config", verb, "--data-dir", s.path()};
      arguments.insert(arguments.end(), more.begin(), more.end());
      const auto said = call(arguments);
      BOOST_TEST(said.code == 4);
      BOOST_TEST(said.out.find(words) != std::string::npos, said.out);
    }
    std::vector<std::string> doctor{"doctor", "--data-dir", s.path()};
    doctor.insert(doctor.end(), more.begin(), more.end());
    BOOST_TEST(call(doctor).out.find("cluster.json") != std::string::npos);
  };
  expect_problem({"--shards-count", "8"}, "shards.count = 4, which cannot be changed");
  for (const auto* damaged :
       {"", "{}", R"({"format": 1, "cluster": "c", "shards": 0})", R"({"format": 1, "cluster": "c", "shards": 4294967300})"}) {
    s.write("cluster.json", damaged);
    expect_problem({}, "cluster.json is damaged");
  }
}

BOOST_AUTO_TEST_CASE(a_study_goes_into_a_stopped_directory_whatever_its_shard_count) {
  scratch s;
  const auto import = [&](const std::vector<std::pair<std::string, std::string>>& environment) {
    return call({"study", "import", EPIONE_SOURCE_DIR "/examples/demo", "--data-dir", s / "data"}, environment);
  };
  BOOST_TEST(import({{"EPIONE_SHARDS_COUNT", "2"}}).code == 0);
  const auto again = import({});
  BOOST_TEST(again.code == 0, again.err);
  BOOST_TEST(again.out.find("was there already") != std::string::npos);
  const auto other = import({{"EPIONE_SHARDS_COUNT", "4"}});
  BOOST_TEST(other.code == 1);
  BOOST_TEST(other.err.find("shards.count = 2, which cannot be changed") != std::string::npos, other.err);
}

BOOST_AUTO_TEST_CASE(host_and_port_are_split_and_nonsense_is_refused) {
  BOOST_TEST(split_host_and_port("127.0.0.1:80")->port == "80");
  BOOST_TEST(split_host_and_port("[::1]:80")->host == "::1");
  for (const auto* wrong : {"", ":", "a", "a:", ":80", "::1:80", "[]:80", "[::1:80", "a:b", "a:80b"})
    BOOST_TEST(!split_host_and_port(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(doctor_finds_a_good_directory_good_and_a_file_in_its_place_a_problem) {
  scratch s;
  const auto good = call({"doctor", "--json", "--data-dir", s.path()});
  const auto json = nlohmann::json::parse(good.out);
  BOOST_TEST(json.at("findings").size() > 10U);
  for (const auto& f : json.at("findings")) {
    const auto check = f.at("check").get<std::string>();
    if (check == "data directory" || check == "permissions" || check == "SQLite" || check == "libraft" || check == "disk speed")
      BOOST_TEST(f.at("level") != "problem", check << ": " << f.at("text"));
  }
  const auto bad = call({"doctor", "--data-dir", s.write("file", "x")});
  BOOST_TEST(bad.code == 4);
  BOOST_TEST(bad.out.find("is not a directory") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(auditing_a_directory_that_is_not_there_fails) {
  scratch s;
  const auto a = call({"audit", "verify", "--data-dir", s / "nothing"});
  BOOST_TEST(a.code == 1);
  BOOST_TEST(a.out.empty());
}

BOOST_AUTO_TEST_SUITE_END()
