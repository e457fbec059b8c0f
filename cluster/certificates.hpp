// Certificates of a cluster: its authority, those it issues to nodes, and what is in one. Keys are P-256 (FIPS 186-5),
// certificates X.509 version 3 (RFC 5280): a node is who a DNS name of its certificate says.
#pragma once

#include "runtime/defaults.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::runtime {
class random_source;
}

namespace epione::cluster {

/// A sentence when `name` cannot be a node's: 1 to 63 of a-z, 0-9 and -, a letter or digit at both ends, so that it is a label of
/// DNS and stands in a certificate as it is.
std::optional<std::string> node_name_problem(std::string_view name);

struct certificate_info {
  std::string name;                               ///< the first DNS name, else the common name
  std::vector<std::string> names;                 ///< DNS names and addresses, each as text
  std::string issuer, subject;                    ///< common names
  std::string serial;                             ///< hexadecimal
  std::string fingerprint;                        ///< SHA-256 of the whole, hexadecimal
  std::int64_t not_before_s = 0, not_after_s = 0; ///< since 1970-01-01T00:00:00Z
  bool authority = false;
};

/// Days until it ends; negative when it has ended.
std::int64_t days_left(const certificate_info& x, std::int64_t now_s);
/// 2026-01-15 08:30:00 UTC
std::string time_text(std::int64_t seconds);

/// All certificates of a PEM text, at least one. `where` is for the sentence of a failure.
tl::expected<std::vector<certificate_info>, std::string> read_certificates(std::string_view pem, const std::string& where);
/// The whole file, up to defaults::peer_certificate_bytes_max.
tl::expected<std::string, std::string> read_certificate_file(const std::string& path);

/// Names of the files.
inline constexpr const char* authority_certificate = "authority.crt";
inline constexpr const char* authority_key = "authority.key";
inline constexpr const char* authorities_file = "authorities.crt";

struct authority_request {
  std::string directory; ///< made when it is not there, for its owner only
  std::string name = "Epione cluster authority";
  std::uint32_t days = runtime::defaults::authority_days;
  std::int64_t now_s = 0;
};
/// Writes authority.key and authority.crt. Never over files that are there. Fails with a sentence.
tl::expected<void, std::string> make_authority(const authority_request& request, runtime::random_source& random);

struct node_request {
  std::string node, authority_directory;
  std::string directory;          ///< made when it is not there, for its owner only
  std::vector<std::string> hosts; ///< further DNS names and IP addresses
  std::uint32_t days = runtime::defaults::certificate_days;
  bool force = false; ///< replace a key and certificate that are there, as a rotation does
  std::int64_t now_s = 0;
};
/// Writes NODE.key, NODE.crt, and the authority into authorities.crt beside the ones that are there. Fails with a sentence.
tl::expected<void, std::string> issue_certificate(const node_request& request, runtime::random_source& random);

} // namespace epione::cluster
