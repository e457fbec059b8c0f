#include "tests/simulation/trace.hpp"

namespace epione::simulation {

void trace::line(std::string_view text) {
  char head[64];
  std::snprintf(head, sizeof(head), "%12.6f %08x ", elapsed_s(), static_cast<unsigned>(digest_ ^ (digest_ >> 32)));
  ++lines_;
  tail_.emplace_back(head).append(text);
  for (auto c : text) // what was said is part of what is compared
    digest_ = (digest_ ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  if (out_ != nullptr)
    std::fprintf(out_, "%s\n", tail_.back().c_str());
  if (tail_.size() > tail_max)
    tail_.pop_front();
}

void trace::aside(std::string_view text) {
  if (out_ != nullptr)
    std::fprintf(out_, "%12.6f          %.*s\n", elapsed_s(), static_cast<int>(text.size()), text.data());
}

} // namespace epione::simulation
