// Files of the repository, studies around them, and responses as submissions.
#pragma once

#include "domain/canonical.hpp"
#include "domain/study.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace epione::conformance {

inline std::string read_file(const std::string& path) {
  std::ifstream in{std::string{EPIONE_SOURCE_DIR} + "/" + path, std::ios::binary};
  BOOST_TEST_REQUIRE(in.good(), "cannot read " + path);
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A study with these published questionnaires; the form's id is the file's name without "Questionnaire-" and ".json".
inline domain::study_source study_of(const std::vector<std::string>& forms) {
  domain::study_source source;
  source.toml = "id = \"published\"\ntitle = \"Published\"\nlanguages = [\"en\"]\n[[sites]]\nid = \"A\"\n"
                "[[subjects]]\nrange = [1, 10]\nsite = \"A\"\n";
  for (const auto& form : forms) {
    const auto file = "Questionnaire-" + form + ".json";
    source.toml += "[[forms]]\nid = \"" + form + "\"\nfile = \"" + file + "\"\n";
    source.forms.push_back({file, read_file("tests/conformance/data/" + file)});
  }
  return source;
}

inline std::string text_of(const std::vector<domain::import_problem>& problems) {
  std::string text;
  for (const auto& p : problems)
    text += p.file + " | " + p.place + " | " + p.message + "\n";
  return text;
}

inline std::shared_ptr<const domain::study> compiled(const domain::study_source& source) {
  auto result = domain::compile_study(source);
  BOOST_TEST_REQUIRE(result.has_value(), (result ? "" : text_of(result.error())));
  return *result;
}

inline std::string content_of(const nlohmann::json& data) {
  const auto bytes = nlohmann::json::to_msgpack(data);
  return domain::canonical_from_msgpack({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, 32).value();
}

/// "code@linkId", separated by spaces.
inline std::string codes_of(const domain::verdict& v) {
  std::string text;
  for (const auto& p : v.problems)
    text += (text.empty() ? "" : " ") + p.code + (p.link_id.empty() ? "" : "@" + p.link_id);
  return text;
}

} // namespace epione::conformance
