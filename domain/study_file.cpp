#include "domain/study_file.hpp"

#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/toml_reader.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

namespace epione::domain {

namespace {

class site_reader {
public:
  explicit site_reader(std::vector<site>& sites) : sites_(sites) {}

  void read(toml_table& t) {
    const auto zone = t.text("zone", false).value_or("UTC");
    if (!looks_like_zone(zone))
      t.problem("zone", "it must be a time zone such as \"Europe/Berlin\", or \"UTC\"");
    if (t.has("count"))
      read_range(t, zone);
    else if (const auto id = t.identifier("id", true))
      add({*id, t.text("name", false).value_or(*id), zone}, t, "id");
    else
      t.text("name", false);
    t.end();
  }

private:
  void add(site s, const toml_table& t, std::string_view key) {
    if (!names_.add(s.id, t, key))
      return;
    if (sites_.size() == limits::sites_max)
      t.problem("a study has " + std::to_string(limits::sites_max) + " sites at most");
    if (sites_.size() < limits::sites_max)
      sites_.push_back(std::move(s));
  }

  /// count = 50, prefix = "S" stands for S01 to S50.
  void read_range(toml_table& t, const std::string& zone) {
    const auto count = t.integer("count", true);
    const auto prefix = t.identifier("prefix", true);
    const auto name = t.text("name", false);
    if (t.has("id"))
      t.problem("id", "with count the sites are named by prefix and number; remove one of both"), t.find("id");
    if (!count || !prefix)
      return;
    if (*count < 1 || *count > static_cast<std::int64_t>(limits::sites_max))
      return t.problem("count", "it must be from 1 to " + std::to_string(limits::sites_max));
    const auto digits = std::to_string(*count).size();
    for (std::int64_t n = 1; n <= *count; ++n) {
      auto number = std::to_string(n);
      number.insert(0, digits - number.size(), '0');
      auto id = *prefix + number;
      add({id, name ? *name + " " + std::to_string(n) : id, zone}, t, "prefix");
    }
  }

  std::vector<site>& sites_;
  unique_names names_;
};

class subject_reader {
public:
  subject_reader(const std::vector<site>& sites, std::vector<subject_group>& groups) : groups_(groups) {
    for (std::uint32_t i = 0; i < sites.size(); ++i)
      sites_.emplace(sites[i].id, i);
  }

  void read(toml_table& t) {
    subject_group g;
    g.place = t.place();
    g.sites = read_sites(t);
    if (t.has("range") == t.has("ids")) {
      t.problem("it needs either range = [FIRST, LAST] or ids = [\"...\"]");
      t.find("range"), t.find("ids"), t.find("prefix");
    } else if (t.has("range")) {
      read_range(t, g);
    } else {
      read_ids(t, g);
    }
    t.end();
    if (!g.sites.empty() && (g.first <= g.last || !g.ids.empty()))
      groups_.push_back(std::move(g));
  }

  void check_overlaps(file_problems& problems) const {
    std::map<std::string, std::vector<const subject_group*>> by_prefix;
    for (const auto& g : groups_)
      if (g.first <= g.last)
        by_prefix[g.prefix].push_back(&g);
    for (auto& [prefix, ranges] : by_prefix) {
      std::sort(ranges.begin(), ranges.end(), [](auto* a, auto* b) { return a->first < b->first; });
      for (std::size_t i = 1; i < ranges.size(); ++i)
        if (ranges[i]->first <= ranges[i - 1]->last)
          problems.add(ranges[i]->place, "the range overlaps the one at " + ranges[i - 1]->place + "; a subject has one site");
    }
  }

private:
  std::vector<std::uint32_t> read_sites(toml_table& t) {
    std::vector<std::uint32_t> result;
    if (t.has("site") && t.has("sites"))
      t.problem("sites", "it has site as well; keep one of both");
    std::vector<std::string> names;
    const char* key = t.has("site") ? "site" : "sites";
    if (t.has("site")) {
      if (const auto id = t.text("site", true))
        names.push_back(*id);
      t.find("sites");
    } else if (const auto* node = t.find("sites"); node != nullptr && node->value_exact<std::string>() == "round-robin") {
      result.resize(sites_.size());
      std::iota(result.begin(), result.end(), 0u);
    } else if (node != nullptr && node->is_string()) {
      t.problem("sites", "it must be \"round-robin\" (all sites in turn) or a list of site ids");
    } else if (node != nullptr) {
      names = t.texts("sites", true);
    } else {
      t.problem("it needs site = \"ID\", sites = [\"ID\", ...] or sites = \"round-robin\"");
    }
    for (const auto& name : names) {
      const auto found = sites_.find(name);
      if (found == sites_.end())
        t.problem(key, "the study has no site \"" + quotable(name) + "\"");
      else
        result.push_back(found->second);
    }
    return result;
  }

