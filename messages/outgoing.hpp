// What goes out through a channel: one message to one recipient, and what became of the attempt.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::messages {

/// One notice as a template may name its parts. Never an answer or a score.
struct outgoing_notice {
  std::string key; ///< of the notice, the same at every try, also within a merged message
  std::string study, site, subject, form;
  std::string rule; ///< of the alert; empty: a submission was stored
  std::string receipt;
  std::string raised; ///< when the submission was stored: "2026-01-15T07:30:02Z"
};

/// One message. Texts are UTF-8; lines of `text` end with a line feed.
struct outgoing {
  std::string key;       ///< of the message, the same at every try: what a receiver drops repeats by; letters, digits, "._%-"
  std::string channel;   ///< as the study file names it
  std::string to;        ///< the recipient's address in this channel; empty: the study file gives none
  std::string recipient; ///< the recipient's id in the study file
  std::string language;  ///< "en", "zh"
  bool urgent = true;
  std::string subject; ///< one line
  std::string text;
  std::vector<outgoing_notice> notices; ///< at least one; more in a merged message
};
using outgoing_ptr = std::shared_ptr<const outgoing>;

/// Why an attempt did not succeed, for metrics and for whoever has to act.
enum class send_failure : std::uint8_t {
  none,
  unreachable,   ///< no such host, nobody listens, the connection broke
  time_limit,    ///< the other side did not answer in time
  tls,           ///< no TLS, or a certificate that does not convince
  credentials,   ///< user name, password or token were not accepted
  busy,          ///< the other side asks to try again later
  rejected,      ///< the other side will not take this message
  no_address,    ///< not sent: the recipient has none, or one that is not possible
  configuration, ///< a file of ours cannot be read, or the other side will take nothing from us at all
  internal       ///< the sender ended, or the attempt was broken off
};
std::string_view to_string(send_failure x);

struct send_result {
  enum class what : std::uint8_t { sent, try_later, refused };
  what outcome = what::sent;
  send_failure failure = send_failure::none;
  std::string reason;                         ///< a sentence for an operator; never what was sent
  std::optional<std::uint32_t> retry_after_s; ///< the other side names a time
};
using send_result_ptr = std::shared_ptr<const send_result>;

inline send_result sent() {
  return {};
}
inline send_result try_later(send_failure failure, std::string reason, std::optional<std::uint32_t> retry_after_s = {}) {
  return {send_result::what::try_later, failure, std::move(reason), retry_after_s};
}
/// For good, as far as the other side says.
inline send_result refused(send_failure failure, std::string reason) {
  return {send_result::what::refused, failure, std::move(reason), {}};
}

} // namespace epione::messages
