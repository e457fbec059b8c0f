#include "node/study_import.hpp"

#include "runtime/defaults.hpp"
#include "runtime/error_text.hpp"
#include "runtime/process.hpp"

#include <chrono>
#include <memory>
#include <sstream>
#include <vector>

namespace epione::node {

using namespace messages;

namespace {

constexpr std::chrono::milliseconds import_limit{runtime::defaults::import_answer_limit_ms};

} // namespace

std::vector<domain::import_problem> problems_of(const std::string& text) {
  std::vector<domain::import_problem> result;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find('\t');
    const auto second = first == std::string::npos ? first : line.find('\t', first + 1);
    if (second == std::string::npos)
      result.push_back({{}, {}, line});
    else
      result.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return result;
}

tl::expected<import_result, import_failure> import_into_catalog(caf::actor_system& system, const actor_tree& tree, run_state& run,
                                                                const domain::study_source& source, const std::string& who,
                                                                given_up_when when) {
  tl::expected<import_result, import_failure> result;
  auto catalog = tree.catalog();
  if (catalog == nullptr)
    return tl::unexpected(import_failure{"the catalog is not running; try again", {}});
  caf::scoped_actor self{system, true};
  auto pending =
      self->request(catalog, import_limit, import_atom::value, std::make_shared<const domain::study_source>(source), who);
  if (!run.wait_for([&self] { return !self->mailbox().empty(); }, when))
    return tl::unexpected(import_failure{"the node stopped, and whether the study was imported is unknown; ask again, importing "
                                         "the same study twice changes nothing",
                                         {}});
  pending.receive(
      [&](std::string& study, bool changed_something, std::uint64_t) { result = import_result{study, changed_something}; },
      [&](caf::error& why) {
        if (why == ec::invalid)
          result = tl::unexpected(import_failure{{}, problems_of(runtime::context_text(why))});
        else
          result = tl::unexpected(import_failure{runtime::error_text(why), {}});
      });
  return result;
}

std::string sentence_of(const import_failure& failure) {
  std::string text = failure.message;
  for (const auto& p : failure.problems)
    text += (text.empty() ? "" : "; ") + p.file + ", " + p.place + ": " + p.message;
  return text;
}

runtime::admin_reply reply_of(const tl::expected<import_result, import_failure>& result) {
  if (result)
    return {runtime::exit_code::done, {}, {{"study", result->study}, {"changed", result->changed ? "true" : "false"}}};
  if (result.error().problems.empty())
    return {runtime::exit_code::failed, result.error().message, {}};
  std::string lines;
  for (const auto& p : result.error().problems)
    lines += p.file + "\t" + p.place + "\t" + p.message + "\n";
  return {runtime::exit_code::problems, "the study has problems", {{"problems", lines}}};
}

} // namespace epione::node
