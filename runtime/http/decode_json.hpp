// JSON values into canonical content, and where a text that is no JSON goes wrong.
#pragma once

#include "domain/canonical.hpp"

#include <simdjson.h>
#include <string>
#include <string_view>

namespace epione::runtime::http {

/// Writes one value and all that is in it; false: `writer` says why.
bool write_value(domain::canonical_writer& writer, const simdjson::dom::element& value);

/// A sentence for a text simdjson refused: what kind of mistake and, where it can be found, line and column. Never the text
/// itself.
std::string json_mistake(std::string_view text, simdjson::error_code error);

} // namespace epione::runtime::http
