// Reading a study's folder within limits: a mistyped path must not read a disk into memory.
#include "cli/study_folder.hpp"

#include "domain/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace epione::cli {

namespace {

namespace fs = std::filesystem;
namespace limits = domain::limits;

std::string kib(std::size_t bytes) {
  return std::to_string(bytes / 1024) + " KiB";
}

/// The file's text, or a sentence.
tl::expected<std::string, std::string> read_file(const fs::path& path, std::size_t bytes_max) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found)
    return tl::unexpected{std::string{"does not exist"}};
  if (error)
    return tl::unexpected{"cannot be read: " + error.message()};
  if (!fs::is_regular_file(status)) // a pipe would block for ever
    return tl::unexpected{std::string{"is not a regular file"}};
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return tl::unexpected{std::string{"cannot be opened: "} + std::strerror(errno)};
  std::string text(bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad())
    return tl::unexpected{std::string{"cannot be read"}};
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > bytes_max)
    return tl::unexpected{"is larger than " + kib(bytes_max) + ", the limit for this file"};
  return text;
}

/// Adds the names of the form files in `folder`, relative to the study's.
void list_forms(const fs::path& folder, const std::string& prefix, std::vector<std::string>& names,
                std::vector<domain::import_problem>& problems) {
  std::error_code error;
  for (fs::directory_iterator at{folder, error}, end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (name.ends_with(".json") && !name.starts_with('.'))
      names.push_back(prefix + name);
  }
  if (error)
    problems.push_back({prefix.empty() ? folder.string() : prefix, "", "cannot be listed: " + error.message()});
}

} // namespace

tl::expected<domain::study_source, std::vector<domain::import_problem>> read_study_folder(const std::string& path) {
  std::vector<domain::import_problem> problems;
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status) || !fs::is_directory(status)) {
    problems.push_back({path, "",
                        error && fs::exists(status) ? "cannot be read: " + error.message()
                        : !fs::exists(status)       ? "does not exist; name the study's folder"
                                                    : "is not a folder; a study is a folder with study.toml and its forms"});
    return tl::unexpected{std::move(problems)};
  }

  domain::study_source source;
  if (auto text = read_file(fs::path{path} / "study.toml", limits::study_file_bytes_max))
    source.toml = std::move(*text);
  else
    problems.push_back({"study.toml", "", text.error()});

  std::vector<std::string> names;
  list_forms(path, "", names, problems);
  if (fs::is_directory(fs::path{path} / "forms", error))
    list_forms(fs::path{path} / "forms", "forms/", names, problems);
  std::sort(names.begin(), names.end());
  if (names.size() > limits::forms_max) {
    problems.push_back(
        {path, "", "holds " + std::to_string(names.size()) + " form files; the limit is " + std::to_string(limits::forms_max)});
    return tl::unexpected{std::move(problems)};
  }

  std::size_t total = source.toml.size();
  for (const auto& name : names) {
    auto text = read_file(fs::path{path} / name, limits::form_file_bytes_max);
    if (!text) {
      problems.push_back({name, "", text.error()});
      continue;
    }
    total += text->size();
    source.forms.push_back({name, std::move(*text)});
    if (total > limits::files_bytes_max) {
      problems.push_back({name, "", "with it the study is larger than " + kib(limits::files_bytes_max) + ", the limit"});
      break;
    }
  }
  if (!problems.empty())
    return tl::unexpected{std::move(problems)};
  return source;
}

} // namespace epione::cli
