#include "domain/questionnaire_compiler.hpp"

#include "domain/json_text.hpp"
#include "domain/limits.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace epione::domain {

namespace {

constexpr std::string_view extension_base = "http://hl7.org/fhir/StructureDefinition/";

/// Extensions that restrict what may be answered and that are not understood.
constexpr std::array<std::string_view, 14> rules_not_understood{
    "http://hl7.org/fhir/StructureDefinition/maxDecimalPlaces",
    "http://hl7.org/fhir/StructureDefinition/regex",
    "http://hl7.org/fhir/StructureDefinition/targetConstraint",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-unitValueSet",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-minQuantity",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-answerExpression",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-answerOptionsToggleExpression",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxOccursExpression",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-minOccursExpression",
};

void refuse_rules_not_understood(const fhir_object& x) {
  if (x.has("modifierExtension"))
    x.problem("modifierExtension", "it may change the meaning of everything here and is not understood; remove it");
  const auto* list = x.find("extension");
  if (list == nullptr || !list->is_array())
    return;
  for (const auto& e : *list) {
    if (!e.is_object() || !e.contains("url") || !e["url"].is_string())
      continue;
    const auto& url = e["url"].get_ref<const std::string&>();
    if (std::find(rules_not_understood.begin(), rules_not_understood.end(), url) != rules_not_understood.end())
      x.problem("extension", "the rule " + url + " is not supported; remove it, since answers would not be checked against it");
  }
}

/// One extension's value[x]; the last one counts if it is there several times, which is a problem.
std::optional<std::pair<std::string, const json*>> extension_value(const fhir_object& x, const char* name) {
  const auto found = x.extensions(std::string{extension_base} + name);
  if (found.empty())
    return std::nullopt;
  if (found.size() > 1)
    found.back().problem("the extension is there more than once; keep one");
  const auto value = found.back().choice_of_type("value");
  if (!value)
    found.back().problem("the extension needs one value[x]");
  return value;
}

std::optional<std::int64_t> extension_count(const fhir_object& x, const char* name) {
  const auto value = extension_value(x, name);
  if (!value)
    return std::nullopt;
  if (value->first != "Integer" || !value->second->is_number_integer() || value->second->get<double>() < 0 ||
      value->second->get<double>() > 2147483647.0) {
    x.problem("extension", std::string{name} + " needs valueInteger, a whole number from 0");
    return std::nullopt;
  }
  return value->second->get<std::int64_t>();
}

std::optional<rule_value> extension_bound(const fhir_object& x, const char* name, item_type type) {
  const auto value = extension_value(x, name);
  if (!value)
    return std::nullopt;
  if (kind_of(type) != value_kind::moment && type != item_type::integer && type != item_type::decimal) {
    x.problem("extension", std::string{name} + " is for items of type integer, decimal, date, dateTime and time");
    return std::nullopt;
  }
  return compile_value(x, type, value->first, *value->second);
}

/// What FHIR R4 says of single members: the invariants que-1, 3, 6, 8, 9, 10, 11 and 13 of Questionnaire.
void check_invariants(const fhir_object& x, const form_item& item) {
  const bool display = item.type == item_type::display;
  if (const auto* items = x.find("item"); item.type == item_type::group && (items == nullptr || items->empty()))
    x.problem("item", "a group must have items of its own (FHIR invariant que-1)");
  if (display && x.has("item"))
    x.problem("item", "a display item cannot have items of its own (FHIR invariant que-1)");
  if (display && x.has("code"))
    x.problem("code", "a display item cannot have a code (FHIR invariant que-3)");
  for (const auto* member : {"required", "repeats"})
    if (display && x.has(member))
      x.problem(member, "a display item cannot have it (FHIR invariant que-6)");
  if (!is_question(item.type) && x.has("initial"))
    x.problem("initial", "only questions can have it (FHIR invariant que-8)");
  if (display && x.has("readOnly"))
    x.problem("readOnly", "a display item cannot have it (FHIR invariant que-9)");
  if (x.has("answerOption") && x.has("initial"))
    x.problem("initial", "with answerOption use initialSelected instead (FHIR invariant que-11)");
  if (!item.repeats && x.objects("initial").size() > 1)
    x.problem("initial", "only an item that repeats can have several (FHIR invariant que-13)");
  switch (item.type) {
    case item_type::boolean:
    case item_type::decimal:
    case item_type::integer:
    case item_type::string:
    case item_type::text:
    case item_type::url:
    case item_type::open_choice: break;
    default:
      if (x.has("maxLength"))
        x.problem("maxLength", "items of type " + std::string{name(item.type)} + " cannot have it (FHIR invariant que-10)");
  }
}

void compile_limits(const fhir_object& x, form_item& item) {
  if (const auto length = x.integer("maxLength")) {
    if (*length < 1)
      x.problem("maxLength", "it must be 1 or more");
    else
      item.max_length = static_cast<std::size_t>(*length);
  }
  if (const auto length = extension_count(x, "minLength"))
    item.min_length = static_cast<std::size_t>(*length);
  if (item.min_length && item.max_length && *item.min_length > *item.max_length)
    x.problem("maxLength", "it is less than minLength, so that nothing could be answered");
  item.min_value = extension_bound(x, "minValue", item.type);
  item.max_value = extension_bound(x, "maxValue", item.type);
  if (item.min_value && item.max_value &&
      (item.min_value->number > item.max_value->number || item.min_value->moment.first > item.max_value->moment.last))
    x.problem("extension", "maxValue is less than minValue, so that nothing could be answered");
  // Of a group they count how often it is there, which answers by linkId do not say.
  if (!is_question(item.type))
    return;
  if (const auto count = extension_count(x, "questionnaire-minOccurs"))
    item.min_occurs = static_cast<std::size_t>(*count);
  if (const auto count = extension_count(x, "questionnaire-maxOccurs"))
    item.max_occurs = static_cast<std::size_t>(*count);
  if (item.min_occurs > item.max_occurs || item.max_occurs == 0)
    x.problem("extension", "maxOccurs must be 1 or more and not less than minOccurs");
}

struct pending_item {
  fhir_object source;
  std::uint32_t parent;
  std::size_t depth;
};

/// Takes the tree of items apart, front to back and parents first, without recursion.
class item_collector {
public:
  item_collector(questionnaire& form, std::vector<fhir_object>& sources, file_problems& problems)
      : form_(form), sources_(sources), problems_(problems) {}

