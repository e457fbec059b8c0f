#include "cli/data_source.hpp"

#include "domain/event.hpp"
#include "node/data_directory.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/process.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;
namespace defaults = runtime::defaults;
using std::chrono::milliseconds;
using steady_clock = std::chrono::steady_clock;

/// At least one, so that what is asked for with it is tried.
milliseconds left_until(steady_clock::time_point end) {
  return std::max(milliseconds{1}, std::chrono::duration_cast<milliseconds>(end - steady_clock::now()));
}

tl::expected<runtime::admin_reply, runtime::admin_failure> ask_to_apply(const std::string& directory, std::uint32_t group,
                                                                        std::uint64_t index, milliseconds limit, int stop) {
  return runtime::admin_call(
      directory + "/" + runtime::admin_socket_name,
      {"apply-committed",
       {{"group", std::to_string(group)}, {"index", std::to_string(index)}, {"limit_ms", std::to_string(limit.count())}}},
      limit + milliseconds{2 * defaults::admin_io_limit_ms}, stop);
}

} // namespace

source_result<void> have_applied(runtime::disk& disk, const std::string& directory, std::uint32_t group, std::uint64_t index,
                                 steady_clock::time_point until, int stop) {
  const auto asked = ask_to_apply(directory, group, index, left_until(until), stop);
  if (!asked)
    return refuse(exit_code::unreachable, "the node ended while it applied what is committed: " + asked.error().message);
  if (asked->code != exit_code::done)
    return refuse(asked->code, asked->message);
  const auto at = runtime::read_store_position(disk, directory, group);
  if (!at)
    return refuse(at.error());
  if (at->applied >= index)
    return {};
  return refuse(exit_code::failed, runtime::shard_path(directory, group) + " has applied entry " + std::to_string(at->applied) +
                                       ", and entry " + std::to_string(index) +
                                       " is committed; a node of an earlier version answers before it has applied it: "
                                       "restart the node with this program, and try again");
}

tl::unexpected<source_failure> refuse(int code, std::string message) {
  return tl::unexpected<source_failure>({code, std::move(message)});
}

tl::unexpected<source_failure> refuse(const runtime::storage_error& why) {
  return tl::unexpected<source_failure>(failure_of(why));
}

source_failure failure_of(const runtime::storage_error& why) {
  return {why.code == ec::damaged ? exit_code::problems : exit_code::failed, why.message};
}

source_failure does_not_run(const std::string& directory, const std::string& node) {
  return {exit_code::unreachable,
          "node " + node + " of a cluster does not run on " + directory +
              ", and what the others have acknowledged is not all in it; start it, or name the directory of "
              "a node that runs on this machine"};
}

std::set<std::uint32_t> groups_elsewhere(const std::string& directory, const std::string& name) {
  std::set<std::uint32_t> out;
  const auto reply = runtime::admin_call(directory + "/" + runtime::admin_socket_name, {"cluster-status", {}},
                                         milliseconds{defaults::admin_io_limit_ms});
  const auto found = reply ? reply->values.find("json") : decltype(reply->values.end()){};
  if (!reply || found == reply->values.end())
    return out;
  const auto status = nlohmann::json::parse(found->second, nullptr, false);
  if (!status.is_object() || !status.contains("shards"))
    return out;
  for (const auto& shard : status["shards"])
    if (const auto& r = shard["replicas"];
        !r.empty() && std::none_of(r.begin(), r.end(), [&](const auto& x) { return x["node"] == name; }))
      out.insert(shard["id"].get<std::uint32_t>());
  return out;
}

source_result<data_source> data_source::open(const runtime::config& config, const std::function<void(std::string_view)>& tell,
                                             std::string command, int stop) {
  data_source s;
  s.stop_ = stop;
  s.command_ = std::move(command);
  s.directory_ = config.data.directory;
  std::error_code ignored;
  if (!std::filesystem::is_directory(s.directory_, ignored))
    return refuse(exit_code::failed, s.directory_ + " is not a directory; name the node's data directory with --data-dir");
  auto cluster = node::cluster_of(s.directory_);
  if (!cluster)
    return refuse(exit_code::failed,
                  s.directory_ + " is no node's data directory: there is no readable " + node::identity_path(s.directory_));
  s.cluster_ = std::move(*cluster);
  const auto until = steady_clock::now() + milliseconds{defaults::export_apply_limit_ms};
  if (auto reached = s.reach_node(config, tell, until); !reached)
    return tl::unexpected(reached.error());
  if (auto applied = s.apply_all(config.shards.count, until); !applied)
    return tl::unexpected(applied.error());
  if (auto read = s.read_heads(config.shards.count); !read)
    return tl::unexpected(read.error());
  return s;
}

