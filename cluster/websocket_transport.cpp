#include "cluster/websocket_transport.hpp"

#include "cluster/certificates.hpp"
#include "cluster/peer_session.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics.hpp"
#include "runtime/random.hpp"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <set>
#include <thread>
#include <typeinfo>

namespace epione::cluster {

namespace net = boost::asio;
namespace defaults = runtime::defaults;
using boost::system::error_code;
using net::ip::tcp;
using std::chrono::milliseconds;

namespace {

constexpr const char* transport_part = "peers";
constexpr std::int64_t repeat_ns = 60'000'000'000; // what is said again and again is said once a minute
constexpr std::size_t sayings_max = 256;           // of which that is remembered
constexpr std::int64_t seconds_a_day = 86'400;
constexpr unsigned doublings_max = 16;

std::string address_text(const tcp::endpoint& x) {
  const auto host = x.address().to_string();
  return (x.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(x.port());
}

std::string address_text(const peer_address& x) {
  return x.host + ":" + std::to_string(x.port);
}

} // namespace

struct websocket_transport::impl final : peer_session_owner {
  using session_ptr = std::shared_ptr<peer_session>;

  /// A node to have a link with.
  struct kept_node {
    kept_node(net::io_context& loop, peer_address x) : address(std::move(x)), pause(loop) {}
    peer_address address;
    net::steady_timer pause; ///< until the next try
    unsigned failures = 0;   ///< in a row
    bool dialling = false;   ///< a try is under way, up to the link or its end
  };

  /// TCP on its way to a node; given up by its timer.
  struct attempt {
    explicit attempt(net::io_context& loop) : resolver(loop), socket(loop), timer(loop) {}
    tcp::resolver resolver;
    tcp::socket socket;
    net::steady_timer timer;
    bool late = false;
  };

  impl(websocket_options o, const local_identity& i, runtime::log& l, runtime::metrics& m, runtime::clock& c,
       runtime::random_source& r)
      : options(std::move(o)), identity(i), log(l), clock(c), random(r),
        refused(m.counter("epione_peer_refused_total", "Links refused, by this node or by the other one")),
        days_left_shown(m.gauge("epione_peer_certificate_days", "Days until this node's certificate ends")), acceptor(loop),
        accept_pause(loop), look_timer(loop), stop_timer(loop) {}

  // ---- certificates ------------------------------------------------------------------------------------------------------

  std::int64_t now_s() const { return clock.wall_us() / 1'000'000; }

  tl::expected<void, std::string> load_first() {
    auto read = read_tls_files(options.files);
    if (!read)
      return tl::unexpected{read.error() + "; epione cert issue --node " + identity.node() + " makes a node's files"};
    auto made = make_peer_context(*read, options.files, identity.node(), now_s());
    if (!made)
      return tl::unexpected{std::move(made.error())};
    if (!made->problem.empty())
      log.error(transport_part, "other nodes will refuse this node's certificate", {{"why", made->problem}});
    material = candidate = std::move(*read);
    context = std::move(*made);
    return {};
  }

  void look_later() {
    look_timer.expires_after(milliseconds{options.certificate_look_ms});
    look_timer.async_wait([this](const error_code& e) {
      if (e || stopping)
        return;
      look();
      look_later();
    });
  }

  /// Files that were just written may not be whole, or not belong together yet: they are taken at the second look that finds them
  /// the same.
  void look() {
    watch_end();
    auto read = read_tls_files(options.files);
    if (!read)
      return complain(read.error());
    if (*read == material) {
      candidate = std::move(*read);
      return;
    }
    if (*read != candidate) {
      candidate = std::move(*read);
      return;
    }
    auto made = make_peer_context(candidate, options.files, identity.node(), now_s());
    if (!made)
      return complain(made.error());
    if (!made->problem.empty() && context.problem.empty())
      return complain(made->problem);
    material = candidate;
    context = std::move(*made);
    log.info(transport_part, "took new certificates", {{"days_left", (context.not_after_s - now_s()) / seconds_a_day}});
    close_links({}, "the certificates of " + identity.node() + " were exchanged");
    for (auto& [node, kept] : nodes)
      retry_soon(*kept);
  }

