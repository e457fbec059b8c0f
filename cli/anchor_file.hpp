// Anchors as a file for people to keep elsewhere: JSON, with hashes, key and signature in hexadecimal digits.
#pragma once

#include "domain/anchor.hpp"

#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::cli {

std::string anchors_to_json(const std::vector<domain::anchor>& anchors);
/// Signatures are not checked here. Fails with a sentence that names the file.
tl::expected<std::vector<domain::anchor>, std::string> read_anchor_file(const std::string& path);
/// Gets its name when it is complete and durable. Fails with a sentence.
tl::expected<void, std::string> write_anchor_file(const std::string& path, const std::vector<domain::anchor>& anchors);

} // namespace epione::cli
