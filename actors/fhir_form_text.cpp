#include "actors/fhir_form_text.hpp"

#include "domain/canonical.hpp"
#include "domain/date_text.hpp"
#include "domain/digest.hpp"
#include "domain/fhir_text.hpp"
#include "domain/hex.hpp"
#include "domain/json_document.hpp"
#include "domain/limits.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace epione::actors {

namespace {

using domain::append_json_string;

/// Members of an object but these, each with a comma before it.
void append_members(std::string& out, const domain::json_document& json, std::uint32_t object,
                    std::initializer_list<std::string_view> but) {
  for (auto n = object + 1; n < json[object].end; n = json[n].end) {
    if (std::find(but.begin(), but.end(), json[n].name) != but.end())
      continue;
    out += ',';
    append_json_string(out, json[n].name);
    out += ':';
    domain::append_canonical_json(out, json, n);
  }
}

} // namespace

std::string form_version_id(std::string_view version) {
  if (version.empty())
    return "x-none";
  if (auto id = domain::patient_id(version)) // what makes a patient's id of any text does it here as well
    return *id;
  std::array<std::uint8_t, 24> bytes{};
  domain::digest<24>{}.add(version).finish(bytes);
  return "x--" + domain::to_hex(bytes);
}

std::string form_text(const domain::compiled_form& form, std::int64_t modified_us) {
  const auto json = domain::json_document::parse(form.source == nullptr ? std::string_view{"{}"} : std::string_view{*form.source},
                                                 domain::limits::json_depth_max);
  std::string out = R"({"resourceType":"Questionnaire","id":)";
  append_json_string(out, form.id);
  out += R"(,"meta":{"versionId":)";
  append_json_string(out, form_version_id(form.version));
  if (modified_us != 0) {
    out += R"(,"lastUpdated":")";
    domain::append_rfc3339_us(out, modified_us);
    out += '"';
  }
  if (!json)
    return out + "}}";
  if (const auto meta = json->find(0, "meta"); meta != 0 && (*json)[meta].kind == domain::json_kind::object)
    append_members(out, *json, meta, {"versionId", "lastUpdated"});
  out += '}';
  append_members(out, *json, 0, {"resourceType", "id", "meta"});
  return out + "}";
}

} // namespace epione::actors
