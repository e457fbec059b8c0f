#include "domain/export_text.hpp"

#include "domain/canonical.hpp"
#include "domain/date_text.hpp"
#include "domain/json_text.hpp"
#include "domain/msgpack.hpp"
#include "domain/response_filter.hpp"
#include "domain/unreadable.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace epione::domain {

namespace {

void append_digits(std::string& out, std::uint64_t value) {
  std::array<char, 24> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

/// Whether a spreadsheet could take it for a formula, or the guard in front of one for its own.
bool needs_guard(std::string_view text) {
  if (text.empty())
    return false;
  switch (text.front()) {
    case '=':
    case '+':
    case '-':
    case '@':
    case '\t':
    case '\r':
    case '\n':
    case '\'': return true;
    default: break;
  }
  for (const std::string_view wide : {"\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"}) // full-width = + - @
    if (text.starts_with(wide))
      return true;
  return false;
}

bool is_scalar(msgpack_type t) {
  return t == msgpack_type::boolean || t == msgpack_type::integer || t == msgpack_type::number || t == msgpack_type::string;
}

/// A number or truth value as it is written in a cell.
void append_plain(std::string& out, const msgpack_value& v) {
  if (v.type == msgpack_type::boolean)
    out += v.boolean ? "true" : "false";
  else if (v.type == msgpack_type::integer && !v.negative)
    append_digits(out, v.integer);
  else if (v.type == msgpack_type::integer)
    out += std::to_string(v.as_int64());
  else
    append_json_number(out, v.number);
}

/// The text of one of several answers, so that the | between them is not taken for one within.
void append_listed(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '|' || c == '\\')
      out += '\\';
    out += c;
  }
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  append_json_string(out, text);
}

} // namespace

// ---- CSV ----------------------------------------------------------------------------------------------------------------

void csv_writer::append_cell(std::string& out, std::string_view text) {
  const bool guard = needs_guard(text);
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    if (guard)
      out += '\'';
    out += text;
    return;
  }
  out += '"';
  if (guard)
    out += '\'';
  for (const char c : text) {
    if (c == '"')
      out += '"';
    out += c;
  }
  out += '"';
}

void csv_writer::append_header(std::string& out) {
  for (std::size_t i = 0; i < columns_.names().size(); ++i) {
    if (i > 0)
      out += ',';
    append_cell(out, columns_.names()[i]);
  }
  out += "\r\n";
}

tl::expected<void, std::string> csv_writer::append_row(std::string& out, const export_row& row) {
  const auto& r = row.record;
  const auto* form = columns_.find(r.form);
  if (form == nullptr)
    return unreadable("its form \"" + quotable(r.form) + "\" is in no version of the study");
  const auto begin = out.size();
  for (const std::string_view text : {std::string_view{r.study}, std::string_view{r.site}, std::string_view{r.subject}}) {
    append_cell(out, text);
    out += ',';
  }
  out += to_text(r.id);
  out += ',';
  for (const std::string_view text : {std::string_view{r.form}, std::string_view{r.version}, std::string_view{r.authored}}) {
    append_cell(out, text);
    out += ',';
  }
  append_rfc3339_us(out, r.stored_us);
  out += ',';
  append_digits(out, row.shard);
  out += ',';
  append_digits(out, row.seq);
  out += ',';
  append_cell(out, r.key);
  out += ',';
  for (std::size_t i = 0; i < r.alerts.size(); ++i) {
    if (i > 0)
      out += '|'; // no rule's id has one
    out += r.alerts[i].rule;
  }
  out.append(form->first - export_fixed_columns, ',');
  if (auto done = append_form(out, *form, r); !done) {
    out.resize(begin);
    return done;
  }
  out.append(columns_.names().size() - form->first - form->count, ',');
  out += "\r\n";
  return {};
}

