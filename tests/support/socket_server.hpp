// A small server on loopback for tests: a thread for each connection, plain or with TLS from any moment on.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <openssl/ssl.h>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace epione::tests {

/// A key and a certificate for 127.0.0.1 and localhost, made anew, which is its own authority.
class test_certificate {
public:
  test_certificate();
  ~test_certificate();
  test_certificate(const test_certificate&) = delete;
  test_certificate& operator=(const test_certificate&) = delete;
  SSL_CTX* context() const { return context_; }
  /// File with the certificate, for whoever is to trust it.
  const std::string& file() const { return file_; }

private:
  SSL_CTX* context_ = nullptr;
  std::string file_;
};

/// One connection, as the server sees it.
class socket_stream {
public:
  socket_stream(int fd, std::stop_token stop) : fd_(fd), stop_(std::move(stop)) {}
  ~socket_stream();
  socket_stream(const socket_stream&) = delete;
  socket_stream& operator=(const socket_stream&) = delete;

  /// Up to the next line feed, without CR LF; nothing when the other side is gone.
  std::optional<std::string> line();
  std::optional<std::string> bytes(std::size_t count);
  bool write(std::string_view text);
  bool start_tls(SSL_CTX* context);
  /// Says nothing until the other side closes or the server stops.
  void hang();

private:
  bool fill();

  int fd_;
  std::stop_token stop_;
  SSL* tls_ = nullptr;
  std::string buffer_;
};

class socket_server {
public:
  /// Port 0 takes a free one. `serve` runs in a thread of each connection.
  socket_server(std::uint16_t port, std::function<void(socket_stream&)> serve);
  ~socket_server();
  std::uint16_t port() const { return port_; }

private:
  struct connection {
    int fd = -1;
    std::jthread thread;
  };
  void accept_all(const std::stop_token& stop);

  std::function<void(socket_stream&)> serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::stop_source stop_;
  std::mutex mutex_;
  std::list<connection> connections_;
  std::jthread acceptor_;
};

} // namespace epione::tests
