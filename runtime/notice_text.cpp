#include "runtime/notice_text.hpp"

#include "domain/ids.hpp"
#include "runtime/local_time.hpp"

#include <algorithm>

namespace epione::runtime {

namespace {

using messages::notice;

/// Pieces of text; {name} is replaced.
struct language_texts {
  std::string_view code;
  std::string_view alert_title, stored_title;            // one notice
  std::string_view merged_title;                         // several
  std::string_view alert_text, stored_text, merged_text; // what happened
  std::string_view study, site, subject, form, rule, receipt, raised;
  std::string_view alert_line, stored_line; // one of several
  std::string_view closing;
  std::string_view test_title, test_text;
};

constexpr language_texts texts[] = {
    {"en", "Alert {rule}: study {study}, site {site}, subject {subject}",
     "New answers: study {study}, site {site}, subject {subject}", "{count} notices, {alerts} of them alerts: study {study}",
     "An answer of a patient raised an alert.", "A patient's answers were stored.",
     "So many notices were waiting for you that they come in one message.", "Study", "Site", "Subject", "Form", "Rule", "Receipt",
     "Stored", "alert {rule}, site {site}, subject {subject}, form {form}, receipt {receipt}, {raised}",
     "new answers, site {site}, subject {subject}, form {form}, receipt {receipt}, {raised}",
     "The answers are not part of this message. Look at them in Epione under the receipt.", "Epione: test of channel {channel}",
     "This is a test. Nothing happened, and nothing is to be done."},
    {"zh", "警报 {rule}：研究 {study}，中心 {site}，受试者 {subject}", "新的问卷：研究 {study}，中心 {site}，受试者 {subject}",
     "{count} 条通知，其中 {alerts} 条警报：研究 {study}", "一名受试者的回答触发了警报。", "一名受试者提交了问卷。",
     "等待发送给您的通知较多，现合并为一条消息。", "研究", "中心", "受试者", "问卷", "规则", "回执", "保存时间",
     "警报 {rule}，中心 {site}，受试者 {subject}，问卷 {form}，回执 {receipt}，{raised}",
     "新的问卷，中心 {site}，受试者 {subject}，问卷 {form}，回执 {receipt}，{raised}",
     "本消息不包含回答内容。请凭回执在 Epione 中查看。", "Epione：通道 {channel} 测试",
     "这是一条测试消息。没有发生任何事情，无需处理。"},
};

const language_texts& texts_of(std::string_view language) {
  const auto found = std::find_if(std::begin(texts), std::end(texts), [&](const auto& t) { return t.code == language; });
  return found == std::end(texts) ? texts[0] : *found;
}

using named_values = std::vector<std::pair<std::string_view, std::string>>;

std::string filled(std::string_view text, const named_values& values) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text[at] == '{' ? text.find('}', at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += text[at++];
      continue;
    }
    const auto name = text.substr(at + 1, end - at - 1);
    const auto value = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == name; });
    if (value != values.end())
      out += value->second;
    at = end + 1;
  }
  return out;
}

named_values values_of(const notice& n, const domain::recipient& to) {
  return {{"study", n.study},
          {"site", n.site},
          {"subject", n.subject},
          {"form", n.form},
          {"rule", n.rule},
          {"receipt", domain::to_text(n.id)},
          {"raised", local_time_text(n.raised_us, to.zone)}};
}

std::string single_text(const language_texts& t, const notice& n, const domain::recipient& to) {
  std::string out{n.rule.empty() ? t.stored_text : t.alert_text};
  out += "\n\n";
  const auto row = [&](std::string_view label, const std::string& value) {
    out.append(label).append(": ").append(value) += '\n';
  };
  row(t.study, n.study);
  row(t.site, n.site);
  row(t.subject, n.subject);
  row(t.form, n.form);
  if (!n.rule.empty())
    row(t.rule, n.rule);
  row(t.receipt, domain::to_text(n.id));
  row(t.raised, local_time_text(n.raised_us, to.zone));
  return out.append("\n").append(t.closing) += '\n';
}

