#include "tests/support/receivers.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace epione::tests {

namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string from_base64(std::string_view text) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    const auto digit = digits.find(c);
    if (digit == std::string_view::npos)
      break;
    bits = (bits << 6U) | static_cast<unsigned>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xFFU);
    }
  }
  return out;
}

std::string between_brackets(const std::string& line) {
  const auto begin = line.find('<'), end = line.find('>');
  return begin == std::string::npos || end == std::string::npos ? "" : line.substr(begin + 1, end - begin - 1);
}

} // namespace

std::optional<receiver_fault> parse_receiver_fault(std::string_view text) {
  static constexpr std::array<std::string_view, 7> names{"none", "refuse", "closed", "busy", "hang", "cut", "cut_after"};
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end())
    return std::nullopt;
  return static_cast<receiver_fault>(found - names.begin());
}

std::vector<std::string> received_mail::headers(std::string_view name) const {
  std::vector<std::string> out;
  const auto end = data.find("\n\n");
  const auto head = data.substr(0, end == std::string::npos ? data.size() : end + 1);
  bool ours = false;
  for (std::size_t at = 0; at < head.size();) {
    const auto stop = std::min(head.find('\n', at), head.size());
    const auto line = head.substr(at, stop - at);
    at = stop + 1;
    if (line.starts_with(' ')) { // goes on
      if (ours)
        out.back() += line;
      continue;
    }
    ours = lower(line).starts_with(lower(name) + ": ");
    if (ours)
      out.push_back(line.substr(name.size() + 2));
  }
  return out;
}

// ---- mail ----------------------------------------------------------------------------------------------------------

mail_receiver::mail_receiver(mail_receiver_options options)
    : options_(std::move(options)), server_(options_.port, [this](socket_stream& s) { serve(s); }) {}

std::vector<received_mail> mail_receiver::mails() const {
  std::lock_guard guard{mutex_};
  return mails_;
}

bool mail_receiver::log_in(socket_stream& s, const std::string& line, received_mail& now) {
  std::string given;
  if (line.starts_with("AUTH PLAIN")) {
    if (line.size() > 11)
      given = from_base64(line.substr(11));
    else if (s.write("334 \r\n"))
      given = from_base64(s.line().value_or(""));
  }
  now.logged_in = given == std::string{'\0'} + options_.user + '\0' + options_.password;
  return s.write(now.logged_in ? "235 welcome\r\n" : "535 5.7.8 who are you\r\n");
}

bool mail_receiver::take_data(socket_stream& s, received_mail& now) {
  if (!s.write("354 go on\r\n"))
    return false;
  now.data.clear();
  for (auto line = s.line();; line = s.line()) {
    if (!line)
      return false;
    if (*line == ".")
      break;
    now.data += (line->starts_with('.') ? line->substr(1) : *line) + "\n";
  }
  const auto how = fault.load();
  if (how == receiver_fault::cut)
    return false;
  if (how == receiver_fault::none || how == receiver_fault::cut_after || how == receiver_fault::hang) {
    if (options_.on_mail)
      options_.on_mail(now);
    std::lock_guard guard{mutex_};
    mails_.push_back(now);
  }
  if (how == receiver_fault::hang)
    s.hang();
  return how == receiver_fault::none && s.write("250 taken\r\n");
}

void mail_receiver::serve(socket_stream& s) {
  ++connections_;
  received_mail now;
  now.over_tls = options_.tls_from_start;
  if (options_.tls_from_start && !s.start_tls(options_.tls))
    return;
  bool on = s.write(fault == receiver_fault::closed ? "554 5.3.2 no mail today\r\n" : "220 mail.example ESMTP\r\n");
  while (on) {
    const auto line = s.line();
    if (!line || line->starts_with("QUIT"))
      return;
    if (line->starts_with("EHLO")) {
      const bool offer = options_.tls != nullptr && !now.over_tls;
      on = s.write(std::string{"250-mail.example\r\n"} + (offer ? "250-STARTTLS\r\n" : "") +
                   (options_.user.empty() ? "" : "250-AUTH PLAIN\r\n") + "250 8BITMIME\r\n");
    } else if (line->starts_with("STARTTLS")) {
      on = s.write("220 begin\r\n") && s.start_tls(options_.tls);
      now.over_tls = on;
    } else if (line->starts_with("AUTH")) {
      on = log_in(s, *line, now);
    } else if (line->starts_with("MAIL")) {
      now.from = between_brackets(*line);
      on = s.write(!options_.user.empty() && !now.logged_in ? "530 5.7.0 log in first\r\n" : "250 yes\r\n");
    } else if (line->starts_with("RCPT")) {
      now.to = between_brackets(*line);
      on = s.write(fault == receiver_fault::refuse ? "550 5.1.1 nobody here of that name\r\n"
                   : fault == receiver_fault::busy ? "451 4.3.0 try again later\r\n"
                                                   : "250 yes\r\n");
    } else if (line->starts_with("DATA")) {
      on = take_data(s, now);
    } else {
      on = s.write("250 fine\r\n");
    }
  }
}

// ---- web -----------------------------------------------------------------------------------------------------------

web_receiver::web_receiver(web_receiver_options options)
    : options_(std::move(options)), server_(options_.port, [this](socket_stream& s) { serve(s); }) {}

std::vector<received_request> web_receiver::requests() const {
  std::lock_guard guard{mutex_};
  return requests_;
}

void web_receiver::answer(int status, std::string headers, std::string body) {
  std::lock_guard guard{mutex_};
  status_ = status;
  answer_headers_ = std::move(headers);
  answer_body_ = std::move(body);
}

void web_receiver::serve(socket_stream& s) {
  ++connections_;
  if (options_.tls != nullptr && !s.start_tls(options_.tls))
    return;
  while (serve_one(s)) {
  }
}

bool web_receiver::serve_one(socket_stream& s) {
  const auto first = s.line();
  if (!first)
    return false;
  received_request now;
  const auto blank = first->find(' ');
  now.method = first->substr(0, blank);
  now.path = first->substr(blank + 1, first->rfind(' ') - blank - 1);
  for (auto line = s.line(); line && !line->empty(); line = s.line())
    if (const auto colon = line->find(": "); colon != std::string::npos)
      now.headers[lower(line->substr(0, colon))] = line->substr(colon + 2);
  const auto length = now.headers.find("content-length");
  const auto body = s.bytes(length == now.headers.end() ? 0 : std::stoul(length->second));
  if (!body)
    return false;
  now.body = *body;
  const auto how = fault.load();
  if (how == receiver_fault::cut)
    return false;
  if (how == receiver_fault::refuse)
    return s.write("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
  if (how == receiver_fault::closed)
    return s.write("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
  if (how == receiver_fault::busy)
    return s.write("HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n");
  if (options_.on_request)
    options_.on_request(now);
  std::string answer;
  {
    std::lock_guard guard{mutex_};
    requests_.push_back(now);
    answer = "HTTP/1.1 " + std::to_string(status_) + " Answer\r\n" + answer_headers_ +
             "Content-Length: " + std::to_string(answer_body_.size()) + "\r\n\r\n" + answer_body_;
  }
  if (how == receiver_fault::hang)
    s.hang();
  return how == receiver_fault::none && s.write(answer);
}

} // namespace epione::tests
