// How long the check of a whole QuestionnaireResponse takes, its JSON in memory already; and how time grows with the form.
// response_bench [ROUNDS]
#include "domain/questionnaire_compiler.hpp"
#include "domain/questionnaire_response.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

using namespace epione::domain;

namespace {

struct pair_text {
  std::string form, response;
};

/// Processor time, so that what else runs on the machine counts less.
double cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e9 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec);
}

pair_text wrapped(const std::string& items, const std::string& answers) {
  return {R"({"resourceType":"Questionnaire","url":"http://x/q","status":"active","item":[)" + items + "]}",
          R"({"resourceType":"QuestionnaireResponse","questionnaire":"http://x/q","status":"completed","item":[)" + answers +
              "]}"};
}

/// Nine questions with four options each.
pair_text phq_9() {
  std::string items, answers, options;
  for (int o = 0; o < 4; ++o)
    options += std::string{o == 0 ? "" : ","} + R"({"valueCoding":{"system":"http://loinc.org","code":"LA656)" +
               std::to_string(8 + o) + R"(","display":"Option"}})";
  for (int i = 1; i <= 9; ++i) {
    const auto id = R"({"linkId":"q)" + std::to_string(i) + "\",";
    items += (i == 1 ? "" : ",") + id + R"("type":"choice","required":true,"answerOption":[)" + options + "]}";
    answers += (i == 1 ? "" : ",") + id + R"("answer":[{"valueCoding":{"system":"http://loinc.org","code":"LA656)" +
               std::to_string(8 + i % 4) + R"(","display":"Option"}}]})";
  }
  return wrapped(items, answers);
}

/// The same with weights, a total that the form calculates, and a question that an expression asks.
pair_text phq_9_with_expressions() {
  std::string items, answers, options;
  for (int o = 0; o < 4; ++o)
    options += std::string{o == 0 ? "" : ","} +
               R"({"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":)" +
               std::to_string(o) + R"(}],"valueCoding":{"system":"http://loinc.org","code":"LA656)" + std::to_string(8 + o) +
               R"("}})";
  int total = 0;
  for (int i = 1; i <= 9; ++i) {
    const auto id = R"({"linkId":"q)" + std::to_string(i) + "\",";
    items += id + R"("type":"choice","required":true,"answerOption":[)" + options + "]},";
    answers +=
        id + R"("answer":[{"valueCoding":{"system":"http://loinc.org","code":"LA656)" + std::to_string(8 + i % 4) + R"("}}]},)";
    total += i % 4;
  }
  const auto expression = [](const char* name, const char* text) {
    return R"("extension":[{"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-)" + std::string{name} +
           R"(","valueExpression":{"language":"text/fhirpath","expression":")" + text + R"("}}])";
  };
  items += R"({"linkId":"total","type":"integer",)" +
           expression("calculatedExpression", "%resource.item.where(linkId.startsWith('q')).answer.value.ordinal().sum()") +
           R"(},{"linkId":"difficulty","type":"boolean",)" +
           expression("enableWhenExpression", "%resource.item.where(linkId = 'total').answer.value > 0") + "}";
  answers += R"({"linkId":"total","answer":[{"valueInteger":)" + std::to_string(total) +
             R"(}]},{"linkId":"difficulty","answer":[{"valueBoolean":true}]})";
  return wrapped(items, answers);
}

/// Questions in pairs of four: every fourth is asked if the one before it is answered with yes.
pair_text branches(int count) {
  std::string items, answers;
  for (int i = 0; i < count; ++i) {
    const auto id = R"({"linkId":"q)" + std::to_string(i) + "\",";
    const auto when =
        i % 4 != 3 ? std::string{}
                   : R"("enableWhen":[{"question":"q)" + std::to_string(i - 1) + R"(","operator":"=","answerBoolean":true}],)";
    items += (i == 0 ? "" : ",") + id + when + R"("type":"boolean","required":true})";
    answers += (i == 0 ? "" : ",") + id + R"("answer":[{"valueBoolean":true}]})";
  }
  return wrapped(items, answers);
}

/// Chains of 19 groups with a question at their end.
pair_text nested(int count) {
  std::string items, answers;
  for (int c = 0; c < count / 20; ++c) {
    std::string before, given, after;
    for (int d = 0; d < 19; ++d) {
      const auto id = R"({"linkId":")" + std::to_string(c) + "." + std::to_string(d) + "\",";
      before += id + R"("type":"group","item":[)";
      given += id + R"("item":[)";
      after += "]}";
    }
    const auto id = R"({"linkId":")" + std::to_string(c) + ".q\",";
    items += (c == 0 ? "" : ",") + before + id + R"("type":"boolean","required":true})" + after;
    answers += (c == 0 ? "" : ",") + given + id + R"("answer":[{"valueBoolean":true}]})" + after;
  }
  return wrapped(items, answers);
}

void measure(const char* name, const pair_text& pair, int rounds) {
  std::vector<fhir_issue> issues;
  file_problems problems{"Questionnaire", issues};
  const compile_options options{false, 1'000'000, 1'000'000'000, nullptr};
  auto begin = cpu_ns();
  const auto form = compile_questionnaire(pair.form, problems, options);
  const auto compiled = cpu_ns() - begin;
  begin = cpu_ns();
  const auto response = parse_response(pair.response);
  const auto parsed = cpu_ns() - begin;
  if (!form || !issues.empty() || !response) {
    std::fprintf(stderr, "%s: the form or its response is wrong\n", name);
    std::exit(1);
  }
  std::size_t found = 0;
  begin = cpu_ns();
  for (int i = 0; i < rounds; ++i)
    found += check_response(*response, *form, {}).size();
  const auto checked = (cpu_ns() - begin) / rounds;
  std::printf("%-26s compiled in %10.1f us, parsed in %9.1f us, checked in %9.2f us, %5.0f ns an item  (%zu)\n", name,
              compiled / 1e3, parsed / 1e3, checked / 1e3, checked / static_cast<double>(form->items.size()), found);
}

} // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 100'000;
  measure("PHQ-9", phq_9(), rounds);
  measure("PHQ-9, 2 expressions", phq_9_with_expressions(), rounds / 20 + 1);
  measure("200 items, 50 branches", branches(200), rounds / 20 + 1);
  measure("1,000 items, 20 deep", nested(1'000), rounds / 200 + 1);
  measure("10,000 items, 20 deep", nested(10'000), rounds / 2'000 + 1);
  measure("100,000 items, 20 deep", nested(100'000), rounds / 20'000 + 1);
}
