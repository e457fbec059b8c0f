#include "tests/simulation/simulated_disk.hpp"

#include "tests/simulation/simulated_vfs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <xxhash.h>

namespace epione::simulation {

// ---- simulated_file ------------------------------------------------------------------------------------------------

void simulated_file::apply(std::vector<std::uint8_t>& to, const change& c) {
  if (c.truncation) {
    if (c.at < to.size())
      to.resize(c.at);
    return;
  }
  if (to.size() < c.at + c.bytes.size())
    to.resize(c.at + c.bytes.size());
  std::copy(c.bytes.begin(), c.bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(c.at));
}

void simulated_file::write(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  unsynced_.push_back({false, offset, {bytes.begin(), bytes.end()}});
  apply(now_, unsynced_.back());
}

void simulated_file::truncate(std::uint64_t size) {
  unsynced_.push_back({true, size, {}});
  apply(now_, unsynced_.back());
}

void simulated_file::sync() {
  for (const auto& c : unsynced_)
    apply(durable_, c);
  unsynced_.clear();
  name_durable = true;
}

void simulated_file::fail_sync(std::mt19937_64& random) {
  std::erase_if(unsynced_, [&](const change&) { return random() % 2 == 0; });
}

void simulated_file::crash(std::mt19937_64& random) {
  // Nothing, nearly nothing, half, nearly all or all of it; or all up to some moment, the last write torn.
  static constexpr std::array<std::uint64_t, 5> percents{0, 10, 50, 90, 100};
  const auto mode = random() % (percents.size() + 1);
  const bool in_order = mode == percents.size();
  const auto percent = in_order ? 100 : percents[mode];
  const auto until = in_order ? random() % (unsynced_.size() + 1) : unsynced_.size();
  for (std::size_t i = 0; i < unsynced_.size() && i <= until; ++i) {
    const auto& c = unsynced_[i];
    const auto chance = i == until ? 50 : percent;
    if (c.truncation) {
      if (random() % 100 < chance)
        apply(durable_, c);
      continue;
    }
    for (std::uint64_t at = 0; at < c.bytes.size();) {
      const auto end = std::min<std::uint64_t>(c.bytes.size(), ((c.at + at) / sector_bytes + 1) * sector_bytes - c.at);
      if (random() % 100 < chance)
        apply(durable_,
              {false,
               c.at + at,
               {c.bytes.begin() + static_cast<std::ptrdiff_t>(at), c.bytes.begin() + static_cast<std::ptrdiff_t>(end)}});
      at = end;
    }
  }
  unsynced_.clear();
  now_ = durable_;
}

bool simulated_file::is_synced(std::uint64_t offset) const {
  return offset < durable_.size() &&
         std::none_of(
             unsynced_.begin(), unsynced_.end(),
             [offset](const change& c) { return c.at <= offset && (c.truncation || offset < c.at + c.bytes.size()); });
}

void simulated_file::flip(std::uint64_t offset, unsigned bit) {
  for (auto* bytes : {&now_, &durable_})
    if (offset < bytes->size())
      (*bytes)[offset] = static_cast<std::uint8_t>((*bytes)[offset] ^ 1u << bit);
}

void simulated_file::cut_off(std::uint64_t size) {
  sync();
  now_.resize(std::min<std::uint64_t>(size, now_.size()));
  durable_ = now_;
}

// ---- simulated_disk_file -------------------------------------------------------------------------------------------

class simulated_disk_file final : public runtime::disk_file {
public:
  simulated_disk_file(simulated_disk& disk, std::string path, std::shared_ptr<simulated_file> file)
      : disk_(disk), path_(std::move(path)), file_(std::move(file)), generation_(disk.generation_) {}

