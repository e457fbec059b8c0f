// Parts of a resource instead of the whole: _summary and _elements (FHIR R4, search, "summary" and "elements"). Pure functions.
#pragma once

#include "domain/json_document.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::actors {

struct wanted_part {
  enum class choice : std::uint8_t {
    whole,
    summary,  ///< what R4 marks as its summary
    text,     ///< the narrative
    data,     ///< all but the narrative
    count,    ///< no resource, only how many there are
    elements, ///< these, at the top of the resource
  };
  choice what = choice::whole;
  std::vector<std::string> elements = {};
};

/// From the values of _summary and _elements; else a sentence on what is wrong with them.
tl::expected<wanted_part, std::string> read_wanted_part(const std::optional<std::string>& summary,
                                                        const std::optional<std::string>& elements);

/// The part of a resource as it is shown, a Questionnaire or QuestionnaireResponse with meta, as JSON. It keeps what names it,
/// what must be there, and what changes how the rest is to be understood, and is tagged SUBSETTED, so that nobody takes it for
/// the whole and sends it back as that.
std::string part_of_resource(std::string resource, const wanted_part& part);

/// Whether a resource is tagged as such a part; and why it is not stored then.
bool is_subset(const domain::json_document& resource);
inline constexpr std::string_view subset_refused = "the resource is tagged SUBSETTED: it was read in part, and what it does not "
                                                   "have would be lost; read it without _summary and "
                                                   "_elements, or take the tag away where it is whole";

} // namespace epione::actors
