// Reads of one shard: each waits until what it must not miss is known, then for the store to have applied that, and is answered
// by a reader of the store.
#pragma once

#include "actors/region_standing.hpp"
#include "actors/region_table.hpp"
#include "runtime/environment.hpp"

#include <cstdint>
#include <map>
#include <unordered_map>

namespace epione::actors {

class region_reads {
public:
  region_reads(region_pointer self, const runtime::environment& env, const region_standing& standing, region_table& table,
               std::uint32_t request_limit_ms)
      : self_(self), env_(env), standing_(standing), table_(table), request_limit_ms_(request_limit_ms) {}

  void on_read(messages::ticket t, const messages::read_request_ptr& what, const messages::list_client& client);
  /// The replica's word: what was committed when it was asked; 0: it may not answer reads.
  void on_index(std::uint64_t epoch, messages::ticket t, std::uint64_t index);
  /// The store has applied up to here.
  void on_applied(std::uint64_t index);
  /// What became of the submission is known: if it is stored, it is among what is committed now.
  void on_settled(const domain::receipt& id);
  void refuse_all(ec why);
  /// The gateway has answered what is older than its limit.
  void drop_late();

private:
  struct read {
    messages::ticket to = 0;
    messages::read_request_ptr what;
    messages::list_client client;
    std::int64_t asked_ns = 0;
  };

  void ask_index(read r);
  void read_now(const read& r);
  void refuse(const read& r, ec why);

  region_pointer self_;
  const runtime::environment& env_;
  const region_standing& standing_;
  region_table& table_;
  std::uint32_t request_limit_ms_;
  std::unordered_map<messages::ticket, read> asked_;     ///< waiting for the replica's index
  std::multimap<std::uint64_t, read> held_;              ///< waiting for the store to apply up to the key
  std::unordered_multimap<domain::receipt, read> after_; ///< waiting for the outcome of this submission
};

} // namespace epione::actors
