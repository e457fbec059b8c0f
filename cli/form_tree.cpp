#include "cli/form_tree.hpp"

#include "cli/table.hpp"
#include "domain/canonical.hpp"
#include "domain/json_text.hpp"

#include <ostream>
#include <re2/re2.h>

namespace epione::cli {

namespace {

using domain::form_item;

constexpr std::size_t text_bytes_max = 200; // of what is shown of one text
constexpr std::size_t options_max = 20;     // that are shown of one item

std::string shown(std::string_view text) {
  return printable(domain::quotable(text, text_bytes_max));
}

std::string number(double value) {
  std::string text;
  domain::append_json_number(text, value);
  return text;
}

std::string shown(const domain::rule_value& v) {
  switch (v.kind) {
    case domain::value_kind::boolean: return v.boolean ? "true" : "false";
    case domain::value_kind::number: return number(v.number) + (v.unit.empty() ? "" : " " + shown(v.unit));
    default: return shown(v.text);
  }
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const auto& p : parts)
    text += (text.empty() ? "" : between) + p;
  return text;
}

void add_limits(const form_item& item, std::vector<std::string>& parts) {
  if (item.min_value)
    parts.push_back("from " + shown(*item.min_value));
  if (item.max_value)
    parts.push_back("to " + shown(*item.max_value));
  if (item.min_length)
    parts.push_back(std::to_string(*item.min_length) + " characters or more");
  if (item.max_length)
    parts.push_back(std::to_string(*item.max_length) + " characters at most");
  if (item.min_occurs > 0)
    parts.push_back(std::to_string(item.min_occurs) + " times or more");
  if (item.max_occurs != ~std::size_t{0})
    parts.push_back(std::to_string(item.max_occurs) + " times at most");
}

void add_rules(const domain::item_rules& rules, std::vector<std::string>& parts) {
  if (!rules.item_control.empty())
    parts.push_back("as " + shown(rules.item_control));
  if (!rules.unit.empty())
    parts.push_back("in " + shown(rules.unit));
  if (rules.max_decimal_places)
    parts.push_back(std::to_string(*rules.max_decimal_places) + " decimal places at most");
  if (rules.min_quantity)
    parts.push_back("from " + shown(*rules.min_quantity));
  if (rules.max_quantity)
    parts.push_back("to " + shown(*rules.max_quantity));
  std::vector<std::string> units;
  for (const auto& u : rules.units)
    units.push_back(shown(u.code.empty() ? u.display : u.code));
  if (!units.empty())
    parts.push_back("units " + joined(units, " "));
  if (rules.unit_set)
    parts.push_back("units of " + shown(rules.unit_set->url));
  if (rules.regex)
    parts.push_back("matches " + shown(rules.regex->pattern()));
  if (rules.max_size)
    parts.push_back(number(*rules.max_size) + " MB at most");
  for (const auto& t : rules.mime_types)
    parts.push_back(shown(t));
  for (const auto& t : rules.reference_types)
    parts.push_back("a " + shown(t));
  if (rules.signature_required)
    parts.push_back("signed");
}

std::string brackets(const form_item& item) {
  std::vector<std::string> parts{shown(item.link_id), std::string{domain::name(item.type)}};
  if (item.required)
    parts.push_back("required");
  if (item.repeats)
    parts.push_back("repeats");
  if (item.read_only)
    parts.push_back("read only");
  if (item.hidden)
    parts.push_back("hidden");
  add_limits(item, parts);
  if (item.rules)
    add_rules(*item.rules, parts);
  return "[" + joined(parts, ", ") + "]";
}

std::string conditions(const domain::questionnaire& form, const form_item& item) {
  std::string text;
  for (const auto& c : item.conditions) {
    text += text.empty() ? "asked if " : item.any_condition ? " or " : " and ";
    text += shown(form.items[c.question].link_id);
    if (c.operation == domain::comparison::exists)
      text += c.value.boolean ? " is answered" : " is not answered";
    else
      text += " " + std::string{domain::name(c.operation)} + " " + shown(c.value);
  }
  return text;
}

const char* label(domain::form_expression::purpose kind) {
  using enum domain::form_expression::purpose;
  switch (kind) {
    case constraint: return "must hold";
    case enable_when: return "asked if";
    case calculated: return "calculated as";
    case initial: return "begins with";
    case variable: return "where";
    case other: break;
  }
  return "has";
}

/// "calculated as %a + %b"; what is not evaluated is said so.
std::string expression_line(const domain::form_expression& e) {
  auto text = std::string{label(e.kind)} + " ";
  if (e.kind == domain::form_expression::purpose::variable)
    text += "%" + shown(e.name) + " is ";
  else if (e.kind == domain::form_expression::purpose::other)
    text += shown(e.name) + " ";
  text += shown(e.text);
  if (!e.human.empty())
    text += "  \"" + shown(e.human) + "\"";
  if (e.only_warning)
    text += "  (only a warning)";
  if (!e.compiled)
    text += "  (not evaluated)";
  return text;
}

std::string option_line(const domain::answer_option& o) {
  auto text = "( ) " + shown(o.value);
  if (!o.display.text.empty() && o.display.text != o.value.text)
    text += "  " + shown(o.display.text);
  if (o.ordinal)
    text += "  = " + number(*o.ordinal);
  if (o.exclusive)
    text += "  (alone)";
  return text;
}

/// Whether an item is the last one in the item around it.
bool is_last(const domain::questionnaire& form, std::uint32_t i) {
  const auto parent = form.items[i].parent;
  return form.items[i].end == (parent == form_item::none ? form.items.size() : form.items[parent].end);
}

/// Lines of the tree left of an item, from the outermost; `own` is the last piece.
std::string margin(const domain::questionnaire& form, std::uint32_t i, bool own_line) {
  std::string text = own_line ? (is_last(form, i) ? "└─ " : "├─ ") : (is_last(form, i) ? "   " : "│  ");
  for (auto p = form.items[i].parent; p != form_item::none; p = form.items[p].parent)
    text.insert(0, is_last(form, p) ? "   " : "│  ");
  return text;
}

void print_item(std::ostream& out, const domain::questionnaire& form, std::uint32_t i) {
  const auto& item = form.items[i];
  out << margin(form, i, true) << (item.prefix.empty() ? "" : shown(item.prefix) + " ")
      << (item.text.text.empty() ? "" : shown(item.text.text) + " ") << brackets(item) << '\n';
  const auto beneath = margin(form, i, false) + (item.end > i + 1 ? "│  " : "   ");
  if (const auto text = conditions(form, item); !text.empty())
    out << beneath << text << '\n';
  for (const auto& e : form.expressions)
    if (e.item == i)
      out << beneath << expression_line(e) << '\n';
  for (std::size_t o = 0; o < item.options.size() && o < options_max; ++o)
    out << beneath << option_line(item.options[o]) << '\n';
  if (item.options.size() > options_max)
    out << beneath << "... and " << item.options.size() - options_max << " more\n";
  if (item.value_set && item.options.empty())
    out << beneath << "codes of " << shown(item.value_set->url) << '\n';
}

} // namespace

void print_form(std::ostream& out, const domain::questionnaire& form) {
  out << (form.title.text.empty() ? std::string{"Questionnaire"} : shown(form.title.text));
  if (!form.version.empty())
    out << ", version " << shown(form.version);
  out << '\n';
  if (!form.url.empty())
    out << shown(form.url) << '\n';
  for (const auto& e : form.expressions)
    if (e.item == form_item::none)
      out << expression_line(e) << '\n';
  for (std::uint32_t i = 0; i < form.items.size(); ++i)
    print_item(out, form, i);
}

} // namespace epione::cli
