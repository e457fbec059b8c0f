#include "cluster/openssl.hpp"

#include <array>
#include <ctime>
#include <openssl/pem.h>

namespace epione::cluster::openssl {

namespace {

std::string text_of(const ASN1_STRING* x) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(x)), static_cast<std::size_t>(ASN1_STRING_length(x))};
}

/// Nobody is asked for a password: a node starts by itself.
int no_password(char*, int, int, void*) {
  return -1;
}

} // namespace

bio memory(std::string_view bytes) {
  return bio{BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))};
}

std::string last_error() {
  std::string text;
  while (const auto code = ERR_get_error()) {
    std::array<char, 256> buffer{};
    ERR_error_string_n(code, buffer.data(), buffer.size());
    text = buffer.data(); // the last one is the outermost
  }
  return text.empty() ? "OpenSSL gives no reason" : text;
}

std::vector<certificate> read_all(std::string_view pem) {
  std::vector<certificate> result;
  const auto in = memory(pem);
  while (certificate x{PEM_read_bio_X509(in.get(), nullptr, no_password, nullptr)})
    result.push_back(std::move(x));
  if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
    ERR_clear_error(); // the end
  return result;
}

private_key read_key(std::string_view pem) {
  const auto in = memory(pem);
  return private_key{PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr)};
}

std::vector<std::string> dns_names(X509* x) {
  std::vector<std::string> result;
  const general_names all{static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS)
      continue;
    auto text = text_of(name->d.dNSName);
    if (text.find('\0') == std::string::npos)
      result.push_back(std::move(text));
  }
  return result;
}

std::string common_name(X509* x) {
  auto* subject = X509_get_subject_name(x);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  return at < 0 ? std::string{} : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

std::int64_t seconds(const ASN1_TIME* t) {
  std::tm parts{};
  return ASN1_TIME_to_tm(t, &parts) == 1 ? std::int64_t{::timegm(&parts)} : 0;
}

} // namespace epione::cluster::openssl
