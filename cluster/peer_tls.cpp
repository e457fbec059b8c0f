#include "cluster/peer_tls.hpp"

#include "cluster/certificates.hpp"

#include <algorithm>

namespace epione::cluster {

namespace {

tl::unexpected<std::string> cannot_load(std::string sentence) {
  return tl::unexpected<std::string>{std::move(sentence)};
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& n : names)
    out += (out.empty() ? "" : ", ") + n;
  return out;
}

/// Why other nodes will refuse this certificate; empty: they will not.
std::string problem_of(X509* x, X509_STORE* authorities, const tls_files& files, const std::string& node, std::int64_t now_s) {
  const auto names = openssl::dns_names(x);
  if (std::find(names.begin(), names.end(), node) == names.end())
    return files.certificate + " is not for node " + node + " but for " + (names.empty() ? "nobody" : joined(names)) +
           "; issue one with epione cert issue --node " + node;
  if (const auto end = openssl::seconds(X509_get0_notAfter(x)); end <= now_s)
    return files.certificate + " ended on " + time_text(end) + "; issue a new one with epione cert issue --node " + node +
           " --force";
  const openssl::store_context check{X509_STORE_CTX_new()};
  if (check == nullptr || X509_STORE_CTX_init(check.get(), authorities, x, nullptr) != 1)
    return "OpenSSL could not check " + files.certificate + ": " + openssl::last_error();
  if (X509_verify_cert(check.get()) == 1)
    return {};
  const auto why = X509_STORE_CTX_get_error(check.get());
  ERR_clear_error();
  return files.certificate + " is not vouched for by " + files.authorities + ": " + X509_verify_cert_error_string(why);
}

} // namespace

tl::expected<tls_material, std::string> read_tls_files(const tls_files& files) {
  tls_material out;
  for (const auto& [path, text] : {std::pair{&files.certificate, &out.certificate}, std::pair{&files.key, &out.key},
                                   std::pair{&files.authorities, &out.authorities}}) {
    auto read = read_certificate_file(*path);
    if (!read)
      return cannot_load(std::move(read.error()));
    *text = std::move(*read);
  }
  return out;
}

tl::expected<peer_context, std::string> make_peer_context(const tls_material& material, const tls_files& files,
                                                          const std::string& node, std::int64_t now_s) {
  ERR_clear_error();
  auto chain = openssl::read_all(material.certificate);
  if (chain.empty())
    return cannot_load(files.certificate + " holds no certificate that can be read: " + openssl::last_error());
  const auto key = openssl::read_key(material.key);
  if (key == nullptr)
    return cannot_load(files.key + " holds no private key that can be read without a password: " + openssl::last_error());
  const auto authorities = openssl::read_all(material.authorities);
  if (authorities.empty() || ERR_peek_error() != 0)
    return cannot_load(files.authorities + " holds no certificate, or a damaged one: " + openssl::last_error());

  peer_context out{openssl::tls_context{SSL_CTX_new(TLS_method())}, {}, 0};
  auto* context = out.context.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
    return cannot_load("OpenSSL could not make a context: " + openssl::last_error());
  // Every link proves itself anew: a session taken up again would pass a certificate that has ended or lost its authority.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  for (const auto& x : authorities)
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), x.get()) != 1)
      return cannot_load(files.authorities + " cannot be used: " + openssl::last_error());
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1)
    return cannot_load(files.certificate + " cannot be used: " + openssl::last_error());
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1)
      return cannot_load(files.certificate + " cannot be used: " + openssl::last_error());
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return cannot_load(files.key + " is not the key of " + files.certificate);
  }
  out.problem = problem_of(chain.front().get(), SSL_CTX_get_cert_store(context), files, node, now_s);
  out.not_after_s = openssl::seconds(X509_get0_notAfter(chain.front().get()));
  return out;
}

std::vector<std::string> peer_names(SSL* tls) {
  const openssl::certificate x{SSL_get1_peer_certificate(tls)};
  return x == nullptr ? std::vector<std::string>{} : openssl::dns_names(x.get());
}

std::string refusal_text(long verify_result, X509* x) {
  std::string whose = "its certificate";
  if (x != nullptr) {
    const auto names = openssl::dns_names(x);
    whose += " (" + (names.empty() ? openssl::common_name(x) : joined(names)) + ")";
  }
  switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return whose + " ended on " + (x != nullptr ? time_text(openssl::seconds(X509_get0_notAfter(x))) : "an earlier day") +
             "; issue a new one with epione cert issue";
    case X509_V_ERR_CERT_NOT_YET_VALID: return whose + " is not valid yet; compare the clocks of both nodes";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return whose +
             " is not from an authority this node trusts; issue one with the cluster's authority, or add its authority to " +
             "peers.authorities";
    default: return whose + " is refused: " + X509_verify_cert_error_string(verify_result);
  }
}

std::string tls_error_text(unsigned long code) {
  switch (ERR_GET_REASON(code)) {
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "it refuses this node's certificate as ended; issue a new one with epione cert issue, or compare the clocks";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "it does not trust the authority of this node's certificate; issue it with the cluster's authority";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: return "it refuses this node's certificate; its own log says why";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE: return "it wants a certificate from this node; set peers.certificate and peers.key";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "it shows no certificate; a node needs peers.certificate and peers.key";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST: return "it does not speak TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return "it offers no version of TLS from 1.2 on";
    default: {
      const auto* text = ERR_reason_error_string(code);
      return text != nullptr ? std::string{"TLS: "} + text : "TLS: error " + std::to_string(code);
    }
  }
}

} // namespace epione::cluster
