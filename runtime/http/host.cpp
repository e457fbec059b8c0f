#include "runtime/http/host.hpp"

#include "runtime/http/head.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <sys/socket.h>

namespace epione::runtime::http {

namespace {

using std::string_view;

/// Strict: four decimal parts, so that nothing is read here differently than by the client.
bool is_loopback(int family, string_view text) {
  std::array<char, INET6_ADDRSTRLEN> literal{};
  if (text.size() >= literal.size())
    return false;
  text.copy(literal.data(), text.size());
  if (family == AF_INET) {
    in_addr four{};
    return ::inet_pton(AF_INET, literal.data(), &four) == 1 && (ntohl(four.s_addr) >> 24) == 127;
  }
  in6_addr six{};
  return ::inet_pton(AF_INET6, literal.data(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six) != 0;
}

/// Empty, or a colon and digits.
bool is_port(string_view text) {
  return text.empty() ||
         (text.front() == ':' && std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; }));
}

} // namespace

bool names_this_machine(string_view authority) {
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    return end != string_view::npos && is_port(authority.substr(end + 1)) && is_loopback(AF_INET6, authority.substr(1, end - 1));
  }
  const auto colon = std::min(authority.find(':'), authority.size());
  const auto host = authority.substr(0, colon);
  return is_port(authority.substr(colon)) && (equal_ignoring_case(host, "localhost") || is_loopback(AF_INET, host));
}

} // namespace epione::runtime::http
