// What routers of different nodes say to each other: requests for a shard that is led elsewhere, questions, and their answers.
// Payloads of the parcels of messages/peer.hpp, each a msgpack array whose first value says what it is.
#pragma once

#include "messages/errors.hpp"
#include "messages/fhir.hpp"
#include "messages/submission.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::messages {

/// Numbers are those of the wire and never change their meaning.
enum class routed_kind : std::uint8_t {
  submit = 1,    ///< a submission for a shard that is led there
  read = 2,      ///< a read of such a shard
  snapshots = 3, ///< a question for "snapshots" of the directory
  steward = 4,   ///< a question for "steward"
  console = 5,   ///< a question for "console bridge"
  change = 6,    ///< changes of one subject, for a shard that is led there
};

/// A request as it came.
struct routed_request {
  routed_kind kind = routed_kind::submit;
  submission what;       ///< submit; received_ns is not carried
  read_request read;     ///< read
  change_request change; ///< change; its times are not carried
  std::string question;
};

std::string encode_routed(const submission& s);
std::string encode_routed(const read_request& r);
std::string encode_routed(const change_request& c);
std::string encode_question(routed_kind kind, std::string_view question);
tl::expected<routed_request, std::string> decode_routed(std::string_view bytes);

/// An answer as it came: of a submission and of changes `answer`; of a read `events`, or `error`; of a question `text`, or
/// `error` with `text` saying why.
struct routed_answer {
  routed_kind kind = routed_kind::submit;
  reply answer; ///< without its ticket
  std::vector<stored_event> events;
  ec error = ec::none;
  std::string text;
};

std::string encode_answer(const reply& r);
std::string encode_answer(const std::vector<stored_event>* events, ec error);
std::string encode_answer(routed_kind kind, ec error, std::string_view text);
tl::expected<routed_answer, std::string> decode_answer(std::string_view bytes);

} // namespace epione::messages
