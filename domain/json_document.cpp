#include "domain/json_document.hpp"

#include "domain/json_text.hpp"
#include "domain/msgpack.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

namespace epione::domain {

namespace {
using json = nlohmann::json;
}

/// Builds a document from a parser's events.
class json_document_builder : public nlohmann::json_sax<json> {
public:
  json_document_builder(json_document& document, std::size_t text_size, std::size_t depth_max)
      : document_(document), depth_max_(depth_max) {
    // No string is longer decoded than it was written, and no number than it is written here.
    document_.characters_.resize(text_size);
    document_.nodes_.reserve(text_size / 12 + 4);
  }

  bool null() override { return add(json_kind::null, {}); }
  bool boolean(bool value) override {
    add(json_kind::boolean, {});
    document_.nodes_.back().boolean = value;
    return true;
  }
  bool number_integer(number_integer_t value) override { return add_integer(value); }
  bool number_unsigned(number_unsigned_t value) override { return add_integer(value); }
  bool number_float(number_float_t, const string_t& text) override { return add(json_kind::number, keep(text)); }
  bool string(string_t& text) override { return add(json_kind::string, keep(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json_kind::object); }
  bool start_array(std::size_t) override { return open(json_kind::array); }
  bool end_array() override { return close(); }
  bool end_object() override { return !has_twice(open_.back()) && close(); }
  bool key(string_t& name) override {
    name_ = keep(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    position_ = position;
    return false;
  }

  std::size_t position() const { return position_; }
  const std::string& message() const { return message_; }

private:
  std::string_view keep(const std::string& text) {
    auto* begin = document_.characters_.data() + used_;
    if (!text.empty())
      std::memcpy(begin, text.data(), text.size());
    used_ += text.size();
    return {begin, text.size()};
  }
  template <class Integer>
  bool add_integer(Integer value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return add(json_kind::number, keep(std::string(digits, end)));
  }
  bool add(json_kind kind, std::string_view text) {
    if (!open_.empty())
      ++document_.nodes_[open_.back()].count;
    json_node node;
    node.kind = kind;
    node.name = std::exchange(name_, {});
    node.text = text;
    node.end = document_.size() + 1;
    document_.nodes_.push_back(node);
    return true;
  }
  bool open(json_kind kind) {
    if (open_.size() >= depth_max_) {
      message_ = "brackets lie in each other more than " + std::to_string(depth_max_) + " deep";
      return false;
    }
    const auto index = document_.size();
    add(kind, {});
    open_.push_back(index);
    return true;
  }
  bool close() {
    document_.nodes_[open_.back()].end = document_.size();
    open_.pop_back();
    return true;
  }
  bool has_twice(std::uint32_t object) {
    names_.clear();
    for (auto n = object + 1; n < document_.size(); n = document_.nodes_[n].end)
      names_.push_back(document_.nodes_[n].name);
    if (names_.size() > 8)
      std::sort(names_.begin(), names_.end());
    for (std::size_t i = 1; i < names_.size(); ++i) {
      const auto first = names_.size() > 8 ? names_.begin() + static_cast<std::ptrdiff_t>(i - 1) : names_.begin();
      const auto here = names_.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::find(first, here, *here) == here)
        continue;
      message_ = "the member \"" + quotable(*here) + "\" is there twice in the same object; keep one";
      return true;
    }
    return false;
  }

  json_document& document_;
  std::size_t depth_max_;
  std::size_t used_ = 0;
  std::size_t position_ = 0;
  std::string_view name_;
  std::string message_;
  std::vector<std::uint32_t> open_;
  std::vector<std::string_view> names_;
};

tl::expected<json_document, json_error> json_document::parse(std::string_view text, std::size_t depth_max) {
  if (!valid_utf8(text))
    return tl::unexpected(json_error{0, 0, "it is not UTF-8 text; save it as UTF-8"});
  if (text.size() >= 0xFFFFFFFFu)
    return tl::unexpected(json_error{0, 0, "it is larger than 4 GiB"});
  json_document document;
  json_document_builder builder{document, text.size(), depth_max};
  if (json::sax_parse(text, &builder))
    return document;
  if (!builder.message().empty())
    return tl::unexpected(json_error{0, 0, builder.message()});
  const auto before = text.substr(0, std::min(builder.position() == 0 ? 0 : builder.position() - 1, text.size()));
  const auto line_start = before.rfind('\n');
  const auto column = before.size() - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  return tl::unexpected(
      json_error{1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')), column, "this is not valid JSON"});
}

} // namespace epione::domain
