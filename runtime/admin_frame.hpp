// Frames of the admin socket: how a request or a reply lies on the wire, and how it is sent and received within a time limit.
#pragma once

#include "runtime/admin_socket.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::runtime {

inline constexpr std::size_t admin_header_bytes = 4 + 1 + 4 + 8;

/// msgpack {"command", "arguments"} and {"code", "message", "values"}.
std::string encode(const admin_request& request);
std::string encode(const admin_reply& reply);
/// Nothing else than exactly these members is taken. Fails with a sentence.
tl::expected<admin_request, std::string> decode_admin_request(std::string_view payload);
tl::expected<admin_reply, std::string> decode_admin_reply(std::string_view payload);

/// Header and payload.
std::string admin_frame(std::string_view payload);

/// Length and checksum of a frame whose header this is. Fails for another magic, version, or a length above the limit.
struct admin_frame_header {
  std::size_t length = 0;
  std::uint64_t checksum = 0;
};
tl::expected<admin_frame_header, std::string> parse_admin_header(std::string_view header, std::size_t bytes_max);
bool admin_payload_intact(const admin_frame_header& header, std::string_view payload);

using admin_deadline = std::chrono::steady_clock::time_point;

/// Both take a non-blocking socket and fail with a sentence: time limit, connection closed, damaged frame, or `stop` is readable
/// (-1: nobody asks to stop).
tl::expected<void, std::string> send_admin_frame(int socket, std::string_view frame, admin_deadline until, int stop = -1);
tl::expected<std::string, std::string> receive_admin_frame(int socket, std::size_t bytes_max, admin_deadline until,
                                                           int stop = -1);

/// Address of a socket file, however long its path is: a Unix address takes 107 bytes, so it is named through its directory,
/// which is kept open.
class admin_address {
public:
  explicit admin_address(const std::string& path);
  ~admin_address();
  admin_address(const admin_address&) = delete;
  admin_address& operator=(const admin_address&) = delete;
  /// Empty when the directory could not be opened (errno says why) or the file's own name is too long.
  const std::string& path() const { return path_; }

private:
  int directory_ = -1;
  std::string path_;
};

} // namespace epione::runtime
