// Conditional reads (FHIR R4, RESTful API, "conditional read"; RFC 9110, 13): whether a client has already what it asks for.
// Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::actors {

/// What a read says of what the client has: the values of If-None-Match and If-Modified-Since.
struct read_condition {
  std::optional<std::string> if_none_match, if_modified_since;
};

/// What would be answered.
struct resource_state {
  std::string version;          ///< as in the ETag, W/"VERSION", without its quotation marks
  std::int64_t modified_us = 0; ///< microseconds since 1970; 0: not known
  /// Whether nothing changes without another version. Where something may, the version alone does not say that a copy is still
  /// good, and only the time counts.
  bool version_says_all = true;
};

/// True: 304 is to be answered. If-None-Match comes before If-Modified-Since, which is then not looked at (RFC 9110, 13.1.3). A
/// header that cannot be read is as if it was not there; in doubt the resource is sent.
bool is_unchanged(const read_condition& asked, const resource_state& now);

/// Whether a list of entity tags holds this one, or is "*". Compared weakly (RFC 9110, 8.8.3.2): W/"1" and "1" are the same.
bool holds_etag(std::string_view list, std::string_view version);

/// Seconds since 1970 of an HTTP-date in any of its three forms (RFC 9110, 5.6.7). A year of two digits is one of 1970 to 2069.
std::optional<std::int64_t> parse_http_date(std::string_view text);

} // namespace epione::actors
