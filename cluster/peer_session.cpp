#include "cluster/peer_session.hpp"

#include "cluster/peer_tls.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <chrono>
#include <deque>
#include <mutex>

namespace epione::cluster {

namespace net = boost::asio;
namespace websocket = boost::beast::websocket;
namespace defaults = runtime::defaults;
using boost::system::error_code;

namespace {

constexpr const char* target = "/peer";
constexpr std::size_t write_piece_bytes = 64 * 1024; // masked, encrypted and written at once
constexpr std::size_t reason_bytes_max = 123;        // of a close frame (RFC 6455, 5.5)

/// Asio takes over a reference of its own.
net::ssl::context shared_context(SSL_CTX* context) {
  SSL_CTX_up_ref(context);
  return net::ssl::context{context};
}

class session final : public peer_session {
public:
  session(net::ip::tcp::socket socket, SSL_CTX* context, peer_session_owner& owner, peer_session_options options)
      : owner_(owner), options_(std::move(options)), tls_(shared_context(context)), stream_(std::move(socket), tls_),
        timer_(stream_.get_executor()) {
    info_.address = options_.address;
  }

  const peer_session_options& options() const override { return options_; }
  const messages::link_info& info() const override { return info_; }
  bool is_linked() const override { return linked_; }

  void start() override {
    error_code ignored;
    socket().set_option(net::ip::tcp::no_delay{true}, ignored);
    limit(options_.handshake_limit_ms, "the connection was not made within " + std::to_string(options_.handshake_limit_ms) +
                                           " ms; look at the network and the load of both nodes");
    tls().set_verify_callback([this](bool good, net::ssl::verify_context& x) {
      if (!good)
        failed_.take(x.native_handle());
      return good;
    });
    tls().async_handshake(options_.dials ? net::ssl::stream_base::client : net::ssl::stream_base::server,
                          [self = self()](const error_code& e) { self->on_tls(e); });
  }

  bool offer(std::shared_ptr<const std::string> envelope) override {
    {
      std::lock_guard guard{mutex_};
      if (!open_ || (!queue_.empty() && queued_bytes_ + envelope->size() > options_.queue_bytes_max))
        return false;
      queued_bytes_ += envelope->size();
      queue_.push_back(std::move(envelope));
      if (std::exchange(writing_, true))
        return true;
    }
    net::post(stream_.get_executor(), [self = self()] { self->write_next(); });
    return true;
  }

  void close(const std::string& why) override {
    if (ended_ || closing_)
      return;
    if (!linked_)
      return cut(why);
    closing_ = true;
    bool writes = false;
    {
      std::lock_guard guard{mutex_};
      open_ = false;
      writes = writing_;
    }
    say_goodbye_ = why;
    limit(options_.close_limit_ms, why);
    if (!writes)
      say_goodbye(websocket::close_code::going_away);
  }

  void cut(const std::string& why) override { end(why); }

private:
  using tls_stream = net::ssl::stream<net::ip::tcp::socket>;

  /// The certificate that failed the verification, and how.
  struct failed_certificate {
    /// The node's own, but for one that has ended, which may be its authority's.
    void take(X509_STORE_CTX* check) {
      result = X509_STORE_CTX_get_error(check);
      auto* x = result == X509_V_ERR_CERT_HAS_EXPIRED ? X509_STORE_CTX_get_current_cert(check) : X509_STORE_CTX_get0_cert(check);
      if (x != nullptr)
        X509_up_ref(x);
      certificate.reset(x);
    }
    openssl::certificate certificate;
    long result = X509_V_OK;
  };

  std::shared_ptr<session> self() { return std::static_pointer_cast<session>(shared_from_this()); }
  tls_stream& tls() { return stream_.next_layer(); }
  net::ip::tcp::socket& socket() { return tls().next_layer(); }

  /// Ends the session when so much time has passed, unless another limit was set meanwhile.
  void limit(std::uint32_t ms, std::string why) {
    timer_.expires_after(std::chrono::milliseconds{ms});
    timer_.async_wait([self = self(), why = std::move(why)](const error_code& e) {
      if (!e)
        self->end(why);
    });
  }

  // ---- the beginning ---------------------------------------------------------------------------------------------------

