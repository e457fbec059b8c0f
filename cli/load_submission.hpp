// What the load generator sends: submissions of the demo study that can be derived again from a run's few numbers and a counter,
// so that a million of them can be checked later without having been kept.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace epione::cli {

enum class load_form : std::uint8_t { phq_9 = 0, gad_7 = 1 };
enum class load_forms : std::uint8_t { phq_9 = 0, gad_7 = 1, mixed = 2 };

/// All that a run's submissions depend on.
struct load_plan {
  std::uint64_t run = 0;        ///< random: keys of two runs never meet
  std::uint64_t seed = 1;       ///< subjects and answers
  std::uint64_t subjects = 1;   ///< patientId 1 to this
  std::uint32_t alerts_ppm = 0; ///< of a million submissions, so many meet an alert rule
  load_forms forms = load_forms::phq_9;
};

/// Counters stay below this: they are written in nine digits.
inline constexpr std::uint64_t load_count_max = 1'000'000'000;

/// One questionnaire as it was answered: ordinals 0 to 3 of q1, q2, ...
struct load_answers {
  load_form form = load_form::phq_9;
  std::uint32_t items = 9;
  std::array<std::uint8_t, 9> values{};
  std::uint32_t total() const;
  /// Whether an alert rule of the demo study holds: PHQ-9 q9 above 0, or its total 20 or more.
  bool alerts() const;
};

/// Of the first n submissions, floor(n * alerts_ppm / 1,000,000) meet an alert rule.
load_answers answers_of(const load_plan& plan, std::uint64_t counter);
std::uint64_t subject_of(const load_plan& plan, std::uint64_t counter);
/// "authored" of this submission; its fraction of a second is the counter, its second the run's.
std::string authored_of(const load_plan& plan, std::uint64_t counter);
/// What authored_of() of a run begins with, up to the fraction.
std::string authored_prefix(const load_plan& plan);
/// The code that stands for an ordinal in the demo's forms (LOINC answer list LL358-3).
std::string_view answer_code(std::uint8_t ordinal);
std::string_view form_name(load_form form);

/// Writes whole requests, each into the same memory, patching only what differs between them.
class load_request_writer {
public:
  /// `study` may be empty. `codes`: answers by their code instead of their ordinal value.
  load_request_writer(const load_plan& plan, std::string_view host, std::string_view study, bool codes);

  /// POST /patient/data; valid until the next call.
  std::string_view write(std::uint64_t counter);

private:
  struct form_template {
    std::string text;
    std::size_t patient = 0, key = 0, authored = 0;
    std::array<std::size_t, 9> answers{};
  };
  form_template make(load_form form, std::string_view host, std::string_view study) const;

  load_plan plan_;
  bool codes_;
  std::array<form_template, 2> templates_;
};

} // namespace epione::cli
