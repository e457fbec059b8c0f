// Passwords, tokens and URLs that are secrets: each alone in a file, read whenever it is needed, so that it can be exchanged
// while the node runs.
#pragma once

#include "runtime/channel_settings.hpp"

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::runtime {

/// The file's first line without its end; a sentence when it cannot be read, is empty, or holds control characters.
tl::expected<std::string, std::string> read_secret(const std::string& path);

/// A sentence when `path` is not an absolute path: a node may be started anywhere. For the checks of configuration keys.
std::optional<std::string> check_file_path(std::string& path);

/// A file that a channel's settings name and this process cannot use as it is now.
struct channel_file_problem {
  std::string place, channel, key; ///< place: "epione.toml:12"
  std::string why;                 ///< a sentence with the path, without the content
};

/// Looks once into every file that these channels name (keys that end in "_file"). A warning only: each is read again whenever a
/// message is sent, and may be there by then.
std::vector<channel_file_problem> unusable_files(const std::vector<channel_settings>& channels);

} // namespace epione::runtime
