// What a node has for its clients beside its tree: the HTTP server, what it admits, and the numbers that /metrics looks up.
#pragma once

#include "node/actor_tree.hpp"
#include "node/cluster_metrics.hpp"
#include "node/cluster_parts.hpp"
#include "node/node_metrics.hpp"
#include "node/node_surroundings.hpp"
#include "runtime/admission.hpp"
#include "runtime/config.hpp"
#include "runtime/front.hpp"
#include "runtime/http/http_server.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace epione::node {

/// Passes replies on to what is set, if anything. The HTTP server needs the tree's catalog and the tree needs the server's inbox;
/// this breaks the circle. Thread-safe.
class forwarding_sink final : public runtime::reply_sink {
public:
  void set(runtime::reply_sink* to) { to_ = to; }
  void deliver(messages::replies batch) override;
  void abandon_all() override;
  std::string body_buffer() override;

private:
  std::atomic<runtime::reply_sink*> to_{nullptr};
};

/// Made before the tree, which sends its replies here; outlives the tree's actors.
class http_side {
public:
  explicit http_side(node_surroundings& around) : around_(around) {}

  /// Where replies go, whether it has started or not.
  runtime::reply_sink& sink() { return sink_; }
  /// Once. Listens and serves; `cluster`: null when the node is alone. Fails with a sentence.
  std::optional<std::string> start(const runtime::config& config, actor_tree& tree, const cluster_parts* cluster);
  /// "http://127.0.0.1:8080"; empty: it has not started.
  const std::string& address() const { return address_; }

  // Nothing of these does anything unless it has started; http_server.hpp says what they do.
  void stop_accepting();
  /// Logs how many clients are still there when the limit passes.
  void wait_until_idle(std::chrono::milliseconds limit);
  void abandon_all();
  void stop();
  /// Replies go nowhere any more.
  void forget_server() { sink_.set(nullptr); }

private:
  node_surroundings& around_;
  forwarding_sink sink_;
  std::unique_ptr<runtime::admission> admitted_;
  std::unique_ptr<node_metrics> looked_up_;
  std::unique_ptr<cluster_metrics> cluster_looked_up_; ///< null: the node is alone
  std::unique_ptr<runtime::http_server> server_;       ///< null: not started
  std::string address_;
};

} // namespace epione::node
