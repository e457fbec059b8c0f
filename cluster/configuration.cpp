#include "cluster/configuration.hpp"

#include "cluster/invariant.hpp"
#include "cluster/raft_core.h"

#include <algorithm>
#include <cstddef>

namespace epione::cluster {

namespace {

constexpr std::uint8_t encoding_version = 1;
constexpr std::size_t servers_max = 64; // five voters and their stand-bys; a larger number is damage

tl::expected<configuration, std::string> refuse(std::string why) {
  return tl::unexpected("configuration: " + std::move(why));
}

std::uint64_t little_endian(std::string_view eight) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= std::uint64_t{static_cast<std::uint8_t>(eight[i])} << (8 * i);
  return value;
}

} // namespace

std::string encode_configuration(const configuration& servers) {
  invariant(!servers.empty(), "a configuration has at least one server");
  std::vector<std::uint64_t> ids;
  std::vector<const char*> addresses;
  std::vector<int> roles;
  for (const auto& x : servers) {
    invariant(x.id != 0, "a server's id is not 0");
    invariant(x.address.find('\0') == std::string::npos, "an address holds no zero byte");
    ids.push_back(x.id);
    addresses.push_back(x.address.c_str());
    roles.push_back(static_cast<int>(x.role));
  }
  std::size_t size = 0;
  void* bytes =
      epione_raft_encode_configuration(ids.data(), addresses.data(), roles.data(), static_cast<std::uint32_t>(ids.size()), &size);
  invariant(bytes != nullptr, "a configuration names each id and address once");
  std::string result(static_cast<const char*>(bytes), size);
  epione_raft_free_bytes(bytes);
  return result;
}

tl::expected<configuration, std::string> decode_configuration(std::string_view bytes) {
  if (bytes.size() < 9)
    return refuse("too short");
  if (static_cast<std::uint8_t>(bytes[0]) != encoding_version)
    return refuse("unknown version " + std::to_string(static_cast<std::uint8_t>(bytes[0])));
  const auto count = little_endian(bytes.substr(1));
  if (count == 0 || count > servers_max)
    return refuse("has " + std::to_string(count) + " servers, expected 1 to " + std::to_string(servers_max));
  bytes.remove_prefix(9);
  configuration servers;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (bytes.size() < 8)
      return refuse("ends in server " + std::to_string(i + 1));
    server x;
    x.id = little_endian(bytes);
    bytes.remove_prefix(8);
    const auto end = bytes.find('\0');
    if (end == std::string_view::npos || bytes.size() < end + 2)
      return refuse("ends in server " + std::to_string(i + 1));
    x.address = bytes.substr(0, end);
    const auto role = static_cast<std::uint8_t>(bytes[end + 1]);
    if (x.id == 0 || role > static_cast<std::uint8_t>(server_role::spare))
      return refuse("server " + std::to_string(i + 1) + " has no id or an unknown role");
    x.role = static_cast<server_role>(role);
    if (std::any_of(servers.begin(), servers.end(), [&](const server& y) { return x.id == y.id || x.address == y.address; }))
      return refuse("names server " + std::to_string(x.id) + " or its address twice");
    bytes.remove_prefix(end + 2);
    servers.push_back(std::move(x));
  }
  return servers;
}

std::string roster(configuration servers) {
  std::sort(servers.begin(), servers.end(), [](const server& a, const server& b) { return a.id < b.id; });
  std::string out;
  for (const auto& x : servers)
    out += (out.empty() ? "" : ", ") + std::to_string(x.id) + (x.role == server_role::voter ? " voter" : " stand-by");
  return out;
}

std::size_t voter_count(const configuration& servers) {
  return static_cast<std::size_t>(
      std::count_if(servers.begin(), servers.end(), [](const server& x) { return x.role == server_role::voter; }));
}

} // namespace epione::cluster
