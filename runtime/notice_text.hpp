// What a notice says to a person, in that person's language. The one place for these texts.
#pragma once

#include "domain/notice_route.hpp"
#include "messages/notice.hpp"
#include "messages/outgoing.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace epione::runtime {

/// "SHARD-SEQ-RULE-CHANNEL-RECIPIENT": names the notice for ever, so that a receiver can drop what it has had. The rule of a
/// submission's notice is "-". What is not a letter, a digit or '_' in a name is written as %XX, so that no two notices share a
/// key and it can stand in any header.
std::string message_key(const messages::notice& n);

/// One message to `to`: of one notice, or of several merged. `address` is the recipient's in the channel. A merged message's key
/// is made of its notices' keys: the same notices, the same key.
messages::outgoing compose(const std::vector<const messages::notice*>& notices, const domain::recipient& to, std::string address);

/// A message of nothing, marked as a test, as `epione channel test` sends it. `key` names it.
messages::outgoing compose_test(std::string key, std::string channel, std::string address, std::string_view language,
                                std::int64_t wall_us);

/// How many of the first notices fit a text of `bytes_max`; at least 1.
std::size_t fitting(const std::vector<const messages::notice*>& notices, const domain::recipient& to, std::size_t bytes_max);

/// Whether there are texts in this language; others get English.
bool is_known_language(std::string_view language);

} // namespace epione::runtime
