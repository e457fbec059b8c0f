// An expression as somebody wrote it, then perhaps a resource as JSON behind a form feed. Either it says where it is wrong, or it
// prints as one that means the same, and its evaluation ends.
#include "domain/fhirpath.hpp"
#include "domain/fhirpath_json.hpp"
#include "domain/fhirpath_ordinals.hpp"
#include "domain/limits.hpp"
#include "tests/fuzz/promise.hpp"

#include <nlohmann/json.hpp>

using namespace epione;
using epione::fuzz::promise;
namespace fp = domain::fhirpath;
using nlohmann::json;

namespace {

json response() {
  json items;
  for (int i = 1; i <= 9; ++i)
    items.push_back({{"linkId", "q" + std::to_string(i)}, {"answer", {{{"valueCoding", {{"code", std::to_string(i % 4)}}}}}}});
  items.push_back({{"linkId", "date"}, {"answer", {{{"valueDate", "2024-05"}}}}});
  items.push_back({{"linkId", "mass"}, {"answer", {{{"valueQuantity", {{"value", 80.5}, {"code", "kg"}}}}}}});
  return {{"resourceType", "QuestionnaireResponse"}, {"authored", "2026-03-15T08:30:00+01:00"}, {"item", items}};
}

/// The fuzzer's own resource; the usual one when it is none.
json resource(std::string_view text) {
  static const json usual = response();
  std::size_t depth = 0;
  const auto shallow = [&](int, json::parse_event_t event, json&) {
    depth += event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    depth -= event == json::parse_event_t::object_end || event == json::parse_event_t::array_end;
    return depth < domain::limits::json_depth_max;
  };
  auto read = json::parse(text, shallow, false);
  return read.is_object() ? std::move(read) : usual;
}

void evaluate(const fp::expression& e, const json& on) {
  static const json form;
  const fp::json_reader reader;
  const fp::json_ordinals ordinals{form, on};
  fp::environment world;
  world.resource = {reader.root(on)};
  world.variables = {{"a", {fp::value{std::int64_t{1}}, fp::value{std::string{"x"}}}}};
  world.ordinals = &ordinals;
  world.clock = {1'773'570'030'456'000, 120};
  world.limits = {50'000, 5'000, 20'000};
  const auto result = fp::evaluate(e, world);
  if (!result)
    return promise(!result.error().message.empty() && result.error().line > 0, "a problem has a place and a sentence");
  promise(result->size() <= world.limits.items_max, "a result is within its limit");
  for (const auto& item : *result)
    fp::text_of(item);
  const auto again = fp::evaluate(e, world);
  promise(again && again->size() == result->size(), "an evaluation repeats");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const auto end = std::min(input.find('\f'), input.size());
  const auto e = fp::compile(input.substr(0, end));
  if (!e) {
    promise(!e.error().message.empty() && e.error().line > 0 && e.error().column > 0, "a problem has a place and a sentence");
    return 0;
  }
  const auto printed = e->printed();
  const auto again = fp::compile(printed);
  promise(again ? again->printed() == printed : printed.size() > fp::expression_bytes_max,
          "what is printed compiles to the same");
  evaluate(*e, resource(input.substr(std::min(end + 1, input.size()))));
  return 0;
}
