#include "runtime/admin_frame.hpp"

#include "domain/msgpack.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <xxhash.h>

namespace epione::runtime {

namespace {

using domain::msgpack_reader;
using domain::msgpack_type;
using text_map = std::map<std::string, std::string>;

constexpr std::string_view magic = "EPA1";
constexpr char version = 1;

tl::unexpected<std::string> failed(std::string sentence) {
  return tl::unexpected<std::string>{std::move(sentence)};
}

void append_texts(std::string& out, const text_map& texts) {
  domain::append_map_header(out, static_cast<std::uint32_t>(texts.size()));
  for (const auto& [name, value] : texts) {
    domain::append_string(out, name);
    domain::append_bin(out, value); // a file's bytes need not be text
  }
}

bool read_texts(msgpack_reader& in, text_map& out) {
  const auto map = in.next();
  if (map.type != msgpack_type::map)
    return false;
  for (std::uint32_t i = 0; i < map.count; ++i) {
    const auto name = in.next();
    const auto value = in.next();
    if (name.type != msgpack_type::string || value.type != msgpack_type::bin)
      return false;
    out.insert_or_assign(std::string{name.text}, std::string{value.text});
  }
  return true;
}

bool read_name(msgpack_reader& in, std::string_view wanted) {
  const auto name = in.next();
  return name.type == msgpack_type::string && name.text == wanted;
}

template <class Number>
void append_little_endian(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof(value); ++i)
    out += static_cast<char>((value >> (8 * i)) & 0xff);
}

template <class Number>
Number little_endian(std::string_view bytes) {
  Number out = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;)
    out = static_cast<Number>(static_cast<Number>(out << 8) | static_cast<unsigned char>(bytes[i]));
  return out;
}

/// Waits until the socket is ready. False: the time is up.
/// Fails with `late` when the time is over.
tl::expected<void, std::string> wait_for(int socket, short events, admin_deadline until, int stop, const char* late) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0)
      return failed(late);
    std::array<pollfd, 2> p{{{socket, events, 0}, {stop, POLLIN, 0}}}; // a negative one is left out
    const int n = ::poll(p.data(), p.size(), static_cast<int>(std::min<long long>(left, 60'000)));
    if (n > 0 && p[0].revents != 0)
      return {};
    if (n > 0)
      return failed("asked to stop before it had answered");
    if (n < 0 && errno != EINTR)
      return failed(late);
  }
}

/// Appends `count` bytes.
tl::expected<void, std::string> receive_bytes(int socket, std::size_t count, std::string& out, admin_deadline until, int stop) {
  constexpr std::size_t part_max = 1u << 20; // memory follows what really arrives, not what a header claims
  while (count > 0) {
    const auto part = std::min(count, part_max);
    const auto start = out.size();
    out.resize(start + part);
    const auto n = ::recv(socket, out.data() + start, part, 0);
    const int why = errno;
    out.resize(start + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n == 0)
      return failed("the other side closed the connection");
    if (n < 0 && why != EAGAIN && why != EWOULDBLOCK && why != EINTR)
      return failed(std::string{"reading failed: "} + std::strerror(why));
    if (n < 0)
      if (auto ready = wait_for(socket, POLLIN, until, stop, "nothing arrived within the time limit"); !ready)
        return ready;
    count -= static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  }
  return {};
}

} // namespace

std::string encode(const admin_request& request) {
  std::string out;
  domain::append_map_header(out, 2);
  domain::append_string(out, "command");
  domain::append_string(out, request.command);
  domain::append_string(out, "arguments");
  append_texts(out, request.arguments);
  return out;
}

std::string encode(const admin_reply& reply) {
  std::string out;
  domain::append_map_header(out, 3);
  domain::append_string(out, "code");
  domain::append_int(out, reply.code);
  domain::append_string(out, "message");
  domain::append_bin(out, reply.message);
  domain::append_string(out, "values");
  append_texts(out, reply.values);
  return out;
}

