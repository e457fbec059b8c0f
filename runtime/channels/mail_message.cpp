#include "runtime/channels/mail_message.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace epione::runtime {

namespace {

constexpr std::size_t line_max = 76;          ///< RFC 2045, 6.7 and RFC 2047, 2
constexpr std::size_t encoded_bytes_max = 39; ///< in base64 52 characters: a word of 64, which fits a line behind "Subject: "
constexpr char hex[] = "0123456789ABCDEF";

std::string base64(std::string_view in) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const auto byte = [&](std::size_t n) { return i + n < in.size() ? static_cast<unsigned char>(in[i + n]) : 0U; };
    const auto bits = (byte(0) << 16U) | (byte(1) << 8U) | byte(2);
    out += digits[(bits >> 18U) & 63U];
    out += digits[(bits >> 12U) & 63U];
    out += i + 1 < in.size() ? digits[(bits >> 6U) & 63U] : '=';
    out += i + 2 < in.size() ? digits[bits & 63U] : '=';
  }
  return out;
}

bool is_printable_ascii(char c) {
  return c >= 0x20 && c < 0x7F;
}

/// RFC 2045, 6.7: every line at most 76 characters, line ends as they are, everything else safe for any mail server.
std::string quoted_printable(std::string_view text) {
  std::string out, line;
  const auto end_line = [&](bool soft) {
    if (!soft && !line.empty() && line.back() == ' ') { // a blank at a line's end may get lost
      line.pop_back();
      line += "=20";
    }
    out += line + (soft ? "=\r\n" : "\r\n");
    line.clear();
  };
  for (const char c : text) {
    if (c == '\n') {
      end_line(false);
      continue;
    }
    std::string piece{c};
    if (!is_printable_ascii(c) || c == '=') {
      const auto byte = static_cast<unsigned char>(c);
      piece = {'=', hex[byte >> 4U], hex[byte & 15U]};
    }
    if (line.size() + piece.size() > line_max - 3) // room for "=20" or the soft end
      end_line(true);
    line += piece;
  }
  if (!line.empty())
    end_line(false);
  return out;
}

std::string date_text(std::int64_t wall_us) {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(wall_us / 1'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> time{};
  const auto n = std::strftime(time.data(), time.size(), " %Y %H:%M:%S +0000", &utc); // names would follow the locale
  return std::string{days[static_cast<std::size_t>(utc.tm_wday)]} + ", " + std::to_string(utc.tm_mday) + " " +
         months[static_cast<std::size_t>(utc.tm_mon)] + std::string{time.data(), n};
}

} // namespace

std::optional<std::string> check_mail_address(std::string_view x) {
  const auto at = x.find('@');
  const bool allowed = std::all_of(x.begin(), x.end(), [](char c) {
    return is_printable_ascii(c) && std::string_view{" <>()[]\\,;:\""}.find(c) == std::string_view::npos;
  });
  if (!allowed || x.size() > 254 || at == std::string_view::npos || at == 0 || at + 1 == x.size() ||
      x.find('@', at + 1) != std::string_view::npos)
    return "is not a mail address; write one as name@example.org";
  return std::nullopt;
}

std::string header_text(std::string_view text) {
  std::string clean{text};
  std::replace_if(clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  const bool plain = clean.size() <= line_max - 12 && std::all_of(clean.begin(), clean.end(), is_printable_ascii) &&
                     clean.find("=?") == std::string::npos;
  if (plain)
    return clean;
  std::string out;
  for (std::size_t at = 0; at < clean.size();) {
    auto end = std::min(at + encoded_bytes_max, clean.size());
    while (end < clean.size() && end > at + 1 && (static_cast<unsigned char>(clean[end]) & 0xC0U) == 0x80U)
      --end; // never inside a character
    out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + base64(std::string_view{clean}.substr(at, end - at)) + "?=";
    at = end;
  }
  return out;
}

std::string mail_message(const mail_sender& from, const messages::outgoing& m, std::int64_t wall_us) {
  std::string out;
  const auto header = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  // A display name always as an encoded word: no quoting rules to get wrong.
  header("From", from.name.empty() ? from.address : "=?UTF-8?B?" + base64(from.name) + "?= <" + from.address + ">");
  header("To", m.to);
  header("Subject", header_text(m.subject));
  header("Date", date_text(wall_us));
  header("Message-ID", "<" + m.key + from.address.substr(from.address.find('@')) + ">");
  for (const auto& n : m.notices)
    header("Epione-Notice", n.key);
  if (m.urgent)
    header("Importance", "high");
  header("Auto-Submitted", "auto-generated"); // RFC 3834: no out-of-office replies
  header("MIME-Version", "1.0");
  header("Content-Language", m.language);
  header("Content-Type", "text/plain; charset=utf-8");
  header("Content-Transfer-Encoding", "quoted-printable");
  out += "\r\n";
  out += quoted_printable(m.text);
  return out;
}

} // namespace epione::runtime
