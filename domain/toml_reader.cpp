#include "domain/toml_reader.hpp"

#include "domain/json_text.hpp"
#include "domain/limits.hpp"

#include <algorithm>
#include <cmath>

namespace epione::domain {

namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string at_line(const toml::node& node) {
  const auto line = node.source().begin.line;
  return line == 0 ? std::string{} : "line " + std::to_string(line);
}

} // namespace

bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= limits::identifier_bytes_max && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool has_deep_key(std::string_view toml) {
  std::size_t dots = 0; // since the last character that cannot be within a key
  std::size_t i = 0;
  const auto skip_string = [&](char quote) {
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    const bool lines = toml.substr(i, 3) == three;
    i += lines ? 3 : 1;
    while (i < toml.size()) {
      if (quote == '"' && toml[i] == '\\')
        i += 2;
      else if (lines ? toml.substr(i, 3) == three : toml[i] == quote || toml[i] == '\n')
        break;
      else
        ++i;
    }
    i += lines ? 3 : 1;
  };
  while (i < toml.size()) {
    const char c = toml[i];
    if (c == '"' || c == '\'') {
      skip_string(c);
      continue;
    }
    if (c == '#')
      i = std::min(toml.find('\n', i), toml.size());
    else
      ++i;
    if (c == '.' && ++dots >= limits::toml_key_parts_max)
      return true;
    if (c == '=' || c == ',' || c == '{' || c == '}' || c == '[' || c == ']' || c == '\n')
      dots = 0;
  }
  return false;
}

std::string toml_table::place() const {
  const auto line = at_line(*table_);
  if (place_.empty() || line.empty())
    return place_;
  return place_ + " (" + line + ")";
}

std::string toml_table::path_of(std::string_view key) const {
  return place_.empty() ? std::string{key} : place_ + "." + std::string{key};
}

std::string toml_table::place_of(std::string_view key) const {
  const auto* node = table_->get(key);
  if (node == nullptr && place_.empty())
    return std::string{key}; // the file's own table is everywhere
  const auto line = at_line(node != nullptr ? *node : *table_);
  return path_of(key) + (line.empty() ? "" : " (" + line + ")");
}

const toml::node* toml_table::find(std::string_view key) {
  asked_.emplace(key);
  return table_->get(key);
}

void toml_table::missing(std::string_view key, std::string_view what) const {
  problem(key, "it is missing; it must be " + std::string{what});
}

std::optional<std::string> toml_table::text(std::string_view key, bool required) {
  const auto* node = find(key);
  if (node == nullptr) {
    if (required)
      missing(key, "a text");
    return std::nullopt;
  }
  const auto value = node->value_exact<std::string>();
  if (!value || value->empty()) {
    problem(key, "it must be a text in quotes that is not empty");
    return std::nullopt;
  }
  if (std::any_of(value->begin(), value->end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    problem(key, "it must not hold control characters");
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> toml_table::identifier(std::string_view key, bool required) {
  auto value = text(key, required);
  if (value && !is_identifier(*value)) {
    problem(key, "it must be 1 to " + std::to_string(limits::identifier_bytes_max) +
                     " letters, digits, \".\", \"_\" and \"-\", beginning with a letter or digit");
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> toml_table::integer(std::string_view key, bool required) {
  const auto* node = find(key);
  if (node == nullptr) {
    if (required)
      missing(key, "a whole number");
    return std::nullopt;
  }
  const auto value = node->value_exact<std::int64_t>();
  if (!value)
    problem(key, "it must be a whole number, without quotes");
  return value;
}

std::optional<double> toml_table::number(std::string_view key, bool required) {
  const auto* node = find(key);
  if (node == nullptr) {
    if (required)
      missing(key, "a number");
    return std::nullopt;
  }
  if (const auto whole = node->value_exact<std::int64_t>())
    return static_cast<double>(*whole);
  const auto value = node->value_exact<double>();
  if (!value || !std::isfinite(*value)) {
    problem(key, "it must be a number, without quotes");
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> toml_table::texts(std::string_view key, bool required) {
  std::vector<std::string> result;
  const auto* node = find(key);
  if (node == nullptr) {
    if (required)
      missing(key, "a list of texts");
    return result;
  }
  const auto* list = node->as_array();
  if (list == nullptr || list->empty()) {
    problem(key, "it must be a list of texts in [ ], not empty");
    return result;
  }
  std::set<std::string> seen;
  for (const auto& element : *list) {
    const auto value = element.value_exact<std::string>();
    if (!value || value->empty())
      problem(key, "each element must be a text in quotes that is not empty");
    else if (!seen.insert(*value).second)
      problem(key, "\"" + quotable(*value) + "\" is there twice");
    else
      result.push_back(*value);
  }
  return result;
}

std::vector<toml_table> toml_table::tables(std::string_view key) {
  std::vector<toml_table> result;
  const auto* node = find(key);
  if (node == nullptr)
    return result;
  const auto* list = node->as_array();
  if (list == nullptr) {
    problem(key, "it must be a list of tables: write [[" + path_of(key) + "]] before each");
    return result;
  }
  std::size_t i = 0;
  for (const auto& element : *list) {
    auto place = path_of(key) + "[" + std::to_string(i++) + "]";
    if (const auto* table = element.as_table())
      result.emplace_back(*table, std::move(place), *problems_);
    else
      problems_->add(std::move(place), "it must be a table");
  }
  return result;
}

std::optional<toml_table> toml_table::table(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr)
    return std::nullopt;
  if (const auto* inner = node->as_table())
    return toml_table{*inner, path_of(key), *problems_};
  problem(key, "it must be a table: { NAME = \"...\" }");
  return std::nullopt;
}

std::vector<std::string> toml_table::keys() {
  std::vector<std::string> result;
  for (const auto& [key, node] : *table_) {
    const std::string_view name = key;
    result.emplace_back(name);
    asked_.emplace(name);
  }
  return result;
}

void toml_table::end() const {
  for (const auto& [key, node] : *table_)
    if (const std::string_view name = key; asked_.find(name) == asked_.end())
      problem(quotable(name), "there is no such setting here; correct its name or remove it");
}

bool unique_names::add(const std::string& name, const toml_table& table, std::string_view key) {
  const auto [found, added] = places_.emplace(name, table.place_of(key));
  if (!added)
    table.problem(key, "\"" + quotable(name) + "\" is there already, at " + found->second);
  return added;
}

} // namespace epione::domain
