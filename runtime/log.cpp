// JSON lines by hand on top of spdlog, which takes care of levels, locking and the file descriptor.
#include "runtime/log.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <stdexcept>

namespace epione::runtime {

namespace {

constexpr std::array level_names{"debug", "info", "warning", "error"};

spdlog::level::level_enum to_spdlog(log_level level) {
  switch (level) {
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warning: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Bytes that are not UTF-8 become U+FFFD: a line stays readable JSON whatever it was given.
std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string text_of(const std::string& x) {
  return json_text(x);
}
std::string text_of(bool x) {
  return x ? "true" : "false";
}
std::string text_of(std::int64_t x) {
  return std::to_string(x);
}
std::string text_of(std::uint64_t x) {
  return std::to_string(x);
}
std::string text_of(double x) {
  return nlohmann::json(x).dump(); // null for what JSON has no number for
}

std::string rfc3339(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 48> text{};
  const std::size_t n = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  const std::string ms = std::to_string(1000 + wall_ms % 1000); // 1000 added for the leading zeros
  return std::string{text.data(), n} + "." + ms.substr(1) + "Z";
}

class json_log final : public log {
public:
  explicit json_log(log_level level) : logger_("epione", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%v");
    logger_.set_level(to_spdlog(level));
    logger_.flush_on(spdlog::level::debug);
  }

  void write(log_level level, std::string_view part, std::string_view event, std::initializer_list<log_field> fields) override {
    if (logger_.should_log(to_spdlog(level)))
      put(to_spdlog(level), level, part, event, fields);
  }

  void record(std::string_view part, std::string_view event, std::initializer_list<log_field> fields) override {
    put(spdlog::level::critical, log_level::info, part, event, fields);
  }

  void set_level(log_level level) override { logger_.set_level(to_spdlog(level)); }
  log_level level() const override {
    const auto now = logger_.level();
    for (const auto level : {log_level::debug, log_level::info, log_level::warning})
      if (now <= to_spdlog(level))
        return level;
    return log_level::error;
  }

private:
  /// `as`: what spdlog lets pass; `level`: what the line says.
  void put(spdlog::level::level_enum as, log_level level, std::string_view part, std::string_view event,
           std::initializer_list<log_field> fields) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    logger_.log(as, spdlog::string_view_t{json_log_line(ms, level, part, event, fields)});
  }

  spdlog::logger logger_;
};

class silent_log final : public log {
public:
  void write(log_level, std::string_view, std::string_view, std::initializer_list<log_field>) override {}
};

} // namespace

std::string_view to_string(log_level level) {
  return level_names[std::min<std::size_t>(static_cast<std::size_t>(level), level_names.size() - 1)];
}

std::optional<log_level> parse_log_level(std::string_view text) {
  const auto* found = std::find(level_names.begin(), level_names.end(), text);
  if (found == level_names.end())
    return std::nullopt;
  return static_cast<log_level>(found - level_names.begin());
}

std::string json_log_line(std::int64_t wall_ms, log_level level, std::string_view part, std::string_view event,
                          std::initializer_list<log_field> fields) {
  std::string line = R"({"time":")" + rfc3339(wall_ms) + R"(","level":")";
  line += to_string(level);
  line += R"(","part":)" + json_text(part) + R"(,"event":)" + json_text(event);
  for (const auto& field : fields) {
    line += ',' + json_text(field.name) + ':';
    line += std::visit([](const auto& x) { return text_of(x); }, field.value);
  }
  line += '}';
  return line;
}

std::unique_ptr<log> make_json_log(log_level level) {
  return std::make_unique<json_log>(level);
}

std::unique_ptr<log> make_silent_log() {
  return std::make_unique<silent_log>();
}

} // namespace epione::runtime
