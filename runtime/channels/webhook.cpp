// A web service that takes JSON by POST: chat robots, SMS and push gateways, or what a site has itself.
#include "domain/json_text.hpp"
#include "runtime/channels/builtin.hpp"
#include "runtime/channels/json_template.hpp"
#include "runtime/channels/secret_file.hpp"
#include "runtime/channels/transfer.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace epione::runtime {

namespace {

using messages::send_failure;

/// What a preset sets unless the file says it itself.
struct preset {
  std::string_view name, content, answer_field, answer_sent, answer_later, text_bytes_max;
};

constexpr preset presets[] = {
    // WeCom group robot: text up to 2,048 bytes; refuses with HTTP 200 and an error code. -1 busy, 45009 and 45033 too often;
    // 93000, 93004, 93008: the robot is gone, disabled or not in the group, whatever the message.
    {"wecom", R"({"msgtype":"text","text":{"content":"{title}\n{text}","mentioned_mobile_list":["{to}"]}})", "/errcode", "0",
     "-1,45009,45033,93000,93004,93008", "1800"},
    {"sms", R"({"to":"{to}","text":"{title} {receipts}","id":"{key}"})", "", "", "", "1200"},
    {"push",
     R"({"to":"{to}","title":"{title}","body":"{text}","priority":"{priority}","id":"{key}","count":"{count}","notices":"{notices}"})",
     "", "", "", "3000"},
};

/// About our login, not about the message (RFC 9110, 15.5.2 and 15.5.8).
bool is_about_login(long status) {
  return status == 401 || status == 407;
}

/// 4xx that pass by themselves: too slow, too early, too often (RFC 9110, RFC 8470, RFC 6585).
bool passes(long status) {
  return status == 408 || status == 425 || status == 429;
}

/// 4xx that speak of this message: malformed, in conflict with what is there, too large, not to be processed (RFC 9110, 15.5).
/// All others speak of the url or of what we may do there, and would end one alert after the other.
bool is_about_message(long status) {
  return status == 400 || status == 409 || status == 413 || status == 422;
}

class webhook_channel final : public channel {
public:
  webhook_channel(const channel_settings& s, const channel_ports& ports, json_template content)
      : settings_(s), ports_(ports), template_(std::move(content)), transfer_(ports) {}

  messages::send_result send(const messages::outgoing& m) override {
    if (m.to.empty() && template_.names_address() && settings_.text("preset") != "wecom")
      return messages::refused(send_failure::no_address, "recipient '" + m.recipient + "' has no address for channel '" +
                                                             m.channel + "'; add one to the study file");
    auto url = settings_.text("url");
    std::string password, token;
    for (const auto& [key, to] : {std::pair{"url_file", &url}, {"password_file", &password}, {"token_file", &token}})
      if (const auto& file = settings_.text(key); !file.empty()) {
        auto secret = read_secret(file);
        if (!secret)
          return messages::try_later(send_failure::configuration, secret.error());
        *to = std::move(*secret);
      }
    const auto body = template_.render(m);
    transfer_.begin(url, settings_.text("tls") == "none" ? "http,https" : "https", settings_.number("timeout_ms"));
    transfer_.set_authority(settings_.text("ca_file"));
    transfer_.set(CURLOPT_PROXY, settings_.text("proxy").c_str());
    transfer_.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    transfer_.set(CURLOPT_POSTFIELDS, body.c_str());
    if (const auto& user = settings_.text("username"); !user.empty())
      transfer_.set_login(user, password);
    std::vector<std::string> headers{"Content-Type: application/json", "Idempotency-Key: " + m.key,
                                     "User-Agent: epione/" EPIONE_VERSION, "Expect:"};
    if (!token.empty())
      headers.push_back("Authorization: Bearer " + token);
    transfer_.set_list(CURLOPT_HTTPHEADER, headers);
    return result_of(transfer_.perform());
  }

private:
  messages::send_result result_of(const transfer_outcome& t) const {
    if (t.code != CURLE_OK)
      return messages::try_later(failure_of(t.code), t.why);
    const auto answer = "the web service answered " + std::to_string(t.status);
    if (t.status >= 200 && t.status < 300)
      return result_of_answer(t);
    if (is_about_login(t.status))
      return messages::try_later(send_failure::credentials, answer, t.retry_after_s);
    if (is_about_message(t.status))
      return messages::refused(send_failure::rejected, answer);
    if (t.status >= 400 && t.status < 500 && !passes(t.status))
      return messages::try_later(send_failure::configuration,
                                 answer + ": look at the channel's url, and at what it may be used for", t.retry_after_s);
    if (t.status >= 300 && t.status < 400)
      return messages::try_later(send_failure::configuration, answer + ": it is elsewhere now, and redirects are not followed; "
                                                                       "correct the channel's url");
    return messages::try_later(send_failure::busy, answer, t.retry_after_s);
  }

  /// Services that answer 200 whatever happened, with a code in the body.
  messages::send_result result_of_answer(const transfer_outcome& t) const {
    const auto& field = settings_.text("answer_field");
    if (field.empty())
      return messages::sent();
    const auto body = nlohmann::json::parse(t.body, nullptr, false);
    const nlohmann::json::json_pointer place{field};
    if (body.is_discarded() || !body.contains(place))
      return messages::try_later(send_failure::busy,
                                 "the web service answered " + std::to_string(t.status) + " without " + field);
    const auto& value = body.at(place);
    const auto text = value.is_string() ? value.get<std::string>() : value.dump();
    if (text == settings_.text("answer_sent"))
      return messages::sent();
    const auto why = "the web service answered " + field + " = " + domain::quotable(text, 32);
    const auto later = "," + settings_.text("answer_later") + ",";
    if (later.find("," + text + ",") != std::string::npos)
      return messages::try_later(send_failure::busy, why, t.retry_after_s);
    return messages::refused(send_failure::rejected, why);
  }

