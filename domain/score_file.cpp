// [[forms.scores]] of study.toml, read.
#include "domain/json_text.hpp"
#include "domain/study_file.hpp"
#include "domain/toml_reader.hpp"

#include <algorithm>
#include <array>

namespace epione::domain {

namespace {

constexpr std::array<std::string_view, 5> method_names{"sum", "mean", "prorated", "table", "expression"};
constexpr std::int64_t round_max = 6; // decimal places; no score is published with more

void read_method(toml_table& t, score_entry& s) {
  const auto method = t.text("method", false);
  if (!method)
    return;
  const auto found = std::find(method_names.begin(), method_names.end(), *method);
  if (found != method_names.end())
    s.method = static_cast<score_method>(found - method_names.begin());
  else
    t.problem("method", "\"" + quotable(*method) + "\" is not a method; there are sum, mean, prorated, table and expression");
}

void read_scale(toml_table& t, score_entry& s) {
  auto scale = t.table("scale");
  if (!scale)
    return;
  s.scale_min = scale->number("min", true);
  s.scale_max = scale->number("max", true);
  if (s.scale_min && s.scale_max && *s.scale_min >= *s.scale_max)
    scale->problem("max", "it must be greater than min");
  scale->end();
}

void read_counted(toml_table& t, score_entry& s) {
  s.items = t.texts("items", !t.has("scores"));
  s.scores = t.texts("scores", false);
  s.reversed = t.texts("reversed", false);
  if (t.has("scale"))
    read_scale(t, s);
  const auto parts = static_cast<std::int64_t>(s.items.size() + s.scores.size());
  if (const auto least = t.integer("min_answered", s.method == score_method::prorated)) {
    if (*least < 1 || *least > parts)
      t.problem("min_answered", "it must be from 1 to " + std::to_string(parts) + ", the number of items and scores");
    else
      s.min_answered = static_cast<std::size_t>(*least);
  }
}

void read_table(toml_table& t, score_entry& s) {
  if (auto score = t.text("score", true))
    s.scores.push_back(std::move(*score));
  auto lines = t.tables("table");
  if (lines.empty())
    t.problem("table", "it must be a list of { raw = NUMBER, value = NUMBER }, one for each raw score");
  for (auto& line : lines) {
    const auto raw = line.number("raw", true), value = line.number("value", true);
    line.end();
    if (!raw || !value)
      continue;
    if (!s.table.empty() && *raw <= s.table.back().raw)
      line.problem("raw", "raw scores must ascend: it must be greater than the one before");
    s.table.push_back({*raw, *value});
  }
}

void read_bands(toml_table& t, score_entry& s) {
  for (auto& band : t.tables("bands")) {
    const auto from = band.number("from", true);
    const auto label = band.text("label", true);
    band.end();
    if (!from || !label)
      continue;
    if (!s.bands.empty() && *from <= s.bands.back().from)
      band.problem("from", "bands must ascend: it must be greater than the one before");
    s.bands.push_back({*from, *label});
  }
}

} // namespace

std::string_view name(score_method method) {
  return method_names[static_cast<std::size_t>(method)];
}

score_entry read_score(toml_table& t) {
  score_entry s;
  s.place = t.place();
  s.name = t.identifier("name", true).value_or("");
  read_method(t, s);
  // Only what the method uses is asked for, so that anything else is a problem and not silently without effect.
  if (s.method == score_method::table)
    read_table(t, s);
  else if (s.method == score_method::expression)
    s.expression = t.text("expression", true).value_or("");
  else
    read_counted(t, s);
  if (const auto places = t.integer("round", false)) {
    if (*places < 0 || *places > round_max)
      t.problem("round", "it must be from 0 to " + std::to_string(round_max) + " decimal places");
    else
      s.round = static_cast<int>(*places);
  }
  read_bands(t, s);
  t.end();
  return s;
}

} // namespace epione::domain
