// Expressions and what they say, as tables of text.
#pragma once

#include "domain/fhirpath.hpp"
#include "domain/fhirpath_json.hpp"

#include <boost/test/unit_test.hpp>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace epione::tests {

namespace fp = domain::fhirpath;

/// 2026-03-15T10:20:30.456Z, in a zone of two hours.
inline constexpr fp::evaluation_clock fixed_clock{1'773'570'030'456'000, 120};

inline std::string shown(const fp::value& item) {
  const auto v = fp::plain(item);
  if (const auto* s = std::get_if<std::string>(&v))
    return '\'' + *s + '\'';
  if (const auto* m = std::get_if<fp::moment>(&v))
    return (m->kind == fp::moment::kind_type::time ? "@T" : "@") + m->text();
  return fp::text_of(v).value_or(fp::type_of(v));
}

/// "{}" for nothing; items with ", " between them.
inline std::string shown(const fp::collection& items) {
  std::string out;
  for (const auto& item : items)
    out += (out.empty() ? "" : ", ") + shown(item);
  return items.empty() ? "{}" : out;
}

/// What an expression yields; "cannot compile: ..." or "error: ..." with the place.
inline std::string said(std::string_view text, fp::environment world = {}) {
  world.clock = fixed_clock;
  const auto e = fp::compile(text);
  if (!e)
    return "cannot compile: " + e.error().text();
  const auto result = fp::evaluate(*e, world);
  return result ? shown(*result) : "error: " + result.error().text();
}

using said_table = std::initializer_list<std::pair<const char*, const char*>>;

/// Each expression yields the text beside it; "error" and "cannot compile" stand for any problem of that kind.
inline void check_said(const said_table& table, const fp::environment& world = {}) {
  for (const auto& [text, expected] : table) {
    auto found = said(text, world);
    for (const std::string_view kind : {"error", "cannot compile"})
      if (expected == kind && found.starts_with(kind))
        found = kind;
    BOOST_TEST(found == expected, text << " says " << found << " and not " << expected);
  }
}

/// A resource to walk through.
struct resource_fixture {
  explicit resource_fixture(std::string_view text) : resource(nlohmann::json::parse(text)) {
    world.resource = {reader.root(resource)};
  }

  nlohmann::json resource;
  fp::json_reader reader;
  fp::environment world;
};

} // namespace epione::tests
