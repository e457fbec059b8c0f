// tail: what is stored, as it comes. Each call looks once, at so many events of a shard, and says where the next one goes on;
// whoever follows calls again.
#include "actors/console_commands.hpp"
#include "actors/console_table.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

namespace epione::actors::console {

namespace {

using namespace messages;
using nlohmann::ordered_json;
using std::chrono::milliseconds;
using kind = console_table::kind;

constexpr std::uint32_t events_shown = 10;
constexpr std::uint32_t studies_at_once = 8; // an event of group 0 may hold a whole study, which is read and left behind

/// The next event to look at in each shard; "0:13,1:40" as a cursor.
using positions = std::map<std::uint32_t, std::uint64_t>;

std::string to_cursor(const positions& next) {
  std::string text;
  for (const auto& [shard, seq] : next)
    text += (text.empty() ? "" : ",") + std::to_string(shard) + ":" + std::to_string(seq);
  return text;
}

/// Whatever is no cursor of ours is left out: its shards begin anew.
positions from_cursor(const std::string& text) {
  positions next;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, ',');) {
    const auto colon = part.find(':');
    std::uint32_t shard = 0;
    std::uint64_t seq = 0;
    if (colon == std::string::npos || std::from_chars(part.data(), part.data() + colon, shard).ec != std::errc{} ||
        std::from_chars(part.data() + colon + 1, part.data() + part.size(), seq).ec != std::errc{} || seq == 0)
      continue;
    next[shard] = seq;
  }
  return next;
}

/// One look at all shards.
struct look {
  positions next;
  std::uint32_t last = 0; ///< the first look shows so many
  bool first = false;
  event_lines lines;
  std::uint64_t left_out = 0; ///< more came than one look shows
  std::vector<std::string> silent;
  std::size_t missing = 1;
};

void show(const console_call_ptr& call, look& seen) {
  std::stable_sort(seen.lines.begin(), seen.lines.end(), [](const auto& a, const auto& b) { return a.time_us < b.time_us; });
  if (seen.first && seen.lines.size() > seen.last)
    seen.lines.erase(seen.lines.begin(), seen.lines.end() - seen.last);
  std::string message;
  for (const auto& name : seen.silent)
    message += (message.empty() ? "events are missing of: " : ", ") + name;
  const auto cursor = to_cursor(seen.next);
  if (call->json()) {
    auto events = ordered_json::array();
    for (const auto& e : seen.lines)
      events.push_back({{"shard", e.shard},
                        {"seq", e.seq},
                        {"time_us", e.time_us},
                        {"who", e.who},
                        {"role", e.role},
                        {"action", e.action},
                        {"entity", e.entity},
                        {"reason", e.reason}});
    return call->done_json(ordered_json{{"events", events}, {"left_out", seen.left_out}, {"cursor", cursor}}, message, cursor);
  }
  console_table table{{{"TIME (UTC)", kind::text, call->width() == 0 ? std::size_t{19} : std::size_t{10}},
                       {"EVENT", kind::text, 7},
                       {"WHO", kind::cut, 12},
                       {"ROLE", kind::text, 8},
                       {"ACTION", kind::text, 17},
                       {"ENTITY", kind::cut}}};
  for (const auto& e : seen.lines)
    table.add({time_text(e.time_us).substr(call->width() == 0 ? 0 : 11), std::to_string(e.shard) + "-" + std::to_string(e.seq),
               e.who, e.role, e.action, e.reason.empty() ? e.entity : e.entity + " because " + e.reason});
  std::string text;
  if (seen.left_out > 0)
    text = "... " + grouped(seen.left_out) + " events came faster than they are shown\n";
  if (!table.empty())
    text += table.text(call->width(), seen.first);
  else if (seen.first)
    text += "nothing is stored yet\n";
  call->done(text, message, cursor);
}

void scan(const console_call_ptr& call, const std::shared_ptr<look>& seen, std::uint32_t shard, std::uint64_t head,
          const std::function<void()>& one_less) {
  const std::uint64_t at_once = shard == 0 ? studies_at_once : runtime::defaults::console_events_max;
  const auto newest = [&](std::uint64_t count) { return head - std::min(head, count) + 1; };
  const auto known = seen->next.find(shard);
  auto from = newest(std::min<std::uint64_t>(seen->last, at_once));
  if (known != seen->next.end()) {
    from = std::max(known->second, newest(at_once));
    seen->left_out += from - known->second;
  }
  seen->next[shard] = std::max(from, std::uint64_t{1});
  if (from > head)
    return;
  const auto name = "reader " + std::to_string(shard % std::max(1U, call->ports().readers));
  const auto reader = call->env().directory->get<store_reader_actor>(name);
  if (reader == nullptr) {
    seen->silent.push_back("shard " + std::to_string(shard));
    return;
  }
  ++seen->missing;
  call->self()
      ->request(reader, milliseconds{runtime::defaults::console_status_limit_ms}, scan_atom::value, shard, from,
                static_cast<std::uint32_t>(at_once))
      .then(
          [seen, shard, one_less](const event_lines_ptr& lines) {
            seen->lines.insert(seen->lines.end(), lines->begin(), lines->end());
            if (!lines->empty())
              seen->next[shard] = lines->back().seq + 1;
            one_less();
          },
          [seen, shard, one_less](const caf::error&) {
            seen->silent.push_back("shard " + std::to_string(shard));
            one_less();
          });
}

} // namespace

void tail(const console_call_ptr& call) {
  const std::span<const std::string> words{call->arguments()};
  const auto last = words.empty() || words.front() != "events"
                        ? std::nullopt
                        : number_behind(words.subspan(1), "last", events_shown, runtime::defaults::console_lines_max);
  if (!last)
    return call->usage("tail takes \"events\", or \"events last N\" with N from 1 to " +
                       std::to_string(runtime::defaults::console_lines_max));
  auto seen = std::make_shared<look>();
  seen->next = from_cursor(call->after());
  seen->first = call->after().empty();
  seen->last = *last;
  std::vector<std::string> names;
  for (std::uint32_t shard = 0; shard <= call->ports().shards; ++shard)
    names.push_back("store " + std::to_string(shard));
  // Events are read from the stores, which let them gather: whoever looks has them written, and gives them a moment for that.
  for (std::uint32_t shard = 0; shard <= call->ports().shards; ++shard)
    if (const auto replica = call->env().directory->get<replica_actor>("replica " + std::to_string(shard)); replica != nullptr)
      call->self()->send(replica, flush_atom::value);
  survey_options options;
  options.window = milliseconds{runtime::defaults::console_rate_window_ms};
  options.targets = call->targets(names);
  call->survey(std::move(options), [call, seen](const console_findings& found) {
    const std::function<void()> one_less = [call, seen] {
      if (--seen->missing == 0)
        show(call, *seen);
    };
    for (std::uint32_t shard = 0; shard < found.actors.size(); ++shard) {
      std::uint64_t head = 0;
      const auto* events = found.actors[shard].detail("events");
      if (events != nullptr && std::from_chars(events->data(), events->data() + events->size(), head).ec == std::errc{})
        scan(call, seen, shard, head, one_less);
      else
        seen->silent.push_back(found.actors[shard].name);
    }
    one_less();
  });
}

} // namespace epione::actors::console
