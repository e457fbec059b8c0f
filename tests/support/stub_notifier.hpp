// A notifier that keeps what it is handed in a book, and answers as the test says.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <caf/all.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace epione::tests {

struct notifier_book {
  /// What becomes of a notice; nothing: it is held until answer_held(). Sent at once unless set.
  std::function<std::optional<messages::notice_outcome>(const messages::notice&)> decide;
  std::vector<messages::notice> received; ///< in order, repeats too
  std::vector<std::pair<messages::notice, messages::notice_client>> held;

  /// Everything that is held was sent.
  void answer_held() {
    for (auto& [n, client] : std::exchange(held, {}))
      caf::anon_send(client, messages::outcome_atom::value,
                     std::make_shared<const messages::notice_outcomes>(messages::notice_outcomes{sent(n)}));
  }

  static messages::notice_outcome sent(const messages::notice& n) { return {n.key, true, "", n.raised_us}; }
  static messages::notice_outcome dead(const messages::notice& n) { return {n.key, false, "no such mailbox", n.raised_us}; }
};

struct stub_notifier_state {
  stub_notifier_state() = default;
  static inline const char* name = "stub_notifier";
};

inline messages::notifier_actor::behavior_type stub_notifier(messages::notifier_actor::stateful_pointer<stub_notifier_state> self,
                                                             const runtime::environment& env,
                                                             std::shared_ptr<notifier_book> book) {
  runtime::prepare(self, env, "stub_notifier");
  return {
      [self, book](messages::notify_atom, const messages::notices_ptr& notices, const messages::notice_client& client) {
        messages::notice_outcomes outcomes;
        for (const auto& n : *notices) {
          book->received.push_back(n);
          if (auto o = book->decide ? book->decide(n) : notifier_book::sent(n))
            outcomes.push_back(*o);
          else
            book->held.emplace_back(n, client);
        }
        if (!outcomes.empty())
          self->send(client, messages::outcome_atom::value,
                     std::make_shared<const messages::notice_outcomes>(std::move(outcomes)));
      },
      [](caf::tick_atom) {},
      [](messages::status_atom) {
        return std::make_shared<const messages::status_report>(messages::status_report{"stub_notifier", "running", {}});
      },
  };
}

} // namespace epione::tests
