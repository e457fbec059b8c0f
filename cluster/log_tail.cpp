#include "cluster/log_tail.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <utility>

namespace epione::cluster {

namespace {

/// What an entry costs in memory beside its data.
std::size_t size_of(const messages::log_entry& x) {
  return x.data->size() + sizeof(messages::log_entry);
}

} // namespace

void log_tail::reset(std::uint64_t cut_index, std::uint64_t cut_term) {
  invariant((cut_index == 0) == (cut_term == 0), "a cut has an index and a term, or neither");
  entries_.clear();
  runs_.clear();
  bytes_ = 0;
  cut_index_ = last_ = cut_index;
  cut_term_ = cut_term;
}

void log_tail::append(messages::log_entry entry) {
  invariant(entry.index == last_ + 1, "entries follow each other without a gap");
  invariant(entry.term > 0 && entry.term >= last_term(), "terms never go back in a log");
  invariant(entry.data != nullptr, "an entry has data, if only empty");
  if (entry.term != last_term() || runs_.empty())
    runs_.push_back({entry.index, entry.term});
  bytes_ += size_of(entry);
  ++last_;
  entries_.push_back(std::move(entry));
}

void log_tail::truncate(std::uint64_t index) {
  invariant(index > cut_index_, "what is cut is committed and never replaced");
  invariant(index >= first_in_memory(), "what has been applied is never replaced");
  while (last_ >= index) {
    bytes_ -= size_of(entries_.back());
    entries_.pop_back();
    --last_;
  }
  while (!runs_.empty() && runs_.back().first > last_)
    runs_.pop_back();
}

void log_tail::cut(std::uint64_t index) {
  invariant(index >= cut_index_ && index <= last_, "a log is cut at an entry it has");
  const auto term = term_of(index);
  const auto behind = std::find_if(runs_.begin(), runs_.end(), [&](const run& x) { return x.first > index; });
  // The run that reaches over the cut goes on behind it.
  const bool reaches_over = behind != runs_.begin() && (behind == runs_.end() ? last_ : behind->first - 1) > index;
  runs_.erase(runs_.begin(), behind);
  if (reaches_over)
    runs_.insert(runs_.begin(), {index + 1, term});
  cut_index_ = index;
  cut_term_ = term;
}

void log_tail::release(std::uint64_t index, std::size_t bytes_kept) {
  while (!entries_.empty() && entries_.front().index <= index && bytes_ > bytes_kept) {
    bytes_ -= size_of(entries_.front());
    entries_.pop_front();
  }
}

void log_tail::refill(const messages::log_entries& older) {
  for (auto x = older.rbegin(); x != older.rend(); ++x) {
    if (x->index != first_in_memory() - 1 || x->index <= cut_index_)
      continue;
    invariant(x->term == term_of(x->index), "what is read again from the journal is what was written");
    bytes_ += size_of(*x);
    entries_.push_front(*x);
  }
}

std::uint64_t log_tail::term_of(std::uint64_t index) const {
  if (index == cut_index_)
    return cut_term_;
  if (index < cut_index_ || index > last_)
    return 0;
  for (auto x = runs_.rbegin(); x != runs_.rend(); ++x)
    if (x->first <= index)
      return x->term;
  return 0;
}

const messages::log_entry& log_tail::at(std::uint64_t index) const {
  invariant(index >= first_in_memory() && index <= last_, "an entry that is sent is in memory");
  return entries_[index - first_in_memory()];
}

messages::log_entries log_tail::copy(std::uint64_t from, std::uint64_t to, std::size_t bytes_max) const {
  messages::log_entries result;
  std::size_t bytes = 0;
  for (auto index = from; index <= to && (result.empty() || bytes < bytes_max); ++index) {
    result.push_back(at(index));
    bytes += size_of(result.back());
  }
  return result;
}

} // namespace epione::cluster
