// Whole QuestionnaireResponses: structure, types, and what is asked and missing; each rule both ways.
#include "response_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

const std::string wrong = "error invariant a item[0].answer[0].value";
const std::string malformed = "error invalid a item[0].answer[0].value";

const std::string group = R"({"linkId":"g","type":"group","item":[{"linkId":"a","type":"string","required":true},
                                                                  {"linkId":"b","type":"string"}]})";
const std::string string_x = R"("answer":[{"valueString":"x"}])";

} // namespace

BOOST_AUTO_TEST_SUITE(questionnaire_response)

BOOST_AUTO_TEST_CASE(each_type_is_answered_with_its_own_value) {
  const std::vector<std::pair<std::string, std::string>> types{
      {"boolean", R"("valueBoolean":true)"},
      {"decimal", R"("valueDecimal":1.50)"},
      {"integer", R"("valueInteger":-7)"},
      {"date", R"("valueDate":"2024-05")"},
      {"dateTime", R"("valueDateTime":"2024-05-01T08:30:00+02:00")"},
      {"time", R"("valueTime":"08:30:00")"},
      {"string", R"("valueString":"x")"},
      {"text", R"("valueString":"x\ny")"},
      {"url", R"("valueUri":"https://x.de/a?b=c#d")"},
      {"choice", R"("valueCoding":{"system":"http://s","code":"c"})"},
      {"reference", R"("valueReference":{"reference":"Patient/1"})"},
      {"quantity", R"("valueQuantity":{"value":1.5,"unit":"kg"})"},
      {"attachment", R"("valueAttachment":{"contentType":"image/png","data":"aGFsbG8=","size":5})"}};
  for (const auto& [type, value] : types)
    for (const auto& [other, other_value] : types) {
      const bool same = type == other || (type == "text" && other == "string") || (type == "string" && other == "text");
      if (same && type != other)
        continue; // both are strings
      BOOST_TEST(one_answer(type, other_value) == (same ? "" : wrong), type + " answered as " + other);
    }
  BOOST_TEST(one_answer("open-choice", R"("valueString":"x")") == "");
  BOOST_TEST(one_answer("open-choice", R"("valueCoding":{"code":"x"})") == "");
}

BOOST_AUTO_TEST_CASE(values_are_written_as_fhir_writes_them) {
  for (const auto* bad : {R"("valueInteger":1.0)", R"("valueInteger":1e2)", R"("valueInteger":2147483648)"})
    BOOST_TEST(one_answer("integer", bad) == malformed);
  BOOST_TEST(one_answer("integer", R"("valueInteger":"1")") == "error structure a item[0].answer[0].value");
  BOOST_TEST(one_answer("boolean", R"("valueBoolean":"true")") == "error structure a item[0].answer[0].value");
  for (const auto* bad : {"2023-02-29", "2024-5-1", "24", "2024-05-01T08:30:00Z"})
    BOOST_TEST(one_answer("date", R"("valueDate":")" + std::string{bad} + "\"") == malformed, bad);
  for (const auto* bad : {"2024-05-01T08:30:00", "2024-05-01T08:30Z", "2024-05-01 08:30:00Z"})
    BOOST_TEST(one_answer("dateTime", R"("valueDateTime":")" + std::string{bad} + "\"") == malformed, bad);
  for (const auto* bad : {"8:30:00", "08:30", "24:00:00", "08:30:00Z"})
    BOOST_TEST(one_answer("time", R"("valueTime":")" + std::string{bad} + "\"") == malformed, bad);
  BOOST_TEST(one_answer("string", R"("valueString":"  ")") == malformed);
  BOOST_TEST(one_answer("string", R"("valueString":"a\u0007b")") == malformed);
  BOOST_TEST(one_answer("string", R"("valueString":"")") == "error structure a item[0].answer[0].value");
  BOOST_TEST(one_answer("string", R"("valueString":null)") == "error structure a item[0].answer[0].value");
  BOOST_TEST(one_answer("string", R"("valueString":"a\r\nb")") == wrong);
  for (const auto* bad : {"http://a b", R"(c:\\temp)", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520", "urn:oid:1.02"})
    BOOST_TEST(one_answer("url", R"("valueUri":")" + std::string{bad} + "\"") == malformed, bad);
  BOOST_TEST(one_answer("url", R"("valueUri":"urn:oid:1.2.840")") == "");
  BOOST_TEST(one_answer("url", R"("valueUri":"Patient/1")") == "warning invalid a item[0].answer[0].value");
}

