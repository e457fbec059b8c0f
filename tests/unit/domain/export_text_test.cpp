// What an export writes: every stored answer in one place, as it was, in a form that programs and spreadsheets read safely.
#include "domain/export_text.hpp"

#include "domain/date_text.hpp"
#include "tests/unit/domain/study_fixture.hpp"

#include <map>
#include <utility>

using namespace epione::domain;
using namespace epione::domain::test;
using nlohmann::json;

namespace {

using versions = std::vector<std::shared_ptr<const study>>;

const std::string items = R"({"linkId":"q2","type":"integer"},
  {"linkId":"g","type":"group","item":[{"linkId":"q10","type":"string"},{"linkId":"q1","type":"integer"}]},
  {"linkId":"many","type":"string","repeats":true},{"linkId":"yes","type":"boolean"},{"linkId":"dose","type":"quantity"},
  {"linkId":"shown","type":"display"})";
const std::string scored = "[[forms.scores]]\nname = \"sum\"\nmethod = \"sum\"\nitems = [\"q1\", \"q2\"]\n"
                           "bands = [{ from = 0, label = \"low\" }]";

submission_record record(const std::string& answers) {
  submission_record r;
  r.study = "s";
  r.subject = "7";
  r.site = "A";
  r.key = "k";
  r.id = make_receipt("s", "7", "k");
  r.form = "f";
  r.version = "2";
  r.authored = "2026-01-15T08:30:00+01:00";
  r.stored_us = 1'768'462'202'311'005;
  r.answers = content_of(json::parse(answers));
  return r;
}

/// The cells of the one row, by column; quotes and guards as they are written.
std::map<std::string, std::string> cells(const versions& all, const submission_record& r) {
  const export_columns columns{all, ""};
  csv_writer csv{columns};
  std::string row;
  const auto done = csv.append_row(row, {3, 12, r});
  BOOST_REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error()));
  BOOST_REQUIRE(row.ends_with("\r\n"));
  std::map<std::string, std::string> out;
  std::size_t column = 0;
  bool quoted = false;
  std::string cell;
  for (const char c : row.substr(0, row.size() - 2) + ",") {
    if (c == '"')
      quoted = !quoted;
    if (c != ',' || quoted) {
      cell += c;
      continue;
    }
    BOOST_REQUIRE(column < columns.names().size());
    out[columns.names()[column++]] = std::exchange(cell, {});
  }
  BOOST_TEST(column == columns.names().size());
  return out;
}

versions one_version() {
  return {compiled(source_of(items, scored))};
}

} // namespace

BOOST_AUTO_TEST_SUITE(export_text)

BOOST_AUTO_TEST_CASE(columns_are_what_all_have_then_each_forms_scores_and_questions_in_its_order) {
  const auto all = one_version();
  const export_columns columns{all, ""};
  const std::vector<std::string> wanted{"study",  "site",  "subject", "receipt", "form",   "version", "authored",
                                        "stored", "shard", "seq",     "key",     "alerts", "f:sum",   "f:sum:label",
                                        "f.q2",   "f.q10", "f.q1",    "f.many",  "f.yes",  "f.dose"};
  BOOST_TEST(columns.names() == wanted, boost::test_tools::per_element());
  csv_writer csv{columns};
  std::string header;
  csv.append_header(header);
  BOOST_TEST(header ==
             "study,site,subject,receipt,form,version,authored,stored,shard,seq,key,alerts,f:sum,f:sum:label,f.q2,f.q10,"
             "f.q1,f.many,f.yes,f.dose\r\n");
}

BOOST_AUTO_TEST_CASE(what_only_an_older_version_asked_has_a_column_behind_the_newest_ones) {
  const auto old = compiled(source_of(R"({"linkId":"gone","type":"string"},{"linkId":"q1","type":"integer"})"));
  const auto now = compiled(source_of(R"({"linkId":"new","type":"string"},{"linkId":"q1","type":"integer"})"));
  const versions all{old, now};
  const export_columns columns{all, ""};
  const std::vector<std::string> wanted{"f.new", "f.q1", "f.gone"};
  BOOST_TEST(std::vector<std::string>(columns.names().begin() + export_fixed_columns, columns.names().end()) == wanted,
             boost::test_tools::per_element());
  BOOST_TEST(cells(all, record(R"({"gone":"x","q1":1})"))["f.gone"] == "x");
}

