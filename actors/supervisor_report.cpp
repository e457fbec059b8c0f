#include "actors/supervisor_report.hpp"

namespace epione::actors {

using namespace messages;

const char* text(child_state x) {
  switch (x) {
    case child_state::down: return "down";
    case child_state::delayed: return "waiting to be started again";
    case child_state::blocked: return "waiting for the end of its predecessor";
    case child_state::running: return "running";
    case child_state::stopping: return "stopping";
    case child_state::killed: return "killed";
    case child_state::ended: return "ended";
    case child_state::halted: return "halted";
    case child_state::stuck: return "stuck";
  }
  return "unknown";
}

child_reports_ptr children_of(const supervisor_state& state, const runtime::environment& env) {
  auto reports = std::make_shared<child_reports>();
  const auto now = env.clock.now_ns();
  for (std::size_t i = 0; i < state.children.size(); ++i) {
    const auto& c = state.children[i];
    const bool runs = (*state.running)[i] != nullptr;
    const bool dying = runs && c.by_operator && c.state == child_state::running;
    reports->push_back({state.part, c.spec.name, dying ? text(child_state::killed) : text(c.state), c.restarts,
                        runs ? (now - c.started_ns) / 1'000'000 : -1});
  }
  return reports;
}

status_report_ptr status_of(const supervisor_state& state, const runtime::environment& env) {
  auto report = std::make_shared<status_report>();
  report->name = state.part;
  report->state = state.stopping ? "stopping" : "running";
  const auto now = env.clock.now_ns();
  for (const auto& c : state.children) {
    if (!state.stopping && c.halted)
      report->state = "halted";
    else if (c.wanted && c.state != child_state::running && report->state == "running")
      report->state = "restarting";
    auto line = std::string{text(c.state)} + ", restarts " + std::to_string(c.restarts);
    if (c.state == child_state::running || c.state == child_state::stopping)
      line += ", age " + std::to_string((now - c.started_ns) / 1'000'000'000) + " s";
    report->details.emplace_back(c.spec.name, std::move(line));
  }
  return report;
}

} // namespace epione::actors
