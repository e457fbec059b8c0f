#include "cli/export_output.hpp"

#include "runtime/defaults.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <ostream>
#include <unistd.h>

namespace epione::cli {

whole_file::~whole_file() {
  if (file_ < 0)
    return;
  ::close(file_);
  ::unlink(part().c_str());
}

tl::unexpected<std::string> whole_file::failed(const char* doing, int error) const {
  return tl::unexpected<std::string>(path_ + " could not be " + doing + ": " + std::strerror(error));
}

tl::expected<void, std::string> whole_file::open() {
  file_ = ::open(part().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file_ < 0)
    return failed("created", errno);
  return {};
}

tl::expected<void, std::string> whole_file::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(file_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return failed("written", n == 0 ? ENOSPC : errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

tl::expected<void, std::string> whole_file::commit() {
  if (::fsync(file_) != 0)
    return failed("written", errno);
  if (std::rename(part().c_str(), path_.c_str()) != 0)
    return failed("given its name", errno);
  ::close(std::exchange(file_, -1));
  // The name is on the disk as well before anybody is told.
  const auto parent = std::filesystem::path{path_}.parent_path();
  const int directory = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    ::fsync(directory);
    ::close(directory);
  }
  return {};
}

export_output::export_output(std::string path, std::ostream& out) : to_file_(!path.empty()), file_(std::move(path)), out_(out) {
  text_.reserve(runtime::defaults::export_piece_bytes + runtime::defaults::export_piece_bytes / 4);
}

tl::expected<void, std::string> export_output::open() {
  return to_file_ ? file_.open() : tl::expected<void, std::string>{};
}

tl::expected<void, std::string> export_output::pass_on() {
  return text_.size() < runtime::defaults::export_piece_bytes ? tl::expected<void, std::string>{} : write();
}

tl::expected<void, std::string> export_output::write() {
  if (to_file_) {
    if (auto done = file_.write(text_); !done)
      return done;
  } else if (!out_.write(text_.data(), static_cast<std::streamsize>(text_.size()))) {
    return tl::unexpected<std::string>("the output could not be written; is the disk full or the reader gone?");
  }
  text_.clear();
  return {};
}

tl::expected<void, std::string> export_output::commit() {
  if (auto done = write(); !done)
    return done;
  if (to_file_)
    return file_.commit();
  if (!out_.flush())
    return tl::unexpected<std::string>("the output could not be written; is the disk full or the reader gone?");
  return {};
}

} // namespace epione::cli
