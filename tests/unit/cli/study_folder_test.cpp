// Reading a study's folder: what is taken, and what is refused before it is read.
#include "cli/study_folder.hpp"

#include "cli/node_file.hpp"
#include "domain/limits.hpp"
#include "tests/unit/cli/scratch.hpp"

#include <sys/stat.h>

using namespace epione::cli;
using namespace epione::cli::test;

BOOST_AUTO_TEST_SUITE(study_folder)

BOOST_AUTO_TEST_CASE(toml_and_forms_are_read_sorted_and_other_files_are_left) {
  scratch s;
  s.write("study.toml", "id = 'x'\n");
  s.write("b.json", "{}");
  s.write("a.json", "[]");
  s.write("forms/c.json", "1");
  s.write("README.md", "#");
  s.write(".hidden.json", "#");
  const auto source = read_study_folder(s.path());
  BOOST_REQUIRE(source.has_value());
  BOOST_TEST(source->toml == "id = 'x'\n");
  BOOST_REQUIRE_EQUAL(source->forms.size(), 3U);
  BOOST_TEST(source->forms[0].name == "a.json");
  BOOST_TEST(source->forms[0].text == "[]");
  BOOST_TEST(source->forms[1].name == "b.json");
  BOOST_TEST(source->forms[2].name == "forms/c.json");
}

BOOST_AUTO_TEST_CASE(every_file_that_cannot_be_taken_is_listed) {
  scratch s;
  s.write("big.json", std::string(epione::domain::limits::form_file_bytes_max + 1, ' '));
  std::filesystem::create_directory(s / "folder.json");
  BOOST_REQUIRE(mkfifo((s / "pipe.json").c_str(), 0600) == 0); // opening it would block
  std::filesystem::create_symlink("nowhere", s / "link.json");
  const auto source = read_study_folder(s.path());
  BOOST_REQUIRE(!source.has_value());
  std::string all;
  for (const auto& p : source.error())
    all += p.file + ": " + p.message + "\n";
  for (const auto* name : {"study.toml: does not exist", "big.json: is larger", "folder.json: is not a regular file",
                           "pipe.json: is not a regular file", "link.json: does not exist"})
    BOOST_TEST(all.find(name) != std::string::npos, name << " is missing in\n" << all);
}

BOOST_AUTO_TEST_CASE(too_many_and_too_large_are_refused) {
  scratch s;
  s.write("study.toml", "");
  for (std::size_t i = 0; i <= epione::domain::limits::forms_max; ++i)
    s.write("f" + std::to_string(i) + ".json", "");
  BOOST_TEST(!read_study_folder(s.path()).has_value());

  scratch t;
  t.write("study.toml", "");
  const auto one = epione::domain::limits::form_file_bytes_max;
  for (std::size_t i = 0; i <= epione::domain::limits::files_bytes_max / one; ++i)
    t.write("f" + std::to_string(i) + ".json", std::string(one, ' '));
  const auto source = read_study_folder(t.path());
  BOOST_REQUIRE(!source.has_value());
  BOOST_TEST(source.error().back().message.find("the limit") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_folder_is_refused_with_a_sentence) {
  scratch s;
  BOOST_TEST(read_study_folder(s / "nothing").error().at(0).message.find("does not exist") != std::string::npos);
  BOOST_TEST(read_study_folder(s.write("file", "")).error().at(0).message.find("is not a folder") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_study_with_problems_is_4_and_touches_no_data_directory) {
  scratch s;
  s.write("study/study.toml", "this is not TOML");
  const auto a = call({"study", "import", s / "study", "--data-dir", s / "data"});
  BOOST_TEST(a.code == 4);
  BOOST_TEST(a.out.find("study.toml") != std::string::npos);
  BOOST_TEST(a.err.find("nothing was imported") != std::string::npos);
  BOOST_TEST(!std::filesystem::exists(s / "data"));
}

BOOST_AUTO_TEST_CASE(node_json_is_read_back_as_written_and_removed) {
  scratch s;
  BOOST_TEST(!read_node_file(s.path()).has_value());
  BOOST_REQUIRE(write_node_file(s.path(), {42, "http://127.0.0.1:1", "0.1.0", "2026-01-01T00:00:00Z"}).has_value());
  const auto facts = read_node_file(s.path());
  BOOST_REQUIRE(facts.has_value());
  BOOST_TEST(facts->pid == 42);
  BOOST_TEST(facts->http == "http://127.0.0.1:1");
  BOOST_TEST(!std::filesystem::exists(s / "node.json.new"));
  remove_node_file(s.path());
  BOOST_TEST(!read_node_file(s.path()).has_value());
  s.write("node.json", "{\"pid\": \"x\"}");
  BOOST_TEST(!read_node_file(s.path()).has_value());
  BOOST_TEST(!write_node_file(s / "nothing", {}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
