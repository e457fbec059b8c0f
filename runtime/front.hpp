// The seam between what speaks HTTP and the actors: requests go in with a ticket, replies come out by ticket.
#pragma once

#include "messages/fhir.hpp"
#include "messages/submission.hpp"

#include <string>

namespace epione::runtime {

/// Where replies go: the HTTP server, or the simulator's phones.
class reply_sink {
public:
  virtual ~reply_sink() = default;
  /// Called from any thread. An unknown ticket (its connection is gone) is dropped.
  virtual void deliver(messages::replies replies) = 0;
  /// Whoever was to answer is gone: every waiting request gets 503 with outcome "unknown".
  virtual void abandon_all() {}
  /// An empty string to write a long body into, with the memory of an earlier one if it can be; deliver() takes it back.
  virtual std::string body_buffer() { return {}; }
};

/// Where requests go: the gateway actor. Never blocks; exactly one reply comes for each ticket, within the gateway's time limit.
class front {
public:
  virtual ~front() = default;
  virtual void submit(messages::ticket t, messages::submission_ptr s) = 0;
  virtual void read(messages::ticket t, messages::read_request_ptr r) = 0;
  /// A request under /fhir; its reply brings its own header lines.
  virtual void fhir(messages::ticket t, messages::fhir_request_ptr r) = 0;
};

} // namespace epione::runtime
