// Mail through one server (RFC 5321), with STARTTLS unless the configuration says otherwise.
#include "runtime/channels/builtin.hpp"
#include "runtime/channels/mail_message.hpp"
#include "runtime/channels/secret_file.hpp"
#include "runtime/channels/transfer.hpp"

namespace epione::runtime {

namespace {

using messages::send_failure;

/// RFC 4954, 6: these speak of our login, not of the message.
bool is_about_mail_login(long status) {
  return status == 530 || status == 534 || status == 535 || status == 538;
}

class smtp_channel final : public channel {
public:
  smtp_channel(const channel_settings& s, const channel_ports& ports)
      : settings_(s), ports_(ports), transfer_(ports), from_{s.text("from_name"), s.text("from")} {}

  messages::send_result send(const messages::outgoing& m) override {
    if (m.to.empty())
      return messages::refused(send_failure::no_address, "recipient '" + m.recipient + "' has no address for channel '" +
                                                             m.channel + "'; add one to the study file");
    if (const auto wrong = check_mail_address(m.to))
      return messages::refused(send_failure::no_address, "the address of recipient '" + m.recipient + "' " + *wrong);
    std::string password;
    if (const auto& file = settings_.text("password_file"); !file.empty()) {
      auto secret = read_secret(file);
      if (!secret)
        return messages::try_later(send_failure::configuration, secret.error());
      password = std::move(*secret);
    }
    const auto mail = mail_message(from_, m, ports_.clock.wall_us());
    transfer_.begin(settings_.text("url"), "smtp,smtps", settings_.number("timeout_ms"));
    transfer_.set_authority(settings_.text("ca_file"));
    if (settings_.text("tls") == "required")
      transfer_.set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    if (const auto& user = settings_.text("username"); !user.empty())
      transfer_.set_login(user, password);
    transfer_.set(CURLOPT_MAIL_FROM, from_.address.c_str());
    transfer_.set_list(CURLOPT_MAIL_RCPT, {m.to});
    transfer_.set_upload(mail);
    return result_of(transfer_.perform());
  }

private:
  static messages::send_result result_of(const transfer_outcome& t) {
    if (t.code == CURLE_OK)
      return messages::sent();
    const auto way = failure_of(t.code);
    if (way == send_failure::time_limit || way == send_failure::tls || way == send_failure::internal ||
        way == send_failure::configuration)
      return messages::try_later(way, t.why);
    const auto answer = "the mail server answered: " + shown_answer(t.last_line);
    if (t.code == CURLE_LOGIN_DENIED || is_about_mail_login(t.status))
      return messages::try_later(send_failure::credentials, answer);
    if (t.status >= 500 && t.status < 600 && !t.recipient_named) // the server itself, or who we are; not this message
      return messages::try_later(send_failure::configuration, answer);
    if (t.status >= 500 && t.status < 600)
      return messages::refused(send_failure::rejected, answer);
    if (t.status >= 400)
      return messages::try_later(send_failure::busy, answer);
    return messages::try_later(way, t.why);
  }

  channel_settings settings_;
  channel_ports ports_;
  transfer transfer_;
  mail_sender from_;
};

std::optional<std::string> check_smtp_url(std::string& url) {
  const bool known = url.starts_with("smtp://") || url.starts_with("smtps://");
  const auto host = url.find("://") + 3;
  if (!known || host >= url.size() || url.find_first_of("/?#@ ", host) != std::string::npos)
    return "'" + shown_url(url) + "' is not the address of a mail server; write smtp://HOST:587 or smtps://HOST:465";
  return std::nullopt;
}

std::optional<std::string> check_from(std::string& text) {
  if (const auto wrong = check_mail_address(text))
    return "'" + text + "' " + *wrong;
  return std::nullopt;
}

std::optional<std::string> check_mail_tls(std::string& text) {
  if (text == "required" || text == "none")
    return std::nullopt;
  return "'" + text + "' is not known here; write \"required\" (STARTTLS, or TLS from the start with smtps://) or \"none\"";
}

std::vector<channel_problem> check_mail(channel_settings& s) {
  std::vector<channel_problem> problems;
  const bool plain = s.text("tls") == "none";
  if (plain && s.text("url").starts_with("smtps://"))
    problems.push_back({"tls", "is \"none\", but the url begins with smtps://; leave one of them out"});
  if (plain && !s.text("username").empty())
    problems.push_back(
        {"tls", "is \"none\": user name and password would cross the network readable for everybody; leave it out"});
  if (s.text("username").empty() != s.text("password_file").empty())
    problems.push_back({s.text("username").empty() ? "password_file" : "username", "username and password_file belong together; "
                                                                                   "give both or none"});
  return problems;
}

} // namespace

channel_kind smtp_channel_kind() {
  channel_kind kind;
  kind.name = "smtp";
  kind.about = "Mail through one server. A recipient's address is a mail address.";
  const auto text = [&](std::string name, std::string standard, bool required, std::string meaning,
                        channel_key::text_check check = nullptr) {
    kind.keys.push_back({std::move(name), "", std::move(standard), required, 0, 0, std::move(meaning), "", std::move(check)});
  };
  text("url", "", true, "The mail server: `smtp://HOST:587`, or `smtps://HOST:465` for TLS from the start.", check_smtp_url);
  text("from", "", true, "Address that the mails come from.", check_from);
  text("from_name", "Epione", false, "Name beside it.");
  text("username", "", false, "Name to log in with.");
  text("password_file", "", false, "File whose first line is the password; read for each message, so that it can be exchanged.",
       check_file_path);
  text("tls", "required", false, "`required`: nothing is sent without TLS. `none`: a server on this machine.", check_mail_tls);
  text("ca_file", "", false, "Certificates to trust instead of the system's (PEM).", check_file_path);
  kind.check = check_mail;
  kind.make = [](const channel_settings& s, const channel_ports& ports) -> std::unique_ptr<channel> {
    return std::make_unique<smtp_channel>(s, ports);
  };
  return kind;
}

} // namespace epione::runtime
