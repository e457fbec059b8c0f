// A mail server and a web service on loopback that keep what they are sent, and that can be told to fail in every way that real
// ones do.
#pragma once

#include "tests/support/socket_server.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::tests {

enum class receiver_fault : std::uint8_t {
  none,
  refuse,   ///< for good: 550, 400
  closed,   ///< the whole server for good: 554 as greeting, 404
  busy,     ///< later: 451, 503
  hang,     ///< takes the message and never answers
  cut,      ///< closes instead of taking it
  cut_after ///< takes it and closes instead of answering
};
/// "none", "refuse", ...
std::optional<receiver_fault> parse_receiver_fault(std::string_view text);

struct received_mail {
  std::string from, to; ///< of the envelope
  std::string data;     ///< with LF line ends, dots as they were
  bool over_tls = false, logged_in = false;
  /// Values of all headers of this name, in order.
  std::vector<std::string> headers(std::string_view name) const;
};

struct mail_receiver_options {
  std::uint16_t port = 0;
  SSL_CTX* tls = nullptr;
  bool tls_from_start = false; ///< as opposed to STARTTLS
  std::string user, password;  ///< wanted when not empty
  /// Runs before the message is acknowledged, in the connection's thread.
  std::function<void(const received_mail&)> on_mail;
};

class mail_receiver {
public:
  explicit mail_receiver(mail_receiver_options options = {});
  std::uint16_t port() const { return server_.port(); }
  std::string url() const {
    return (options_.tls_from_start ? "smtps://127.0.0.1:" : "smtp://127.0.0.1:") + std::to_string(port());
  }
  std::vector<received_mail> mails() const;
  std::size_t connections() const { return connections_; }
  std::atomic<receiver_fault> fault{receiver_fault::none};

private:
  void serve(socket_stream& s);
  bool log_in(socket_stream& s, const std::string& line, received_mail& now);
  bool take_data(socket_stream& s, received_mail& now);

  mail_receiver_options options_;
  mutable std::mutex mutex_;
  std::vector<received_mail> mails_;
  std::atomic<std::size_t> connections_{0};
  socket_server server_; ///< last: it uses what is above
};

struct received_request {
  std::string method, path, body;
  std::map<std::string, std::string> headers; ///< names in lower case
};

struct web_receiver_options {
  std::uint16_t port = 0;
  SSL_CTX* tls = nullptr;
  std::function<void(const received_request&)> on_request;
};

class web_receiver {
public:
  explicit web_receiver(web_receiver_options options = {});
  std::uint16_t port() const { return server_.port(); }
  std::string url() const {
    return (options_.tls != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port()) + "/notify";
  }
  std::vector<received_request> requests() const;
  std::size_t connections() const { return connections_; }
  /// What it answers while there is no fault.
  void answer(int status, std::string headers = {}, std::string body = {});
  std::atomic<receiver_fault> fault{receiver_fault::none};

private:
  void serve(socket_stream& s);
  bool serve_one(socket_stream& s);

  web_receiver_options options_;
  mutable std::mutex mutex_;
  std::vector<received_request> requests_;
  int status_ = 200;
  std::string answer_headers_, answer_body_;
  std::atomic<std::size_t> connections_{0};
  socket_server server_; ///< last: it uses what is above
};

} // namespace epione::tests
