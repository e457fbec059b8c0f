// Every route of the HTTP interface, in one table: requests are dispatched by it, and /openapi.json is checked against it.
#pragma once

#include "runtime/http/head.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::runtime::http {

enum class route_id : std::uint8_t { submit, history, submission, healthz, readyz, metrics, openapi };
inline constexpr std::size_t route_count = 7;

struct route {
  route_id id;
  std::string_view name;         ///< label of its metrics
  method verb;                   ///< get answers HEAD as well
  std::string_view pattern;      ///< a segment in braces takes any one segment that is not empty
  std::span<const int> statuses; ///< all it can answer, ascending; those of a malformed request included
};

std::span<const route, route_count> routes();

/// What a request's target leads to.
struct route_match {
  const route* found = nullptr;
  std::array<std::string_view, 2> segments{}; ///< what stood for the braces, still percent-encoded
  std::string_view query;                     ///< without the question mark
};

struct route_refusal {
  int status = 404;  ///< 404 or 405
  std::string allow; ///< 405: value of the header Allow
};

tl::expected<route_match, route_refusal> find_route(method verb, std::string_view target);

/// Undoes percent-encoding; `plus_is_space` in a query. False for a broken escape.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);

} // namespace epione::runtime::http
