#include "cluster/certificates.hpp"

#include "cluster/openssl.hpp"
#include "domain/hex.hpp"
#include "runtime/random.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

namespace epione::cluster {

namespace fs = std::filesystem;
namespace defaults = runtime::defaults;

namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t clock_margin_s = 300; // a node whose clock is a little behind takes a new certificate all the same

tl::unexpected<std::string> failed(std::string sentence) {
  return tl::unexpected<std::string>{std::move(sentence)};
}

tl::unexpected<std::string> failed_with_errno(const std::string& what) {
  return failed(what + ": " + std::strerror(errno));
}

// ---- files -----------------------------------------------------------------------------------------------------------

class handle {
public:
  explicit handle(int fd) : fd_(fd) {}
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  ~handle() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const { return fd_; }

private:
  int fd_;
};

tl::expected<void, std::string> make_directory(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    return {};
  if (const auto parent = fs::path{path}.parent_path(); !parent.empty())
    fs::create_directories(parent, error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return failed_with_errno("cannot make the directory " + path);
  return {};
}

/// Whole or not at all, synced; without `replace` never over a file that is there.
tl::expected<void, std::string> write_file(const std::string& path, std::string_view text, mode_t mode, bool replace) {
  const auto draft = path + ".new";
  ::unlink(draft.c_str()); // of a call that was killed
  const handle out{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  if (out.get() < 0)
    return failed_with_errno("cannot create " + draft);
  const auto give_up = [&](const std::string& what) {
    const auto why = failed_with_errno(what + " " + path);
    ::unlink(draft.c_str());
    return why;
  };
  for (auto rest = text; !rest.empty();) {
    const auto n = ::write(out.get(), rest.data(), rest.size());
    if (n < 0)
      return give_up("cannot write");
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(out.get()) != 0)
    return give_up("cannot write");
  if (replace ? ::rename(draft.c_str(), path.c_str()) != 0 : ::link(draft.c_str(), path.c_str()) != 0)
    return give_up("cannot create");
  ::unlink(draft.c_str());
  const handle directory{::open(fs::path{path}.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.get() >= 0)
    ::fsync(directory.get());
  return {};
}

bool is_there(const std::string& path) {
  struct stat s{};
  return ::lstat(path.c_str(), &s) == 0;
}

// ---- making certificates -----------------------------------------------------------------------------------------------

struct made {
  openssl::private_key key;
  openssl::certificate certificate;
};

bool add_extension(X509* x, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, x, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(x, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

/// 127 random bits: positive, and unique without a list of those that were given (RFC 5280, 4.1.2.2).
bool set_serial(X509* x, runtime::random_source& random) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0x7F) | 0x40);
  const openssl::bignum number{BN_bin2bn(bytes.data(), bytes.size(), nullptr)};
  return number != nullptr && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x)) != nullptr;
}

bool set_validity(X509* x, std::int64_t now_s, std::uint32_t days) {
  return ASN1_TIME_set(X509_getm_notBefore(x), static_cast<std::time_t>(now_s - clock_margin_s)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(x), static_cast<std::time_t>(now_s + days * day_s)) != nullptr;
}

/// Without extensions and signature. Nothing when OpenSSL refuses.
std::optional<made> begin(const std::string& common_name, std::int64_t now_s, std::uint32_t days,
                          runtime::random_source& random) {
  made m{openssl::private_key{EVP_EC_gen("P-256")}, openssl::certificate{X509_new()}};
  auto* x = m.certificate.get();
  if (m.key == nullptr || x == nullptr || X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x, random) ||
      !set_validity(x, now_s, days) || X509_set_pubkey(x, m.key.get()) != 1 ||
      X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0) != 1)
    return std::nullopt;
  return m;
}