  void on_tls(const error_code& e) {
    if (ended_)
      return;
    if (e)
      return refuse_connection(failed_.result != X509_V_OK ? refusal_text(failed_.result, failed_.certificate.get())
                                                           : error_text(e));
    websocket::stream_base::timeout limits{};
    limits.handshake_timeout = std::chrono::milliseconds{options_.handshake_limit_ms};
    limits.idle_timeout = std::chrono::milliseconds{options_.idle_limit_ms};
    limits.keep_alive_pings = true;
    stream_.set_option(limits);
    stream_.binary(true);
    stream_.auto_fragment(false);
    stream_.write_buffer_bytes(write_piece_bytes);
    stream_.read_message_max(defaults::peer_hello_bytes_max);
    const auto done = [self = self()](const error_code& x) { self->on_upgraded(x); };
    if (options_.dials)
      stream_.async_handshake(options_.address, target, done);
    else
      stream_.async_accept(done);
  }

  void on_upgraded(const error_code& e) {
    if (ended_)
      return;
    if (e)
      return end(error_text(e));
    write_greeting(encode(owner_.own_hello()));
    read([this](const std::string& bytes) { on_hello(bytes); });
  }

  void write_greeting(std::string bytes) {
    auto kept = std::make_shared<const std::string>(std::move(bytes));
    greetings_.push_back(std::move(kept));
    if (greetings_.size() == 1)
      write_next_greeting();
  }

  void write_next_greeting() {
    stream_.async_write(net::buffer(*greetings_.front()), [self = self()](const error_code& e, std::size_t) {
      if (self->ended_ || e)
        return self->end(self->error_text(e));
      self->greetings_.pop_front();
      if (!self->greetings_.empty())
        self->write_next_greeting();
      else
        self->link_when_greeted();
    });
  }

  void on_hello(const std::string& bytes) {
    const auto hello = messages::decode_hello(bytes);
    if (!hello)
      return refuse("it does not greet as a node of Epione: " + hello.error());
    info_.node = hello->node;
    info_.cluster = hello->cluster;
    info_.version = hello->version;
    info_.server_id = hello->server_id;
    info_.incarnation = hello->incarnation;
    info_.protocol = std::min(owner_.own_hello().protocol_max, hello->protocol_max);
    if (const auto why = owner_.admit(*this, *hello, peer_names(tls().native_handle())); !why.empty())
      return refuse(why);
    write_greeting({});
    read([this](const std::string& welcome) {
      if (!welcome.empty())
        return refuse("it sends before the greeting is over");
      welcome_ = true;
      link_when_greeted();
    });
  }

  /// Envelopes are written when the greeting is, and read when the other side was content.
  void link_when_greeted() {
    if (!welcome_ || !greetings_.empty() || linked_ || closing_)
      return;
    linked_ = true;
    timer_.cancel();
    stream_.read_message_max(options_.envelope_bytes_max);
    {
      std::lock_guard guard{mutex_};
      open_ = true;
    }
    owner_.linked(*this);
    read_next();
  }

  // ---- envelopes -------------------------------------------------------------------------------------------------------

  /// One message. A buffer that a large one has left is given back.
  std::string take_message() {
    const auto data = input_.cdata();
    std::string bytes{static_cast<const char*>(data.data()), data.size()};
    input_.consume(data.size());
    if (input_.capacity() > 4 * defaults::peer_envelope_bytes)
      input_.shrink_to_fit();
    return bytes;
  }

  template <class Then>
  void read(Then then) {
    stream_.async_read(input_, [self = self(), then](const error_code& e, std::size_t) {
      if (self->ended_)
        return;
      if (e)
        return self->end(self->error_text(e));
      then(self->take_message());
    });
  }

  void read_next() {
    if (ended_)
      return;
    read([this](std::string&& envelope) {
      if (!closing_)
        owner_.received(*this, std::make_shared<const std::string>(std::move(envelope)));
      read_next();
    });
  }

  void write_next() {
    if (ended_)
      return;
    std::shared_ptr<const std::string> envelope;
    {
      std::lock_guard guard{mutex_};
      if (queue_.empty()) {
        writing_ = false;
      } else {
        envelope = queue_.front();
      }
    }
    if (envelope == nullptr) {
      if (closing_)
        say_goodbye(websocket::close_code::going_away);
      return;
    }
    stream_.async_write(net::buffer(*envelope), [self = self(), envelope](const error_code& e, std::size_t) {
      if (self->ended_)
        return;
      if (e)
        return self->end(self->error_text(e));
      {
        std::lock_guard guard{self->mutex_};
        self->queue_.pop_front();
        self->queued_bytes_ -= envelope->size();
      }
      self->write_next();
    });
  }

