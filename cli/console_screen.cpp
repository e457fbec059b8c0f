#include "cli/console_screen.hpp"

#include "actors/console_table.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace epione::cli {

namespace {

constexpr std::size_t rows_without_terminal = 24;

void put(std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return; // the terminal is gone; reading from it says so as well
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

} // namespace

screen_size size_of_screen() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    return {};
  return {size.ws_col == 0 ? std::size_t{80} : size.ws_col, size.ws_row == 0 ? rows_without_terminal : size.ws_row};
}

held_signals::held_signals() {
  sigset_t held;
  sigemptyset(&held);
  for (const int number : {SIGTERM, SIGHUP, SIGINT, SIGQUIT}) {
    struct sigaction now{};
    if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) // nohup's user wants no end
      sigaddset(&held, number);
  }
  ::pthread_sigmask(SIG_BLOCK, &held, &before_);
  descriptor_ = ::signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
}

held_signals::~held_signals() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); // it was never read, and is delivered now
}

key_reader::key_reader() {
  ::tcgetattr(STDIN_FILENO, &before_);
  auto single = before_;
  single.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  single.c_cc[VMIN] = 1;
  single.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &single);
}

key_reader::~key_reader() {
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); // what else was pressed is no command
}

std::optional<char> key_reader::wait(std::chrono::milliseconds limit) {
  std::array<pollfd, 2> wait{{{STDIN_FILENO, POLLIN, 0}, {signals_.descriptor(), POLLIN, 0}}};
  if (::poll(wait.data(), wait.size(), static_cast<int>(limit.count())) <= 0)
    return std::nullopt;
  if (wait[1].revents != 0)
    return ctrl_c;
  char key = ctrl_c;
  return ::read(STDIN_FILENO, &key, 1) == 1 ? key : ctrl_c;
}

full_screen::full_screen() {
  put("\x1b[?1049h\x1b[?25l\x1b[2J");
}

full_screen::~full_screen() {
  put("\x1b[?25h\x1b[?1049l");
}

void full_screen::draw(std::string_view heading, std::string_view text) {
  const auto size = size_of_screen();
  const auto rows = std::max<std::size_t>(size.rows, 3);
  std::string all = "\x1b[H\x1b[7m" + actors::shortened(heading, size.columns) + "\x1b[0m\x1b[K";
  std::size_t used = 1;
  while (!text.empty() && used < rows) {
    const auto end = std::min(text.find('\n'), text.size());
    const bool room = used + 1 < rows || end + 1 >= text.size();
    all += "\r\n" + (room ? actors::shortened(text.substr(0, end), size.columns) : std::string{"…"}) + "\x1b[K";
    text.remove_prefix(std::min(end + 1, text.size()));
    ++used;
  }
  put(all + "\x1b[J");
}

} // namespace epione::cli
