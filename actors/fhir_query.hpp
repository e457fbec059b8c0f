// What stands in a FHIR request beside its resource: search parameters, headers, positions of a search. Pure functions.
#pragma once

#include "domain/response_filter.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace epione::actors {

/// Decoded parameters in their order; nothing for a broken percent-encoding or text that is not UTF-8.
using query_parameters = std::vector<std::pair<std::string, std::string>>;
std::optional<query_parameters> parse_query(std::string_view query);
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);
std::string percent_encoded(std::string_view text);

/// The parameters as a query, but for those called `without`.
std::string query_text(const query_parameters& query, std::string_view without = {});
/// Whether a parameter of a search says only how its answer looks (FHIR R4, search, "result parameters"), not what is found. Of
/// "_include:iterate" the part before the colon is meant.
bool is_result_parameter(std::string_view name);

/// The alternatives of a parameter, which commas part; a backslash takes a comma, a bar, a dollar sign or a backslash literally.
/// Bars that stand for themselves keep their backslash: split_token() takes it off.
std::vector<std::string> alternatives(std::string_view value);
/// "SYSTEM|VALUE", "|VALUE", "SYSTEM|" or "VALUE".
domain::response_filter::identifier_choice identifier_choice(std::string_view text);
/// "ge2024-05-01": nothing for what is no date.
std::optional<domain::response_filter::authored_choice> authored_choice(std::string_view text);

/// Whether a client takes JSON: by the header Accept, and by _format, which comes before it.
bool takes_json(std::string_view accept);
bool is_json_format(std::string_view format);
bool is_json_content(std::string_view content_type);
/// Whether a body is a form of HTML, as a search by POST has it: application/x-www-form-urlencoded, in UTF-8.
bool is_form_content(std::string_view content_type);

/// What the client wants to have back (RFC 7240).
enum class wanted_return : std::uint8_t { representation, minimal, outcome };
wanted_return wanted_by(std::string_view prefer);
/// What is to become of parameters that are not known (FHIR R4, search, "handling errors").
enum class wanted_handling : std::uint8_t { usual, strict, lenient };
wanted_handling handling_by(std::string_view prefer);

/// The version in W/"3" or "3"; nothing for anything else.
std::optional<std::uint64_t> version_in_etag(std::string_view etag);

/// The key in a header Idempotency-Key: plain, or a quoted string (RFC 8941).
std::optional<std::string> unquoted_key(std::string_view value);

/// "ID" of "Patient/ID" or of an address that ends so, perhaps with "/_history/N"; empty for another reference.
std::string_view id_of_reference(std::string_view reference, std::string_view type);

/// Where a search goes on. Any node can, whoever leads the shards: positions are those of events, the same in all replicas.
struct search_cursor {
  /// catalog_snapshot::changed_seq of whoever made the page before. A node that knows less may not know a study or a form that
  /// the search is for, and would show less. 0: not known.
  std::uint64_t catalog = 0;
  std::vector<std::uint64_t> positions; ///< one a shard, 0 where nothing is left
  bool operator==(const search_cursor&) const = default;
};
std::string encode_cursor(const search_cursor& cursor);
std::optional<search_cursor> decode_cursor(std::string_view text);

/// Who amends a response, and why: what X-Provenance says.
struct provenance {
  std::string who, role, reason;
};
/// Else a sentence on what is missing.
tl::expected<provenance, std::string> read_provenance(std::string_view json);

} // namespace epione::actors
