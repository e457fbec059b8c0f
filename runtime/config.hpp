// What an operator may set: every value once, resolved flag over environment over file over default, with its origin.
// The table of settings (settings()) drives parsing, `config show`, --help and docs/limits.md, so that they cannot disagree.
#pragma once

#include "runtime/channel_settings.hpp"
#include "runtime/defaults.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>

namespace epione::runtime {

/// Checked values; limits and meanings are in settings(). Names end in their unit.
struct config {
  struct {
    std::string directory = defaults::data_directory;
  } data;
  struct {
    std::string address = defaults::http_address;
    std::uint32_t port = defaults::http_port;
    std::uint32_t threads = defaults::http_threads;
    std::uint32_t connections_max = defaults::http_connections_max;
    std::uint64_t body_bytes_max = defaults::http_body_bytes_max;
    std::uint64_t header_bytes_max = defaults::http_header_bytes_max;
    std::uint32_t header_limit_ms = defaults::http_header_limit_ms;
    std::uint32_t body_limit_ms = defaults::http_body_limit_ms;
    std::uint32_t idle_limit_ms = defaults::http_idle_limit_ms;
    std::uint32_t request_limit_ms = defaults::request_limit_ms;
    std::uint32_t retry_after_s = defaults::retry_after_s;
    std::uint32_t read_limit_max = defaults::read_limit_max;
  } http;
  struct {
    std::uint32_t count = defaults::shard_count;
  } shards;
  struct {
    std::uint32_t per_node_max = defaults::sessions_per_node_max;
    std::uint32_t idle_limit_ms = defaults::session_idle_limit_ms;
    std::uint32_t starts_per_s = defaults::session_starts_per_s; ///< of a shard
  } sessions;
  struct {
    std::uint32_t requests_in_flight_max = defaults::requests_in_flight_max;
    std::uint32_t in_flight_per_shard_max = defaults::in_flight_per_shard_max;
    std::uint32_t store_lag_max = defaults::store_lag_max;
    std::uint64_t store_lag_bytes_max = defaults::store_lag_bytes_max;
  } admission;
  struct {
    std::uint32_t commands_max = defaults::batch_commands_max;
    std::uint64_t bytes_max = defaults::batch_bytes_max;
  } batch;
  struct {
    std::uint32_t apply_rows_max = defaults::apply_rows_max;
    std::uint32_t apply_delay_ms = defaults::apply_delay_ms;
    std::uint64_t store_checkpoint_bytes = defaults::store_checkpoint_bytes;
    std::uint64_t journal_checkpoint_bytes = defaults::journal_checkpoint_bytes;
    std::uint64_t disk_reserve_bytes = defaults::disk_reserve_bytes;
  } storage;
  struct {
    std::uint32_t count = defaults::validators;
    std::uint32_t crashes_max = defaults::validator_crashes_max;
  } validators;
  struct {
    std::uint32_t count = defaults::store_readers;
  } readers;
  struct {
    std::string address = defaults::peers_address;  ///< empty: as the cluster file says of this node
    std::string certificate = defaults::peers_file; ///< PEM files; all three or none
    std::string key = defaults::peers_file;
    std::string authorities = defaults::peers_file;
    std::uint32_t handshake_limit_ms = defaults::peer_handshake_limit_ms;
    std::uint32_t idle_limit_ms = defaults::peer_idle_limit_ms;
    std::uint32_t certificate_look_ms = defaults::peer_certificate_look_ms;
    std::uint32_t clock_offset_max_ms = defaults::clock_offset_max_ms;
  } peers;
  struct {
    std::uint32_t restarts_max = defaults::restarts_max;
    std::uint32_t restart_period_ms = defaults::restart_period_ms;
  } supervision;
  struct {
    std::uint32_t limit_ms = defaults::stop_limit_ms;
  } stop;
  struct {
    std::string level = defaults::log_level_name; ///< parse_log_level() accepts it
  } log;
  std::vector<channel_settings> channels; ///< in the file only; not among settings()
};

/// One value an operator may set.
struct setting {
  using target = std::variant<std::string& (*)(config&), std::uint32_t& (*)(config&), std::uint64_t& (*)(config&)>;
  /// Brings a text into its one form; a sentence when it cannot be accepted.
  using text_check = std::optional<std::string> (*)(std::string&);

  std::string_view name;     ///< "section.key", as in the file
  std::string_view unit;     ///< "bytes", "ms", "s", "count", or empty for a text
  std::uint64_t minimum = 0; ///< of numbers
  std::uint64_t maximum = 0;
  std::string_view meaning;  ///< for operators: what it does and what more or less of it means
  std::string_view constant; ///< its default's name in defaults.hpp
  target where;
  text_check check = nullptr;

  std::string environment() const; ///< EPIONE_SECTION_KEY
  std::string flag() const;        ///< --section-key; --data-dir for the data directory
  std::string value(const config& c) const;
  std::string range() const; ///< "1 to 64 count", empty for a text
};

const std::vector<setting>& settings();
const setting* find_setting(std::string_view name);

/// A limit that cannot be set, because data or other programs rely on it.
struct fixed_limit {
  std::string_view constant, unit, meaning;
  std::uint64_t value;
};
const std::vector<fixed_limit>& fixed_limits();

/// Both tables in Markdown, as docs/limits.md has them.
std::string settings_markdown();

/// `directory`: fixed when the data directory was created, and nothing else was said.
enum class config_origin : std::uint8_t { standard, directory, file, environment, flag };
/// "default", "directory", "file", "env", "flag"
std::string_view to_string(config_origin x);

struct config_problem {
  std::string place;   ///< "epione.toml:12", "EPIONE_HTTP_PORT", "--http-port"
  std::string key;     ///< as it was written
  std::string message; ///< value, limit, and what to do
};

struct config_file {
  std::string path, text;
};
/// Reads up to defaults::config_file_bytes_max.
tl::expected<config_file, config_problem> read_config_file(const std::string& path);

/// Everything that may say something; nothing else is looked at.
struct config_input {
  std::optional<config_file> file;
  std::vector<std::pair<std::string, std::string>> environment; ///< name, value; names without EPIONE_ are overlooked
  struct flag_value {
    std::string name; ///< of the setting
    std::string value;
    std::string flag; ///< as typed, for messages
  };
  std::vector<flag_value> flags;
  const channel_kinds* kinds = nullptr; ///< what a [channels.NAME] may be; null: nothing
};

/// The variables of this process.
std::vector<std::pair<std::string, std::string>> process_environment();
/// Names the configuration file, unless the flag does.
inline constexpr std::string_view config_file_variable = "EPIONE_CONFIG";

struct resolved_config {
  struct source {
    config_origin origin = config_origin::standard;
    std::string place; ///< as in config_problem; empty for a default
  };
  config values;
  std::vector<source> sources; ///< one for each of settings(), same order
};

/// All problems at once, in the order file, environment, flags.
tl::expected<resolved_config, std::vector<config_problem>> resolve_config(const config_input& input);

} // namespace epione::runtime
