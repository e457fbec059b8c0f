// Pieces of text as JSON and as parts of sentences.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace epione::domain {

/// A name for a sentence: cut to a readable length, control characters replaced.
void append_quotable(std::string& out, std::string_view text, std::size_t bytes_max = 64);
std::string quotable(std::string_view text, std::size_t bytes_max = 64);

} // namespace epione::domain
