// Notices: that something was stored or is alarming, for people. A notice names study, site, subject, form, rule and receipt;
// never an answer or a score.
#pragma once

#include "domain/ids.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace epione::messages {

/// Where a notice comes from: the `number`-th notice of the event `seq` of a shard. It names the notice for ever, so that a
/// receiver can drop what it has had already.
struct notice_key {
  std::uint32_t shard = 0;
  std::uint64_t seq = 0;
  std::uint32_t number = 0;
  friend auto operator<=>(const notice_key&, const notice_key&) = default;
};

/// One notice to one recipient through one channel.
struct notice {
  notice_key key;
  std::string study, site, subject, form;
  std::string rule; ///< of the alert; empty: a submission was stored
  domain::receipt id{};
  std::string channel;        ///< its name in the study file
  std::string recipient;      ///< its id in the study file
  bool urgent = true;         ///< false: the recipient's quiet hours hold it back
  std::int64_t raised_us = 0; ///< wall clock when the submission was stored
};
using notices = std::vector<notice>;
using notices_ptr = std::shared_ptr<const notices>;

/// What became of a notice that was to be sent.
struct notice_outcome {
  notice_key key;
  bool sent = false;      ///< false: given up, a dead letter
  std::string reason;     ///< of a dead letter: a sentence for an operator
  std::int64_t at_us = 0; ///< wall clock
};
using notice_outcomes = std::vector<notice_outcome>;
using notice_outcomes_ptr = std::shared_ptr<const notice_outcomes>;

} // namespace epione::messages