  void collect(const fhir_object& root) {
    push(root, form_item::none, 0);
    while (!pending_.empty()) {
      auto next = std::move(pending_.back());
      pending_.pop_back();
      if (form_.items.size() >= limits::form_items_max) {
        problems_.add("item", "the form has more than " + std::to_string(limits::form_items_max) + " items; split it");
        return;
      }
      const auto index = static_cast<std::uint32_t>(form_.items.size());
      auto item = read(next);
      check_invariants(next.source, item);
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
    x.set_note(""); // the parent's
    read_link_id(x, item);
    if (!item.link_id.empty())
      x.set_note("(linkId " + quotable(item.link_id) + ")");
    x.only({"id", "extension", "modifierExtension", "linkId", "definition", "code", "prefix", "text", "type", "enableWhen",
            "enableBehavior", "required", "repeats", "readOnly", "maxLength", "answerValueSet", "answerOption", "initial",
            "item"});
    refuse_rules_not_understood(x);
    const auto type = x.string("type");
    if (!x.has("type"))
      x.problem("type is missing: every item needs one, such as \"choice\" or \"group\"");
    else if (const auto known = type ? parse_item_type(*type) : std::nullopt)
      item.type = *known;
    else if (type)
      x.problem("type", *type == "attachment"
                            ? "items of type attachment are not supported"
                            : "\"" + quotable(*type) + "\" is not an item type of FHIR R4 that can be answered or shown");
    item.required = x.boolean("required").value_or(false);
    item.repeats = x.boolean("repeats").value_or(false);
    item.many = item.repeats || (p.parent != form_item::none && form_.items[p.parent].many);
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
          (has_text ? " (the item's text: \"" + quotable(text->get_ref<const std::string&>()) + "\")" : std::string{}));
    }
    item.link_id = x.string("linkId").value_or("");
    if (item.link_id.size() > limits::link_id_bytes_max)
      x.problem("linkId", "it is longer than " + std::to_string(limits::link_id_bytes_max) + " bytes");
  }

  questionnaire& form_;
  std::vector<fhir_object>& sources_;
  file_problems& problems_;
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
      sources[order[i]].problem("linkId",
                                "\"" + quotable(id) + "\" is the linkId of an earlier item already (FHIR invariant que-2)");
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

void read_resource(const fhir_object& root, questionnaire& form) {
  root.only({"resourceType",
             "id",
             "meta",
             "implicitRules",
             "language",
             "text",
             "contained",
             "extension",
             "modifierExtension",
             "url",
             "identifier",
             "version",
             "name",
             "title",
             "derivedFrom",
             "status",
             "experimental",
             "subjectType",
             "date",
             "publisher",
             "contact",
             "description",
             "useContext",
             "jurisdiction",
             "purpose",
             "copyright",
             "approvalDate",
             "lastReviewDate",
             "effectivePeriod",
             "code",
             "item"});
  refuse_rules_not_understood(root);
  form.url = root.string("url").value_or("");
  form.version = root.string("version").value_or("");
  form.language = root.string("language").value_or("");
  form.title = root.text("title");
  const auto status = root.string("status");
  if (status != "draft" && status != "active" && status != "retired" && status != "unknown")
    root.problem("status", "it must be draft, active, retired or unknown");
  if (!root.has("item"))
    root.problem("item", "the form has no items");
}

} // namespace

std::optional<questionnaire> compile_questionnaire(std::string_view text, file_problems& problems) {
  const auto before = problems.count();
  if (text.size() > limits::form_file_bytes_max) {
    problems.add("", "the file is larger than " + std::to_string(limits::form_file_bytes_max) + " bytes");
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
  read_resource(root, form);
  item_collector{form, sources, problems}.collect(root);
  index_link_ids(form, sources);
  std::size_t options = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto& item = form.items[i];
    compile_limits(sources[i], item);
    compile_options(sources[i], root, item);
    options += item.options.size();
    if (options > limits::form_options_max) {
      root.problem("item", "the items have more than " + std::to_string(limits::form_options_max) + " options in all");
      return std::nullopt;
    }
    compile_conditions(sources[i], form, item);
  }
  if (problems.count() != before)
    return std::nullopt;
  return form;
}

} // namespace epione::domain
