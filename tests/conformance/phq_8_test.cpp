// The PHQ-8 as it is shipped: its bands, and current depression from 10 on.
#include "domain/compiled_study.hpp"
#include "files.hpp"

using namespace epione;
using namespace epione::conformance;

namespace {

const domain::study& phq_8() {
  static const auto study =
      compiled({read_file("examples/phq-8/study.toml"), {{"phq-8.json", read_file("examples/phq-8/phq-8.json")}}});
  return *study;
}

/// A total, spread over the eight items as evenly as can be.
domain::verdict assess(int total) {
  nlohmann::json answers;
  for (int i = 0; i < 8; ++i)
    answers["q" + std::to_string(i + 1)] = total / 8 + (i < total % 8 ? 1 : 0);
  return phq_8().assess(content_of({{"form", "phq-8"}, {"answers", answers}}));
}

} // namespace

BOOST_AUTO_TEST_SUITE(phq_8_study)

BOOST_AUTO_TEST_CASE(every_total_has_its_band_and_its_cut_off) {
  for (int total = 0; total <= 24; ++total) {
    const auto v = assess(total);
    BOOST_TEST_REQUIRE(v.accepted(), codes_of(v));
    BOOST_REQUIRE(v.scores.size() == 2u);
    BOOST_TEST(v.scores[0].value == total);
    const auto* band = total >= 20   ? "severe"
                       : total >= 15 ? "moderately severe"
                       : total >= 10 ? "moderate"
                       : total >= 5  ? "mild"
                                     : "minimal";
    BOOST_TEST(v.scores[0].label == band);
    BOOST_TEST(v.scores[1].value == total);
    BOOST_TEST(v.scores[1].label == (total >= 10 ? "current depression" : "no current depression"));
    BOOST_TEST(v.alerts.size() == (total >= 10 ? 1u : 0u));
  }
}

BOOST_AUTO_TEST_CASE(it_is_the_phq_9_without_its_last_question) {
  const auto* form = phq_8().compiled().find_form("phq-8");
  BOOST_REQUIRE(form != nullptr);
  BOOST_TEST(form->form.find("q8") != domain::form_item::none);
  BOOST_TEST(form->form.find("q9") == domain::form_item::none);
  BOOST_TEST(codes_of(phq_8().assess(content_of({{"form", "phq-8"}, {"answers", {{"q9", 1}}}}))).find("unknown-item@q9") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
