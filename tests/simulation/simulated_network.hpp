// The links between the nodes of the simulated world, and what goes wrong with them.
//
// There are two layers, because the program stands on two different promises:
//
// - A link is a stream, as TCP is: what is sent on it arrives in order and once, or the link ends and everything behind some
// place
//   is lost. So delays, cuts (of one direction or both), links that are reset with envelopes on their way, processes that go away
//   with or without a word, and links that end because nothing is heard, are faults of streams. A cut holds up what is sent, as
//   lost packets that are sent again do; only when it lasts longer than the links' patience does the link end.
// - Above the links, replicas and routers promise more than TCP asks of them: Raft allows that its messages are lost, arrive
// twice,
//   late or in another order, and a router's requests have time limits. `unreliable` does that to single parcels of the envelopes
//   that arrive. A request is never doubled: nothing in production could do that, and its answer would be one of two.
#pragma once

#include "cluster/peer_transport.hpp"
#include "messages/interfaces.hpp"
#include "messages/raft.hpp"
#include "runtime/directory.hpp"
#include "tests/simulation/agenda.hpp"
#include "tests/simulation/chance.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/manual_clock.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace epione::simulation {

class simulated_network {
public:
  using direction = std::pair<std::string, std::string>; ///< from, to

  simulated_network(agenda& plans, const tests::manual_clock& clock, trace& log, chance luck);
  simulated_network(const simulated_network&) = delete;
  simulated_network& operator=(const simulated_network&) = delete;

  /// One process's end of all its links.
  class transport final : public cluster::peer_transport {
  public:
    transport(simulated_network& network, cluster::local_identity& identity) : network_(network), identity_(identity) {}
    ~transport() override { gone(true); }
    void reaches(std::shared_ptr<runtime::directory> directory) { directory_ = std::move(directory); }

    void start(cluster::peer_events& events) override;
    void stop() override;
    void keep(const cluster::peer_address& address) override;
    void forget(const std::string& node) override;
    void reconnect(const std::string& node) override;
    bool send(const std::string& node, std::shared_ptr<const std::string> envelope) override;

    /// Its process is gone. `told`: its kernel closes what is open; else nobody is told, as when its machine lost power.
    void gone(bool told);

  private:
    friend class simulated_network;
    simulated_network& network_;
    cluster::local_identity& identity_;
    std::shared_ptr<runtime::directory> directory_;
    cluster::peer_events* events_ = nullptr;
    std::set<std::string> kept_;
  };

  // ---- what goes wrong with streams --------------------------------------------------------------------------------------
  void cut(const std::string& from, const std::string& to) { cut_.insert({from, to}); }
  void heal(const std::string& from, const std::string& to);
  /// The link between them ends; of what is on its way a part arrives.
  void reset(const std::string& a, const std::string& b);
  /// Everything takes so much longer, give or take.
  void slow(const std::string& from, const std::string& to, std::int64_t by_ns) { slow_ns_[{from, to}] = by_ns; }
  /// Everything takes exactly so much longer: raised step by step it leaves no gap in which nothing is heard.
  void delay(const std::string& from, const std::string& to, std::int64_t by_ns) { late_ns_[{from, to}] = by_ns; }
  /// Its process does not run: it makes no links and notices nothing.
  void set_frozen(const std::string& node, bool frozen);

  // ---- above them --------------------------------------------------------------------------------------------------------
  struct unreliability {
    double lost = 0, twice = 0, late = 0;
    std::int64_t late_max_ns = 0;
    bool any() const { return lost > 0 || twice > 0 || late > 0; }
  };
  void set_unreliable(const unreliability& x) { unreliable_ = x; }

  /// All of it is over.
  void mend();

  std::uint64_t envelopes() const { return envelopes_; }

  /// Somebody who listens to members of groups: told of each message as it is sent, before anything can go wrong with it.
  std::function<void(const cluster::local_identity& from, std::uint32_t group, const messages::raft_message& m)> on_said;

private:
  struct waiting {
    std::int64_t arrives_ns;
    std::shared_ptr<const std::string> envelope; ///< null: the other side has closed
    std::string why;
  };
  struct stream {
    std::deque<waiting> queue;
    std::size_t bytes = 0;
    std::int64_t last_ns = 0; ///< arrival of what was sent last
    bool scheduled = false;
  };
  struct end {
    bool open = true;
    std::int64_t heard_ns = 0;
    std::uint64_t server_id = 0, incarnation = 0; ///< what its node said of itself
  };
  struct session {
    std::string a, b; ///< a < b
    end at_a, at_b;
    stream to_a, to_b;
    end& of(const std::string& node) { return node == a ? at_a : at_b; }
    stream& towards(const std::string& node) { return node == a ? to_a : to_b; }
    const std::string& other(const std::string& node) const { return node == a ? b : a; }
    bool has(const std::string& node) const { return node == a || node == b; }
  };
  using sessions = std::map<std::uint64_t, session>;

  static direction pair_of(const std::string& a, const std::string& b) { return a < b ? direction{a, b} : direction{b, a}; }

  transport* running(const std::string& node);
  bool is_cut(const std::string& from, const std::string& to) const { return cut_.contains({from, to}); }
  std::int64_t latency_ns(const std::string& from, const std::string& to);
  sessions::iterator open_at(const std::string& node, const std::string& other);

  void look();
  void dial(const std::string& a, const std::string& b);
  void connect(const std::string& a, const std::string& b);
  void push(std::uint64_t number, session& s, const std::string& to, std::shared_ptr<const std::string> envelope,
            std::string why);
  void schedule(std::uint64_t number, stream& way, std::int64_t not_before_ns, const std::string& to);
  void arrive(std::uint64_t number, const std::string& to);
  /// This end is closed; with `tell`, the other one hears of it when that arrives.
  void close(std::uint64_t number, const std::string& node, const std::string& why, bool tell);
  void forget_closed(std::uint64_t number);
  void close_all_of(const std::string& node, const std::string& why);

  void overhear(const cluster::local_identity& from, const std::string& envelope) const;
  std::shared_ptr<const std::string> spoil(std::uint64_t number, session& s, const std::string& to,
                                           std::shared_ptr<const std::string> envelope);
  void deliver_late(std::uint64_t session_number, const std::string& from, std::uint64_t from_server, const std::string& to,
                    std::uint64_t to_incarnation, messages::parcel p);

  agenda& plans_;
  const tests::manual_clock& clock_;
  trace& log_;
  chance luck_;
  std::map<std::string, transport*> running_;
  std::set<std::string> frozen_;
  sessions sessions_;
  std::uint64_t sessions_made_ = 0, envelopes_ = 0;
  std::map<direction, std::int64_t> dial_ns_; ///< not before
  std::set<direction> cut_;
  std::map<direction, std::int64_t> base_ns_, slow_ns_, late_ns_;
  std::int64_t usual_ns_ = 0;
  unreliability unreliable_;
};

} // namespace epione::simulation
