// Reading a TOML table with the place of everything at hand; a key that nobody asked for is a problem.
#pragma once

#include "domain/fhir_json.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <unordered_map>
#include <vector>

namespace epione::domain {

class toml_table {
public:
  toml_table(const toml::table& table, std::string place, file_problems& problems)
      : table_(&table), place_(std::move(place)), problems_(&problems) {}

  /// "forms[0].scores[1] (line 12)", "study.toml" has no place of its own.
  std::string place() const;
  std::string place_of(std::string_view key) const;
  void problem(std::string message) const { problems_->add(place(), std::move(message)); }
  void problem(std::string_view key, std::string message) const { problems_->add(place_of(key), std::move(message)); }

  bool has(std::string_view key) const { return table_->contains(key); }
  const toml::node* find(std::string_view key);
  /// A text that is not empty; nothing, with a problem, when it is something else, or missing although `required`.
  std::optional<std::string> text(std::string_view key, bool required);
  /// The same, of letters, digits, ".", "_" and "-" only, so that it can be part of other names.
  std::optional<std::string> identifier(std::string_view key, bool required);
  std::optional<std::int64_t> integer(std::string_view key, bool required);
  std::optional<double> number(std::string_view key, bool required);
  /// A list of texts, none of them empty or there twice.
  std::vector<std::string> texts(std::string_view key, bool required);
  /// Tables of an array of tables, in order.
  std::vector<toml_table> tables(std::string_view key);
  /// A table under a key; nothing, with a problem, when it is something else.
  std::optional<toml_table> table(std::string_view key);
  /// Every key, in the order of its text; each counts as asked for.
  std::vector<std::string> keys();
  /// Adds a problem for every key that was not asked for.
  void end() const;

private:
  std::string path_of(std::string_view key) const;
  void missing(std::string_view key, std::string_view what) const;

  const toml::table* table_;
  std::string place_;
  file_problems* problems_;
  std::set<std::string, std::less<>> asked_;
};

/// Names of one kind, each of which may be there once.
class unique_names {
public:
  /// False, with a problem at `key`, if the name is there already.
  bool add(const std::string& name, const toml_table& table, std::string_view key);

private:
  std::unordered_map<std::string, std::string> places_;
};

/// Whether `text` can be an id: letters, digits, ".", "_" and "-", the first one a letter or digit, not too long.
bool is_identifier(std::string_view text);

/// Whether a dotted key ("a.b.c") has more parts than limits::toml_key_parts_max. Asked before parsing: the parser builds a table
/// for each part and takes them down recursively, so that a key of some hundred thousand parts would end the program.
bool has_deep_key(std::string_view toml);

} // namespace epione::domain
