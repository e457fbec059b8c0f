// What happened, line by line, the same in every run of a seed: no pointers, actor ids or real time. Each line carries a digest
// of every scheduling decision so far, so that two runs that part company do so on the line where it happened.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>

namespace epione::simulation {

class trace {
public:
  /// `now_ns` is read for every line, which begins with the time since construction; `out` (may be null) gets all of them.
  trace(const std::int64_t& now_ns, std::FILE* out) : now_ns_(now_ns), start_ns_(now_ns), out_(out) {}

  void line(std::string_view text);
  /// Shown where all lines are, and part of nothing: a node's own log.
  bool shows_asides() const { return out_ != nullptr; }
  void aside(std::string_view text);
  /// One scheduling decision.
  void decided(std::string_view who) {
    for (auto c : who)
      digest_ = (digest_ ^ static_cast<std::uint8_t>(c)) * 0x100000001b3; // FNV-1a
    digest_ = (digest_ ^ static_cast<std::uint64_t>(now_ns_)) * 0x100000001b3;
  }
  std::uint64_t digest() const { return digest_; }
  std::uint64_t lines() const { return lines_; }
  std::int64_t start_ns() const { return start_ns_; }
  double elapsed_s() const { return static_cast<double>(now_ns_ - start_ns_) * 1e-9; }
  const std::deque<std::string>& tail() const { return tail_; }

private:
  static constexpr std::size_t tail_max = 60; // what a failing seed shows
  const std::int64_t& now_ns_;
  std::int64_t start_ns_;
  std::FILE* out_;
  std::uint64_t digest_ = 0xcbf29ce484222325, lines_ = 0;
  std::deque<std::string> tail_;
};

} // namespace epione::simulation
