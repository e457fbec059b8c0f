#include "domain/fhirpath_parser.hpp"

#include "domain/fhir_type_names.hpp"
#include "domain/fhirpath_functions.hpp"
#include "domain/fhirpath_lexer.hpp"
#include "domain/fhirpath_limits.hpp"
#include "domain/json_text.hpp"

#include <algorithm>
#include <array>

namespace epione::domain::fhirpath {

namespace {

std::optional<operation> operation_of(const token& t) {
  if (t.kind != token_kind::symbol && t.kind != token_kind::identifier)
    return std::nullopt;
  for (auto o = operation::implies_; o <= operation::remainder; o = static_cast<operation>(static_cast<int>(o) + 1))
    if (name(o) == t.text)
      return o;
  return std::nullopt;
}

std::string described(const token& t) {
  switch (t.kind) {
    case token_kind::end: return "the end of the expression";
    case token_kind::string: return "a string";
    case token_kind::moment: return "a date or time";
    case token_kind::special: return "'$" + t.text + "'";
    default: return "'" + quotable(t.text, 40) + "'";
  }
}

class parser {
public:
  explicit parser(std::string_view text) : lexer_(text) {
    tree_.text = std::string{text};
    now_ = lexer_.next();
  }

  syntax_tree parse() {
    if (now_.kind == token_kind::end)
      throw failure{0, "the expression is empty"};
    tree_.root = expression(0);
    if (now_.kind != token_kind::end)
      unexpected("an operator or the end of the expression");
    return std::move(tree_);
  }

private:
  [[noreturn]] void unexpected(std::string_view expected) const {
    throw failure{now_.offset, "expected " + std::string{expected} + ", found " + described(now_)};
  }
  token take() {
    auto taken = std::move(now_);
    now_ = lexer_.next();
    return taken;
  }
  bool take_if(std::string_view symbol) {
    if (!now_.is(symbol))
      return false;
    take();
    return true;
  }
  void expect(std::string_view symbol, std::string_view where) {
    if (!take_if(symbol))
      unexpected("'" + std::string{symbol} + "' " + std::string{where});
  }
  bool at_identifier() const {
    return now_.kind == token_kind::delimited || (now_.kind == token_kind::identifier && plain_identifier(now_.text));
  }
  ast_node& at(int index) { return tree_.nodes[static_cast<std::size_t>(index)]; }

  int add(ast_node n) {
    if (n.left != ast_node::none)
      n.depth = std::max(n.depth, at(n.left).depth + 1);
    for (const int argument : n.arguments)
      n.depth = std::max(n.depth, at(argument).depth + 1);
    if (n.depth > static_cast<int>(expression_depth_max))
      too_deep(n.offset);
    tree_.nodes.push_back(std::move(n));
    return static_cast<int>(tree_.nodes.size()) - 1;
  }
  [[noreturn]] static void too_deep(std::size_t offset) {
    throw failure{offset, "brackets, terms and steps lie in each other more than " + std::to_string(expression_depth_max) +
                              " deep; divide the expression into variables"};
  }
  static ast_node make(ast_kind kind, std::size_t offset, int left = ast_node::none) {
    ast_node n;
    n.kind = kind;
    n.offset = offset;
    n.left = left;
    return n;
  }

  int expression(int level_min);
  int unary();
  int postfix(int left);
  int term();
  int literal_number();
  int variable();
  int invocation(int left);
  int call(const token& name, int left);
  void check_arguments(const ast_node& n) const;
  void type_specifier(ast_node& n);

