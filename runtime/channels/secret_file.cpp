#include "runtime/channels/secret_file.hpp"

#include "runtime/defaults.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace epione::runtime {

tl::expected<std::string, std::string> read_secret(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return tl::unexpected{path + " cannot be opened: " + std::strerror(errno)};
  std::string text(defaults::channel_secret_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (in.fail() && !in.eof()))
    return tl::unexpected{path + " cannot be read; is it a directory?"};
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > defaults::channel_secret_bytes_max)
    return tl::unexpected{path + " is larger than " + std::to_string(defaults::channel_secret_bytes_max) +
                          " bytes; it is to hold one line"};
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty())
    return tl::unexpected{path + " is empty; its first line is to be the secret"};
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return tl::unexpected{path + " holds control characters in its first line"};
  return text;
}

std::optional<std::string> check_file_path(std::string& path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos)
    return "'" + path + "' is not an absolute path; begin with '/'";
  return std::nullopt;
}

std::vector<channel_file_problem> unusable_files(const std::vector<channel_settings>& channels) {
  std::vector<channel_file_problem> problems;
  for (const auto& channel : channels)
    for (const auto& [key, value] : channel.values) {
      if (!key.ends_with("_file") || value.text.empty())
        continue;
      std::optional<std::string> why;
      if (key == "ca_file") { // many lines; libcurl says what is wrong in them
        if (!std::ifstream{value.text})
          why = value.text + " cannot be opened: " + std::strerror(errno);
      } else if (const auto secret = read_secret(value.text); !secret) {
        why = secret.error();
      }
      if (why)
        problems.push_back({value.place, channel.name, key, std::move(*why)});
    }
  return problems;
}

} // namespace epione::runtime
