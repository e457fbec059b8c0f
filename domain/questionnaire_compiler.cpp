#include "domain/questionnaire_compiler.hpp"

#include "domain/domain_resource.hpp"
#include "domain/json_text.hpp"

#include <algorithm>
#include <numeric>

namespace epione::domain {

namespace {

/// What a question, a group or the form as a whole stands for in a terminology.
void check_codes(const fhir_object& x) {
  for (const auto& code : x.objects("code"))
    code.only({"id", "extension", "system", "version", "code", "display", "userSelected"});
}

struct pending_item {
  fhir_object source;
  std::uint32_t parent;
  std::size_t depth;
};

/// Takes the tree of items apart, front to back and parents first, without recursion.
class item_collector {
public:
  item_collector(questionnaire& form, std::vector<fhir_object>& sources, std::size_t items_max)
      : form_(form), sources_(sources), items_max_(items_max) {}

  void collect(const fhir_object& root) {
    push(root, form_item::none, 0);
    while (!pending_.empty()) {
      auto next = std::move(pending_.back());
      pending_.pop_back();
      if (form_.items.size() >= items_max_)
        return root.problem("item", "the form has more than " + std::to_string(items_max_) + " items; split it");
      const auto index = static_cast<std::uint32_t>(form_.items.size());
      auto item = read(next);
      check_item_invariants(next.source, item);
      form_.items.push_back(std::move(item));
      sources_.push_back(next.source);
      push(next.source, index, next.depth + 1);
    }
  }

private:
  void push(const fhir_object& x, std::uint32_t parent, std::size_t depth) {
    auto children = x.objects("item");
    if (!children.empty() && depth >= limits::item_depth_max)
      return x.problem("item", "items lie in each other more than " + std::to_string(limits::item_depth_max) + " deep");
    for (auto child = children.rbegin(); child != children.rend(); ++child)
      pending_.push_back({std::move(*child), parent, depth});
  }

  form_item read(pending_item& p) {
    auto& x = p.source;
    form_item item;
    item.parent = p.parent;
    x.set_link_id(""); // the parent's
    read_link_id(x, item);
    if (!item.link_id.empty())
      x.set_link_id(item.link_id);
    x.only({"id", "extension", "modifierExtension", "linkId", "definition", "code", "prefix", "text", "type", "enableWhen",
            "enableBehavior", "required", "repeats", "readOnly", "maxLength", "answerValueSet", "answerOption", "initial",
            "item"});
    check_codes(x);
    const auto type = x.string("type");
    item.type = item_type::text; // what asks least, when it is not known
    if (!x.has("type"))
      x.problem("type is missing: every item needs one, such as \"choice\" or \"group\"", issue_code::required);
    else if (const auto known = type ? parse_item_type(*type) : std::nullopt)
      item.type = *known;
    else if (type)
      x.problem("type", "\"" + quotable(*type) + "\" is not an item type of FHIR R4 that can be answered or shown",
                issue_code::code_invalid);
    item.required = x.boolean("required").value_or(false);
    item.repeats = x.boolean("repeats").value_or(false);
    item.many = item.repeats || (p.parent != form_item::none && form_.items[p.parent].many);
    item.read_only = x.boolean("readOnly").value_or(false);
    if (item.required && p.parent != form_item::none)
      form_.items[p.parent].required_within = true;
    item.prefix = x.string("prefix").value_or("");
    item.text = x.text("text");
    return item;
  }

  static void read_link_id(const fhir_object& x, form_item& item) {
    if (!x.has("linkId")) {
      const auto text = x.find("text");
      const bool has_text = text != nullptr && text->is_string();
      return x.problem(
          "linkId is missing: every item needs one that no other item of the form has" +
              (has_text ? " (the item's text: \"" + quotable(text->get_ref<const std::string&>()) + "\")" : std::string{}),
          issue_code::required);
    }
    item.link_id = x.string("linkId").value_or("");
    if (item.link_id.size() > limits::link_id_bytes_max)
      x.problem("linkId", "it is longer than " + std::to_string(limits::link_id_bytes_max) + " bytes");
  }

