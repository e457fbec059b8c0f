#include "runtime/reply_buffers.hpp"

#include <utility>

namespace epione::runtime {

namespace {

prometheus::Counter& acquired(metrics& m, const char* memory) {
  return m.counter("epione_reply_buffers_total", "Buffers taken for long replies, by where their memory came from",
                   {{"memory", memory}});
}

} // namespace

reply_buffers::reply_buffers(metrics& numbers, std::size_t count_max, std::size_t bytes_max)
    : count_max_(count_max), bytes_max_(bytes_max), used_again_(acquired(numbers, "used_again")), made_(acquired(numbers, "new")),
      bytes_(numbers.gauge("epione_reply_buffers_bytes", "Memory of buffers that wait for the next long reply")) {
  spare_.reserve(count_max);
}

std::string reply_buffers::acquire() {
  std::string out;
  {
    std::lock_guard guard{mutex_};
    if (!spare_.empty()) {
      out = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (out.capacity() < bytes_min) {
    made_.Increment();
  } else {
    used_again_.Increment();
    bytes_.Decrement(static_cast<double>(out.capacity()));
  }
  return out;
}

void reply_buffers::keep(std::string&& s) {
  const auto bytes = s.capacity();
  s.clear();
  {
    std::lock_guard guard{mutex_};
    if (spare_.size() >= count_max_)
      return;
    spare_.push_back(std::move(s));
  }
  bytes_.Increment(static_cast<double>(bytes));
}

} // namespace epione::runtime
