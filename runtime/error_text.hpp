// Errors as text for logs, status and operators.
#pragma once

#include <caf/error.hpp>
#include <optional>
#include <string>

#include "messages/errors.hpp"

namespace epione::runtime {

/// The code as one of ours; nothing for an error of CAF's (exit_reason, sec) and for none.
std::optional<ec> code_of(const caf::error& x);

/// Name of the code alone: "damaged", "user_shutdown"; "normal" for none.
std::string error_code_text(const caf::error& x);

/// Code and, for our own errors, the text they carry: "damaged: journal.db: ...". The context of CAF's own errors may hold the
/// message that could not be handled, so it is left out.
std::string error_text(const caf::error& x);

/// The text that an error of ours carries; empty without.
std::string context_text(const caf::error& x);

/// The same, and without one what its code says: for who reads a sentence, or sends the code beside it.
std::string sentence_of(const caf::error& x);

} // namespace epione::runtime
