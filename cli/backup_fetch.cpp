#include "cli/backup_fetch.hpp"

#include "messages/snapshot.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/defaults.hpp"
#include "runtime/process.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <xxhash.h>

namespace epione::cli {

namespace {

using namespace messages;
using std::chrono::milliseconds;
using steady_clock = std::chrono::steady_clock;
namespace defaults = runtime::defaults;

using answer = tl::expected<std::string, std::string>;

class fetch_job {
public:
  fetch_job(const std::string& directory, const std::string& node) : directory_(directory), node_(node) {}

  /// Another node may be copying a file from there, or the store is not as far yet.
  tl::expected<snapshot_offer, std::string> open(std::uint32_t group, std::uint64_t index) {
    const auto until = steady_clock::now() + milliseconds{defaults::export_apply_limit_ms};
    std::string why;
    do {
      snapshot_question q;
      q.group = group;
      const auto bytes = ask(q);
      auto offer = bytes ? decode_snapshot_offer(*bytes) : tl::unexpected(bytes.error());
      if (offer && offer->point.index >= index)
        return offer;
      if (offer)
        static_cast<void>(close(offer->transfer));
      why = offer ? "its store has applied entry " + std::to_string(offer->point.index) + ", but entry " + std::to_string(index) +
                        " is committed"
                  : offer.error();
      std::this_thread::sleep_for(milliseconds{defaults::export_apply_repeat_ms});
    } while (steady_clock::now() < until);
    return tl::unexpected("node " + node_ + ": " + why);
  }

  /// Asked for again when an answer is lost on the way.
  answer piece(const snapshot_offer& offer, std::uint64_t offset) {
    snapshot_question q;
    q.what = snapshot_question::kind::piece;
    q.transfer = offer.transfer;
    q.offset = offset;
    q.size = std::min<std::uint64_t>(defaults::snapshot_piece_bytes, offer.size - offset);
    answer last;
    for (unsigned tries = 0; tries <= defaults::snapshot_failures_max; ++tries) {
      last = ask(q);
      if (last && last->size() == q.size)
        return last;
      if (last)
        return tl::unexpected("node " + node_ + " gave " + std::to_string(last->size()) + " bytes instead of " +
                              std::to_string(q.size));
      std::this_thread::sleep_for(milliseconds{defaults::snapshot_retry_ms});
    }
    return last;
  }

  tl::expected<std::uint64_t, std::string> close(std::uint64_t transfer) {
    snapshot_question q;
    q.what = snapshot_question::kind::close;
    q.transfer = transfer;
    return ask(q).and_then([](const std::string& bytes) { return decode_number(bytes); });
  }

private:
  answer ask(const snapshot_question& q) {
    const auto reply = runtime::admin_call(directory_ + "/" + runtime::admin_socket_name,
                                           {"cluster-store", {{"node", node_}, {"question", encode(q)}}},
                                           milliseconds{2 * defaults::snapshot_hold_answer_ms});
    if (!reply)
      return tl::unexpected(reply.error().message);
    const auto found = reply->values.find("answer");
    if (reply->code != runtime::exit_code::done || found == reply->values.end())
      return tl::unexpected(reply->message);
    return found->second;
  }

  const std::string& directory_;
  const std::string& node_;
};

} // namespace

tl::expected<void, std::string> fetch_store(const std::string& directory, const std::string& node, std::uint32_t group,
                                            std::uint64_t index, const std::string& path, runtime::disk& disk,
                                            const std::function<void(std::uint64_t)>& pace) {
  fetch_job job{directory, node};
  const auto offer = job.open(group, index);
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
    pace(bytes->size());
  }
  const auto expected = job.close(offer->transfer);
  if (!expected)
    return give_up(expected.error());
  if (*expected != XXH3_64bits_digest(hash.get()))
    return give_up("the file that node " + node + " gave does not match its checksum");
  if (auto synced = (*file)->sync(); !synced)
    return give_up(synced.error().message);
  return {};
}

} // namespace epione::cli
