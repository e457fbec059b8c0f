// What decoders of stored or received bytes return when they cannot go on: a sentence.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace epione::domain {

inline tl::unexpected<std::string> unreadable(std::string sentence) {
  return tl::unexpected<std::string>(std::move(sentence));
}

} // namespace epione::domain
