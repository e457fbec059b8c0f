// What the HTTP server itself costs: submissions over real connections, with a front that answers at once.
//
//   http_bench [CONNECTIONS [SECONDS [HTTP_THREADS]]]
//
// Prints requests per second and, which does not depend on what else the machine does, the processor time of the HTTP threads per
// request. Replies come from a thread of their own and in batches, as the gateway's do.
#include "domain/study.hpp"
#include "runtime/admission.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/clock.hpp"
#include "runtime/http/http_server.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics.hpp"
#include "runtime/random.hpp"
#include "runtime/readiness.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sstream>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace epione;
using namespace epione::runtime;

namespace {

class answering_front final : public front {
public:
  explicit answering_front() : thread_([this] { run(); }) {}
  ~answering_front() override {
    {
      std::lock_guard guard{mutex_};
      stop_ = true;
    }
    came_.notify_one();
    thread_.join();
  }
  void submit(messages::ticket t, messages::submission_ptr) override {
    std::lock_guard guard{mutex_};
    waiting_.push_back(
        {t, 202,
         R"({"message":"stored","receipt":"000102030405060708090a0b0c0d0e0f","status":"stored","scores":[{"name":"total","value":9,"label":"mild"}]})",
         0});
    if (waiting_.size() == 1)
      came_.notify_one();
  }
  void read(messages::ticket, messages::read_request_ptr) override {}
  void fhir(messages::ticket, messages::fhir_request_ptr) override {}
  reply_sink* sink = nullptr;

private:
  void run() {
    std::unique_lock guard{mutex_};
    while (true) {
      came_.wait(guard, [this] { return stop_ || !waiting_.empty(); });
      if (stop_)
        return;
      messages::replies batch;
      batch.swap(waiting_);
      guard.unlock();
      sink->deliver(std::move(batch));
      guard.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable came_;
  messages::replies waiting_;
  bool stop_ = false;
  std::thread thread_;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string request_of(unsigned n) {
  std::string body =
      R"({"patientId":)" + std::to_string(n % 1'000'000 + 1) + R"(,"key":"3f0e9c1a-5b7d-4e2f-9a8b-)" +
      std::to_string(100'000'000'000 + n) +
      R"(","data":{"form":"phq-9","authored":"2024-03-01T08:30:00+01:00","answers":{"q1":1,"q2":0,"q3":2,"q4":1,"q5":0,"q6":1,"q7":2,"q8":0,"q9":0}}})";
  return "POST /patient/data HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Type: "
         "application/json\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct result {
  std::uint64_t answered = 0, failed = 0;
};

/// Every connection sends its next request when the last one is answered.
result drive(std::uint16_t port, int connections, double seconds) {
  const int events = ::epoll_create1(EPOLL_CLOEXEC);
  unsigned next = 0;
  const auto send_next = [&](int fd) {
    const auto request = request_of(next++);
    return ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size());
  };
  for (int i = 0; i < connections; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_event e{EPOLLIN, {}};
    e.data.fd = fd;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0 ||
        ::epoll_ctl(events, EPOLL_CTL_ADD, fd, &e) != 0 || !send_next(fd)) {
      std::perror("connect");
      std::exit(1);
    }
  }
  result out;
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::vector<epoll_event> ready(256);
  char bytes[4096];
  while (std::chrono::steady_clock::now() < until) {
    const int n = ::epoll_wait(events, ready.data(), static_cast<int>(ready.size()), 100);
    for (int i = 0; i < n; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      const auto got = ::recv(fd, bytes, sizeof(bytes), 0); // a reply comes in one piece
      if (got < 12 || std::string_view{bytes + 9, 3} != "202" || !send_next(fd)) {
        ++out.failed;
        ::close(fd);
        continue;
      }
      ++out.answered;
    }
  }
  return out;
}

/// Processor time of the threads named "http N", in seconds: in all, and the kernel's part.
std::pair<double, double> http_processor_time() {
  double all = 0, kernel = 0;
  for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
    const auto stat = read_file(task.path() / "stat");
    const auto name_end = stat.rfind(')');
    if (stat.find("(http ") == std::string::npos || name_end == std::string::npos)
      continue;
    std::istringstream rest{stat.substr(name_end + 2)};
    std::vector<std::string> words;
    for (std::string w; rest >> w;)
      words.push_back(w);
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    kernel += std::stod(words[12]) / ticks;
    all += (std::stod(words[11]) + std::stod(words[12])) / ticks;
  }
  return {all, kernel};
}

} // namespace

int main(int argc, char** argv) {
  const int connections = argc > 1 ? std::atoi(argv[1]) : 256;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 5;
  const auto threads = static_cast<unsigned>(argc > 3 ? std::atoi(argv[3]) : 1);

  metrics numbers;
  const auto journal = make_silent_log();
  system_clock time;
  system_random random;
  readiness ready;
  admission admitted{1'000'000};
  catalog_view catalog;
  auto demo = std::make_shared<catalog_snapshot>();
  domain::study_source source;
  const std::filesystem::path folder{"examples/demo"};
  source.toml = read_file(folder / "study.toml");
  for (const auto* name : {"gad-7.json", "phq-9.json"})
    source.forms.push_back({name, read_file(folder / name)});
  auto compiled = domain::compile_study(source);
  if (!compiled) {
    std::fprintf(stderr, "run this in the repository's root: examples/demo could not be read\n");
    return 1;
  }
  demo->studies.emplace("demo", *compiled);
  catalog.set(demo);

  answering_front behind;
  http_server server{{.threads = threads},
                     {.catalog = catalog,
                      .numbers = numbers,
                      .journal = *journal,
                      .time = time,
                      .random = random,
                      .ready = ready,
                      .admitted = admitted,
                      .before_metrics = {}}};
  behind.sink = &server;
  const auto endpoint = server.start(behind);
  if (!endpoint) {
    std::fprintf(stderr, "%s\n", endpoint.error().c_str());
    return 1;
  }
  const auto out = drive(endpoint->port, connections, seconds);
  const auto [all, kernel] = http_processor_time();
  const auto answered = static_cast<double>(out.answered);
  std::printf(
      "%d connections, %u HTTP threads: %.0f requests/s, %llu failed; HTTP threads: %.1f us a request (%.1f us in the kernel)\n",
      connections, threads, answered / seconds, static_cast<unsigned long long>(out.failed), all * 1e6 / answered,
      kernel * 1e6 / answered);
  server.stop();
  return out.failed == 0 ? 0 : 1;
}
