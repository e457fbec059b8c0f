// How large a study may be. Limits of the running node are in runtime/defaults.hpp; these belong to what a study is, and
// docs/study-file.md says the same to study designers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace epione::domain::limits {

inline constexpr std::size_t study_file_bytes_max = 1024 * 1024;    // study.toml; 20,000 listed subjects
inline constexpr std::size_t form_file_bytes_max = 4 * 1024 * 1024; // one questionnaire with all its translations
inline constexpr std::size_t files_bytes_max = 16 * 1024 * 1024;    // of a study together: it is one entry of the log
inline constexpr std::size_t toml_key_parts_max = 16;               // parts of a dotted key; no setting needs more than one
inline constexpr std::size_t json_depth_max = 200;                  // brackets in each other in a questionnaire's file
inline constexpr std::size_t form_items_max = 5'000;                // items of one form; the longest published have hundreds
inline constexpr std::size_t item_depth_max = 32;                   // items in each other
inline constexpr std::size_t options_max = 5'000;                   // options of one item; longer lists need a terminology server
inline constexpr std::size_t form_options_max = 100'000;            // of all items; several may share one value set
inline constexpr std::size_t options_shown_max = 200;            // of a value set beside the form; longer ones are only checked
inline constexpr unsigned value_set_depth_max = 8;               // value sets that include others; more is a circle
inline constexpr std::size_t value_set_work_max = 2'000'000;     // codes taken from one value set into another, for one form
inline constexpr std::size_t response_work_max = 20'000'000;     // items looked for in all repetitions; a second's work
inline constexpr std::size_t form_expressions_max = 2'000;       // of one form; the longest published have dozens
inline constexpr std::size_t variable_depth_max = 32;            // variables that need others
inline constexpr std::uint64_t expression_steps_max = 4'000'000; // of all expressions on one response; 0.2 seconds' work
inline constexpr std::size_t regex_bytes_max = 1'000;            // a pattern of a form
inline constexpr std::int64_t regex_memory_max = 1 << 20;        // bytes of one compiled pattern
inline constexpr std::size_t forms_max = 500;                    // forms of one study
inline constexpr std::size_t earlier_forms_max = 500;            // versions of forms that a study had before and still knows
inline constexpr std::size_t sites_max = 10'000;                 // sites of one study
inline constexpr std::size_t recipients_max = 10'000;            // of notices of one study; one a site is common
inline constexpr std::size_t routes_max = 1'000;                 // of notices of one study
inline constexpr std::size_t route_channels_max = 8;             // of one route
inline constexpr std::size_t address_bytes_max = 320;            // of a recipient; the longest mail address
inline constexpr std::size_t notices_max = 256;                  // that one submission may set off
inline constexpr std::size_t subject_ranges_max = 10'000;        // ranges of subjects; one a site is common
inline constexpr std::uint64_t subject_number_max = 999'999'999'999; // in a range; twelve digits
inline constexpr std::size_t identifier_bytes_max = 64;              // ids of studies, sites, forms, scores and rules
inline constexpr std::size_t subject_bytes_max = 128;                // a listed subject's id
inline constexpr std::size_t link_id_bytes_max = 255;                // FHIR sets none
inline constexpr std::size_t answer_values_max = 1'000;              // answers to one item that repeats
inline constexpr std::size_t problems_max = 1'000;                   // of one submission; more help nobody and cost memory
inline constexpr std::size_t allowed_max = 50;                       // options repeated in a problem

} // namespace epione::domain::limits
