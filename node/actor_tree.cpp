#include "node/actor_tree.hpp"

#include "actors/admin_console.hpp"
#include "actors/anchor_keeper.hpp"
#include "actors/catalog.hpp"
#include "actors/console_bridge.hpp"
#include "actors/fhir.hpp"
#include "actors/gateway.hpp"
#include "actors/journal_writer.hpp"
#include "actors/notifier.hpp"
#include "actors/outbox.hpp"
#include "actors/shard_region.hpp"
#include "actors/shard_store.hpp"
#include "actors/storage_writer.hpp"
#include "actors/store_reader.hpp"
#include "actors/validator.hpp"
#include "cluster/replica.hpp"
#include "cluster/router.hpp"
#include "cluster/snapshot_fetcher.hpp"
#include "cluster/snapshot_server.hpp"
#include "cluster/steward.hpp"
#include "domain/fhir_outcome.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "runtime/process.hpp"

#include <algorithm>
#include <cstdlib>

namespace epione::node {

using namespace messages;
using actors::child_spec;
using actors::supervision_strategy;

namespace {

/// Any one actor; supervisors get the whole limit, because they wait for theirs.
constexpr auto actor_stop_limit_ms = runtime::defaults::child_stop_limit_ms;

template <class Handle>
caf::strong_actor_ptr pointer_to(const Handle& h) {
  return caf::actor_cast<caf::strong_actor_ptr>(h);
}

child_spec permanent(std::string name, std::uint32_t stop_limit_ms, std::function<caf::strong_actor_ptr()> start) {
  return {std::move(name), actors::child_kind::permanent, stop_limit_ms, std::move(start)};
}

std::vector<actors::console_link> links_of(const cluster_parts& parts) {
  std::vector<actors::console_link> links;
  for (auto& p : parts.peers.all()) {
    actors::console_link l;
    l.node = std::move(p.node);
    l.linked = p.linked;
    l.since_us = p.since_us;
    l.version = std::move(p.version);
    l.why = std::move(p.why);
    l.round_trip_ns = p.round_trip_ns;
    l.clock_offset_us = p.clock_offset_us;
    l.clock_alarm = p.clock_alarm;
    l.sent_bytes = p.sent_bytes;
    l.received_bytes = p.received_bytes;
    l.in_flight_bytes = p.in_flight_bytes;
    l.dropped = p.dropped;
    links.push_back(std::move(l));
  }
  return links;
}

std::optional<double> load_of_machine() {
  double of_a_minute = 0;
  return ::getloadavg(&of_a_minute, 1) == 1 ? std::optional{of_a_minute} : std::nullopt;
}

} // namespace

int exit_code_of(const caf::error& end) {
  if (!end || end == caf::exit_reason::user_shutdown)
    return runtime::exit_code::done;
  return runtime::code_of(end) == ec::damaged ? runtime::exit_code::problems : runtime::exit_code::failed;
}

actors::console_cluster console_cluster_of(const cluster_parts& parts) {
  return {parts.name, parts.nodes, parts.shards, [&parts] { return links_of(parts); }};
}

actor_tree::actor_tree(caf::actor_system& system, const tree_ports& ports, const runtime::config& config, bool detached)
    : system_(system), sink_(ports.sink), other_channels_(ports.other_channels), config_(config), kinds_(ports.kinds),
      notices_(ports.notices), cluster_id_(ports.cluster_id), replica_memory_bytes_max_(ports.replica_memory_bytes_max),
      cluster_(ports.cluster),
      environment_(ports.log, ports.metrics, ports.clock, ports.random, ports.disk, ports.faults,
                   std::make_shared<runtime::directory>(), detached, config.data.directory, ports.process) {
  readiness_.set("catalog", "the studies are being read");
  for (std::uint32_t g = 1; g <= config_.shards.count; ++g)
    readiness_.set("shard " + std::to_string(g), "starting");
}

actor_tree::~actor_tree() {
  forget_actors();
}

void actor_tree::forget_actors() {
  environment_.directory->clear();
  std::lock_guard guard{gateway_->mutex};
  gateway_->actor = nullptr;
}

caf::strong_actor_ptr actor_tree::start_cluster() {
  auto& c = *cluster_;
  std::vector<child_spec> children;
  children.push_back(permanent("links", actor_stop_limit_ms, [this, &c] {
    cluster::link_keeper_options options;
    options.node = c.name;
    options.known = c.known;
    options.link.clock_offset_max_ms = config_.peers.clock_offset_max_ms;
    return pointer_to(runtime::spawn_actor(system_, environment_, cluster::link_keeper, options, std::ref(c.transport),
                                           std::cref(c.identity), std::ref(c.peers), std::cref(c.nodes)));
  }));
  children.push_back(permanent("router", actor_stop_limit_ms, [this, &c] {
    cluster::router_options options;
    options.node = c.name;
    options.shards = config_.shards.count;
    options.request_limit_ms = config_.http.request_limit_ms;
    options.under_way_max = config_.admission.requests_in_flight_max;
    return pointer_to(
        runtime::spawn_actor(system_, environment_, cluster::router, options, std::cref(c.peers), std::ref(c.shards)));
  }));
  children.push_back(permanent("snapshots", actor_stop_limit_ms, [this] {
    return pointer_to(runtime::spawn_blocking(system_, environment_, cluster::snapshot_server));
  }));
  children.push_back(permanent("fetcher", actor_stop_limit_ms, [this] {
    return pointer_to(runtime::spawn_blocking(system_, environment_, cluster::snapshot_fetcher));
  }));
  auto beside = start_supervisor("cluster", supervision_strategy::one_for_one, std::move(children));
  environment_.directory->put("cluster", beside); // nobody's child, and to be seen all the same
  return beside;
}

caf::strong_actor_ptr actor_tree::start() {
  auto top = start_supervisor("node", supervision_strategy::rest_for_one, node_children());
  top_ = caf::weak_actor_ptr{top.get()};
  return top;
}

caf::strong_actor_ptr actor_tree::start_console(std::function<void()> request_stop) {
  actors::console_ports ports;
  ports.shards = config_.shards.count;
  ports.readers = config_.readers.count;
  ports.tops = {{"node", top_}};
  if (cluster_ != nullptr)
    ports.cluster.emplace(console_cluster_of(*cluster_));
  ports.request_stop = std::move(request_stop);
  ports.started_ns = environment_.clock.now_ns();
  ports.load = load_of_machine;
  std::vector<child_spec> children;
  children.push_back(permanent("console", actor_stop_limit_ms, [this, ports] {
    return pointer_to(runtime::spawn_actor(system_, environment_, actors::admin_console, ports));
  }));
  if (cluster_ != nullptr)
    children.push_back(permanent("console bridge", actor_stop_limit_ms, [this] {
      return pointer_to(runtime::spawn_actor(system_, environment_, actors::console_bridge));
    }));
  auto beside = start_supervisor("operations", supervision_strategy::one_for_one, std::move(children));
  environment_.directory->put("operations", beside); // nobody's child, and to be seen all the same
  return beside;
}

void actor_tree::submit(ticket t, submission_ptr s) {
  if (auto g = gateway(); g != nullptr)
    caf::anon_send(g, submit_atom::value, t, std::move(s));
  else
    sink_.deliver(
        {{t, 503, R"({"error":"this node is starting; try again","outcome":"not_stored"})", config_.http.retry_after_s}});
}

void actor_tree::read(ticket t, read_request_ptr r) {
  if (auto g = gateway(); g != nullptr)
    caf::anon_send(g, read_atom::value, t, std::move(r));
  else
    sink_.deliver({{t, 503, R"({"error":"this node is starting; try again","outcome":"unknown"})", config_.http.retry_after_s}});
}

void actor_tree::fhir(ticket t, fhir_request_ptr r) {
  if (auto g = gateway(); g != nullptr)
    caf::anon_send(g, fhir_atom::value, t, std::move(r));
  else
    sink_.deliver({{t, 503, domain::outcome_text("transient", "this node is starting; try again", "not_stored"),
                    config_.http.retry_after_s}});
}

admin_console_actor actor_tree::console() const {
  return environment_.directory->get<admin_console_actor>("console");
}

catalog_actor actor_tree::catalog() const {
  return environment_.directory->get<catalog_actor>("catalog");
}

gateway_actor actor_tree::gateway() const {
  std::lock_guard guard{gateway_->mutex};
  return gateway_->actor;
}

caf::strong_actor_ptr actor_tree::start_supervisor(std::string name, supervision_strategy strategy,
                                                   std::vector<child_spec> children) {
  actors::supervisor_options options;
  options.strategy = strategy;
  options.restarts_max = config_.supervision.restarts_max;
  options.restart_period_ms = config_.supervision.restart_period_ms;
  return pointer_to(
      runtime::spawn_actor(system_, environment_, actors::supervisor, std::move(name), options, std::move(children)));
}

std::vector<child_spec> actor_tree::node_children() {
  const auto all = config_.stop.limit_ms;
  std::vector<child_spec> children;
  children.push_back(permanent("journal", actor_stop_limit_ms, [this] {
    return pointer_to(runtime::spawn_blocking(
        system_, environment_, actors::journal_writer,
        runtime::journal_options{config_.storage.journal_checkpoint_bytes, config_.storage.disk_reserve_bytes}));
  }));
  children.push_back(permanent("validators", all, [this] {
    std::vector<child_spec> validators;
    for (std::uint32_t i = 0; i < config_.validators.count; ++i) {
      auto name = "validator " + std::to_string(i);
      validators.push_back(permanent(name, actor_stop_limit_ms, [this, name] {
        return pointer_to(runtime::spawn_actor(system_, environment_, actors::validator, name, std::cref(catalog_view_)));
      }));
    }
    return start_supervisor("validators", supervision_strategy::one_for_one, std::move(validators));
  }));
  children.push_back(permanent("readers", all, [this] {
    std::vector<child_spec> readers;
    for (std::uint32_t i = 0; i < config_.readers.count; ++i) {
      auto name = "reader " + std::to_string(i);
      readers.push_back(permanent(name, actor_stop_limit_ms, [this, name] {
        return pointer_to(runtime::spawn_blocking(system_, environment_, actors::store_reader, name));
      }));
    }
    return start_supervisor("readers", supervision_strategy::one_for_one, std::move(readers));
  }));
  if (notices_)
    children.push_back(permanent("notifiers", all, [this] {
      return start_supervisor("notifiers", supervision_strategy::one_for_one, notifier_children());
    }));
  children.push_back(permanent("shards", all, [this] {
    std::vector<child_spec> groups;
    for (std::uint32_t g = 0; g <= config_.shards.count; ++g) {
      auto name = "shard " + std::to_string(g);
      groups.push_back(permanent(name, config_.stop.limit_ms, [this, name, g] {
        return start_supervisor(name, supervision_strategy::rest_for_one, group_children(g));
      }));
    }
    return start_supervisor("shards", supervision_strategy::one_for_one, std::move(groups));
  }));
  if (cluster_ != nullptr)
    children.push_back(permanent("steward", actor_stop_limit_ms, [this] {
      auto& c = *cluster_;
      cluster::steward_options options{c.name, c.cluster, c.server_id, config_.shards.count, c.peer, c.http, c.founding};
      return pointer_to(runtime::spawn_actor(system_, environment_, cluster::steward, options, std::cref(c.nodes),
                                             std::ref(c.shards), std::cref(c.peers)));
    }));
  children.push_back(permanent("gateway", actor_stop_limit_ms, [this] {
    actors::gateway_options options;
    options.shards = config_.shards.count;
    if (cluster_ != nullptr)
      options.cluster = {&cluster_->shards, runtime::defaults::leader_wait_ms};
    options.in_flight_per_shard_max = config_.admission.in_flight_per_shard_max;
    options.request_limit_ms = config_.http.request_limit_ms;
    options.retry_after_s = config_.http.retry_after_s;
    auto g = runtime::spawn_actor(system_, environment_, actors::gateway, options, std::ref(sink_), std::cref(catalog_view_));
    caf::actor_cast<caf::abstract_actor*>(g)->attach_functor([newest = gateway_, address = g.address()](const caf::error&) {
      std::lock_guard guard{newest->mutex};
      if (newest->actor != nullptr && newest->actor.address() == address)
        newest->actor = nullptr; // requests are refused at once from now on
    });
    {
      std::lock_guard guard{gateway_->mutex};
      gateway_->actor = g;
    }
    sink_.abandon_all(); // what the last gateway had in hand; some of this one's may be among it, which a retry settles
    return pointer_to(g);
  }));
  children.push_back(permanent("fhir", actor_stop_limit_ms, [this] {
    actors::fhir_options options;
    options.shards = config_.shards.count;
    options.page_max = config_.http.read_limit_max;
    options.retry_after_s = config_.http.retry_after_s;
    return pointer_to(runtime::spawn_actor(system_, environment_, actors::fhir, options, std::cref(catalog_view_)));
  }));
  if (notices_) // who only reads adds nothing of his own
    children.push_back(permanent("anchors", actor_stop_limit_ms, [this] {
      actors::anchor_keeper_options options;
      options.cluster = cluster_id_;
      options.shards = config_.shards.count;
      if (cluster_ != nullptr) {
        options.node = cluster_->name;
        options.view = &cluster_->shards;
      }
      return pointer_to(runtime::spawn_blocking(system_, environment_, actors::anchor_keeper, options));
    }));
  return children;
}

/// One for each channel of the configuration, and one for whatever has none.
std::vector<child_spec> actor_tree::notifier_children() {
  auto channels = config_.channels;
  if (std::none_of(channels.begin(), channels.end(), [](const auto& c) { return c.name == "log"; }))
    channels.push_back(runtime::default_channel(kinds_, "log", "log"));
  std::vector<child_spec> children;
  for (const auto& c : channels) {
    auto name = "notifier " + c.name;
    children.push_back(permanent(name, actor_stop_limit_ms, [this, name, options = actors::notifier_options_of(c, kinds_)] {
      return pointer_to(runtime::spawn_actor(system_, environment_, actors::notifier, name, options,
                                             actors::recipient_finder{[this](const std::string& study, const std::string& id) {
                                               return find_recipient(study, id);
                                             }}));
    }));
  }
  return children;
}

/// Until the catalog has been read nobody is gone.
tl::expected<domain::recipient, actors::recipient_absence> actor_tree::find_recipient(const std::string& study,
                                                                                      const std::string& id) const {
  if (!catalog_view_.ready())
    return tl::unexpected(actors::recipient_absence::not_known_yet);
  const auto snapshot = catalog_view_.get();
  const auto found = snapshot->studies.find(study);
  if (found == snapshot->studies.end())
    return tl::unexpected(actors::recipient_absence::gone);
  const auto* who = found->second->find_recipient(id);
  return who != nullptr ? tl::expected<domain::recipient, actors::recipient_absence>{*who}
                        : tl::unexpected(actors::recipient_absence::gone);
}

std::vector<child_spec> actor_tree::group_children(std::uint32_t group) {
  const auto n = std::to_string(group);
  std::vector<child_spec> children;
  children.push_back(permanent("replica " + n, actor_stop_limit_ms, [this, group] {
    cluster::replica_options options{group};
    options.memory_bytes_max = replica_memory_bytes_max_;
    if (cluster_ != nullptr) {
      options.server_id = cluster_->server_id;
      options.address = cluster_->name;
      options.bootstrap = cluster_->founder;
      options.view = &cluster_->shards;
    }
    return pointer_to(runtime::spawn_actor(system_, environment_, cluster::replica, options, epochs_));
  }));
  children.push_back(permanent("store " + n, config_.stop.limit_ms, [this, group] {
    actors::shard_store_options options{group};
    options.apply_rows_max = config_.storage.apply_rows_max;
    options.apply_delay_ms = config_.storage.apply_delay_ms;
    options.checkpoint_bytes = config_.storage.store_checkpoint_bytes;
    options.turn = checkpoint_turn_;
    return pointer_to(runtime::spawn_blocking(system_, environment_, actors::shard_store, options));
  }));
  if (group == 0) {
    children.push_back(permanent("catalog", actor_stop_limit_ms, [this] {
      if (cluster_ != nullptr)
        return pointer_to(runtime::spawn_blocking(system_, environment_, actors::catalog_of_cluster, std::ref(catalog_view_),
                                                  std::ref(readiness_), std::ref(cluster_->nodes), std::cref(cluster_->shards)));
      return pointer_to(
          runtime::spawn_blocking(system_, environment_, actors::catalog, std::ref(catalog_view_), std::ref(readiness_)));
    }));
    return children;
  }
  children.push_back(permanent("writer " + n, actor_stop_limit_ms, [this, group] {
    actors::storage_writer_options options{config_.batch.commands_max, static_cast<std::size_t>(config_.batch.bytes_max)};
    return pointer_to(runtime::spawn_actor(system_, environment_, actors::storage_writer, group, options));
  }));
  children.push_back(permanent("region " + n, actor_stop_limit_ms, [this, group] {
    actors::shard_region_options options;
    options.shard = group;
    options.validators = config_.validators.count;
    options.readers = config_.readers.count;
    options.store_lag_max = config_.admission.store_lag_max;
    options.store_lag_bytes_max = config_.admission.store_lag_bytes_max;
    options.request_limit_ms = config_.http.request_limit_ms;
    options.sessions_max = std::max(1u, config_.sessions.per_node_max / config_.shards.count);
    options.session_idle_limit_ms = config_.sessions.idle_limit_ms;
    options.session_starts_per_s = config_.sessions.starts_per_s;
    options.validator_crashes_max = config_.validators.crashes_max;
    options.retry_after_s = config_.http.retry_after_s;
    return pointer_to(runtime::spawn_actor(system_, environment_, actors::shard_region, options, std::ref(readiness_)));
  }));
  if (!notices_)
    return children;
  children.push_back(permanent("outbox " + n, actor_stop_limit_ms, [this, group] {
    actors::outbox_options options;
    options.shard = group;
    options.readers = config_.readers.count;
    options.channels = other_channels_;
    for (const auto& c : config_.channels)
      options.channels.insert(c.name);
    return pointer_to(runtime::spawn_actor(system_, environment_, actors::outbox, options));
  }));
  return children;
}

} // namespace epione::node
