// study.toml: what is refused, and who belongs to a study.
#include "study_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

const std::string choice_item =
    R"({"linkId":"c","type":"choice","answerOption":[{"valueCoding":{"code":"x","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":1}]}}]},
       {"linkId":"n","type":"choice","answerOption":[{"valueCoding":{"code":"x"}}]},{"linkId":"i","type":"integer"},{"linkId":"s","type":"string"},
       {"linkId":"many","type":"integer","repeats":true},{"linkId":"b","type":"boolean"},{"linkId":"v","type":"choice","answerValueSet":"http://x"})";

const std::string head = "id = \"s\"\ntitle = \"T\"\nlanguages = [\"en\"]\n";
const std::string sites = "[[sites]]\nid = \"A\"\n[[sites]]\nid = \"B\"\n";
const std::string subjects = "[[subjects]]\nrange = [1, 10]\nsites = \"round-robin\"\n";
const std::string forms = "[[forms]]\nid = \"f\"\nfile = \"f.json\"\n";

study_source with_toml(const std::string& toml) {
  return {toml, {{"f.json", form_json(choice_item)}}};
}

std::string refusals(const std::string& toml) {
  return problems_of(with_toml(toml));
}
std::string refused_subjects(const std::string& text) {
  return refusals(head + sites + text + forms);
}
std::string refused_sites(const std::string& text) {
  return refusals(head + text + subjects + forms);
}
std::string refused_rest(const std::string& text) {
  return refusals(head + sites + subjects + forms + text);
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(study_toml)

BOOST_AUTO_TEST_CASE(a_small_study_compiles) {
  const auto s = compiled(with_toml(head + sites + subjects + forms));
  BOOST_TEST(s->id() == "s");
  BOOST_TEST(s->title() == "T");
}

BOOST_AUTO_TEST_CASE(a_syntax_error_has_line_and_column) {
  BOOST_TEST(mentions(refusals("id = \"s\"\ntitle = \n"), "study.toml | line 2, column "));
}

BOOST_AUTO_TEST_CASE(all_problems_of_all_files_are_told_at_once) {
  study_source source;
  source.toml = "titel = \"T\"\nlanguages = []\n[[sites]]\nid = \"A B\"\n[[subjects]]\n[[forms]]\nid = \"f\"\nfile = \"f.json\"\n"
                "[[forms]]\nid = \"g\"\nfile = \"g.json\"\n";
  source.forms = {{"f.json", form_json(R"({"type":"string"})")}, {"h.json", "{}"}};
  const auto text = problems_of(source);
  BOOST_TEST_MESSAGE(text);
  for (const auto* part :
       {"study.toml | id | it is missing", "study.toml | title | it is missing",
        "study.toml | titel (line 1) | there is no such setting", "study.toml | languages (line 2)",
        "study.toml | sites[0].id (line 4)", "study.toml | subjects[0] (line 5) | it needs either range",
        "f.json | item[0] | linkId is missing", "study.toml | forms[1] (line 9) | the study's folder has no file \"g.json\"",
        "h.json |  | no [[forms]] entry"})
    BOOST_TEST(mentions(text, part), part);
}

BOOST_AUTO_TEST_CASE(unknown_settings_are_refused_everywhere) {
  BOOST_TEST(mentions(refused_sites("[[sites]]\nid = \"A\"\ncolour = 1\n"), "sites[0].colour"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [1, 2]\nsite = \"A\"\ncolour = 1\n"), "subjects[0].colour"));
  BOOST_TEST(mentions(refused_rest("colour = 1\n"), "forms[0].colour"));
  BOOST_TEST(
      mentions(refused_rest("[[forms.scores]]\nname = \"t\"\nitems = [\"i\"]\ncolour = 1\n"), "forms[0].scores[0].colour"));
  BOOST_TEST(mentions(
      refused_rest("[[forms.scores]]\nname = \"t\"\nitems = [\"i\"]\nbands = [{ from = 1, label = \"x\", colour = 1 }]\n"),
      "forms[0].scores[0].bands[0].colour"));
  BOOST_TEST(
      mentions(refused_rest("[[alerts]]\nid = \"a\"\nform = \"f\"\nitem = \"i\"\nabove = 1\ncolour = 1\n"), "alerts[0].colour"));
}

