// What messages that cross between nodes are read and written with.
#pragma once

#include "domain/ids.hpp"
#include "domain/msgpack.hpp"
#include "domain/msgpack_fields.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace epione::messages {

using wire_reader = domain::field_reader;

inline void append_id(std::string& out, const domain::id128& x) {
  domain::append_bin(out, {reinterpret_cast<const char*>(x.bytes.data()), x.bytes.size()});
}

} // namespace epione::messages
