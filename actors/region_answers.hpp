// What a shard's region answers, gathered for each receiver until the message that the region handles is done with.
#pragma once

#include "actors/region_metrics.hpp"
#include "actors/region_standing.hpp"
#include "actors/region_table.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::actors {

class region_answers {
public:
  region_answers(region_pointer self, region_metrics& metrics, std::uint32_t retry_after_s)
      : self_(self), metrics_(metrics), retry_after_s_(retry_after_s) {}

  void answer(const messages::reply_receiver& to, messages::reply r);
  /// `body`: JSON (reply_text.hpp).
  void answer(const region_table::waiter& w, int status, std::string body);
  /// To a later request under a key whose submission is durable. `event`: entry::event().
  void answer_settled(const region_table::waiter& w, const domain::receipt& id, const domain::fingerprint& first,
                      const std::string& results, std::string_view event);
  /// 503 to all of them. `known`: of what they sent.
  void not_now(const region_table::waiters& who, std::string_view sentence, messages::outcome known);
  void not_now(const region_table::waiter& w, std::string_view sentence, messages::outcome known);
  /// 503: the shard is led by another node now, or soon.
  void not_here(const region_table::waiters& who, std::string_view sentence, messages::outcome known);
  void not_here(const region_table::waiter& w, std::string_view sentence, messages::outcome known);

  /// What has gathered.
  void send();

private:
  void refuse(const region_table::waiter& w, std::string_view sentence, messages::outcome known, messages::elsewhere hint);

  region_pointer self_;
  region_metrics& metrics_;
  std::uint32_t retry_after_s_;
  std::vector<std::pair<messages::reply_receiver, messages::replies_ptr>> outgoing_;
};

} // namespace epione::actors
