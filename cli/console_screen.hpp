// What the console needs of its terminal besides lines: its size, single keys, and a screen to draw on.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <termios.h>

namespace epione::cli {

struct screen_size {
  std::size_t columns = 0, rows = 0; ///< 0: standard output is no terminal
};
screen_size size_of_screen();

/// Keys one by one and without being shown, Ctrl-C among them, for as long as it lives.
class key_reader {
public:
  key_reader();
  ~key_reader();
  key_reader(const key_reader&) = delete;
  key_reader& operator=(const key_reader&) = delete;
  /// Nothing when none came in this time. An end of the input counts as Ctrl-C.
  std::optional<char> wait(std::chrono::milliseconds limit);

private:
  termios before_{};
};
inline constexpr char ctrl_c = 3, ctrl_d = 4;

/// A screen of its own, which leaves the one before as it was.
class full_screen {
public:
  full_screen();
  ~full_screen();
  full_screen(const full_screen&) = delete;
  full_screen& operator=(const full_screen&) = delete;
  /// A heading and as many lines below it as there is room for, drawn over what is there without flicker.
  void draw(std::string_view heading, std::string_view text);
};

} // namespace epione::cli