BOOST_AUTO_TEST_CASE(sites_have_ids_of_their_own) {
  BOOST_TEST(refused_sites(sites) == "");
  BOOST_TEST(refused_sites("[[sites]]\nid = \"A\"\nname = \"Alpha\"\nzone = \"Europe/Berlin\"\n") == "");
  BOOST_TEST(mentions(refused_sites("[[sites]]\nid = \"A\"\n[[sites]]\nid = \"A\"\n"),
                      "\"A\" is there already, at sites[0].id (line 5)"));
  BOOST_TEST(mentions(refused_sites("[[sites]]\nid = \"A\"\nzone = \"Berlin\"\n"), "time zone"));
  BOOST_TEST(mentions(refused_sites("[[sites]]\nname = \"A\"\n"), "sites[0].id (line 4) | it is missing"));
  BOOST_TEST(mentions(refused_sites(""), "no sites"));
  BOOST_TEST(mentions(refused_sites("[[sites]]\ncount = 0\nprefix = \"S\"\n"), "from 1 to"));
  BOOST_TEST(mentions(refused_sites("[[sites]]\ncount = 3\n"), "prefix"));
  BOOST_TEST(mentions(refused_sites("[[sites]]\ncount = 3\nprefix = \"S\"\nid = \"A\"\n"), "remove one of both"));
  BOOST_TEST(mentions(refused_sites("sites = 3\n"), "[[sites]]"));
}

BOOST_AUTO_TEST_CASE(counted_sites_are_numbered_with_equal_width) {
  const auto s = compiled(with_toml(head + "[[sites]]\ncount = 50\nprefix = \"S\"\nname = \"Site\"\n" + subjects + forms));
  const auto& all = s->compiled().sites;
  BOOST_REQUIRE(all.size() == 50u);
  BOOST_TEST(all.front().id == "S01");
  BOOST_TEST(all.front().name == "Site 1");
  BOOST_TEST(all.back().id == "S50");
}

BOOST_AUTO_TEST_CASE(of_a_range_only_plain_numbers_are_subjects) {
  const auto s = compiled(with_toml(head + sites + "[[subjects]]\nrange = [5, 1_000_000]\nsites = \"round-robin\"\n" + forms));
  BOOST_TEST(s->site_of("5").value() == "A");
  BOOST_TEST(s->site_of("6").value() == "B");
  BOOST_TEST(s->site_of("7").value() == "A");
  BOOST_TEST(s->site_of("1000000").has_value());
  for (const auto* other : {"4", "1000001", "0", "05", "005", "+5", "-5", "5.0", "5 ", " 5", "", "five", "0x5",
                            "99999999999999999999999", "18446744073709551621", "\xef\xbc\x95"})
    BOOST_TEST(!s->site_of(other).has_value(), other);
}

BOOST_AUTO_TEST_CASE(zero_is_a_number_after_a_prefix_and_nobody_without_one) {
  const auto s = compiled(with_toml(head + sites + "[[subjects]]\nrange = [0, 3]\nprefix = \"P-\"\nsite = \"B\"\n" + forms));
  BOOST_TEST(s->site_of("P-0").value() == "B");
  BOOST_TEST(!s->site_of("P-00").has_value());
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [0, 3]\nsite = \"A\"\n"), "counts as missing"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nids = [\"0\"]\nsite = \"A\"\n"), "counts as missing"));
}

