// [[recipients]] and [[routes]]: what is refused, and who is told of what.
#include "study_fixture.hpp"

#include "domain/limits.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

const std::string form = R"({"linkId":"i","type":"integer"},{"linkId":"k","type":"integer"})";
const std::string alerts = R"(
[[alerts]]
id = "low"
form = "f"
item = "i"
below = 3
[[alerts]]
id = "high"
form = "f"
item = "k"
above = 7
)";
const std::string lee = "[[recipients]]\nid = \"lee\"\nrole = \"doctor\"\nsites = [\"A\"]\n";
const std::string roy = "[[recipients]]\nid = \"roy\"\nrole = \"doctor\"\nsites = [\"B\"]\n";
const std::string ann = "[[recipients]]\nid = \"ann\"\nrole = \"doctor\"\n";

study_source with_rest(const std::string& rest) {
  return source_of(form, "", alerts + rest);
}
std::string refused(const std::string& rest) {
  return problems_of(with_rest(rest));
}
std::string route(const std::string& rest) {
  return "[[routes]]\n" + rest + "\n";
}
bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// "rule>channel>recipient" with a "!" when urgent, one a word.
std::string plans(const study& s, std::string_view site, const std::vector<alert>& raised, std::string_view of_form = "f") {
  std::string text;
  for (const auto& n : s.plan_notices(site, of_form, raised))
    text += (text.empty() ? "" : " ") + n.rule + ">" + n.channel + ">" + n.recipient + (n.urgent ? "!" : "");
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(notice_routes_suite)

BOOST_AUTO_TEST_CASE(without_routes_nobody_is_told) {
  BOOST_TEST(plans(*compiled(with_rest("")), "A", {{"low"}}) == "");
  BOOST_TEST(compiled(with_rest(""))->find_recipient("lee") == nullptr);
}

BOOST_AUTO_TEST_CASE(an_alert_reaches_its_role_at_the_subjects_site_and_those_of_all_sites) {
  const auto s =
      compiled(with_rest(lee + ann + roy + route("on = \"alert\"\nrole = \"doctor\"\nchannels = [\"mail\", \"sms\"]")));
  BOOST_TEST(plans(*s, "A", {{"low"}}) == "low>mail>lee! low>sms>lee! low>mail>ann! low>sms>ann!");
  BOOST_TEST(plans(*s, "B", {{"low"}}) == "low>mail>ann! low>sms>ann! low>mail>roy! low>sms>roy!");
  BOOST_TEST(plans(*s, "A", {}) == "");
  BOOST_TEST(plans(*s, "nowhere", {{"low"}}) == "");
}

BOOST_AUTO_TEST_CASE(plans_come_in_the_order_of_alerts_and_routes_and_each_only_once) {
  const auto s =
      compiled(with_rest(lee + ann + roy + route("on = \"submission\"\nrecipient = \"ann\"\nchannels = [\"mail\"]") +
                         route("on = \"alert\"\nrule = \"high\"\nrecipient = \"ann\"\nchannels = [\"mail\"]\nurgent = false") +
                         route("on = \"alert\"\nform = \"f\"\nrecipient = \"ann\"\nchannels = [\"sms\", \"mail\"]")));
  BOOST_TEST(plans(*s, "A", {{"high"}, {"low"}}) == "high>mail>ann! high>sms>ann! low>sms>ann! low>mail>ann! >mail>ann");
  BOOST_TEST(plans(*s, "A", {}) == ">mail>ann");
}

BOOST_AUTO_TEST_CASE(a_route_is_kept_to_its_site_form_and_rule) {
  const auto s =
      compiled(with_rest(lee + roy + ann + route("on = \"alert\"\nsite = \"B\"\nrole = \"doctor\"\nchannels = [\"m\"]") +
                         route("on = \"submission\"\nform = \"f\"\nsite = \"A\"\nrecipient = \"lee\"\nchannels = [\"m\"]")));
  BOOST_TEST(plans(*s, "A", {{"low"}}) == ">m>lee");
  BOOST_TEST(plans(*s, "B", {{"low"}}) == "low>m>roy! low>m>ann!");
  BOOST_TEST(plans(*s, "A", {}, "another") == "");
}

BOOST_AUTO_TEST_CASE(a_recipient_of_some_sites_hears_nothing_of_others) {
  const auto s = compiled(with_rest(lee + route("on = \"submission\"\nrecipient = \"lee\"\nchannels = [\"m\"]")));
  BOOST_TEST(plans(*s, "A", {}) == ">m>lee");
  BOOST_TEST(plans(*s, "B", {}) == "");
}

BOOST_AUTO_TEST_CASE(a_recipient_has_what_its_table_says) {
  const auto s = compiled(with_rest("[[recipients]]\nid = \"lee\"\nrole = \"doctor\"\nsites = \"all\"\nlanguage = \"zh-Hant\"\n"
                                    "zone = \"Asia/Shanghai\"\nquiet = \"22:30-07:05\"\n"
                                    "addresses = { mail = \"lee@example.org\", sms = \"+49 30 1\" }\n" +
                                    ann));
  const auto* r = s->find_recipient("lee");
  BOOST_REQUIRE(r != nullptr);
  BOOST_TEST(r->role == "doctor");
  BOOST_TEST(r->language == "zh-Hant");
  BOOST_TEST(r->zone == "Asia/Shanghai");
  BOOST_REQUIRE(r->quiet.has_value());
  BOOST_TEST(r->quiet->from_min == 22u * 60 + 30);
  BOOST_TEST(r->quiet->to_min == 7u * 60 + 5);
  BOOST_REQUIRE(r->addresses.size() == 2u);
  BOOST_TEST(r->addresses[0].first == "mail");
  BOOST_TEST(r->addresses[0].second == "lee@example.org");
  const auto* other = s->find_recipient("ann");
  BOOST_REQUIRE(other != nullptr);
  BOOST_TEST(other->language == "en"); // the study's first one
  BOOST_TEST(other->zone == "UTC");
  BOOST_TEST(!other->quiet.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_recipient_is_told_with_its_place) {
  const auto text = refused("[[recipients]]\nid = \"a b\"\nsites = [\"C\"]\nlanguage = \"e\"\nzone = \"Berlin\"\n"
                            "quiet = \"22-7\"\naddresses = { \"m m\" = \"x\", k = \"\" }\ncolour = 1\n" +
                            lee + lee);
  for (const auto* part : {"recipients[0].id", "the study has no site \"C\"", "recipients[0].language", "recipients[0].zone",
                           "recipients[0].quiet", "two different times of day", "a channel's name", "recipients[0].addresses.k",
                           "recipients[0].colour", "\"lee\" is there already, at recipients[1].id"})
    BOOST_TEST(mentions(text, part), part << " is not in " << text);
  for (const auto* quiet : {"22:00", "22:00-22:00", "24:00-07:00", "22:60-07:00", "2200-0700x", "-1:00-07:00", "22:00_07:00"})
    BOOST_TEST(mentions(refused("[[recipients]]\nid = \"x\"\nquiet = \"" + std::string{quiet} + "\"\n"), ".quiet"), quiet);
  BOOST_TEST(mentions(refused("[[recipients]]\nid = \"x\"\nsites = \"some\"\n"), "\"all\" or a list"));
  BOOST_TEST(mentions(refused("[[recipients]]\nid = \"x\"\naddresses = \"y\"\n"), "it must be a table"));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_route_is_told_with_its_place) {
  const auto text =
      refused(ann + route("on = \"weather\"\nrole = \"doctor\"\nrecipient = \"ann\"\nchannels = [\"m\"]\nurgent = 1") +
              route("on = \"submission\"\nrule = \"low\"\nform = \"g\"\nrecipient = \"bob\"\nchannels = [\"m m\"]") +
              route("on = \"alert\"\nrule = \"none\"\nsite = \"C\"\nrole = \"nurse\"\nchannels = []\ncolour = 1"));
  for (const auto* part :
       {"routes[0].on", "either role", "routes[0].urgent", "routes[1].rule", "the study has no form \"g\"",
        "the study has no recipient \"bob\"", "\"m m\" must be 1 to", "the study has no alert \"none\"",
        "the study has no site \"C\"", "no recipient has the role \"nurse\"", "routes[2].channels", "routes[2].colour"})
    BOOST_TEST(mentions(text, part), part << " is not in " << text);
}

BOOST_AUTO_TEST_CASE(a_rule_of_another_form_is_told) {
  auto source = with_rest(ann + route("on = \"alert\"\nform = \"g\"\nrule = \"low\"\nrecipient = \"ann\"\nchannels = [\"m\"]") +
                          "[[forms]]\nid = \"g\"\nfile = \"g.json\"\n");
  source.forms.push_back({"g.json", form_json(form)});
  BOOST_TEST(mentions(problems_of(source), "the alert \"low\" is one of the form \"f\""));
}

BOOST_AUTO_TEST_CASE(an_alert_that_would_reach_nobody_somewhere_is_told_and_an_ordinary_submission_is_not) {
  BOOST_TEST(mentions(refused(lee + route("on = \"alert\"\nrole = \"doctor\"\nchannels = [\"m\"]")),
                      "nobody of the role \"doctor\" would be told of alerts at: B;"));
  BOOST_TEST(refused(lee + route("on = \"submission\"\nrole = \"doctor\"\nchannels = [\"m\"]")) == "");
  BOOST_TEST(mentions(refused(lee + route("on = \"submission\"\nsite = \"B\"\nrole = \"doctor\"\nchannels = [\"m\"]")),
                      "of the site \"B\""));
  BOOST_TEST(mentions(refused(lee + route("on = \"alert\"\nsite = \"B\"\nrecipient = \"lee\"\nchannels = [\"m\"]")),
                      "its recipient is not one of the site \"B\""));
}

BOOST_AUTO_TEST_CASE(an_address_forgotten_among_others_is_told_and_none_at_all_is_not) {
  const auto to_ann = route("on = \"alert\"\nrole = \"doctor\"\nchannels = [\"mail\", \"sms\"]");
  BOOST_TEST(refused(ann + to_ann) == "");
  const auto text = refused(ann + "addresses = { mail = \"a@example.org\" }\n" + to_ann);
  BOOST_TEST(mentions(text, "study.toml | recipients[0] (line "));
  BOOST_TEST(mentions(text, "no address for the channel \"sms\" of routes[0]"));
  BOOST_TEST(refused(ann + "addresses = { mail = \"a@example.org\", sms = \"1\" }\n" + to_ann) == "");
  BOOST_TEST(mentions(refused(ann + "addresses = { mail = \"" + std::string(limits::address_bytes_max + 1, 'a') + "\" }\n"),
                      "320 bytes at most"));
}

BOOST_AUTO_TEST_CASE(a_submission_sets_off_a_limited_number_of_notices) {
  std::string many;
  for (std::size_t i = 0; i <= limits::notices_max / 4; ++i) // two alerts, two channels
    many += "[[recipients]]\nid = \"r" + std::to_string(i) + "\"\nrole = \"doctor\"\n";
  const auto text = refused(many + route("on = \"alert\"\nrole = \"doctor\"\nchannels = [\"mail\", \"sms\"]"));
  BOOST_TEST(mentions(text, "could set off 260 notices; 256 is the most"));
  BOOST_TEST(refused(many + route("on = \"alert\"\nrole = \"doctor\"\nchannels = [\"mail\"]")) == "");
}

BOOST_AUTO_TEST_CASE(lanes_differ_by_study_channel_recipient_and_urgency) {
  const auto lane = notice_lane("s", "mail", "lee", true);
  BOOST_TEST(lane == notice_lane("s", "mail", "lee", true));
  BOOST_TEST(lane != notice_lane("t", "mail", "lee", true));
  BOOST_TEST(lane != notice_lane("s", "sms", "lee", true));
  BOOST_TEST(lane != notice_lane("s", "mail", "roy", true));
  BOOST_TEST(lane != notice_lane("s", "mail", "lee", false));
  BOOST_TEST(lane != notice_lane("s", "mailee", "l", true));
}

BOOST_AUTO_TEST_SUITE_END()