  questionnaire& form_;
  std::vector<fhir_object>& sources_;
  std::size_t items_max_;
  std::vector<pending_item> pending_;
};

void index_link_ids(questionnaire& form, const std::vector<fhir_object>& sources) {
  auto& order = form.by_link_id;
  order.resize(form.items.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return form.items[a].link_id < form.items[b].link_id; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const auto& id = form.items[order[i]].link_id;
    if (!id.empty() && id == form.items[order[i - 1]].link_id)
      sources[order[i]].breaks("que-2", "linkId", "\"" + quotable(id) + "\" is the linkId of an earlier item already");
  }
}

bool is_questionnaire(const fhir_object& root) {
  const auto type = root.string("resourceType");
  if (type == "Questionnaire")
    return true;
  root.problem("resourceType", type ? "this is a " + quotable(*type) + "; a form must be a FHIR R4 Questionnaire"
                                    : std::string{"it must be \"Questionnaire\": a form is a FHIR R4 Questionnaire"});
  return false;
}

/// What the form is as a resource. In a study, a contained resource that nothing refers to does no harm, and rules that are not
/// known are refused as a modifierExtension is.
void check_as_resource(std::string_view text, const fhir_object& root, bool for_submissions) {
  const auto document = json_document::parse(text, limits::json_depth_max);
  if (!document)
    return; // said already
  resource_options options;
  if (for_submissions) {
    options.orphan = issue_severity::warning;
    options.implicit_rules = issue_severity::error;
  }
  std::size_t count = 0;
  for (auto& f : check_domain_resource(*document, options))
    if (++count <= limits::problems_max)
      root.problems().add(f.severity, f.code, place_of_node(*document, f.node), "", std::move(f.message));
}

/// Where each item's own items end; children come behind their parents.
void close_items(questionnaire& form) {
  for (auto i = static_cast<std::uint32_t>(form.items.size()); i-- > 0;) {
    auto& item = form.items[i];
    item.end = std::max(item.end, i + 1);
    if (item.parent != form_item::none)
      form.items[item.parent].end = std::max(form.items[item.parent].end, item.end);
  }
}

void compile_items(const fhir_object& root, const compile_context& context, const std::vector<fhir_object>& sources,
                   questionnaire& form) {
  std::size_t options = 0;
  for (std::uint32_t i = 0; i < sources.size(); ++i) {
    auto& item = form.items[i];
    compile_expressions(sources[i], context, i, form);
    compile_options_of(sources[i], context, item);
    compile_rules(sources[i], context, item);
    compile_initial(sources[i], context, item);
    if (item.min_occurs > 0 && item.parent != form_item::none)
      form.items[item.parent].counted_within = true;
    options += item.options.size();
    if (options > limits::form_options_max)
      return root.problem("item", "the items have more than " + std::to_string(limits::form_options_max) + " options in all");
    compile_conditions(sources[i], form, item);
  }
}

} // namespace

std::optional<questionnaire> compile_questionnaire(std::string_view text, file_problems& problems,
                                                   const compile_options& options) {
  const auto before = problems.count();
  if (text.size() > options.bytes_max) {
    problems.add("", "the file is larger than " + std::to_string(options.bytes_max) + " bytes");
    return std::nullopt;
  }
  const auto tree = parse_json(text, problems);
  if (!tree)
    return std::nullopt;
  if (!tree->is_object()) {
    problems.add("", "the file must hold one object in { }, a FHIR R4 Questionnaire");
    return std::nullopt;
  }
  const fhir_object root{*tree, "", problems};
  if (!is_questionnaire(root))
    return std::nullopt;
  questionnaire form;
  std::vector<fhir_object> sources;
  value_set_reader value_sets{*tree, options.given};
  const compile_context context{options, value_sets};
  read_resource(root, form);
  check_codes(root);
  check_as_resource(text, root, options.for_submissions);
  if (!root.has("item")) // FHIR has forms without items, but nothing can be submitted to one
    root.remark(options.for_submissions ? issue_severity::error : issue_severity::warning, issue_code::required, "item",
                "the form has no items");
  compile_expressions(root, context, form_item::none, form);
  item_collector{form, sources, options.items_max}.collect(root);
  close_items(form);
  index_link_ids(form, sources);
  compile_items(root, context, sources, form);
  if (!form.expressions.empty())
    plan_expressions(text, root, context, form);
  if (options.for_submissions && problems.count() != before)
    return std::nullopt;
  return form;
}

} // namespace epione::domain