  runtime::storage_result<std::vector<std::uint8_t>> read_all() override {
    if (generation_ != disk_.generation_ || disk_.read_fails())
      return tl::unexpected(error(EIO, "reading"));
    return file_->bytes();
  }
  runtime::storage_result<void> write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) override {
    const int code = generation_ != disk_.generation_ ? EIO : disk_.write(*file_, offset, bytes);
    if (code != 0)
      return tl::unexpected(error(code, "writing"));
    return {};
  }
  runtime::storage_result<void> sync() override {
    const int code = generation_ != disk_.generation_ ? EIO : disk_.sync(*file_);
    if (code != 0)
      return tl::unexpected(error(EIO, "a sync"));
    return {};
  }

private:
  runtime::storage_error error(int code, const char* doing) const {
    return {code == ENOSPC ? ec::disk_full : ec::io_failed, path_ + ": " + doing + " failed: " + std::strerror(code)};
  }
  simulated_disk& disk_;
  std::string path_;
  std::shared_ptr<simulated_file> file_;
  std::uint64_t generation_;
};

// ---- simulated_disk ------------------------------------------------------------------------------------------------

simulated_disk::simulated_disk(std::uint64_t seed, runtime::clock& clock)
    : random_(seed), clock_(clock), vfs_(std::make_unique<simulated_vfs>(*this)) {
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>((random_() & 0x3fffffff) | 1), nullptr);
}

simulated_disk::~simulated_disk() {
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 0, nullptr);
}

const char* simulated_disk::sqlite_vfs() const {
  return vfs_->name();
}

bool simulated_disk::exists(const std::string& path) {
  return files_.contains(path);
}

std::uint64_t simulated_disk::identity(const std::string& path) {
  const auto file = find(path);
  return file == nullptr ? 0 : file->number;
}

runtime::storage_result<void> simulated_disk::rename(const std::string& from, const std::string& to) {
  auto file = find(from);
  if (file == nullptr)
    return tl::unexpected(runtime::storage_error{ec::io_failed, from + ": no such file"});
  files_.erase(from);
  let_go(to);
  file->name_durable = true;
  files_[to] = std::move(file);
  return {};
}

runtime::storage_result<std::unique_ptr<runtime::disk_file>> simulated_disk::open(const std::string& path) {
  auto file = find(path);
  if (file == nullptr)
    file = create(path);
  if (!file->name_durable)
    unlinked_.clear();
  file->name_durable = true;
  return std::make_unique<simulated_disk_file>(*this, path, std::move(file));
}

runtime::storage_result<void> simulated_disk::discard(const std::string& path) {
  if (due())
    return tl::unexpected(runtime::storage_error{ec::io_failed, path + ": removing failed"});
  unlink(path, true);
  return {};
}

std::uint64_t simulated_disk::free_bytes(const std::string&) {
  if (!capacity_)
    return std::uint64_t{1} << 40;
  const auto taken = used();
  return taken >= *capacity_ ? 0 : *capacity_ - taken;
}

void simulated_disk::cut() {
  ++generation_;
  no_faults();
  shared_.clear();
  vfs_->forget_locks();
}

void simulated_disk::crash() {
  cut();
  for (auto& [name, file] : unlinked_)
    if (random_() % 2 == 0)
      files_.try_emplace(name, file);
  unlinked_.clear();
  for (auto at = files_.begin(); at != files_.end();) {
    at->second->crash(random_);
    if (!at->second->name_durable && random_() % 2 == 0)
      at = files_.erase(at);
    else
      ++at;
  }
}

void simulated_disk::fail_at(std::uint64_t nth, fault how) {
  fail_in_ = nth;
  how_ = how;
}

std::vector<std::string> simulated_disk::files() const {
  std::vector<std::string> out;
  for (const auto& [name, file] : files_)
    out.push_back(name);
  return out;
}

std::uint64_t simulated_disk::size(const std::string& path) const {
  const auto f = find(path);
  return f == nullptr ? 0 : f->bytes().size();
}

const std::vector<std::uint8_t>& simulated_disk::bytes(const std::string& path) const {
  return files_.at(path)->bytes();
}