BOOST_AUTO_TEST_CASE(subjects_can_be_listed_and_ranges_can_have_prefixes) {
  const auto s = compiled(with_toml(head + sites +
                                    "[[subjects]]\nids = [\"X-1\", \"X-2\", \"X-3\"]\nsites = [\"B\", \"A\"]\n"
                                    "[[subjects]]\nrange = [1, 5]\nprefix = \"P-\"\nsite = \"A\"\n"
                                    "[[subjects]]\nrange = [6, 9]\nprefix = \"P-\"\nsite = \"B\"\n"
                                    "[[subjects]]\nrange = [1, 5]\nsite = \"B\"\n" +
                                    forms));
  BOOST_TEST(s->site_of("X-1").value() == "B");
  BOOST_TEST(s->site_of("X-2").value() == "A");
  BOOST_TEST(s->site_of("X-3").value() == "B");
  BOOST_TEST(s->site_of("P-5").value() == "A");
  BOOST_TEST(s->site_of("P-6").value() == "B");
  BOOST_TEST(s->site_of("5").value() == "B");
  for (const auto* other : {"X-4", "P-10", "P-01", "p-1", "P-", "6"})
    BOOST_TEST(!s->site_of(other).has_value(), other);
}

BOOST_AUTO_TEST_CASE(a_subject_belongs_to_one_site) {
  BOOST_TEST(
      mentions(refused_subjects("[[subjects]]\nrange = [1, 5]\nsite = \"A\"\n[[subjects]]\nrange = [5, 6]\nsite = \"A\"\n"),
               "overlaps the one at subjects[0]"));
  BOOST_TEST(refused_subjects("[[subjects]]\nrange = [1, 5]\nsite = \"A\"\n[[subjects]]\nrange = [6, 6]\nsite = \"A\"\n") == "");
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nids = [\"a\"]\nsite = \"A\"\n[[subjects]]\nids = [\"a\"]\nsite = \"B\"\n"),
                      "is there already"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nids = [\"a\", \"a\"]\nsite = \"A\"\n"), "twice"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nids = [\"3\"]\nsite = \"A\"\n[[subjects]]\nrange = [1, 5]\nsite = \"B\"\n"),
                      "lies in a range as well"));
}

BOOST_AUTO_TEST_CASE(groups_of_subjects_must_make_sense) {
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [5, 1]\nsite = \"A\"\n"), "[FIRST, LAST]"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [1]\nsite = \"A\"\n"), "[FIRST, LAST]"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = 5\nsite = \"A\"\n"), "[FIRST, LAST]"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [-1, 5]\nsite = \"A\"\n"), "[FIRST, LAST]"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [1, 1000000000000]\nsite = \"A\"\n"), "[FIRST, LAST]"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [1, 5]\nids = [\"a\"]\nsite = \"A\"\n"), "either range"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [1, 5]\n"), "round-robin"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [1, 5]\nsite = \"Z\"\n"), "no site \"Z\""));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [1, 5]\nsites = \"all\"\n"), "round-robin"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nrange = [1, 5]\nsite = \"A\"\nsites = [\"B\"]\n"), "keep one of both"));
  BOOST_TEST(
      mentions(refused_subjects("[[subjects]]\nrange = [1, 5]\nprefix = \"P1\"\nsite = \"A\"\n"), "must not end with a digit"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nids = [\"a/b\"]\nsite = \"A\"\n"), "no \"/\""));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nids = []\nsite = \"A\"\n"), "not empty"));
  BOOST_TEST(mentions(refused_subjects("[[subjects]]\nids = [1]\nsite = \"A\"\n"), "text in quotes"));
}

