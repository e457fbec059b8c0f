#include "domain/chain.hpp"

#include "domain/digest.hpp"

namespace epione::domain {

chain_hash chain_origin(std::uint32_t shard) {
  chain_hash hash;
  digest<32>().add("epione chain").add_integer(shard).finish(hash);
  return hash;
}

chain_hash chain_next(const chain_hash& before, std::uint64_t seq, std::string_view event_bytes) {
  chain_hash hash;
  digest<32>().add({reinterpret_cast<const char*>(before.data()), before.size()}).add_integer(seq).add(event_bytes).finish(hash);
  return hash;
}

} // namespace epione::domain