BOOST_AUTO_TEST_CASE(values_that_are_objects_are_looked_into) {
  const auto coding = [](const std::string& members) { return one_answer("choice", R"("valueCoding":{)" + members + "}"); };
  BOOST_TEST(coding(R"("code":" c")") == "error invalid a item[0].answer[0].value.code");
  BOOST_TEST(coding(R"("code":"c","colour":"red")") == "error structure a item[0].answer[0].value.colour");
  BOOST_TEST(coding(R"("code":"c","userSelected":"yes")") == "error structure a item[0].answer[0].value.userSelected");
  BOOST_TEST(coding("") == "error structure a item[0].answer[0].value");
  const auto quantity = [](const std::string& members) { return one_answer("quantity", R"("valueQuantity":{)" + members + "}"); };
  BOOST_TEST(quantity(R"("unit":"kg")") == "error required a item[0].answer[0].value");
  BOOST_TEST(quantity(R"("value":"1")") == "error structure a item[0].answer[0].value.value");
  BOOST_TEST(quantity(R"("value":1,"code":"kg")") == wrong); // qty-3
  BOOST_TEST(quantity(R"("value":1,"comparator":"=")") == "error code-invalid a item[0].answer[0].value.comparator");
  const auto attachment = [](const std::string& members) {
    return one_answer("attachment", R"("valueAttachment":{)" + members + "}");
  };
  BOOST_TEST(attachment(R"("data":"aGFsbG8=")") == wrong); // att-1
  BOOST_TEST(attachment(R"("contentType":"a/b","data":"aGFsbG8")") == "error invalid a item[0].answer[0].value.data");
  BOOST_TEST(attachment(R"("contentType":"a/b","data":"aGFsbG8=","size":6)") == "error structure a item[0].answer[0].value.size");
  BOOST_TEST(attachment(R"("contentType":"a/b","url":"http://x/1","size":6)") == "");
  BOOST_TEST(one_answer("reference", R"("valueReference":{"reference":"#p"})") == wrong); // ref-1
}

BOOST_AUTO_TEST_CASE(the_resource_itself_is_looked_at) {
  const auto form = compile_form(item_a("string")).form;
  const auto check = [&](const std::string& members) {
    return line_of(issues_of(form, R"({"resourceType":"QuestionnaireResponse")" + members + "}"));
  };
  const std::string good = R"(,"questionnaire":"http://x/q","status":"completed")";
  BOOST_TEST(check(good) == "");
  BOOST_TEST(check(R"(,"questionnaire":"http://x/q")") == "error required - -");
  BOOST_TEST(check(R"(,"questionnaire":"http://x/q","status":"done")") == "error code-invalid - status");
  BOOST_TEST(check(R"(,"status":"completed")") == "warning required - -");
  BOOST_TEST(check(R"(,"questionnaire":"http://y","status":"completed")") == "error not-found - questionnaire");
  BOOST_TEST(check(R"(,"questionnaire":"http://x/q|2","status":"completed")") == "error not-found - questionnaire");
  BOOST_TEST(check(good + R"(,"items":[])") == "error structure - items");
  BOOST_TEST(check(good + R"(,"authored":"yesterday")") == "error invalid - authored");
  BOOST_TEST(check(good + R"(,"item":[])") == "error structure - item");
  BOOST_TEST(check(good + R"(,"item":{})") == "error structure - item");
  BOOST_TEST(check(good + R"(,"item":[7])") == "error structure - item[0]");
  BOOST_TEST(check(good + R"(,"item":[{}])") == "error required - item[0]");
  BOOST_TEST(line_of(issues_of(form, R"({"resourceType":"Patient"})")) == "error structure - -");
  BOOST_TEST(line_of(issues_of(form, "[]")) == "error structure - -");
  BOOST_TEST(!parse_response("{").has_value());
  BOOST_TEST(!parse_response(R"({"a":1,"a":2})").has_value());
}

BOOST_AUTO_TEST_CASE(references_are_to_what_fhir_and_the_form_allow) {
  const auto form = compile_form(item_a("reference"), R"("subjectType":["Patient","Group"],)").form;
  const auto check = [&](const std::string& members, const std::string& items = "") {
    auto response = response_json(items);
    return line_of(issues_of(form, response.insert(response.size() - 1, members)));
  };
  BOOST_TEST(check(R"(,"subject":{"reference":"http://x/fhir/Group/1"},"author":{"reference":"Practitioner/1"})") == "");
  BOOST_TEST(check(R"(,"subject":{"reference":"Device/1"})") == "error invariant - subject");
  BOOST_TEST(check(R"(,"subject":{"type":"Device","identifier":{"value":"7"}})") == "error invariant - subject");
  BOOST_TEST(check(R"(,"subject":{"identifier":{"value":"7"}})") == ""); // it does not say
  BOOST_TEST(check(R"(,"author":{"reference":"Encounter/1"})") == "error invariant - author");
  BOOST_TEST(check(R"(,"source":{"reference":"Organization/1"})") == "error invariant - source");
  BOOST_TEST(check(R"(,"encounter":{"reference":"Patient/1"})") == "error invariant - encounter");
  BOOST_TEST(check(R"(,"basedOn":[{"reference":"CarePlan/1"},{"reference":"Patient/1"}])") == "error invariant - basedOn[1]");
  BOOST_TEST(check(R"(,"partOf":{"reference":"Procedure/1"})") == "error structure - partOf");
  BOOST_TEST(check(R"(,"author":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p"}])") == "");
  BOOST_TEST(check(R"(,"author":{"reference":"#q"},"contained":[{"resourceType":"Patient","id":"p"}])") ==
             "error invariant - author; error invariant - contained[0]"); // ref-1, and dom-3
  BOOST_TEST(check("", answer_a(R"("valueReference":{"reference":"Patient/1","type":"Patient"})")) == "");
  BOOST_TEST(check("", answer_a(R"("valueReference":{"reference":"Patient/1","type":"Device"})")) == wrong);
}

BOOST_AUTO_TEST_CASE(nothing_is_empty_and_extensions_are_whole) {
  BOOST_TEST(findings(item_a("string"), R"({"linkId":"a","extension":[],)" + string_x + "}") ==
             "error structure - item[0].extension");
  BOOST_TEST(findings(item_a("string"), R"({"linkId":"a","text":null,)" + string_x + "}") == "error structure a item[0].text");
  BOOST_TEST(findings(item_a("choice"),
                      answer_a(R"("valueCoding":{"code":"x","extension":[{"url":"http://u","valueHumanName":{}}]})")) ==
             "error structure - item[0].answer[0].value.extension[0].valueHumanName");
  const auto extended = [](const std::string& extension) {
    return findings(item_a("string"), R"({"linkId":"a","extension":[)" + extension + "]," + string_x + "}");
  };
  BOOST_TEST(extended(R"({"url":"http://u","valueString":"x"})") == "");
  BOOST_TEST(extended(R"({"url":"http://u","extension":[{"url":"v","valueString":"x"}]})") == "");
  BOOST_TEST(extended(R"({"valueString":"x"})") == "error required a item[0].extension[0]");
  BOOST_TEST(extended(R"({"url":"http://u"})") == "error invariant a item[0].extension[0]"); // ext-1
  BOOST_TEST(extended(R"({"url":"http://u","valueString":"x","extension":[{"url":"v","valueString":"x"}]})") ==
             "error invariant a item[0].extension[0]");
}

BOOST_AUTO_TEST_CASE(a_response_without_its_form_is_not_valid) {
  const auto response = parse_response(response_json(answer_a(R"("valueString":"x")")));
  BOOST_REQUIRE(response.has_value());
  BOOST_TEST(line_of(check_response_without_form(*response)) == "error not-found - questionnaire");
}

BOOST_AUTO_TEST_CASE(items_stand_where_the_form_has_them) {
  const auto in_group = [](const std::string& items) { return findings(group, R"({"linkId":"g","item":[)" + items + "]}"); };
  BOOST_TEST(in_group(R"({"linkId":"a",)" + string_x + R"(},{"linkId":"b",)" + string_x + "}") == "");
  BOOST_TEST(in_group(R"({"linkId":"b",)" + string_x + R"(},{"linkId":"a",)" + string_x + "}") ==
             "error structure a item[0].item[1]");
  BOOST_TEST(in_group(R"({"linkId":"a",)" + string_x + R"(},{"linkId":"z",)" + string_x + "}") ==
             "error not-found z item[0].item[1]");
  BOOST_TEST(findings(group, R"({"linkId":"b",)" + string_x + "}") == "error structure b item[0]");
  BOOST_TEST(in_group(R"({"linkId":"a",)" + string_x + R"(,"answers":[]})") == "error structure a item[0].item[0].answers");
  BOOST_TEST(findings(group, R"({"linkId":"g","answer":[{"valueString":"x"}]})") ==
             "error required a item[0]; error structure g item[0].answer");
  // Items put into the answer of a group are still read.
  BOOST_TEST(findings(group, R"({"linkId":"g","answer":[{"item":[{"linkId":"a",)" + string_x + "}]}]}") ==
             "error structure g item[0].answer");
  BOOST_TEST(findings(R"({"linkId":"d","type":"display","text":"Hi"})", R"({"linkId":"d"})") == "");
  BOOST_TEST(findings(R"({"linkId":"d","type":"display"})", R"({"linkId":"d",)" + string_x + "}") ==
             "error structure d item[0].answer");
}

BOOST_AUTO_TEST_CASE(items_beneath_a_question_lie_in_its_answer) {
  const auto form = item_a("boolean", R"("item":[{"linkId":"b","type":"string","required":true}])");
  const auto check = [&](const std::string& members) { return findings(form, R"({"linkId":"a",)" + members + "}"); };
  const auto inner = R"("item":[{"linkId":"b",)" + string_x + "}]";
  BOOST_TEST(check(R"("answer":[{"valueBoolean":true,)" + inner + "}]") == "");
  BOOST_TEST(check(inner) == "error structure a item[0].item");
  BOOST_TEST(check(R"("answer":[{"valueBoolean":true,)" + inner + "}]," + inner) ==
             "error invariant a item[0]; error structure a item[0].item"); // qrs-1
  BOOST_TEST(check(R"("answer":[{"valueBoolean":true}])") == "error required b item[0].answer[0]");
  BOOST_TEST(findings(form, "") == ""); // not answered: nothing beneath it is asked
}

BOOST_AUTO_TEST_CASE(required_items_are_there_when_the_item_around_them_is) {
  const auto required = item_a("string", R"("required":true)");
  BOOST_TEST(findings(required, "") == "error required a -");
  BOOST_TEST(findings(required, R"({"linkId":"a"})") == "error required a item[0]");
  BOOST_TEST(findings(required, R"({"linkId":"a","answer":[]})") == "error required a item[0]; error structure a item[0].answer");
  BOOST_TEST(findings(group, "") == ""); // a group that is not required may be left out with all that is in it
  BOOST_TEST(findings(group, R"({"linkId":"g"})") == "error required a item[0]");
  const std::string needed = R"({"linkId":"g","type":"group","required":true,"item":[{"linkId":"a","type":"string"}]})";
  BOOST_TEST(findings(needed, "") == "error required g -");
  BOOST_TEST(findings(needed, R"({"linkId":"g"})") == "error required g item[0]");
  BOOST_TEST(findings(needed, R"({"linkId":"g","item":[{"linkId":"a",)" + string_x + "}]}") == "");
}

BOOST_AUTO_TEST_CASE(an_answer_has_a_value_or_says_why_it_has_none) {
  BOOST_TEST(findings(item_a("string"), R"({"linkId":"a","answer":[{}]})") == "error required a item[0].answer[0]");
  BOOST_TEST(findings(item_a("string"), R"({"linkId":"a","answer":[{"_valueString":{"extension":[{"url":"http://u"}]}}]})") ==
             "");
  BOOST_TEST(findings(item_a("string"), R"({"linkId":"a","answer":[{"valueString":"x","valueInteger":1}]})") ==
             "error structure a item[0].answer[0].value; error invariant a item[0].answer[0].value");
}

BOOST_AUTO_TEST_CASE(only_what_repeats_is_there_more_than_once) {
  const std::string two = R"({"linkId":"a","answer":[{"valueString":"x"},{"valueString":"y"}]})";
  BOOST_TEST(findings(item_a("string"), two) == "error invalid a item[0]");
  BOOST_TEST(findings(item_a("string", R"("repeats":true)"), two) == "");
  const std::string twice = R"({"linkId":"a",)" + string_x + R"(},{"linkId":"a",)" + string_x + "}";
  BOOST_TEST(findings(item_a("string"), twice) == "error invalid a item[1]");
  BOOST_TEST(findings(item_a("string", R"("repeats":true)"), twice) == "error structure a item[1]");
  const std::string one_group = R"({"linkId":"g","item":[{"linkId":"a",)" + string_x + "}]}";
  BOOST_TEST(findings(group, one_group + "," + one_group) == "error invalid g item[1]");
  auto repeating = group;
  repeating.insert(repeating.size() - 1, R"(,"repeats":true)");
  BOOST_TEST(findings(repeating, one_group + "," + one_group) == "");
  // Every repetition is looked at by itself.
  BOOST_TEST(findings(repeating, one_group + R"(,{"linkId":"g"})") == "error required a item[1]");
}

BOOST_AUTO_TEST_CASE(how_often_something_is_there_has_limits) {
  const auto limits = extensions(fhir_extension("questionnaire-minOccurs", R"("valueInteger":2)") + "," +
                                 fhir_extension("questionnaire-maxOccurs", R"("valueInteger":3)"));
  const auto check = [&](int count) {
    std::string answers;
    for (int i = 0; i < count; ++i)
      answers += std::string{i == 0 ? "" : ","} + R"({"valueInteger":1})";
    return findings(item_a("integer", R"("repeats":true,)" + limits), R"({"linkId":"a","answer":[)" + answers + "]}");
  };
  BOOST_TEST(check(1) == "error required a item[0]");
  BOOST_TEST(check(2) == "");
  BOOST_TEST(check(3) == "");
  BOOST_TEST(check(4) == "error invalid a item[0]");
  const std::string groups =
      R"({"linkId":"g","type":"group","repeats":true,)" + limits + R"(,"item":[{"linkId":"a","type":"string"}]})";
  const std::string one = R"({"linkId":"g","item":[{"linkId":"a",)" + string_x + "}]}";
  BOOST_TEST(findings(groups, one) == "error required g -");
  BOOST_TEST(findings(groups, one + "," + one + "," + one) == "");
  BOOST_TEST(findings(groups, one + "," + one + "," + one + "," + one) == "error invalid g item[3]");
}

BOOST_AUTO_TEST_CASE(a_response_in_progress_may_be_incomplete) {
  const auto required = item_a("string", R"("required":true)");
  BOOST_TEST(findings(required, "", "in-progress") == "warning required a -");
  BOOST_TEST(findings(required, R"({"linkId":"a","answer":[{"valueString":"x"},{"valueString":"y"}]})", "in-progress") ==
             "warning invalid a item[0]");
  BOOST_TEST(findings(required, answer_a(R"("valueInteger":1)"), "in-progress") == wrong); // but not wrong
  BOOST_TEST(findings(required, "", "stopped") == "warning required a -");
  BOOST_TEST(findings(required, "", "amended") == "error required a -");
}

BOOST_AUTO_TEST_CASE(a_form_that_is_not_in_use_is_a_warning) {
  const auto check = [](const std::string& more, const std::string& authored = "") {
    const auto form = compile_form(item_a("string"), more).form;
    auto response = response_json("");
    response.insert(response.size() - 1, authored);
    return line_of(issues_of(form, response));
  };
  BOOST_TEST(check(R"("status":"active",)") == "");
  for (const auto* status : {"draft", "retired", "unknown"})
    BOOST_TEST(check(R"("status":")" + std::string{status} + "\",") == "warning business-rule - questionnaire");
  const std::string period = R"("effectivePeriod":{"start":"2024-02","end":"2024-03"},)";
  BOOST_TEST(check(period, R"(,"authored":"2024-03-31T23:59:59Z")") == "");
  BOOST_TEST(check(period, R"(,"authored":"2024-04-01T00:00:00Z")") == "warning business-rule - questionnaire");
  BOOST_TEST(check(period, R"(,"authored":"2024-01-31")") == "warning business-rule - questionnaire");
  BOOST_TEST(check(period) == ""); // nobody said when
}

BOOST_AUTO_TEST_CASE(a_signature_that_is_asked_for_must_be_there) {
  const auto form =
      compile_form(item_a("string"),
                   extensions(fhir_extension("questionnaire-signatureRequired", R"("valueCodeableConcept":{"text":"x"})")) + ",")
          .form;
  auto response = response_json("");
  BOOST_TEST(line_of(issues_of(form, response)) == "error required - -");
  response.insert(response.size() - 1, "," + extensions(fhir_extension("questionnaireresponse-signature",
                                                                       R"("valueSignature":{"sigFormat":"image/png"})")));
  BOOST_TEST(line_of(issues_of(form, response)) == "");
}

BOOST_AUTO_TEST_CASE(a_response_that_would_take_too_long_is_given_up) {
  std::string children = R"({"linkId":"q","type":"boolean"})", groups;
  for (int i = 0; i < 3'000; ++i)
    children += R"(,{"linkId":")" + std::to_string(i) +
                R"(","type":"string","required":true,"enableWhen":[{"question":"q","operator":"exists","answerBoolean":true}]})";
  for (int i = 0; i < 10'000; ++i)
    groups += std::string{i == 0 ? "" : ","} + R"({"linkId":"g"})";
  const auto form = compile_form(R"({"linkId":"g","type":"group","repeats":true,"item":[)" + children + "]}").form;
  const auto issues = issues_of(form, response_json(groups));
  BOOST_TEST(line_of(issues).starts_with("error too-costly g item["));
}

BOOST_AUTO_TEST_CASE(more_problems_than_are_listed_are_said_to_be) {
  std::string items;
  for (int i = 0; i < 3000; ++i)
    items += std::string{i == 0 ? "" : ","} + R"({"linkId":"z"})";
  const auto issues = issues_of(compile_form(item_a("string")).form, response_json(items));
  BOOST_TEST(issues.size() == limits::problems_max + 1);
  BOOST_TEST(issues.back().message.find("more problems") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
