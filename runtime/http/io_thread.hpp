// One HTTP thread: its event loop, its connections, and the inbox through which other threads reach it.
#pragma once

#include "messages/submission.hpp"
#include "runtime/http/http_server.hpp"
#include "runtime/reply_buffers.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace epione::runtime::http {

/// What the threads of one server share.
struct server_state {
  explicit server_state(metrics& numbers) : bodies(numbers, defaults::reply_buffers_max, defaults::reply_buffer_bytes_max) {}
  reply_buffers bodies; ///< long ones, on their way between whoever writes them and the threads
  std::atomic<std::size_t> connections{0};
  /// One fewer; wakes who waits for the last.
  void leave() {
    if (connections.fetch_sub(1, std::memory_order_acq_rel) != 1)
      return;
    const std::lock_guard guard{idle_mutex};
    idle.notify_all();
  }
  std::mutex idle_mutex;
  std::condition_variable idle; ///< no connection is left
  /// Where a thread hands an accepted socket to; set before the threads start.
  std::vector<class io_thread*> threads;
};

/// Bits of a ticket: thread, slot, generation (connection.hpp).
inline constexpr unsigned ticket_slot_bits = 18;
inline constexpr unsigned threads_max = 64;

class io_thread {
public:
  io_thread(unsigned number, const http_options& options, const http_surroundings& around, front& behind, server_state& shared);
  ~io_thread(); ///< stop()
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  /// Starts the thread. One of them gets the listening socket, which it owns from then on; the others -1.
  void start(int listener);

  // From any thread:
  void deliver(messages::replies&& replies);
  void abandon_all();
  /// Takes over an accepted socket.
  void adopt(int socket);
  void drain();
  void stop();

  static unsigned thread_of(messages::ticket t) { return static_cast<unsigned>(t >> (64 - 6)); }

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace epione::runtime::http
