#include "tests/simulation/subject_history.hpp"

#include "tests/simulation/ledger.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>

namespace epione::simulation {

namespace {

constexpr std::uint32_t key_of_nobody = std::numeric_limits<std::uint32_t>::max();

} // namespace

subject_history::number subject_history::add(operation op) {
  operations_.push_back(std::move(op));
  return operations_.size() - 1;
}

std::uint32_t subject_history::key_number(const std::string& key) {
  const auto [at, is_new] = by_name_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
  if (is_new)
    keys_.push_back({key, {}});
  return at->second;
}

/// The same content is the same object.
content_set subject_history::content_bit(std::uint32_t key, const content_ptr& what) {
  auto& contents = keys_[key].contents;
  auto found = std::find(contents.begin(), contents.end(), what);
  if (found == contents.end()) {
    if (contents.size() == contents_max) {
      too_many_contents_ = true;
      return 1;
    }
    found = contents.insert(contents.end(), what);
  }
  return content_set{1} << (found - contents.begin());
}

subject_history::number subject_history::submission_sent(const std::string& key, const content_ptr& what, bool can_be_stored,
                                                         std::int64_t now_ns) {
  operation op;
  op.says = can_be_stored ? claim::maybe : claim::nothing;
  op.key = key_number(key);
  op.contents = content_bit(op.key, what);
  op.sent_ns = now_ns;
  by_authored_.try_emplace(what->authored, op.key);
  return add(std::move(op));
}

void subject_history::submission_answered(number n, int status, std::string_view outcome, bool sends_again, std::int64_t now_ns) {
  auto& op = operations_[n];
  op.answered_ns = now_ns;
  switch (status) {
    case 202: op.says = claim::stored; break;
    case 200: op.says = sends_again ? claim::ensured : claim::repeated; break;
    case 409: op.says = claim::conflict; break;
    case 422:
    case 404: op.says = claim::refused; break;
    default:
      if (outcome == "not_stored")
        op.says = claim::nothing;
  }
}

subject_history::number subject_history::history_asked(std::int64_t now_ns) {
  operation op;
  op.sent_ns = now_ns;
  return add(std::move(op));
}

void subject_history::page_answered(number n, const nlohmann::json& items, bool last, std::int64_t now_ns) {
  auto& op = operations_[n];
  if (op.says == claim::nothing)
    op.answered_ns = now_ns;
  op.says = claim::history;
  for (const auto& item : items)
    op.shown.push_back(recognise(item));
  op.whole = last;
}

subject_history::number subject_history::one_asked(const std::string& key, std::int64_t now_ns) {
  operation op;
  op.key = key_number(key);
  op.sent_ns = now_ns;
  return add(std::move(op));
}

void subject_history::one_answered(number n, int status, const nlohmann::json& item, std::int64_t now_ns) {
  auto& op = operations_[n];
  op.answered_ns = now_ns;
  op.says = status == 200 ? claim::found : claim::missing;
  if (status == 200)
    op.contents = fitting(op.key, item);
}

/// By the time it was filled in, which is another one for each key.
shown_item subject_history::recognise(const nlohmann::json& item) const {
  const auto authored = item.is_object() ? item.find("authored") : item.end();
  if (authored == item.end() || !authored->is_string())
    return {key_of_nobody, 0};
  const auto found = by_authored_.find(authored->get_ref<const std::string&>());
  if (found == by_authored_.end())
    return {key_of_nobody, 0};
  return {found->second, fitting(found->second, item)};
}

/// What it can be: a history shows no answers, a read of one does.
content_set subject_history::fitting(std::uint32_t key, const nlohmann::json& item) const {
  content_set out = 0;
  const auto& contents = keys_[key].contents;
  const auto answers = item.find("answers");
  for (std::size_t i = 0; i < contents.size(); ++i)
    if (fits(*contents[i], item) && (answers == item.end() || *answers == contents[i]->stored))
      out |= content_set{1} << i;
  return out;
}

std::size_t subject_history::size() const {
  return static_cast<std::size_t>(
      std::count_if(operations_.begin(), operations_.end(), [](const operation& op) { return op.says != claim::nothing; }));
}

order_verdict subject_history::judge() const {
  return too_many_contents_ ? order_verdict{} : find_order(operations_);
}

/// "k3", and which of its contents when there are several: "k3 (2nd)" would be the second that was sent.
std::string subject_history::name(std::uint32_t key, content_set contents) const {
  if (key == key_of_nobody)
    return "what nobody sent";
  auto out = keys_[key].name;
  for (std::size_t i = 0; i < keys_[key].contents.size() && keys_[key].contents.size() > 1; ++i)
    if (((contents >> i) & 1u) != 0)
      out += "#" + std::to_string(i + 1);
  return out;
}

std::string subject_history::describe(number n, std::int64_t start_ns) const {
  const auto& op = operations_[n];
  const auto seconds = [start_ns](std::int64_t ns) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.6f", static_cast<double>(ns - start_ns) * 1e-9);
    return std::string{text};
  };
  auto out = seconds(op.sent_ns) + "-" + (op.answered_ns == unanswered ? "" : seconds(op.answered_ns)) + " s ";
  switch (op.says) {
    case claim::nothing: return out + "nothing";
    case claim::maybe: return out + name(op.key, op.contents) + " perhaps stored";
    case claim::stored: return out + name(op.key, op.contents) + " stored";
    case claim::repeated:
    case claim::ensured: return out + name(op.key, op.contents) + " stored before";
    case claim::conflict: return out + name(op.key, op.contents) + " in conflict with what is stored";
    case claim::refused: return out + name(op.key, op.contents) + " refused";
    case claim::found: return out + name(op.key, op.contents) + " found";
    case claim::missing: return out + name(op.key, 0) + " not found";
    case claim::history: break;
  }
  out += op.whole ? "history, oldest first:" : "end of the history, oldest first:";
  for (auto x = op.shown.rbegin(); x != op.shown.rend(); ++x)
    out += " " + name(x->key, x->contents);
  return op.shown.empty() ? out + " nothing" : out;
}

} // namespace epione::simulation
