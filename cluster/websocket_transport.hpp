// Links of production: WebSocket over TLS 1.2 or newer, both ends with certificates of the cluster's authorities.
//
// The node with the smaller name dials, again and again with growing pauses; the other one accepts. Certificates are files that
// may be exchanged while the node runs: they are looked at every few seconds, taken once they are whole and good, and then every
// link is made anew with them; a bad file is reported and changes nothing.
#pragma once

#include "cluster/peer_tls.hpp"
#include "cluster/peer_transport.hpp"
#include "runtime/defaults.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>

namespace epione::runtime {
class clock;
class log;
class metrics;
class random_source;
} // namespace epione::runtime

namespace epione::cluster {

struct websocket_options {
  std::string address = "127.0.0.1"; ///< an IP address to listen on
  std::uint16_t port = 0;            ///< 0: the kernel chooses one
  tls_files files;
  std::size_t envelope_bytes_max = runtime::defaults::peer_envelope_bytes_max;
  std::size_t queue_bytes_max = runtime::defaults::peer_queue_bytes_max;
  std::uint32_t handshake_limit_ms = runtime::defaults::peer_handshake_limit_ms;
  std::uint32_t idle_limit_ms = runtime::defaults::peer_idle_limit_ms;
  std::uint32_t close_limit_ms = runtime::defaults::peer_close_limit_ms;
  std::uint32_t handshakes_max = runtime::defaults::peer_handshakes_max;
  std::uint32_t dial_ms = runtime::defaults::peer_dial_ms;
  std::uint32_t dial_ms_max = runtime::defaults::peer_dial_ms_max;
  std::uint32_t certificate_look_ms = runtime::defaults::peer_certificate_look_ms;
};

class websocket_transport final : public peer_transport {
public:
  /// All of them outlive the transport.
  websocket_transport(websocket_options options, const local_identity& identity, runtime::log& log, runtime::metrics& metrics,
                      runtime::clock& clock, runtime::random_source& random);
  ~websocket_transport() override; ///< stop()

  /// Before start(): reads the certificates and opens the port, which it answers. Fails with a sentence.
  tl::expected<std::uint16_t, std::string> listen();

  void start(peer_events& events) override;
  void stop() override;
  void keep(const peer_address& address) override;
  void forget(const std::string& node) override;
  void reconnect(const std::string& node) override;
  bool send(const std::string& node, std::shared_ptr<const std::string> envelope) override;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace epione::cluster
