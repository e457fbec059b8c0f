// What of a FHIR Questionnaire is refused, each rule both ways.
#include "study_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

/// Problems of a form with these items, without the file's name.
std::string refusals(const std::string& items) {
  auto text = problems_of(source_of(items));
  const std::string file = "f.json | ";
  for (auto at = text.find(file); at != std::string::npos; at = text.find(file, at))
    text.erase(at, file.size());
  return text;
}

bool accepted(const std::string& items) {
  return refusals(items).empty();
}

bool says_of(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string coding_a = R"({"valueCoding":{"code":"a"}})";

} // namespace

BOOST_AUTO_TEST_SUITE(questionnaire_compiler)

BOOST_AUTO_TEST_CASE(items_of_every_type_compile_in_document_order) {
  const auto s = compiled(source_of(R"(
    {"linkId":"g","type":"group","prefix":"1.","text":"Group","item":[
      {"linkId":"b","type":"boolean"},{"linkId":"d","type":"decimal"},
      {"linkId":"g2","type":"group","item":[{"linkId":"i","type":"integer"}]}]},
    {"linkId":"da","type":"date"},{"linkId":"dt","type":"dateTime"},{"linkId":"t","type":"time"},{"linkId":"s","type":"string"},
    {"linkId":"te","type":"text"},{"linkId":"u","type":"url"},{"linkId":"c","type":"choice"},{"linkId":"o","type":"open-choice"},
    {"linkId":"r","type":"reference"},{"linkId":"q","type":"quantity"},{"linkId":"f","type":"attachment"},{"linkId":"x","type":"display","text":"Thanks"})"));
  const auto& form = s->compiled().forms.at(0).form;
  std::string order;
  for (const auto& item : form.items)
    order += item.link_id + ":" + std::string{name(item.type)} + " ";
  BOOST_TEST(order == "g:group b:boolean d:decimal g2:group i:integer da:date dt:dateTime t:time s:string te:text u:url c:choice "
                      "o:open-choice r:reference q:quantity f:attachment x:display ");
  BOOST_TEST(form.items[4].parent == 3u);
  BOOST_TEST(form.items[3].parent == 0u);
  BOOST_TEST(form.items[5].parent == form_item::none);
  BOOST_TEST(form.items[0].prefix == "1.");
  BOOST_TEST(form.version == "2");
}

BOOST_AUTO_TEST_CASE(a_missing_link_id_is_named_by_its_place_in_the_tree) {
  BOOST_TEST(refusals(R"({"linkId":"g","type":"group","item":[{"linkId":"a","type":"string"},{"type":"display","text":"Hello"}]},
                         {"type":"string"})") ==
             "item[0].item[1] | linkId is missing: every item needs one that no other item of the form has (the item's text: "
             "\"Hello\")\n"
             "item[1] | linkId is missing: every item needs one that no other item of the form has\n");
}

BOOST_AUTO_TEST_CASE(a_link_id_is_there_once_in_the_whole_tree) {
  BOOST_TEST(
      refusals(R"({"linkId":"a","type":"group","item":[{"linkId":"b","type":"string"}]},{"linkId":"b","type":"string"})") ==
      "item[1].linkId (linkId b) | \"b\" is the linkId of an earlier item already (FHIR invariant que-2)\n");
}

BOOST_AUTO_TEST_CASE(the_invariants_of_fhir_r4_hold) {
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"group"})"), "que-1"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"group","item":[]})"), "que-1"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"display","item":[{"linkId":"b","type":"string"}]})"), "que-1"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"display","code":[{"code":"x"}]})"), "que-3"));
  BOOST_TEST(says_of(
      refusals(R"({"linkId":"a","type":"choice","answerOption":[)" + coding_a + R"(],"answerValueSet":"http://x"})"), "que-4"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"text","answerValueSet":"http://x"})"), "que-5"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"boolean","answerOption":[)" + coding_a + "]}"), "que-5"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"display","required":true})"), "que-6"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"display","repeats":false})"), "que-6"));
  BOOST_TEST(says_of(
      refusals(
          R"({"linkId":"q","type":"string"},{"linkId":"a","type":"string","enableWhen":[{"question":"q","operator":"exists","answerString":"x"}]})"),
      "que-7"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"display","initial":[{"valueString":"x"}]})"), "que-8"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"display","readOnly":true})"), "que-9"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"date","maxLength":5})"), "que-10"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"choice","initial":[{}],"answerOption":[)" + coding_a + "]}"), "que-11"));
  BOOST_TEST(
      says_of(refusals(R"({"linkId":"a","type":"string","initial":[{"valueString":"x"},{"valueString":"y"}]})"), "que-13"));
  BOOST_TEST(accepted(R"({"linkId":"a","type":"string","repeats":true,"maxLength":5,"code":[{"code":"x"}],"readOnly":true,
                          "initial":[{"valueString":"x"},{"valueString":"y"}]})"));
}