source_result<void> data_source::reach_node(const runtime::config& config, const std::function<void(std::string_view)>& tell,
                                            time_point until) {
  const auto asked = ask_to_apply(directory_, 0, 0, left_until(until), stop_);
  if (asked && asked->code != exit_code::done)
    return refuse(asked->code, asked->message);
  if (asked)
    return has_every_shard();
  if (!asked.error().unreachable)
    return refuse(exit_code::failed, asked.error().message);
  if (const auto member = node::member_of(directory_); member && !member->node.empty())
    return tl::unexpected(does_not_run(directory_, member->node));
  if (auto why = node::why_not_owner(directory_, command_))
    return refuse(exit_code::failed, std::move(*why));
  tell("no node runs on " + directory_ + "; recovering what it holds");
  auto own = config;
  if (own.log.level == defaults::log_level_name)
    own.log.level = "warning"; // a node's start and stop would bury what the command says
  auto started = node::node::start({.config = own, .demo = false, .http = false});
  if (!started)
    return refuse(started.error().exit_code, started.error().message);
  node_ = std::move(*started);
  return {};
}

/// Where there are more nodes than replicas no node may have all shards, and of one that has moved away an old file is left.
source_result<void> data_source::has_every_shard() const {
  const auto member = node::member_of(directory_);
  const auto elsewhere = member && !member->node.empty() ? groups_elsewhere(directory_, member->node) : std::set<std::uint32_t>{};
  if (elsewhere.empty())
    return {};
  const auto first = "shard " + std::to_string(*elsewhere.begin());
  const auto which = elsewhere.size() == 1 ? first + " is" : first + " and " + std::to_string(elsewhere.size() - 1) + " more are";
  return refuse(exit_code::failed, which + " on other nodes than " + member->node +
                                       " only, so that an export here would not be everything; take a backup, which "
                                       "collects them, and export from a node that is restored from it (epione backup, epione "
                                       "restore)");
}

source_result<void> data_source::apply(std::uint32_t shard, std::uint64_t index, time_point until) {
  if (node_ != nullptr) {
    if (auto why = node_->apply_committed(shard, index, left_until(until)))
      return refuse(exit_code::failed, std::move(*why));
    return {};
  }
  auto applied = have_applied(*disk_, directory_, shard, index, until, stop_);
  if (applied)
    return {};
  return refuse(applied.error().code,
                applied.error().message + "; the node's log and its /readyz say why the shard does not go on");
}

/// The journal is what makes an answer true: everything acknowledged before this call is in it. With one voter everything that is
/// in it is committed as well.
source_result<void> data_source::apply_all(std::uint32_t shards, time_point until) {
  const auto ends = runtime::journal_ends(*disk_, directory_);
  if (!ends)
    return refuse(ends.error());
  for (std::uint32_t shard = 0; shard <= shards; ++shard) {
    const auto known = ends->find(shard);
    if (auto applied = apply(shard, known == ends->end() ? 0 : known->second, until); !applied)
      return applied;
  }
  return {};
}

source_result<void> data_source::read_heads(std::uint32_t shards) {
  // Shard 0 last: whatever form a submission in the others is of, its version is then among the studies.
  for (std::uint32_t n = 1; n <= shards + 1; ++n) {
    const auto shard = n % (shards + 1);
    const auto position = runtime::read_store_position(*disk_, directory_, shard);
    if (!position)
      return refuse(position.error());
    heads_[shard] = position->head;
  }
  return {};
}

source_result<std::map<std::string, data_source::study_versions>> data_source::studies() {
  std::map<std::string, study_versions> out;
  const auto walked = runtime::walk_events(
      *disk_, directory_, 0, {}, heads_.at(0), [&](std::uint64_t seq, std::string_view bytes) -> runtime::storage_result<void> {
        const auto damaged = [&](const std::string& why) {
          return tl::unexpected<runtime::storage_error>(
              {ec::damaged, runtime::shard_path(directory_, 0) + ": event " + std::to_string(seq) + ": " + why});
        };
        const auto event = domain::decode_event(bytes);
        if (!event)
          return damaged(event.error());
        if (event->action != domain::study_import_action)
          return {};
        auto source = domain::decode_study_source(event->after);
        if (!source)
          return damaged(source.error());
        out[event->entity].push_back(std::move(*source));
        return {};
      });
  if (!walked)
    return refuse(walked.error());
  return out;
}

source_result<void> data_source::close() {
  if (node_ == nullptr)
    return {};
  node_->request_stop();
  const int code = node_->wait();
  node_.reset();
  if (code != exit_code::done)
    return refuse(code, directory_ + " could not be closed cleanly; its log lines above say why");
  return {};
}

} // namespace epione::cli
