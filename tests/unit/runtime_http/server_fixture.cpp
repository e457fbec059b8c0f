#include "server_fixture.hpp"

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <chrono>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace epione::runtime::test {

namespace {

constexpr int limit_ms = 10'000;
constexpr std::chrono::seconds limit{10};

std::string lower(std::string text) {
  for (auto& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

} // namespace

// ---- raw_client --------------------------------------------------------------------------------------------------------

raw_client::raw_client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  BOOST_REQUIRE_EQUAL(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
}

raw_client::~raw_client() {
  if (socket_ >= 0)
    ::close(socket_);
}

raw_client::raw_client(raw_client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), pending_(std::move(other.pending_)) {}

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void raw_client::end_sending() {
  ::shutdown(socket_, SHUT_WR);
}

bool raw_client::fill() {
  pollfd p{socket_, POLLIN, 0};
  if (::poll(&p, 1, limit_ms) != 1) {
    BOOST_ERROR("the server did not answer within ten seconds");
    return false;
  }
  char bytes[65536];
  const auto n = ::recv(socket_, bytes, sizeof(bytes), 0);
  if (n <= 0)
    return false;
  pending_.append(bytes, static_cast<std::size_t>(n));
  return true;
}

std::optional<received_reply> raw_client::receive(bool without_body) {
  std::size_t end = 0;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos)
    if (!fill())
      return std::nullopt;
  received_reply out;
  std::string_view head{pending_.data(), end + 2};
  out.status_line = head.substr(0, head.find("\r\n"));
  out.status = std::stoi(out.status_line.substr(9, 3));
  head.remove_prefix(out.status_line.size() + 2);
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    const auto colon = line.find(": ");
    out.header[lower(std::string{line.substr(0, colon)})] = line.substr(colon + 2);
    head.remove_prefix(line.size() + 2);
  }
  const auto length = out.header.count("content-length") != 0 ? std::stoul(out.header["content-length"]) : 0;
  const auto whole = end + 4 + (without_body ? 0 : length);
  while (pending_.size() < whole)
    if (!fill())
      return std::nullopt;
  out.body = pending_.substr(end + 4, whole - end - 4);
  pending_.erase(0, whole);
  return out;
}

std::optional<received_reply> raw_client::ask(std::string_view bytes) {
  send(bytes);
  return receive();
}

bool raw_client::ends() {
  return pending_.empty() && !fill() && pending_.empty();
}

// ---- fake_front --------------------------------------------------------------------------------------------------------

void fake_front::submit(messages::ticket t, messages::submission_ptr s) {
  put({t, std::move(s), nullptr});
}

void fake_front::read(messages::ticket t, messages::read_request_ptr r) {
  put({t, nullptr, std::move(r)});
}

void fake_front::fhir(messages::ticket t, messages::fhir_request_ptr r) {
  put({t, nullptr, nullptr, std::move(r)});
}

void fake_front::put(request r) {
  std::unique_lock guard{mutex_};
  if (sink_ != nullptr) {
    auto answer = make_(r);
    guard.unlock();
    messages::replies one;
    one.push_back(std::move(answer));
    sink_->deliver(std::move(one));
    return;
  }
  requests_.push_back(std::move(r));
  came_.notify_all();
}

void fake_front::answer_with(reply_sink& sink, std::function<messages::reply(const request&)> make) {
  std::lock_guard guard{mutex_};
  sink_ = &sink;
  make_ = std::move(make);
}

std::optional<fake_front::request> fake_front::take() {
  std::unique_lock guard{mutex_};
  if (!came_.wait_for(guard, limit, [this] { return !requests_.empty(); }))
    return std::nullopt;
  auto out = std::move(requests_.front());
  requests_.pop_front();
  return out;
}

std::size_t fake_front::waiting() const {
  std::lock_guard guard{mutex_};
  return requests_.size();
}

// ---- surroundings ------------------------------------------------------------------------------------------------------

std::shared_ptr<const domain::study> small_study(const std::string& id, int first_subject) {
  domain::study_source source;
  source.toml = "id = \"" + id + R"("
title = "Small study"
languages = ["en"]

[[sites]]
id = "site-01"

[[subjects]]
range = [)" + std::to_string(first_subject) +
                ", " + std::to_string(first_subject + 99) + R"(]
site = "site-01"

[[forms]]
id = "mood"
file = "mood.json"
)";
  source.forms.push_back({"mood.json", R"({"resourceType": "Questionnaire", "id": "mood", "version": "1", "status": "active",
    "item": [{"linkId": "q1", "text": "How are you?", "type": "integer"}]})"});
  auto compiled = domain::compile_study(source);
  std::string problems;
  if (!compiled)
    for (const auto& p : compiled.error())
      problems += p.file + " " + p.place + ": " + p.message + "\n";
  BOOST_REQUIRE_MESSAGE(problems.empty(), problems);
  return *compiled;
}

surroundings::surroundings() {
  auto snapshot = std::make_shared<catalog_snapshot>();
  snapshot->seq = 1;
  snapshot->studies.emplace("demo", small_study("demo"));
  catalog.set(std::move(snapshot));
}

http_surroundings surroundings::get() {
  return {.catalog = catalog,
          .numbers = numbers,
          .journal = *journal,
          .time = time,
          .random = random,
          .ready = ready,
          .admitted = admitted,
          .before_metrics = {}};
}

running_server::running_server(http_options options) : server(std::move(options), around.get()) {
  auto endpoint = server.start(behind);
  const std::string why = endpoint ? "" : endpoint.error();
  BOOST_REQUIRE_MESSAGE(why.empty(), why);
  port = endpoint->port;
}

running_server::~running_server() {
  server.stop();
}

std::string post(std::string_view body, std::string_view more_header, std::string_view content_type) {
  std::string out = "POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: ";
  out += content_type;
  out += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  out += more_header;
  out += "\r\n";
  out += body;
  return out;
}

std::string get(std::string_view target, std::string_view more_header) {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\n" + std::string{more_header} + "\r\n";
}

bool eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until)
      return false;
    std::this_thread::yield();
  }
  return true;
}

} // namespace epione::runtime::test
