// Random forms with random responses: what fits is accepted, and one broken rule is reported at its item and nowhere else.
#include "response_fixture.hpp"

#include <nlohmann/json.hpp>
#include <random>

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

using ordered = nlohmann::ordered_json;
using random_source = std::mt19937; // the same sequence everywhere, which the distributions of the library are not

/// A form and a response to it, made together.
class random_pair {
public:
  explicit random_pair(std::uint32_t seed) : random_(seed) {}

  void make() {
    form_ = {{"resourceType", "Questionnaire"}, {"url", "http://x/q"}, {"status", "active"}};
    response_ = {{"resourceType", "QuestionnaireResponse"}, {"questionnaire", "http://x/q"}, {"status", "completed"}};
    auto [items, answers] = make_items(0);
    form_["item"] = std::move(items);
    if (!answers.empty())
      response_["item"] = std::move(answers);
  }

  std::uint32_t up_to(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  const ordered& form() const { return form_; }
  const ordered& response() const { return response_; }

private:
  /// Items of the form and of the response, at one level.
  std::pair<ordered, ordered> make_items(int depth) {
    auto items = ordered::array();
    auto answers = ordered::array();
    const auto count = 1 + up_to(5);
    for (std::uint32_t i = 0; i < count; ++i) {
      auto [item, given] = depth < 4 && up_to(4) == 0 ? make_group(depth) : make_question(depth);
      for (auto& g : given)
        answers.push_back(std::move(g));
      items.push_back(std::move(item));
    }
    return {std::move(items), std::move(answers)};
  }

  std::string next_id() { return "i" + std::to_string(++last_id_); }

  std::pair<ordered, ordered> make_group(int depth) {
    ordered item{{"linkId", next_id()}, {"type", "group"}};
    const bool repeats = up_to(3) == 0;
    auto [items, answers] = make_items(depth + 1);
    auto given = ordered::array();
    for (std::uint32_t n = repeats ? 1 + up_to(3) : 1; n > 0 && !answers.empty(); --n)
      given.push_back({{"linkId", item["linkId"]}, {"item", answers}});
    item["repeats"] = repeats;
    item["item"] = std::move(items);
    return {std::move(item), std::move(given)};
  }

  std::pair<ordered, ordered> make_question(int depth) {
    ordered item{{"linkId", next_id()}};
    item["required"] = true;
    ordered value;
    make_rule(item, value);
    if (up_to(5) == 0) // asked because a question that nobody answers is not answered
      item["enableWhen"] = ordered::array({{{"question", "never"}, {"operator", "exists"}, {"answerBoolean", false}}});
    ordered answer = value;
    if (depth < 4 && up_to(6) == 0) {
      auto [items, answers] = make_items(depth + 1);
      item["item"] = std::move(items);
      if (!answers.empty())
        answer["item"] = std::move(answers);
    }
    auto given = ordered::array();
    given.push_back({{"linkId", item["linkId"]}, {"answer", ordered::array({std::move(answer)})}});
    return {std::move(item), std::move(given)};
  }

  /// A type with a rule, and a value that keeps it.
  void make_rule(ordered& item, ordered& value) {
    const auto extension = [&](const char* name, ordered rule) {
      rule["url"] = std::string{"http://hl7.org/fhir/StructureDefinition/"} + name;
      item["extension"].push_back(std::move(rule));
    };
    switch (up_to(9)) {
      case 0: item["type"] = "boolean", value["valueBoolean"] = up_to(2) == 0; break;
      case 1:
        item["type"] = "integer", value["valueInteger"] = 5 + up_to(6);
        extension("minValue", {{"valueInteger", 5}});
        extension("maxValue", {{"valueInteger", 10}});
        break;
      case 2:
        item["type"] = "decimal", value["valueDecimal"] = 0.25 * up_to(8);
        extension("maxDecimalPlaces", {{"valueInteger", 2}});
        break;
      case 3: item["type"] = "date", value["valueDate"] = "2024-0" + std::to_string(1 + up_to(9)) + "-11"; break;
      case 4: item["type"] = "string", item["maxLength"] = 4, value["valueString"] = std::string(1 + up_to(4), 'x'); break;
      case 5:
        item["type"] = "string", value["valueString"] = std::to_string(10 + up_to(90));
        extension("regex", {{"valueString", "[0-9]{2}"}});
        break;
      case 6:
        item["type"] = "choice";
        for (const auto* code : {"a", "b", "c"})
          item["answerOption"].push_back({{"valueCoding", {{"system", "http://s"}, {"code", code}}}});
        value["valueCoding"] = {{"system", "http://s"}, {"code", std::string(1, static_cast<char>('a' + up_to(3)))}};
        break;
      case 7:
        item["type"] = "quantity", value["valueQuantity"] = {{"value", 1 + up_to(50)}, {"unit", "kg"}};
        extension("questionnaire-unitOption", {{"valueCoding", {{"code", "kg"}, {"system", "http://unitsofmeasure.org"}}}});
        break;
      default: item["type"] = "time", value["valueTime"] = "1" + std::to_string(up_to(10)) + ":30:00"; break;
    }
  }

  random_source random_;
  ordered form_, response_;
  int last_id_ = 0;
};

/// Every answered item of a response, front to back.
std::vector<ordered*> answered(ordered& response) {
  std::vector<ordered*> found;
  std::vector<ordered*> pending{&response};
  while (!pending.empty()) {
    auto& x = *pending.back();
    pending.pop_back();
    if (x.contains("answer")) {
      found.push_back(&x);
      for (auto& a : x["answer"])
        pending.push_back(&a);
    }
    if (x.contains("item"))
      for (auto& i : x["item"])
        pending.push_back(&i);
  }
  return found;
}

/// Breaks one rule that the item's value keeps; says which.
std::string mutate(ordered& item, std::uint32_t choice) {
  auto& answer = item["answer"][0];
  const auto replace = [&](const char* name, const ordered& value) {
    for (auto m = answer.begin(); m != answer.end();)
      m = m.key().starts_with("value") ? answer.erase(m) : m + 1;
    answer[name] = value;
  };
  switch (choice) {
    case 0: // another type
      if (answer.contains("valueBoolean"))
        replace("valueInteger", 1);
      else
        replace("valueBoolean", true);
      return "type";
    case 1: // the limit of its own rule
      if (answer.contains("valueInteger"))
        replace("valueInteger", 11);
      else if (answer.contains("valueDecimal"))
        replace("valueDecimal", 0.125);
      else if (answer.contains("valueDate"))
        replace("valueDate", "2023-02-29");
      else if (answer.contains("valueString"))
        replace("valueString", "xxxxx");
      else if (answer.contains("valueCoding"))
        replace("valueCoding", {{"system", "http://s"}, {"code", "d"}});
      else if (answer.contains("valueQuantity"))
        replace("valueQuantity", {{"value", 1}, {"unit", "g"}});
      else if (answer.contains("valueTime"))
        replace("valueTime", "25:00:00");
      else
        replace("valueBoolean", "yes");
      return "limit";
    case 2: item["answer"].push_back(ordered(answer)); return "one answer too many";
    case 3: item["colour"] = "red"; return "an unknown member";
    default: answer["valu"] = 1; return "an unknown member of the answer";
  }
}

/// Forms get the question that conditions ask for, which nobody answers.
std::string with_never(ordered form) {
  form["item"].push_back({{"linkId", "never"}, {"type", "boolean"}});
  return form.dump();
}

questionnaire compiled_form(const std::string& text) {
  std::vector<fhir_issue> issues;
  file_problems problems{"Questionnaire", issues};
  compile_options options;
  options.for_submissions = false;
  auto form = compile_questionnaire(text, problems, options);
  BOOST_TEST_REQUIRE((form && issues.empty()), line_of(issues) + "\n" + text);
  return std::move(*form);
}

} // namespace

