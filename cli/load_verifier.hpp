// Proves from outside that what was acknowledged is there: reads the patients' lists and every submission back over HTTP and
// compares them with what the ledger says was sent and answered.
#pragma once

#include "cli/http_client.hpp"
#include "cli/load_ledger.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::cli {

struct verify_options {
  std::string study; ///< empty: the only one that is loaded
  std::uint32_t connections = 64;
  std::uint32_t sample_ppm = 1'000'000; ///< of the patients
  std::uint32_t attempts_max = 60;      ///< of one request that is answered 503 or lost
  std::int64_t give_up_ns = 30'000'000'000;
  std::int64_t answer_limit_ns = load_answer_limit_ns;
};

struct verify_result {
  bool unreachable = false;
  bool interrupted = false;
  std::uint64_t patients = 0;     ///< looked at
  std::uint64_t acknowledged = 0; ///< of those patients, in the ledger
  std::uint64_t found = 0;        ///< of those, listed
  std::uint64_t compared = 0;     ///< submissions whose answers were read and compared
  // Problems:
  std::uint64_t missing = 0;         ///< acknowledged and not there
  std::uint64_t different = 0;       ///< other receipt, form, answers, score or alert than was sent and acknowledged
  std::uint64_t duplicated = 0;      ///< listed more than once
  std::uint64_t refused_present = 0; ///< promised not to be stored, and there
  // Not problems, or not known to be:
  std::uint64_t unknown_present = 0; ///< there without an acknowledgement
  std::uint64_t unread = 0;          ///< patients that could not be read
  double seconds = 0;
  /// The first few problems in words: counter, patient and receipt, never answers.
  std::vector<std::string> examples;
  std::uint64_t problems() const { return missing + different + duplicated + refused_present; }
};

class load_verifier final : private http_client_user {
public:
  load_verifier(const load_ledger& ledger, verify_options options, std::string host);

  tl::expected<verify_result, std::string> run(http_endpoint_address where, http_client::finder find, int stop,
                                               const std::function<void(const verify_result&)>& tell);

private:
  /// A record of the ledger, to be sorted by patient.
  struct item {
    std::uint64_t subject;
    std::uint32_t run, counter;
    std::uint32_t record;
  };
  struct seen {
    std::uint32_t run, counter;
    std::string receipt;
  };
  /// One connection's work: a patient's list, page by page, then each submission of it.
  struct reader {
    std::size_t first = 0, last = 0; ///< the patient's records in items_
    bool working = false;
    bool listing = true;
    std::string before; ///< cursor; empty: from the newest
    std::vector<seen> found;
    std::size_t next = 0; ///< of found, to be read
    std::uint32_t attempts = 0;
  };
  std::string_view request(std::uint32_t connection) override;
  void response(std::uint32_t connection, const http_response& response) override;
  void lost(std::uint32_t connection) override;

  bool take_patient(reader& r);
  void take_page(reader& r, std::string_view body);
  void check_list(reader& r);
  void take_submission(reader& r, const http_response& response);
  void give_up(reader& r);
  const item* find(const reader& r, std::uint32_t run, std::uint32_t counter) const;
  void problem(std::uint64_t& count, const char* what, std::uint32_t run, std::uint64_t counter, std::string_view receipt);

  const load_ledger& ledger_;
  verify_options options_;
  std::string host_, request_;
  std::vector<std::string> prefixes_; ///< of "authored", by run
  std::vector<item> items_;
  std::size_t next_item_ = 0;
  std::uint32_t working_ = 0;
  std::vector<reader> readers_;
  http_client* client_ = nullptr;
  verify_result result_;
};

} // namespace epione::cli
