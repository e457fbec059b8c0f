#include "cli/backup_fetch.hpp"

#include "messages/snapshot.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/defaults.hpp"
#include "runtime/process.hpp"
#include "runtime/storage/database_pages.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <xxhash.h>

namespace epione::cli {

namespace {

using namespace messages;
using std::chrono::milliseconds;
using steady_clock = std::chrono::steady_clock;
namespace defaults = runtime::defaults;

using answer = tl::expected<std::string, std::string>;
constexpr const char* asked_to_stop = "asked to stop";

class fetch_job {
public:
  fetch_job(const wanted_store& wanted, const stop_descriptor& stop)
      : wanted_(wanted), directory_(wanted.directory), node_(wanted.node), stop_(stop) {}

  /// Asked for again while that node gives its file to somebody else, or has not applied so much.
  tl::expected<snapshot_offer, std::string> open(steady_clock::time_point until) {
    const auto index = wanted_.index;
    snapshot_question q;
    q.group = wanted_.group;
    q.at_least = index;
    q.requester = random_number(); // another backup through the same node, or its own fetcher, goes on
    while (true) {
      if (!stop_.wait_until(steady_clock::now()))
        return tl::unexpected(std::string{asked_to_stop});
      const auto bytes = ask(q);
      auto offer = bytes ? decode_snapshot_offer(*bytes) : tl::unexpected(bytes.error());
      if (offer && offer->point.index >= index)
        return in_time(std::move(*offer));
      std::string why = "node " + node_ + ": ";
      if (offer) { // of a version that does not know at_least
        static_cast<void>(close(offer->transfer));
        why += "its store has applied entry " + std::to_string(offer->point.index) + ", but entry " + std::to_string(index) +
               " is committed";
      } else {
        why += offer.error();
      }
      const auto again = steady_clock::now() + milliseconds{defaults::snapshot_retry_ms};
      if (again >= until)
        return tl::unexpected(std::move(why));
      if (!stop_.wait_until(again))
        return tl::unexpected(std::string{asked_to_stop});
    }
  }

  /// Asked for again when an answer is lost on the way.
  answer piece(const snapshot_offer& offer, std::uint64_t offset) {
    snapshot_question q;
    q.what = snapshot_question::kind::piece;
    q.transfer = offer.transfer;
    q.offset = offset;
    q.size = std::min<std::uint64_t>(defaults::snapshot_piece_bytes, offer.size - offset);
    for (unsigned tries = 0;; ++tries) {
      auto bytes = ask(q);
      if (bytes && bytes->size() == q.size)
        return bytes;
      if (bytes)
        return tl::unexpected("node " + node_ + " gave " + std::to_string(bytes->size()) + " bytes instead of " +
                              std::to_string(q.size));
      if (tries == defaults::snapshot_failures_max)
        return bytes;
      if (!stop_.wait_until(steady_clock::now() + milliseconds{defaults::snapshot_retry_ms}))
        return tl::unexpected(std::string{asked_to_stop});
    }
  }

  tl::expected<std::uint64_t, std::string> close(std::uint64_t transfer) {
    snapshot_question q;
    q.what = snapshot_question::kind::close;
    q.transfer = transfer;
    return ask(q).and_then([](const std::string& bytes) { return decode_number(bytes); });
  }

private:
  static std::uint64_t random_number() {
    std::random_device source;
    return (std::uint64_t{source()} << 32 | source()) | 1; // never the fetcher's
  }

  /// That node leaves the file as it is for so long only.
  tl::expected<snapshot_offer, std::string> in_time(snapshot_offer offer) {
    const auto hold_s = runtime::copy_hold_ms(offer.size) / 1'000;
    const auto least = offer.size / (hold_s * 4 / 5) + 1; // not all goes as well as it could
    if (wanted_.bytes_per_s >= least)
      return offer;
    static_cast<void>(close(offer.transfer));
    return tl::unexpected("node " + node_ + ": its file has " + std::to_string(offer.size) + " bytes and stays as it is for " +
                          std::to_string(hold_s) + " s, too short for " + std::to_string(wanted_.bytes_per_s) +
                          " bytes a second; say --bytes-per-second " + std::to_string(least) +
                          " or more, or take the backup on a node that has the group");
  }

  answer ask(const snapshot_question& q) {
    const auto reply = runtime::admin_call(directory_ + "/" + runtime::admin_socket_name,
                                           {"cluster-store", {{"node", node_}, {"question", encode(q)}}},
                                           milliseconds{2 * defaults::snapshot_hold_answer_ms}, stop_.get());
    if (!reply)
      return tl::unexpected(reply.error().message);
    const auto found = reply->values.find("answer");
    if (reply->code != runtime::exit_code::done || found == reply->values.end())
      return tl::unexpected(reply->message);
    return found->second;
  }

  const wanted_store& wanted_;
  const std::string& directory_;
  const std::string& node_;
  const stop_descriptor& stop_;
};

} // namespace

tl::expected<void, std::string> fetch_store(const wanted_store& wanted, const std::string& path, steady_clock::duration& patience,
                                            runtime::disk& disk, const runtime::copy_pace& pace, const stop_descriptor& stop) {
  fetch_job job{wanted, stop};
  const auto begun = steady_clock::now();
  const auto offer = job.open(begun + patience);
  patience = std::max(steady_clock::duration{}, patience - (steady_clock::now() - begun));
  if (!offer)
    return tl::unexpected(offer.error());
  const auto give_up = [&](std::string why) {
    static_cast<void>(disk.discard(path));
    return tl::unexpected(std::move(why));
  };
  auto file = disk.open(path);
  if (!file)
    return give_up(file.error().message);
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> hash{XXH3_createState(), XXH3_freeState};
  XXH3_64bits_reset(hash.get());
  std::uint64_t written = 0;
  while (written < offer->size) {
    const auto bytes = job.piece(*offer, written);
    if (!bytes)
      return give_up(bytes.error());
    const auto put = (*file)->write_at(written, {reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()});
    if (!put)
      return give_up(put.error().message);
    XXH3_64bits_update(hash.get(), bytes->data(), bytes->size());
    written += bytes->size();
    if (written % defaults::backup_sync_bytes == 0)
      if (auto synced = (*file)->sync(); !synced)
        return give_up(synced.error().message);
    if (auto goes_on = pace(bytes->size()); !goes_on)
      return give_up(goes_on.error().message);
  }
  const auto expected = job.close(offer->transfer);
  if (!expected)
    return give_up(expected.error());
  if (*expected != XXH3_64bits_digest(hash.get()))
    return give_up("the file that node " + wanted.node + " gave does not match its checksum");
  if (auto synced = (*file)->sync(); !synced)
    return give_up(synced.error().message);
  return {};
}

} // namespace epione::cli
