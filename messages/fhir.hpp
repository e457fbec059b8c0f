// Requests under /fhir, and changes of one subject that only FHIR asks for. Plain values: they may come from another node.
#pragma once

#include "messages/submission.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::messages {

/// One HTTP request under /fhir, as it came. A header that was not sent is nothing.
struct fhir_request {
  enum class verb : std::uint8_t { get, post, put };
  verb method = verb::get;
  std::string path;  ///< behind "/fhir", percent-encoded: "/QuestionnaireResponse/6f1d..."
  std::string query; ///< without the question mark
  std::string base;  ///< "http://127.0.0.1:8080/fhir", as the client calls it
  std::string content_type;
  std::optional<std::string> accept, prefer, if_match, if_none_match, if_modified_since, if_none_exist, provenance,
      idempotency_key;
  std::string body;
  std::int64_t received_ns = 0;
};
using fhir_request_ptr = std::shared_ptr<const fhir_request>;

/// "/TYPE/_search" by POST: a search whose parameters come in the body, beside those of the address.
bool is_posted_search(const fhir_request& r);

/// One submission that is stored, or one stored submission that is amended.
struct change {
  submission what;               ///< of an amendment: `id` is the submission's, `content` the whole response as it is to be
  std::uint64_t expected = 0;    ///< of an amendment: the version that must be the current one; 0: whichever is
  std::string who, role, reason; ///< of an amendment
};

/// All of one subject, and stored together or not at all.
struct change_request {
  std::uint64_t subject_hash = 0;
  std::uint32_t shard = 0;
  std::int64_t received_ns = 0;
  std::vector<change> changes;
};
using change_request_ptr = std::shared_ptr<const change_request>;

/// What became of one change: 201 stored now, 200 stored before (or amended), with the bytes of its event; else why not, with the
/// JSON of an error in `text`.
struct change_result {
  int status = 0;
  std::string text;
};

/// The body of the one reply to a change_request: with status 200 a result for each change, else only for the one that failed
/// (`failed` is its place).
std::string encode_change_results(const std::vector<change_result>& results, std::uint32_t failed = 0);
struct change_results {
  std::vector<change_result> results;
  std::uint32_t failed = 0;
};
std::optional<change_results> decode_change_results(std::string_view bytes);

} // namespace epione::messages
