// A compiled form, drawn as a tree for people.
#pragma once

#include "domain/questionnaire.hpp"

#include <iosfwd>

namespace epione::cli {

/// One line an item: what is asked, and in brackets its linkId, type and rules; its options and conditions beneath it.
void print_form(std::ostream& out, const domain::questionnaire& form);

} // namespace epione::cli
