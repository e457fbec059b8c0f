#include "cli/load_submission.hpp"

#include <cstdio>
#include <cstring>
#include <ctime>

namespace epione::cli {

namespace {

constexpr std::size_t patient_digits = 10;
constexpr std::size_t counter_digits = 9;
constexpr std::uint32_t million = 1'000'000;

/// SplitMix64 (Steele, Lea, Flood 2014): every input gives an output that looks unrelated to its neighbours'.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

std::uint64_t chance(const load_plan& plan, std::uint64_t counter, std::uint64_t purpose) {
  return mix(mix(plan.seed ^ (purpose << 56)) + counter);
}

/// Spread evenly, so that any number of submissions from the first on has the share.
bool is_alerting(const load_plan& plan, std::uint64_t counter) {
  return (counter + 1) * plan.alerts_ppm / million != counter * plan.alerts_ppm / million;
}

void draw(load_answers& answers, std::uint32_t items, std::uint64_t bits) {
  for (std::uint32_t i = 0; i < items; ++i, bits >>= 2)
    answers.values[i] = static_cast<std::uint8_t>(bits & 3);
}

load_answers draw_alerting(std::uint64_t bits) {
  load_answers answers;
  if ((bits & 1) != 0) {
    draw(answers, 8, bits >> 8);
    answers.values[8] = static_cast<std::uint8_t>(1 + (bits >> 1) % 3);
    return answers;
  }
  answers.values = {3, 3, 3, 3, 3, 3, 3, 3, 0}; // 24 in all; up to four points less is still 20
  for (auto less = (bits >> 1) % 5; less > 0; --less) {
    bits = mix(bits);
    auto& value = answers.values[bits % 8];
    if (value > 0)
      --value;
  }
  return answers;
}

void write_digits(char* to, std::size_t width, std::uint64_t value, char padding) {
  std::size_t at = width;
  do {
    to[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0 && at > 0);
  std::memset(to, padding, at);
}

void append_hex(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4)
    out += "0123456789abcdef"[(value >> shift) & 15];
}

} // namespace

std::uint32_t load_answers::total() const {
  std::uint32_t sum = 0;
  for (std::uint32_t i = 0; i < items; ++i)
    sum += values[i];
  return sum;
}

bool load_answers::alerts() const {
  return form == load_form::phq_9 && (values[8] > 0 || total() >= 20);
}

load_answers answers_of(const load_plan& plan, std::uint64_t counter) {
  auto bits = chance(plan, counter, 1);
  if (is_alerting(plan, counter))
    return draw_alerting(bits);
  load_answers answers;
  const bool gad = plan.forms == load_forms::gad_7 || (plan.forms == load_forms::mixed && (bits >> 63) != 0);
  if (gad) {
    answers.form = load_form::gad_7;
    answers.items = 7;
    draw(answers, 7, bits);
    return answers;
  }
  do {
    bits = mix(bits);
    draw(answers, 8, bits);
  } while (answers.total() >= 20);
  return answers;
}

std::uint64_t subject_of(const load_plan& plan, std::uint64_t counter) {
  return 1 + chance(plan, counter, 2) % plan.subjects;
}

std::string_view answer_code(std::uint8_t ordinal) {
  constexpr std::array<std::string_view, 4> codes{"LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"};
  return codes[ordinal];
}

std::string_view form_name(load_form form) {
  return form == load_form::phq_9 ? "phq-9" : "gad-7";
}

std::string authored_prefix(const load_plan& plan) {
  // Some second of the year 2024: in the past on any machine, and hardly ever that of another run.
  const auto second = static_cast<std::time_t>(1'704'067'200 + mix(plan.run) % 31'536'000);
  std::tm parts{};
  gmtime_r(&second, &parts);
  char text[32];
  const auto size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.", &parts);
  return {text, size};
}

std::string authored_of(const load_plan& plan, std::uint64_t counter) {
  char digits[counter_digits];
  write_digits(digits, counter_digits, counter, '0');
  return authored_prefix(plan) + std::string{digits, counter_digits} + "+08:00";
}

load_request_writer::load_request_writer(const load_plan& plan, std::string_view host, std::string_view study, bool codes)
    : plan_(plan), codes_(codes), templates_{make(load_form::phq_9, host, study), make(load_form::gad_7, host, study)} {}

load_request_writer::form_template load_request_writer::make(load_form form, std::string_view host,
                                                             std::string_view study) const {
  form_template t;
  std::string body = R"({"patientId":)";
  t.patient = body.size();
  body.append(patient_digits, ' '); // numbers are padded with spaces in front, which JSON allows, so that nothing ever moves
  if (!study.empty())
    body.append(R"(,"study":")").append(study).append("\"");
  body += R"(,"key":")";
  append_hex(body, plan_.run);
  body += '-';
  t.key = body.size();
  body.append(counter_digits, '0');
  body.append(R"(","data":{"form":")").append(form_name(form)).append(R"(","authored":")").append(authored_prefix(plan_));
  t.authored = body.size();
  body.append(counter_digits, '0');
  body += R"(+08:00","answers":{)";
  const std::uint32_t items = form == load_form::phq_9 ? 9 : 7;
  for (std::uint32_t i = 0; i < items; ++i) {
    body.append(i == 0 ? "\"q" : ",\"q").append(std::to_string(i + 1)).append(codes_ ? "\":\"" : "\":");
    t.answers[i] = body.size();
    if (codes_)
      body.append(answer_code(0)).append("\"");
    else
      body += '0';
  }
  body += "}}}";
  t.text.append("POST /patient/data HTTP/1.1\r\nHost: ").append(host);
  t.text.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  const auto head = t.text.size();
  t.text += body;
  t.patient += head;
  t.key += head;
  t.authored += head;
  for (auto& at : t.answers)
    at += head;
  return t;
}

std::string_view load_request_writer::write(std::uint64_t counter) {
  const auto answers = answers_of(plan_, counter);
  auto& t = templates_[static_cast<std::size_t>(answers.form)];
  char* text = t.text.data();
  write_digits(text + t.patient, patient_digits, subject_of(plan_, counter), ' ');
  write_digits(text + t.key, counter_digits, counter, '0');
  std::memcpy(text + t.authored, text + t.key, counter_digits);
  for (std::uint32_t i = 0; i < answers.items; ++i) {
    if (codes_)
      std::memcpy(text + t.answers[i], answer_code(answers.values[i]).data(), answer_code(0).size());
    else
      text[t.answers[i]] = static_cast<char>('0' + answers.values[i]);
  }
  return t.text;
}

} // namespace epione::cli
