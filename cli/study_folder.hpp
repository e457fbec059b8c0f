// A study as a designer keeps it: a folder with study.toml and its forms.
#pragma once

#include "domain/study.hpp"

#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::cli {

/// Reads PATH/study.toml and every *.json file in PATH and PATH/forms. Only reads; what the files say is checked by
/// domain::compile_study(). Lists every file that cannot be taken: missing, unreadable, too large, too many, no regular file.
tl::expected<domain::study_source, std::vector<domain::import_problem>> read_study_folder(const std::string& path);

} // namespace epione::cli
