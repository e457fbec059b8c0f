// What is not counted where it happens but looked up when somebody asks for /metrics: the process, admission, mailboxes.
#pragma once

#include "runtime/admission.hpp"
#include "runtime/directory.hpp"
#include "runtime/mailbox_sample.hpp"
#include "runtime/metrics.hpp"

#include <map>
#include <mutex>
#include <string>

namespace epione::node {

/// Memory, processor time and files of this process, under the names that every Prometheus client gives them.
class process_metrics {
public:
  explicit process_metrics(runtime::metrics& m);
  void refresh();

private:
  prometheus::Gauge &resident_, &open_files_, &open_files_max_;
  prometheus::Counter& processor_seconds_;
};

/// How many messages wait for each long-lived actor. Everybody is asked at each look; who is too busy to answer at once shows
/// with the next one, and who has not answered by then counts as unresponsive and is not asked again.
class mailbox_metrics {
public:
  mailbox_metrics(runtime::metrics& m, const runtime::directory& directory);
  void ask();
  void take_answers();

private:
  struct asked {
    caf::actor_addr who;
    runtime::mailbox_sample_ptr answer; ///< null: taken
    prometheus::Gauge* messages = nullptr;
    bool late = false; ///< asked at an earlier look
  };
  runtime::metrics& metrics_;
  const runtime::directory& directory_;
  prometheus::Gauge& unresponsive_;
  std::map<std::string, asked> asked_; ///< by the actor's name
};

/// All of it. Thread-safe; what it stands on outlives it.
class node_metrics {
public:
  node_metrics(runtime::metrics& m, const runtime::admission& admitted, const runtime::directory& directory);
  void refresh();

private:
  std::mutex mutex_;
  const runtime::admission& admitted_;
  prometheus::Gauge& admitted_now_;
  process_metrics process_;
  mailbox_metrics mailboxes_;
};

} // namespace epione::node
