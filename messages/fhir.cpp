#include "messages/fhir.hpp"

#include "domain/msgpack.hpp"

namespace epione::messages {

namespace {

constexpr std::uint64_t results_format = 1;

}

bool is_posted_search(const fhir_request& r) {
  constexpr std::string_view end = "/_search";
  const std::string_view path = r.path;
  return r.method == fhir_request::verb::post && path.ends_with(end) && path.size() > end.size() &&
         path.find('/', 1) == path.size() - end.size();
}

// Format 1: msgpack [1, failed, [[status, text(bin)], ...]].
std::string encode_change_results(const std::vector<change_result>& results, std::uint32_t failed) {
  std::string out;
  domain::append_array_header(out, 3);
  domain::append_uint(out, results_format);
  domain::append_uint(out, failed);
  domain::append_array_header(out, static_cast<std::uint32_t>(results.size()));
  for (const auto& r : results) {
    domain::append_array_header(out, 2);
    domain::append_int(out, r.status);
    domain::append_bin(out, r.text);
  }
  return out;
}

std::optional<change_results> decode_change_results(std::string_view bytes) {
  using domain::msgpack_type;
  domain::msgpack_reader r{bytes};
  const auto outer = r.next(), format = r.next(), failed = r.next(), list = r.next();
  if (outer.type != msgpack_type::array || outer.count != 3 || !format.is_uint64() || format.integer != results_format ||
      !failed.is_uint64() || list.type != msgpack_type::array)
    return std::nullopt;
  change_results out;
  out.failed = static_cast<std::uint32_t>(failed.integer);
  for (std::uint32_t i = 0; i < list.count; ++i) {
    const auto pair = r.next(), status = r.next(), text = r.next();
    if (pair.type != msgpack_type::array || pair.count != 2 || !status.is_int64() || text.type != msgpack_type::bin)
      return std::nullopt;
    out.results.push_back({static_cast<int>(status.as_int64()), std::string{text.text}});
  }
  if (!r.at_end())
    return std::nullopt;
  return out;
}

} // namespace epione::messages