tl::expected<void, std::string> csv_writer::append_form(std::string& out, const export_form& form, const submission_record& r) {
  cells_.clear();
  places_.assign(form.count, {0, 0});
  const auto fill = [&](std::size_t place, std::size_t begin) { places_[place] = {begin, cells_.size() - begin}; };
  for (const auto& s : r.scores) {
    const auto column = std::find_if(form.scores.begin(), form.scores.end(), [&](const auto& c) { return c.name == s.name; });
    if (column == form.scores.end() || (column->label == column->value && !s.label.empty()))
      return unreadable("its score \"" + quotable(s.name) + "\" is in no version of the form \"" + form.id + "\"");
    auto begin = cells_.size();
    append_json_number(cells_, s.value);
    fill(column->value, begin);
    if (column->label != column->value) {
      begin = cells_.size();
      append_cell(cells_, s.label);
      fill(column->label, begin);
    }
  }
  // Answers and items are both sorted by linkId.
  msgpack_reader answers{r.answers};
  const auto map = answers.next();
  if (map.type != msgpack_type::map)
    return unreadable("its answers are damaged");
  auto item = form.items.begin();
  for (std::uint32_t i = 0; i < map.count; ++i) {
    const auto name = answers.next();
    std::string_view raw;
    if (name.type != msgpack_type::string || !answers.skip(raw))
      return unreadable("its answers are damaged");
    while (item != form.items.end() && item->first < name.text)
      ++item;
    if (item == form.items.end() || item->first != name.text)
      return unreadable("its item \"" + quotable(name.text) + "\" is in no version of the form \"" + form.id + "\"");
    const auto begin = cells_.size();
    if (!append_answer(cells_, raw))
      return unreadable("its answer to \"" + quotable(name.text) + "\" is damaged");
    fill(item->second, begin);
  }
  if (!answers.at_end())
    return unreadable("its answers are damaged");
  for (const auto& [begin, size] : places_) {
    out += ',';
    out.append(cells_, begin, size);
  }
  return {};
}

bool csv_writer::append_answer(std::string& out, std::string_view raw) {
  msgpack_reader r{raw};
  const auto v = r.next();
  if (v.type == msgpack_type::string) {
    append_cell(out, v.text);
    return true;
  }
  if (is_scalar(v.type)) {
    append_plain(out, v);
    return true;
  }
  if (v.type == msgpack_type::map) { // a quantity
    append_cell(out, json_from_msgpack(raw));
    return true;
  }
  if (v.type != msgpack_type::array)
    return false;
  text_.clear();
  for (std::uint32_t i = 0; i < v.count; ++i) {
    std::string_view element;
    if (!r.skip(element))
      return false;
    if (i > 0)
      text_ += '|';
    const auto one = msgpack_reader{element}.next();
    if (one.type == msgpack_type::string)
      append_listed(text_, one.text);
    else if (is_scalar(one.type))
      append_plain(text_, one);
    else if (one.type == msgpack_type::map)
      append_listed(text_, json_from_msgpack(element));
    else
      return false;
  }
  append_cell(out, text_);
  return true;
}

// ---- NDJSON -------------------------------------------------------------------------------------------------------------

tl::expected<void, std::string> append_ndjson(std::string& out, const export_row& row) {
  const auto& r = row.record;
  msgpack_reader whole{r.answers};
  if (!whole.skip() || !whole.at_end())
    return unreadable("its answers are damaged");
  out += R"({"study":)";
  append_json_string(out, r.study);
  append_member(out, "site", r.site);
  append_member(out, "subject", r.subject);
  append_member(out, "receipt", to_text(r.id));
  append_member(out, "form", r.form);
  append_member(out, "version", r.version);
  if (r.authored.empty())
    out += R"(,"authored":null)";
  else
    append_member(out, "authored", r.authored);
  out += R"(,"stored":")";
  append_rfc3339_us(out, r.stored_us);
  out += R"(","shard":)";
  append_digits(out, row.shard);
  out += R"(,"seq":)";
  append_digits(out, row.seq);
  append_member(out, "key", r.key);
  out += R"(,"answers":)";
  out += json_from_msgpack(r.answers);
  out += R"(,"scores":[)";
  for (std::size_t i = 0; i < r.scores.size(); ++i) {
    out += i == 0 ? R"({"name":)" : R"(,{"name":)";
    append_json_string(out, r.scores[i].name);
    out += R"(,"value":)";
    append_json_number(out, r.scores[i].value);
    append_member(out, "label", r.scores[i].label);
    out += '}';
  }
  out += R"(],"alerts":[)";
  for (std::size_t i = 0; i < r.alerts.size(); ++i) {
    out += i == 0 ? R"({"rule":)" : R"(,{"rule":)";
    append_json_string(out, r.alerts[i].rule);
    out += '}';
  }
  out += ']';
  if (row.amended != nullptr) {
    out += R"(,"amendment":{"version":)";
    append_digits(out, row.amended->version);
    append_member(out, "who", row.amended->who);
    append_member(out, "reason", row.amended->reason);
    append_member(out, "status", status_of(r));
    out += '}';
  }
  out += "}\n";
  return {};
}

} // namespace epione::domain
