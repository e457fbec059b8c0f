#include "runtime/http/framing.hpp"

#include <array>
#include <charconv>

namespace epione::runtime::http {

namespace {

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

} // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

void append_response(std::string& out, const response& r, const response_framing& framing) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(r.status));
  out += ' ';
  out += reason_phrase(r.status);
  out += "\r\nDate: ";
  out += framing.date;
  const bool not_modified = r.status == 304; // RFC 9110, 15.4.5: has no body, and its length would be that of the one not sent
  if (!not_modified) {
    out += "\r\nContent-Type: ";
    out += r.content_type;
  }
  // What is about patients must not be kept by anything on the way.
  out += "\r\nCache-Control: no-store";
  if (!not_modified) {
    out += "\r\nContent-Length: ";
    append_number(out, r.body.size());
  }
  if (r.retry_after_s != 0) {
    out += "\r\nRetry-After: ";
    append_number(out, r.retry_after_s);
  }
  if (!r.header.empty()) {
    out += "\r\n";
    out += r.header.substr(0, r.header.size() - 2);
  }
  if (!r.allow.empty()) {
    out += "\r\nAllow: ";
    out += r.allow;
  }
  if (!framing.keep_alive)
    out += "\r\nConnection: close";
  else if (!framing.http_1_1)
    out += "\r\nConnection: keep-alive";
  out += "\r\n\r\n";
  if (!framing.without_body && !not_modified)
    out += r.body;
}

std::string imf_date(std::time_t time) {
  // Not strftime: names of days and months must not follow the locale.
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&time, &parts);
  const auto two = [](std::string& out, int value) {
    out += static_cast<char>('0' + value / 10 % 10);
    out += static_cast<char>('0' + value % 10);
  };
  std::string out = days[static_cast<std::size_t>(parts.tm_wday)];
  out += ", ";
  two(out, parts.tm_mday);
  out += ' ';
  out += months[static_cast<std::size_t>(parts.tm_mon)];
  out += ' ';
  append_number(out, static_cast<std::uint64_t>(parts.tm_year) + 1900);
  out += ' ';
  two(out, parts.tm_hour);
  out += ':';
  two(out, parts.tm_min);
  out += ':';
  two(out, parts.tm_sec);
  out += " GMT";
  return out;
}

} // namespace epione::runtime::http
