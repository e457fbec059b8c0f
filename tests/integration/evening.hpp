// One evening of a handful of patients, and what each of them may conclude from the answers. Each submits, sends the same again
// at once, contradicts it under the same key, and reads. Whatever happens to the node meanwhile: everybody is answered, every
// answer is true, retries under the same key settle what is unknown, and in the end exactly one of the two contents is there.
#pragma once

#include "tests/integration/test_node.hpp"

#include <array>
#include <set>
#include <string>
#include <vector>

namespace epione::tests {

class evening {
public:
  explicit evening(test_node& node, std::string name = "evening") : node_(node), name_(std::move(name)) {}

  static constexpr int patients = 6;

  static std::string subject(int patient) { return std::to_string(patient + 1); }

  /// Everybody sends; nothing is waited for.
  void begin();
  /// One patient's repeat and contradiction once more, in the middle of it.
  void send_again(int patient);
  /// Afterwards and when the node serves again: judges every answer, settles every key by retries, and reads back.
  void check();
  /// Reads everything back once more, from a node that was started anew.
  void check_again();

private:
  /// Of the two contents a patient sends under one key.
  struct attempt {
    messages::ticket to = 0;
    int content = 0;
  };
  struct account {
    std::vector<attempt> attempts;
    std::size_t judged = 0; ///< so many of them
    messages::ticket reading = 0;
    std::set<int> unknown; ///< contents that a 503 left open
    int stored = -1;       ///< which one was acknowledged
    bool given_202 = false;
  };

  json content_of(int patient, int content) const;
  void send(int patient, int content);
  void judge_new(int patient);
  void judge(int patient, const attempt& t);
  void acknowledged(account& a, int content, int status);
  int retry(int patient, int content);
  void settle(int patient);
  void read_back(int patient);

  test_node& node_;
  std::string name_;
  std::array<account, patients> accounts_;
};

} // namespace epione::tests
