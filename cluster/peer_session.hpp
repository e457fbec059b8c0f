// One connection between two nodes: TLS, WebSocket, the greeting of both, then envelopes. Beast's headers stay in its source.
//
// Greeting: each side sends its hello; who is content with the other's sends an empty message, who is not closes with the reason.
// So a link is there for both or for neither. All but offer() is called, and calls its owner, on the loop's thread.
#pragma once

#include "cluster/openssl.hpp"
#include "messages/peer.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace epione::cluster {

class peer_session;

class peer_session_owner {
public:
  virtual ~peer_session_owner() = default;
  virtual messages::hello own_hello() = 0;
  /// Whether this one may link; `names`: of its certificate. A sentence when it may not, which it is told.
  virtual std::string admit(peer_session& who, const messages::hello& hello, const std::vector<std::string>& names) = 0;
  virtual void linked(peer_session& who) = 0;
  virtual void received(peer_session& who, std::shared_ptr<const std::string> envelope) = 0;
  /// Last call. `why`: a sentence.
  virtual void ended(peer_session& who, const std::string& why) = 0;
};

struct peer_session_options {
  bool dials = false;
  std::string expected; ///< name of the node that was dialled
  std::string address;  ///< of the other side
  std::size_t envelope_bytes_max = 0, queue_bytes_max = 0;
  std::uint32_t handshake_limit_ms = 0, idle_limit_ms = 0, close_limit_ms = 0;
};

class peer_session : public std::enable_shared_from_this<peer_session> {
public:
  virtual ~peer_session() = default;
  virtual const peer_session_options& options() const = 0;
  /// What the other side said; before that only its address.
  virtual const messages::link_info& info() const = 0;
  virtual bool is_linked() const = 0;
  virtual void start() = 0;
  /// Thread-safe. False: not linked, closing, or more than the limit would wait; what comes into an empty queue is always taken.
  virtual bool offer(std::shared_ptr<const std::string> envelope) = 0;
  /// Sends what waits, then says goodbye with the reason, within a limit. One that is not linked yet is cut.
  virtual void close(const std::string& why) = 0;
  virtual void cut(const std::string& why) = 0;
};

/// `owner` outlives the loop's run.
std::shared_ptr<peer_session> make_peer_session(boost::asio::ip::tcp::socket socket, SSL_CTX* context, peer_session_owner& owner,
                                                peer_session_options options);

} // namespace epione::cluster
