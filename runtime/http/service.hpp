// What all connections of one HTTP thread share.
#pragma once

#include "runtime/clock.hpp"
#include "runtime/http/buffer_pool.hpp"
#include "runtime/http/decode.hpp"
#include "runtime/http/framing.hpp"
#include "runtime/http/http_metrics.hpp"
#include "runtime/http/http_server.hpp"
#include "runtime/reply_buffers.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace epione::runtime::http {

/// Belongs to one thread and is used by it alone.
class service {
public:
  service(const http_options& options, const http_surroundings& around, front& behind, reply_buffers& bodies)
      : options(options), around(around), behind(behind), bodies(bodies), numbers(around.numbers),
        buffers(options.buffered_bytes_max), decoder(options.shard_count, around.random), now_ns(around.time.now_ns()) {}
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  const http_options& options;
  const http_surroundings& around;
  front& behind;
  reply_buffers& bodies; ///< shared with the other threads
  http_metrics numbers;
  buffer_pool buffers;
  submission_decoder decoder;
  std::string out;       ///< the response being framed; kept for its memory
  bool draining = false; ///< each connection is closed after its reply
  std::int64_t now_ns;   ///< of the event being handled

  void refresh_now() { now_ns = around.time.now_ns(); }

  /// For the header Date; made once a second.
  std::string_view date() {
    constexpr std::int64_t second = 1'000'000'000;
    if (date_.empty() || now_ns - dated_ns_ >= second) {
      date_ = imf_date(static_cast<std::time_t>(around.time.wall_us() / 1'000'000));
      dated_ns_ = now_ns;
    }
    return date_;
  }

private:
  std::string date_;
  std::int64_t dated_ns_ = 0;
};

} // namespace epione::runtime::http