  void complain(const std::string& why) {
    if (is_new("certificates " + why))
      log.error(transport_part, "the certificates cannot be used; the ones before stay", {{"why", why}});
  }

  void watch_end() {
    const auto left = (context.not_after_s - now_s()) / seconds_a_day;
    days_left_shown.Set(static_cast<double>(left));
    if (left >= defaults::certificate_warning_days || now_s() < warned_s + seconds_a_day)
      return;
    warned_s = now_s();
    log.warning(transport_part, "this node's certificate ends soon",
                {{"days_left", left},
                 {"why", options.files.certificate + " ends on " + time_text(context.not_after_s) +
                             "; issue the next one with epione cert issue --node " + identity.node() + " --force"}});
  }

  // ---- accepting -------------------------------------------------------------------------------------------------------

  tl::expected<std::uint16_t, std::string> open_port() {
    const auto where = "cannot listen for other nodes on " + options.address + ":" + std::to_string(options.port);
    error_code e;
    const auto address = net::ip::make_address(options.address, e);
    if (e)
      return tl::unexpected{where +
                            ": this is no IP address; say in peers.address on which one of this machine's (0.0.0.0 for all)"};
    const tcp::endpoint endpoint{address, options.port};
    acceptor.open(endpoint.protocol(), e);
    if (!e)
      acceptor.set_option(tcp::acceptor::reuse_address{true}, e);
    if (!e)
      acceptor.bind(endpoint, e);
    if (!e)
      acceptor.listen(net::socket_base::max_listen_connections, e);
    if (e)
      return tl::unexpected{where + ": " + e.message()};
    return acceptor.local_endpoint().port();
  }

  void accept() {
    acceptor.async_accept([this](const error_code& e, tcp::socket socket) {
      if (stopping)
        return;
      if (e)
        return accept_later();
      take(std::move(socket));
      accept();
    });
  }

  /// No file descriptor is left, most likely.
  void accept_later() {
    accept_pause.expires_after(milliseconds{options.dial_ms});
    accept_pause.async_wait([this](const error_code& e) {
      if (!e && !stopping)
        accept();
    });
  }

  void take(tcp::socket socket) {
    error_code e;
    const auto from = socket.remote_endpoint(e);
    if (e)
      return;
    if (handshakes >= options.handshakes_max) {
      refused.Increment();
      if (is_new("handshakes"))
        log.warning(transport_part, "too many links are being made at once; one was closed unheard",
                    {{"address", address_text(from)}, {"limit", options.handshakes_max}});
      return;
    }
    ++handshakes;
    begin(std::move(socket), {}, address_text(from));
  }

  void begin(tcp::socket socket, const std::string& expected, const std::string& address) {
    peer_session_options o;
    o.dials = !expected.empty();
    o.expected = expected;
    o.address = address;
    o.envelope_bytes_max = options.envelope_bytes_max;
    o.queue_bytes_max = options.queue_bytes_max;
    o.handshake_limit_ms = options.handshake_limit_ms;
    o.idle_limit_ms = options.idle_limit_ms;
    o.close_limit_ms = options.close_limit_ms;
    auto s = make_peer_session(std::move(socket), context.context.get(), *this, std::move(o));
    sessions.insert(s);
    s->start();
  }

  // ---- dialling --------------------------------------------------------------------------------------------------------

  bool dials(const std::string& node) const { return identity.node() < node; }

  bool has_link(const std::string& node) {
    std::lock_guard guard{mutex};
    return links.count(node) != 0;
  }

