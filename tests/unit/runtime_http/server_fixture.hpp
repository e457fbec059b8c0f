// A real server on loopback with a front of the test's own behind it, and clients that send exactly the bytes a test wants.
#pragma once

#include "domain/study.hpp"
#include "runtime/admission.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/clock.hpp"
#include "runtime/http/http_server.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics.hpp"
#include "runtime/random.hpp"
#include "runtime/readiness.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::runtime::test {

/// What came back on a connection.
struct received_reply {
  int status = 0;
  std::string status_line;
  std::map<std::string, std::string> header; ///< names in lower case
  std::string body;
};

/// A client without any opinion on HTTP. Every wait has a limit of ten seconds; then the reply is missing.
class raw_client {
public:
  explicit raw_client(std::uint16_t port);
  ~raw_client();
  raw_client(raw_client&& other) noexcept;
  raw_client(const raw_client&) = delete;

  /// False when the server has closed the connection.
  bool send(std::string_view bytes);
  /// The next reply; nothing when the connection ends before.
  std::optional<received_reply> receive(bool without_body = false);
  /// Sends and receives.
  std::optional<received_reply> ask(std::string_view bytes);
  /// Whether the server ends the connection without sending anything more.
  bool ends();
  /// Says that nothing more will be sent.
  void end_sending();

private:
  bool fill();
  int socket_ = -1;
  std::string pending_;
};

/// A front that remembers what it got; answers at once, later, or never, as the test says.
class fake_front final : public front {
public:
  struct request {
    messages::ticket ticket = 0;
    messages::submission_ptr submission;
    messages::read_request_ptr read;
    messages::fhir_request_ptr fhir = {};
  };
  void submit(messages::ticket t, messages::submission_ptr s) override;
  void read(messages::ticket t, messages::read_request_ptr r) override;
  void fhir(messages::ticket t, messages::fhir_request_ptr r) override;

  /// Answers each request at once; without it they wait for take().
  void answer_with(reply_sink& sink, std::function<messages::reply(const request&)> make);
  /// The next request that came in and was not answered at once; waits for it, at most ten seconds.
  std::optional<request> take();
  std::size_t waiting() const;

private:
  void put(request r);
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::deque<request> requests_;
  reply_sink* sink_ = nullptr;
  std::function<messages::reply(const request&)> make_;
};

/// Time the test moves by hand, so that limits of seconds pass at once; starts at the machine's time.
class test_clock final : public clock {
public:
  std::int64_t now_ns() override { return real_.now_ns() + shift_ns_.load(); }
  std::int64_t wall_us() override { return real_.wall_us(); }
  void advance_ms(std::int64_t ms) { shift_ns_.fetch_add(ms * 1'000'000); }

private:
  system_clock real_;
  std::atomic<std::int64_t> shift_ns_{0};
};

/// A study with 100 subjects, from this number on.
std::shared_ptr<const domain::study> small_study(const std::string& id, int first_subject = 1);

struct surroundings {
  surroundings();
  catalog_view catalog;
  metrics numbers;
  std::unique_ptr<log> journal = make_silent_log();
  test_clock time;
  system_random random;
  readiness ready;
  admission admitted{1000};
  http_surroundings get();
};

/// Server, front and surroundings together; stopped at its end.
struct running_server {
  explicit running_server(http_options options = {});
  ~running_server();
  raw_client client() const { return raw_client{port}; }
  surroundings around;
  fake_front behind;
  http_server server;
  std::uint16_t port = 0;
};

/// A POST with everything a server asks for.
std::string post(std::string_view body, std::string_view more_header = {}, std::string_view content_type = "application/json");
/// A GET with everything a server asks for.
std::string get(std::string_view target, std::string_view more_header = {});

/// Calls `condition` until it holds; false when it does not within ten seconds.
bool eventually(const std::function<bool()>& condition);

} // namespace epione::runtime::test
