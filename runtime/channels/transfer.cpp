#include "runtime/channels/transfer.hpp"

#include "domain/json_text.hpp"
#include "runtime/channel_settings.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace epione::runtime {

namespace {

constexpr std::size_t shown_answer_bytes = 120; ///< a server's sentence, not what it may repeat of ours

/// Once in the process, as libcurl asks; it is never undone, because threads may still be inside.
void start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK)
    throw std::runtime_error{"libcurl cannot be started"};
}

std::string_view without_line_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.remove_suffix(1);
  return line;
}

/// Headers and commands that hold a secret, and request lines whose query may.
std::string shown_request(std::string_view line) {
  for (const std::string_view secret : {"authorization:", "proxy-authorization:", "auth "}) {
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
    if (line.size() >= secret.size() &&
        std::equal(secret.begin(), secret.end(), line.begin(), [&](char b, char a) { return same(a, b); }))
      return std::string{line.substr(0, secret.size())} + " ***";
  }
  const auto query = line.find('?');
  const auto version = line.rfind(" HTTP/");
  if (query != std::string_view::npos && version != std::string_view::npos && query < version)
    return std::string{line.substr(0, query)} + "?..." + std::string{line.substr(version)};
  return std::string{line};
}

} // namespace

transfer::transfer(const channel_ports& ports) : ports_(ports) {
  start_libcurl();
  handle_.reset(curl_easy_init());
  if (handle_ == nullptr)
    throw std::runtime_error{"libcurl gives no handle"};
}

transfer::~transfer() {
  cut_connections();
}

void transfer::cut_connections() {
  for (const auto socket : sockets_)
    ::shutdown(socket, SHUT_RDWR);
}

void transfer::begin(const std::string& url, const char* protocols, std::uint64_t limit_ms) {
  curl_easy_reset(handle_.get());
  lists_.clear();
  upload_ = {};
  now_ = {};
  secret_ = false;
  leaving_ = false;
  error_.assign(CURL_ERROR_SIZE, '\0');
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, protocols);
  set(CURLOPT_PROXY, ""); // what the environment says is not the configuration
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(limit_ms));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limit_ms));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_VERBOSE, 1L); // to know the other side's last line; nothing is printed
  set(CURLOPT_DEBUGFUNCTION, &transfer::on_debug);
  set(CURLOPT_DEBUGDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &transfer::on_open);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_CLOSESOCKETFUNCTION, &transfer::on_close);
  set(CURLOPT_CLOSESOCKETDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &transfer::on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_WRITEFUNCTION, &transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
}

void transfer::set_list(CURLoption option, const std::vector<std::string>& lines) {
  curl_slist* list = nullptr;
  for (const auto& line : lines)
    if (auto* longer = curl_slist_append(list, line.c_str()))
      list = longer;
  lists_.emplace_back(list);
  set(option, list);
}

void transfer::set_authority(const std::string& file) {
  if (!file.empty())
    set(CURLOPT_CAINFO, file.c_str());
}

void transfer::set_login(const std::string& user, const std::string& password) {
  set(CURLOPT_USERNAME, user.c_str());
  set(CURLOPT_PASSWORD, password.c_str());
}

void transfer::set_upload(std::string_view data) {
  upload_ = data;
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_READFUNCTION, &transfer::on_upload);
  set(CURLOPT_READDATA, this);
}

transfer_outcome transfer::perform() {
  now_.code = curl_easy_perform(handle_.get());
  if (now_.code != CURLE_OK)
    cut_connections();
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &now_.status);
  curl_off_t wait = 0;
  if (curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
    now_.retry_after_s = static_cast<std::uint32_t>(std::min<curl_off_t>(wait, runtime::defaults::channel_retry_after_s_max));
  const std::string_view own{error_.c_str()};
  now_.why = own.empty() ? curl_easy_strerror(now_.code) : std::string{own};
  return std::move(now_);
}

int transfer::on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
  const std::string_view all{data, size};
  if (type != CURLINFO_HEADER_IN && type != CURLINFO_HEADER_OUT && type != CURLINFO_TEXT)
    return 0;                                  // content
  for (std::size_t at = 0; at < all.size();) { // HTTP headers go out in one piece
    const auto end = std::min(all.find('\n', at), all.size());
    static_cast<transfer*>(self)->on_line(type, without_line_end(all.substr(at, end - at)));
    at = end + 1;
  }
  return 0;
}

void transfer::on_line(curl_infotype type, std::string_view line) {
  if (line.empty())
    return;
  if (type == CURLINFO_HEADER_IN && !leaving_)
    now_.last_line = line;
  if (type == CURLINFO_HEADER_OUT) {
    now_.recipient_named = now_.recipient_named || line.starts_with("RCPT ");
    leaving_ = leaving_ || line == "QUIT";
  }
  if (!ports_.trace)
    return;
  if (type == CURLINFO_HEADER_IN) {
    if (!line.starts_with("334")) // a login goes on
      secret_ = false;
    ports_.trace("< " + domain::quotable(line, 200));
  } else if (type == CURLINFO_HEADER_OUT) {
    ports_.trace("> " + (secret_ ? std::string{"***"} : domain::quotable(shown_request(line), 200)));
    secret_ = secret_ || line.starts_with("AUTH");
  } else {
    for (const std::string_view interesting : {"Connected to", "SSL connection using", " subject:", " issuer:", "Re-using"})
      if (line.find(interesting) != std::string_view::npos)
        ports_.trace("  " + domain::quotable(line, 200));
  }
}

int transfer::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<transfer*>(self)->ports_.stop.stop_requested() ? 1 : 0;
}

curl_socket_t transfer::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  const int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (socket < 0)
    return CURL_SOCKET_BAD;
  static_cast<transfer*>(self)->sockets_.insert(socket);
  return socket;
}

int transfer::on_close(void* self, curl_socket_t socket) {
  static_cast<transfer*>(self)->sockets_.erase(socket);
  return ::close(socket);
}

std::size_t transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& body = static_cast<transfer*>(self)->now_.body;
  const auto room = defaults::channel_response_bytes_max - body.size();
  body.append(data, std::min(room, size * count));
  return size * count;
}

std::size_t transfer::on_upload(char* to, std::size_t size, std::size_t count, void* self) {
  auto& left = static_cast<transfer*>(self)->upload_;
  const auto n = std::min(left.size(), size * count);
  std::copy_n(left.data(), n, to);
  left.remove_prefix(n);
  return n;
}

messages::send_failure failure_of(CURLcode code) {
  using messages::send_failure;
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return send_failure::time_limit;
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR: return send_failure::tls;
    case CURLE_SSL_CACERT_BADFILE: return send_failure::configuration;
    case CURLE_LOGIN_DENIED: return send_failure::credentials;
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_OUT_OF_MEMORY: return send_failure::internal;
    default: return send_failure::unreachable;
  }
}

std::string shown_answer(std::string_view text) {
  return domain::quotable(text.substr(0, text.find_first_of("\r\n")), shown_answer_bytes);
}

} // namespace epione::runtime
