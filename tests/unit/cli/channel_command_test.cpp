// epione channel: what a person sees who tries a channel before relying on it.
#include "tests/support/receivers.hpp"
#include "tests/unit/cli/scratch.hpp"

#include <nlohmann/json.hpp>

using namespace epione::cli::test;
using epione::tests::mail_receiver;
using epione::tests::receiver_fault;
using epione::tests::web_receiver;

namespace {

std::string mail_config(const std::string& url) {
  return "[channels.doctor]\nkind = \"smtp\"\nurl = \"" + url +
         "\"\nfrom = \"e@example.org\"\ntls = \"none\"\ntimeout_ms = 3000\n";
}

answer channel_test(const std::string& file, const std::string& name = "doctor", const std::string& to = "wang@example.org") {
  return call({"channel", "test", name, "--to", to, "--config", file});
}

} // namespace

BOOST_AUTO_TEST_SUITE(channel_command)

BOOST_AUTO_TEST_CASE(a_test_goes_through_the_channel_and_each_step_is_shown) {
  const scratch dir;
  mail_receiver server;
  const auto a = channel_test(dir.write("epione.toml", mail_config(server.url())));
  BOOST_TEST(a.code == 0, a.err);
  BOOST_TEST(a.out.find("> MAIL FROM:<e@example.org>") != std::string::npos, a.out);
  BOOST_TEST(a.out.find("< 250 taken") != std::string::npos, a.out);
  BOOST_TEST(a.out.find("Taken by the other side") != std::string::npos);
  BOOST_REQUIRE(server.mails().size() == 1U);
  BOOST_TEST(server.mails()[0].headers("Subject").at(0) == "Epione: test of channel doctor");
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_is_told_with_its_exit_code) {
  const scratch dir;
  std::string gone;
  {
    mail_receiver server;
    const auto file = dir.write("epione.toml", mail_config(server.url()));
    server.fault = receiver_fault::refuse;
    auto a = channel_test(file);
    BOOST_TEST(a.code == 1);
    BOOST_TEST(a.err.find("550 5.1.1") != std::string::npos, a.err);
    a = channel_test(file, "doctor", "nobody");
    BOOST_TEST(a.code == 1);
    a = channel_test(file, "nurse");
    BOOST_TEST(a.code == 2);
    BOOST_TEST(a.err.find("'nurse'") != std::string::npos);
    BOOST_TEST(call({"channel", "test", "doctor", "--language", "fr", "--config", file}).code == 2);
    gone = file;
  }
  BOOST_TEST(channel_test(gone).code == 3);
  BOOST_TEST(channel_test(dir.write("bad.toml", "[channels.doctor]\nkind = \"smpt\"\n")).code == 2);
}

BOOST_AUTO_TEST_CASE(the_list_names_all_and_shows_no_secret) {
  const scratch dir;
  const auto file =
      dir.write("epione.toml", "[channels.ward]\nkind = \"webhook\"\npreset = \"wecom\"\nurl = \"https://h/send?key=abc\"\n");
  const auto a = call({"channel", "list", "--config", file});
  BOOST_TEST(a.code == 0);
  BOOST_TEST(a.out.find("ward") != std::string::npos);
  BOOST_TEST(a.out.find("log") != std::string::npos);
  BOOST_TEST(a.out.find("https://h/send?...") != std::string::npos);
  BOOST_TEST(nlohmann::json::parse(call({"channel", "list", "--json", "--config", file}).out).size() == 2U);
  for (const auto& arguments :
       {std::vector<std::string>{"config", "show", "--config", file}, {"config", "show", "--json", "--config", file}}) {
    const auto shown = call(arguments);
    BOOST_TEST(shown.code == 0);
    BOOST_TEST(shown.out.find("channels.ward.preset") != std::string::npos);
    BOOST_TEST(shown.out.find("abc") == std::string::npos);
  }
  BOOST_TEST(call({"config", "check", "--config", file}).out.find("and 1 channel.") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