  void dial(const std::string& node) {
    const auto found = nodes.find(node);
    if (stopping || found == nodes.end() || found->second->dialling || has_link(node))
      return;
    found->second->dialling = true;
    const auto& to = found->second->address;
    const auto a = std::make_shared<attempt>(loop);
    a->timer.expires_after(milliseconds{options.handshake_limit_ms});
    a->timer.async_wait([a](const error_code& e) {
      if (e)
        return;
      error_code ignored;
      a->late = true;
      a->resolver.cancel();
      a->socket.close(ignored);
    });
    error_code e;
    if (const auto address = net::ip::make_address(to.host, e); !e)
      return connect(a, node, to, tcp::resolver::results_type::create(tcp::endpoint{address, to.port}, to.host, {}));
    a->resolver.async_resolve(to.host, std::to_string(to.port), tcp::resolver::numeric_service,
                              [this, a, node, to](const error_code& x, const tcp::resolver::results_type& all) {
                                if (x || a->late)
                                  return not_reached(a, node, to, x);
                                connect(a, node, to, all);
                              });
  }

  void connect(const std::shared_ptr<attempt>& a, const std::string& node, const peer_address& to,
               const tcp::resolver::results_type& all) {
    net::async_connect(a->socket, all, [this, a, node, to](const error_code& e, const tcp::endpoint&) {
      a->timer.cancel();
      if (e || a->late || stopping)
        return not_reached(a, node, to, e);
      begin(std::move(a->socket), node, address_text(to));
    });
  }

  void not_reached(const std::shared_ptr<attempt>& a, const std::string& node, const peer_address& to, const error_code& e) {
    a->timer.cancel();
    if (stopping)
      return;
    const auto why = a->late ? "no answer within " + std::to_string(options.handshake_limit_ms) + " ms" : e.message();
    if (is_new("dial " + node + why))
      log.warning(transport_part, "a node cannot be reached", {{"node", node}, {"address", address_text(to)}, {"why", why}});
    dial_again(node);
  }

  /// After a try that failed or a link that ended.
  void dial_again(const std::string& node) {
    const auto found = nodes.find(node);
    if (found == nodes.end() || stopping)
      return;
    auto& kept = *found->second;
    kept.dialling = false;
    if (!dials(node))
      return;
    const auto doubled = std::uint64_t{options.dial_ms} << std::min(kept.failures++, doublings_max);
    const auto pause = std::min<std::uint64_t>(doubled, options.dial_ms_max);
    wait_and_dial(kept, pause - random.next() % (pause / 2 + 1));
  }

  void wait_and_dial(kept_node& kept, std::uint64_t ms) {
    kept.pause.expires_after(milliseconds{ms});
    kept.pause.async_wait([this, node = kept.address.node](const error_code& e) {
      if (!e)
        dial(node);
    });
  }

  /// What was in the way may be gone.
  void retry_soon(kept_node& kept) {
    kept.failures = 0;
    if (dials(kept.address.node) && !kept.dialling)
      wait_and_dial(kept, 0);
  }

  // ---- what sessions tell ----------------------------------------------------------------------------------------------

  messages::hello own_hello() override { return identity.hello(); }

  std::string admit(peer_session& who, const messages::hello& hello, const std::vector<std::string>& names) override {
    const auto own = identity.hello();
    if (std::find(names.begin(), names.end(), hello.node) == names.end())
      return "says it is node " + hello.node + ", but its certificate is for " + (names.empty() ? "nobody" : names.front());
    if (hello.node == own.node)
      return "has the name of the node it talks to, " + own.node + "; each needs its own";
    if (const auto& expected = who.options().expected; !expected.empty() && hello.node != expected)
      return "node " + hello.node + " answers at the address of " + expected + "; correct the cluster file";
    const auto kept = nodes.find(hello.node);
    if (kept == nodes.end())
      return "node " + hello.node + " is not one of those " + own.node + " knows; let it join the cluster first";
    if (std::max(own.protocol_min, hello.protocol_min) > std::min(own.protocol_max, hello.protocol_max))
      return "versions: " + hello.node + " (" + hello.version + ") speaks " + range(hello) + ", " + own.node + " (" +
             own.version + ") " + range(own) + "; upgrade step by step";
    if (!own.cluster.empty() && !hello.cluster.empty() && own.cluster != hello.cluster)
      return "node " + hello.node + " is of cluster " + hello.cluster + ", " + own.node + " of " + own.cluster;
    if (kept->second->address.is_replaced(hello.server_id))
      return replaced(hello.node, hello.server_id);
    return {};
  }

