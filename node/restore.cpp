// What a restored directory begins with: the stores as they are in the backup, and a journal without entries whose logs begin
// behind them, each with this node as its only voter.
#include "node/restore.hpp"

#include "cluster/configuration.hpp"
#include "cluster/replica.hpp"
#include "domain/anchor.hpp"
#include "domain/date_text.hpp"
#include "domain/hex.hpp"
#include "domain/msgpack.hpp"
#include "runtime/clock.hpp"
#include "runtime/process.hpp"
#include "runtime/storage/audit.hpp"
#include "runtime/storage/journal.hpp"
#include "runtime/storage/store_copy.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

namespace epione::node {

namespace {

namespace fs = std::filesystem;
namespace exit_code = runtime::exit_code;
namespace defaults = runtime::defaults;

using done = tl::expected<void, directory_error>;

tl::unexpected<directory_error> failure(std::string why) {
  return tl::unexpected(directory_error{exit_code::failed, std::move(why)});
}
tl::unexpected<directory_error> damage(std::string why) {
  return tl::unexpected(directory_error{exit_code::problems, std::move(why)});
}
tl::unexpected<directory_error> refuse(const runtime::storage_error& why) {
  return why.code == ec::damaged ? damage(why.message) : failure(why.message);
}

class restore_job {
public:
  restore_job(std::string backup, std::string directory, const std::function<void(std::string_view)>& tell)
      : backup_(std::move(backup)), directory_(std::move(directory)), tell_(tell) {}

  tl::expected<restored, directory_error> run(const std::string& who) {
    auto manifest = read_manifest(backup_);
    if (!manifest)
      return tl::unexpected(manifest.error());
    out_.manifest = std::move(*manifest);
    out_.cluster = new_cluster_name();
    if (auto ready = prepare(); !ready)
      return tl::unexpected(ready.error());
    auto filled = copy_files()
                      .and_then([this] { return compare_with_manifest(); })
                      .and_then([&] { return adopt(who); })
                      .and_then([this] { return begin_journal(); })
                      .and_then([this] { return audit(); })
                      .and_then([this] { return finish(); });
    if (!filled) {
      leave();
      return tl::unexpected(filled.error());
    }
    return std::move(out_);
  }

private:
  done prepare() {
    std::error_code error;
    if (auto half = unfinished_restore(directory_))
      return tl::unexpected(*half);
    created_ = !fs::exists(directory_, error);
    if (auto why = why_not_owner(directory_, "epione restore ..."))
      return failure(std::move(*why));
    if (!created_ && !fs::is_directory(directory_, error))
      return failure(directory_ + " is not a directory; name another data directory");
    if (!created_ && !fs::is_empty(directory_, error))
      return failure(directory_ + " is not empty; name an empty directory or one that does not exist yet");
    auto opened = open_empty_directory(directory_);
    if (!opened)
      return tl::unexpected(opened.error());
    held_ = std::move(*opened);
    const auto bytes = out_.manifest.bytes(), free = disk_->free_bytes(directory_);
    if (free < bytes + bytes / 8) {
      leave();
      return failure(directory_ + ": " + std::to_string(free) + " bytes are free, the backup has " + std::to_string(bytes) +
                     " and needs some more; make space on that file system");
    }
    const nlohmann::json content{{"from", backup_}};
    if (auto why = write_durably(directory_, restoring_file, content.dump() + "\n")) {
      leave();
      return failure(*why);
    }
    return {};
  }

  done copy_files() {
    for (const auto& g : out_.manifest.groups) {
      tell_("copying " + g.file);
      if (auto copied = copy_file(g); !copied)
        return copied;
    }
    return {};
  }

  done copy_file(const backup_group& g) {
    const auto from = backup_ + "/" + g.file, to = directory_ + "/" + g.file;
    std::ifstream in{from, std::ios::binary};
    if (!in)
      return failure(from + ": cannot be opened: " + std::strerror(errno));
    auto file = disk_->open(to);
    if (!file)
      return refuse(file.error());
    std::string piece(defaults::backup_piece_bytes, '\0');
    std::uint64_t written = 0;
    while (in) {
      in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      const auto got = static_cast<std::size_t>(in.gcount());
      if (auto put = (*file)->write_at(written, {reinterpret_cast<const std::uint8_t*>(piece.data()), got}); !put)
        return refuse(put.error());
      written += got;
    }
    if (in.bad())
      return failure(from + ": cannot be read: " + std::strerror(errno));
    if (auto synced = (*file)->sync(); !synced)
      return refuse(synced.error());
    // Of what was written, so that it covers the way here as well.
    const auto checksum = checksum_of_file(to);
    if (!checksum)
      return failure(checksum.error());
    if (*checksum != g.checksum)
      return damage(from + ": does not match the checksum of its manifest: the backup is damaged, take another one");
    return {};
  }

