#include "tests/support/socket_server.hpp"

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace epione::tests {

namespace {

void check(bool good, const char* what) {
  if (!good)
    throw std::runtime_error{what};
}

void add_extension(X509* x, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x, x, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  check(extension != nullptr, "no extension");
  X509_add_ext(x, extension, -1);
  X509_EXTENSION_free(extension);
}

} // namespace

test_certificate::test_certificate() {
  auto* key = EVP_EC_gen("P-256");
  auto* x = X509_new();
  check(key != nullptr && x != nullptr, "no key");
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3'600);
  X509_gmtime_adj(X509_getm_notAfter(x), 86'400);
  X509_set_pubkey(x, key);
  auto* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x, name);
  add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(x, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  check(X509_sign(x, key, EVP_sha256()) != 0, "not signed");

  auto path = (std::filesystem::temp_directory_path() / "epione-certificate-XXXXXX").string();
  const int fd = ::mkstemp(path.data());
  check(fd >= 0, "no file for the certificate");
  auto* out = ::fdopen(fd, "w");
  PEM_write_X509(out, x);
  std::fclose(out);
  file_ = path;

  context_ = SSL_CTX_new(TLS_server_method());
  check(context_ != nullptr && SSL_CTX_use_certificate(context_, x) == 1 && SSL_CTX_use_PrivateKey(context_, key) == 1, "no TLS");
  X509_free(x);
  EVP_PKEY_free(key);
}

test_certificate::~test_certificate() {
  SSL_CTX_free(context_);
  ::unlink(file_.c_str());
}

socket_stream::~socket_stream() {
  if (tls_ != nullptr)
    SSL_free(tls_);
}

bool socket_stream::fill() {
  std::array<char, 4096> piece{};
  for (;;) {
    if (stop_.stop_requested())
      return false;
    if (tls_ == nullptr || SSL_pending(tls_) == 0) {
      pollfd wait{fd_, POLLIN, 0};
      if (::poll(&wait, 1, 50) == 0)
        continue;
    }
    const auto n = tls_ != nullptr ? SSL_read(tls_, piece.data(), static_cast<int>(piece.size()))
                                   : static_cast<int>(::recv(fd_, piece.data(), piece.size(), 0));
    if (n <= 0)
      return false;
    buffer_.append(piece.data(), static_cast<std::size_t>(n));
    return true;
  }
}

std::optional<std::string> socket_stream::line() {
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      auto out = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (!out.empty() && out.back() == '\r')
        out.pop_back();
      return out;
    }
    if (!fill())
      return std::nullopt;
  }
}

std::optional<std::string> socket_stream::bytes(std::size_t count) {
  while (buffer_.size() < count)
    if (!fill())
      return std::nullopt;
  auto out = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return out;
}

bool socket_stream::write(std::string_view text) {
  if (tls_ != nullptr)
    return SSL_write(tls_, text.data(), static_cast<int>(text.size())) > 0;
  while (!text.empty()) {
    const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool socket_stream::start_tls(SSL_CTX* context) {
  tls_ = SSL_new(context);
  return SSL_set_fd(tls_, fd_) == 1 && SSL_accept(tls_) == 1;
}

void socket_stream::hang() {
  while (fill())
    buffer_.clear();
}

socket_server::socket_server(std::uint16_t port, std::function<void(socket_stream&)> serve) : serve_(std::move(serve)) {
  std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(listener_ >= 0, "no socket");
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "the port is taken");
  check(::listen(listener_, 64) == 0, "cannot listen");
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread{[this] { accept_all(stop_.get_token()); }};
}

socket_server::~socket_server() {
  stop_.request_stop();
  acceptor_.join();
  ::close(listener_);
  connections_.clear(); // joins
}

void socket_server::accept_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd wait{listener_, POLLIN, 0};
    if (::poll(&wait, 1, 50) <= 0)
      continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0)
      continue;
    std::lock_guard guard{mutex_};
    auto& c = connections_.emplace_back();
    c.fd = fd;
    c.thread = std::jthread{[this, fd, stop] {
      {
        socket_stream stream{fd, stop};
        serve_(stream);
      }
      ::shutdown(fd, SHUT_RDWR);
      ::close(fd);
    }};
  }
}

} // namespace epione::tests