std::string line_of(const language_texts& t, const notice& n, const domain::recipient& to) {
  return "- " + filled(n.rule.empty() ? t.stored_line : t.alert_line, values_of(n, to)) + "\n";
}

std::string merged_text(const language_texts& t, const std::vector<const notice*>& all, const domain::recipient& to) {
  std::string out = std::string{t.merged_text} + "\n\n";
  for (const auto* n : all)
    out += line_of(t, *n, to);
  return out.append("\n").append(t.closing) += '\n';
}

void append_name(std::string& out, std::string_view name) {
  static constexpr char hex[] = "0123456789ABCDEF";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
      out += c;
    else
      out.append({'%', hex[byte >> 4U], hex[byte & 15U]});
  }
}

messages::outgoing_notice named(const notice& n) {
  return {message_key(n), n.study, n.site, n.subject, n.form, n.rule, domain::to_text(n.id), utc_time_text(n.raised_us)};
}

} // namespace

std::string message_key(const notice& n) {
  std::string out = std::to_string(n.key.shard) + "-" + std::to_string(n.key.seq) + "-";
  if (n.rule.empty())
    out += '-';
  else
    append_name(out, n.rule);
  out += '-';
  append_name(out, n.channel);
  out += '-';
  append_name(out, n.recipient);
  return out;
}

messages::outgoing compose(const std::vector<const notice*>& notices, const domain::recipient& to, std::string address) {
  const auto& t = texts_of(to.language);
  const auto& first = *notices.front();
  messages::outgoing out;
  out.channel = first.channel;
  out.to = std::move(address);
  out.recipient = to.id;
  out.language = t.code;
  out.urgent = first.urgent;
  std::string keys;
  std::size_t alerts = 0;
  for (const auto* n : notices) {
    out.notices.push_back(named(*n));
    keys += out.notices.back().key + "\n";
    alerts += n->rule.empty() ? 0 : 1;
  }
  if (notices.size() == 1) {
    out.key = out.notices.front().key;
    out.subject = filled(first.rule.empty() ? t.stored_title : t.alert_title, values_of(first, to));
    out.text = single_text(t, first, to);
  } else {
    auto values = values_of(first, to);
    values.emplace_back("count", std::to_string(notices.size()));
    values.emplace_back("alerts", std::to_string(alerts));
    out.key = "merged-" + domain::to_text(domain::make_fingerprint(keys));
    out.subject = filled(t.merged_title, values);
    out.text = merged_text(t, notices, to);
  }
  return out;
}

messages::outgoing compose_test(std::string key, std::string channel, std::string address, std::string_view language,
                                std::int64_t wall_us) {
  const auto& t = texts_of(language);
  messages::outgoing out;
  out.key = key;
  out.subject = filled(t.test_title, {{"channel", channel}});
  out.text = std::string{t.test_text} + "\n";
  out.channel = std::move(channel);
  out.to = std::move(address);
  out.recipient = "test";
  out.language = t.code;
  out.urgent = false;
  out.notices.push_back({std::move(key), "test", "test", "test", "test", "", std::string(32, '0'), utc_time_text(wall_us)});
  return out;
}

std::size_t fitting(const std::vector<const notice*>& notices, const domain::recipient& to, std::size_t bytes_max) {
  const auto& t = texts_of(to.language);
  auto size = t.merged_text.size() + t.closing.size() + 8;
  std::size_t n = 0;
  while (n < notices.size() && size <= bytes_max) {
    size += line_of(t, *notices[n], to).size();
    n += size <= bytes_max ? 1 : 0;
  }
  return std::max<std::size_t>(n, 1);
}

bool is_known_language(std::string_view language) {
  return std::any_of(std::begin(texts), std::end(texts), [&](const auto& t) { return t.code == language; });
}

} // namespace epione::runtime
