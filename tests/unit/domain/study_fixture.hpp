// Studies in memory for tests, and submissions written as JSON.
#pragma once

#include "domain/canonical.hpp"
#include "domain/compiled_study.hpp"
#include "domain/study.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace epione::domain::test {

/// A study around forms: sites A and B, subjects 1 to 10.
inline std::string study_toml(const std::string& rest) {
  return R"(
id = "s"
title = "Study"
languages = ["en"]
[[sites]]
id = "A"
[[sites]]
id = "B"
[[subjects]]
range = [1, 10]
sites = "round-robin"
)" + rest;
}

/// A questionnaire with these items.
inline std::string form_json(const std::string& items, const std::string& more = "") {
  return R"({"resourceType":"Questionnaire","status":"active","version":"2",)" + more + R"("item":[)" + items + "]}";
}

/// One form, "f", in "f.json".
inline study_source source_of(const std::string& items, const std::string& rest_of_form = "", const std::string& alerts = "") {
  return {study_toml("[[forms]]\nid = \"f\"\nfile = \"f.json\"\n" + rest_of_form + "\n" + alerts),
          {{"f.json", form_json(items)}}};
}

inline std::string text_of(const std::vector<import_problem>& problems) {
  std::string text;
  for (const auto& p : problems)
    text += p.file + " | " + p.place + " | " + p.message + "\n";
  return text;
}

inline std::shared_ptr<const study> compiled(const study_source& source) {
  auto result = compile_study(source);
  BOOST_TEST_REQUIRE(result.has_value(), (result ? "" : text_of(result.error())));
  return *result;
}

/// "file | place | message", one line each; empty if it compiles.
inline std::string problems_of(const study_source& source) {
  const auto result = compile_study(source);
  return result ? "" : text_of(result.error());
}

/// Canonical content of a submission written as JSON.
inline std::string content_of(const nlohmann::json& data) {
  const auto bytes = nlohmann::json::to_msgpack(data);
  const auto canonical = canonical_from_msgpack({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, 32);
  BOOST_TEST_REQUIRE(canonical.has_value(), (canonical ? "" : canonical.error()));
  return *canonical;
}

inline verdict assess_answers(const study& s, const std::string& answers) {
  return s.assess(content_of({{"form", "f"}, {"answers", nlohmann::json::parse(answers)}}));
}

/// "code@linkId", separated by spaces, in the order they were found.
inline std::string codes_of(const verdict& v) {
  std::string text;
  for (const auto& p : v.problems)
    text += (text.empty() ? "" : " ") + p.code + (p.link_id.empty() ? "" : "@" + p.link_id);
  return text;
}

/// Codes of the problems with these answers to a form with these items.
inline std::string check(const std::string& items, const std::string& answers) {
  return codes_of(assess_answers(*compiled(source_of(items)), answers));
}

/// The stored answers as JSON; empty when there are problems.
inline std::string stored(const std::string& items, const std::string& answers) {
  const auto v = assess_answers(*compiled(source_of(items)), answers);
  return v.accepted() ? json_from_msgpack(v.answers) : codes_of(v);
}

} // namespace epione::domain::test
