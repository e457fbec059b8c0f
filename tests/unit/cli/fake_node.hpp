// A node that keeps submissions in memory and can be told to fail, for tests of what loads and verifies a real one.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace epione::cli::test {

class fake_node {
public:
  struct submission {
    std::string key, receipt;
    nlohmann::json data;
  };
  struct answer {
    int status = 202;
    std::string body;
    std::string headers; ///< each with its line end
  };
  /// Before a submission is looked at (it is the n-th POST): an answer instead, or nothing to go on.
  using fault = std::function<std::optional<answer>(std::uint64_t n)>;
  /// Such an answer closes the connection without a word, having stored or not.
  static answer hang_up(bool stored) { return {stored ? -1 : -2, {}, {}}; }

  explicit fake_node(fault before = {});
  ~fake_node();
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  /// Only while nobody is connected.
  std::map<std::uint64_t, std::vector<submission>> stored;
  std::size_t page_size = 2;
  std::uint64_t posts = 0, keys_repeated = 0;

private:
  void run();
  /// False: close the connection.
  bool serve(int socket, std::string& bytes);
  answer handle(const std::string& target, const std::string& body, bool post);
  answer submit(const std::string& body);
  answer read(const std::string& target) const;

  fault before_;
  int listener_ = -1, end_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

} // namespace epione::cli::test
