// Who belongs to a group, as its log stores it: libraft's encoding, read with bounds that the library does not check.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::cluster {

/// Numbers are libraft's.
enum class server_role : std::uint8_t { stand_by = 0, voter = 1, spare = 2 };

struct server {
  std::uint64_t id = 0; ///< never 0, never used again for another server
  std::string address;
  server_role role = server_role::voter;
};
using configuration = std::vector<server>;

/// Throws invariant_violation for an empty configuration, id 0, a doubled id or address, and an address with a zero byte.
std::string encode_configuration(const configuration& servers);

/// Fails with a sentence that says what is wrong.
tl::expected<configuration, std::string> decode_configuration(std::string_view bytes);

/// Who belongs to it and as what, the same for the same members in whatever order: "1 voter, 4 stand-by".
std::string roster(configuration servers);

std::size_t voter_count(const configuration& servers);

} // namespace epione::cluster
