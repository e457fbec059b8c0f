#include "domain/command.hpp"

#include "domain/msgpack.hpp"
#include "domain/unreadable.hpp"

#include <cstring>
#include <utility>

namespace epione::domain {

namespace {

constexpr std::uint64_t batch_format = 1;
constexpr std::uint32_t command_members = 5;

std::string_view text_of(const id128& x) {
  return {reinterpret_cast<const char*>(x.bytes.data()), x.bytes.size()};
}

bool read_id(const msgpack_value& v, id128& x) {
  if (v.type != msgpack_type::bin || v.text.size() != x.bytes.size())
    return false;
  std::memcpy(x.bytes.data(), v.text.data(), x.bytes.size());
  return true;
}

tl::unexpected<std::string> damaged(std::size_t command, const char* what) {
  return unreadable("command " + std::to_string(command) + " of the batch: " + what);
}

} // namespace

std::string encode_batch(const std::vector<command>& commands) {
  std::size_t bytes = 8;
  for (const auto& c : commands)
    bytes += c.event.size() + 52; // what lies around an event, at most
  std::string out;
  out.reserve(bytes);
  append_array_header(out, 2);
  append_uint(out, batch_format);
  append_array_header(out, static_cast<std::uint32_t>(commands.size()));
  for (const auto& c : commands) {
    append_array_header(out, command_members);
    append_uint(out, static_cast<std::uint64_t>(c.type));
    append_uint(out, c.subject_hash);
    append_bin(out, text_of(c.id));
    append_bin(out, text_of(c.content));
    append_bin(out, c.event);
  }
  return out;
}

tl::expected<std::vector<command_view>, std::string> decode_batch(std::string_view bytes) {
  msgpack_reader r{bytes};
  const auto outer = r.next();
  const auto format = r.next();
  if (outer.type != msgpack_type::array || outer.count != 2 || !format.is_uint64())
    return unreadable("the batch does not begin as one");
  if (format.integer != batch_format)
    return unreadable("batch format " + std::to_string(format.integer) + " is unknown to this version, which reads format " +
                      std::to_string(batch_format));
  const auto list = r.next();
  if (list.type != msgpack_type::array)
    return unreadable("the batch holds no list of commands");
  if (list.count > r.rest().size() / command_members) // so that a damaged count takes no memory
    return unreadable("the batch promises more commands than it has bytes for");
  std::vector<command_view> commands;
  commands.reserve(list.count);
  for (std::size_t i = 0; i < list.count; ++i) {
    const auto header = r.next();
    const auto type = r.next();
    const auto hash = r.next();
    if (header.type != msgpack_type::array || header.count != command_members || !type.is_uint64() || !hash.is_uint64())
      return damaged(i, "it is damaged");
    command_view c{};
    if (type.integer < static_cast<std::uint64_t>(command_type::submission) ||
        type.integer > static_cast<std::uint64_t>(command_type::amendment_with_notices))
      return damaged(i, "its type is unknown to this version");
    c.type = static_cast<command_type>(type.integer);
    c.subject_hash = hash.integer;
    if (!read_id(r.next(), c.id) || !read_id(r.next(), c.content))
      return damaged(i, "its receipt or fingerprint is damaged");
    const auto event = r.next();
    if (event.type != msgpack_type::bin)
      return damaged(i, "its event is damaged");
    c.event = event.text;
    commands.push_back(c);
  }
  if (!r.at_end())
    return unreadable("something follows the batch");
  return commands;
}

} // namespace epione::domain
