// The interface's description for machines, served as /openapi.json; a test checks it against the route table.
#pragma once

#include <string_view>

namespace epione::runtime::http {

/// OpenAPI 3.0.3, JSON.
std::string_view openapi_text();

} // namespace epione::runtime::http
