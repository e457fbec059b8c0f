#include "runtime/storage/database_pages.hpp"

#include "runtime/defaults.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/shard_store.hpp"

#include <algorithm>
#include <limits>

namespace epione::runtime {

namespace {

constexpr std::uint32_t pages_cache_kib = 64; // nothing is queried

class sqlite_pages final : public database_pages {
public:
  sqlite_pages(disk& d, const std::string& directory, std::uint32_t shard)
      : connection_(d, shard_path(directory, shard), access_mode::read, shard_format, shard_schema, "NORMAL", pages_cache_kib) {
    if (const int code = sqlite3_file_control(connection_.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file_);
        code != SQLITE_OK || file_ == nullptr || file_->pMethods == nullptr)
      connection_.failed(code == SQLITE_OK ? SQLITE_ERROR : code, "finding its file");
  }

  storage_result<std::uint64_t> size() override {
    return guarded([&] {
      sqlite3_int64 bytes = 0;
      if (const int code = file_->pMethods->xFileSize(file_, &bytes); code != SQLITE_OK)
        connection_.failed(code, "reading its size");
      return static_cast<std::uint64_t>(bytes);
    });
  }

  storage_result<std::string> read(std::uint64_t offset, std::size_t size) override {
    const auto all = this->size();
    if (!all)
      return tl::unexpected(all.error());
    return guarded([&] {
      std::string out(static_cast<std::size_t>(std::min<std::uint64_t>(size, *all - std::min(offset, *all))), '\0');
      if (out.empty())
        return out;
      const int code =
          file_->pMethods->xRead(file_, out.data(), static_cast<int>(out.size()), static_cast<sqlite3_int64>(offset));
      if (code != SQLITE_OK)
        connection_.failed(code, "reading");
      return out;
    });
  }

private:
  connection connection_;
  sqlite3_file* file_ = nullptr;
};

} // namespace

std::uint32_t copy_hold_ms(std::uint64_t bytes) {
  const auto twice_ms = bytes / (defaults::snapshot_bytes_per_s / 2'000);
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(twice_ms, defaults::snapshot_hold_limit_ms, std::numeric_limits<std::int32_t>::max()));
}

storage_result<std::unique_ptr<database_pages>> open_database_pages(disk& d, const std::string& directory, std::uint32_t shard) {
  return guarded([&]() -> std::unique_ptr<database_pages> { return std::make_unique<sqlite_pages>(d, directory, shard); });
}

} // namespace epione::runtime
