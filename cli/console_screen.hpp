// What the console needs of its terminal besides lines: its size, single keys, and a screen to draw on.
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <optional>
#include <string_view>
#include <termios.h>

namespace epione::cli {

struct screen_size {
  std::size_t columns = 0, rows = 0; ///< 0: standard output is no terminal
};
screen_size size_of_screen();

/// Holds back the signals that would end the process, so that the terminal can be given back first. One that came ends the
/// process at the end of this object's life, as it would have without it.
class held_signals {
public:
  held_signals();
  ~held_signals();
  held_signals(const held_signals&) = delete;
  held_signals& operator=(const held_signals&) = delete;
  /// Readable once one came; -1 when the process has no file descriptor left.
  int descriptor() const { return descriptor_; }

private:
  sigset_t before_{};
  int descriptor_ = -1;
};

/// Keys one by one and without being shown, Ctrl-C among them, for as long as it lives.
class key_reader {
public:
  key_reader();
  ~key_reader();
  key_reader(const key_reader&) = delete;
  key_reader& operator=(const key_reader&) = delete;
  /// Nothing when none came in this time. An end of the input, and a signal that is to end the process, count as Ctrl-C.
  std::optional<char> wait(std::chrono::milliseconds limit);

private:
  held_signals signals_; ///< the first, so that they count again only after the terminal is as before
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