  void read_range(toml_table& t, subject_group& g) {
    if (t.has("prefix")) // after it only digits, so that it cannot be mistaken for another's number
      g.prefix = t.identifier("prefix", true).value_or("");
    if (!g.prefix.empty() && g.prefix.back() >= '0' && g.prefix.back() <= '9')
      t.problem("prefix", "it must not end with a digit, so that the number after it is clear");
    const auto* list = t.find("range")->as_array();
    const auto bound = [&](std::size_t i) { return list->get(i)->value_exact<std::int64_t>().value_or(-1); };
    const std::int64_t lowest = g.prefix.empty() ? 1 : 0; // a patientId of 0 counts as missing
    if (list == nullptr || list->size() != 2 || bound(0) < lowest || bound(1) < bound(0) ||
        bound(1) > static_cast<std::int64_t>(limits::subject_number_max))
      return t.problem("range",
                       "it must be [FIRST, LAST], two whole numbers from " + std::to_string(lowest) + " to " +
                           std::to_string(limits::subject_number_max) + ", both of which belong to it" +
                           (lowest == 1 ? "; 0 without a prefix is nobody, because a patientId of 0 counts as missing" : ""));
    g.first = static_cast<std::uint64_t>(bound(0));
    g.last = static_cast<std::uint64_t>(bound(1));
  }

