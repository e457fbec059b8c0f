// A mail server and a web service that write down the key of every notice before they acknowledge it, for tests that kill nodes.
//
//   receiver --ledger FILE [--faults FILE] [--smtp PORT] [--http PORT]
//
// Prints "smtp PORT http PORT" once both listen; ends with SIGTERM. Each notice is a line "smtp KEY" or "http KEY" of the ledger,
// synced before the answer. The first word of the faults file (none, refuse, closed, busy, hang, cut, cut_after) says how both
// fail from the next message on; it may change at any time. Of JSON it takes the keys of the list "notices", else the header
// Idempotency-Key.
#include "tests/support/receivers.hpp"

#include <charconv>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <pthread.h>
#include <unistd.h>

using namespace epione::tests;

namespace {

class ledger {
public:
  explicit ledger(const std::string& path) : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (fd_ < 0)
      throw std::runtime_error{path + " cannot be opened"};
  }
  void add(const char* by, const std::vector<std::string>& keys) {
    std::string lines;
    for (const auto& key : keys)
      lines += std::string{by} + " " + key + "\n";
    std::lock_guard guard{mutex_};
    if (::write(fd_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size()) || ::fdatasync(fd_) != 0)
      std::abort(); // an acknowledgement that is not on record would make the test lie
  }

private:
  int fd_;
  std::mutex mutex_;
};

std::vector<std::string> keys_of(const received_request& r) {
  std::vector<std::string> keys;
  const auto body = nlohmann::json::parse(r.body, nullptr, false);
  if (body.is_object() && body.contains("notices") && body["notices"].is_array())
    for (const auto& n : body["notices"])
      keys.push_back(n.value("key", ""));
  if (keys.empty() && r.headers.contains("idempotency-key"))
    keys.push_back(r.headers.at("idempotency-key"));
  return keys;
}

std::uint16_t port_of(const std::string& text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::runtime_error{"'" + text + "' is not a port"};
  return port;
}

int run(std::map<std::string, std::string> options) {
  if (options["--ledger"].empty())
    throw std::runtime_error{"usage: receiver --ledger FILE [--faults FILE] [--smtp PORT] [--http PORT]"};
  ledger book{options["--ledger"]};
  mail_receiver_options mail;
  mail.port = port_of(options["--smtp"]);
  mail.on_mail = [&](const received_mail& m) { book.add("smtp", m.headers("Epione-Notice")); };
  web_receiver_options web;
  web.port = port_of(options["--http"]);
  web.on_request = [&](const received_request& r) { book.add("http", keys_of(r)); };
  mail_receiver mails{std::move(mail)};
  web_receiver requests{std::move(web)};
  std::cout << "smtp " << mails.port() << " http " << requests.port() << std::endl;

  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  const timespec pause{0, 50'000'000};
  while (sigtimedwait(&ends, nullptr, &pause) < 0) { // looks at the faults now and then
    std::string word = "none";
    if (std::ifstream in{options["--faults"]}; in)
      in >> word;
    const auto fault = parse_receiver_fault(word).value_or(receiver_fault::none);
    mails.fault = fault;
    requests.fault = fault;
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  sigset_t ends; // before any thread, so that all of them leave these to the one that waits
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::map<std::string, std::string> options{{"--smtp", "0"}, {"--http", "0"}};
  for (int i = 1; i + 1 < argc; i += 2)
    options[argv[i]] = argv[i + 1];
  try {
    return run(std::move(options));
  } catch (const std::exception& e) {
    std::cerr << "receiver: " << e.what() << '\n';
    return 1;
  }
}
