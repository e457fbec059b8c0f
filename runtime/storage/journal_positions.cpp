#include "runtime/storage/journal_positions.hpp"

#include <algorithm>

namespace epione::runtime {

void journal_positions::open(std::uint64_t lowest, std::uint64_t next) {
  lowest_ = staged_lowest_ = lowest;
  next_ = staged_next_ = next;
}

void journal_positions::opened(std::uint32_t group, std::uint64_t index, std::uint64_t position) {
  auto& g = groups_[group];
  if (g.at.empty())
    g.first = index;
  else if (position < g.at.back())
    g.ascending = false;
  g.at.push_back(position);
}

std::uint64_t journal_positions::find(std::uint32_t group, std::uint64_t index) const {
  for (auto c = changes_.rbegin(); c != changes_.rend(); ++c)
    if (c->what.group == group && c->kind == change_kind::reset)
      return 0;
    else if (c->kind != change_kind::cut && c->what.group == group && c->what.index == index)
      return c->what.position;
  const auto g = groups_.find(group);
  const bool known = g != groups_.end() && index >= g->second.first && index - g->second.first < g->second.at.size();
  return known ? g->second.at[index - g->second.first] : 0;
}

std::uint64_t journal_positions::append(std::uint32_t group, std::uint64_t index) {
  changes_.push_back({change_kind::append, {group, index, staged_next_}});
  return staged_next_++;
}

std::uint64_t journal_positions::move(const place& p) {
  changes_.push_back({change_kind::move, {p.group, p.index, staged_next_}});
  return staged_next_++;
}

void journal_positions::cut(std::uint32_t group, std::uint64_t index) {
  changes_.push_back({change_kind::cut, {group, index, 0}});
}

void journal_positions::reset(std::uint32_t group, std::uint64_t next) {
  changes_.push_back({change_kind::reset, {group, next, 0}});
}

void journal_positions::commit() {
  for (const auto& c : changes_)
    apply(c);
  changes_.clear();
  lowest_ = staged_lowest_;
  next_ = staged_next_;
}

void journal_positions::rollback() {
  changes_.clear();
  staged_lowest_ = lowest_;
  staged_next_ = next_;
}

void journal_positions::apply(const change& c) {
  auto& g = groups_[c.what.group];
  switch (c.kind) {
    case change_kind::append:
      if (g.at.empty() || c.what.index < g.first)
        g.first = c.what.index;
      g.at.resize(std::min<std::size_t>(g.at.size(), c.what.index - g.first));
      g.at.push_back(c.what.position);
      break;
    case change_kind::move:
      g.at[c.what.index - g.first] = c.what.position;
      g.ascending = false;
      break;
    case change_kind::reset:
      g.at.clear();
      g.first = c.what.index;
      break;
    case change_kind::cut:
      for (; !g.at.empty() && g.first <= c.what.index; ++g.first)
        g.at.pop_front();
      break;
  }
  if (g.at.empty())
    g.ascending = true;
}

std::uint64_t journal_positions::floor() const {
  auto out = next_;
  for (const auto& [group, g] : groups_)
    if (!g.at.empty())
      out = std::min(out, g.ascending ? g.at.front() : *std::min_element(g.at.begin(), g.at.end()));
  return out;
}

std::uint64_t journal_positions::needed() const {
  std::uint64_t out = 0;
  for (const auto& [group, g] : groups_)
    out += g.at.size();
  return out;
}

std::vector<journal_positions::place> journal_positions::needed_before(std::uint64_t position) const {
  std::vector<place> out;
  for (const auto& [group, g] : groups_)
    for (std::size_t i = 0; i < g.at.size(); ++i) {
      if (g.at[i] < position)
        out.push_back({group, g.first + i, g.at[i]});
      else if (g.ascending)
        break;
    }
  std::sort(out.begin(), out.end(), [](const place& a, const place& b) { return a.position < b.position; });
  return out;
}

} // namespace epione::runtime
