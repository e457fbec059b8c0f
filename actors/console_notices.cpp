// notices, dead-letters: what is to be told to people.
#include "actors/console_commands.hpp"
#include "actors/console_table.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <cctype>
#include <map>

namespace epione::actors::console {

namespace {

using namespace messages;
using nlohmann::ordered_json;
using std::chrono::milliseconds;
using kind = console_table::kind;

outbox_actor outbox_of(const console_call_ptr& call, std::uint32_t shard) {
  return caf::actor_cast<outbox_actor>(call->find("outbox " + std::to_string(shard)));
}

ordered_json json_of(const actor_facts& facts) {
  ordered_json details = ordered_json::object();
  for (const auto& [key, text] : facts.details)
    details[key] = text;
  return {{"name", facts.name}, {"state", facts.state}, {"answered", facts.answered}, {"details", details}};
}

/// A column for each detail that any of them has, in their order.
std::vector<std::string> keys_of(const std::vector<const actor_facts*>& all) {
  std::vector<std::string> keys;
  for (const auto* facts : all)
    for (const auto& [key, text] : facts->details)
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        keys.push_back(key);
  return keys;
}

/// "waiting for a notifier" is "WAITING": the whole key is at status, and a line has to fit.
std::string heading_of(std::string key) {
  constexpr std::size_t width_max = 8;
  if (key.size() > width_max)
    key.resize(std::min(key.find(' '), key.size()));
  std::replace(key.begin(), key.end(), '_', ' ');
  std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return key;
}

std::string table_of(const console_call_ptr& call, const char* title, const std::vector<const actor_facts*>& all) {
  const auto keys = keys_of(all);
  std::vector<console_table::column> columns{{title}};
  for (const auto& key : keys)
    columns.push_back({heading_of(key), kind::number});
  columns.push_back({"STATE", kind::cut});
  console_table table{std::move(columns)};
  for (const auto* facts : all) {
    std::vector<std::string> row{facts->name};
    for (const auto& key : keys) {
      const auto* text = facts->detail(key);
      row.push_back(text != nullptr ? *text : "-");
    }
    row.push_back(facts->state);
    table.add(std::move(row));
  }
  return table.text(call->width());
}

void show_notices(const console_call_ptr& call, const console_findings& found) {
  std::vector<const actor_facts*> outboxes, notifiers;
  for (const auto& facts : found.actors)
    (facts.name.starts_with("outbox ") ? outboxes : notifiers).push_back(&facts);
  if (call->json()) {
    ordered_json value{{"outboxes", ordered_json::array()}, {"channels", ordered_json::array()}};
    for (const auto* facts : outboxes)
      value["outboxes"].push_back(json_of(*facts));
    for (const auto* facts : notifiers)
      value["channels"].push_back(json_of(*facts));
    return call->done_json(value);
  }
  if (outboxes.empty() && notifiers.empty())
    return call->done("nobody sends notices on this node\n");
  std::string text;
  if (!outboxes.empty())
    text += table_of(call, "OUTBOX", outboxes);
  if (!notifiers.empty())
    text += (text.empty() ? "" : "\n") + table_of(call, "CHANNEL", notifiers);
  call->done(text);
}

// ---- dead letters ----------------------------------------------------------------------------------------------------

/// What all outboxes, or one, have said so far.
struct letters {
  messages::dead_letters dead;
  std::uint64_t done = 0;
  std::map<std::string, std::string> problems; ///< what is wrong, and the shards it is so for
  std::size_t missing = 1;
  void add_problem(std::uint32_t shard, const std::string& what) {
    auto& shards = problems[what];
    shards += (shards.empty() ? "" : ", ") + std::to_string(shard);
  }
  std::string message() const {
    std::string text;
    for (const auto& [what, shards] : problems)
      text += (text.empty() ? "" : "; ") + what + " (shard " + shards + ")";
    return text;
  }
};

void show_letters(const console_call_ptr& call, letters& found) {
  std::stable_sort(found.dead.begin(), found.dead.end(), [](const auto& a, const auto& b) { return a.at_us < b.at_us; });
  if (call->json()) {
    auto all = ordered_json::array();
    for (const auto& letter : found.dead)
      all.push_back({{"key", to_text(letter.what.key)},
                     {"given_up_us", letter.at_us},
                     {"study", letter.what.study},
                     {"site", letter.what.site},
                     {"subject", letter.what.subject},
                     {"rule", letter.what.rule},
                     {"channel", letter.what.channel},
                     {"recipient", letter.what.recipient},
                     {"reason", letter.reason}});
    return call->done_json(all, found.message());
  }
  if (found.dead.empty())
    return call->done("no dead letters\n", found.message());
  console_table table{{{"KEY"}, {"GIVEN UP (UTC)"}, {"CHANNEL", kind::cut}, {"RECIPIENT", kind::cut}, {"REASON", kind::cut}}};
  for (const auto& letter : found.dead)
    table.add({to_text(letter.what.key), time_text(letter.at_us), letter.what.channel, letter.what.recipient, letter.reason});
  call->done(table.text(call->width()), found.message());
}

void list_letters(const console_call_ptr& call) {
  constexpr milliseconds limit{runtime::defaults::console_status_limit_ms};
  auto found = std::make_shared<letters>();
  const auto one_less = [call, found] {
    if (--found->missing == 0)
      show_letters(call, *found);
  };
  for (std::uint32_t shard = 1; shard <= call->ports().shards; ++shard) {
    const auto outbox = outbox_of(call, shard);
    if (outbox == nullptr) {
      found->add_problem(shard, "the outbox is not running");
      continue;
    }
    ++found->missing;
    call->self()
        ->request(outbox, limit, letters_atom::value, notice_key{shard, 0, 0}, runtime::defaults::console_lines_max)
        .then(
            [found, one_less, shard](const dead_letters_ptr& dead) {
              found->dead.insert(found->dead.end(), dead->begin(), dead->end());
              if (dead->size() == runtime::defaults::console_lines_max)
                found->add_problem(shard, "there are more than these " + std::to_string(dead->size()));
              one_less();
            },
            [found, one_less, shard, limit = limit](const caf::error& why) {
              found->add_problem(shard, console_error_text(why, limit));
              one_less();
            });
  }
  one_less();
}

void show_done(const console_call_ptr& call, const letters& found, letter_wish wish) {
  const bool retry = wish == letter_wish::retry;
  if (found.done == 0 && !found.problems.empty())
    return call->failed(found.message());
  if (call->json())
    return call->done_json(ordered_json{{"action", retry ? "retry" : "drop"}, {"letters", found.done}}, found.message());
  const auto count = found.done == 1 ? std::string{"1 dead letter is "} : grouped(found.done) + " dead letters are ";
  call->done(count + (retry ? "sent again\n" : "dropped; nobody will be told\n"), found.message());
}

void wish_for(const console_call_ptr& call, letter_wish wish, const std::optional<notice_key>& key) {
  constexpr milliseconds limit{runtime::defaults::console_letters_limit_ms};
  auto request = std::make_shared<letter_request>();
  request->wish = wish;
  request->key = key;
  request->who = call->who();
  request->reason = call->reason();
  auto found = std::make_shared<letters>();
  const auto one_less = [call, found, wish] {
    if (--found->missing == 0)
      show_done(call, *found, wish);
  };
  for (std::uint32_t shard = 1; shard <= call->ports().shards; ++shard) {
    if (key && key->shard != shard)
      continue;
    const auto outbox = outbox_of(call, shard);
    if (outbox == nullptr) {
      found->add_problem(shard, "the outbox is not running");
      continue;
    }
    ++found->missing;
    call->self()
        ->request(outbox, limit, letters_atom::value, letter_request_ptr{request})
        .then(
            [found, one_less](std::uint64_t done) {
              found->done += done;
              one_less();
            },
            [found, one_less, shard, limit = limit](const caf::error& why) {
              found->add_problem(shard, console_error_text(why, limit));
              one_less();
            });
  }
  one_less();
}

} // namespace

void notices(const console_call_ptr& call) {
  survey_options options;
  for (auto& [name, actor] : call->everybody())
    if (name.starts_with("outbox ") || name.starts_with("notifier "))
      options.targets.emplace_back(name, std::move(actor));
  call->survey(std::move(options), [call](const console_findings& found) { show_notices(call, found); });
}

void dead_letters(const console_call_ptr& call) {
  const auto& words = call->arguments();
  const bool lists = words.empty() || (words.size() == 1 && words[0] == "list");
  if (lists && call->gives_reason())
    return call->usage("dead-letters changes nothing without retry or drop, and takes no reason then");
  if (lists)
    return list_letters(call);
  if (words.size() != 2 || (words[0] != "retry" && words[0] != "drop"))
    return call->usage("dead-letters takes nothing, list, retry KEY, retry all, or drop KEY because WHY");
  const auto wish = words[0] == "retry" ? letter_wish::retry : letter_wish::drop;
  if (words[1] == "all") {
    if (wish == letter_wish::drop)
      return call->usage("dead letters are dropped one by one, by their keys: nobody will be told of what is dropped");
    return wish_for(call, wish, std::nullopt);
  }
  const auto key = parse_notice_key(words[1]);
  if (!key || key->shard == 0 || key->shard > call->ports().shards)
    return call->usage("\"" + words[1] + "\" is no key of a notice; dead-letters shows them, as in 3-1207-0");
  if (wish == letter_wish::drop && call->reason().empty())
    return call->usage("nobody will be told of what is dropped, and the audit trail keeps why: dead-letters drop " + words[1] +
                       " because WHY");
  wish_for(call, wish, key);
}

} // namespace epione::actors::console
