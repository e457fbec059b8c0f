#include "domain/fhirpath.hpp"

#include "domain/fhirpath_evaluation.hpp"
#include "domain/fhirpath_lexer.hpp"
#include "domain/fhirpath_parser.hpp"
#include "domain/msgpack.hpp"

#include <algorithm>

namespace epione::domain::fhirpath {

namespace {

problem make_problem(std::string_view text, failure f) {
  const auto before = text.substr(0, std::min(f.offset, text.size()));
  const auto line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return {1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')), 1 + characters(before.substr(line_start)),
          std::move(f.message)};
}

/// Offset of the first line that is not UTF-8; nothing when all are.
std::optional<std::size_t> first_bad_line(std::string_view text) {
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    if (!valid_utf8(text.substr(begin, end - begin)))
      return begin;
    begin = end + 1;
  }
  return std::nullopt;
}

} // namespace

std::string problem::text() const {
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + message;
}

std::string_view expression::text() const {
  return tree_->text;
}

std::string expression::printed() const {
  return print(*tree_);
}

std::vector<std::string> expression::variables() const {
  std::vector<const ast_node*> found;
  for (const auto& n : tree_->nodes)
    if (n.kind == ast_kind::variable)
      found.push_back(&n);
  std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->offset < b->offset; });
  std::vector<std::string> names;
  for (const auto* n : found)
    if (std::find(names.begin(), names.end(), n->name) == names.end())
      names.push_back(n->name);
  return names;
}

std::vector<std::string> expression::link_ids() const {
  std::vector<std::string> found;
  const auto visit = [&](int from, auto&& look) {
    std::vector<int> open{from};
    while (!open.empty()) {
      const auto& n = tree_->nodes[static_cast<std::size_t>(open.back())];
      open.pop_back();
      look(n);
      if (n.left != ast_node::none)
        open.push_back(n.left);
      open.insert(open.end(), n.arguments.begin(), n.arguments.end());
    }
  };
  const auto names_link_id = [&](int side) {
    bool named = false;
    visit(side, [&](const ast_node& n) { named = named || (n.kind == ast_kind::member && n.name == "linkId"); });
    return named;
  };
  const auto take = [&](const ast_node& n) {
    const auto* text = n.kind == ast_kind::literal ? std::get_if<std::string>(&n.literal) : nullptr;
    if (text != nullptr && std::find(found.begin(), found.end(), *text) == found.end())
      found.push_back(*text);
  };
  // What is looked for in the form itself is no answer.
  const auto& nodes = tree_->nodes;
  std::vector<bool> of_form(nodes.size());
  for (const auto& call : nodes) {
    const auto* root = &call;
    while (root->left != ast_node::none)
      root = &nodes[static_cast<std::size_t>(root->left)];
    if (call.kind != ast_kind::call || root->kind != ast_kind::variable ||
        (root->name != "questionnaire" && root->name != "qitem"))
      continue;
    for (const auto argument : call.arguments) {
      bool plain = true; // an argument with a variable may look at answers, too
      visit(argument, [&](const ast_node& n) { plain = plain && n.kind != ast_kind::variable; });
      if (plain)
        visit(argument, [&](const ast_node& n) { of_form[static_cast<std::size_t>(&n - nodes.data())] = true; });
    }
  }
  for (const auto& n : nodes) {
    if (of_form[static_cast<std::size_t>(&n - nodes.data())] || n.kind != ast_kind::binary ||
        (n.op != operation::equal && n.op != operation::equivalent && n.op != operation::in && n.op != operation::contains))
      continue;
    const auto right = n.arguments.front();
    if (names_link_id(n.left))
      visit(right, take);
    if (names_link_id(right))
      visit(n.left, take);
  }
  return found;
}

tl::expected<expression, problem> compile(std::string_view text) {
  if (text.size() > expression_bytes_max)
    return tl::unexpected{problem{1, 1,
                                  "the expression has " + std::to_string(text.size()) + " bytes; at most " +
                                      std::to_string(expression_bytes_max) + " are allowed; divide it into variables"}};
  if (const auto begin = first_bad_line(text))
    return tl::unexpected{make_problem(text.substr(0, *begin), {*begin, "this line is not UTF-8"})};
  try {
    return expression{std::make_shared<const syntax_tree>(parse(text))};
  } catch (failure& f) {
    return tl::unexpected{make_problem(text, std::move(f))};
  }
}

tl::expected<collection, problem> evaluate(const expression& e, const environment& world) {
  try {
    evaluation run{*e.tree_, world};
    const auto& context = world.context.empty() ? world.resource : world.context;
    return run.run(e.tree_->root, {context, 0, nullptr});
  } catch (failure& f) {
    return tl::unexpected{make_problem(e.tree_->text, std::move(f))};
  }
}

tl::expected<std::optional<bool>, std::string> as_condition(const collection& result) {
  if (result.empty())
    return std::nullopt;
  if (result.size() > 1)
    return tl::unexpected{"a condition takes one item, here are " + std::to_string(result.size())};
  const auto v = plain(result.front());
  const auto* b = std::get_if<bool>(&v);
  return b == nullptr || *b;
}

} // namespace epione::domain::fhirpath
