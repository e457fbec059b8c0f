// Mail against a server that behaves, and one that fails in every way.
#include "runtime/channels/mail_message.hpp"
#include "tests/unit/runtime_channels/channel_fixture.hpp"

#include <chrono>

using namespace epione;
using namespace epione::runtime;
using namespace epione::runtime::test;
using messages::send_failure;

namespace {

struct smtp_fixture : channel_fixture {
  section_entries plain(const mail_receiver& server) {
    return {{"kind", "smtp"}, {"url", server.url()}, {"from", "epione@example.org"}, {"tls", "none"}, {"timeout_ms", "3000"}};
  }
  section_entries secure(const mail_receiver& server) {
    return {{"kind", "smtp"},
            {"url", server.url()},
            {"from", "epione@example.org"},
            {"ca_file", certificate.file()},
            {"timeout_ms", "5000"}};
  }
  tests::test_certificate certificate;
};

/// Answers one step of each conversation with a refusal and all others as it should. Steps are the commands' first four letters;
/// "": the greeting, ".": the end of the text.
class refusing_server {
public:
  refusing_server(std::string step, std::string reply, SSL_CTX* tls = nullptr)
      : step_(std::move(step)), reply_(std::move(reply)), tls_(tls), server_(0, [this](tests::socket_stream& s) { serve(s); }) {}
  std::string url() const {
    return (tls_ != nullptr ? "smtps://127.0.0.1:" : "smtp://127.0.0.1:") + std::to_string(server_.port());
  }

private:
  bool answer(tests::socket_stream& s, std::string_view step, std::string_view usual) const {
    return s.write(std::string{step == step_ ? reply_ : usual} + "\r\n");
  }
  void serve(tests::socket_stream& s) const {
    if (tls_ != nullptr && !s.start_tls(tls_))
      return;
    for (bool on = answer(s, "", "220 mail.example ESMTP"); on;) {
      const auto line = s.line();
      if (!line)
        return;
      const auto step = line->starts_with("HELO") ? "EHLO" : line->substr(0, 4);
      if (step == "QUIT") {
        s.write("221 good bye\r\n"); // which is not the reason that an operator is told
        return;
      }
      if (step == "EHLO")
        on = answer(s, step, "250-mail.example\r\n250 AUTH PLAIN");
      else if (step == "DATA")
        on = take_data(s);
      else
        on = answer(s, step, "250 yes");
    }
  }
  bool take_data(tests::socket_stream& s) const {
    if (!answer(s, "DATA", "354 go on"))
      return false;
    if (step_ == "DATA")
      return true;
    auto line = s.line();
    while (line && *line != ".")
      line = s.line();
    return answer(s, ".", "250 taken");
  }