  done compare_with_manifest() {
    for (const auto& g : out_.manifest.groups) {
      const auto found = runtime::look_at_store(*disk_, directory_, g.group);
      if (!found)
        return refuse(found.error());
      if (found->index != g.index || found->term != g.term || found->head.seq != g.events ||
          domain::to_hex(found->head.hash) != g.head)
        return damage(backup_ + "/" + g.file + ": is not what its manifest says: it ends at entry " +
                      std::to_string(found->index) + " with " + std::to_string(found->head.seq) + " events, not at entry " +
                      std::to_string(g.index) + " with " + std::to_string(g.events) + "; take another backup");
      heads_.push_back({g.group, found->head.seq, found->head.hash, found->index});
    }
    return {};
  }

  done adopt(const std::string& who) {
    const cluster::replica_options alone{0};
    const auto configuration = cluster::encode_configuration({{alone.server_id, alone.address, cluster::server_role::voter}});
    for (const auto& g : out_.manifest.groups) {
      auto point = runtime::adopt_store(*disk_, directory_, g.group, configuration,
                                        g.group == 0 ? std::optional{beginning(who)} : std::nullopt);
      if (!point)
        return refuse(point.error());
      points_.push_back(std::move(*point));
    }
    return {};
  }

  domain::event beginning(const std::string& who) const {
    domain::event e;
    e.time_us = runtime::system_clock{}.wall_us();
    e.who = who;
    e.role = "operator";
    e.action = domain::restore_action;
    e.entity = out_.cluster;
    domain::append_string(e.before, out_.manifest.cluster);
    e.after = domain::encode_heads(heads_);
    std::string taken;
    domain::append_rfc3339_us(taken, out_.manifest.time_us);
    e.reason = "restored from a backup of " + taken;
    return e;
  }

  done begin_journal() {
    auto journal = runtime::open_journal(*disk_, directory_, {defaults::journal_checkpoint_bytes, 0});
    if (!journal)
      return refuse(journal.error());
    std::vector<messages::journal_write_ptr> writes;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      auto w = std::make_shared<messages::journal_write>();
      w->group = out_.manifest.groups[i].group;
      w->term = points_[i].term;
      w->voted_for = 0;
      w->reset = points_[i];
      writes.push_back(std::move(w));
    }
    if (auto written = (*journal)->write(writes); !written)
      return refuse(written.error());
    return {};
  }

  done audit() {
    tell_("walking the chains");
    runtime::audit_options options;
    options.alone = true;
    const auto report = runtime::audit_directory(*disk_, directory_, {}, options);
    for (const auto& p : report.parts)
      if (p.broken)
        return damage("the backup " + backup_ + " is not what was written: " + *p.broken);
    return {};
  }

  done finish() {
    if (auto written = write_membership(directory_, out_.cluster, out_.manifest.shards, {}); !written)
      return tl::unexpected(written.error());
    if (auto gone = disk_->discard(directory_ + "/" + restoring_file); !gone)
      return refuse(gone.error());
    return {};
  }

  /// The marker last: what is left of a try that ends here is still known as one.
  void leave() {
    std::error_code ignored;
    const auto marker = directory_ + "/" + restoring_file;
    for (const auto& entry : fs::directory_iterator{directory_, ignored})
      if (entry.path() != marker)
        fs::remove_all(entry.path(), ignored);
    held_.lock.reset();
    fs::remove(marker, ignored);
    if (created_)
      fs::remove(directory_, ignored);
  }

  std::string backup_, directory_;
  const std::function<void(std::string_view)>& tell_;
  std::unique_ptr<runtime::disk> disk_ = runtime::make_system_disk();
  data_directory held_;
  bool created_ = false; ///< the directory was not there
  restored out_;
  std::vector<domain::anchored_head> heads_;
  std::vector<messages::snapshot_point> points_;
};

} // namespace

tl::expected<restored, directory_error> restore_backup(const std::string& backup, const std::string& directory,
                                                       const std::string& who,
                                                       const std::function<void(std::string_view)>& tell) {
  return restore_job{backup, directory, tell}.run(who);
}

} // namespace epione::node