  void read_ids(toml_table& t, subject_group& g) {
    for (auto& id : t.texts("ids", true)) {
      const bool ok =
          id.size() <= limits::subject_bytes_max && id.find('/') == std::string::npos &&
          std::none_of(id.begin(), id.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
      if (!ok)
        t.problem("ids", "\"" + quotable(id) + "\" must have " + std::to_string(limits::subject_bytes_max) +
                             " bytes at most, and no \"/\" or control characters");
      else if (id == "0")
        t.problem("ids", "\"0\" is nobody, because a patientId of 0 counts as missing");
      else if (names_.add(id, t, "ids"))
        g.ids.push_back(std::move(id));
    }
  }

  std::map<std::string, std::uint32_t> sites_;
  std::vector<subject_group>& groups_;
  unique_names names_;
};

std::vector<std::string> read_languages(toml_table& t) {
  auto languages = t.texts("languages", true);
  for (const auto& language : languages)
    if (!looks_like_language(language))
      t.problem("languages", "\"" + quotable(language) + "\" is not a language tag such as \"en\" or \"zh-Hant\"");
  return languages;
}

form_entry read_form(toml_table& t, unique_names& ids, unique_names& files) {
  form_entry f;
  f.place = t.place();
  f.id = t.identifier("id", true).value_or("");
  f.file = t.text("file", true).value_or("");
  if (!f.id.empty())
    ids.add(f.id, t, "id");
  if (!f.file.empty())
    files.add(f.file, t, "file");
  if (t.has("languages"))
    f.languages = read_languages(t);
  unique_names names;
  for (auto& score : t.tables("scores")) {
    auto s = read_score(score);
    if (!s.name.empty() && names.add(s.name, score, "name"))
      f.scores.push_back(std::move(s));
  }
  t.end();
  return f;
}

struct named_comparison {
  const char* key;
  comparison operation;
};
constexpr std::array<named_comparison, 5> alert_comparisons{{{"above", comparison::greater},
                                                             {"at_least", comparison::greater_or_equal},
                                                             {"equals", comparison::equal},
                                                             {"at_most", comparison::less_or_equal},
                                                             {"below", comparison::less}}};

/// A number; with equals also a choice's code or true or false.
void read_alert_value(toml_table& t, const named_comparison& c, alert_entry& a) {
  a.operation = c.operation;
  const auto* node = t.find(c.key);
  if (c.operation == comparison::equal && node->is_string()) {
    a.value.kind = value_kind::text;
    a.value.text = t.text(c.key, true).value_or("");
  } else if (c.operation == comparison::equal && node->is_boolean()) {
    a.value.kind = value_kind::boolean;
    a.value.boolean = *node->value_exact<bool>();
  } else if (const auto number = t.number(c.key, true)) {
    a.value.kind = value_kind::number;
    a.value.number = *number;
  }
}

alert_entry read_alert(toml_table& t) {
  alert_entry a;
  a.place = t.place();
  a.id = t.identifier("id", true).value_or("");
  a.form = t.text("form", true).value_or("");
  a.item = t.text("item", false).value_or("");
  a.score = t.text("score", false).value_or("");
  if (t.has("item") == t.has("score"))
    t.problem("it needs either item = \"LINKID\" or score = \"NAME\"");
  int comparisons = 0;
  for (const auto& c : alert_comparisons) {
    if (!t.has(c.key))
      continue;
    ++comparisons;
    read_alert_value(t, c, a);
  }
  if (comparisons != 1)
    t.problem("it needs exactly one of above, at_least, equals, at_most and below");
  t.end();
  return a;
}

void read_root(toml_table t, study_file& s, file_problems& problems) {
  s.id = t.identifier("id", true).value_or("");
  s.title = t.text("title", true).value_or("");
  s.languages = read_languages(t);
  site_reader sites{s.sites};
  for (auto& x : t.tables("sites"))
    sites.read(x);
  if (!t.has("sites"))
    t.problem("sites", "the study has no sites; add [[sites]]");
  subject_reader subjects{s.sites, s.subjects};
  auto groups = t.tables("subjects");
  if (groups.size() > limits::subject_ranges_max)
    t.problem("subjects", "there are more than " + std::to_string(limits::subject_ranges_max) + " of them");
  else
    for (auto& x : groups)
      subjects.read(x);
  if (!t.has("subjects"))
    t.problem("subjects", "the study has no subjects; add [[subjects]]");
  subjects.check_overlaps(problems);
  auto forms = t.tables("forms");
  if (!t.has("forms"))
    t.problem("forms", "the study has no forms; add [[forms]]");
  if (forms.size() > limits::forms_max)
    t.problem("forms", "a study has " + std::to_string(limits::forms_max) + " forms at most");
  unique_names form_ids, form_files, alert_ids;
  for (auto& x : forms)
    s.forms.push_back(read_form(x, form_ids, form_files));
  for (auto& x : t.tables("alerts")) {
    auto a = read_alert(x);
    if (!a.id.empty() && alert_ids.add(a.id, x, "id"))
      s.alerts.push_back(std::move(a));
  }
  read_notice_entries(t, s);
  t.end();
}

} // namespace

bool looks_like_zone(std::string_view text) {
  if (text == "UTC")
    return true;
  return text.size() <= limits::identifier_bytes_max && text.find('/') != std::string_view::npos && text.front() != '/' &&
         text.back() != '/' && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
                  c == '-' || c == '+';
         });
}

bool looks_like_language(std::string_view text) {
  return text.size() >= 2 && text.size() <= 35 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
         });
}

study_file read_study_file(std::string_view text, file_problems& problems) {
  study_file result;
  if (text.size() > limits::study_file_bytes_max) {
    problems.add("", "the file is larger than " + std::to_string(limits::study_file_bytes_max) + " bytes");
    return result;
  }
  if (has_deep_key(text)) {
    problems.add("", "a key has more than " + std::to_string(limits::toml_key_parts_max) + " parts");
    return result;
  }
  try {
    const toml::table root = toml::parse(text);
    read_root(toml_table{root, "", problems}, result, problems);
  } catch (const toml::parse_error& e) {
    const auto at = e.source().begin;
    problems.add("line " + std::to_string(at.line) + ", column " + std::to_string(at.column),
                 "this is not valid TOML: " + quotable(e.description(), 200));
  }
  return result;
}

} // namespace epione::domain
