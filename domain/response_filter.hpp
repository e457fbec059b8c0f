// Which stored submissions a search for QuestionnaireResponses asks for.
#pragma once

#include "domain/event.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::domain {

/// How authored is compared (FHIR R4, search, "date"): eq, ne, lt, gt, le, ge, sa, eb.
enum class date_prefix : std::uint8_t { eq, ne, lt, gt, le, ge, sa, eb };

/// All that is given must hold; of the values of one parameter one must.
struct response_filter {
  struct form_choice {
    std::string study, form;
    std::string version; ///< empty: any
  };
  struct authored_choice {
    date_prefix prefix = date_prefix::eq;
    std::int64_t first_us = 0, last_us = 0; ///< that the value covers
  };
  struct identifier_choice {
    std::string system, value;
    bool any_system = false; ///< "value" without "|"
    bool any_value = false;  ///< "system|"
  };
  std::string study;    ///< empty: any
  std::string subject;  ///< empty: any; else `study` is given as well
  bool by_form = false; ///< `forms` counts, even if it is empty
  std::vector<form_choice> forms;
  std::vector<std::vector<authored_choice>> authored; ///< each must hold by one of its choices
  std::vector<std::string> statuses;
  std::vector<std::vector<identifier_choice>> identifiers;
};

/// FHIR's status of a submission: what its resource says, else that it is completed.
std::string status_of(const submission_record& r);
/// System and value: what its resource says, of one in the short form its key; empty where the resource has none.
std::pair<std::string, std::string> identifier_of(const submission_record& r);

bool matches(const response_filter& filter, const submission_record& r);

} // namespace epione::domain