tl::expected<admin_request, std::string> decode_admin_request(std::string_view payload) {
  msgpack_reader in{payload};
  const auto map = in.next();
  admin_request out;
  bool fits = map.type == msgpack_type::map && map.count == 2 && read_name(in, "command");
  const auto command = in.next();
  fits =
      fits && command.type == msgpack_type::string && read_name(in, "arguments") && read_texts(in, out.arguments) && in.at_end();
  if (!fits)
    return failed("the request is not {\"command\", \"arguments\"}");
  out.command = command.text;
  return out;
}

tl::expected<admin_reply, std::string> decode_admin_reply(std::string_view payload) {
  msgpack_reader in{payload};
  const auto map = in.next();
  admin_reply out;
  bool fits = map.type == msgpack_type::map && map.count == 3 && read_name(in, "code");
  const auto code = in.next();
  fits = fits && code.is_int64() && read_name(in, "message");
  const auto message = in.next();
  fits = fits && message.type == msgpack_type::bin && read_name(in, "values") && read_texts(in, out.values) && in.at_end();
  if (!fits)
    return failed("the reply is not {\"code\", \"message\", \"values\"}");
  out.code = static_cast<int>(code.as_int64());
  out.message = message.text;
  return out;
}

std::string admin_frame(std::string_view payload) {
  std::string out{magic};
  out.reserve(admin_header_bytes + payload.size());
  out += version;
  append_little_endian(out, static_cast<std::uint32_t>(payload.size()));
  append_little_endian(out, std::uint64_t{XXH64(payload.data(), payload.size(), 0)});
  out += payload;
  return out;
}

tl::expected<admin_frame_header, std::string> parse_admin_header(std::string_view header, std::size_t bytes_max) {
  if (header.size() != admin_header_bytes || header.substr(0, magic.size()) != magic)
    return failed("the other side does not speak the admin protocol");
  header.remove_prefix(magic.size());
  if (header.front() != version)
    return failed("the other side speaks version " + std::to_string(static_cast<unsigned char>(header.front())) +
                  " of the admin protocol, this program version " + std::to_string(version) +
                  "; use the same program as the node");
  header.remove_prefix(1);
  admin_frame_header out;
  out.length = little_endian<std::uint32_t>(header);
  out.checksum = little_endian<std::uint64_t>(header.substr(4));
  if (out.length > bytes_max)
    return failed("a frame of " + std::to_string(out.length) + " bytes is larger than the limit of " + std::to_string(bytes_max));
  return out;
}

bool admin_payload_intact(const admin_frame_header& header, std::string_view payload) {
  return payload.size() == header.length && XXH64(payload.data(), payload.size(), 0) == header.checksum;
}

tl::expected<void, std::string> send_admin_frame(int socket, std::string_view frame, admin_deadline until, int stop) {
  while (!frame.empty()) {
    const auto n = ::send(socket, frame.data(), frame.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      frame.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
      return failed(std::string{"sending failed: "} + std::strerror(errno));
    if (auto ready = wait_for(socket, POLLOUT, until, stop, "the other side did not take what was sent within the time limit");
        !ready)
      return ready;
  }
  return {};
}

tl::expected<std::string, std::string> receive_admin_frame(int socket, std::size_t bytes_max, admin_deadline until, int stop) {
  std::string head, payload;
  if (auto got = receive_bytes(socket, admin_header_bytes, head, until, stop); !got)
    return failed(std::move(got.error()));
  const auto header = parse_admin_header(head, bytes_max);
  if (!header)
    return failed(header.error());
  if (auto got = receive_bytes(socket, header->length, payload, until, stop); !got)
    return failed(std::move(got.error()));
  if (!admin_payload_intact(*header, payload))
    return failed("a frame was damaged on its way");
  return payload;
}

admin_address::admin_address(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto directory = slash == std::string::npos ? std::string{"."} : path.substr(0, std::max<std::size_t>(slash, 1));
  directory_ = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory_ < 0)
    return;
  path_ = "/proc/self/fd/" + std::to_string(directory_) + "/" + name;
  if (path_.size() >= sizeof(sockaddr_un::sun_path)) {
    path_.clear();
    errno = ENAMETOOLONG;
  }
}

admin_address::~admin_address() {
  if (directory_ >= 0)
    ::close(directory_);
}

} // namespace epione::runtime
