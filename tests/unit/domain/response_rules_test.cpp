// Rules of a form in whole QuestionnaireResponses: conditions, limits, options, value sets; each both ways.
#include "response_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

const std::string broken = "error invariant a item[0].answer[0].value";

std::string limited(const std::string& type, const std::string& list, const std::string& value) {
  return one_answer(type, value, extensions(list));
}

/// An item "a" that is asked when this holds of "q".
std::string when(const std::string& type, const std::string& conditions, const std::string& more = "") {
  return R"({"linkId":"q","repeats":true,"type":")" + type + "\"" + more +
         R"(},{"linkId":"a","type":"string","required":true,"enableWhen":[)" + conditions + "]}";
}

std::string condition_json(const std::string& operation, const std::string& answer) {
  return R"({"question":"q","operator":")" + operation + "\"," + answer + "}";
}

/// Whether "a" is asked: then it is missing, and otherwise must not be answered.
bool asked(const std::string& form, const std::string& answers_to_q) {
  const auto q = answers_to_q.empty() ? "" : R"({"linkId":"q","answer":[)" + answers_to_q + "]}";
  const auto without = findings(form, q);
  const auto with = findings(form, q + (q.empty() ? "" : ",") + R"({"linkId":"a","answer":[{"valueString":"x"}]})");
  const bool is_asked = without.find("required a") != std::string::npos;
  BOOST_TEST((with.find("business-rule a") != std::string::npos) == !is_asked, with);
  return is_asked;
}

const std::string sct = "http://snomed.info/sct";

std::string coding(const std::string& code, const std::string& system = sct) {
  return R"("valueCoding":{"system":")" + system + R"(","code":")" + code + "\"}";
}

} // namespace

BOOST_AUTO_TEST_SUITE(response_rules)

BOOST_AUTO_TEST_CASE(every_operator_compares_numbers_and_dates) {
  for (const auto& [operation, below, same, above] :
       std::vector<std::tuple<std::string, bool, bool, bool>>{{"=", false, true, false},
                                                              {"!=", true, false, true},
                                                              {"<", true, false, false},
                                                              {">", false, false, true},
                                                              {"<=", true, true, false},
                                                              {">=", false, true, true}}) {
    const auto number = when("decimal", condition_json(operation, R"("answerDecimal":2.5)"));
    BOOST_TEST(asked(number, R"({"valueDecimal":2})") == below, operation);
    BOOST_TEST(asked(number, R"({"valueDecimal":2.50})") == same, operation);
    BOOST_TEST(asked(number, R"({"valueDecimal":3})") == above, operation);
    const auto date = when("date", condition_json(operation, R"("answerDate":"2024-05-02")"));
    BOOST_TEST(asked(date, R"({"valueDate":"2024-05-01"})") == below, operation);
    BOOST_TEST(asked(date, R"({"valueDate":"2024-05-02"})") == same, operation);
    BOOST_TEST(asked(date, R"({"valueDate":"2024-06-01"})") == above, operation);
    const auto text = when("string", condition_json(operation, R"("answerString":"m")"));
    BOOST_TEST(asked(text, R"({"valueString":"a"})") == below, operation);
    BOOST_TEST(asked(text, R"({"valueString":"m"})") == same, operation);
    BOOST_TEST(asked(text, R"({"valueString":"z"})") == above, operation);
    BOOST_TEST(!asked(number, "")); // without an answer nothing holds
  }
}

