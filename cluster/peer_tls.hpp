// What a link's two ends prove to each other: TLS with certificates of the cluster's authorities, made from files that may be
// exchanged while the node runs.
#pragma once

#include "cluster/openssl.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::cluster {

/// Paths of PEM files.
struct tls_files {
  std::string certificate; ///< of this node, and those between it and the authority
  std::string key;
  std::string authorities; ///< one or more: whoever one of them vouches for is a member
};

/// What the files held at one moment.
struct tls_material {
  std::string certificate, key, authorities;
  bool operator==(const tls_material&) const = default;
};
/// Fails with a sentence.
tl::expected<tls_material, std::string> read_tls_files(const tls_files& files);

struct peer_context {
  openssl::tls_context context; ///< for both ends of links
  std::string problem;          ///< a sentence: it can be used, and other nodes will refuse it; empty: none
  std::int64_t not_after_s = 0; ///< end of this node's certificate
};
/// `node`: whose certificate it should be. Fails with a sentence when it cannot be used at all.
tl::expected<peer_context, std::string> make_peer_context(const tls_material& material, const tls_files& files,
                                                          const std::string& node, std::int64_t now_s);

/// DNS names of the certificate that the other end has shown; none when it has shown none.
std::vector<std::string> peer_names(SSL* tls);

/// Why we refuse: the verification's result and the names of the certificate that failed, with what to do.
std::string refusal_text(long verify_result, X509* failed);
/// An error of TLS by OpenSSL's number: what the other end says of our certificate, or what is wrong otherwise, with what to do.
std::string tls_error_text(unsigned long code);

} // namespace epione::cluster
