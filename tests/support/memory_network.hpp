// Links between nodes of one process: envelopes go from queue to queue when the test says so, and not at all where it cuts.
#pragma once

#include "cluster/peer_transport.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace epione::tests {

class memory_network {
public:
  /// One node's end.
  class transport final : public cluster::peer_transport {
  public:
    transport(memory_network& network, cluster::local_identity& identity) : network_(network), identity_(identity) {}
    ~transport() override { stop(); }
    void start(cluster::peer_events& events) override {
      events_ = &events;
      network_.ends_[identity_.node()] = this;
      network_.look();
    }
    void stop() override {
      if (events_ == nullptr)
        return;
      events_ = nullptr;
      const auto name = identity_.node();
      network_.ends_.erase(name);
      network_.end_links_of(name, "the other node has stopped");
    }
    void keep(const cluster::peer_address& address) override {
      kept_.insert(address.node);
      network_.look();
    }
    void forget(const std::string& node) override {
      kept_.erase(node);
      network_.end_link(identity_.node(), node, "forgotten");
    }
    void reconnect(const std::string& node) override {
      if (node.empty())
        network_.end_links_of(identity_.node(), "made anew");
      else
        network_.end_link(identity_.node(), node, "made anew");
      network_.look();
    }
    bool send(const std::string& node, std::shared_ptr<const std::string> envelope) override {
      if (!network_.links_.contains(pair_of(identity_.node(), node)))
        return false;
      if (!network_.lost.contains({identity_.node(), node}))
        network_.under_way_.push_back(
            {identity_.node(), node, network_.generation_of(identity_.node(), node), std::move(envelope)});
      return true;
    }

  private:
    friend class memory_network;
    memory_network& network_;
    cluster::local_identity& identity_;
    cluster::peer_events* events_ = nullptr;
    std::set<std::string> kept_;
  };

  /// Everything that is under way arrives; what is sent meanwhile arrives the next time.
  void deliver() {
    for (auto& x : std::exchange(under_way_, {})) {
      const auto link = links_.find(pair_of(x.from, x.to));
      const auto to = ends_.find(x.to);
      if (link == links_.end() || link->second != x.generation || to == ends_.end() || lost.contains({x.from, x.to}))
        continue;
      to->second->events_->received(x.from, x.envelope);
    }
  }

  /// No link between them until healed.
  void cut(const std::string& a, const std::string& b) {
    cut_.insert(pair_of(a, b));
    end_link(a, b, "cut");
  }
  void heal(const std::string& a, const std::string& b) {
    cut_.erase(pair_of(a, b));
    look();
  }

  /// (from, to): what goes that way is lost, and neither side is told.
  std::set<std::pair<std::string, std::string>> lost;

private:
  using link = std::pair<std::string, std::string>;
  struct message {
    std::string from, to;
    std::uint64_t generation;
    std::shared_ptr<const std::string> envelope;
  };

  static link pair_of(const std::string& a, const std::string& b) { return a < b ? link{a, b} : link{b, a}; }
  std::uint64_t generation_of(const std::string& a, const std::string& b) { return links_.at(pair_of(a, b)); }

  /// Makes the links that can be.
  void look() {
    for (auto& [a, one] : ends_)
      for (auto& [b, other] : ends_) {
        const auto l = pair_of(a, b);
        if (a >= b || links_.contains(l) || cut_.contains(l) || !one->kept_.contains(b) || !other->kept_.contains(a))
          continue;
        links_[l] = ++generations_;
        one->events_->linked(b, info_of(other->identity_));
        other->events_->linked(a, info_of(one->identity_));
      }
  }

  static cluster::link_info info_of(const cluster::local_identity& identity) {
    const auto h = identity.hello();
    return {h.node, "memory:" + h.node, h.cluster, h.version, h.protocol_max, h.server_id, h.incarnation};
  }

  void end_link(const std::string& a, const std::string& b, const std::string& why) {
    if (links_.erase(pair_of(a, b)) == 0)
      return;
    for (const auto& [from, to] : {link{a, b}, link{b, a}})
      if (const auto at = ends_.find(from); at != ends_.end() && at->second->events_ != nullptr)
        at->second->events_->unlinked(to, why);
  }

  void end_links_of(const std::string& node, const std::string& why) {
    const auto all = links_;
    for (const auto& [l, generation] : all)
      if (l.first == node || l.second == node)
        end_link(l.first, l.second, why);
  }

  std::map<std::string, transport*> ends_;
  std::map<link, std::uint64_t> links_;
  std::set<link> cut_;
  std::deque<message> under_way_;
  std::uint64_t generations_ = 0;
};

} // namespace epione::tests