BOOST_AUTO_TEST_CASE(every_answer_type_has_its_equality) {
  const std::vector<std::tuple<std::string, std::string, std::string, std::string>> types{
      {"boolean", R"("answerBoolean":true)", R"({"valueBoolean":true})", R"({"valueBoolean":false})"},
      {"integer", R"("answerInteger":1)", R"({"valueInteger":1})", R"({"valueInteger":2})"},
      {"dateTime", R"("answerDateTime":"2024-05-01T08:00:00Z")", R"({"valueDateTime":"2024-05-01T10:00:00+02:00"})",
       R"({"valueDateTime":"2024-05-01T08:00:01Z"})"},
      {"time", R"("answerTime":"08:00:00")", R"({"valueTime":"08:00:00.0"})", R"({"valueTime":"08:00:01"})"},
      {"choice", R"("answerCoding":{"system":"http://s","code":"x"})", R"({"valueCoding":{"system":"http://s","code":"x"}})",
       R"({"valueCoding":{"system":"http://other","code":"x"}})"},
      {"quantity", R"("answerQuantity":{"value":1,"code":"kg","system":"http://unitsofmeasure.org"})",
       R"({"valueQuantity":{"value":1000,"code":"g","system":"http://unitsofmeasure.org"}})",
       R"({"valueQuantity":{"value":1,"code":"g","system":"http://unitsofmeasure.org"}})"},
      {"reference", R"("answerReference":{"reference":"Patient/1"})", R"({"valueReference":{"reference":"Patient/1"}})",
       R"({"valueReference":{"reference":"Patient/2"}})"}};
  for (const auto& [type, answer, same, other] : types) {
    BOOST_TEST(asked(when(type, condition_json("=", answer)), same), type);
    BOOST_TEST(!asked(when(type, condition_json("=", answer)), other), type);
    BOOST_TEST(!asked(when(type, condition_json("!=", answer)), same), type);
    BOOST_TEST(asked(when(type, condition_json("!=", answer)), other), type);
  }
  BOOST_TEST(asked(when("attachment", condition_json("exists", R"("answerBoolean":true)")),
                   R"({"valueAttachment":{"contentType":"a/b","url":"http://x"}})"));
  BOOST_TEST(asked(when("string", condition_json("exists", R"("answerBoolean":false)")), ""));
  BOOST_TEST(!asked(when("string", condition_json("exists", R"("answerBoolean":false)")), R"({"valueString":"x"})"));
}

BOOST_AUTO_TEST_CASE(a_free_text_is_no_code_also_where_it_reads_so) {
  const auto code = when("open-choice", condition_json("=", R"("answerCoding":{"code":"x"})"));
  BOOST_TEST(asked(code, R"({"valueCoding":{"code":"x"}})"));
  BOOST_TEST(!asked(code, R"({"valueString":"x"})"));
  const auto text = when("open-choice", condition_json("=", R"("answerString":"x")"));
  BOOST_TEST(asked(text, R"({"valueString":"x"})"));
  BOOST_TEST(!asked(text, R"({"valueCoding":{"code":"x"}})"));
}

BOOST_AUTO_TEST_CASE(several_conditions_hold_all_or_any) {
  const auto both = condition_json(">", R"("answerInteger":1)") + "," + condition_json("<", R"("answerInteger":5)");
  const auto with = [&](const std::string& behavior) {
    auto form = when("integer", both);
    const std::string before = R"("enableWhen")";
    return form.insert(form.find(before), R"("enableBehavior":")" + behavior + "\",");
  };
  BOOST_TEST(asked(with("all"), R"({"valueInteger":3})"));
  BOOST_TEST(!asked(with("all"), R"({"valueInteger":7})"));
  BOOST_TEST(asked(with("any"), R"({"valueInteger":7})"));
  BOOST_TEST(!asked(with("any"), ""));
  // Of several answers one is enough, but none may equal for !=.
  BOOST_TEST(asked(when("integer", condition_json("=", R"("answerInteger":1)")), R"({"valueInteger":1},{"valueInteger":2})"));
  BOOST_TEST(!asked(when("integer", condition_json("!=", R"("answerInteger":1)")), R"({"valueInteger":1},{"valueInteger":2})"));
}

BOOST_AUTO_TEST_CASE(a_condition_looks_into_its_own_repetition) {
  const std::string form = R"({"linkId":"g","type":"group","repeats":true,"item":[{"linkId":"q","type":"boolean"},
    {"linkId":"a","type":"string","required":true,"enableWhen":[{"question":"q","operator":"=","answerBoolean":true}]}]})";
  const auto repetition = [](const char* q, bool a) {
    return R"({"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":)" + std::string{q} + "}]}" +
           (a ? R"(,{"linkId":"a","answer":[{"valueString":"x"}]})" : "") + "]}";
  };
  BOOST_TEST(findings(form, repetition("true", true) + "," + repetition("false", false)) == "");
  BOOST_TEST(findings(form, repetition("true", false) + "," + repetition("false", true)) ==
             "error required a item[0]; error business-rule a item[1].item[1]");
  // A repetition without an answer does not borrow that of another.
  BOOST_TEST(
      findings(form, repetition("true", true) + R"(,{"linkId":"g","item":[{"linkId":"a","answer":[{"valueString":"x"}]}]})") ==
      "error business-rule a item[1].item[0]");
}

BOOST_AUTO_TEST_CASE(what_lies_in_something_that_is_not_asked_is_not_asked) {
  const std::string form = R"({"linkId":"q","type":"boolean"},{"linkId":"g","type":"group","required":true,
    "enableWhen":[{"question":"q","operator":"=","answerBoolean":true}],"item":[{"linkId":"a","type":"string","required":true}]})";
  const std::string no = R"({"linkId":"q","answer":[{"valueBoolean":false}]})";
  BOOST_TEST(findings(form, no) == "");
  BOOST_TEST(findings(form, no + R"(,{"linkId":"g"})") == "");
  BOOST_TEST(findings(form, no + R"(,{"linkId":"g","item":[{"linkId":"a","answer":[{"valueString":"x"}]}]})") ==
             "error business-rule g item[1]"); // said once, of the outermost
  // What could not be understood decides nothing.
  BOOST_TEST(findings(form, R"({"linkId":"q","answer":[{"valueInteger":1}]})") == "error invariant q item[0].answer[0].value");
}

// R4 does not say that an answer stops counting when its question is not asked; it is a problem where it stands, told once.
BOOST_AUTO_TEST_CASE(an_answer_counts_for_others_also_when_it_should_not_be_there) {
  const std::string form = R"({"linkId":"q","type":"boolean"},
    {"linkId":"b","type":"boolean","enableWhen":[{"question":"q","operator":"=","answerBoolean":true}]},
    {"linkId":"c","type":"string","required":true,"enableWhen":[{"question":"b","operator":"=","answerBoolean":true}]})";
  const std::string q = R"({"linkId":"q","answer":[{"valueBoolean":false}]})";
  const std::string b = R"({"linkId":"b","answer":[{"valueBoolean":true}]})";
  const std::string c = R"({"linkId":"c","answer":[{"valueString":"x"}]})";
  BOOST_TEST(findings(form, q) == "");
  BOOST_TEST(findings(form, q + "," + b + "," + c) == "error business-rule b item[1]");
  BOOST_TEST(findings(form, q + "," + c) == "error business-rule c item[1]");
}

