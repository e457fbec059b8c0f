// Writing and reading DIR/node.json.
#include "cli/node_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace epione::cli {

namespace {

bool write_all(int file, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto n = ::write(file, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

} // namespace

std::string node_file_path(const std::string& directory) {
  return directory + "/node.json";
}

tl::expected<void, std::string> write_node_file(const std::string& directory, const node_facts& facts) {
  const nlohmann::ordered_json content{
      {"pid", facts.pid}, {"http", facts.http}, {"version", facts.version}, {"started", facts.started}};
  const auto path = node_file_path(directory), beside = path + ".new";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool written = file >= 0 && write_all(file, content.dump() + "\n");
  int error = written ? 0 : errno;
  if (file >= 0 && ::close(file) != 0 && written) {
    written = false;
    error = errno;
  }
  if (written && std::rename(beside.c_str(), path.c_str()) != 0) {
    written = false;
    error = errno;
  }
  if (written)
    return {};
  ::unlink(beside.c_str());
  return tl::unexpected{path + " cannot be written: " + std::strerror(error)};
}

std::optional<node_facts> read_node_file(const std::string& directory) {
  std::ifstream in{node_file_path(directory)};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto content = nlohmann::json::parse(text, nullptr, false);
  if (!content.is_object())
    return std::nullopt;
  try {
    return node_facts{content.at("pid").get<std::int64_t>(), content.at("http").get<std::string>(),
                      content.at("version").get<std::string>(), content.at("started").get<std::string>()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void remove_node_file(const std::string& directory) {
  ::unlink(node_file_path(directory).c_str());
}

} // namespace epione::cli
