#include "messages/peer.hpp"

#include "domain/msgpack.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <xxhash.h>

namespace epione::messages {

using domain::append_array_header;
using domain::append_bin;
using domain::append_int;
using domain::append_map_header;
using domain::append_string;
using domain::append_uint;
using domain::msgpack_reader;
using domain::msgpack_type;
using domain::msgpack_value;

namespace {

constexpr std::string_view envelope_magic = "EPE", hello_magic = "EPH";
constexpr char format = 1;
constexpr std::size_t header_bytes = 3 + 1 + 8;
constexpr std::size_t name_bytes_max = 255; // of a text in a hello; who reads it has limits of its own

constexpr std::uint64_t envelope_parcels = 1;
enum raft_member : std::uint64_t {
  r_kind = 1,
  r_version,
  r_peer,
  r_term,
  r_index,
  r_index_term,
  r_commit,
  r_rejected,
  r_features,
  r_capacity,
  r_flags,
  r_entries,
  r_stamp
};
enum hello_member : std::uint64_t {
  h_protocol_min = 1,
  h_protocol_max,
  h_node,
  h_cluster,
  h_version,
  h_server_id,
  h_incarnation,
};
constexpr std::uint64_t flag_granted = 1, flag_pre_vote = 2, flag_disrupt_leader = 4;
constexpr std::uint32_t parcel_values = 3, entry_values = 3;

tl::unexpected<std::string> failed(std::string sentence) {
  return tl::unexpected<std::string>{std::move(sentence)};
}

/// Not inlined: GCC 12 would warn of a copy beyond a short string that is none.
[[gnu::noinline]] std::string sentence(std::string_view what, std::string_view is) {
  std::string out{what};
  out += is;
  return out;
}

// ---- framing ---------------------------------------------------------------------------------------------------------

/// Room for the header, which seal() fills in.
std::string begin(std::size_t reserve) {
  std::string out;
  out.reserve(header_bytes + reserve);
  out.resize(header_bytes);
  return out;
}

void seal(std::string& out, std::string_view magic) {
  std::copy(magic.begin(), magic.end(), out.begin());
  out[magic.size()] = format;
  const std::uint64_t sum = XXH64(out.data() + header_bytes, out.size() - header_bytes, 0);
  for (std::size_t i = 0; i < 8; ++i)
    out[magic.size() + 1 + i] = static_cast<char>(static_cast<std::uint8_t>(sum >> (8 * i)));
}

/// What follows the header.
tl::expected<std::string_view, std::string> open(std::string_view bytes, std::string_view magic, const char* what) {
  if (bytes.size() < header_bytes || bytes.substr(0, magic.size()) != magic)
    return failed(sentence("the bytes are no ", what));
  if (bytes[magic.size()] != format)
    return failed(std::string{what} + " format " + std::to_string(static_cast<std::uint8_t>(bytes[magic.size()])) +
                  " is unknown to this version, which reads format " + std::to_string(int{format}));
  std::uint64_t sum = 0;
  for (std::size_t i = 8; i-- > 0;)
    sum = sum << 8 | static_cast<std::uint8_t>(bytes[magic.size() + 1 + i]);
  const auto content = bytes.substr(header_bytes);
  if (XXH64(content.data(), content.size(), 0) != sum)
    return failed("the " + std::string{what} + " was damaged on its way: its checksum is another");
  return content;
}

// ---- maps with numbered members ----------------------------------------------------------------------------------------

/// Calls `member(number, reader)` for each; it reads exactly the value and returns an error sentence or an empty text. Gives the
/// set of members that were there. A number above 63 is skipped.
tl::expected<std::uint64_t, std::string> read_members(msgpack_reader& in, const std::string& what,
                                                      const std::function<std::string(std::uint64_t, msgpack_reader&)>& member) {
  const auto map = in.next();
  if (map.type != msgpack_type::map || map.count > in.rest().size() / 2)
    return failed(sentence(what, " is no map"));
  std::uint64_t seen = 0;
  for (std::uint32_t i = 0; i < map.count; ++i) {
    std::string_view name;
    const auto before = in.rest();
    if (!in.skip(name))
      return failed(sentence(what, " ends too early"));
    msgpack_reader key{before.substr(0, name.size())};
    const auto number = key.next();
    if (!number.is_uint64() || number.integer > 63) {
      if (!in.skip())
        return failed(sentence(what, " ends too early"));
      continue;
    }
    const auto bit = std::uint64_t{1} << number.integer;
    if ((seen & bit) != 0)
      return failed(what + " has member " + std::to_string(number.integer) + " twice");
    seen |= bit;
    std::string problem = member(number.integer, in);
    if (!problem.empty())
      return failed(std::move(problem));
  }
  return seen;
}

constexpr std::uint64_t bits(std::initializer_list<std::uint64_t> members) {
  std::uint64_t result = 0;
  for (const auto m : members)
    result |= std::uint64_t{1} << m;
  return result;
}

/// Of one of our own numbers: an error sentence, or empty.
template <class T>
std::string take_number(msgpack_reader& in, T& out, const char* what) {
  const auto v = in.next();
  if constexpr (std::is_signed_v<T>) {
    if (!v.is_int64())
      return sentence(what, " is no number");
    out = v.as_int64();
  } else {
    if (!v.is_uint64() || v.integer > std::numeric_limits<T>::max())
      return sentence(what, " is no number, or out of range");
    out = static_cast<T>(v.integer);
  }
  return {};
}

std::string take_name(msgpack_reader& in, std::string& out, const char* what) {
  const auto v = in.next();
  if (v.type != msgpack_type::string || v.text.size() > name_bytes_max)
    return sentence(what, " is no text, or longer than 255 bytes");
  static_assert(name_bytes_max == 255);
  if (std::any_of(v.text.begin(), v.text.end(), [](char c) { return c <= ' ' || c > '~'; }))
    return sentence(what, " has characters other than printable ASCII");
  out = v.text;
  return {};
}

std::string skip(msgpack_reader& in) {
  return in.skip() ? std::string{} : std::string{"the bytes end in the middle of a value"};
}

/// Skips what a later version put behind the values this one knows.
bool skip_rest(msgpack_reader& in, std::uint32_t count, std::uint32_t known) {
  for (std::uint32_t i = known; i < count; ++i)
    if (!in.skip())
      return false;
  return true;
}

// ---- Raft ------------------------------------------------------------------------------------------------------------

void append_member(std::string& out, std::uint64_t member, std::uint64_t value) {
  append_uint(out, member);
  append_uint(out, value);
}

std::uint64_t flags_of(const raft_message& m) {
  return (m.granted ? flag_granted : 0) | (m.pre_vote ? flag_pre_vote : 0) | (m.disrupt_leader ? flag_disrupt_leader : 0);
}

void append_entries(std::string& out, const raft_message& m) {
  append_array_header(out, static_cast<std::uint32_t>(m.entries.size()));
  auto expected = m.index;
  for (const auto& e : m.entries) {
    if (e.index != ++expected)
      throw std::logic_error("entries of a message are not those behind its index");
    append_array_header(out, entry_values);
    append_uint(out, e.term);
    append_uint(out, static_cast<std::uint64_t>(e.type));
    append_bin(out, *e.data);
  }
}

/// Members that are 0 are left out, but for those every message has.
void append_message(std::string& out, const raft_message& m) {
  const std::pair<raft_member, std::uint64_t> optional[]{
      {r_version, m.version},   {r_index, m.index},       {r_index_term, m.index_term},
      {r_commit, m.commit},     {r_rejected, m.rejected}, {r_features, m.features},
      {r_capacity, m.capacity}, {r_flags, flags_of(m)},   {r_stamp, m.stamp_ms > 0 ? static_cast<std::uint64_t>(m.stamp_ms) : 0}};
  std::uint32_t members = m.entries.empty() ? 3 : 4;
  for (const auto& [member, value] : optional)
    members += value != 0 ? 1 : 0;
  append_map_header(out, members);
  append_member(out, r_kind, static_cast<std::uint64_t>(m.kind));
  append_member(out, r_peer, m.peer);
  append_member(out, r_term, m.term);
  for (const auto& [member, value] : optional)
    if (value != 0)
      append_member(out, member, value);
  if (!m.entries.empty()) {
    append_uint(out, r_entries);
    append_entries(out, m);
  }
}

std::string take_entries(msgpack_reader& in, log_entries& out, const envelope_limits& limits) {
  const auto list = in.next();
  if (list.type != msgpack_type::array || list.count > in.rest().size() / (entry_values + 1))
    return "entries are no list, or more than there are bytes for";
  if (list.count > limits.entries_max)
    return "a message has " + std::to_string(list.count) + " entries; at most " + std::to_string(limits.entries_max) +
           " are allowed";
  out.reserve(list.count);
  for (std::uint32_t i = 0; i < list.count; ++i) {
    const auto header = in.next();
    const auto term = in.next();
    const auto type = in.next();
    const auto data = in.next();
    if (header.type != msgpack_type::array || header.count < entry_values || !term.is_uint64() || !type.is_uint64() ||
        data.type != msgpack_type::bin || !skip_rest(in, header.count, entry_values))
      return "an entry is damaged";
    if (type.integer < static_cast<std::uint64_t>(entry_type::command) ||
        type.integer > static_cast<std::uint64_t>(entry_type::change))
      return "an entry has type " + std::to_string(type.integer) + ", which this version does not know";
    out.push_back({0, term.integer, static_cast<entry_type>(type.integer), std::make_shared<const std::string>(data.text)});
  }
  return {};
}

std::string take_kind(msgpack_reader& in, message_kind& out) {
  std::uint64_t kind = 0;
  if (auto problem = take_number(in, kind, "the kind of a message"); !problem.empty())
    return problem;
  if (kind < static_cast<std::uint64_t>(message_kind::append_entries) ||
      kind > static_cast<std::uint64_t>(message_kind::timeout_now))
    return "a message has kind " + std::to_string(kind) + ", which this version does not know";
  out = static_cast<message_kind>(kind);
  return {};
}

std::string take_flags(msgpack_reader& in, raft_message& m) {
  std::uint64_t flags = 0;
  auto problem = take_number(in, flags, "the flags of a message");
  m.granted = (flags & flag_granted) != 0;
  m.pre_vote = (flags & flag_pre_vote) != 0;
  m.disrupt_leader = (flags & flag_disrupt_leader) != 0;
  return problem;
}

std::string take_stamp(msgpack_reader& in, std::int64_t& out) {
  const auto v = in.next();
  if (!v.is_int64() || v.as_int64() < 0)
    return "the time of a message is none";
  out = v.as_int64();
  return {};
}

tl::expected<raft_message, std::string> read_message(msgpack_reader& in, const envelope_limits& limits) {
  raft_message m;
  const auto seen = read_members(in, "a message", [&](std::uint64_t member, msgpack_reader& r) -> std::string {
    switch (member) {
      case r_kind: return take_kind(r, m.kind);
      case r_version: return take_number(r, m.version, "the version of a message");
      case r_peer: return take_number(r, m.peer, "the peer of a message");
      case r_term: return take_number(r, m.term, "the term of a message");
      case r_index: return take_number(r, m.index, "the index of a message");
      case r_index_term: return take_number(r, m.index_term, "the term of an index");
      case r_commit: return take_number(r, m.commit, "the commit index of a message");
      case r_rejected: return take_number(r, m.rejected, "the rejected index of a message");
      case r_features: return take_number(r, m.features, "the features of a message");
      case r_capacity: return take_number(r, m.capacity, "the capacity of a message");
      case r_flags: return take_flags(r, m);
      case r_stamp: return take_stamp(r, m.stamp_ms);
      case r_entries: return take_entries(r, m.entries, limits);
      default: return skip(r);
    }
  });
  if (!seen)
    return failed(seen.error());
  constexpr auto needed = bits({r_kind, r_peer, r_term});
  if ((*seen & needed) != needed)
    return failed("a message has no kind, peer or term");
  if (!m.entries.empty() && m.kind != message_kind::append_entries)
    return failed("a message that carries no entries has some");
  if (m.index > std::numeric_limits<std::uint64_t>::max() - m.entries.size())
    return failed("the index of a message is out of range");
  for (std::size_t i = 0; i < m.entries.size(); ++i)
    m.entries[i].index = m.index + 1 + i;
  return m;
}

} // namespace

// ---- envelopes -------------------------------------------------------------------------------------------------------

std::string encode_envelope(std::span<const parcel> parcels) {
  std::size_t bytes = envelope_overhead;
  for (const auto& p : parcels)
    bytes += parcel_overhead + p.bytes->size();
  auto out = begin(bytes);
  append_map_header(out, 1);
  append_uint(out, envelope_parcels);
  append_array_header(out, static_cast<std::uint32_t>(parcels.size()));
  for (const auto& p : parcels) {
    append_array_header(out, parcel_values);
    append_uint(out, static_cast<std::uint64_t>(p.kind));
    append_uint(out, p.to);
    append_bin(out, *p.bytes);
  }
  seal(out, envelope_magic);
  return out;
}

namespace {

std::string take_parcels(msgpack_reader& in, std::vector<parcel>& out, const envelope_limits& limits) {
  const auto list = in.next();
  if (list.type != msgpack_type::array || list.count > in.rest().size() / (parcel_values + 1))
    return "the envelope's parcels are no list, or more than it has bytes for";
  if (list.count > limits.parcels_max)
    return "the envelope has " + std::to_string(list.count) + " parcels; at most " + std::to_string(limits.parcels_max) +
           " are allowed";
  out.reserve(list.count);
  for (std::uint32_t i = 0; i < list.count; ++i) {
    const auto header = in.next();
    const auto kind = in.next();
    const auto to = in.next();
    const auto bytes = in.next();
    if (header.type != msgpack_type::array || header.count < parcel_values || !kind.is_uint64() || !to.is_uint64() ||
        bytes.type != msgpack_type::bin || !skip_rest(in, header.count, parcel_values))
      return "parcel " + std::to_string(i) + " of the envelope is damaged";
    if (kind.integer >= static_cast<std::uint64_t>(parcel_kind::raft) &&
        kind.integer <= static_cast<std::uint64_t>(parcel_kind::chunk))
      out.push_back({static_cast<parcel_kind>(kind.integer), to.integer, std::make_shared<const std::string>(bytes.text)});
  }
  return {};
}

} // namespace

tl::expected<std::vector<parcel>, std::string> decode_envelope(std::string_view bytes, const envelope_limits& limits) {
  if (bytes.size() > limits.envelope_bytes_max)
    return failed("the envelope has " + std::to_string(bytes.size()) + " bytes; at most " +
                  std::to_string(limits.envelope_bytes_max) + " are allowed");
  const auto content = open(bytes, envelope_magic, "envelope");
  if (!content)
    return failed(content.error());
  msgpack_reader in{*content};
  std::vector<parcel> parcels;
  const auto seen = read_members(in, "the envelope", [&](std::uint64_t member, msgpack_reader& r) {
    return member == envelope_parcels ? take_parcels(r, parcels, limits) : skip(r);
  });
  if (!seen)
    return failed(seen.error());
  if ((*seen & bits({envelope_parcels})) == 0)
    return failed("the envelope has no parcels");
  if (!in.at_end())
    return failed("something follows the envelope");
  return parcels;
}

std::string encode_raft(std::span<const raft_message> messages) {
  std::string out;
  std::size_t bytes = 8;
  for (const auto& m : messages)
    bytes += encoded_size(m);
  out.reserve(bytes);
  append_array_header(out, static_cast<std::uint32_t>(messages.size()));
  for (const auto& m : messages)
    append_message(out, m);
  return out;
}

tl::expected<std::vector<raft_message>, std::string> decode_raft(std::string_view bytes, const envelope_limits& limits) {
  msgpack_reader in{bytes};
  const auto list = in.next();
  if (list.type != msgpack_type::array || list.count > in.rest().size())
    return failed("the messages are no list, or more than there are bytes for");
  if (list.count > limits.messages_max)
    return failed(std::to_string(list.count) + " messages in one parcel; at most " + std::to_string(limits.messages_max) +
                  " are allowed");
  std::vector<raft_message> result;
  for (std::uint32_t i = 0; i < list.count; ++i) {
    auto m = read_message(in, limits);
    if (!m)
      return failed(std::move(m.error()));
    result.push_back(std::move(*m));
  }
  if (!in.at_end())
    return failed("something follows the messages");
  return result;
}

std::size_t encoded_size(const raft_message& message) {
  std::size_t bytes = 100;
  for (const auto& e : message.entries)
    bytes += e.data->size() + 16;
  return bytes;
}

// ---- small ones ------------------------------------------------------------------------------------------------------

std::string encode(const ping& x) {
  std::string out;
  append_array_header(out, 2);
  append_int(out, x.mono_ns);
  append_int(out, x.wall_us);
  return out;
}

std::string encode(const pong& x) {
  std::string out;
  append_array_header(out, 3);
  for (const auto value : {x.ping_mono_ns, x.ping_wall_us, x.wall_us})
    append_int(out, value);
  return out;
}

namespace {

/// An array that begins with these numbers.
tl::expected<void, std::string> read_numbers(std::string_view bytes, std::initializer_list<std::int64_t*> numbers,
                                             const char* what) {
  msgpack_reader in{bytes};
  const auto list = in.next();
  if (list.type != msgpack_type::array || list.count < numbers.size())
    return failed(std::string{what} + " is no list of " + std::to_string(numbers.size()) + " numbers");
  for (auto* n : numbers)
    if (auto problem = take_number(in, *n, what); !problem.empty())
      return failed(std::move(problem));
  if (!skip_rest(in, list.count, static_cast<std::uint32_t>(numbers.size())) || !in.at_end())
    return failed(sentence("something follows the ", what));
  return {};
}

} // namespace

tl::expected<ping, std::string> decode_ping(std::string_view bytes) {
  ping x;
  return read_numbers(bytes, {&x.mono_ns, &x.wall_us}, "ping").map([&] { return x; });
}

tl::expected<pong, std::string> decode_pong(std::string_view bytes) {
  pong x;
  return read_numbers(bytes, {&x.ping_mono_ns, &x.ping_wall_us, &x.wall_us}, "pong").map([&] { return x; });
}

std::string encode(const hello& x) {
  auto out = begin(256);
  append_map_header(out, 7);
  append_member(out, h_protocol_min, x.protocol_min);
  append_member(out, h_protocol_max, x.protocol_max);
  append_uint(out, h_node);
  append_string(out, x.node);
  append_uint(out, h_cluster);
  append_string(out, x.cluster);
  append_uint(out, h_version);
  append_string(out, x.version);
  append_member(out, h_server_id, x.server_id);
  append_member(out, h_incarnation, x.incarnation);
  seal(out, hello_magic);
  return out;
}

tl::expected<hello, std::string> decode_hello(std::string_view bytes) {
  const auto content = open(bytes, hello_magic, "hello");
  if (!content)
    return failed(content.error());
  msgpack_reader in{*content};
  hello x;
  const auto seen = read_members(in, "the hello", [&](std::uint64_t member, msgpack_reader& r) -> std::string {
    switch (member) {
      case h_protocol_min: return take_number(r, x.protocol_min, "the lowest protocol version");
      case h_protocol_max: return take_number(r, x.protocol_max, "the highest protocol version");
      case h_node: return take_name(r, x.node, "the node's name");
      case h_cluster: return take_name(r, x.cluster, "the cluster's id");
      case h_version: return take_name(r, x.version, "the program's version");
      case h_server_id: return take_number(r, x.server_id, "the server id");
      case h_incarnation: return take_number(r, x.incarnation, "the incarnation");
      default: return skip(r);
    }
  });
  if (!seen)
    return failed(seen.error());
  constexpr auto needed = bits({h_protocol_min, h_protocol_max, h_node});
  if ((*seen & needed) != needed || x.node.empty() || x.protocol_min > x.protocol_max)
    return failed("the hello has no name or no range of protocol versions");
  if (!in.at_end())
    return failed("something follows the hello");
  return x;
}

} // namespace epione::messages
