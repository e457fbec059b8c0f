#include "cli/load_generator.hpp"

#include <algorithm>
#include <cmath>
#include <poll.h>
#include <sys/resource.h>

namespace epione::cli {

namespace {

// Waking for each submission of a high rate would cost more than sending it: what is due within this goes together.
constexpr std::int64_t pace_ns = 200'000;
constexpr std::size_t refusals_max = 16; // statuses whose first text is shown

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

bool readable(int descriptor) {
  pollfd p{descriptor, POLLIN, 0};
  return descriptor >= 0 && ::poll(&p, 1, 0) > 0;
}

/// The value of a member that is a string without escapes; empty when it is not there.
std::string_view string_member(std::string_view json, std::string_view quoted_name) {
  auto at = json.find(quoted_name);
  if (at == std::string_view::npos)
    return {};
  at += quoted_name.size();
  while (at < json.size() && (json[at] == ':' || json[at] == ' '))
    ++at;
  if (at >= json.size() || json[at] != '"')
    return {};
  const auto end = json.find('"', ++at);
  return end == std::string_view::npos ? std::string_view{} : json.substr(at, end - at);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<domain::receipt> receipt_in(std::string_view body) {
  const auto text = string_member(body, "\"receipt\"");
  domain::receipt out;
  if (text.size() != 2 * out.bytes.size())
    return std::nullopt;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    out.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return out;
}

} // namespace

load_generator::load_generator(load_options options, std::string host, load_ledger_writer* ledger)
    : options_(std::move(options)), ledger_(ledger), writer_(options_.plan, host, options_.study, options_.codes) {}

tl::expected<load_result, std::string> load_generator::run(http_endpoint_address where, http_client::finder find, int stop,
                                                           const std::function<void(const load_progress&)>& tell) {
  phones_.assign(options_.connections, {});
  idle_.reserve(options_.connections);
  start_ = steady_ns();
  measure_from_ = start_ + options_.warm_up_ns;
  end_ = options_.duration_ns == 0 ? INT64_MAX : measure_from_ + options_.duration_ns;
  next_tell_ = start_ + second_ns;
  auto client = http_client::open(*this, std::move(where), options_.connections, options_.answer_limit_ns, std::move(find));
  if (!client)
    return tl::make_unexpected(client.error());
  client_ = client->get();
  client_->watch(stop);
  const auto cpu_before = cpu_seconds();
  for (auto now = start_; !finished(now); now = steady_ns()) {
    if (!result_.interrupted && readable(stop)) {
      result_.interrupted = true;
      client_->watch(-1);
      end_ = std::min(end_, now);
    }
    if (now >= next_tell_)
      tell_progress(now, tell);
    auto until = std::min(next_tell_, draining_ ? drain_until_ : end_);
    if (options_.rate > 0 && !draining_) {
      send_due(now);
      if (!idle_.empty())
        until = std::min(until, std::max(now + pace_ns, due_time(next_)));
    }
    client_->poll(until);
  }
  for (auto& p : phones_)
    if (p.pending)
      settle(p, load_outcome::unknown, 0);
  if (options_.rate > 0) {
    const auto due = std::min(due_by(std::min(end_, steady_ns())), options_.count);
    result_.not_due_sent = due - std::min(due, next_);
  }
  if (ledger_ != nullptr && !ledger_->flush())
    return tl::make_unexpected(std::string{"the ledger could not be written; is its disk full?"});
  result_.sent = next_;
  result_.connections = client_->numbers();
  result_.unreachable = result_.unreachable || result_.connections.connected == 0; // a short run ends before it would give up
  result_.cpu_seconds = cpu_seconds() - cpu_before;
  return result_;
}

bool load_generator::finished(std::int64_t now) {
  if (!draining_ && (now >= end_ || (next_ >= options_.count && pending_ == 0))) {
    draining_ = true;
    result_.measured_ns = std::max<std::int64_t>(1, std::min(now, end_) - measure_from_);
    drain_until_ = now + options_.drain_limit_ns;
  }
  if (client_ != nullptr &&
      client_->gone_for_ns(now) > (client_->numbers().connected == 0 ? options_.give_up_at_first_ns : options_.give_up_ns)) {
    result_.unreachable = true;
    if (!draining_)
      result_.measured_ns = std::max<std::int64_t>(1, now - measure_from_);
    return true;
  }
  return draining_ && (pending_ == 0 || now >= drain_until_);
}

std::uint64_t load_generator::due_by(std::int64_t now) const {
  return static_cast<std::uint64_t>(static_cast<double>(std::max<std::int64_t>(0, now - start_)) / 1e9 * options_.rate);
}

std::int64_t load_generator::due_time(std::uint64_t counter) const {
  return start_ + static_cast<std::int64_t>(std::ceil(static_cast<double>(counter + 1) / options_.rate * 1e9));
}

void load_generator::send_due(std::int64_t now) {
  const auto due = std::min({due_by(now), options_.count});
  // After the end nothing is taken any more, and who is asked is idle again at once.
  while (next_ < due && !idle_.empty() && steady_ns() < end_) {
    const auto connection = idle_.back();
    idle_.pop_back();
    phones_[connection].idle = false;
    client_->wake(connection);
  }
}

bool load_generator::take_next(phone& p, std::int64_t now) {
  if (draining_ || next_ >= options_.count || now >= end_)
    return false;
  if (options_.rate > 0 && next_ >= due_by(now))
    return false;
  p = {next_, options_.rate > 0 ? due_time(next_) : now, 0, true, p.idle, false};
  ++next_;
  ++pending_;
  return true;
}

std::string_view load_generator::request(std::uint32_t connection) {
  auto& p = phones_[connection];
  if (!p.pending && !take_next(p, steady_ns())) {
    if (options_.rate > 0 && !p.idle) {
      p.idle = true;
      idle_.push_back(connection);
    }
    return {};
  }
  if (++p.attempts > 1)
    ++result_.retries;
  return writer_.write(p.counter);
}

void load_generator::response(std::uint32_t connection, const http_response& response) {
  auto& p = phones_[connection];
  ++result_.answers;
  if (response.status < 600)
    ++result_.statuses[static_cast<std::size_t>(response.status)];
  if (response.status == 202 || response.status == 200)
    return acknowledge(p, response);
  if (result_.refusals.size() < refusals_max)
    result_.refusals.try_emplace(response.status, string_member(response.body, "\"error\""));
  if (response.status == 503)
    return refused_for_now(connection, p, response);
  // 4xx say that nothing was stored by this attempt; anything else says nothing.
  const bool refused = response.status >= 400 && response.status < 500 && response.status != 408 && !p.perhaps_stored;
  settle(p, refused ? load_outcome::refused : load_outcome::unknown, response.status);
}

void load_generator::acknowledge(phone& p, const http_response& response) {
  const auto now = steady_ns();
  const auto id = receipt_in(response.body);
  if (!id)
    ++result_.without_receipt;
  ++result_.acknowledged;
  const auto latency = now - p.due;
  second_.record(latency);
  if (now >= measure_from_ && !draining_ && now < end_) {
    ++result_.acknowledged_measured;
    const auto second = static_cast<std::size_t>((now - measure_from_) / second_ns);
    if (second >= result_.per_second.size())
      result_.per_second.resize(second + 1);
    ++result_.per_second[second];
  }
  // What fell due in the warm-up and waited until now counts, and so does what is answered after the end: leaving the slowest out
  // would flatter.
  if (now >= measure_from_)
    result_.latency.record(latency);
  settle(p, load_outcome::acknowledged, response.status, id.value_or(domain::receipt{}));
}

void load_generator::refused_for_now(std::uint32_t connection, phone& p, const http_response& response) {
  // Only "not_stored" promises absence, and only of this attempt.
  if (string_member(response.body, "\"outcome\"") == "not_stored") {
    ++result_.not_stored_503;
  } else {
    ++result_.unknown_503;
    p.perhaps_stored = true;
  }
  if (options_.rate > 0 || p.attempts >= options_.attempts_max)
    return settle(p, p.perhaps_stored ? load_outcome::unknown : load_outcome::refused, 503);
  client_->delay(connection, steady_ns() + std::max<std::int64_t>(1, response.retry_after_s) * second_ns);
}

void load_generator::lost(std::uint32_t connection) {
  phones_[connection].perhaps_stored = true;
}

void load_generator::settle(phone& p, load_outcome outcome, int status, const domain::receipt& id) {
  p.pending = false;
  --pending_;
  if (outcome == load_outcome::refused)
    ++result_.refused;
  else if (outcome == load_outcome::unknown)
    ++result_.unknown;
  if (ledger_ != nullptr)
    ledger_->append(outcome, status, p.counter, id);
}

void load_generator::tell_progress(std::int64_t now, const std::function<void(const load_progress&)>& tell) {
  if (ledger_ != nullptr)
    ledger_->flush();
  if (tell) {
    load_progress p;
    p.seconds = static_cast<double>(now - start_) / 1e9;
    p.warming_up = now < measure_from_;
    p.draining = draining_;
    p.acknowledged = result_.acknowledged;
    p.per_second = result_.acknowledged - told_;
    p.latency = &second_;
    p.refused_503 = result_.not_stored_503 + result_.unknown_503;
    p.lost = client_->numbers().lost;
    p.standing = client_->standing();
    tell(p);
  }
  told_ = result_.acknowledged;
  second_.clear();
  next_tell_ += second_ns;
}

} // namespace epione::cli
