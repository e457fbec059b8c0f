#include "domain/fhirpath_ast.hpp"

#include "domain/fhirpath_lexer.hpp"

#include <array>

namespace epione::domain::fhirpath {

namespace {

struct operation_row {
  std::string_view name;
  int level;
};

// In the order of the enumeration.
constexpr std::array<operation_row, 24> operation_rows{
    {{"implies", 1}, {"or", 2}, {"xor", 2}, {"and", 3}, {"in", 4}, {"contains", 4}, {"=", 5},    {"~", 5},
     {"!=", 5},      {"!~", 5}, {"<=", 6},  {"<", 6},   {">", 6},  {">=", 6},       {"|", 7},    {"is", 8},
     {"as", 8},      {"+", 9},  {"-", 9},   {"&", 9},   {"*", 10}, {"/", 10},       {"div", 10}, {"mod", 10}}};

std::string in_quotes(std::string_view text, char quote) {
  std::string out{quote};
  for (const char c : text) {
    constexpr std::string_view special = "\\\f\n\r\t", letters = "\\fnrt";
    if (const auto place = special.find(c); place != std::string_view::npos)
      (out += '\\') += letters[place];
    else if (c == quote)
      (out += '\\') += c;
    else
      out += c;
  }
  return out + quote;
}

std::string printed_name(std::string_view name) {
  return plain_identifier(name) ? std::string{name} : in_quotes(name, '`');
}

std::string printed_literal(const value& v) {
  if (const auto* s = std::get_if<std::string>(&v))
    return in_quotes(*s, '\'');
  if (const auto* m = std::get_if<moment>(&v)) {
    if (m->kind == moment::kind_type::time)
      return "@T" + m->text();
    return '@' + m->text() + (m->kind == moment::kind_type::date_time && m->given <= precision::day ? "T" : "");
  }
  if (const auto* q = std::get_if<quantity>(&v); q != nullptr && !q->calendar)
    return q->value.text() + ' ' + in_quotes(q->unit, '\'');
  return text_of(v).value_or("{}");
}

class printer {
public:
  explicit printer(const syntax_tree& tree) : tree_(tree) {}

  std::string print(int index, int level_needed) const {
    const auto& n = tree_.nodes[static_cast<std::size_t>(index)];
    auto text = inner(n);
    return level_of(n) < level_needed ? '(' + text + ')' : text;
  }

private:
  static int level_of(const ast_node& n) {
    if (n.kind == ast_kind::binary || n.kind == ast_kind::type)
      return level(n.op);
    return n.kind == ast_kind::negate || n.kind == ast_kind::plus ? unary_level : postfix_level;
  }
  std::string front(const ast_node& n) const { return n.left == ast_node::none ? "" : print(n.left, postfix_level) + '.'; }
  static std::string type(const ast_node& n) {
    return (n.qualifier.empty() ? "" : printed_name(n.qualifier) + '.') + printed_name(n.type_name);
  }
  std::string call(const ast_node& n) const;
  std::string inner(const ast_node& n) const;

  const syntax_tree& tree_;
};

std::string printer::call(const ast_node& n) const {
  auto text = front(n) + printed_name(n.name) + '(';
  if (!n.type_name.empty())
    text += type(n);
  for (std::size_t i = 0; i < n.arguments.size(); ++i)
    text += (i == 0 ? "" : ", ") + print(n.arguments[i], 0);
  return text + ')';
}

std::string printer::inner(const ast_node& n) const {
  switch (n.kind) {
    case ast_kind::literal: return printed_literal(n.literal);
    case ast_kind::empty: return "{}";
    case ast_kind::variable: return '%' + printed_name(n.name);
    case ast_kind::this_item: return "$this";
    case ast_kind::index: return "$index";
    case ast_kind::total: return "$total";
    case ast_kind::member: return front(n) + printed_name(n.name);
    case ast_kind::call: return call(n);
    case ast_kind::indexer: return print(n.left, postfix_level) + '[' + print(n.arguments.front(), 0) + ']';
    case ast_kind::negate: return '-' + print(n.left, unary_level);
    case ast_kind::plus: return '+' + print(n.left, unary_level);
    case ast_kind::type: return print(n.left, level(n.op)) + ' ' + std::string{name(n.op)} + ' ' + type(n);
    case ast_kind::binary: break;
  }
  return print(n.left, level(n.op)) + ' ' + std::string{name(n.op)} + ' ' + print(n.arguments.front(), level(n.op) + 1);
}

bool same_node(const syntax_tree& a, int ia, const syntax_tree& b, int ib) {
  if (ia == ast_node::none || ib == ast_node::none)
    return ia == ib;
  const auto &x = a.nodes[static_cast<std::size_t>(ia)], &y = b.nodes[static_cast<std::size_t>(ib)];
  if (x.kind != y.kind || x.op != y.op || x.name != y.name || x.qualifier != y.qualifier || x.type_name != y.type_name ||
      x.called != y.called || x.arguments.size() != y.arguments.size() || x.literal.index() != y.literal.index() ||
      printed_literal(x.literal) != printed_literal(y.literal) || !same_node(a, x.left, b, y.left))
    return false;
  for (std::size_t i = 0; i < x.arguments.size(); ++i)
    if (!same_node(a, x.arguments[i], b, y.arguments[i]))
      return false;
  return true;
}

} // namespace

std::string_view name(operation o) {
  return operation_rows[static_cast<std::size_t>(o)].name;
}

int level(operation o) {
  return operation_rows[static_cast<std::size_t>(o)].level;
}

std::string print(const syntax_tree& tree) {
  return printer{tree}.print(tree.root, 0);
}

bool same(const syntax_tree& a, const syntax_tree& b) {
  return same_node(a, a.root, b, b.root);
}

} // namespace epione::domain::fhirpath