  channel_settings settings_;
  channel_ports ports_;
  json_template template_;
  transfer transfer_;
};

std::optional<std::string> check_url(std::string& url) {
  const bool known = url.starts_with("http://") || url.starts_with("https://");
  const auto host = url.find("://") + 3;
  const auto blank =
      std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
  if (!known || host >= url.size() || blank)
    return "'" + shown_url(url) + "' is not the address of a web service; write https://HOST/PATH";
  if (url.substr(host, url.find('/', host) - host).find('@') != std::string::npos)
    return "holds a user name; write it as username, and its password into a password_file";
  return std::nullopt;
}

std::optional<std::string> check_web_tls(std::string& text) {
  if (text == "required" || text == "none")
    return std::nullopt;
  return "'" + text + "' is not known here; write \"required\" or \"none\"";
}

std::optional<std::string> check_template(std::string& text) {
  const auto parsed = json_template::parse(text);
  return parsed ? std::nullopt : std::optional{parsed.error()};
}

std::optional<std::string> check_preset(std::string& text) {
  std::string names;
  for (const auto& p : presets) {
    if (p.name == text)
      return std::nullopt;
    names += (names.empty() ? "" : ", ") + std::string{p.name};
  }
  return "'" + text + "' is not a preset; there are " + names;
}

std::optional<std::string> check_pointer(std::string& text) {
  if (text.starts_with("/") && text.find('~') == std::string::npos)
    return std::nullopt;
  return "'" + text + "' is not a place in a JSON answer; write /FIELD, or /FIELD/FIELD";
}

std::vector<channel_problem> check_web(channel_settings& s) {
  std::vector<channel_problem> problems;
  for (const auto& p : presets)
    if (p.name == s.text("preset")) {
      s.set_default("template", std::string{p.content});
      s.set_default("answer_field", std::string{p.answer_field});
      s.set_default("answer_sent", std::string{p.answer_sent});
      s.set_default("answer_later", std::string{p.answer_later});
      s.set_default("text_bytes_max", std::string{p.text_bytes_max});
    }
  if (s.text("template").empty())
    problems.push_back({"template", "is missing; give a template, or one of the presets"});
  if (s.text("url").empty() == s.text("url_file").empty())
    problems.push_back({"url", "give either url, or url_file when the url itself is a secret"});
  if (s.text("url").starts_with("http://") && s.text("tls") != "none")
    problems.push_back({"url",
                        "begins with http://, which everybody on the way can read; write https://, or tls = \"none\" for a "
                        "service on this machine"});
  const bool secrets = !s.text("username").empty() || !s.text("token_file").empty();
  if (s.text("url").starts_with("http://") && secrets)
    problems.push_back({"url", "begins with http://: password or token would be readable for everybody on the way"});
  if (s.text("username").empty() != s.text("password_file").empty())
    problems.push_back({s.text("username").empty() ? "password_file" : "username", "username and password_file belong together; "
                                                                                   "give both or none"});
  if (!s.text("username").empty() && !s.text("token_file").empty())
    problems.push_back({"token_file", "a request has one Authorization; give either username and password_file, or token_file"});
  if (!s.text("answer_field").empty() && s.text("answer_sent").empty())
    problems.push_back({"answer_sent", "is missing; say what answer_field holds when the message was taken"});
  return problems;
}

} // namespace

channel_kind webhook_channel_kind() {
  channel_kind kind;
  kind.name = "webhook";
  kind.about =
      "Posts JSON to a web service. What a recipient's address is depends on the service: a telephone number, a device, a "
      "robot's group.";
  const auto text = [&](std::string name, std::string standard, std::string meaning, channel_key::text_check check = nullptr) {
    kind.keys.push_back({std::move(name), "", std::move(standard), false, 0, 0, std::move(meaning), "", std::move(check)});
  };
  text("url", "", "Where to post: `https://HOST/PATH`.", check_url);
  text("url_file", "", "File whose first line is the url, when the url itself is a secret, as a robot's is.", check_file_path);
  text("preset", "", "Template and answer of a known kind of service: `wecom`, `sms`, `push`.", check_preset);
  text("template", "", "The JSON to post, with {placeholders} in its texts.", check_template);
  text("username", "", "Name to log in with (basic authentication).");
  text("password_file", "", "File whose first line is the password; read for each message, so that it can be exchanged.",
       check_file_path);
  text("token_file", "", "File whose first line is sent as `Authorization: Bearer`.", check_file_path);
  text("tls", "required", "`required`: https only. `none`: http as well, for a service on this machine.", check_web_tls);
  text("ca_file", "", "Certificates to trust instead of the system's (PEM).", check_file_path);
  text("proxy", "", "Proxy to go through, as `http://HOST:PORT`; variables of the environment are not looked at.");
  text("answer_field", "",
       "For services that answer 200 whatever happened: where in the JSON answer the result is, as `/errcode`.", check_pointer);
  text("answer_sent", "", "What is there when the message was taken.");
  text("answer_later", "",
       "What is there when it is to be sent again later; several with commas between. All else is a refusal.");
  kind.check = check_web;
  kind.make = [](const channel_settings& s, const channel_ports& ports) -> std::unique_ptr<channel> {
    auto content = json_template::parse(s.text("template"));
    return std::make_unique<webhook_channel>(s, ports, std::move(content).value()); // checked before
  };
  return kind;
}

} // namespace epione::runtime