std::string pem_of(X509* x) {
  const openssl::bio out{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(out.get(), x);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(EVP_PKEY* key) {
  const openssl::bio out{BIO_new(BIO_s_secmem())}; // wiped when it is freed
  PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

tl::expected<void, std::string> write_pair(const std::string& stem, const made& m, bool replace) {
  auto key = pem_of(m.key.get());
  auto written = write_file(stem + ".key", key, 0600, replace);
  OPENSSL_cleanse(key.data(), key.size());
  if (!written)
    return written;
  written = write_file(stem + ".crt", pem_of(m.certificate.get()), 0644, replace);
  if (!written && !replace)
    ::unlink((stem + ".key").c_str()); // a key without its certificate would only be in the way
  return written;
}

std::optional<std::string> days_problem(std::uint32_t days) {
  if (days >= 1 && days <= defaults::certificate_days_max)
    return std::nullopt;
  return std::to_string(days) + " days are out of range; allowed is 1 to " + std::to_string(defaults::certificate_days_max);
}

bool is_address(const std::string& text) {
  in6_addr room{};
  return inet_pton(AF_INET, text.c_str(), &room) == 1 || inet_pton(AF_INET6, text.c_str(), &room) == 1;
}

bool is_host_name(const std::string& text) {
  return !text.empty() && text.size() <= 253 && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

tl::expected<made, std::string> read_authority(const std::string& directory, std::int64_t now_s) {
  const auto crt = directory + "/" + authority_certificate, key = directory + "/" + authority_key;
  const auto crt_text = read_certificate_file(crt);
  if (!crt_text)
    return failed(crt_text.error() + "; make an authority with epione cert init-authority --out " + directory);
  auto key_text = read_certificate_file(key);
  if (!key_text)
    return failed(key_text.error());
  auto certificates = openssl::read_all(*crt_text);
  made m{openssl::read_key(*key_text), certificates.empty() ? nullptr : std::move(certificates.front())};
  OPENSSL_cleanse(key_text->data(), key_text->size());
  if (m.certificate == nullptr)
    return failed(crt + " holds no certificate");
  if (m.key == nullptr)
    return failed(key + " holds no private key that can be read without a password");
  if (X509_check_private_key(m.certificate.get(), m.key.get()) != 1)
    return failed(key + " is not the key of " + crt);
  if (X509_check_ca(m.certificate.get()) != 1)
    return failed(crt + " is not an authority's certificate");
  if (openssl::seconds(X509_get0_notAfter(m.certificate.get())) <= now_s)
    return failed("the authority in " + crt + " ended on " +
                  time_text(openssl::seconds(X509_get0_notAfter(m.certificate.get()))) +
                  "; make a new one in another directory and let all nodes trust both for a while (docs/manual.md)");
  return m;
}

/// Adds the authority to those a node trusts; what is there stays, so that authorities can overlap.
tl::expected<void, std::string> trust(const std::string& path, X509* authority) {
  std::string all;
  if (is_there(path)) {
    auto before = read_certificate_file(path);
    if (!before)
      return failed(before.error());
    for (const auto& x : openssl::read_all(*before))
      if (X509_cmp(x.get(), authority) == 0)
        return {};
    all = std::move(*before);
    if (!all.empty() && all.back() != '\n')
      all += '\n';
  }
  return write_file(path, all + pem_of(authority), 0644, true);
}

std::vector<std::string> addresses_of(X509* x) {
  std::vector<std::string> result;
  const openssl::general_names all{static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_IPADD)
      continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int size = ASN1_STRING_length(name->d.iPAddress);
    if ((size == 4 || size == 16) &&
        inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), text.data(), text.size()) != nullptr)
      result.emplace_back(text.data());
  }
  return result;
}

std::string issuer_name(X509* x) {
  std::array<char, 256> text{};
  return X509_NAME_get_text_by_NID(X509_get_issuer_name(x), NID_commonName, text.data(), text.size()) < 0 ? "" : text.data();
}

certificate_info info_of(X509* x) {
  certificate_info out;
  out.subject = openssl::common_name(x);
  out.issuer = issuer_name(x);
  out.names = openssl::dns_names(x);
  out.name = out.names.empty() ? out.subject : out.names.front();
  for (auto& address : addresses_of(x))
    out.names.push_back(std::move(address));
  const auto* serial = X509_get0_serialNumber(x);
  out.serial = domain::to_hex({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(x, EVP_sha256(), digest.data(), &size) == 1)
    out.fingerprint = domain::to_hex({digest.data(), size});
  out.not_before_s = openssl::seconds(X509_get0_notBefore(x));
  out.not_after_s = openssl::seconds(X509_get0_notAfter(x));
  out.authority = X509_check_ca(x) == 1;
  return out;
}

} // namespace

std::optional<std::string> node_name_problem(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (!name.empty() && name.size() <= defaults::node_name_bytes_max && plain(name.front()) && plain(name.back()) &&
      std::all_of(name.begin(), name.end(), [&](char c) { return plain(c) || c == '-'; }))
    return std::nullopt;
  return "'" + std::string{name.substr(0, 100)} + "' cannot be a node's name; use 1 to " +
         std::to_string(defaults::node_name_bytes_max) + " of a-z, 0-9 and -, with a letter or digit at both ends";
}

std::int64_t days_left(const certificate_info& x, std::int64_t now_s) {
  const auto left = x.not_after_s - now_s;
  return left >= 0 ? left / day_s : -1 - (-left - 1) / day_s;
}

std::string time_text(std::int64_t seconds) {
  const auto t = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&t, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

tl::expected<std::vector<certificate_info>, std::string> read_certificates(std::string_view pem, const std::string& where) {
  ERR_clear_error();
  const auto all = openssl::read_all(pem);
  if (ERR_peek_error() != 0)
    return failed(where + " holds a damaged certificate: " + openssl::last_error());
  if (all.empty())
    return failed(where + " holds no certificate (PEM, -----BEGIN CERTIFICATE-----)");
  std::vector<certificate_info> result;
  for (const auto& x : all)
    result.push_back(info_of(x.get()));
  return result;
}

tl::expected<std::string, std::string> read_certificate_file(const std::string& path) {
  const handle in{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (in.get() < 0)
    return failed_with_errno("cannot read " + path);
  std::string text;
  std::array<char, 16'384> piece;
  for (;;) {
    const auto n = ::read(in.get(), piece.data(), piece.size());
    if (n < 0)
      return failed_with_errno("cannot read " + path);
    if (n == 0)
      return text;
    text.append(piece.data(), static_cast<std::size_t>(n));
    if (text.size() > defaults::peer_certificate_bytes_max)
      return failed(path + " is larger than the limit of " + std::to_string(defaults::peer_certificate_bytes_max) + " bytes");
  }
}

tl::expected<void, std::string> make_authority(const authority_request& request, runtime::random_source& random) {
  if (const auto wrong = days_problem(request.days))
    return failed(*wrong);
  if (request.name.empty() || request.name.size() > 64) // RFC 5280, ub-common-name
    return failed("the name of an authority has 1 to 64 characters");
  const auto crt = request.directory + "/" + authority_certificate, key = request.directory + "/" + authority_key;
  for (const auto& path : {crt, key})
    if (is_there(path))
      return failed(path + " is there already; an authority is never overwritten, because every certificate it issued would be "
                           "refused. Name another directory");
  if (auto there = make_directory(request.directory); !there)
    return there;
  auto m = begin(request.name, request.now_s, request.days, random);
  auto* x = m ? m->certificate.get() : nullptr;
  if (x == nullptr || X509_set_issuer_name(x, X509_get_subject_name(x)) != 1 ||
      !add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !add_extension(x, x, NID_subject_key_identifier, "hash") || X509_sign(x, m->key.get(), EVP_sha256()) == 0)
    return failed("OpenSSL could not make an authority: " + openssl::last_error());
  return write_pair(request.directory + "/authority", *m, false);
}

tl::expected<void, std::string> issue_certificate(const node_request& request, runtime::random_source& random) {
  if (const auto wrong = node_name_problem(request.node))
    return failed(*wrong);
  if (const auto wrong = days_problem(request.days))
    return failed(*wrong);
  std::string names = "DNS:" + request.node;
  for (const auto& host : request.hosts) {
    const bool address = is_address(host);
    if (!address && !is_host_name(host))
      return failed("'" + host.substr(0, 100) + "' is neither a host name nor an IP address");
    names += (address ? ",IP:" : ",DNS:") + host;
  }
  const auto stem = request.directory + "/" + request.node;
  if (!request.force)
    for (const auto* end : {".key", ".crt"})
      if (is_there(stem + end))
        return failed(stem + end + " is there already; give --force to replace key and certificate, as a rotation does");
  const auto authority = read_authority(request.authority_directory, request.now_s);
  if (!authority)
    return failed(authority.error());
  const auto end_of_authority = openssl::seconds(X509_get0_notAfter(authority->certificate.get()));
  if (request.now_s + request.days * day_s > end_of_authority)
    return failed("a certificate of " + std::to_string(request.days) + " days would outlive its authority, which ends on " +
                  time_text(end_of_authority) + "; give fewer --days, or make a new authority");
  if (auto there = make_directory(request.directory); !there)
    return there;
  auto m = begin(request.node, request.now_s, request.days, random);
  auto* x = m ? m->certificate.get() : nullptr;
  auto* issuer = authority->certificate.get();
  if (x == nullptr || X509_set_issuer_name(x, X509_get_subject_name(issuer)) != 1 ||
      !add_extension(x, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(x, issuer, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(x, issuer, NID_ext_key_usage, "serverAuth,clientAuth") ||
      !add_extension(x, issuer, NID_subject_alt_name, names) || !add_extension(x, issuer, NID_subject_key_identifier, "hash") ||
      !add_extension(x, issuer, NID_authority_key_identifier, "keyid") || X509_sign(x, authority->key.get(), EVP_sha256()) == 0)
    return failed("OpenSSL could not make a certificate: " + openssl::last_error());
  if (auto trusted = trust(request.directory + "/" + authorities_file, issuer); !trusted)
    return trusted;
  return write_pair(stem, *m, request.force);
}

} // namespace epione::cluster
