#include "node/node_metrics.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace epione::node {

namespace {

double resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  double size = 0, resident = 0; // pages
  in >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double processor_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

double open_files() {
  constexpr const char* directory = "/proc/self/fd";
  // From Linux 6.2 on this directory's size is their number; before, they have to be counted.
  struct stat found{};
  if (::stat(directory, &found) == 0 && found.st_size > 0)
    return static_cast<double>(found.st_size);
  std::error_code failed;
  const auto count = std::distance(std::filesystem::directory_iterator{directory, failed}, std::filesystem::directory_iterator{});
  return static_cast<double>(std::max<std::ptrdiff_t>(count - 1, 0)); // without the one that reads the directory
}

double open_files_max() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

} // namespace

process_metrics::process_metrics(runtime::metrics& m)
    : resident_(m.gauge("process_resident_memory_bytes", "Memory of the process that is in RAM")),
      open_files_(m.gauge("process_open_fds", "Open files and sockets")),
      open_files_max_(m.gauge("process_max_fds", "Files and sockets that may be open")),
      processor_seconds_(m.counter("process_cpu_seconds_total", "Processor time used, user and system")) {}

void process_metrics::refresh() {
  resident_.Set(resident_bytes());
  open_files_.Set(open_files());
  open_files_max_.Set(open_files_max());
  processor_seconds_.Increment(std::max(0.0, processor_seconds() - processor_seconds_.Value()));
}

mailbox_metrics::mailbox_metrics(runtime::metrics& m, const runtime::directory& directory)
    : metrics_(m), directory_(directory),
      unresponsive_(
          m.gauge("epione_actors_unresponsive", "Actors that have handled nothing since the last look at the metrics")) {}

void mailbox_metrics::ask() {
  auto before = std::exchange(asked_, {});
  for (const auto& [name, actor] : directory_.all()) {
    auto& a = asked_[name];
    if (const auto known = before.extract(name))
      a = std::move(known.mapped());
    else
      a.messages = &metrics_.gauge("epione_mailbox_messages", "Messages that wait for an actor", {{"actor", name}});
    a.late = a.answer != nullptr && a.who == actor->address();
    if (a.late)
      continue;
    a.who = actor->address();
    a.answer = std::make_shared<runtime::mailbox_sample>();
    runtime::ask_for_mailbox(actor, a.answer);
  }
  for (const auto& [name, gone] : before)
    gone.messages->Set(0);
}

void mailbox_metrics::take_answers() {
  std::size_t unresponsive = 0;
  for (auto& [name, a] : asked_) {
    const auto messages = a.answer == nullptr ? runtime::mailbox_sample::not_answered : a.answer->messages.load();
    if (messages != runtime::mailbox_sample::not_answered) {
      a.messages->Set(static_cast<double>(messages));
      a.answer = nullptr;
    } else if (a.late) {
      ++unresponsive;
    }
  }
  unresponsive_.Set(static_cast<double>(unresponsive));
}

node_metrics::node_metrics(runtime::metrics& m, const runtime::admission& admitted, const runtime::directory& directory)
    : admitted_(admitted), admitted_now_(m.gauge("epione_admitted_requests", "Requests of the node under way")), process_(m),
      mailboxes_(m, directory) {
  m.gauge("epione_admitted_requests_max", "Requests of the node that may be under way")
      .Set(static_cast<double>(admitted.limit()));
}

void node_metrics::refresh() {
  std::lock_guard guard{mutex_};
  mailboxes_.take_answers();
  mailboxes_.ask();
  admitted_now_.Set(static_cast<double>(admitted_.under_way()));
  process_.refresh();
  mailboxes_.take_answers(); // of those who were quick
}

} // namespace epione::node
