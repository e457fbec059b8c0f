#include "cli/data_source.hpp"

#include "domain/event.hpp"
#include "node/data_directory.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/process.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;
namespace defaults = runtime::defaults;
using std::chrono::milliseconds;
using steady_clock = std::chrono::steady_clock;

tl::unexpected<source_failure> not_opened(int code, std::string message) {
  return tl::unexpected<source_failure>({code, std::move(message)});
}
tl::unexpected<source_failure> not_opened(const runtime::storage_error& why) {
  return tl::unexpected<source_failure>(failure_of(why));
}

/// At least one, so that what is asked for with it is tried.
milliseconds left_until(steady_clock::time_point end) {
  return std::max(milliseconds{1}, std::chrono::duration_cast<milliseconds>(end - steady_clock::now()));
}

tl::expected<runtime::admin_reply, runtime::admin_failure> ask_to_apply(const std::string& directory, std::uint32_t group,
                                                                        std::uint64_t index, milliseconds limit) {
  return runtime::admin_call(
      directory + "/" + runtime::admin_socket_name,
      {"apply-committed",
       {{"group", std::to_string(group)}, {"index", std::to_string(index)}, {"limit_ms", std::to_string(limit.count())}}},
      limit + milliseconds{2 * defaults::admin_io_limit_ms});
}

} // namespace

source_result<void> wait_until_applied(runtime::disk& disk, const std::string& directory, std::uint32_t group,
                                       std::uint64_t index, steady_clock::time_point until, const wait_function& wait) {
  while (true) {
    const auto asked = ask_to_apply(directory, group, index, left_until(until));
    if (!asked)
      return not_opened(exit_code::unreachable, "the node ended while it applied what is committed: " + asked.error().message);
    if (asked->code != exit_code::done)
      return not_opened(asked->code, asked->message);
    const auto at = runtime::read_store_position(disk, directory, group);
    if (!at)
      return not_opened(at.error());
    if (at->applied >= index)
      return {};
    const auto again = steady_clock::now() + milliseconds{defaults::snapshot_retry_ms};
    if (again >= until)
      return not_opened(exit_code::failed, runtime::shard_path(directory, group) + " has applied entry " +
                                               std::to_string(at->applied) + ", but entry " + std::to_string(index) +
                                               " is committed, and the stores were waited for " +
                                               std::to_string(defaults::export_apply_limit_ms / 1'000) + " s in total");
    if (!wait(again))
      return not_opened(exit_code::failed, "asked to stop");
  }
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

source_result<data_source> data_source::open(const runtime::config& config, const std::function<void(std::string_view)>& tell,
                                             std::string command) {
  data_source s;
  s.command_ = std::move(command);
  s.directory_ = config.data.directory;
  std::error_code ignored;
  if (!std::filesystem::is_directory(s.directory_, ignored))
    return not_opened(exit_code::failed, s.directory_ + " is not a directory; name the node's data directory with --data-dir");
  auto cluster = node::cluster_of(s.directory_);
  if (!cluster)
    return not_opened(exit_code::failed,
                      s.directory_ + " is no node's data directory: there is no readable " + node::identity_path(s.directory_));
  s.cluster_ = std::move(*cluster);
  if (auto reached = s.reach_node(config, tell); !reached)
    return tl::unexpected(reached.error());
  if (auto applied = s.wait_until_applied(config.shards.count); !applied)
    return tl::unexpected(applied.error());
  if (auto read = s.read_heads(config.shards.count); !read)
    return tl::unexpected(read.error());
  return s;
}

source_result<void> data_source::reach_node(const runtime::config& config, const std::function<void(std::string_view)>& tell) {
  const auto asked = ask_to_apply(directory_, 0, 0, milliseconds{defaults::export_apply_limit_ms});
  if (asked && asked->code != exit_code::done)
    return not_opened(asked->code, asked->message);
  if (asked)
    return {};
  if (!asked.error().unreachable)
    return not_opened(exit_code::failed, asked.error().message);
  if (const auto member = node::member_of(directory_); member && !member->node.empty())
    return tl::unexpected(does_not_run(directory_, member->node));
  if (auto why = node::why_not_owner(directory_, command_))
    return not_opened(exit_code::failed, std::move(*why));
  tell("no node runs on " + directory_ + "; recovering what it holds");
  auto own = config;
  if (own.log.level == defaults::log_level_name)
    own.log.level = "warning"; // a node's start and stop would bury what the command says
  auto started = node::node::start({.config = own, .demo = false, .http = false});
  if (!started)
    return not_opened(started.error().exit_code, started.error().message);
  node_ = std::move(*started);
  return {};
}

source_result<void> data_source::apply(std::uint32_t shard, std::uint64_t index, steady_clock::time_point until) {
  if (node_ != nullptr) {
    if (auto why = node_->apply_committed(shard, index, left_until(until)))
      return not_opened(exit_code::failed, std::move(*why));
    return {};
  }
  auto applied = cli::wait_until_applied(*disk_, directory_, shard, index, until, [](auto time) {
    std::this_thread::sleep_until(time);
    return true;
  });
  if (applied)
    return {};
  return not_opened(applied.error().code,
                    applied.error().message + "; the node's log and its /readyz say why the shard does not go on");
}

/// The journal is what makes an answer true: everything acknowledged before this call is in it. With one voter everything that is
/// in it is committed as well.
source_result<void> data_source::wait_until_applied(std::uint32_t shards) {
  const auto ends = runtime::journal_ends(*disk_, directory_);
  if (!ends)
    return not_opened(ends.error());
  const auto until = steady_clock::now() + milliseconds{defaults::export_apply_limit_ms};
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
      return not_opened(position.error());
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
    return not_opened(walked.error());
  return out;
}

source_result<void> data_source::close() {
  if (node_ == nullptr)
    return {};
  node_->request_stop();
  const int code = node_->wait();
  node_.reset();
  if (code != exit_code::done)
    return not_opened(code, directory_ + " could not be closed cleanly; its log lines above say why");
  return {};
}

} // namespace epione::cli