BOOST_AUTO_TEST_CASE(more_than_one_condition_needs_a_behavior) {
  const std::string two = R"({"linkId":"q","type":"boolean"},{"linkId":"a","type":"string",BEHAVIOR"enableWhen":[
    {"question":"q","operator":"=","answerBoolean":true},{"question":"q","operator":"exists","answerBoolean":true}]})";
  const auto with = [&](const std::string& behavior) {
    auto text = two;
    return text.replace(text.find("BEHAVIOR"), 8, behavior);
  };
  BOOST_TEST(says_of(refusals(with("")), "que-12"));
  BOOST_TEST(accepted(with(R"("enableBehavior":"any",)")));
  BOOST_TEST(accepted(with(R"("enableBehavior":"all",)")));
  BOOST_TEST(says_of(refusals(with(R"("enableBehavior":"some",)")), "all or any"));
}

BOOST_AUTO_TEST_CASE(a_condition_must_make_sense) {
  const auto condition = [](const std::string& c, const std::string& type = "boolean") {
    return R"({"linkId":"q","type":")" + type +
           R"("},{"linkId":"g","type":"group","item":[{"linkId":"a","type":"string","enableWhen":[)" + c + "]}]}";
  };
  BOOST_TEST(accepted(condition(R"({"question":"q","operator":"=","answerBoolean":true})")));
  BOOST_TEST(
      says_of(refusals(condition(R"({"question":"z","operator":"=","answerBoolean":true})")), "no item with the linkId \"z\""));
  BOOST_TEST(says_of(refusals(condition(R"({"question":"g","operator":"=","answerBoolean":true})")), "not a question"));
  BOOST_TEST(says_of(refusals(condition(R"({"question":"a","operator":"=","answerString":"x"})")), "its own answer"));
  BOOST_TEST(says_of(
      refusals(
          R"({"linkId":"g","type":"group","enableWhen":[{"question":"a","operator":"exists","answerBoolean":true}],"item":[{"linkId":"a","type":"string"}]})"),
      "lies in the one that depends on it"));
  BOOST_TEST(says_of(refusals(condition(R"({"question":"q","operator":"~","answerBoolean":true})")), "must be one of exists"));
  BOOST_TEST(says_of(refusals(condition(R"({"question":"q","operator":"="})")), "needs one answer[x]"));
  BOOST_TEST(says_of(refusals(condition(R"({"operator":"=","answerBoolean":true})")), "question is missing"));
  BOOST_TEST(says_of(refusals(condition(R"({"question":"q","answerBoolean":true})")), "operator is missing"));
  BOOST_TEST(says_of(refusals(condition(R"({"question":"q","operator":"=","answerInteger":1})")),
                     "does not fit an item of type boolean"));
  BOOST_TEST(says_of(refusals(condition(R"({"question":"q","operator":"=","answerBoolean":true,"answerInteger":1})")),
                     "more than one answer[x]"));
  BOOST_TEST(says_of(refusals(condition(R"({"question":"q","operator":">","answerBoolean":true})")), "have no order"));
  BOOST_TEST(accepted(condition(R"({"question":"q","operator":">","answerInteger":1})", "integer")));
  BOOST_TEST(accepted(condition(R"({"question":"q","operator":"<=","answerDate":"2024-05"})", "date")));
  BOOST_TEST(says_of(refusals(condition(R"({"question":"q","operator":"<=","answerDate":"2024-15"})", "date")), "does not fit"));
  BOOST_TEST(accepted(condition(R"({"question":"q","operator":">=","answerQuantity":{"value":1,"code":"d"}})", "quantity")));
  BOOST_TEST(accepted(condition(R"({"question":"q","operator":"!=","answerReference":{"reference":"Patient/1"}})", "reference")));
}

