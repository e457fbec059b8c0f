// The sections [channels.NAME] of the configuration file, checked against the kinds of channel there are.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::runtime {

class channel;
struct channel_ports;

/// One key that a section may hold.
struct channel_key {
  /// Brings a text into its one form; a sentence when it cannot be accepted.
  using text_check = std::function<std::optional<std::string>(std::string&)>;

  std::string name;
  std::string unit;     ///< "bytes", "ms", "s", "count"; empty for a text
  std::string standard; ///< the default as it is written; empty: none
  bool required = false;
  std::uint64_t minimum = 0, maximum = 0; ///< of numbers
  std::string meaning;                    ///< for operators
  std::string constant;                   ///< the default's name in defaults.hpp; empty for a text
  text_check check = nullptr;
};

/// One section, every value checked.
struct channel_settings {
  struct value {
    std::string text;  ///< a number is in its key's unit
    std::string place; ///< "epione.toml:12"; empty for a default
  };
  std::string name, kind;
  std::map<std::string, value, std::less<>> values; ///< of every key its kind has, the common ones included

  /// Empty when nothing was said and there is no default. `key` is one of the kind's.
  const std::string& text(std::string_view key) const;
  std::uint64_t number(std::string_view key) const;
  bool given(std::string_view key) const; ///< the file says it
  /// Replaces a default by another; what the file says stays.
  void set_default(std::string_view key, std::string text);
};

/// Something wrong with values that are each allowed.
struct channel_problem {
  std::string key, message;
};

/// A kind of channel: what it may be told, and how one is made.
struct channel_kind {
  std::string name, about;
  std::vector<channel_key> keys; ///< its own; one named as a common key replaces that one
  /// Looks at the values together; may set defaults that depend on others.
  std::function<std::vector<channel_problem>(channel_settings&)> check;
  /// Files that the settings name are read when something is sent, so that a secret can be exchanged while the node runs.
  std::function<std::unique_ptr<channel>(const channel_settings&, const channel_ports&)> make;
};

class channel_kinds {
public:
  /// A kind of the same name is replaced.
  void add(channel_kind kind);
  const channel_kind* find(std::string_view name) const;
  const std::vector<channel_kind>& all() const { return all_; }

private:
  std::vector<channel_kind> all_;
};

/// Keys of every kind: how fast, how often, how long.
const std::vector<channel_key>& common_channel_keys();
/// The common keys and the kind's own.
std::vector<channel_key> keys_of(const channel_kind& kind);

/// A section as it was read.
struct channel_section {
  struct entry {
    std::string key, text, place;
    bool is_text = true; ///< in quotes, as opposed to a number
  };
  std::string name, place;
  std::vector<entry> entries;
};

/// Where, which key, and what to do.
struct channel_section_problem {
  std::string place, key, message;
};

/// All problems at once; the settings are of no use when there are any.
channel_settings check_channel(const channel_section& section, const channel_kinds& kinds,
                               std::vector<channel_section_problem>& problems);

/// A channel of this kind of which nothing was said: how the log channel runs when no section names it.
channel_settings default_channel(const channel_kinds& kinds, std::string name, std::string_view kind);

/// As `config show` and messages may show it: without what may be a secret, that is user and query of a URL.
std::string shown_url(std::string_view url);
/// The value of a key as `config show` may show it.
std::string shown_value(const channel_settings& settings, const channel_key& key);

/// "10/s", "60/min": messages a period.
struct channel_rate {
  std::uint64_t messages = 0, period_ms = 0;
};
std::optional<channel_rate> parse_rate(std::string_view text);

/// The keys of all kinds in Markdown, as docs/channels.md has them.
std::string channels_markdown(const channel_kinds& kinds);

} // namespace epione::runtime
