// The JSON a phone reads: one function an answer, so that no two places word the same thing differently.
#pragma once

#include "domain/event.hpp"
#include "domain/study.hpp"
#include "messages/submission.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace epione::actors {

/// JSON array of {"name", "value", "label"}.
std::string scores_json(const std::vector<domain::score>& scores);
/// Members of an answer: "scores":[...] and, unless there are none, "warnings":[...].
std::string results_text(const std::vector<domain::score>& scores, const std::vector<domain::problem>& warnings = {});

/// 202: durable now. `results`: results_text().
std::string stored_text(const domain::receipt& id, std::string_view results);
/// 200: was durable already; the first receipt and the first results, whose warnings are not kept for long.
std::string repeat_text(const domain::receipt& id, std::string_view results);
/// 409: this key stands for other content.
std::string conflict_text(const domain::receipt& id);
/// 404 or 400: a sentence.
std::string error_text(std::string_view sentence);
/// 422 with every problem.
std::string problems_text(const std::vector<domain::problem>& problems);
/// 422: this body stopped its checker several times and was set aside for people to look at.
std::string set_aside_text(const domain::receipt& id);
/// 503: not now. Only `not_stored` promises absence.
std::string unavailable_text(std::string_view sentence, messages::outcome known);

/// 200 for GET /patient/{id}: newest first; `events` holds up to limit + 1 of them, the last one only to know that there are
/// more. An event that cannot be decoded makes the answer an error (empty text): half a history is never shown as a whole one.
/// `out` is empty and gives its memory.
std::string history_text(const messages::read_request& request, const std::string& site,
                         const std::vector<messages::stored_event>& events, std::string out = {});
/// 200 for GET /patient/{id}/submissions/{receipt}: one submission with its answers; empty text as above.
std::string submission_text(const messages::read_request& request, const messages::stored_event& event, std::string out = {});

} // namespace epione::actors