BOOST_AUTO_TEST_CASE(two_columns_never_share_a_name) {
  const study_source source{study_toml("[[forms]]\nid = \"a\"\nfile = \"a.json\"\n[[forms]]\nid = \"a.b\"\nfile = \"ab.json\"\n"),
                            {{"a.json", form_json(R"({"linkId":"b.c","type":"string"})")},
                             {"ab.json", form_json(R"({"linkId":"c","type":"string"})")}}};
  const versions all{compiled(source)};
  const export_columns columns{all, ""};
  const std::vector<std::string> wanted{"a.b.c", "a.b.c#2"};
  BOOST_TEST(std::vector<std::string>(columns.names().begin() + export_fixed_columns, columns.names().end()) == wanted,
             boost::test_tools::per_element());
  auto r = record(R"({"c":"second"})");
  r.form = "a.b";
  auto row = cells(all, r);
  BOOST_TEST(row["a.b.c"] == "");
  BOOST_TEST(row["a.b.c#2"] == "second");
}

BOOST_AUTO_TEST_CASE(every_value_is_in_its_column) {
  auto r = record(R"({"q1":-3,"q2":2.5,"q10":"words","yes":true,"many":["a","b|c","d\\"],"dose":{"value":2,"unit":"mg"}})");
  r.scores = {{"sum", -0.5, "low"}};
  r.alerts = {{"a1"}, {"a2"}};
  auto row = cells(one_version(), r);
  BOOST_TEST(row["receipt"] == to_text(r.id));
  BOOST_TEST(row["stored"] == "2026-01-15T07:30:02.311005Z");
  BOOST_TEST(row["authored"] == r.authored);
  BOOST_TEST(row["shard"] == "3");
  BOOST_TEST(row["seq"] == "12");
  BOOST_TEST(row["alerts"] == "a1|a2");
  BOOST_TEST(row["f:sum"] == "-0.5");
  BOOST_TEST(row["f:sum:label"] == "low");
  BOOST_TEST(row["f.q1"] == "-3"); // a number is no formula
  BOOST_TEST(row["f.q2"] == "2.5");
  BOOST_TEST(row["f.q10"] == "words");
  BOOST_TEST(row["f.yes"] == "true");
  BOOST_TEST(row["f.many"] == R"(a|b\|c|d\\)");
  BOOST_TEST(row["f.dose"] == R"("{""unit"":""mg"",""value"":2}")");
}

BOOST_AUTO_TEST_CASE(what_is_not_answered_is_empty) {
  auto r = record("{}");
  r.authored = "";
  auto row = cells(one_version(), r);
  for (const auto* column : {"authored", "alerts", "f:sum", "f:sum:label", "f.q1", "f.dose"})
    BOOST_TEST(row[column] == "", column);
}

BOOST_AUTO_TEST_CASE(commas_quotes_and_line_breaks_are_quoted) {
  BOOST_TEST(cells(one_version(), record(R"({"q10":"a,\"b\"\r\nc"})"))["f.q10"] == "\"a,\"\"b\"\"\r\nc\"");
}

BOOST_AUTO_TEST_CASE(what_a_spreadsheet_takes_for_a_formula_is_guarded_and_can_be_had_back) {
  for (const std::string text : {"=1+1", "+1", "-1", "@A1", "\tx", "'quoted", "\uFF1D1", "\uFF0B1", "\uFF0D1", "\uFF201"})
    BOOST_TEST(cells(one_version(), record(json{{"q10", text}}.dump()))["f.q10"] == "'" + text, text);
  BOOST_TEST(cells(one_version(), record(R"({"q10":"=a,b"})"))["f.q10"] == "\"'=a,b\"");
  BOOST_TEST(cells(one_version(), record(R"({"q10":"\n=a"})"))["f.q10"] == "\"'\n=a\"");
  BOOST_TEST(cells(one_version(), record(R"({"many":["=a","b"]})"))["f.many"] == "'=a|b");
  BOOST_TEST(cells(one_version(), record(R"({"q10":"a=b"})"))["f.q10"] == "a=b");
  auto r = record("{}");
  r.key = "=k";
  BOOST_TEST(cells(one_version(), r)["key"] == "'=k"); // what a phone chose
}

