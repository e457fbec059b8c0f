// Whether what one subject's requests were answered can come from one order of them all, in which each takes effect at one moment
// between its sending and its answer (M. Herlihy, J. Wing: Linearizability, 1990).
//
// It is the search of J. Wing and C. Gong (Testing and verifying concurrent objects, 1993) as G. Lowe has it (Testing for
// linearizability, 2017): an operation takes effect no earlier than an answer asks for it, and no configuration - the state, and
// which of the operations under way have taken effect - is looked at twice. Time by time, the configurations are those that can
// be; where nothing is under way they are states, mostly one. Histories are apart by object, here by subject, as A. Athalye's
// Porcupine (2017) has them.
//
// It knows nothing of nodes, nor of the ledger's own argument about reads. The model is what the manual says of a subject
// (docs/http.md): a list of submissions that grows at its end, one for a key, where a key that is there stays as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace epione::simulation {

/// The contents that were sent under one key have numbers from 0; content n is in the set when bit n is 1.
using content_set = std::uint64_t;
inline constexpr std::size_t contents_max = 64;

/// What an operation was answered, and so what it claims about the moment at which it took effect.
enum class claim : std::uint8_t {
  nothing,  ///< no effect and no claim: a read without an answer, a submission that was answered `not_stored`
  maybe,    ///< a submission without an answer, or answered `unknown`: at some time after its sending it is added if there is
            ///< nothing under its key then; or never
  stored,   ///< 202: there was nothing under its key, and it was added
  repeated, ///< 200: it was there
  ensured,  ///< 200, when nodes may send a request twice: it was there, or was added
  conflict, ///< 409: something else was there under its key
  refused,  ///< 422, 404: there was nothing under its key
  found,    ///< a read of one key: one of these contents was there
  missing,  ///< a read of one key: there was nothing
  history,  ///< a read of the whole list, or of its end
};

/// One submission of a history that was read.
struct shown_item {
  std::uint32_t key = 0;
  content_set contents = 0; ///< each that it can be, from what was shown of it
};

inline constexpr std::int64_t unanswered = std::numeric_limits<std::int64_t>::max();

/// Times are the simulated world's. What was sent at the very moment of another's answer counts as sent before it.
struct operation {
  claim says = claim::nothing;
  std::uint32_t key = 0;
  content_set contents = 0;                           ///< of a submission exactly one
  std::vector<shown_item> shown;                      ///< of a history, newest first
  bool whole = false;                                 ///< a history: these are all; otherwise there may be older ones
  std::int64_t sent_ns = 0, answered_ns = unanswered; ///< `maybe` and `nothing`: the second one does not matter
};

enum class order : std::uint8_t {
  exists,
  impossible,
  undecided, ///< the search was given up
};

/// Configurations that are looked at for one subject. Real histories take about one an operation.
inline constexpr std::uint64_t order_steps_max = 100'000;

struct order_verdict {
  order is = order::undecided;
  std::uint64_t steps = 0;
  /// When it is impossible: of the shortest beginning that cannot be put in order those whose claims contradict each other, as
  /// far as they could be told from the rest; indices, ascending. Its last answer is among them.
  std::vector<std::size_t> involved;
};

/// Of one subject; in any sequence. Every result but `undecided` is exact.
order_verdict find_order(const std::vector<operation>& history, std::uint64_t steps_max = order_steps_max);

} // namespace epione::simulation
