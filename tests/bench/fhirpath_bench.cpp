// How long expressions over a PHQ-9 response take, and what a step costs at its worst.
// fhirpath_bench [ROUNDS]
#include "domain/fhirpath.hpp"
#include "domain/fhirpath_json.hpp"
#include "domain/fhirpath_ordinals.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

namespace fp = epione::domain::fhirpath;
using nlohmann::json;

namespace {

/// Processor time, so that what else runs on the machine counts less.
double cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e3;
}

template <class Work>
void measure(const std::string& name, int rounds, Work work) {
  const auto begin = cpu_us();
  for (int i = 0; i < rounds; ++i)
    work();
  std::printf("%12.2f us  %s\n", (cpu_us() - begin) / rounds, name.c_str());
}

json questionnaire() {
  json items;
  for (int i = 1; i <= 9; ++i) {
    json options;
    for (int weight = 0; weight < 4; ++weight)
      options.push_back(
          {{"extension", {{{"url", "http://hl7.org/fhir/StructureDefinition/ordinalValue"}, {"valueDecimal", weight}}}},
           {"valueCoding", {{"system", "http://loinc.org"}, {"code", "LA656" + std::to_string(weight)}}}});
    items.push_back({{"linkId", "q" + std::to_string(i)}, {"type", "choice"}, {"answerOption", options}});
  }
  return {{"resourceType", "Questionnaire"}, {"item", items}};
}

json response() {
  json items;
  for (int i = 1; i <= 9; ++i)
    items.push_back(
        {{"linkId", "q" + std::to_string(i)},
         {"answer", {{{"valueCoding", {{"system", "http://loinc.org"}, {"code", "LA656" + std::to_string(i % 4)}}}}}}});
  items.push_back({{"linkId", "difficulty"}, {"answer", {{{"valueInteger", 2}}}}});
  return {{"resourceType", "QuestionnaireResponse"}, {"item", items}};
}

} // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const auto form = questionnaire(), answers = response();
  const fp::json_reader reader;
  const fp::json_ordinals ordinals{form, answers};
  fp::environment world;
  world.resource = {reader.root(answers)};
  world.ordinals = &ordinals;
  const std::string total = "%resource.item.where(linkId.startsWith('q')).answer.value.ordinal().sum()";
  measure("compile " + total, rounds, [&] { return fp::compile(total).has_value(); });
  measure("json_ordinals", rounds / 10, [&] { return fp::json_ordinals{form, answers}.ordinal_of({}).has_value(); });
  for (const auto& text :
       {total, std::string{"item.where(linkId='difficulty').answer.value > 1"}, std::string{"%resource.descendants().count()"},
        std::string{"iif(item.answer.count() >= 8, (item.answer.value.ordinal().avg() * 9).round(), {})"}}) {
    const auto e = *fp::compile(text);
    measure(text, rounds, [&] { return fp::evaluate(e, world)->size(); });
  }
  // Until the limit of steps: the longest an expression can take.
  fp::collection numbers, dates;
  auto date = *fp::parse_date("0001-01-01");
  for (int i = 0; i < 5'000; ++i) {
    numbers.emplace_back(std::int64_t{i});
    dates.emplace_back(date);
    date = add(date, fp::decimal{1}, fp::time_unit::day).value;
  }
  world.variables = {{"numbers", numbers}, {"dates", dates}, {"long", {fp::value{std::string(200'000, 'a')}}}};
  for (const auto* text :
       {"%numbers.where(%numbers.where($this > 1).exists()).exists()", "%dates.distinct().count()",
        "%numbers.select(%long).count()", "%numbers.where(%long = %long).count()", "'a'.repeat($this & 'x')",
        "%numbers.where(%long.matches('(a|b|c|d){50}$')).count()", "%numbers.where(%resource = %resource.item).count()",
        "%numbers.select(%resource.descendants().distinct()).count()", "%numbers.select(1.5 / 7.25 + 2.3.power(9)).count()",
        "%numbers.select('a,b,c,d'.split(',').join('-').replaceMatches('[a-c]', 'x')).count()",
        "%numbers.select(%resource.item.linkId.where(matches('x' & $this))).count()"}) {
    const auto e = *fp::compile(text);
    std::string end;
    measure(std::string{"to the limit: "} + text, 1, [&] {
      const auto result = fp::evaluate(e, world);
      end = result ? "done" : result.error().text();
    });
    std::printf("                 %s\n", end.c_str());
  }
}