BOOST_AUTO_TEST_CASE(what_has_no_column_is_named_and_nothing_is_written) {
  const auto all = one_version();
  const export_columns columns{all, ""};
  csv_writer csv{columns};
  std::string out = "before";
  const auto refused = [&](const submission_record& r, const std::string& word) {
    const auto done = csv.append_row(out, {1, 1, r});
    BOOST_REQUIRE(!done);
    BOOST_TEST(done.error().find(word) != std::string::npos, done.error());
    BOOST_TEST(done.error().find("secret") == std::string::npos);
    BOOST_TEST(out == "before");
  };
  refused(record(R"({"q1":1,"zz":"secret"})"), "\"zz\"");
  refused(record(R"({"g":"secret"})"), "\"g\"");
  auto other = record("{}");
  other.form = "other";
  refused(other, "\"other\"");
  auto score = record("{}");
  score.scores = {{"mean", 1, ""}};
  refused(score, "\"mean\"");
  auto damaged = record("{}");
  damaged.answers = "\x81\xa2q1";
  refused(damaged, "damaged");
  BOOST_TEST(!append_ndjson(out, {1, 1, damaged}));
  BOOST_TEST(out == "before");
}

BOOST_AUTO_TEST_CASE(one_form_alone_has_only_its_columns) {
  const study_source source{
      study_toml("[[forms]]\nid = \"a\"\nfile = \"a.json\"\n[[forms]]\nid = \"b\"\nfile = \"b.json\"\n"),
      {{"a.json", form_json(R"({"linkId":"x","type":"string"})")}, {"b.json", form_json(R"({"linkId":"y","type":"string"})")}}};
  const versions all{compiled(source)};
  const export_columns columns{all, "b"};
  BOOST_TEST(columns.names().size() == export_fixed_columns + 1);
  BOOST_TEST(columns.names().back() == "b.y");
}

BOOST_AUTO_TEST_CASE(a_line_of_ndjson_is_the_whole_submission) {
  auto r = record(R"({"q1":-3,"q10":"=\"x\"\n","many":["a","b"]})");
  r.scores = {{"sum", 2.5, "low"}};
  r.alerts = {{"a1"}};
  std::string out;
  BOOST_REQUIRE(append_ndjson(out, {3, 12, r}));
  BOOST_TEST(std::count(out.begin(), out.end(), '\n') == 1);
  BOOST_TEST(json::parse(out) == (json{{"study", "s"},
                                       {"site", "A"},
                                       {"subject", "7"},
                                       {"receipt", to_text(r.id)},
                                       {"form", "f"},
                                       {"version", "2"},
                                       {"authored", r.authored},
                                       {"stored", "2026-01-15T07:30:02.311005Z"},
                                       {"shard", 3},
                                       {"seq", 12},
                                       {"key", "k"},
                                       {"answers", {{"q1", -3}, {"q10", "=\"x\"\n"}, {"many", {"a", "b"}}}},
                                       {"scores", {{{"name", "sum"}, {"value", 2.5}, {"label", "low"}}}},
                                       {"alerts", {{{"rule", "a1"}}}}}));
  r.authored = "";
  out.clear();
  BOOST_REQUIRE(append_ndjson(out, {3, 12, r}));
  BOOST_TEST(json::parse(out).at("authored").is_null());
}

BOOST_AUTO_TEST_CASE(a_line_of_an_amendment_says_that_it_is_one) {
  const auto r = record(R"({"q1":-3})");
  amendment a;
  a.version = 2;
  a.after = r;
  a.who = "fhir:nurse";
  a.reason = "misread";
  std::string out;
  BOOST_REQUIRE(append_ndjson(out, {3, 13, r, &a}));
  const json wanted{{"version", 2}, {"who", "fhir:nurse"}, {"reason", "misread"}, {"status", "completed"}};
  BOOST_TEST(json::parse(out)["amendment"] == wanted);
}

BOOST_AUTO_TEST_CASE(times_are_written_with_all_their_microseconds) {
  const auto text = [](std::int64_t us) {
    std::string out;
    append_rfc3339_us(out, us);
    return out;
  };
  BOOST_TEST(text(0) == "1970-01-01T00:00:00.000000Z");
  BOOST_TEST(text(-1) == "1969-12-31T23:59:59.999999Z");
  BOOST_TEST(text(1'709'251'199'000'001) == "2024-02-29T23:59:59.000001Z");
  BOOST_TEST(is_rfc3339(text(1'768'462'202'311'005)));
  BOOST_TEST(parse_fhir_date_time(text(1'768'462'202'311'005))->first == 1'768'462'202'311'005);
}

BOOST_AUTO_TEST_CASE(the_action_of_an_event_is_seen_without_decoding_it) {
  BOOST_TEST(*action_of(encode_submission_event(record("{}"))) == submission_action);
  BOOST_TEST(*action_of(encode(event{1, "w", "r", "study.import", "e", "", "", ""})) == study_import_action);
  BOOST_TEST(!action_of("nonsense"));
}

BOOST_AUTO_TEST_SUITE_END()
