#include "cluster/steward_standing.hpp"

#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"

#include <memory>

namespace epione::cluster {

using namespace messages;

catalog_actor steward_standing::catalog() const {
  return env.directory->get<catalog_actor>("catalog");
}

replica_actor steward_standing::replica(std::uint32_t group) const {
  return env.directory->get<replica_actor>("replica " + std::to_string(group));
}

void say(steward_promise& to, ec error, std::string text, bool changed, std::uint64_t seq) {
  to.deliver(std::make_shared<const std::string>(encode(steward_answer{error, std::move(text), changed, seq})));
}

void say_error(steward_promise& to, const caf::error& why) {
  say(to, runtime::code_of(why).value_or(ec::time_limit), runtime::sentence_of(why));
}

} // namespace epione::cluster
