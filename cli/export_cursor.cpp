#include "cli/export_cursor.hpp"

#include "cli/export_output.hpp"
#include "domain/hex.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace epione::cli {

namespace {

constexpr int cursor_format = 1;

/// Nothing, or what nlohmann::json throws, for anything else than what write_export_cursor() wrote.
std::optional<export_cursor> cursor_of(const nlohmann::json& content) {
  export_cursor out;
  out.cluster = content.at("cluster").get<std::string>();
  out.study = content.at("study").get<std::string>();
  out.form = content.at("form").get<std::string>();
  for (const auto& p : content.at("positions")) {
    runtime::chain_head head;
    head.seq = p.at("seq").get<std::uint64_t>();
    if (!domain::from_hex(p.at("hash").get<std::string>(), head.hash))
      return std::nullopt;
    out.positions[p.at("shard").get<std::uint32_t>()] = head;
  }
  return out;
}

} // namespace

tl::expected<std::optional<export_cursor>, std::string> read_export_cursor(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0 && errno == ENOENT)
    return std::nullopt;
  std::ifstream in{path};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in.is_open() || in.bad())
    return tl::unexpected(path + " cannot be read: " + std::strerror(errno));
  const auto content = nlohmann::json::parse(text, nullptr, false);
  try {
    if (content.at("epione_export_cursor").get<int>() == cursor_format)
      if (auto cursor = cursor_of(content))
        return cursor;
  } catch (const nlohmann::json::exception&) { // said below
  }
  return tl::unexpected(path +
                        " is not a cursor of epione export; name another file with --cursor-file, or remove it to begin from "
                        "the first submission");
}

tl::expected<void, std::string> write_export_cursor(const std::string& path, const export_cursor& cursor) {
  auto positions = nlohmann::ordered_json::array();
  for (const auto& [shard, head] : cursor.positions)
    positions.push_back({{"shard", shard}, {"seq", head.seq}, {"hash", domain::to_hex(head.hash)}});
  const nlohmann::ordered_json content{{"epione_export_cursor", cursor_format},
                                       {"cluster", cursor.cluster},
                                       {"study", cursor.study},
                                       {"form", cursor.form},
                                       {"positions", positions}};
  whole_file file{path};
  return file.open().and_then([&] { return file.write(content.dump(1) + "\n"); }).and_then([&] { return file.commit(); });
}

} // namespace epione::cli