BOOST_AUTO_TEST_SUITE(response_properties)

BOOST_AUTO_TEST_CASE(a_random_valid_response_is_accepted) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    random_pair pair{seed};
    pair.make();
    const auto form = compiled_form(with_never(pair.form()));
    const auto issues = issues_of(form, pair.response().dump());
    BOOST_TEST_REQUIRE(issues.empty(), "seed " + std::to_string(seed) + ": " + line_of(issues));
  }
}

BOOST_AUTO_TEST_CASE(one_broken_rule_is_reported_at_its_item_and_nowhere_else) {
  std::size_t broken = 0;
  for (std::uint32_t seed = 1; seed <= 600; ++seed) {
    random_pair pair{seed};
    pair.make();
    const auto form = compiled_form(with_never(pair.form()));
    auto response = pair.response();
    const auto items = answered(response);
    if (items.empty())
      continue;
    auto& item = *items[pair.up_to(static_cast<std::uint32_t>(items.size()))];
    // An item beneath a question is repeated with its answer, and then it would be two problems.
    const auto choice = item["answer"][0].contains("item") ? 3u : pair.up_to(5);
    const auto what = mutate(item, choice);
    const auto issues = issues_of(form, response.dump());
    const auto context = "seed " + std::to_string(seed) + ", " + what + ": " + line_of(issues);
    BOOST_TEST_REQUIRE(issues.size() == 1u, context);
    BOOST_TEST(issues[0].link_id == item["linkId"].get<std::string>(), context);
    BOOST_TEST((issues[0].severity == issue_severity::error), context);
    ++broken;
  }
  BOOST_TEST(broken > 500u);
}

