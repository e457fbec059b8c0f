// [channels.NAME]: what may be said, what is wrong with it, what is never shown; and that the page says the same.
#include "runtime/channels/json_template.hpp"
#include "runtime/channels/secret_file.hpp"
#include "runtime/config.hpp"
#include "tests/unit/runtime_channels/channel_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <regex>

using namespace epione;
using namespace epione::runtime;
using namespace epione::runtime::test;

namespace {

config_input from_file(std::string text, const channel_kinds& kinds) {
  config_input in;
  in.file = config_file{"epione.toml", std::move(text)};
  in.kinds = &kinds;
  return in;
}

std::vector<config_problem> problems_of(const std::string& text) {
  const auto kinds = builtin_channel_kinds();
  auto r = resolve_config(from_file(text, kinds));
  return r ? std::vector<config_problem>{} : r.error();
}

bool has(const std::vector<config_problem>& all, const std::string& place, const std::string& text) {
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& p) { return p.place == place && p.message.find(text) != std::string::npos; });
}

const std::string mail = "[channels.doctor]\nkind = \"smtp\"\nurl = \"smtp://mail.example.org:587\"\nfrom = \"e@example.org\"\n";

} // namespace

BOOST_AUTO_TEST_SUITE(channel_sections)

BOOST_AUTO_TEST_CASE(a_good_section_has_a_value_for_every_key) {
  const auto kinds = builtin_channel_kinds();
  const auto r = resolve_config(from_file(mail + "rate = \"90/min\"\ntimeout_ms = \"5 s\"\ngive_up_after_s = \"24 h\"\n", kinds));
  BOOST_REQUIRE_MESSAGE(r.has_value(), (r ? "" : r.error()[0].message));
  BOOST_REQUIRE(r->values.channels.size() == 1U);
  const auto& c = r->values.channels[0];
  BOOST_TEST(c.name == "doctor");
  BOOST_TEST(c.kind == "smtp");
  BOOST_TEST(c.number("timeout_ms") == 5'000U);
  BOOST_TEST(c.number("give_up_after_s") == 86'400U);
  BOOST_TEST(c.number("merge_from") == defaults::channel_merge_from);
  BOOST_TEST(c.text("tls") == "required");
  BOOST_TEST(c.values.at("rate").place == "epione.toml:5");
  BOOST_TEST(parse_rate(c.text("rate"))->messages == 90U);
  BOOST_TEST(parse_rate(c.text("rate"))->period_ms == 60'000U);
}

BOOST_AUTO_TEST_CASE(all_problems_are_told_at_once_with_their_places) {
  const auto all = problems_of("[channels.doctor]\nkind = \"smtp\"\nurl = \"mail.example.org\"\nfrom = \"e\"\nform = \"x\"\n"
                               "rate = \"fast\"\ntimeout_ms = 5\nconcurrency = \"2 s\"\nca_file = \"ca.pem\"\n"
                               "[channels.robot]\nkind = \"webhok\"\n[channels.none]\nrate = \"1/s\"\n");
  BOOST_TEST(has(all, "epione.toml:3", "write smtp://HOST:587"));
  BOOST_TEST(has(all, "epione.toml:4", "is not a mail address"));
  BOOST_TEST(has(all, "epione.toml:5", "the nearest is 'from'"));
  BOOST_TEST(has(all, "epione.toml:6", "\"10/s\" or \"60/min\""));
  BOOST_TEST(has(all, "epione.toml:7", "allowed is 100 to 600000 ms"));
  BOOST_TEST(has(all, "epione.toml:8", "a whole number"));
  BOOST_TEST(has(all, "epione.toml:9", "absolute path"));
  BOOST_TEST(has(all, "epione.toml:11", "there are log, smtp, webhook"));
  BOOST_TEST(has(all, "epione.toml:12", "says no kind"));
  BOOST_TEST(all.size() == 9U);
}

BOOST_AUTO_TEST_CASE(values_that_do_not_go_together_are_told) {
  BOOST_TEST(has(problems_of(mail + "username = \"e\"\n"), "epione.toml:5", "belong together"));
  BOOST_TEST(has(problems_of(mail + "tls = \"none\"\nusername = \"e\"\npassword_file = \"/p\"\n"), "epione.toml:5",
                 "readable for everybody"));
  const std::string hook = "[channels.robot]\nkind = \"webhook\"\n";
  BOOST_TEST(has(problems_of(hook), "epione.toml:1", "either url, or url_file"));
  BOOST_TEST(has(problems_of(hook), "epione.toml:1", "give a template, or one of the presets"));
  BOOST_TEST(has(problems_of(hook + "preset = \"sms\"\nurl = \"http://example.org\"\n"), "epione.toml:4", "https://"));
  BOOST_TEST(has(problems_of(hook + "preset = \"sms\"\nurl = \"https://u:p@example.org\"\n"), "epione.toml:4", "password_file"));
  BOOST_TEST(has(problems_of("[channels.log]\nkind = \"smtp\"\nurl = \"smtp://h\"\nfrom = \"e@h\"\n"), "epione.toml:2",
                 "always of kind log"));
  BOOST_TEST(has(problems_of("[channels.\"a b\"]\nkind = \"log\"\n"), "epione.toml:1", "letters, digits"));
  BOOST_TEST(has(problems_of("[channels]\ndoctor = 1\n"), "epione.toml:2", "write [channels.NAME]"));
  BOOST_TEST(has(problems_of("channels = 1\n"), "epione.toml:1", "write [channels.NAME]"));
  BOOST_TEST(has(problems_of(mail + "rate = 1.5\n"), "epione.toml:5", "a text in quotes or a whole number"));
}

BOOST_AUTO_TEST_CASE(variables_say_nothing_about_channels_and_that_is_told) {
  config_input in;
  in.environment = {{"EPIONE_CHANNELS_DOCTOR_URL", "x"}};
  const auto r = resolve_config(in);
  BOOST_REQUIRE(!r.has_value());
  BOOST_TEST(r.error()[0].message.find("[channels.NAME]") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_preset_sets_what_the_file_does_not) {
  std::vector<channel_section_problem> problems;
  const auto kinds = builtin_channel_kinds();
  auto s = check_channel(section_of("r", {{"kind", "webhook"}, {"preset", "wecom"}, {"url_file", "/u"}}), kinds, problems);
  BOOST_TEST(problems.empty());
  BOOST_TEST(s.text("answer_field") == "/errcode");
  BOOST_TEST(s.number("text_bytes_max") == 1'800U);
  s = check_channel(section_of("r", {{"kind", "webhook"}, {"preset", "wecom"}, {"url_file", "/u"}, {"text_bytes_max", "900"}}),
                    kinds, problems);
  BOOST_TEST(s.number("text_bytes_max") == 900U);
}

BOOST_AUTO_TEST_CASE(what_may_be_a_secret_in_a_url_is_not_shown) {
  BOOST_TEST(shown_url("https://qyapi.example/cgi-bin/send?key=abc") == "https://qyapi.example/cgi-bin/send?...");
  BOOST_TEST(shown_url("https://user:word@host/x") == "https://...@host/x");
  BOOST_TEST(shown_url("smtp://host:25") == "smtp://host:25");
}

BOOST_AUTO_TEST_CASE(no_kind_of_channel_means_no_channel) {
  config_input in;
  in.file = config_file{"epione.toml", "[channels.x]\nkind = \"log\"\n"};
  BOOST_TEST(!resolve_config(in).has_value());
}

// Setting UPDATE_DOCS rewrites the tables instead of comparing them.
BOOST_AUTO_TEST_CASE(the_channels_page_holds_the_tables_of_the_code) {
  const std::string path = EPIONE_SOURCE_DIR "/docs/channels.md";
  const std::string begin = "<!-- tables: written by the test -->\n", end = "<!-- end of tables -->";
  std::ifstream in{path, std::ios::binary};
  const std::string page{std::istreambuf_iterator<char>{in}, {}};
  const auto from = page.find(begin), to = page.find(end);
  BOOST_REQUIRE(from != std::string::npos);
  BOOST_REQUIRE(to != std::string::npos);
  std::string places = "| placeholder | what it stands for |\n| --- | --- |\n";
  for (const auto& [name, meaning] : json_template::placeholders())
    places += "| `{" + name + "}` | " + meaning + " |\n";
  const std::string wanted = page.substr(0, from) + begin + "\n" + channels_markdown(builtin_channel_kinds()) +
                             "\nIn the texts of a `template`:\n\n" + places + "\n" + page.substr(to);
  if (std::getenv("UPDATE_DOCS") != nullptr)
    std::ofstream{path, std::ios::binary} << wanted;
  else
    BOOST_TEST(page == wanted, "docs/channels.md is not what the code says; run this test with UPDATE_DOCS=1 to rewrite it");
}

// The examples of the page are taken as they are.
BOOST_AUTO_TEST_CASE(every_example_on_the_channels_page_is_a_good_configuration) {
  std::ifstream in{EPIONE_SOURCE_DIR "/docs/channels.md", std::ios::binary};
  const std::string page{std::istreambuf_iterator<char>{in}, {}};
  std::size_t seen = 0;
  for (auto at = page.find("```toml\n"); at != std::string::npos; at = page.find("```toml\n", at + 1), ++seen) {
    const auto text = page.substr(at + 8, page.find("```", at + 8) - at - 8);
    const auto problems = problems_of(text);
    for (const auto& p : problems)
      BOOST_ERROR(text << p.place << ' ' << p.key << ": " << p.message);
  }
  BOOST_TEST(seen >= 5U);
}

BOOST_AUTO_TEST_CASE(only_a_url_is_shortened_when_it_is_shown) {
  const auto kinds = builtin_channel_kinds();
  const auto r = resolve_config(from_file(R"([channels.doctor]
kind = "webhook"
url = "https://example.org/send?key=abc"
template = '{"text": "see https://example.org/?r={receipt}"}'
)",
                                          kinds));
  BOOST_REQUIRE(r.has_value());
  const auto& doctor = r->values.channels.at(0);
  const auto shown = [&](std::string_view name) {
    for (const auto& key : keys_of(*kinds.find("webhook")))
      if (key.name == name)
        return shown_value(doctor, key);
    return std::string{"no such key"};
  };
  BOOST_TEST(shown("url") == "https://example.org/send?...");
  BOOST_TEST(shown("template") == doctor.text("template"));
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_used_are_named_with_their_key) {
  const auto kinds = builtin_channel_kinds();
  const temporary_file good{"word\n"}, empty{""};
  const auto r = resolve_config(from_file("[channels.doctor]\nkind = \"webhook\"\nurl_file = \"" + good.path() +
                                              "\"\ntoken_file = \"" + empty.path() +
                                              "\"\nca_file = \"/nonexistent/authority\"\ntemplate = '{\"r\": \"{receipt}\"}'\n",
                                          kinds));
  BOOST_REQUIRE(r.has_value());
  const auto all = unusable_files(r->values.channels);
  BOOST_REQUIRE(all.size() == 2U); // by their keys' names
  BOOST_TEST(all[0].key == "ca_file");
  BOOST_TEST(all[0].place == "epione.toml:5");
  BOOST_TEST(all[0].why.find("/nonexistent/authority cannot be opened") != std::string::npos, all[0].why);
  BOOST_TEST(all[1].key == "token_file");
  BOOST_TEST(all[1].channel == "doctor");
}

BOOST_AUTO_TEST_SUITE_END()