BOOST_AUTO_TEST_CASE(scores_must_be_computable) {
  const auto score = [](const std::string& items, const std::string& more = "") {
    return refused_rest("[[forms.scores]]\nname = \"t\"\nitems = " + items + "\n" + more);
  };
  BOOST_TEST(score("[\"c\", \"i\"]") == "");
  BOOST_TEST(mentions(score("[\"z\"]"), "forms[0].scores[0] (line 14).items | the form has no item with the linkId \"z\""));
  BOOST_TEST(mentions(score("[\"n\"]"), "\"x\" has no ordinalValue"));
  BOOST_TEST(mentions(score("[\"s\"]"), "of type string"));
  BOOST_TEST(mentions(score("[\"v\"]"), "not listed in the form"));
  BOOST_TEST(mentions(score("[\"many\"]"), "several answers"));
  BOOST_TEST(mentions(score("[]"), "not empty"));
  BOOST_TEST(mentions(score("[\"c\", \"c\"]"), "twice"));
  BOOST_TEST(mentions(score("[\"c\"]", "method = \"median\"\n"), "sum, mean, prorated, table and expression"));
  BOOST_TEST(score("[\"c\"]", "method = \"sum\"\nbands = [{ from = 0, label = \"a\" }, { from = 0.5, label = \"b\" }]\n") == "");
  BOOST_TEST(mentions(score("[\"c\"]", "bands = [{ from = 1, label = \"a\" }, { from = 1, label = \"b\" }]\n"), "must ascend"));
  BOOST_TEST(mentions(score("[\"c\"]", "bands = [{ from = nan, label = \"a\" }]\n"), "must be a number"));
  BOOST_TEST(mentions(score("[\"c\"]", "bands = [{ from = 1 }]\n"), "bands[0].label (line 17) | it is missing"));
  BOOST_TEST(mentions(score("[\"c\"]", "[[forms.scores]]\nname = \"t\"\nitems = [\"c\"]\n"), "\"t\" is there already"));
}

BOOST_AUTO_TEST_CASE(alert_rules_must_be_decidable) {
  const auto alert = [](const std::string& text) {
    return refused_rest("[[forms.scores]]\nname = \"t\"\nitems = [\"c\"]\n[[alerts]]\nid = \"a\"\nform = \"f\"\n" + text);
  };
  BOOST_TEST(alert("item = \"c\"\nabove = 0\n") == "");
  BOOST_TEST(alert("item = \"c\"\nequals = \"x\"\n") == "");
  BOOST_TEST(alert("item = \"v\"\nequals = \"any\"\n") == "");
  BOOST_TEST(alert("item = \"b\"\nequals = true\n") == "");
  BOOST_TEST(alert("score = \"t\"\nat_least = 20\n") == "");
  BOOST_TEST(mentions(alert("item = \"c\"\nscore = \"t\"\nabove = 0\n"), "either item"));
  BOOST_TEST(mentions(alert("above = 0\n"), "either item"));
  BOOST_TEST(mentions(alert("item = \"c\"\n"), "exactly one of above"));
  BOOST_TEST(mentions(alert("item = \"c\"\nabove = 0\nbelow = 5\n"), "exactly one of above"));
  BOOST_TEST(mentions(alert("item = \"z\"\nabove = 0\n"), "no item with the linkId \"z\""));
  BOOST_TEST(mentions(alert("score = \"z\"\nabove = 0\n"), "no score \"z\""));
  BOOST_TEST(mentions(alert("score = \"t\"\nequals = \"x\"\n"), "compared with a number"));
  BOOST_TEST(mentions(alert("item = \"c\"\nequals = \"z\"\n"), "no option \"z\""));
  BOOST_TEST(mentions(alert("item = \"i\"\nequals = \"z\"\n"), "only a choice"));
  BOOST_TEST(mentions(alert("item = \"i\"\nequals = true\n"), "not of type boolean"));
  BOOST_TEST(mentions(alert("item = \"n\"\nabove = 0\n"), "has no ordinalValue"));
  BOOST_TEST(mentions(alert("item = \"c\"\nabove = \"0\"\n"), "must be a number"));
  BOOST_TEST(mentions(refused_rest("[[alerts]]\nid = \"a\"\nform = \"g\"\nitem = \"c\"\nabove = 0\n"), "no form \"g\""));
  BOOST_TEST(mentions(alert("item = \"c\"\nabove = 0\n[[alerts]]\nid = \"a\"\nform = \"f\"\nitem = \"c\"\nabove = 1\n"),
                      "\"a\" is there already"));
}