  std::string step_, reply_;
  SSL_CTX* tls_;
  tests::socket_server server_; ///< last: it uses what is above
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(smtp, smtp_fixture)

BOOST_AUTO_TEST_CASE(a_message_arrives_with_its_key_and_texts) {
  mail_receiver server;
  auto c = make(plain(server));
  auto m = message("wang@example.org");
  m.subject = "警报：研究 demo，受试者 42";
  m.text = "一名受试者的回答触发了警报。\n.\nend=\n";
  BOOST_TEST(is_sent(c->send(m)));
  BOOST_REQUIRE(server.mails().size() == 1U);
  const auto mail = server.mails()[0];
  BOOST_TEST(mail.from == "epione@example.org");
  BOOST_TEST(mail.to == "wang@example.org");
  BOOST_TEST(mail.headers("Message-ID").at(0) == "<3-17-phq9-doctor-wang@example.org>");
  BOOST_TEST(mail.headers("Epione-Notice").at(0) == "3-17-phq9-doctor-wang");
  BOOST_TEST(mail.headers("Subject").at(0).starts_with("=?UTF-8?B?"));
  BOOST_TEST(mail.data.find("=E8=AD=A6=E6=8A=A5") != std::string::npos);
  BOOST_TEST(mail.data.find("\n.\nend=3D\n") != std::string::npos); // a line of one dot is not the end
}

BOOST_AUTO_TEST_CASE(the_connection_is_used_again) {
  mail_receiver server;
  auto c = make(plain(server));
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(is_sent(c->send(message("wang@example.org"))));
  BOOST_TEST(server.mails().size() == 3U);
  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(starttls_and_login_and_no_password_in_what_is_shown) {
  mail_receiver server{{0, certificate.context(), false, "epione", "s3cret-word", {}}};
  const temporary_file password{"s3cret-word\n"};
  auto entries = secure(server);
  entries.push_back({"username", "epione"});
  entries.push_back({"password_file", password.path()});
  auto c = make(entries);
  BOOST_TEST(is_sent(c->send(message("wang@example.org"))));
  BOOST_REQUIRE(server.mails().size() == 1U);
  BOOST_TEST(server.mails()[0].over_tls);
  BOOST_TEST(server.mails()[0].logged_in);
  BOOST_TEST(steps.find("235 welcome") != std::string::npos);
  BOOST_TEST(steps.find("s3cret") == std::string::npos);
  BOOST_TEST(steps.find("AGVwaW9uZ") == std::string::npos, "the login is shown: " << steps);
}

BOOST_AUTO_TEST_CASE(a_new_password_counts_from_the_next_message_on) {
  mail_receiver server{{0, certificate.context(), false, "epione", "new", {}}};
  const temporary_file password{"old\n"};
  auto entries = secure(server);
  entries.push_back({"username", "epione"});
  entries.push_back({"password_file", password.path()});
  auto c = make(entries);
  const auto first = c->send(message("wang@example.org"));
  BOOST_TEST(is_later(first, send_failure::credentials), first.reason);
  password.write("new\n");
  BOOST_TEST(is_sent(c->send(message("wang@example.org"))));
}

BOOST_AUTO_TEST_CASE(tls_from_the_start) {
  mail_receiver server{{0, certificate.context(), true, "", "", {}}};
  BOOST_TEST(is_sent(make(secure(server))->send(message("wang@example.org"))));
  BOOST_TEST(server.mails().size() == 1U);
}

BOOST_AUTO_TEST_CASE(without_tls_nothing_is_sent_unless_the_configuration_says_so) {
  mail_receiver server;
  const auto r = make(secure(server))->send(message("wang@example.org"));
  BOOST_TEST(is_later(r, send_failure::tls), r.reason);
  BOOST_TEST(server.mails().empty());
}

BOOST_AUTO_TEST_CASE(a_certificate_nobody_vouches_for_is_not_believed) {
  mail_receiver server{{0, certificate.context(), false, "", "", {}}};
  const tests::test_certificate other;
  auto entries = secure(server);
  for (auto& [key, value] : entries)
    if (key == "ca_file")
      value = other.file();
  const auto r = make(entries)->send(message("wang@example.org"));
  BOOST_TEST(is_later(r, send_failure::tls), r.reason);
  BOOST_TEST(server.mails().empty());
}

BOOST_AUTO_TEST_CASE(what_the_server_refuses_and_what_it_postpones) {
  mail_receiver server;
  auto c = make(plain(server));
  server.fault = receiver_fault::refuse;
  auto r = c->send(message("wang@example.org"));
  BOOST_TEST(is_refused(r));
  BOOST_TEST(r.reason.find("550 5.1.1 nobody here") != std::string::npos, r.reason);
  server.fault = receiver_fault::closed;
  r = make(plain(server))->send(message("wang@example.org"));
  BOOST_TEST(is_later(r, send_failure::configuration), r.reason);
  BOOST_TEST(r.reason.find("554 5.3.2 no mail today") != std::string::npos, r.reason);
  server.fault = receiver_fault::busy;
  r = c->send(message("wang@example.org"));
  BOOST_TEST(is_later(r, send_failure::busy), r.reason);
  BOOST_TEST(r.reason.find("451") != std::string::npos, r.reason);
  server.fault = receiver_fault::none;
  BOOST_TEST(is_sent(c->send(message("wang@example.org"))));
}

BOOST_AUTO_TEST_CASE(only_what_concerns_the_message_is_refused_for_good) {
  const auto after = [&](const std::string& step, const std::string& reply) {
    const refusing_server server{step, reply};
    const auto r = make({{"kind", "smtp"}, {"url", server.url()}, {"from", "epione@example.org"}, {"tls", "none"}})
                       ->send(message("wang@example.org"));
    BOOST_TEST(r.reason.find(reply) != std::string::npos, step << ": " << r.reason);
    return r;
  };
  BOOST_TEST(is_later(after("", "554 5.3.2 not for you"), send_failure::configuration));
  BOOST_TEST(is_later(after("EHLO", "550 5.7.0 not for you"), send_failure::configuration));
  BOOST_TEST(is_later(after("MAIL", "553 5.1.8 nobody of that name may send"), send_failure::configuration));
  BOOST_TEST(is_later(after("MAIL", "530 5.7.0 log in first"), send_failure::credentials));
  BOOST_TEST(is_refused(after("RCPT", "550 5.1.1 nobody here of that name")));
  BOOST_TEST(is_refused(after("DATA", "554 5.5.1 no valid recipients")));
  BOOST_TEST(is_refused(after(".", "552 5.3.4 too long")));
}

BOOST_AUTO_TEST_CASE(a_login_that_is_not_taken_is_tried_later_whatever_the_code) {
  const refusing_server server{"AUTH", "554 5.7.0 not now", certificate.context()};
  const temporary_file password{"word\n"};
  const auto r = make({{"kind", "smtp"},
                       {"url", server.url()},
                       {"from", "epione@example.org"},
                       {"ca_file", certificate.file()},
                       {"username", "epione"},
                       {"password_file", password.path()}})
                     ->send(message("wang@example.org"));
  BOOST_TEST(is_later(r, send_failure::credentials), r.reason);
}

BOOST_AUTO_TEST_CASE(a_cut_connection_is_tried_later) {
  mail_receiver server;
  auto c = make(plain(server));
  for (const auto how : {receiver_fault::cut, receiver_fault::cut_after}) {
    server.fault = how;
    const auto r = c->send(message("wang@example.org"));
    BOOST_TEST(is_later(r, send_failure::unreachable), r.reason);
  }
  BOOST_TEST(server.mails().size() == 1U); // of cut_after: it arrives again, under the same key
  server.fault = receiver_fault::none;
  BOOST_TEST(is_sent(c->send(message("wang@example.org"))));
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_costs_its_time_limit) {
  mail_receiver server;
  server.fault = receiver_fault::hang;
  auto entries = plain(server);
  entries.back().second = "300";
  const auto r = make(entries)->send(message("wang@example.org"));
  BOOST_TEST(is_later(r, send_failure::time_limit), r.reason);
}

BOOST_AUTO_TEST_CASE(a_send_under_way_ends_when_it_is_asked_to) {
  std::stop_source stop;
  mail_receiver server{{0, nullptr, false, "", "", [&](const tests::received_mail&) { stop.request_stop(); }}};
  server.fault = receiver_fault::hang;
  auto entries = plain(server);
  entries.back().second = "60000";
  const auto begun = std::chrono::steady_clock::now();
  const auto r = make(entries, stop.get_token())->send(message("wang@example.org"));
  BOOST_TEST(is_later(r, send_failure::internal), r.reason);
  BOOST_TEST((std::chrono::steady_clock::now() - begun < std::chrono::seconds{30}));
}

BOOST_AUTO_TEST_CASE(nobody_listens) {
  std::string url;
  {
    mail_receiver server;
    url = server.url();
  }
  const auto r =
      make({{"kind", "smtp"}, {"url", url}, {"from", "epione@example.org"}, {"tls", "none"}})->send(message("wang@example.org"));
  BOOST_TEST(is_later(r, send_failure::unreachable), r.reason);
}

BOOST_AUTO_TEST_CASE(a_missing_password_file_is_told_and_tried_later) {
  mail_receiver server;
  auto entries = secure(server);
  entries.push_back({"username", "epione"});
  entries.push_back({"password_file", "/nonexistent/password"});
  const auto r = make(entries)->send(message("wang@example.org"));
  BOOST_TEST(is_later(r, send_failure::configuration));
  BOOST_TEST(r.reason.find("/nonexistent/password") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_address_no_header_and_no_command_of_its_own) {
  mail_receiver server;
  auto c = make(plain(server));
  for (const auto* address : {"", "wang", "@example.org", "wang@", "a b@example.org", "wang@example.org\r\nBcc: all@example.org",
                              "wang@example.org>\r\nRCPT TO:<all@example.org", "王@example.org", "a@b@c"})
    BOOST_TEST(is_without_address(c->send(message(address))), address);
  BOOST_TEST(server.connections() == 0U);
  auto m = message("wang@example.org");
  m.subject = "Alert\r\nBcc: all@example.org\r\n\r\nbody";
  BOOST_TEST(is_sent(c->send(m)));
  BOOST_REQUIRE(server.mails().size() == 1U);
  BOOST_TEST(server.mails()[0].headers("Bcc").empty());
  BOOST_TEST(server.mails()[0].headers("Subject").at(0) == "Alert  Bcc: all@example.org    body");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(mail_messages)

BOOST_AUTO_TEST_CASE(no_line_is_too_long_and_no_character_is_cut) {
  auto m = channel_fixture::message("wang@example.org");
  m.subject.clear();
  for (int i = 0; i < 100; ++i)
    m.subject += "研a";
  m.text = std::string(1'000, 'x') + "\n" + m.subject + " \n";
  const auto mail = mail_message({"Epione 研究", "epione@example.org"}, m, 1'768'462'202'000'000);
  std::size_t at = 0;
  while (at < mail.size()) {
    const auto end = mail.find("\r\n", at);
    BOOST_REQUIRE(end != std::string::npos);
    const auto line = mail.substr(at, end - at);
    BOOST_TEST(line.size() <= 76U, line);
    BOOST_TEST(line.find('\n') == std::string::npos);
    at = end + 2;
  }
  // Each encoded word holds whole characters: 3 bytes of UTF-8 begin with E7, which is "56" or the like; checked by decoding.
  BOOST_TEST(mail.find("Date: Thu, 15 Jan 2026 07:30:02 +0000\r\n") != std::string::npos, mail.substr(0, 900));
  BOOST_TEST(mail.find("=20\r\n") != std::string::npos); // a blank at the end of a line
}

BOOST_AUTO_TEST_CASE(plain_subjects_stay_readable) {
  BOOST_TEST(header_text("Alert: study demo") == "Alert: study demo");
  BOOST_TEST(header_text("=?UTF-8?B?xx?=").starts_with("=?UTF-8?B?PT"));
  BOOST_TEST(header_text("研") == "=?UTF-8?B?56CU?=");
}

BOOST_AUTO_TEST_SUITE_END()
