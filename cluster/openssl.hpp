// OpenSSL's objects with owners; for the sources that call OpenSSL only.
#pragma once

#include <cstdio>
#include <memory>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>
#include <string_view>
#include <vector>

namespace epione::cluster::openssl {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const {
    Free(x);
  }
};

using bio = std::unique_ptr<BIO, freed_by<BIO_free>>;
using bignum = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using certificate = std::unique_ptr<X509, freed_by<X509_free>>;
using private_key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using store = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using store_context = std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>>;
using tls_context = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using general_names = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;

bio memory(std::string_view bytes);
/// What OpenSSL says of its last failure; empties its queue of errors.
std::string last_error();
/// All of a PEM text, in order; stops at the first that is damaged, which `last_error` names.
std::vector<certificate> read_all(std::string_view pem);
private_key read_key(std::string_view pem);
/// DNS names (RFC 6125: never the common name when there is one), without those that hold a zero byte.
std::vector<std::string> dns_names(X509* x);
std::string common_name(X509* x);
std::int64_t seconds(const ASN1_TIME* t);

} // namespace epione::cluster::openssl