  /// Short enough for a close frame.
  static std::string replaced(const std::string& node, std::uint64_t server_id) {
    return "node " + node + " was replaced: move this directory, of server " + std::to_string(server_id) +
           ", away and start with an empty one";
  }

  static std::string range(const messages::hello& x) {
    return "protocol " + std::to_string(x.protocol_min) + " to " + std::to_string(x.protocol_max);
  }

  void linked(peer_session& who) override {
    const auto node = who.info().node;
    if (!who.options().dials)
      --handshakes;
    session_ptr before;
    {
      std::lock_guard guard{mutex};
      auto& entry = links[node];
      before = std::exchange(entry, who.shared_from_this());
    }
    if (before != nullptr) {
      events->unlinked(node, before->info().incarnation != who.info().incarnation ? "the node was started again"
                                                                                  : "a newer link took its place");
      before->cut("a newer link took its place");
    }
    if (const auto found = nodes.find(node); found != nodes.end()) {
      found->second->failures = 0;
      found->second->pause.cancel();
    }
    events->linked(node, who.info());
  }

  void received(peer_session& who, std::shared_ptr<const std::string> envelope) override {
    if (is_current(who))
      events->received(who.info().node, std::move(envelope));
  }

  void ended(peer_session& who, const std::string& why) override {
    const auto& o = who.options();
    const auto self = who.shared_from_this();
    if (!who.is_linked() && !o.dials)
      --handshakes;
    if (!who.is_linked() && !stopping)
      report_refusal(who, why);
    if (is_current(who)) {
      {
        std::lock_guard guard{mutex};
        links.erase(who.info().node);
      }
      events->unlinked(who.info().node, why);
      if (!o.dials)
        dial_again(who.info().node);
    }
    if (o.dials)
      dial_again(o.expected);
    sessions.erase(self);
    if (stopping && sessions.empty())
      loop.stop();
  }

  void report_refusal(const peer_session& who, const std::string& why) {
    refused.Increment();
    const auto& o = who.options();
    auto node = o.expected.empty() ? who.info().node : o.expected;
    if (node.empty())
      node = "unknown";
    if (is_new("refused " + node + why))
      log.warning(transport_part, "no link was made", {{"node", node}, {"address", o.address}, {"why", why}});
  }

  bool is_current(peer_session& who) {
    std::lock_guard guard{mutex};
    const auto found = links.find(who.info().node);
    return found != links.end() && found->second.get() == &who;
  }

  /// Whether this was not said within the last minute. A node that is away, or a stranger that insists, does not fill the log.
  bool is_new(const std::string& saying) {
    const auto now = clock.now_ns();
    if (sayings.size() >= sayings_max)
      sayings.clear();
    const auto [at, added] = sayings.try_emplace(saying, now);
    if (!added && now - at->second < repeat_ns)
      return false;
    at->second = now;
    return true;
  }

  // ---- what the node asks for; on the loop's thread --------------------------------------------------------------------------

  void close_links(const std::string& node, const std::string& why) {
    for (const auto& s : std::set<session_ptr>{sessions})
      if (node.empty() || s->info().node == node || s->options().expected == node)
        s->close(why);
  }

  void on_keep(const peer_address& address) {
    if (address.node == identity.node() || stopping)
      return;
    auto& kept = nodes[address.node];
    if (kept == nullptr) {
      kept = std::make_unique<kept_node>(loop, address);
    } else {
      const bool is_elsewhere = address_text(kept->address) != address_text(address);
      kept->address = address;
      if (is_elsewhere && dials(address.node))
        close_links(address.node, "node " + address.node + " has another address");
      for (const auto& s : std::set<session_ptr>{sessions}) // also one that has been let in and is not linked yet
        if (s->info().node == address.node && address.is_replaced(s->info().server_id))
          s->close(replaced(address.node, s->info().server_id));
    }
    if (dials(address.node)) {
      kept->failures = 0;
      dial(address.node);
    }
  }