BOOST_AUTO_TEST_CASE(a_misspelt_member_is_found) {
  BOOST_TEST(refusals(R"({"linkId":"a","type":"string","requred":true})") ==
             "item[0].requred (linkId a) | FHIR R4 knows no such member here; correct its name or remove it\n");
  BOOST_TEST(accepted(R"({"linkId":"a","type":"string","_required":{"id":"x"},"definition":"http://x"})"));
}

BOOST_AUTO_TEST_CASE(members_of_the_wrong_type_are_named) {
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"string","required":"true"})"), "true or false"));
  BOOST_TEST(says_of(refusals(R"({"linkId":7,"type":"string"})"), "it must be a text"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"strin"})"), "\"strin\" is not an item type"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a"})"), "type is missing"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"string","maxLength":"5"})"), "whole number"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"string","maxLength":0})"), "1 or more"));
  BOOST_TEST(says_of(refusals(R"("a")"), "it must be an object"));
}

BOOST_AUTO_TEST_CASE(a_rule_that_is_not_understood_is_not_silently_missing) {
  BOOST_TEST(says_of(
      refusals(
          R"({"linkId":"a","type":"decimal","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/minOccurs-expression","valueString":"1"}]})"),
      "minOccurs-expression is not supported"));
  BOOST_TEST(says_of(
      refusals(
          R"({"linkId":"a","type":"decimal","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-constraint","extension":[]}]})"),
      "a constraint needs the extension"));
  const auto constraint = [](const std::string& severity) {
    return R"({"linkId":"a","type":"decimal","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-constraint",)"
           R"("extension":[{"url":"key","valueId":"k"},{"url":"severity",)" +
           severity + R"(},{"url":"human","valueString":"h"},{"url":"expression","valueString":"true"}]}]})";
  };
  BOOST_TEST(accepted(constraint(R"("valueCode":"warning")")));
  BOOST_TEST(says_of(refusals(constraint(R"("valueCode":"fatal")")), "error or warning"));
  BOOST_TEST(says_of(refusals(constraint(R"("valueString":"error")")), "error or warning"));
  BOOST_TEST(
      says_of(refusals(R"({"linkId":"a","type":"string","modifierExtension":[{"url":"http://x"}]})"), "modifierExtension"));
  BOOST_TEST(
      accepted(R"({"linkId":"a","type":"decimal","extension":[{"url":"http://example.org/colour","valueString":"red"}]})"));
}

BOOST_AUTO_TEST_CASE(options_must_fit_and_differ) {
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"choice","answerOption":[)" + coding_a + "," + coding_a + "]}"),
                     "two options are the same"));
  BOOST_TEST(
      says_of(refusals(R"({"linkId":"a","type":"choice","answerOption":[{"valueCoding":{"display":"A"}}]})"), "code is missing"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"choice","answerOption":[{}]})"), "needs one value[x]"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"integer","answerOption":[{"valueString":"1"}]})"),
                     "does not fit an item of type integer"));
  BOOST_TEST(says_of(refusals(R"({"linkId":"a","type":"choice","answerOption":[{"valueBoolean":true}]})"), "an option is a"));
  BOOST_TEST(accepted(R"({"linkId":"a","type":"integer","answerOption":[{"valueInteger":1},{"valueInteger":2}]})"));
  BOOST_TEST(accepted(
      R"({"linkId":"a","type":"choice","answerOption":[{"valueString":"x"},{"valueInteger":2},{"valueDate":"2024"},{"valueTime":"08:00:00"},
                          {"valueReference":{"reference":"Patient/1"}},)" +
      coding_a + "]}"));
}