BOOST_AUTO_TEST_CASE(lengths_patterns_and_places_are_limited) {
  BOOST_TEST(one_answer("string", R"("valueString":"äöü")", R"("maxLength":3)") == "");
  BOOST_TEST(one_answer("string", R"("valueString":"äöüx")", R"("maxLength":3)") == "error too-long a item[0].answer[0].value");
  const auto min_length = fhir_extension("minLength", R"("valueInteger":2)");
  BOOST_TEST(limited("string", min_length, R"("valueString":"xy")") == "");
  BOOST_TEST(limited("string", min_length, R"("valueString":"x")") == broken);
  const auto regex = fhir_extension("regex", R"("valueString":"[A-Z]{2}[0-9]+")");
  BOOST_TEST(limited("string", regex, R"("valueString":"AB12")") == "");
  BOOST_TEST(limited("string", regex, R"("valueString":"xAB12")") == broken); // the whole of it
  BOOST_TEST(limited("integer", fhir_extension("regex", R"("valueString":"[0-9]{3}")"), R"("valueInteger":12)") == broken);
  const auto places = fhir_extension("maxDecimalPlaces", R"("valueInteger":2)");
  BOOST_TEST(limited("decimal", places, R"("valueDecimal":1.50)") == "");
  BOOST_TEST(limited("decimal", places, R"("valueDecimal":1.500)") == broken); // as it was written
  BOOST_TEST(limited("decimal", places, R"("valueDecimal":1.5e-3)") == broken);
  BOOST_TEST(limited("decimal", places, R"("valueDecimal":1.5555e3)") == "");
}

BOOST_AUTO_TEST_CASE(values_are_limited) {
  const auto bounds = fhir_extension("minValue", R"("valueInteger":1)") + "," + fhir_extension("maxValue", R"("valueInteger":3)");
  BOOST_TEST(limited("integer", bounds, R"("valueInteger":0)") == broken);
  BOOST_TEST(limited("integer", bounds, R"("valueInteger":1)") == "");
  BOOST_TEST(limited("integer", bounds, R"("valueInteger":3)") == "");
  BOOST_TEST(limited("integer", bounds, R"("valueInteger":4)") == broken);
  const auto dates = fhir_extension("minValue", R"("valueDate":"2024-05-01")");
  BOOST_TEST(limited("date", dates, R"("valueDate":"2024-04-30")") == broken);
  BOOST_TEST(limited("date", dates, R"("valueDate":"2024-05-01")") == "");
}

