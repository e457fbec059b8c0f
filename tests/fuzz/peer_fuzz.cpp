// What a broken or hostile node could send over a link. The first byte says which reader is tried. Whatever can be read can be
// written again and reads as the same.
#include "messages/peer.hpp"
#include "tests/fuzz/promise.hpp"

#include <algorithm>
#include <cstdint>
#include <xxhash.h>

using namespace epione::messages;
using epione::fuzz::promise;

namespace {

constexpr envelope_limits limits{1u << 20, 256, 256, 256};

bool same(const raft_message& a, const raft_message& b) {
  return a.kind == b.kind && a.version == b.version && a.peer == b.peer && a.term == b.term && a.index == b.index &&
         a.index_term == b.index_term && a.commit == b.commit && a.rejected == b.rejected && a.features == b.features &&
         a.capacity == b.capacity && a.granted == b.granted && a.pre_vote == b.pre_vote && a.disrupt_leader == b.disrupt_leader &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(), [](const auto& x, const auto& y) {
           return x.index == y.index && x.term == y.term && x.type == y.type && *x.data == *y.data;
         });
}

void raft(std::string_view bytes) {
  const auto read = decode_raft(bytes, limits);
  if (!read)
    return promise(!read.error().empty(), "a refusal says why");
  promise(read->size() <= limits.messages_max, "the limit of messages is kept");
  const auto again = decode_raft(encode_raft(*read), limits);
  promise(again && std::equal(again->begin(), again->end(), read->begin(), read->end(), same),
          "messages read as they were written");
}

void envelope(std::string_view bytes) {
  const auto read = decode_envelope(bytes, limits);
  if (!read)
    return promise(!read.error().empty(), "a refusal says why");
  promise(read->size() <= limits.parcels_max, "the limit of parcels is kept");
  const auto again = decode_envelope(encode_envelope(*read), limits);
  promise(again && std::equal(
                       again->begin(), again->end(), read->begin(), read->end(),
                       [](const parcel& a, const parcel& b) { return a.kind == b.kind && a.to == b.to && *a.bytes == *b.bytes; }),
          "an envelope reads as it was written");
}

/// The checksum made right, so that what is behind it is tried.
std::string sealed(std::string_view bytes, std::string_view magic) {
  std::string out{magic};
  out += '\1';
  const std::uint64_t sum = XXH64(bytes.data(), bytes.size(), 0);
  for (int i = 0; i < 8; ++i)
    out += static_cast<char>(static_cast<std::uint8_t>(sum >> (8 * i)));
  return out.append(bytes);
}

void greeting(std::string_view bytes) {
  const auto read = decode_hello(bytes);
  if (!read)
    return promise(!read.error().empty(), "a refusal says why");
  const auto again = decode_hello(encode(*read));
  promise(again && again->node == read->node && again->cluster == read->cluster && again->version == read->version &&
              again->server_id == read->server_id && again->incarnation == read->incarnation,
          "a hello reads as it was written");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0]) {
    case 'r': raft(bytes); break;
    case 'e': envelope(bytes); break;
    case 'E': envelope(sealed(bytes, "EPE")); break;
    case 'h': greeting(bytes); break;
    case 'H': greeting(sealed(bytes, "EPH")); break;
    case 'p':
      decode_ping(bytes);
      decode_pong(bytes);
      break;
    default: break;
  }
  return 0;
}
