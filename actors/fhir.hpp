// Answers requests under /fhir: gives fhir_service what it asks for, and keeps who waits for what.
#pragma once

#include "actors/fhir_service.hpp"
#include "messages/interfaces.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/environment.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>

namespace epione::actors {

struct fhir_state {
  using reply_function = std::function<void(const messages::reply&)>;
  using read_function = std::function<void(const std::vector<messages::stored_event>*)>;
  fhir_state() = default;
  messages::gateway_actor gateway; ///< null: not running
  std::unordered_map<messages::ticket, reply_function> replies;
  std::unordered_map<messages::ticket, read_function> reads;
  messages::ticket next_ticket = messages::ticket{1} << 63; ///< apart from those of requests
  std::uint64_t requests = 0;
  static inline const char* name = "fhir";
};

/// Finds "gateway" in the directory, which keeps a deadline for every question it is asked, so that each is answered. `catalog`
/// must outlive the actor.
messages::fhir_actor::behavior_type fhir(messages::fhir_actor::stateful_pointer<fhir_state> self, const runtime::environment& env,
                                         fhir_options options, const runtime::catalog_view& catalog);

} // namespace epione::actors
