// What an export or a backup reads from: a data directory whose stores hold everything that was acknowledged before it began.
#pragma once

#include "domain/study.hpp"
#include "node/node.hpp"
#include "runtime/config.hpp"
#include "runtime/storage/event_walk.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::cli {

/// Why a command on data did not come about, with the exit code.
struct source_failure {
  int code = 1;
  std::string message;
};
template <class T>
using source_result = tl::expected<T, source_failure>;

/// The exit code that a storage error means: 4 when the data is damaged, else 1.
source_failure failure_of(const runtime::storage_error& why);

tl::unexpected<source_failure> refuse(int code, std::string message);
tl::unexpected<source_failure> refuse(const runtime::storage_error& why);

/// Why the directory of a cluster's member cannot be read while that node does not run.
source_failure does_not_run(const std::string& directory, const std::string& node);

/// Groups that are on other nodes only, as the node that runs on this directory knows; empty when none runs. `name`: that node's.
/// Files of an earlier membership may still be there, and nobody brings them up to date.
std::set<std::uint32_t> groups_elsewhere(const std::string& directory, const std::string& name);

/// Has the node that runs on this directory apply what is committed now and this entry of the log in the store of this group; it
/// answers once that is there. Exit code 3 when no node answers, 1 when it has not by that time. `stop`: see runtime::admin_call.
source_result<void> have_applied(runtime::disk& disk, const std::string& directory, std::uint32_t group, std::uint64_t index,
                                 std::chrono::steady_clock::time_point until, int stop);

/// A directory in one state. On a running node's directory the node is asked to apply what is committed; on a stopped one's this
/// process is its node, without HTTP, for as long as this object lives, which recovers what a crash left.
class data_source {
public:
  /// Waits until all stores have applied what the journal held at the call, up to defaults::export_apply_limit_ms. `tell` gets a
  /// sentence when there is something to wait for.
  /// `command`: that of who asks, for sentences. `stop`: see runtime::admin_call.
  static source_result<data_source> open(const runtime::config& config, const std::function<void(std::string_view)>& tell,
                                         std::string command = "epione export ...", int stop = -1);

  /// Heads of shards 1 to N when it was opened.
  const std::map<std::uint32_t, runtime::chain_head>& heads() const { return heads_; }
  /// Name of the cluster the directory belongs to.
  const std::string& cluster() const { return cluster_; }
  const std::string& directory() const { return directory_; }
  runtime::disk& disk() { return *disk_; }

  using study_versions = std::vector<domain::study_source>;
  /// Every study with its imports, oldest first.
  source_result<std::map<std::string, study_versions>> studies();

  /// Ends the node, if there is one, and says whether it ended well.
  source_result<void> close();

private:
  using time_point = std::chrono::steady_clock::time_point;
  source_result<void> reach_node(const runtime::config& config, const std::function<void(std::string_view)>& tell,
                                 time_point until);
  source_result<void> has_every_shard() const;
  source_result<void> apply_all(std::uint32_t shards, time_point until);
  source_result<void> apply(std::uint32_t shard, std::uint64_t index, time_point until);
  source_result<void> read_heads(std::uint32_t shards);

  std::string directory_, cluster_, command_;
  int stop_ = -1;
  std::unique_ptr<runtime::disk> disk_ = runtime::make_system_disk();
  std::unique_ptr<node::node> node_; ///< null: another process serves
  std::map<std::uint32_t, runtime::chain_head> heads_;
};

} // namespace epione::cli
