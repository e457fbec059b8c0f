// One JSON line an event on standard error: {"time","level","part","event",...}. Never a patient's answer, score or key.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace epione::runtime {

enum class log_level : std::uint8_t { debug, info, warning, error };

/// "debug", "info", "warning", "error".
std::string_view to_string(log_level level);
std::optional<log_level> parse_log_level(std::string_view text);

/// A named value of a log line.
struct log_field {
  std::string_view name;
  std::variant<std::string, std::int64_t, std::uint64_t, double, bool> value;
  log_field(std::string_view n, std::string_view v) : name(n), value(std::string{v}) {}
  log_field(std::string_view n, const char* v) : name(n), value(std::string{v}) {}
  log_field(std::string_view n, std::int64_t v) : name(n), value(v) {}
  log_field(std::string_view n, int v) : name(n), value(std::int64_t{v}) {}
  log_field(std::string_view n, std::uint64_t v) : name(n), value(v) {}
  log_field(std::string_view n, std::uint32_t v) : name(n), value(std::uint64_t{v}) {}
  log_field(std::string_view n, double v) : name(n), value(v) {}
  log_field(std::string_view n, bool v) : name(n), value(v) {}
};

/// Thread-safe. `part` names the actor or component ("journal", "shard_region 3"), `event` what happened, in a few words.
class log {
public:
  virtual ~log() = default;
  virtual void write(log_level level, std::string_view part, std::string_view event, std::initializer_list<log_field> fields) = 0;
  /// From now on only lines of this level and above. A log that keeps nothing has no level.
  virtual void set_level(log_level) {}
  virtual log_level level() const { return log_level::error; }
  /// What must be on record whatever the level is, as an info line: for who finds only here what was meant for him.
  virtual void record(std::string_view part, std::string_view event, std::initializer_list<log_field> fields) {
    write(log_level::info, part, event, fields);
  }
  void debug(std::string_view part, std::string_view event, std::initializer_list<log_field> f = {}) {
    write(log_level::debug, part, event, f);
  }
  void info(std::string_view part, std::string_view event, std::initializer_list<log_field> f = {}) {
    write(log_level::info, part, event, f);
  }
  void warning(std::string_view part, std::string_view event, std::initializer_list<log_field> f = {}) {
    write(log_level::warning, part, event, f);
  }
  void error(std::string_view part, std::string_view event, std::initializer_list<log_field> f = {}) {
    write(log_level::error, part, event, f);
  }
};

/// One line as make_json_log() writes it, without the line feed. `wall_ms`: milliseconds since 1970-01-01T00:00:00Z.
std::string json_log_line(std::int64_t wall_ms, log_level level, std::string_view part, std::string_view event,
                          std::initializer_list<log_field> fields);

/// Lines to standard error, at `level` and above.
std::unique_ptr<log> make_json_log(log_level level);
/// Keeps nothing: for tests and the simulator.
std::unique_ptr<log> make_silent_log();

} // namespace epione::runtime
