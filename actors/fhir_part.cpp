#include "actors/fhir_part.hpp"

#include "domain/blanks.hpp"
#include "domain/canonical.hpp"
#include "domain/fhir_text.hpp"
#include "domain/limits.hpp"

#include <algorithm>
#include <array>

namespace epione::actors {

namespace {

using std::string_view;

constexpr string_view subset_code = "SUBSETTED";
constexpr string_view subset_tag = R"({"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"})";

/// Of every part: what it is, what must be there (1..1 in both types), and modifiers.
constexpr std::array<string_view, 5> always_kept{"resourceType", "id", "implicitRules", "status", "modifierExtension"};

constexpr std::array<string_view, 14> form_summary{
    "url",  "identifier", "version", "name",       "title",        "experimental",    "subjectType",
    "date", "publisher",  "contact", "useContext", "jurisdiction", "effectivePeriod", "code"};
constexpr std::array<string_view, 9> response_summary{"identifier", "basedOn",  "partOf", "questionnaire", "subject",
                                                      "encounter",  "authored", "author", "source"};

template <class Names>
bool is_among(const Names& names, string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_in_part(const wanted_part& part, string_view type, string_view name) {
  using choice = wanted_part::choice;
  if (is_among(always_kept, name))
    return true;
  switch (part.what) {
    case choice::whole: return true;
    case choice::summary: return type == "Questionnaire" ? is_among(form_summary, name) : is_among(response_summary, name);
    case choice::text: return name == "text";
    case choice::data: return name != "text";
    case choice::elements: return is_among(part.elements, name);
    case choice::count: break;
  }
  return false;
}

void append_kept(std::string& out, const domain::json_document& json, std::uint32_t node) {
  if (!out.ends_with('{'))
    out += ',';
  domain::append_json_string(out, json[node].name);
  out += ':';
  domain::append_canonical_json(out, json, node);
}

/// meta as it is, with the tag behind its others.
std::string tagged_meta(const domain::json_document& json, std::uint32_t meta) {
  std::string out = "{", tags;
  for (auto n = meta + 1; n < json[meta].end; n = json[n].end) {
    if (json[n].name != "tag" || json[n].kind != domain::json_kind::array) {
      append_kept(out, json, n);
      continue;
    }
    for (auto tag = n + 1; tag < json[n].end; tag = json[tag].end) {
      domain::append_canonical_json(tags, json, tag);
      tags += ',';
    }
  }
  out += out.ends_with('{') ? R"("tag":[)" : R"(,"tag":[)";
  return out.append(tags).append(subset_tag) + "]}";
}

} // namespace

tl::expected<wanted_part, std::string> read_wanted_part(const std::optional<std::string>& summary,
                                                        const std::optional<std::string>& elements) {
  using choice = wanted_part::choice;
  using refuse = tl::unexpected<std::string>;
  wanted_part out;
  if (summary) {
    constexpr std::array<std::pair<string_view, choice>, 5> choices{{{"true", choice::summary},
                                                                     {"false", choice::whole},
                                                                     {"text", choice::text},
                                                                     {"data", choice::data},
                                                                     {"count", choice::count}}};
    const auto found = std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.first == *summary; });
    if (found == choices.end())
      return refuse{"_summary must be true, false, text, data or count"};
    out.what = found->second;
  }
  if (!elements)
    return out;
  for (string_view rest = *elements; !rest.empty();) {
    auto name = domain::take(rest, ',');
    if (const auto dot = name.find('.'); dot != string_view::npos && name.front() >= 'A' && name.front() <= 'Z')
      name.remove_prefix(dot + 1);         // with the type before it, as STU 3 had it
    name = name.substr(0, name.find('.')); // of what lies deeper all of it
    if (!name.empty())
      out.elements.emplace_back(name);
  }
  if (out.elements.empty())
    return out;
  if (out.what != choice::whole)
    return refuse{"_summary and _elements ask for two different parts; give one of them"};
  out.what = choice::elements;
  return out;
}

std::string part_of_resource(std::string resource, const wanted_part& part) {
  if (part.what == wanted_part::choice::whole)
    return resource;
  const auto json = domain::json_document::parse(resource, domain::limits::json_depth_max);
  if (!json)
    return resource;
  const auto& j = *json;
  const auto type = domain::json_text_at(j, 0, "resourceType");
  std::string out = "{";
  for (std::uint32_t n = 1; n < j[0].end; n = j[n].end) {
    auto name = j[n].name;
    if (name == "meta" && j[n].kind == domain::json_kind::object) {
      out += out.ends_with('{') ? R"("meta":)" : R"(,"meta":)";
      out += tagged_meta(j, n);
      continue;
    }
    if (name.starts_with('_')) // what extends a primitive stands beside it
      name.remove_prefix(1);
    if (is_in_part(part, type, name))
      append_kept(out, j, n);
  }
  return out + "}";
}

bool is_subset(const domain::json_document& json) {
  const auto meta = json.find(0, "meta");
  const auto tags = meta == 0 ? 0 : json.find(meta, "tag");
  if (tags == 0 || json[tags].kind != domain::json_kind::array)
    return false;
  for (auto n = tags + 1; n < json[tags].end; n = json[n].end)
    if (domain::json_text_at(json, n, "code") == subset_code)
      return true;
  return false;
}

} // namespace epione::actors
