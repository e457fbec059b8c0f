// Channels as the configuration makes them, and a message to send.
#pragma once

#include "runtime/channels/builtin.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/receivers.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace epione::runtime::test {

using tests::mail_receiver;
using tests::receiver_fault;
using tests::web_receiver;

/// A file that is gone with the test.
class temporary_file {
public:
  explicit temporary_file(const std::string& text) {
    auto path = (std::filesystem::temp_directory_path() / "epione-secret-XXXXXX").string();
    const int fd = ::mkstemp(path.data());
    BOOST_REQUIRE(fd >= 0);
    ::close(fd);
    path_ = path;
    write(text);
  }
  ~temporary_file() { ::unlink(path_.c_str()); }
  void write(const std::string& text) const { std::ofstream{path_} << text; }
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

using section_entries = std::vector<std::pair<std::string, std::string>>;

/// As if a file said so; numbers of milliseconds without quotes are all there are.
inline channel_section section_of(const std::string& name, const section_entries& entries) {
  channel_section section{name, "epione.toml:1", {}};
  int line = 1;
  for (const auto& [key, value] : entries) {
    const bool number = !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
    section.entries.push_back({key, value, "epione.toml:" + std::to_string(++line), !number});
  }
  return section;
}

struct channel_fixture {
  std::unique_ptr<channel> make(const section_entries& entries, std::stop_token stop = {}) {
    std::vector<channel_section_problem> problems;
    const auto kinds = builtin_channel_kinds();
    const auto settings = check_channel(section_of("doctor", entries), kinds, problems);
    for (const auto& p : problems)
      BOOST_ERROR(p.place << " " << p.key << ": " << p.message);
    BOOST_REQUIRE(problems.empty());
    return kinds.find(settings.kind)->make(settings, {*log, clock, std::move(stop), [this](std::string_view line) {
                                                        steps += std::string{line} + "\n";
                                                      }});
  }

  static messages::outgoing message(std::string to) {
    messages::outgoing m;
    m.key = "3-17-phq9-doctor-wang";
    m.channel = "doctor";
    m.to = std::move(to);
    m.recipient = "wang";
    m.language = "en";
    m.subject = "Alert self-harm: study demo";
    m.text = "An answer raised an alert.\n\nReceipt: 6114c3b3eff2d398565f4e795cf0a7ab\n";
    m.notices.push_back(
        {m.key, "demo", "S1", "42", "phq-9", "self-harm", "6114c3b3eff2d398565f4e795cf0a7ab", "2026-01-15T07:30:02Z"});
    return m;
  }

  std::unique_ptr<runtime::log> log = make_silent_log();
  tests::manual_clock clock;
  std::string steps; ///< what a person who watches is told
};

inline bool is_sent(const messages::send_result& r) {
  return r.outcome == messages::send_result::what::sent;
}
inline bool is_later(const messages::send_result& r, messages::send_failure why) {
  return r.outcome == messages::send_result::what::try_later && r.failure == why;
}
inline bool is_refused(const messages::send_result& r) {
  return r.outcome == messages::send_result::what::refused && r.failure == messages::send_failure::rejected;
}
inline bool is_without_address(const messages::send_result& r) {
  return r.outcome == messages::send_result::what::refused && r.failure == messages::send_failure::no_address;
}

} // namespace epione::runtime::test