bool simulated_disk::is_synced(const std::string& path, std::uint64_t offset) const {
  const auto f = find(path);
  return f != nullptr && f->is_synced(offset);
}

void simulated_disk::flip_bit(const std::string& path, std::uint64_t offset, unsigned bit) {
  files_.at(path)->flip(offset, bit);
}

void simulated_disk::truncate(const std::string& path, std::uint64_t size) {
  files_.at(path)->cut_off(size);
}

void simulated_disk::remove(const std::string& path) {
  files_.erase(path);
}

void simulated_disk::wipe() {
  cut();
  files_.clear();
  unlinked_.clear();
}

std::uint64_t simulated_disk::digest() const {
  std::uint64_t out = 0;
  for (const auto& [name, file] : files_) {
    out = XXH3_64bits_withSeed(name.data(), name.size(), out);
    out = XXH3_64bits_withSeed(file->bytes().data(), file->bytes().size(), out);
  }
  return out;
}

simulated_disk::file_ptr simulated_disk::find(const std::string& path) const {
  const auto at = files_.find(path);
  return at == files_.end() ? nullptr : at->second;
}

simulated_disk::file_ptr simulated_disk::create(const std::string& path) {
  auto file = std::make_shared<simulated_file>();
  file->number = ++files_made_;
  files_[path] = file;
  return file;
}

void simulated_disk::unlink(const std::string& path, bool durable) {
  const auto at = files_.find(path);
  if (at == files_.end())
    return;
  if (durable)
    unlinked_.clear();
  else if (at->second->name_durable)
    unlinked_.emplace_back(path, at->second);
  files_.erase(at);
  let_go(path);
}

/// Locks and shared memory belong to a file, not to its name: who has it open keeps them, and a new one of that name has its own.
void simulated_disk::let_go(const std::string& path) {
  shared_.erase(path);
  vfs_->forget_locks_of(path);
}

std::uint64_t simulated_disk::used() const {
  std::uint64_t out = 0;
  for (const auto& [name, file] : files_)
    out += file->bytes().size();
  return out;
}

std::optional<fault> simulated_disk::due() {
  ++operations_;
  if (fail_in_ == 0 || --fail_in_ != 0)
    return std::nullopt;
  failed_ns_ = clock_.now_ns();
  if (how_ == fault::power_loss)
    cut();
  return how_;
}

bool simulated_disk::read_fails() {
  if (fail_read_in_ == 0 || --fail_read_in_ != 0)
    return false;
  failed_ns_ = clock_.now_ns();
  return true;
}

int simulated_disk::write(simulated_file& f, std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  if (const auto how = due()) {
    if (*how != fault::power_loss && !bytes.empty())
      f.write(offset, bytes.first(random_() % bytes.size()));
    return *how == fault::no_space ? ENOSPC : EIO;
  }
  const auto size = f.bytes().size();
  const auto grows = offset + bytes.size() > size ? offset + bytes.size() - size : 0;
  if (capacity_ && grows > 0 && used() + grows > *capacity_) {
    const auto room = *capacity_ > used() ? *capacity_ - used() : 0;
    f.write(offset, bytes.first(std::min<std::uint64_t>(bytes.size() - grows + room, bytes.size() - 1)));
    return ENOSPC;
  }
  f.write(offset, bytes);
  return 0;
}

int simulated_disk::truncate(simulated_file& f, std::uint64_t size) {
  if (due())
    return EIO;
  f.truncate(size);
  return 0;
}

int simulated_disk::sync(simulated_file& f) {
  ++syncs_;
  if (const auto how = due()) {
    if (*how != fault::power_loss)
      f.fail_sync(random_);
    return EIO;
  }
  // The first sync of a new file is one of its directory as well (SQLite does both), and with it of all names there.
  if (!f.name_durable)
    unlinked_.clear();
  f.sync();
  return 0;
}

} // namespace epione::simulation
