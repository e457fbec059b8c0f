// Where an export goes: standard output, or a file that appears under its name only when it is complete.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::cli {

/// A file that is written beside its name, as NAME.part, and gets its name when everything is on the disk. Left without commit()
/// it is removed; what a killed process leaves is NAME.part. Errors are sentences.
class whole_file {
public:
  explicit whole_file(std::string path) : path_(std::move(path)) {}
  ~whole_file();
  whole_file(const whole_file&) = delete;
  whole_file& operator=(const whole_file&) = delete;

  /// Mode 0600: patients' answers are for its owner.
  tl::expected<void, std::string> open();
  tl::expected<void, std::string> write(std::string_view bytes);
  tl::expected<void, std::string> commit();

private:
  std::string part() const { return path_ + ".part"; }
  tl::unexpected<std::string> failed(const char* doing, int error) const;
  std::string path_;
  int file_ = -1;
};

/// Gathers text and hands it on in pieces.
class export_output {
public:
  /// `path` empty: to `out`.
  export_output(std::string path, std::ostream& out);
  tl::expected<void, std::string> open();
  /// What is to be written: append to it, then call pass_on().
  std::string& text() { return text_; }
  /// Writes when enough has gathered.
  tl::expected<void, std::string> pass_on();
  /// Writes the rest; the file gets its name.
  tl::expected<void, std::string> commit();

private:
  tl::expected<void, std::string> write();
  bool to_file_;
  whole_file file_;
  std::ostream& out_;
  std::string text_;
};

} // namespace epione::cli