BOOST_AUTO_TEST_CASE(quantities_are_limited_in_units_that_compare) {
  const std::string sdc =
      R"({"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity","valueQuantity":)";
  const auto most = sdc + R"({"value":2,"code":"kg","system":"http://unitsofmeasure.org"}})";
  const auto quantity = [](const std::string& value, const std::string& code) {
    return R"("valueQuantity":{"value":)" + value + R"(,"system":"http://unitsofmeasure.org","code":")" + code + "\"}";
  };
  BOOST_TEST(limited("quantity", most, quantity("2000", "g")) == "");
  BOOST_TEST(limited("quantity", most, quantity("2001", "g")) == broken);
  BOOST_TEST(limited("quantity", most, quantity("1", "m")) == broken); // not comparable
  BOOST_TEST(limited("quantity", most, R"("valueQuantity":{"value":1})") == broken);
  BOOST_TEST(limited("quantity", sdc + R"({"value":2,"unit":"Kg"}})", R"("valueQuantity":{"value":1,"unit":"Kg"})") == "");
  const auto units =
      fhir_extension("questionnaire-unitOption",
                     R"("valueCoding":{"system":"http://unitsofmeasure.org","code":"cm","display":"centimetre"})") +
      "," + fhir_extension("questionnaire-unitOption", R"("valueCoding":{"system":"http://unitsofmeasure.org","code":"[in_i]"})");
  BOOST_TEST(limited("quantity", units, quantity("5", "cm")) == "");
  BOOST_TEST(limited("quantity", units, quantity("5", "m")) == broken);
  BOOST_TEST(limited("quantity", units, R"("valueQuantity":{"value":1,"unit":"centimetre"})") == "");
  BOOST_TEST(limited("quantity", units, R"("valueQuantity":{"value":1})") == broken);
}

BOOST_AUTO_TEST_CASE(attachments_and_references_are_limited) {
  const auto file = [](const std::string& type, const std::string& size) {
    return R"("valueAttachment":{"url":"http://x","contentType":")" + type + R"(","size":)" + size + "}";
  };
  const auto size = fhir_extension("maxSize", R"("valueDecimal":0.5)");
  BOOST_TEST(limited("attachment", size, file("a/b", "524288")) == "");
  BOOST_TEST(limited("attachment", size, file("a/b", "524289")) == "error too-long a item[0].answer[0].value");
  const auto types =
      fhir_extension("mimeType", R"("valueCode":"image/*")") + "," + fhir_extension("mimeType", R"("valueCode":"text/plain")");
  BOOST_TEST(limited("attachment", types, file("Image/PNG", "1")) == "");
  BOOST_TEST(limited("attachment", types, file("text/plain; charset=utf-8", "1")) == "");
  BOOST_TEST(limited("attachment", types, file("text/html", "1")) == broken);
  const auto resource = fhir_extension("questionnaire-referenceResource", R"("valueCode":"Practitioner")");
  BOOST_TEST(limited("reference", resource, R"("valueReference":{"reference":"https://x/fhir/Practitioner/1/_history/2"})") ==
             "");
  BOOST_TEST(limited("reference", resource, R"("valueReference":{"reference":"Patient/1"})") == broken);
  BOOST_TEST(limited("reference", resource, R"("valueReference":{"type":"Patient","display":"x"})") == broken);
  BOOST_TEST(
      limited("reference", resource, R"("valueReference":{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"})") == "");
}

BOOST_AUTO_TEST_CASE(answers_are_among_the_options) {
  const auto options = R"("answerOption":[{)" + coding("1") + "},{" + coding("1", "http://other") + R"(},{"valueInteger":7}])";
  const std::string none = "error code-invalid a item[0].answer[0].value";
  BOOST_TEST(one_answer("choice", coding("1"), options) == "");
  BOOST_TEST(one_answer("choice", coding("1", "http://other"), options) == "");
  BOOST_TEST(one_answer("choice", coding("1", "http://third"), options) == none);
  BOOST_TEST(one_answer("choice", coding("2"), options) == none);
  BOOST_TEST(one_answer("choice", R"("valueCoding":{"code":"1"})", options) == none);
  BOOST_TEST(one_answer("choice", R"("valueInteger":7)", options) == "");
  BOOST_TEST(one_answer("choice", R"("valueInteger":8)", options) == broken);
  BOOST_TEST(one_answer("choice", R"("valueString":"x")", options) == broken);
  BOOST_TEST(one_answer("open-choice", R"("valueString":"x")", options) == "");
  BOOST_TEST(one_answer("open-choice", coding("2"), options) == none);
  BOOST_TEST(one_answer("time", R"("valueTime":"08:00:00")", R"("answerOption":[{"valueTime":"09:00:00"}])") == broken);
}

BOOST_AUTO_TEST_CASE(a_code_that_is_shown_as_something_else_is_a_warning) {
  const std::string translated = R"("_display":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/translation",)"
                                 R"("extension":[{"url":"lang","valueCode":"de"},{"url":"content","valueString":"Nie"}]}]})";
  const auto options = R"("answerOption":[{"valueCoding":{"code":"0","display":"Never",)" + translated +
                       R"(}},{"valueCoding":{"code":"1"}},{"valueCoding":{"display":"Other"}}])";
  const auto with = [&](const std::string& members) {
    return one_answer("choice", R"("valueCoding":{)" + members + "}", options);
  };
  BOOST_TEST(with(R"("code":"0","display":"never")") == "");
  BOOST_TEST(with(R"("code":"0","display":"Nie")") == "");
  BOOST_TEST(with(R"("code":"0")") == "");
  BOOST_TEST(with(R"("code":"0","display":"Always")") == "warning invalid a item[0].answer[0].value.display");
  BOOST_TEST(with(R"("code":"1","display":"Once")") == ""); // the form does not say
  // An option without a code is known by what is shown.
  BOOST_TEST(with(R"("display":"Other")") == "");
  BOOST_TEST(with(R"("display":"Another")") == "error code-invalid a item[0].answer[0].value");
  const auto set =
      compile_form(item_a("choice", R"("answerValueSet":"#v")"),
                   R"("contained":[{"resourceType":"ValueSet","id":"v","compose":{"include":[{"system":")" + sct +
                       R"(","concept":[{"code":"1","display":"One","designation":[{"language":"de","value":"Eins"}]}]}]}}],)")
          .form;
  const auto shown = [&](const std::string& display) {
    return line_of(issues_of(
        set, response_json(answer_a(R"("valueCoding":{"system":")" + sct + R"(","code":"1","display":")" + display + "\"}"))));
  };
  BOOST_TEST(shown("Eins") == "");
  BOOST_TEST(shown("Two") == "warning invalid a item[0].answer[0].value.display");
}

BOOST_AUTO_TEST_CASE(free_text_that_reads_as_an_option_is_a_warning) {
  const auto with = [](const std::string& text, const std::string& more = "") {
    return one_answer("open-choice", R"("valueString":")" + text + "\"",
                      R"("answerOption":[{"valueCoding":{"code":"0","display":"Never"}})" + more + "]");
  };
  BOOST_TEST(with("Once") == "");
  BOOST_TEST(with("never") == "warning invalid a item[0].answer[0].value");
  BOOST_TEST(with("0") == "warning invalid a item[0].answer[0].value");
  BOOST_TEST(with("Never", R"(,{"valueString":"Never"})") == ""); // which is an option, too
}

BOOST_AUTO_TEST_CASE(another_text_than_the_forms_is_a_warning) {
  const std::string translated =
      R"("_text":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/translation",)"
      R"("extension":[{"url":"lang","valueCode":"de"},{"url":"content","valueString":"Wie geht es?"}]}]})";
  const auto with = [&](const std::string& text, const std::string& of_form) {
    return findings(item_a("string", of_form), R"({"linkId":"a","text":")" + text + R"(","answer":[{"valueString":"x"}]})");
  };
  const auto form = R"("text":"How are you?",)" + translated;
  BOOST_TEST(with("How are you?", form) == "");
  BOOST_TEST(with(" How  are\\nyou?", form) == ""); // only spaced otherwise
  BOOST_TEST(with("Wie geht es?", form) == "");
  BOOST_TEST(with("Who are you?", form) == "warning invalid a item[0].text");
  BOOST_TEST(with("Howare you?", form) == "warning invalid a item[0].text");
  BOOST_TEST(with("How are you? Well", form) == "warning invalid a item[0].text");
  BOOST_TEST(with("Who are you?", R"("prefix":"1")") == ""); // the form says nothing
}

BOOST_AUTO_TEST_CASE(an_exclusive_option_is_chosen_alone) {
  const auto form = item_a("choice", R"("repeats":true,"answerOption":[{)" + coding("1") + "},{" + coding("2") + "}," + "{" +
                                         extensions(fhir_extension("questionnaire-optionExclusive", R"("valueBoolean":true)")) +
                                         "," + coding("0") + "}]");
  const auto check = [&](const std::string& answers) { return findings(form, R"({"linkId":"a","answer":[)" + answers + "]}"); };
  BOOST_TEST(check("{" + coding("1") + "},{" + coding("2") + "}") == "");
  BOOST_TEST(check("{" + coding("0") + "}") == "");
  BOOST_TEST(check("{" + coding("1") + "},{" + coding("0") + "}") == "error invariant a item[0].answer[1]");
}

BOOST_AUTO_TEST_CASE(codes_are_checked_against_value_sets_as_far_as_they_are_listed) {
  const auto with = [&](const std::string& set, const std::string& code, const std::string& system = sct) {
    const auto form = compile_form(item_a("choice", R"("answerValueSet":"#v")"),
                                   R"("contained":[{"resourceType":"ValueSet","id":"v",)" + set + "}],")
                          .form;
    return line_of(issues_of(form, response_json(answer_a(coding(code, system)))));
  };
  const std::string none = "error code-invalid a item[0].answer[0].value";
  const std::string unknown = "warning not-supported a item[0].answer[0].value";
  const auto listed = R"("compose":{"include":[{"system":")" + sct + R"(","concept":[{"code":"1"},{"code":"2"}]}]})";
  BOOST_TEST(with(listed, "2") == "");
  BOOST_TEST(with(listed, "3") == none);
  BOOST_TEST(with(listed, "2", "http://other") == none);
  const auto expansion = R"("expansion":{"contains":[{"system":")" + sct + R"(","code":"1","contains":[{"system":")" + sct +
                         R"(","code":"11"}]},{"abstract":true,"system":")" + sct + R"(","code":"2"}]})";
  BOOST_TEST(with(expansion, "11") == "");
  BOOST_TEST(with(expansion, "2") == none);
  const auto whole = R"("compose":{"include":[{"system":")" + sct + R"("}]})";
  BOOST_TEST(with(whole, "1") == unknown);
  BOOST_TEST(with(whole, "1", "http://other") == none); // of that system there is nothing in it
  const auto less = R"("compose":{"include":[{"system":")" + sct +
                    R"(","concept":[{"code":"1"},{"code":"2"}]}],"exclude":[{"system":")" + sct +
                    R"(","concept":[{"code":"2"}]}]})";
  BOOST_TEST(with(less, "1") == "");
  BOOST_TEST(with(less, "2") == none);
  BOOST_TEST(with(R"("compose":{"include":[{"valueSet":["#v"]}]})", "1") == unknown); // in a circle
}

BOOST_AUTO_TEST_CASE(value_sets_and_code_systems_may_be_given) {
  std::vector<fhir_issue> issues;
  file_problems problems{"ValueSet", issues};
  terminology given;
  given.add(R"({"resourceType":"Bundle","entry":[
    {"resource":{"resourceType":"CodeSystem","url":"http://s","content":"complete","concept":[{"code":"a","concept":[{"code":"b"}]}]}},
    {"resource":{"resourceType":"CodeSystem","url":"http://part","content":"fragment","concept":[{"code":"a"}]}},
    {"resource":{"resourceType":"ValueSet","url":"http://v","version":"1","compose":{"include":[{"system":"http://s"}]}}},
    {"resource":{"resourceType":"ValueSet","url":"http://v2","compose":{"include":[{"valueSet":["http://v"]},{"system":"http://part"}]}}},
    {"resource":{"resourceType":"ValueSet","url":"http://both","compose":{"include":[{"system":"http://s","concept":[{"code":"b"},{"code":"z"}],"valueSet":["http://v"]}]}}}]})",
            problems);
  BOOST_TEST(issues.empty(), line_of(issues));
  const auto with = [&](const std::string& url, const std::string& code, const std::string& system = "http://s") {
    const auto form = compile_form(item_a("choice", R"("answerValueSet":")" + url + "\""), "", &given).form;
    return line_of(issues_of(form, response_json(answer_a(coding(code, system)))));
  };
  const std::string none = "error code-invalid a item[0].answer[0].value";
  BOOST_TEST(with("http://v", "b") == "");
  BOOST_TEST(with("http://v|1", "b") == "");
  BOOST_TEST(with("http://v|2", "b") == "warning not-found a item[0].answer[0].value");
  BOOST_TEST(with("http://v", "c") == none);
  BOOST_TEST(with("http://v2", "b") == "");
  BOOST_TEST(with("http://v2", "c") == none);
  BOOST_TEST(with("http://v2", "c", "http://part") == "warning not-supported a item[0].answer[0].value");
  BOOST_TEST(with("http://both", "b") == "");
  BOOST_TEST(with("http://both", "z") == none);
  BOOST_TEST(with("http://both", "a") == none);
  BOOST_TEST(with("http://loinc.org/vs/LL358-3", "a") == "warning not-found a item[0].answer[0].value");
  BOOST_TEST(with("http://sub.example.org/v", "a") == none); // nobody will ever have it
  given.add(R"({"resourceType":"Patient"})", problems);
  given.add(R"({"resourceType":"ValueSet"})", problems);
  BOOST_TEST(issues.size() == 2u);
}

BOOST_AUTO_TEST_CASE(filters_choose_from_a_code_system) {
  std::vector<fhir_issue> issues;
  file_problems problems{"ValueSet", issues};
  terminology given;
  // A has B, and B has C; D stands beside them.
  given.add(R"({"resourceType":"CodeSystem","url":"http://s","content":"complete","hierarchyMeaning":"is-a","concept":[
    {"code":"A","display":"First","concept":[{"code":"B","concept":[
      {"code":"C","property":[{"code":"kind","valueCode":"x"},{"code":"old","valueBoolean":true}]}]}]},
    {"code":"D","property":[{"code":"kind","valueCode":"y"}]}]})",
            problems);
  given.add(R"({"resourceType":"CodeSystem","url":"http://parts","content":"complete","hierarchyMeaning":"part-of","concept":[
    {"code":"A","concept":[{"code":"B"}]}]})",
            problems);
  given.add(
      R"({"resourceType":"ValueSet","url":"http://only-a","compose":{"include":[{"system":"http://s","concept":[{"code":"A"}]}]}})",
      problems);
  BOOST_TEST(issues.empty(), line_of(issues));
  /// Which of A to D are in it; "?" for those that nobody knows.
  const auto members = [&](const std::string& compose, const std::string& system = "http://s") {
    const auto form = compile_form(item_a("choice", R"("answerValueSet":"#v")"),
                                   R"("contained":[{"resourceType":"ValueSet","id":"v","compose":{)" + compose + "}}],", &given)
                          .form;
    std::string all;
    for (const std::string code : {"A", "B", "C", "D"}) {
      const auto found = line_of(issues_of(form, response_json(answer_a(coding(code, system)))));
      all += found.empty() ? code : found.starts_with("warning") ? "?" : "";
    }
    return all;
  };
  const auto filter = [](const std::string& property, const std::string& op, const std::string& value) {
    return R"({"property":")" + property + R"(","op":")" + op + R"(","value":")" + value + "\"}";
  };
  const auto include = [](const std::string& filters, const std::string& system = "http://s") {
    return R"("include":[{"system":")" + system + R"(","filter":[)" + filters + "]}]";
  };
  BOOST_TEST(members(include(filter("concept", "is-a", "B"))) == "BC");
  BOOST_TEST(members(include(filter("concept", "descendent-of", "A"))) == "BC");
  BOOST_TEST(members(include(filter("concept", "is-not-a", "B"))) == "AD");
  BOOST_TEST(members(include(filter("concept", "generalizes", "B"))) == "AB");
  BOOST_TEST(members(include(filter("code", "in", "A, D"))) == "AD");
  BOOST_TEST(members(include(filter("code", "not-in", "A,D"))) == "BC");
  BOOST_TEST(members(include(filter("code", "regex", "[AB]|DD"))) == "AB"); // of the whole code
  BOOST_TEST(members(include(filter("display", "=", "First"))) == "A");
  BOOST_TEST(members(include(filter("kind", "=", "x"))) == "C");
  BOOST_TEST(members(include(filter("kind", "exists", "false"))) == "AB");
  BOOST_TEST(members(include(filter("old", "=", "true"))) == "C");
  BOOST_TEST(members(include(filter("concept", "is-a", "A") + "," + filter("kind", "exists", "true"))) == "C"); // both
  BOOST_TEST(members(include(filter("concept", "is-a", "Z"))) == "????");
  BOOST_TEST(members(include(filter("concept", "like", "A"))) == "????");
  BOOST_TEST(members(include(filter("parent", "=", "A"))) == "????");
  BOOST_TEST(members(include(filter("concept", "is-a", "A"), "http://parts"), "http://parts") == "????"); // a part is no kind
  const std::string all = R"("include":[{"system":"http://s"}])";
  BOOST_TEST(members(all + R"(,"exclude":[{"system":"http://s","filter":[)" + filter("concept", "is-a", "B") + "]}]") == "AD");
  BOOST_TEST(members(all + R"(,"exclude":[{"valueSet":["http://only-a"]}])") == "BCD");
  BOOST_TEST(members(all + R"(,"exclude":[{"valueSet":["http://nowhere"]}])") == "????");
  BOOST_TEST(
      members(
          R"("include":[{"system":"http://unknown"},{"valueSet":["http://only-a"]}],"exclude":[{"system":"http://unknown"}])") ==
      "A");
}

BOOST_AUTO_TEST_CASE(what_a_code_system_says_of_its_codes_counts) {
  std::vector<fhir_issue> issues;
  file_problems problems{"ValueSet", issues};
  terminology given;
  // "Top" only holds the others together, and "Cd" is out of use; upper and lower case are the same.
  given.add(R"({"resourceType":"CodeSystem","url":"http://s","content":"complete","caseSensitive":false,
    "property":[{"code":"abstract","uri":"http://hl7.org/fhir/concept-properties#notSelectable","type":"boolean"}],
    "concept":[{"code":"Top","property":[{"code":"abstract","valueBoolean":true}],"concept":[
      {"code":"Ab"},{"code":"Cd","property":[{"code":"inactive","valueBoolean":true}]}]}]})",
            problems);
  BOOST_TEST(issues.empty(), line_of(issues));
  const auto contained = [](const std::string& content) {
    return R"("contained":[{"resourceType":"ValueSet","id":"v",)" + content + "}],";
  };
  const auto with = [&](const std::string& content, const std::string& code) {
    const auto form = compile_form(item_a("choice", R"("answerValueSet":"#v")"), contained(content), &given).form;
    return line_of(issues_of(form, response_json(answer_a(coding(code, "http://s")))));
  };
  const std::string none = "error code-invalid a item[0].answer[0].value";
  const std::string out_of_use = "warning business-rule a item[0].answer[0].value";
  const std::string whole = R"("include":[{"system":"http://s"}])",
                    named = R"("include":[{"system":"http://s","concept":[{"code":"Top"}]}])";
  const auto compose = [](const std::string& rules) { return R"("compose":{)" + rules + "}"; };
  BOOST_TEST(with(compose(whole), "Ab") == "");
  BOOST_TEST(with(compose(whole), "aB") == "");
  BOOST_TEST(with(compose(whole), "aC") == none);
  BOOST_TEST(with(compose(whole), "Top") == none);
  BOOST_TEST(with(compose(whole), "Cd") == out_of_use);
  BOOST_TEST(with(compose(R"("inactive":false,)" + whole), "Cd") == none);
  BOOST_TEST(with(compose(named), "top") == ""); // named by itself, it may be chosen
  BOOST_TEST(
      with(compose(named + R"(,"exclude":[{"system":"http://s","filter":[{"property":"concept","op":"is-a","value":"Top"}]}])"),
           "Top") == none);
  const auto expansion =
      R"("expansion":{"contains":[{"system":"http://s","code":"x","inactive":true},{"system":"http://s","code":"y"}]})";
  BOOST_TEST(with(expansion, "x") == out_of_use);
  BOOST_TEST(with(expansion, "y") == "");
  BOOST_TEST(with(expansion, "Y") == none);
  // Conditions ask for the code as it is listed.
  const auto form =
      compile_form(R"({"linkId":"q","type":"choice","answerValueSet":"#v"},{"linkId":"b","type":"string","enableWhen":[
      {"question":"q","operator":"=","answerCoding":{"system":"http://s","code":"Ab"}}]})",
                   contained(compose(whole)), &given)
          .form;
  BOOST_TEST(line_of(issues_of(form, response_json(R"({"linkId":"q","answer":[{)" + coding("AB", "http://s") +
                                                   R"(}]},{"linkId":"b","answer":[{"valueString":"x"}]})"))) == "");
}

BOOST_AUTO_TEST_CASE(value_sets_that_include_each_other_many_times_take_no_longer) {
  // Each includes the next one a hundred times: followed one by one that would be a hundred to the seventh.
  std::string sets;
  for (int s = 0; s < 8; ++s) {
    std::string includes;
    for (int i = 0; i < 100; ++i)
      includes += std::string{i == 0 ? "" : ","} + R"({"valueSet":["http://v)" + std::to_string(s + 1) + R"("]})";
    sets +=
        R"({"resourceType":"ValueSet","url":"http://v)" + std::to_string(s) + R"(","compose":{"include":[)" + includes + "]}},";
  }
  sets += R"({"resourceType":"ValueSet","url":"http://v8","compose":{"include":[{"concept":[{"code":"x"}]}]}})";
  const auto form = compile_form(item_a("choice", R"("answerValueSet":"http://v0")"), R"("contained":[)" + sets + "],").form;
  BOOST_TEST(line_of(issues_of(form, response_json(answer_a(R"("valueCoding":{"code":"x"})")))) == "");
}

BOOST_AUTO_TEST_CASE(expressions_of_other_languages_are_said_not_to_be_evaluated) {
  const std::string expression =
      R"({"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression","valueExpression":{"language":"text/cql","expression":"true"}})";
  const auto form = item_a("string", R"("required":true,)" + extensions(expression));
  // Whether it is asked is not known, so that nothing is missing and nothing too much.
  BOOST_TEST(findings(form, "") == "information not-supported a item[0].extension[0]");
  BOOST_TEST(findings(form, answer_a(R"("valueString":"x")")) == "information not-supported a item[0].extension[0]");
  BOOST_TEST(remarks(item_a("string",
                            extensions(R"({"url":"http://hl7.org/fhir/StructureDefinition/variable","valueExpression":{}})"))) ==
             "error required a item[0].extension[0].valueExpression; error required a item[0].extension[0].valueExpression; "
             "error required a item[0].extension[0].valueExpression");
}

BOOST_AUTO_TEST_CASE(an_initial_value_that_could_not_be_submitted_is_a_warning) {
  const auto with = [](const std::string& type, const std::string& rule, const std::string& value) {
    return remarks(item_a(type, rule + R"(,"initial":[{)" + value + "}]"));
  };
  const std::string breaks = "warning invariant a item[0].initial[0]";
  BOOST_TEST(with("string", R"("maxLength":2)", R"("valueString":"xy")") == "");
  BOOST_TEST(with("string", R"("maxLength":2)", R"("valueString":"xyz")") == "warning too-long a item[0].initial[0]");
  const auto least = extensions(fhir_extension("minValue", R"("valueInteger":5)"));
  BOOST_TEST(with("integer", least, R"("valueInteger":5)") == "");
  BOOST_TEST(with("integer", least, R"("valueInteger":4)") == breaks);
  const auto places = extensions(fhir_extension("maxDecimalPlaces", R"("valueInteger":1)"));
  BOOST_TEST(with("decimal", places, R"("valueDecimal":1.5)") == "");
  BOOST_TEST(with("decimal", places, R"("valueDecimal":1.25)") == breaks);
  const auto latest = extensions(fhir_extension("maxValue", R"("valueDate":"2024-05-01")"));
  BOOST_TEST(with("date", latest, R"("valueDate":"2024-05-01")") == "");
  BOOST_TEST(with("date", latest, R"("valueDate":"2024-05-02")") == breaks);
  const auto regex = extensions(fhir_extension("regex", R"("valueString":"[a-z]+")"));
  BOOST_TEST(with("text", regex, R"("valueString":"abc")") == "");
  BOOST_TEST(with("text", regex, R"("valueString":"ABC")") == breaks);
  const auto unit = extensions(fhir_extension("questionnaire-unitOption", R"("valueCoding":{"code":"kg","display":"kilogram"})"));
  BOOST_TEST(with("quantity", unit, R"("valueQuantity":{"value":1,"unit":"kilogram"})") == "");
  BOOST_TEST(with("quantity", unit, R"("valueQuantity":{"value":1,"unit":"g"})") == breaks);
  const auto resource = extensions(fhir_extension("questionnaire-referenceResource", R"("valueCode":"Practitioner")"));
  BOOST_TEST(with("reference", resource, R"("valueReference":{"reference":"Practitioner/1"})") == "");
  BOOST_TEST(with("reference", resource, R"("valueReference":{"reference":"Patient/1"})") == breaks);
  const auto code = [&](const std::string& initial) {
    return remarks(item_a("choice", R"("answerValueSet":"#v","initial":[{)" + coding(initial) + "}]"),
                   R"("contained":[{"resourceType":"ValueSet","id":"v","compose":{"include":[{"system":")" + sct +
                       R"(","concept":[{"code":"1"}]}]}}],)");
  };
  BOOST_TEST(code("1") == "");
  BOOST_TEST(code("2") == breaks);
}

BOOST_AUTO_TEST_CASE(a_form_says_what_it_cannot_check) {
  BOOST_TEST(remarks(item_a("string", extensions(fhir_extension("regex", R"x("valueString":"(?=x)")x")))) ==
             "warning not-supported a item[0].extension");
  BOOST_TEST(remarks(item_a("choice", R"("answerValueSet":"http://v")")) == "warning not-found a item[0].answerValueSet");
  BOOST_TEST(remarks(item_a("string", R"("answerValueSet":"http://v")")) == "warning not-supported a item[0].answerValueSet");
  BOOST_TEST(remarks(item_a("string"), R"("name":"not good",)") == "warning invariant - name"); // que-0
  BOOST_TEST(remarks("") == "error structure - item");
  BOOST_TEST(remarks(item_a("string", R"("code":[])")) == "error structure a item[0].code");
  BOOST_TEST(remarks(item_a("string", extensions(R"({"valueString":"x"})"))) == "error required a item[0].extension[0]");
  BOOST_TEST(remarks(item_a("string", extensions(R"({"url":"http://u","valueString":"x","extension":[{"url":"v"}]})"))) ==
             "error invariant a item[0].extension[0]");
  BOOST_TEST(remarks(item_a("string"), R"("subjectType":["Person","Human"],)") == "error code-invalid - subjectType");
  BOOST_TEST(remarks(item_a("string", R"("enableBehavior":"some")")) == "error code-invalid a item[0].enableBehavior");
  BOOST_TEST(remarks(item_a("decimal", R"("initial":[{"valueString":"x"}])")) == "error structure a item[0].initial[0]");
  BOOST_TEST(remarks(item_a("string", extensions(R"({"url":"http://u"})"))) == "error invariant a item[0].extension[0]"); // ext-1
  BOOST_TEST(remarks(item_a("string",
                            extensions(R"({"url":"http://u","_valueCode":{"extension":[{"url":"v","valueCode":"x"}]}})"))) == "");
  BOOST_TEST(remarks(item_a("string", R"("code":[{"code":"x","colour":"red"}])")) == "error structure a item[0].code[0].colour");
  BOOST_TEST(remarks(item_a("string"), R"("code":[{"code":"x","colour":"red"}],)") == "error structure - code[0].colour");
  for (const auto* type : {"text", "url", "reference", "attachment", "boolean", "display"})
    BOOST_TEST(remarks(item_a(type, R"("answerOption":[{"valueString":"x"}])")) == "error invariant a item[0].answerOption",
               type);
}

BOOST_AUTO_TEST_SUITE_END()