  // ---- the end ---------------------------------------------------------------------------------------------------------

  /// Tells the other side why, before anything of value has been sent.
  void refuse(const std::string& why) {
    if (ended_ || closing_)
      return;
    closing_ = true;
    say_goodbye_ = why;
    limit(options_.close_limit_ms, why);
    say_goodbye(websocket::close_code::policy_error);
  }

  void say_goodbye(websocket::close_code code) {
    websocket::close_reason reason{code};
    const auto text = std::string_view{say_goodbye_}.substr(0, reason_bytes_max);
    reason.reason.assign(text.data(), text.size());
    stream_.async_close(reason, [self = self()](const error_code&) { self->end(self->say_goodbye_); });
  }

  /// The alert that says why must reach the other side: closing with unread bytes would overtake it.
  void refuse_connection(const std::string& why) {
    error_code ignored;
    socket().shutdown(net::ip::tcp::socket::shutdown_send, ignored);
    ended_ = true;
    owner_.ended(*this, why);
    timer_.expires_after(std::chrono::milliseconds{options_.close_limit_ms});
    timer_.async_wait([self = self()](const error_code& e) {
      error_code closed;
      if (!e)
        self->socket().close(closed);
    });
    read_over();
  }

  void read_over() {
    socket().async_read_some(net::buffer(scrap_), [self = self()](const error_code& e, std::size_t n) {
      self->read_over_bytes_ += n;
      if (!e && self->read_over_bytes_ < defaults::peer_certificate_bytes_max)
        return self->read_over();
      error_code closed;
      self->timer_.cancel();
      self->socket().close(closed);
    });
  }

  void end(const std::string& why) {
    if (std::exchange(ended_, true))
      return;
    timer_.cancel();
    {
      std::lock_guard guard{mutex_};
      open_ = false;
      writing_ = true; // nobody is to begin again
      queue_.clear();
    }
    error_code ignored;
    socket().close(ignored);
    owner_.ended(*this, why);
  }

  std::string error_text(const error_code& e) const {
    if (closing_)
      return say_goodbye_;
    if (e == websocket::error::closed) {
      const auto& reason = stream_.reason();
      const std::string text{reason.reason.data(), reason.reason.size()};
      if (reason.code == websocket::close_code::policy_error)
        return "the other side refuses: " + text;
      return text.empty() ? "closed by the other side" : "closed by the other side: " + text;
    }
    if (e.category() == net::error::get_ssl_category())
      return tls_error_text(static_cast<unsigned long>(static_cast<unsigned>(e.value())));
    if (e == boost::beast::error::timeout)
      return "nothing was heard from it for " + std::to_string(options_.idle_limit_ms) + " ms";
    if (e == net::error::eof || e == net::ssl::error::stream_truncated || e == net::error::connection_reset)
      return linked_ ? "the other side closed the connection without a word: it ended, or the network did"
                     : "the other side closed the connection in the middle of the greeting; its own log may say why";
    return e.message();
  }

  peer_session_owner& owner_;
  const peer_session_options options_;
  messages::link_info info_;
  net::ssl::context tls_;
  websocket::stream<tls_stream> stream_;
  net::steady_timer timer_;
  boost::beast::flat_buffer input_;
  failed_certificate failed_;
  std::deque<std::shared_ptr<const std::string>> greetings_; ///< being written
  bool welcome_ = false, linked_ = false, closing_ = false, ended_ = false;
  std::string say_goodbye_;
  std::array<char, 4'096> scrap_{};
  std::size_t read_over_bytes_ = 0;

  std::mutex mutex_; ///< for what follows
  std::deque<std::shared_ptr<const std::string>> queue_;
  std::size_t queued_bytes_ = 0;
  bool open_ = false, writing_ = false;
};

} // namespace

std::shared_ptr<peer_session> make_peer_session(net::ip::tcp::socket socket, SSL_CTX* context, peer_session_owner& owner,
                                                peer_session_options options) {
  return std::make_shared<session>(std::move(socket), context, owner, std::move(options));
}

} // namespace epione::cluster
