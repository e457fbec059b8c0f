#include "cluster/replica_feed.hpp"

#include "cluster/invariant.hpp"
#include "runtime/defaults.hpp"
#include "runtime/mutation.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

namespace epione::cluster {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

// ---- whose store ------------------------------------------------------------------------------------------------------------

std::string replica_feed::misfit() const {
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  const auto& log = standing_.core()->log();
  const auto stored = standing_.core()->stored_index();
  const auto applied = offered_->applied, term = offered_->term;
  const auto group = "group " + number(replica_.options.group);
  if (applied > stored)
    return "the journal is behind the store of " + group + ": its log ends at entry " + number(stored) +
           ", but the store has applied entry " + number(applied) + "; entries " + number(stored + 1) + " to " + number(applied) +
           " are missing from the journal. Restore the data directory from a backup.";
  if (applied < log.cut_index())
    return "the store of " + group + " has applied up to entry " + number(applied) + ", but the journal begins at entry " +
           number(log.cut_index() + 1) + ": entries " + number(applied + 1) + " to " + number(log.cut_index()) +
           " are missing. Restore the data directory from a backup.";
  if (log.term_of(applied) != term)
    return "the store and the journal of " + group + " disagree: entry " + number(applied) + " has term " + number(term) +
           " in the store and " + number(log.term_of(applied)) + " in the journal. Restore the data directory from a backup.";
  return {};
}

void replica_feed::take_offered() {
  store_ = offered_->store;
  applied_ = sent_ = offered_->applied;
  if (mutated(mutation::apply_skips_entry) && applied_ < standing_.core()->applicable_index())
    ++sent_;
  window_.clear();
  window_bytes_ = 0;
  barrier_flushed_ = false;
  offered_.reset();
  replica_.self->monitor(store_);
}

// ---- feeding ----------------------------------------------------------------------------------------------------------------

void replica_feed::feed() {
  if (standing_.core() == nullptr)
    return;
  const auto& o = replica_.options;
  if ((!standing_.serving && standing_.leads()) || o.feed_delay_ms == 0 || o.group == 0)
    feed_now();
  else if (sent_ < standing_.core()->applicable_index() && !std::exchange(due_, true))
    replica_.self->delayed_send(replica_.self, std::chrono::milliseconds{o.feed_delay_ms}, feed_atom::value);
}

void replica_feed::feed_now() {
  if (store_ == nullptr || standing_.core() == nullptr || refilling_)
    return;
  const auto end = standing_.core()->applicable_index();
  while (sent_ < end && window_bytes_ < replica_.options.feed_window_bytes) {
    auto chunk = standing_.core()->log().copy(sent_ + 1, end, replica_.options.feed_chunk_bytes);
    std::size_t bytes = 0;
    for (const auto& x : chunk)
      bytes += x.data->size();
    sent_ = chunk.back().index;
    window_.emplace_back(sent_, bytes);
    window_bytes_ += bytes;
    replica_.self->send(store_, apply_atom::value, std::make_shared<const log_entries>(std::move(chunk)));
  }
  if (!standing_.serving && !barrier_flushed_ && standing_.barrier != 0 && sent_ >= standing_.barrier) {
    barrier_flushed_ = true; // nobody waits for the store to gather more before the shard serves
    replica_.self->send(store_, flush_atom::value);
  }
}

void replica_feed::on_feed() {
  due_ = false;
  feed_now();
}

void replica_feed::flush() {
  feed_now();
  if (store_ != nullptr)
    replica_.self->send(store_, flush_atom::value);
}

void replica_feed::refill(std::function<void()> then) {
  if (std::exchange(refilling_, true))
    return;
  journal_.load(
      [this, then = std::move(then)](const group_log& log) {
        refilling_ = false;
        if (standing_.core() == nullptr)
          return;
        standing_.core()->refill(log);
        if (mutated(mutation::refill_wrong_window) && sent_ < standing_.core()->applicable_index())
          ++sent_;
        then();
      },
      [this](const caf::error& why) { replica_.self->quit(journal_.no_answer(why)); });
}

bool replica_feed::on_applied(std::uint64_t index) {
  if (store_ == nullptr || replica_.self->current_sender() != store_)
    return false;
  invariant(index >= applied_ && index <= sent_, "a store applies what it was sent, in order");
  applied_ = index;
  while (!window_.empty() && window_.front().first <= index) {
    window_bytes_ -= window_.front().second;
    window_.pop_front();
  }
  if (standing_.core() != nullptr)
    standing_.core()->release(std::min(index, standing_.core()->applicable_index()));
  return true;
}

// ---- who waits --------------------------------------------------------------------------------------------------------------

caf::result<std::uint64_t> replica_feed::wait_for(std::uint64_t index) {
  auto answer = replica_.self->make_response_promise<std::uint64_t>();
  std::erase_if(waiters_, [](const auto& x) { return !x.answer.pending(); });
  if (waiters_.size() >= runtime::defaults::applied_waiters_max) {
    answer.deliver(replica_.error(ec::not_serving, ": too many wait for its store already"));
    return answer;
  }
  waiters_.push_back({std::max(index, standing_.core() == nullptr ? 0 : standing_.core()->commit_index()), answer});
  answer_waiters();
  return answer;
}

/// The store takes a window of entries each time it is asked: it is asked again while somebody waits.
void replica_feed::answer_waiters() {
  if (waiters_.empty())
    return;
  if (standing_.core() != nullptr && store_ != nullptr)
    std::erase_if(waiters_, [this](auto& x) {
      if (x.index > applied_)
        return false;
      x.answer.deliver(applied_);
      return true;
    });
  if (!waiters_.empty())
    flush();
}

} // namespace epione::cluster
