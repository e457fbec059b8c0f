#include "runtime/http/decode_json.hpp"

#include "runtime/defaults.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>

namespace epione::runtime::http {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

bool write_members(domain::canonical_writer& writer, const simdjson::dom::object& members) {
  if (!writer.begin_map())
    return false;
  for (const auto& [name, value] : members)
    if (!writer.name(name) || !write_value(writer, value))
      return false;
  return writer.end_map();
}

bool write_items(domain::canonical_writer& writer, const simdjson::dom::array& items) {
  if (!writer.begin_array())
    return false;
  for (const auto& item : items)
    if (!write_value(writer, item))
      return false;
  return writer.end_array();
}

/// nlohmann-json knows the place of a mistake; simdjson, which is fast, does not. Nothing is built.
class mistake_finder final : public nlohmann::json_sax<nlohmann::json> {
public:
  std::optional<std::size_t> at;
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    at = position;
    return false;
  }
};

std::string place_of(std::string_view text) {
  mistake_finder finder;
  nlohmann::json::sax_parse(text.begin(), text.end(), &finder);
  if (!finder.at)
    return {};
  const auto before = text.substr(0, std::min(text.size(), *finder.at > 0 ? *finder.at - 1 : 0));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto start = before.rfind('\n');
  const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return " at line " + std::to_string(line) + ", column " + std::to_string(column);
}

} // namespace

bool write_value(domain::canonical_writer& writer, const element& value) {
  // The types were found by the parser, so taking them out cannot fail.
  switch (value.type()) {
    case element_type::ARRAY: return write_items(writer, value.get_array().value_unsafe());
    case element_type::OBJECT: return write_members(writer, value.get_object().value_unsafe());
    case element_type::INT64: return writer.integer(value.get_int64().value_unsafe());
    case element_type::UINT64: return writer.unsigned_integer(value.get_uint64().value_unsafe());
    case element_type::DOUBLE: return writer.number(value.get_double().value_unsafe());
    case element_type::STRING: return writer.string(value.get_string().value_unsafe());
    case element_type::BOOL: return writer.boolean(value.get_bool().value_unsafe());
    case element_type::NULL_VALUE: return writer.null();
    default: return writer.fail("a number of more than 64 bits");
  }
}

std::string json_mistake(std::string_view text, simdjson::error_code error) {
  switch (error) {
    case simdjson::EMPTY: return "is empty";
    case simdjson::DEPTH_ERROR: return "is nested deeper than " + std::to_string(defaults::json_depth_max) + " levels";
    case simdjson::UTF8_ERROR: return "is not JSON: it is not valid UTF-8";
    case simdjson::NUMBER_ERROR:
      return "is not JSON that is taken: a number is malformed or has more than 64 bits" + place_of(text);
    default: return "is not JSON: a mistake" + place_of(text);
  }
}

} // namespace epione::runtime::http
