// Submits like many phones at once and measures how long they waited.
//
// Closed loop: a phone a connection, which sends as soon as it has its answer. Open loop: submissions fall due at a rate, whether
// answers come or not, and latency counts from the moment one was due, so that a stall shows in all it held up.
#pragma once

#include "cli/http_client.hpp"
#include "cli/load_histogram.hpp"
#include "cli/load_ledger.hpp"
#include "cli/load_submission.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace epione::cli {

struct load_options {
  load_plan plan;
  std::string study; ///< empty: the only one that is loaded
  bool codes = false;
  std::uint32_t connections = 256;
  double rate = 0;              ///< per second; 0: closed loop
  std::int64_t duration_ns = 0; ///< 0: until `count` are answered
  std::uint64_t count = load_count_max;
  std::int64_t warm_up_ns = 0;                      ///< before measuring begins
  std::uint32_t attempts_max = 60;                  ///< of one submission that is answered 503, closed loop
  std::int64_t drain_limit_ns = 15'000'000'000;     ///< for what is under way at the end
  std::int64_t give_up_ns = 30'000'000'000;         ///< without any connection: unreachable
  std::int64_t give_up_at_first_ns = 5'000'000'000; ///< the same when there never was one
  std::int64_t answer_limit_ns = load_answer_limit_ns;
};

struct load_result {
  bool unreachable = false;
  bool interrupted = false;
  std::int64_t measured_ns = 0; ///< what `acknowledged_measured` was counted in
  std::uint64_t acknowledged_measured = 0;
  std::uint64_t sent = 0;                 ///< different submissions
  std::uint64_t acknowledged = 0;         ///< in all, warm-up and drain included
  std::uint64_t refused = 0, unknown = 0; ///< final outcomes
  std::uint64_t not_due_sent = 0;         ///< open loop: fell due and were not sent, no connection being free
  std::uint64_t retries = 0;
  std::uint64_t not_stored_503 = 0, unknown_503 = 0;
  std::uint64_t without_receipt = 0; ///< acknowledgements that named none
  std::array<std::uint64_t, 600> statuses{};
  std::map<int, std::string> refusals; ///< of each status from 400 on, what the first one said
  load_histogram latency;
  std::vector<std::uint32_t> per_second; ///< acknowledgements, from the beginning of measuring
  http_client::counters connections;
  double cpu_seconds = 0; ///< of this process
  std::uint64_t answers = 0;
};

/// What is told once a second.
struct load_progress {
  double seconds = 0;
  bool warming_up = false, draining = false;
  std::uint64_t acknowledged = 0; ///< in all
  std::uint64_t per_second = 0;
  const load_histogram* latency = nullptr; ///< of this second
  std::uint64_t refused_503 = 0, lost = 0;
  std::uint32_t standing = 0;
};

class load_generator final : private http_client_user {
public:
  /// `ledger` may be null.
  load_generator(load_options options, std::string host, load_ledger_writer* ledger);

  /// Until done, or until `stop` (a descriptor, -1 for none) is readable. The error is a sentence.
  tl::expected<load_result, std::string> run(http_endpoint_address where, http_client::finder find, int stop,
                                             const std::function<void(const load_progress&)>& tell);

private:
  struct phone {
    std::uint64_t counter = 0;
    std::int64_t due = 0;
    std::uint32_t attempts = 0;
    bool pending = false;
    bool idle = false;           ///< it is in idle_
    bool perhaps_stored = false; ///< an attempt had no clear outcome
  };
  std::string_view request(std::uint32_t connection) override;
  void response(std::uint32_t connection, const http_response& response) override;
  void lost(std::uint32_t connection) override;

  bool take_next(phone& p, std::int64_t now);
  std::uint64_t due_by(std::int64_t now) const;
  std::int64_t due_time(std::uint64_t counter) const;
  void acknowledge(phone& p, const http_response& response);
  void refused_for_now(std::uint32_t connection, phone& p, const http_response& response);
  void settle(phone& p, load_outcome outcome, int status, const domain::receipt& id = {});
  void send_due(std::int64_t now);
  void tell_progress(std::int64_t now, const std::function<void(const load_progress&)>& tell);
  bool finished(std::int64_t now);

  load_options options_;
  load_ledger_writer* ledger_;
  load_request_writer writer_;
  http_client* client_ = nullptr;
  std::vector<phone> phones_;
  std::vector<std::uint32_t> idle_; ///< open loop: connections without work, the last used on top
  std::int64_t start_ = 0, measure_from_ = 0, end_ = 0, drain_until_ = 0;
  bool draining_ = false;
  std::uint64_t next_ = 0, pending_ = 0;
  load_result result_;
  load_histogram second_;
  std::int64_t next_tell_ = 0;
  std::uint64_t told_ = 0;
};

} // namespace epione::cli