  void on_forget(const std::string& node) {
    if (nodes.erase(node) != 0)
      close_links(node, "node " + node + " left the cluster");
  }

  void on_reconnect(const std::string& node) {
    close_links(node, "the link is made anew");
    for (auto& [name, kept] : nodes)
      if (node.empty() || name == node)
        retry_soon(*kept);
  }

  void on_stop() {
    stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    accept_pause.cancel();
    look_timer.cancel();
    for (auto& [node, kept] : nodes)
      kept->pause.cancel();
    close_links({}, "node " + identity.node() + " stops");
    if (sessions.empty())
      return loop.stop();
    stop_timer.expires_after(milliseconds{options.close_limit_ms});
    stop_timer.async_wait([this](const error_code& e) {
      if (!e)
        loop.stop();
    });
  }

  void run() {
    for (;;)
      try {
        loop.run();
        return;
      } catch (const std::exception& x) {
        log.error(transport_part, "an exception reached the event loop", {{"type", typeid(x).name()}});
      }
  }

  const websocket_options options;
  const local_identity& identity;
  runtime::log& log;
  runtime::clock& clock;
  runtime::random_source& random;
  prometheus::Counter& refused;
  prometheus::Gauge& days_left_shown;
  peer_events* events = nullptr;

  net::io_context loop{1};
  net::executor_work_guard<net::io_context::executor_type> work{loop.get_executor()};
  tcp::acceptor acceptor;
  net::steady_timer accept_pause, look_timer, stop_timer;
  std::thread thread;

  tls_material material, candidate;
  peer_context context;
  std::int64_t warned_s = 0;
  std::map<std::string, std::unique_ptr<kept_node>> nodes;
  std::set<session_ptr> sessions; ///< all that have not ended
  std::uint32_t handshakes = 0;   ///< incoming ones that are not linked
  std::map<std::string, std::int64_t> sayings;
  bool stopping = false;

  std::mutex mutex;
  std::map<std::string, session_ptr> links;
};

websocket_transport::websocket_transport(websocket_options options, const local_identity& identity, runtime::log& log,
                                         runtime::metrics& metrics, runtime::clock& clock, runtime::random_source& random)
    : impl_(std::make_unique<impl>(std::move(options), identity, log, metrics, clock, random)) {}

websocket_transport::~websocket_transport() {
  stop();
}

tl::expected<std::uint16_t, std::string> websocket_transport::listen() {
  if (auto loaded = impl_->load_first(); !loaded)
    return tl::unexpected{"the links with other nodes: " + loaded.error()};
  return impl_->open_port();
}

void websocket_transport::start(peer_events& events) {
  impl_->events = &events;
  net::post(impl_->loop, [this] {
    impl_->watch_end();
    impl_->look_later();
    impl_->accept();
  });
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  impl_->thread = std::thread{[this] { impl_->run(); }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void websocket_transport::stop() {
  if (!impl_->thread.joinable())
    return;
  net::post(impl_->loop, [this] { impl_->on_stop(); });
  impl_->thread.join();
}

void websocket_transport::keep(const peer_address& address) {
  net::post(impl_->loop, [this, address] { impl_->on_keep(address); });
}

void websocket_transport::forget(const std::string& node) {
  net::post(impl_->loop, [this, node] { impl_->on_forget(node); });
}

void websocket_transport::reconnect(const std::string& node) {
  net::post(impl_->loop, [this, node] { impl_->on_reconnect(node); });
}

bool websocket_transport::send(const std::string& node, std::shared_ptr<const std::string> envelope) {
  impl::session_ptr session;
  {
    std::lock_guard guard{impl_->mutex};
    const auto found = impl_->links.find(node);
    if (found == impl_->links.end())
      return false;
    session = found->second;
  }
  return session->offer(std::move(envelope));
}

} // namespace epione::cluster
