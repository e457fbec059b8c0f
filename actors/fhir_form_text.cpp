#include "actors/fhir_form_text.hpp"

#include "domain/digest.hpp"
#include "domain/fhir_text.hpp"
#include "domain/hex.hpp"
#include "domain/json_document.hpp"
#include "domain/limits.hpp"

#include <array>
#include <optional>

namespace epione::actors {

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
  constexpr std::string_view nothing_known = R"({"resourceType":"Questionnaire"})";
  auto json = domain::json_document::parse(form.source == nullptr ? nothing_known : std::string_view{*form.source},
                                           domain::limits::json_depth_max);
  if (!json)
    json = domain::json_document::parse(nothing_known, domain::limits::json_depth_max);
  return domain::shown_resource(
      *json, form.id,
      domain::resource_meta(form_version_id(form.version), modified_us == 0 ? std::nullopt : std::optional{modified_us}));
}

} // namespace epione::actors
