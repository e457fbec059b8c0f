// One running node: its directory, its actors, its HTTP server and its admin socket, from start to stop.
#pragma once

#include "domain/study.hpp"
#include "node/cluster_side.hpp"
#include "runtime/channels/builtin.hpp"
#include "runtime/config.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::node {

struct node_options {
  runtime::config config;
  std::optional<cluster_options> cluster = {}; ///< none: this node is alone
  bool demo = false;                           ///< import the demo study, which is part of the program
  /// False, for commands on a stopped node's directory: no HTTP, no admin socket, and no notice is sent or settled, because the
  /// command may have been given none of the service's channels.
  bool http = true;
  runtime::channel_kinds kinds = runtime::builtin_channel_kinds(); ///< that config's channels were checked against
  /// Told what the start still waits for, every few seconds; may be empty. On the thread that starts the node.
  std::function<void(const std::string&)> waiting = {};
  /// Told once when the end begins because somebody asked for it, in whichever way; may be empty. On the thread that waits.
  std::function<void()> stopping = {};
};

/// Why a node did not start, with the program's exit code: 1 failed, 4 the data is damaged.
struct node_error {
  int exit_code = 1;
  std::string message;
};

struct import_result {
  std::string study;
  bool changed = false; ///< false: the very same study was there already
};

struct import_failure {
  std::string message;                          ///< one sentence; empty when there are problems
  std::vector<domain::import_problem> problems; ///< everything that is wrong with the files
};

class node {
public:
  /// Opens the directory (creating it), recovers, and serves: returns when the node is ready, or with the reason why it is not.
  /// Asked to stop while it starts it returns at once, and wait() stops it; later `stop` is the same as request_stop().
  static tl::expected<std::unique_ptr<node>, node_error> start(const node_options& options, std::stop_token stop = {});
  ~node();

  /// "http://127.0.0.1:8080"; empty without HTTP.
  std::string http_address() const;
  /// Blocks until stopped or failed. 0 stopped within the limit, 1 failed, 4 damaged; the log says why.
  int wait();
  /// Drain and stop; from any thread, not from a signal handler. wait() returns.
  void request_stop();
  /// Has this group's store apply what is committed now instead of letting it gather, and this entry of the log. A sentence when
  /// it has not within the limit.
  std::optional<std::string> apply_committed(std::uint32_t group, std::uint64_t index, std::chrono::milliseconds limit);
  /// By request_stop(), the token, or an operator at the console.
  bool asked_to_stop() const;
  /// `who`: "os:USER".
  tl::expected<import_result, import_failure> import_study(const domain::study_source& source, const std::string& who);

private:
  struct impl;
  explicit node(std::unique_ptr<impl> impl);
  std::unique_ptr<impl> impl_;
};

/// The demo study's files, as they were in examples/demo when the program was built.
domain::study_source demo_study();

} // namespace epione::node