BOOST_AUTO_TEST_CASE(a_contained_value_set_must_be_there) {
  auto source = source_of("");
  const auto with = [&](const std::string& value_set) {
    source.forms[0].text =
        form_json(R"({"linkId":"a","type":"choice","answerValueSet":")" + value_set + R"("})",
                  R"("contained":[{"resourceType":"ValueSet","id":"v","compose":{"include":[{"concept":[{"code":"x"}]}]}},
                                        {"resourceType":"ValueSet","id":"open","compose":{"include":[{"system":"http://loinc.org"}]}},
                                        {"resourceType":"Patient","id":"p"}],)");
    return problems_of(source);
  };
  BOOST_TEST(with("#v") == "");
  BOOST_TEST(with("#open") == "");
  BOOST_TEST(with("http://somewhere") == "");
  BOOST_TEST(says_of(with("#w"), "contains no value set with the id \"w\""));
  BOOST_TEST(says_of(with("#p"), "not a ValueSet"));
}

BOOST_AUTO_TEST_CASE(limits_must_leave_something_to_answer) {
  const auto with = [](const std::string& type, const std::string& extensions) {
    return R"({"linkId":"a","type":")" + type + R"(","extension":[)" + extensions + "]}";
  };
  const std::string base = R"({"url":"http://hl7.org/fhir/StructureDefinition/)";
  BOOST_TEST(accepted(with("integer", base + R"(minValue","valueInteger":1},)" + base + R"(maxValue","valueInteger":1})")));
  BOOST_TEST(
      says_of(refusals(with("integer", base + R"(minValue","valueInteger":2},)" + base + R"(maxValue","valueInteger":1})")),
              "less than minValue"));
  BOOST_TEST(
      says_of(refusals(with("date", base + R"(minValue","valueDate":"2025"},)" + base + R"(maxValue","valueDate":"2024"})")),
              "less than minValue"));
  BOOST_TEST(says_of(refusals(with("string", base + R"(minValue","valueInteger":2})")), "is for items of type"));
  BOOST_TEST(says_of(refusals(with("integer", base + R"(minValue","valueString":"2"})")), "does not fit"));
  BOOST_TEST(says_of(refusals(with("integer", base + R"(minValue"})")), "needs one value[x]"));
  BOOST_TEST(
      says_of(refusals(with("integer", base + R"(minValue","valueInteger":2},)" + base + R"(minValue","valueInteger":1})")),
              "more than once"));
  BOOST_TEST(says_of(refusals(with("string", base + R"(minLength","valueInteger":-1})")), "minLength needs valueInteger"));
}

BOOST_AUTO_TEST_CASE(an_initial_value_keeps_the_items_own_limits) {
  const std::string item = R"({"linkId":"a","type":"string","maxLength":2,"initial":[{"valueString":")";
  BOOST_TEST(accepted(item + "xy\"}]}"));
  BOOST_TEST(refusals(item + "xyz\"}]}") ==
             "item[0].initial[0] (linkId a) | the initial value could not be submitted as it is: the "
             "answer must have 2 characters at most\n");
}

BOOST_AUTO_TEST_CASE(a_code_is_stored_as_its_value_set_writes_it) {
  auto source = source_of("");
  source.forms[0].text =
      form_json(R"({"linkId":"a","type":"choice","answerValueSet":"#v"})",
                R"("contained":[{"resourceType":"ValueSet","id":"v","compose":{"include":[{"system":"http://s"}]}},
         {"resourceType":"CodeSystem","id":"c","url":"http://s","content":"complete","caseSensitive":false,"concept":[{"code":"Ab"}]}],)");
  const auto s = compiled(source);
  const auto v = assess_answers(*s, R"({"a":"aB"})");
  BOOST_TEST(v.accepted(), codes_of(v));
  BOOST_TEST(json_from_msgpack(v.answers) == R"({"a":"Ab"})");
  BOOST_TEST(codes_of(assess_answers(*s, R"({"a":"aC"})")) == "not-an-option@a");
}

BOOST_AUTO_TEST_CASE(what_is_no_questionnaire_is_refused) {
  auto source = source_of("");
  const auto with = [&](const std::string& text) {
    source.forms[0].text = text;
    return problems_of(source);
  };
  BOOST_TEST(with("{\n  \"a\": 1,\n  x\n}") == "f.json | line 3, column 3 | this is not valid JSON\n");
  BOOST_TEST(says_of(with(""), "not valid JSON"));
  BOOST_TEST(says_of(with("[]"), "one object"));
  BOOST_TEST(says_of(with(R"({"resourceType":"Patient"})"), "this is a Patient"));
  BOOST_TEST(says_of(with("{}"), "resourceType"));
  BOOST_TEST(says_of(with("\xff{}"), "not UTF-8"));
  BOOST_TEST(says_of(with(R"({"resourceType":"Questionnaire","status":"active"})"), "the form has no items"));
  BOOST_TEST(says_of(with(R"({"resourceType":"Questionnaire","status":"on","item":[{"linkId":"a","type":"string"}]})"),
                     "draft, active"));
  BOOST_TEST(
      says_of(with(R"({"resourceType":"Questionnaire","status":"active","items":[]})"), "items | FHIR R4 knows no such member"));
  BOOST_TEST(says_of(
      with(R"({"resourceType":"Questionnaire","status":"active","status":"draft","item":[{"linkId":"a","type":"string"}]})"),
      "there twice"));
}

BOOST_AUTO_TEST_CASE(however_deep_a_file_is_nested_it_is_refused_and_not_the_end_of_the_program) {
  auto source = source_of("");
  source.forms[0].text = std::string(2'000'000, '[');
  BOOST_TEST(says_of(problems_of(source), "deep"));
  std::string items = R"({"linkId":"x","type":"string"})";
  for (int i = 0; i < 60; ++i)
    items = R"({"linkId":"g)" + std::to_string(i) + R"(","type":"group","item":[)" + items + "]}";
  BOOST_TEST(says_of(refusals(items), "more than 32 deep"));
}

BOOST_AUTO_TEST_CASE(there_is_a_limit_on_items) {
  std::string items;
  for (int i = 0; i <= 5000; ++i)
    items += std::string{i == 0 ? "" : ","} + R"({"type":"string","linkId":")" + std::to_string(i) + "\"}";
  BOOST_TEST(says_of(refusals(items), "more than 5000 items"));
}

BOOST_AUTO_TEST_CASE(translations_are_read_and_asked_for_by_the_studys_languages) {
  const std::string translated =
      R"({"linkId":"a","type":"string","text":"Name","_text":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/translation",
    "extension":[{"url":"lang","valueCode":"zh"},{"url":"content","valueString":"\u540d"}]}]}})";
  auto source = source_of(translated);
  const auto s = compiled(source);
  const auto& translations = s->compiled().forms[0].form.items[0].text.translations;
  BOOST_REQUIRE(translations.size() == 1u);
  BOOST_TEST(translations[0].first == "zh");
  BOOST_TEST(translations[0].second == "\xe5\x90\x8d");
  source.toml.replace(source.toml.find("[\"en\"]"), 6, "[\"en\", \"zh\", \"de\"]");
  BOOST_TEST(problems_of(source) == "f.json | linkId a | the text has no translation to \"de\", one of the study's languages\n");
  BOOST_TEST(says_of(
      refusals(
          R"({"linkId":"a","type":"string","_text":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/translation"}]}})"),
      "a translation needs"));
}

BOOST_AUTO_TEST_SUITE_END()