BOOST_AUTO_TEST_CASE(forms_have_ids_and_files_of_their_own) {
  BOOST_TEST(mentions(refused_rest("[[forms]]\nid = \"f\"\nfile = \"g.json\"\n"), "\"f\" is there already"));
  BOOST_TEST(mentions(refused_rest("[[forms]]\nid = \"g\"\nfile = \"f.json\"\n"), "\"f.json\" is there already"));
  BOOST_TEST(mentions(refused_rest("[[forms]]\nid = \"a b\"\nfile = \"g.json\"\n"), "letters, digits"));
}

BOOST_AUTO_TEST_CASE(ids_that_would_be_ambiguous_in_the_audit_trail_are_refused) {
  for (const auto* bad : {"a/b", "", "a b", "-a", "\\u00e9"})
    BOOST_TEST(mentions(refusals("id = \"" + std::string{bad} + "\"\n"), "study.toml | id (line 1)"), bad);
  BOOST_TEST(mentions(refusals("id = \"" + std::string(65, 'a') + "\"\n"), "1 to 64"));
}

BOOST_AUTO_TEST_CASE(however_deep_study_toml_is_nested_it_is_refused_and_not_the_end_of_the_program) {
  const auto repeated = [](const std::string& part, int n) {
    std::string text;
    for (int i = 0; i < n; ++i)
      text += part;
    return text;
  };
  const std::string deep = "a key has more than 16 parts";
  BOOST_TEST(mentions(refusals(repeated("a.", 400'000) + "a = 1\n"), deep));
  BOOST_TEST(mentions(refusals("[" + repeated("a . ", 200'000) + "a]\n"), deep));
  BOOST_TEST(mentions(refusals(repeated("\"#='\\\"[\".", 90'000) + "a = 1\n"), deep));
  BOOST_TEST(mentions(refusals(repeated("'a=\"'.", 100'000) + "a = 1\n"), deep));
  BOOST_TEST(mentions(refusals("x = [{ y = \"\"\"\n'\"\"\", " + repeated("a.", 200'000) + "a = 1 }]\n"), deep));
  BOOST_TEST(mentions(refusals("x = " + repeated("[", 400'000)), "not valid TOML"));
  BOOST_TEST(mentions(refusals("x = " + repeated("{a.a.a.a.a.a.a.a = ", 50'000)), "not valid TOML"));
  BOOST_TEST(mentions(refusals("title = \"unfinished"), "not valid TOML"));
  BOOST_TEST(mentions(refusals("title = \"\"\"unfinished\\"), "not valid TOML"));
  BOOST_TEST(refusals("# " + repeated(".", 1000) + "\n" + head.substr(0, 9) + "title = \"" + repeated(".", 1000) +
                      "\"\nlanguages = ['en']\n" + sites + subjects + forms) == "");
}

BOOST_AUTO_TEST_CASE(a_studys_source_reads_back_as_it_was) {
  const study_source source{"id = \"s\"\n", {{"a.json", "{}"}, {"b.json", std::string(70'000, 'x')}}};
  const auto bytes = encode(source);
  const auto back = decode_study_source(bytes);
  BOOST_REQUIRE(back);
  BOOST_TEST(back->toml == source.toml);
  BOOST_REQUIRE(back->forms.size() == 2u);
  BOOST_TEST(back->forms[1].name == "b.json");
  BOOST_TEST((back->forms[1].text == source.forms[1].text));
  BOOST_TEST(!decode_study_source(bytes + "x"));
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5}, bytes.size() - 1})
    BOOST_TEST(!decode_study_source(std::string_view{bytes}.substr(0, size)));
  auto other = bytes;
  other[1] = 3;
  BOOST_TEST(!decode_study_source(other));
}

BOOST_AUTO_TEST_SUITE_END()
