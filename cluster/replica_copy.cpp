#include "cluster/replica_copy.hpp"

#include "runtime/directory.hpp"
#include "runtime/storage/shard_store.hpp"

#include <algorithm>
#include <memory>

namespace epione::cluster {

using namespace messages;

void replica_copy::on_offer(const raft_message& m, const std::string& node) {
  if (m.term < standing_.core()->term() || fetching_ || has_all(m.index, m.index_term))
    return;
  auto fetcher = replica_.env.directory->get<snapshot_fetcher_actor>("fetcher");
  if (fetcher == nullptr)
    return; // the leader offers it again
  fetching_ = true;
  replica_.self->monitor(fetcher);
  fetcher_ = fetcher.address();
  replica_.env.log.info(replica_.name, "fetches another member's store",
                        {{"node", node}, {"behind", m.index - std::min(m.index, standing_.core()->log().last())}});
  replica_.self->send(fetcher, fetch_atom::value, replica_.options.group, node);
}

void replica_copy::on_down(const caf::actor_addr& who) {
  if (fetching_ && who == fetcher_)
    fetching_ = false;
}

bool replica_copy::has_all(std::uint64_t index, std::uint64_t term) const {
  return index <= standing_.core()->commit_index() || standing_.core()->log().term_of(index) == term;
}

bool replica_copy::is_here() const {
  return replica_.env.disk.exists(runtime::incoming_path(replica_.env.data_directory, replica_.options.group));
}

void replica_copy::discard() const {
  static_cast<void>(replica_.env.disk.discard(runtime::incoming_path(replica_.env.data_directory, replica_.options.group)));
}

void replica_copy::on_log_replaced() {
  const auto point = std::make_shared<const snapshot_point>(std::move(*installing_));
  installing_.reset();
  const auto name = "store " + std::to_string(replica_.options.group);
  if (auto store = replica_.env.directory->get<shard_store_actor>(name); store != nullptr)
    replica_.self->send(store, install_atom::value, point);
}

} // namespace epione::cluster
