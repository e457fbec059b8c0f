// One patient of one shard: which keys are known, and what is being checked.
//
// A session is rebuilt from the store whenever it is needed and dropped when it is idle, so it keeps as little as it can: two
// bytes a known key. A key whose tag is not among them is new; one whose tag is there is looked up in the store.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace epione::actors {

struct patient_session_state {
  struct job {
    messages::submission_ptr what;
    messages::validator_actor validator;
  };
  enum class head_state : std::uint8_t { unknown, asked, known };

  patient_session_state() = default;
  messages::shard_region_actor region;
  messages::store_reader_actor reader;
  std::uint64_t subject_hash = 0;
  std::uint32_t shard = 0;
  head_state head = head_state::unknown;
  std::vector<std::uint16_t> tags;
  std::vector<job> jobs; ///< waiting for the head or for a look-up; seldom more than one
  static inline const char* name = "patient_session";
};

/// `region` and `reader` are the ones of this epoch; when either is replaced the region ends its sessions.
messages::patient_session_actor::behavior_type
patient_session(messages::patient_session_actor::stateful_pointer<patient_session_state> self, const runtime::environment& env,
                std::uint32_t shard, std::uint64_t subject_hash, messages::shard_region_actor region,
                messages::store_reader_actor reader);

} // namespace epione::actors
