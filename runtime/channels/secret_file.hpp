// Passwords, tokens and URLs that are secrets: each alone in a file, read whenever it is needed, so that it can be exchanged
// while the node runs.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace epione::runtime {

/// The file's first line without its end; a sentence when it cannot be read, is empty, or holds control characters.
tl::expected<std::string, std::string> read_secret(const std::string& path);

/// A sentence when `path` is not an absolute path: a node may be started anywhere. For the checks of configuration keys.
std::optional<std::string> check_file_path(std::string& path);

} // namespace epione::runtime
