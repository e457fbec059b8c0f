// Who is who on this node: names of long-lived actors, kept up to date by the supervisors that start them.
//
// CAF's own registry is not used: its first entry under a name wins, so a restarted actor would never be found, and its strong
// references keep dead actors and, at the end, the whole actor system alive.
#pragma once

#include "messages/interfaces.hpp"

#include <caf/all.hpp>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::runtime {

/// Whoever wants to know about starts and deaths. The pointer is null when the actor of this name is gone.
using directory_subscriber = caf::typed_actor<caf::reacts_to<messages::changed_atom, std::string, caf::strong_actor_ptr>>;

/// Thread-safe. Holds weak references only: neither an entry nor a subscription keeps an actor alive. Who starts an actor owns
/// it.
class directory {
public:
  /// On each start; replaces what was there. Null is ignored.
  void put(const std::string& name, const caf::strong_actor_ptr& who);
  /// On each death. An unknown name is ignored.
  void remove(const std::string& name);
  /// Null when nobody is there under that name.
  caf::strong_actor_ptr find(std::string_view name) const;
  /// The same, typed. The caller knows the type that belongs to the name; it is not checked.
  template <class T>
  T get(std::string_view name) const {
    return caf::actor_cast<T>(find(name));
  }
  /// Tells `who` of everybody present now, then of each change, in the order of the changes. Ends with `who`.
  void subscribe(const directory_subscriber& who);
  /// Everybody present, by name.
  std::vector<std::pair<std::string, caf::strong_actor_ptr>> all() const;
  /// Forgets everybody; at the end of a node.
  void clear();

private:
  void tell(const std::string& name, const caf::strong_actor_ptr& who);

  mutable std::mutex mutex_;
  std::map<std::string, caf::weak_actor_ptr, std::less<>> entries_;
  std::vector<caf::weak_actor_ptr> subscribers_;
};

} // namespace epione::runtime
