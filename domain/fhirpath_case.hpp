// Upper and lower case of the scripts that forms are written in: Latin with its accents, Greek, Cyrillic, Armenian. Characters
// that become several ("ß"), and other scripts, stay as they are.
#pragma once

#include <string>
#include <string_view>

namespace epione::domain::fhirpath {

std::string lower_case(std::string_view text);
std::string upper_case(std::string_view text);

} // namespace epione::domain::fhirpath
