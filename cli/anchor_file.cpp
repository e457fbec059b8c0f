#include "cli/anchor_file.hpp"

#include "domain/date_text.hpp"
#include "domain/hex.hpp"
#include "node/data_directory.hpp"
#include "runtime/defaults.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace epione::cli {

namespace {

using nlohmann::ordered_json;

constexpr int file_format = 1;

template <std::size_t Bytes>
void take_hex(const ordered_json& from, std::array<std::uint8_t, Bytes>& out) {
  const auto bytes = domain::parse_hex<Bytes>(from.get<std::string>());
  if (!bytes)
    throw std::invalid_argument{"no " + std::to_string(2 * Bytes) + " hexadecimal digits"};
  out = *bytes;
}

domain::anchor parse(const ordered_json& x) {
  domain::anchor a;
  a.cluster = x.at("cluster").get<std::string>();
  a.node = x.at("node").get<std::string>();
  a.time_us = x.at("time_us").get<std::int64_t>();
  for (const auto& h : x.at("heads")) {
    domain::anchored_head head;
    head.shard = h.at("shard").get<std::uint32_t>();
    head.seq = h.at("seq").get<std::uint64_t>();
    take_hex(h.at("hash"), head.hash);
    head.index = h.at("index").get<std::uint64_t>();
    a.heads.push_back(head);
  }
  take_hex(x.at("key"), a.key);
  take_hex(x.at("signature"), a.signature);
  return a;
}

} // namespace

std::string anchors_to_json(const std::vector<domain::anchor>& anchors) {
  auto list = ordered_json::array();
  for (const auto& a : anchors) {
    std::string time;
    domain::append_rfc3339_us(time, a.time_us);
    auto heads = ordered_json::array();
    for (const auto& h : a.heads)
      heads.push_back({{"shard", h.shard}, {"seq", h.seq}, {"hash", domain::to_hex(h.hash)}, {"index", h.index}});
    list.push_back({{"cluster", a.cluster},
                    {"node", a.node},
                    {"time", time},
                    {"time_us", a.time_us},
                    {"heads", heads},
                    {"key", domain::to_hex(a.key)},
                    {"signature", domain::to_hex(a.signature)}});
  }
  return ordered_json{{"format", file_format}, {"anchors", list}}.dump(2) + "\n";
}

tl::expected<std::vector<domain::anchor>, std::string> read_anchor_file(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error)
    return tl::unexpected(path + " cannot be read: " + error.message());
  if (bytes > runtime::defaults::anchors_file_bytes_max)
    return tl::unexpected(path + " has " + std::to_string(bytes) + " bytes; a file of anchors has " +
                          std::to_string(runtime::defaults::anchors_file_bytes_max) + " at most");
  std::ifstream in{path};
  const auto content = ordered_json::parse(in, nullptr, false);
  const auto refuse = [&](const std::string& why) {
    return tl::unexpected(path + " is no file of anchors: " + why + "; name one that epione audit anchors wrote");
  };
  if (!content.is_object() || !content.contains("format") || !content["format"].is_number_integer() ||
      !content.contains("anchors"))
    return refuse("it must hold format and anchors");
  if (content["format"].get<std::int64_t>() > file_format)
    return tl::unexpected(path + " has format " + content["format"].dump() + "; this version knows up to " +
                          std::to_string(file_format) + ": use a newer program");
  std::vector<domain::anchor> out;
  try {
    for (const auto& x : content["anchors"])
      out.push_back(parse(x));
  } catch (const std::exception& why) { // nlohmann's say what is missing where
    return refuse("anchor " + std::to_string(out.size() + 1) + ": " + why.what());
  }
  return out;
}

tl::expected<void, std::string> write_anchor_file(const std::string& path, const std::vector<domain::anchor>& anchors) {
  const std::filesystem::path p{path};
  const auto directory = p.parent_path().empty() ? std::string{"."} : p.parent_path().string();
  if (auto why = node::write_durably(directory, p.filename().string(), anchors_to_json(anchors)))
    return tl::unexpected(std::move(*why));
  return {};
}

} // namespace epione::cli
