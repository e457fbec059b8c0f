#include "node/http_side.hpp"

#include <utility>

namespace epione::node {

void forwarding_sink::deliver(messages::replies batch) {
  if (auto* to = to_.load())
    to->deliver(std::move(batch));
}

void forwarding_sink::abandon_all() {
  if (auto* to = to_.load())
    to->abandon_all();
}

std::string forwarding_sink::body_buffer() {
  auto* to = to_.load();
  return to != nullptr ? to->body_buffer() : std::string{};
}

std::optional<std::string> http_side::start(const runtime::config& config, actor_tree& tree, const cluster_parts* cluster) {
  admitted_ = std::make_unique<runtime::admission>(config.admission.requests_in_flight_max);
  looked_up_ = std::make_unique<node_metrics>(around_.metrics, *admitted_, tree.directory());
  if (cluster != nullptr)
    cluster_looked_up_ = std::make_unique<cluster_metrics>(around_.metrics, *cluster, config.shards.count);
  const auto look_up = [this] {
    looked_up_->refresh();
    if (cluster_looked_up_)
      cluster_looked_up_->refresh();
  };
  server_ = std::make_unique<runtime::http_server>(runtime::http_options_of(config),
                                                   runtime::http_surroundings{tree.catalog_view(), around_.metrics, *around_.log,
                                                                              around_.clock, around_.random, tree.readiness(),
                                                                              *admitted_, look_up});
  sink_.set(server_.get());
  auto endpoint = server_->start(tree);
  if (!endpoint)
    return endpoint.error();
  const bool six = endpoint->address.find(':') != std::string::npos;
  address_ = "http://" + (six ? "[" + endpoint->address + "]" : endpoint->address) + ":" + std::to_string(endpoint->port);
  around_.log->info("node", "HTTP listens", {{"address", address_}});
  return std::nullopt;
}

void http_side::stop_accepting() {
  if (server_)
    server_->stop_accepting();
}

void http_side::wait_until_idle(std::chrono::milliseconds limit) {
  if (server_ && !server_->wait_until_idle(limit))
    around_.log->warning("node", "not every client took its answer", {{"connections", std::uint64_t{server_->connections()}}});
}

void http_side::abandon_all() {
  if (server_)
    server_->abandon_all();
}

void http_side::stop() {
  if (server_)
    server_->stop();
}

} // namespace epione::node