BOOST_AUTO_TEST_CASE(one_required_item_that_is_left_out_is_the_only_problem) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    random_pair pair{seed};
    pair.make();
    const auto form = compiled_form(with_never(pair.form()));
    auto response = pair.response();
    const auto items = answered(response);
    if (items.empty())
      continue;
    auto& item = *items[pair.up_to(static_cast<std::uint32_t>(items.size()))];
    item.erase("answer");
    const auto issues = issues_of(form, response.dump());
    BOOST_TEST_REQUIRE(issues.size() == 1u, "seed " + std::to_string(seed) + ": " + line_of(issues));
    BOOST_TEST(issues[0].link_id == item["linkId"].get<std::string>());
    BOOST_TEST(issues[0].code == std::string{issue_code::required});
  }
}

/// The same form and response with expressions: a calculated sum of all integers at the end, constraints on texts that are kept.
void add_expressions(ordered& form, ordered& response) {
  std::int64_t sum = 0;
  for (auto* item : answered(response))
    for (const auto& a : (*item)["answer"])
      if (a.contains("valueInteger"))
        sum += a["valueInteger"].get<std::int64_t>();
  const auto expression = [](const char* name, const char* text) {
    return ordered{{"url", std::string{"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"} + name},
                   {"valueExpression", {{"language", "text/fhirpath"}, {"expression", text}}}};
  };
  form["extension"].push_back(
      {{"url", "http://hl7.org/fhir/StructureDefinition/variable"},
       {"valueExpression",
        {{"name", "integers"},
         {"language", "text/fhirpath"},
         {"expression", "%resource.descendants().where(linkId.startsWith('i')).answer.value.ofType(integer)"}}}});
  form["item"].push_back({{"linkId", "sum"},
                          {"type", "integer"},
                          {"extension", {expression("calculatedExpression", "iif(%integers.exists(), %integers.sum(), 0)")}}});
  form["item"].push_back(
      {{"linkId", "even"},
       {"type", "boolean"},
       {"required", true},
       {"extension", {expression("enableWhenExpression", "iif(%integers.exists(), %integers.sum(), 0) mod 2 = 0")}}});
  form["item"].push_back({{"linkId", "date"},
                          {"type", "date"},
                          {"extension",
                           {{{"url", "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint"},
                             {"extension",
                              {{{"url", "key"}, {"valueId", "old"}},
                               {{"url", "severity"}, {"valueCode", "error"}},
                               {{"url", "human"}, {"valueString", "It must be before 2024"}},
                               {{"url", "expression"}, {"valueString", "answer.value < @2024-01-01"}}}}}}}});
  response["item"].push_back({{"linkId", "sum"}, {"answer", ordered::array({{{"valueInteger", sum}}})}});
  if (sum % 2 == 0)
    response["item"].push_back({{"linkId", "even"}, {"answer", ordered::array({{{"valueBoolean", true}}})}});
  response["item"].push_back({{"linkId", "date"}, {"answer", ordered::array({{{"valueDate", "2023-11-30"}}})}});
}