  lexer lexer_;
  token now_;
  syntax_tree tree_;
  std::size_t nested_ = 0;
  bool negated_ = false;               // the term that is read stands behind a minus: the least Integer has no literal of its own
  int each_item_ = 0, accumulate_ = 0; // how many functions around this place give $index and $total
};

int parser::expression(int level_min) {
  if (++nested_ > expression_depth_max)
    too_deep(now_.offset);
  int left = unary();
  for (auto o = operation_of(now_); o && level(*o) >= level_min; o = operation_of(now_)) {
    auto n = make(*o == operation::is || *o == operation::as ? ast_kind::type : ast_kind::binary, now_.offset, left);
    n.op = *o;
    take();
    if (n.kind == ast_kind::type)
      type_specifier(n);
    else
      n.arguments.push_back(expression(level(*o) + 1));
    left = add(std::move(n));
  }
  --nested_;
  return left;
}

int parser::unary() {
  std::vector<ast_node> signs;
  while (now_.is("-") || now_.is("+")) {
    signs.push_back(make(now_.is("-") ? ast_kind::negate : ast_kind::plus, now_.offset));
    take();
  }
  negated_ = signs.size() == 1 && signs.front().kind == ast_kind::negate;
  int operand = postfix(term());
  for (; !signs.empty(); signs.pop_back()) {
    signs.back().left = operand;
    operand = add(std::move(signs.back()));
  }
  return operand;
}

int parser::postfix(int left) {
  for (;;) {
    const auto offset = now_.offset;
    if (take_if(".")) {
      left = invocation(left);
    } else if (take_if("[")) {
      auto n = make(ast_kind::indexer, offset, left);
      n.arguments.push_back(expression(0));
      expect("]", "after the index");
      left = add(std::move(n));
    } else {
      return left;
    }
  }
}

int parser::term() {
  const auto offset = now_.offset;
  auto n = make(ast_kind::literal, offset);
  switch (now_.kind) {
    case token_kind::string: n.literal = take().text; return add(std::move(n));
    case token_kind::moment: n.literal = take().moment; return add(std::move(n));
    case token_kind::number: return literal_number();
    case token_kind::special: {
      const auto word = take().text;
      n.kind = word == "this" ? ast_kind::this_item : word == "index" ? ast_kind::index : ast_kind::total;
      if (n.kind == ast_kind::index && each_item_ == 0)
        throw failure{offset, "$index has a value only inside of functions that look at each item, as where() and select()"};
      if (n.kind == ast_kind::total && accumulate_ == 0)
        throw failure{offset, "$total has a value only inside of aggregate()"};
      return add(std::move(n));
    }
    default: break;
  }
  if (now_.is_word("true") || now_.is_word("false")) {
    n.literal = take().text == "true";
    return add(std::move(n));
  }
  if (take_if("{")) {
    expect("}", "after '{', for the empty collection");
    return add(make(ast_kind::empty, offset));
  }
  if (take_if("(")) {
    const int inner = expression(0);
    expect(")", "to close the bracket");
    return inner;
  }
  if (take_if("%"))
    return variable();
  if (at_identifier())
    return invocation(ast_node::none);
  unexpected("a value, a name, a variable or '('");
}

int parser::literal_number() {
  auto n = make(ast_kind::literal, now_.offset);
  const auto number = take();
  const bool fraction = number.text.find('.') != std::string::npos;
  const auto read = decimal::parse(number.text);
  if (!read)
    throw failure{number.offset, "numbers go to 10^20"};
  const auto unit = now_.kind == token_kind::identifier ? parse_time_unit(now_.text) : std::nullopt;
  if (unit) {
    n.literal = quantity{*read, std::string{name(*unit)}, true};
    take();
  } else if (now_.kind == token_kind::string) {
    if (now_.text.empty())
      throw failure{now_.offset, "a unit cannot be empty; of a number without unit it is '1'"};
    n.literal = quantity{*read, now_.text, false};
    take();
  } else if (fraction) {
    n.literal = *read;
  } else if (const auto whole = read->integer();
             whole && (*whole <= integer_max || (negated_ && -*whole == integer_min && !now_.is(".")))) {
    n.literal = *whole;
  } else {
    throw failure{number.offset, "integers go to 2147483647; write it as a decimal, with .0 at its end"};
  }
  return add(std::move(n));
}

int parser::variable() {
  auto n = make(ast_kind::variable, now_.offset);
  if (!at_identifier() && now_.kind != token_kind::string)
    unexpected("the name of a variable after '%'");
  if (now_.text.empty())
    throw failure{now_.offset, "the name of a variable cannot be empty"};
  n.name = take().text;
  return add(std::move(n));
}

int parser::invocation(int left) {
  if (now_.kind == token_kind::special && now_.text == "this") // the grammar has it; it is the same as nothing
    unexpected("the name of an element or a function after '.'; $this stands at the front of a path");
  if (!at_identifier())
    unexpected(left == ast_node::none ? "a name" : "the name of an element or a function after '.'");
  const auto name = take();
  if (now_.is("("))
    return call(name, left);
  auto n = make(ast_kind::member, name.offset, left);
  n.name = name.text;
  return add(std::move(n));
}

int parser::call(const token& name, int left) {
  auto n = make(ast_kind::call, name.offset, left);
  n.name = name.text;
  n.called = find_function(n.name);
  if (n.called == nullptr)
    throw failure{name.offset, "there is no function '" + quotable(n.name, 40) + "'; docs/fhirpath.md lists those there are"};
  take(); // the bracket
  const auto scope = n.called->scope;
  const bool each = scope == argument_scope::each_item || scope == argument_scope::accumulate;
  if (!now_.is(")") && scope == argument_scope::type) {
    type_specifier(n);
  } else if (!now_.is(")")) {
    do {
      const bool total = scope == argument_scope::accumulate && n.arguments.empty();
      each_item_ += each;
      accumulate_ += total;
      n.arguments.push_back(expression(0));
      each_item_ -= each;
      accumulate_ -= total;
    } while (take_if(","));
  }
  if (!now_.is(")"))
    unexpected(scope == argument_scope::type ? "')' after the type" : "',' or ')' after an argument");
  check_arguments(n);
  take();
  if ((n.name == "matches" || n.name == "matchesFull" || n.name == "replaceMatches") &&
      at(n.arguments.front()).kind == ast_kind::literal)
    if (const auto* text = std::get_if<std::string>(&at(n.arguments.front()).literal)) {
      auto compiled = pattern::compile(*text);
      if (!compiled)
        throw failure{at(n.arguments.front()).offset, compiled.error()};
      n.pattern = std::move(*compiled);
    }
  return add(std::move(n));
}

void parser::check_arguments(const ast_node& n) const {
  const auto& f = *n.called;
  if (f.run == nullptr)
    throw failure{n.offset, n.name + "() is not supported here; see docs/fhirpath.md"};
  const auto given = n.arguments.size() + (n.type_name.empty() ? 0 : 1);
  if (given >= f.arguments_min && given <= f.arguments_max)
    return;
  const auto count = [](int k) { return std::to_string(k) + (k == 1 ? " argument" : " arguments"); };
  throw failure{n.offset, n.name + "() takes " +
                              (f.arguments_min == f.arguments_max ? count(f.arguments_min)
                               : f.arguments_min + 1 == f.arguments_max
                                   ? std::to_string(f.arguments_min) + " or " + count(f.arguments_max)
                                   : std::to_string(f.arguments_min) + " to " + count(f.arguments_max)) +
                              ", here are " + std::to_string(given)};
}

void parser::type_specifier(ast_node& n) {
  if (!at_identifier())
    unexpected("a type, as Coding or System.String");
  const auto offset = now_.offset;
  n.type_name = take().text;
  if (take_if(".")) {
    if (!at_identifier())
      unexpected("the name of a type after '.'");
    n.qualifier = std::exchange(n.type_name, now_.text);
    take();
  }
  constexpr std::array<std::string_view, 8> system{"Boolean", "Integer",  "Decimal", "String",
                                                   "Date",    "DateTime", "Time",    "Quantity"};
  const bool of_system = std::find(system.begin(), system.end(), n.type_name) != system.end();
  const bool of_fhir =
      primitive(parse_fhir_type(n.type_name)) || is_fhir_complex_type(n.type_name) || is_fhir_resource(n.type_name);
  if (!n.qualifier.empty() && n.qualifier != "System" && n.qualifier != "FHIR")
    throw failure{offset, "types are of System or of FHIR"};
  if (n.qualifier == "System" ? !of_system : n.qualifier == "FHIR" ? !of_fhir : !of_system && !of_fhir)
    throw failure{offset, "there is no type '" + quotable(n.type_name, 40) + "'"};
}

} // namespace

syntax_tree parse(std::string_view text) {
  return parser{text}.parse();
}

} // namespace epione::domain::fhirpath
