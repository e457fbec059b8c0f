// What a load run and its verification came to: for people as a table, for programs as JSON.
#pragma once

#include "cli/load_generator.hpp"
#include "cli/load_verifier.hpp"

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>

namespace epione::cli {

nlohmann::ordered_json to_json(const load_options& options, const load_result& result);
nlohmann::ordered_json to_json(const verify_result& result);
void print_load(std::ostream& out, const load_options& options, const load_result& result);
void print_verification(std::ostream& out, const verify_result& result);

/// One line that replaces itself on a terminal.
void print_progress(std::ostream& err, const load_progress& progress);
void print_progress(std::ostream& err, const verify_result& progress);
void end_progress(std::ostream& err);

} // namespace epione::cli
