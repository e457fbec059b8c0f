#include "tests/simulation/form_content.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace epione::simulation {

using nlohmann::json;

namespace {

struct app_form {
  const char* id;
  int items;
  bool has_difficulty;
};
constexpr app_form forms[] = {{"phq-9", 9, true}, {"gad-7", 7, false}};

/// Codes of the answers with the values 0 to 3.
constexpr std::array<const char*, 4> how_often{"LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"};
constexpr std::array<const char*, 4> how_difficult{"LA6572-7", "LA6573-5", "LA6575-0", "LA6574-3"};

std::string item(int number) {
  return "q" + std::to_string(number);
}

std::string phq9_label(int total) {
  return total >= 20 ? "severe" : total >= 15 ? "moderately severe" : total >= 10 ? "moderate" : total >= 5 ? "mild" : "minimal";
}

std::string gad7_label(int total) {
  return total >= 15 ? "severe" : total >= 10 ? "moderate" : total >= 5 ? "mild" : "minimal";
}

/// Half a minute apart, in one of several zones: no two entries of a patient have the same.
std::string time_of(chance& c, std::uint64_t number) {
  char text[40];
  const auto seconds = number * 30;
  std::snprintf(text, sizeof(text), "2026-10-%02dT%02d:%02d:%02d%s", static_cast<int>(1 + seconds / 86'400 % 28),
                static_cast<int>(seconds / 3600 % 24), static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60),
                c.one_of("Z", "+01:00", "+05:30", "-08:00"));
  return text;
}

/// The phones' app sends numbers or codes; a form is usually filled in without much thought, and at times with despair.
void answer(chance& c, const app_form& f, form_content& out) {
  const int mood = static_cast<int>(c.below(4));
  out.answers = json::object();
  out.stored = json::object();
  out.total = 0;
  out.alerts.clear();
  int last = 0;
  for (int i = 1; i <= f.items; ++i) {
    const auto value = std::clamp(mood + static_cast<int>(c.between(-1, 1)), 0, 3);
    const auto* code = how_often[static_cast<std::size_t>(value)];
    if (c.share(0.5))
      out.answers[item(i)] = value;
    else
      out.answers[item(i)] = code;
    out.stored[item(i)] = code;
    out.total += value;
    last = value;
  }
  if (f.has_difficulty) {
    if (c.share(0.5)) {
      const auto* code = how_difficult[c.below(4)];
      out.answers["difficulty"] = code;
      out.stored["difficulty"] = code;
    }
    if (last > 0)
      out.alerts.emplace_back("phq-9-q9");
    if (out.total >= 20)
      out.alerts.emplace_back("phq-9-severe");
    std::sort(out.alerts.begin(), out.alerts.end());
  }
  out.label = f.has_difficulty ? phq9_label(out.total) : gad7_label(out.total);
}

const app_form& form_named(const std::string& id) {
  return id == forms[0].id ? forms[0] : forms[1];
}

form_content filled_in(chance& c, std::uint64_t number) {
  form_content out;
  const auto& f = forms[c.below(2)];
  out.form = f.id;
  out.authored = time_of(c, number);
  answer(c, f, out);
  return out;
}

} // namespace

content_ptr fill_in(chance& c, std::uint64_t number) {
  return std::make_shared<const form_content>(filled_in(c, number));
}

content_ptr change_answers(chance& c, const form_content& first) {
  auto other = std::make_shared<form_content>(first);
  const auto& f = form_named(first.form);
  other->form = f.id;
  do
    answer(c, f, *other);
  while (other->stored == first.stored);
  other->valid = true;
  return other;
}

content_ptr fill_in_badly(chance& c, std::uint64_t number) {
  auto bad = std::make_shared<form_content>(filled_in(c, number));
  bad->valid = false;
  switch (c.below(6)) {
    case 0: bad->answers.erase("q1"); break;
    case 1: bad->answers["q2"] = 7; break;
    case 2: bad->answers["q99"] = 1; break;
    case 3: bad->form = "no-such-form"; break;
    case 4: bad->answers["q3"] = "never heard of"; break;
    default: bad->answers = json::object(); break;
  }
  return bad;
}

json data_of(const form_content& content) {
  return {{"form", content.form}, {"answers", content.answers}, {"authored", content.authored}};
}

} // namespace epione::simulation
