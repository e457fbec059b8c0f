// What a node says to the others of the groups it leads, a few times a second: where they are led, and how far their members are.
#pragma once

#include "runtime/shard_view.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::cluster {

struct claims {
  std::map<std::uint32_t, runtime::group_view> led;
  bool draining = false; ///< it gives its leaderships away
};

std::string encode_claims(const claims& c);
/// Fails with a sentence. Each is led by `node`, who says so.
tl::expected<claims, std::string> decode_claims(std::string_view bytes, const std::string& node);

} // namespace epione::cluster
