// libcurl, as SMTP and webhooks use it: one handle with its connections, time limits, TLS that is verified, and errors sorted by
// what they mean for the next try.
#pragma once

#include "messages/outgoing.hpp"
#include "runtime/channel.hpp"

#include <cstdint>
#include <curl/curl.h>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace epione::runtime {

/// What an attempt came to.
struct transfer_outcome {
  CURLcode code = CURLE_OK;
  long status = 0;              ///< of the protocol: the last reply of the mail server, or the HTTP status; 0: none came
  std::string last_line;        ///< the other side's last line of the protocol; its good-bye does not count
  bool recipient_named = false; ///< of mail: RCPT was sent, so that the last reply may be about this message
  std::string body;             ///< of an HTTP answer, up to channel_response_bytes_max
  std::string why;              ///< libcurl's sentence
  std::optional<std::uint32_t> retry_after_s;
};

/// Used by one thread at a time. Connections are kept for the next transfer.
class transfer {
public:
  explicit transfer(const channel_ports& ports);
  ~transfer();
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  /// Forgets all options but the connections, and sets what is true of every transfer. `protocols`: "smtp,smtps".
  void begin(const std::string& url, const char* protocols, std::uint64_t limit_ms);
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(handle_.get(), option, value);
  }
  void set_list(CURLoption option, const std::vector<std::string>& lines);
  /// Certificates of this authority instead of the system's; empty: the system's.
  void set_authority(const std::string& file);
  void set_login(const std::string& user, const std::string& password);
  /// Sends `data` as the body of an upload; must outlive perform().
  void set_upload(std::string_view data);

  transfer_outcome perform();

private:
  static int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address);
  static int on_close(void* self, curl_socket_t socket);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_upload(char* to, std::size_t size, std::size_t count, void* self);
  /// Without a word to the other side: libcurl would wait two minutes for an answer to SMTP's QUIT.
  void cut_connections();
  void on_line(curl_infotype type, std::string_view line);

  struct deleter {
    void operator()(CURL* x) const { curl_easy_cleanup(x); }
    void operator()(curl_slist* x) const { curl_slist_free_all(x); }
  };
  channel_ports ports_;
  std::set<curl_socket_t> sockets_; ///< open now
  std::unique_ptr<CURL, deleter> handle_;
  std::vector<std::unique_ptr<curl_slist, deleter>> lists_;
  std::string_view upload_;
  std::string error_;
  transfer_outcome now_;
  bool secret_ = false;  ///< what goes out next belongs to a login
  bool leaving_ = false; ///< mail: QUIT was sent, and what comes in then says nothing about the message
};

/// What is wrong with the way there, when no answer says more.
messages::send_failure failure_of(CURLcode code);

/// The first line of an answer as a person may see it: printable, cut.
std::string shown_answer(std::string_view text);

} // namespace epione::runtime
