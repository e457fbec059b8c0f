// Where notices go in the simulated world, and the checker of what arrives: everybody who is to be told of an alert is told at
// least once, nobody of anything else, and a notice's key stands for one notice for ever.
#pragma once

#include "messages/notice.hpp"
#include "tests/simulation/chance.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/trace.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace epione::simulation {

class post_office {
public:
  post_office(trace& t, ledger& book, chance luck) : trace_(t), book_(book), luck_(luck) {}

  /// A notifier has this one to send. Nothing: it takes its time (the office is away, or slow), see simulated_node::answer_held.
  std::optional<messages::notice_outcome> take(const messages::notice& n);
  /// Away: nothing is delivered, and nobody hears of it.
  void set_away(bool away) { away_ = away; }
  /// From now on everything is delivered at once.
  void be_quick() { slow_ = away_ = false; }

  /// What is missing of everything that was acknowledged; from now on it is kept up to date.
  void expect_all();
  std::size_t missing() const { return missing_.size(); }
  std::string first_missing() const;
  /// When nothing is under way any more: whether each delivery was one that had to be.
  void check() const;
  std::uint64_t deliveries() const { return deliveries_; }
  std::uint64_t repeats() const { return deliveries_ - delivered_.size(); }

private:
  using told = std::tuple<std::string, std::string, std::string>; ///< subject, receipt, rule

  trace& trace_;
  ledger& book_;
  chance luck_;
  bool away_ = false, slow_ = true;
  std::uint64_t deliveries_ = 0;
  std::map<messages::notice_key, told> keys_; ///< handed over, delivered or not
  std::set<told> delivered_, missing_;
};

} // namespace epione::simulation
