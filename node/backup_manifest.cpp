#include "node/backup_manifest.hpp"

#include "domain/date_text.hpp"
#include "domain/digest.hpp"
#include "domain/hex.hpp"
#include "runtime/defaults.hpp"
#include "runtime/process.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/shard_store.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace epione::node {

namespace {

namespace fs = std::filesystem;
namespace exit_code = runtime::exit_code;
using nlohmann::ordered_json;

constexpr std::int64_t manifest_format = 1;

ordered_json content_of(const backup_manifest& m) {
  std::string time;
  domain::append_rfc3339_us(time, m.time_us);
  auto groups = ordered_json::array();
  for (const auto& g : m.groups)
    groups.push_back({{"group", g.group},
                      {"file", g.file},
                      {"bytes", g.bytes},
                      {"checksum", g.checksum},
                      {"index", g.index},
                      {"term", g.term},
                      {"events", g.events},
                      {"head", g.head}});
  return {{"format", manifest_format}, {"cluster", m.cluster},
          {"version", m.version},      {"time", time},
          {"time_us", m.time_us},      {"formats", {{"store", m.store_format}}},
          {"shards", m.shards},        {"groups", groups}};
}

std::string checksum_of_text(const std::string& text) {
  domain::chain_hash hash;
  domain::digest<32>().add(text).finish(hash);
  return domain::to_hex(hash);
}

/// Throws nlohmann's exceptions for what is missing or of another type.
backup_manifest parse(const ordered_json& x) {
  backup_manifest m;
  m.cluster = x.at("cluster").get<std::string>();
  m.version = x.at("version").get<std::string>();
  m.time_us = x.at("time_us").get<std::int64_t>();
  m.store_format = x.at("formats").at("store").get<std::int64_t>();
  m.shards = x.at("shards").get<std::uint32_t>();
  for (const auto& g : x.at("groups"))
    m.groups.push_back({g.at("group").get<std::uint32_t>(), g.at("file").get<std::string>(), g.at("bytes").get<std::uint64_t>(),
                        g.at("checksum").get<std::string>(), g.at("index").get<std::uint64_t>(),
                        g.at("term").get<std::uint64_t>(), g.at("events").get<std::uint64_t>(), g.at("head").get<std::string>()});
  return m;
}

tl::unexpected<directory_error> broken(std::string why) {
  return tl::unexpected(directory_error{exit_code::problems, std::move(why)});
}

tl::expected<void, directory_error> check_files(const std::string& backup, const backup_manifest& m) {
  if (m.groups.size() != std::size_t{m.shards} + 1)
    return broken(backup + ": its manifest names " + std::to_string(m.groups.size()) + " groups instead of " +
                  std::to_string(m.shards + 1));
  for (std::uint32_t g = 0; g <= m.shards; ++g) {
    const auto& group = m.groups[g];
    if (group.group != g || group.file != backup_file_name(g))
      return broken(backup + ": its manifest does not name group " + std::to_string(g) + " in its place");
    const auto path = backup + "/" + group.file;
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    if (error)
      return broken(path + ": is missing; the backup is not whole, take another one");
    if (bytes != group.bytes)
      return broken(path + ": has " + std::to_string(bytes) + " bytes instead of " + std::to_string(group.bytes) +
                    "; the backup is not whole, take another one");
  }
  return {};
}

} // namespace

std::uint64_t backup_manifest::events() const {
  std::uint64_t sum = 0;
  for (const auto& g : groups)
    sum += g.events;
  return sum;
}

std::uint64_t backup_manifest::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& g : groups)
    sum += g.bytes;
  return sum;
}

std::string to_json(const backup_manifest& m) {
  auto content = content_of(m);
  content["checksum"] = checksum_of_text(content.dump());
  return content.dump(2) + "\n";
}

tl::expected<void, std::string> write_manifest(const std::string& backup, const backup_manifest& m) {
  if (auto why = write_durably(backup, manifest_file, to_json(m)))
    return tl::unexpected(std::move(*why));
  return {};
}

tl::expected<backup_manifest, directory_error> read_manifest(const std::string& backup) {
  const auto path = backup + "/" + manifest_file;
  std::error_code error;
  if (!fs::is_directory(backup, error))
    return tl::unexpected(directory_error{exit_code::failed, backup + " is not a directory; name one that epione backup wrote"});
  if (!fs::exists(path, error))
    return broken(backup + " holds no " + manifest_file +
                  ", which is written last: it is no backup, or one that did not finish; take another one");
  if (const auto bytes = fs::file_size(path, error); error || bytes > runtime::defaults::backup_manifest_bytes_max)
    return broken(path + " is larger than a manifest can be, " + std::to_string(runtime::defaults::backup_manifest_bytes_max) +
                  " bytes");
  std::ifstream in{path};
  auto content = ordered_json::parse(in, nullptr, false);
  if (!content.is_object() || !content.contains("format") || !content["format"].is_number_integer())
    return broken(path + " is damaged: it is no manifest; take another backup");
  if (content["format"].get<std::int64_t>() > manifest_format)
    return tl::unexpected(directory_error{exit_code::failed, path + " has format " + content["format"].dump() +
                                                                 "; this version knows up to " + std::to_string(manifest_format) +
                                                                 ": use a newer program"});
  const auto checksum = content.value("checksum", ordered_json{});
  content.erase("checksum");
  if (!checksum.is_string() || checksum.get<std::string>() != checksum_of_text(content.dump()))
    return broken(path + " is damaged: it does not match its own checksum; take another backup");
  try {
    auto m = parse(content);
    if (m.store_format > runtime::shard_format.version)
      return tl::unexpected(
          directory_error{exit_code::failed, backup + " holds stores of format " + std::to_string(m.store_format) +
                                                 "; this version knows up to " + std::to_string(runtime::shard_format.version) +
                                                 ": use version " + m.version + " or a newer one"});
    if (auto whole = check_files(backup, m); !whole)
      return tl::unexpected(whole.error());
    return m;
  } catch (const ordered_json::exception&) {
    return broken(path + " is damaged: it lacks something a manifest has; take another backup");
  }
}

std::string backup_file_name(std::uint32_t group) {
  return runtime::shard_path({}, group).substr(1);
}

tl::expected<std::string, std::string> checksum_of_file(const std::string& path, const runtime::copy_pace& pace) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return tl::unexpected(path + ": cannot be opened: " + std::strerror(errno));
  domain::digest<32> sum;
  std::string piece(runtime::defaults::backup_piece_bytes, '\0');
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto got = static_cast<std::size_t>(in.gcount());
    if (got == 0)
      break;
    sum.add({piece.data(), got});
    if (const auto goes_on = pace ? pace(got) : runtime::storage_result<void>{}; !goes_on)
      return tl::unexpected(goes_on.error().message);
  }
  if (in.bad())
    return tl::unexpected(path + ": cannot be read: " + std::strerror(errno));
  domain::chain_hash hash;
  sum.finish(hash);
  return domain::to_hex(hash);
}

} // namespace epione::node