BOOST_AUTO_TEST_CASE(one_broken_expression_is_reported_at_its_item_and_nowhere_else) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    random_pair pair{seed};
    pair.make();
    auto form = ordered::parse(with_never(pair.form()));
    auto response = pair.response();
    add_expressions(form, response);
    const auto compiled = compiled_form(form.dump());
    const auto context = [&](const std::vector<fhir_issue>& issues) {
      return "seed " + std::to_string(seed) + ": " + line_of(issues);
    };
    const auto good = issues_of(compiled, response.dump());
    BOOST_TEST_REQUIRE(good.empty(), context(good));
    auto& items = response["item"];
    const auto at = [&](const char* id) {
      return std::find_if(items.begin(), items.end(), [&](const auto& i) { return i["linkId"] == id; });
    };
    const char* broken = "sum";
    const auto even = at("even");
    switch (pair.up_to(3)) {
      case 0: (*at("sum"))["answer"][0]["valueInteger"] = 1'000'000; break;
      case 1: (*at("date"))["answer"][0]["valueDate"] = "2024-01-01", broken = "date"; break;
      default:
        broken = "even";
        if (even != items.end())
          items.erase(even);
        else
          items.insert(at("date"), ordered::object({{"linkId", "even"}, {"answer", ordered::array({{{"valueBoolean", true}}})}}));
    }
    const auto issues = issues_of(compiled, response.dump());
    BOOST_TEST_REQUIRE(issues.size() == 1u, context(issues) + " " + broken);
    BOOST_TEST(issues[0].link_id == broken, context(issues));
    BOOST_TEST((issues[0].severity == issue_severity::error));
  }
}

BOOST_AUTO_TEST_CASE(twenty_thousand_items_twenty_deep_need_no_stack) {
  // Chains of twenty groups in each other, each with a question at its end.
  std::string items, answers;
  const int depth = 20, chains = 1'000;
  for (int c = 0; c < chains; ++c) {
    std::string before, after, given;
    for (int d = 0; d < depth - 1; ++d) {
      const auto id = "\"" + std::to_string(c) + "." + std::to_string(d) + "\"";
      before += R"({"linkId":)" + id + R"(,"type":"group","item":[)";
      given += R"({"linkId":)" + id + R"(,"item":[)";
      after += "]}";
    }
    const auto id = "\"" + std::to_string(c) + ".q\"";
    items += (c == 0 ? "" : ",") + before + R"({"linkId":)" + id + R"(,"type":"boolean","required":true})" + after;
    answers += (c == 0 ? "" : ",") + given + R"({"linkId":)" + id + R"(,"answer":[{"valueBoolean":true}]})" + after;
  }
  std::vector<fhir_issue> issues;
  file_problems problems{"Questionnaire", issues};
  compile_options options{false, 1'000'000, 1'000'000'000, nullptr};
  const auto form = compile_questionnaire(
      R"({"resourceType":"Questionnaire","url":"http://x/q","status":"active","item":[)" + items + "]}", problems, options);
  BOOST_REQUIRE(form.has_value());
  BOOST_TEST(issues.empty(), line_of(issues));
  BOOST_TEST(form->items.size() == 20'000u);
  BOOST_TEST(issues_of(*form, response_json(answers)).empty());
}

BOOST_AUTO_TEST_SUITE_END()
