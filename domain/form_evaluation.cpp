#include "domain/form_evaluation.hpp"

#include "domain/calculated_value.hpp"
#include "domain/canonical.hpp"
#include "domain/limits.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

using fhirpath::fhir_type;

std::string json_quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

const form_plan no_plan;

std::string item_json(const form_item& item, const std::string& members) {
  return R"({"linkId":)" + json_quoted(item.link_id) + members + "}";
}

} // namespace

fhirpath::evaluation_clock evaluation_clock_of(std::string_view authored, std::optional<std::int64_t> now_us) {
  fhirpath::evaluation_clock clock{now_us.value_or(0), 0};
  if (const auto span = parse_fhir_date_time(authored)) {
    clock.now_us = span->first;
    if (const auto written = fhirpath::parse_date_time(authored); written && written->zone_minutes)
      clock.zone_minutes = *written->zone_minutes;
  }
  return clock;
}

std::vector<placed_item> place_items(const questionnaire& form, const json_document& response) {
  struct list {
    std::uint32_t next, end, parent;
  };
  std::vector<placed_item> items;
  std::vector<list> open;
  const auto push = [&](std::uint32_t object, std::uint32_t parent) {
    if (const auto items_node = response.find(object, "item"); items_node != 0)
      open.push_back({items_node + 1, response[items_node].end, parent});
  };
  push(0, form_item::none);
  while (!open.empty()) {
    auto& at = open.back();
    if (at.next == at.end) {
      open.pop_back();
      continue;
    }
    const auto node = at.next;
    const auto parent = at.parent;
    at.next = response[node].end;
    const auto link_id = response.find(node, "linkId");
    const auto item = link_id == 0 ? form_item::none : form.find(response[link_id].text);
    if (item == form_item::none)
      continue;
    const auto own = static_cast<std::uint32_t>(items.size());
    items.push_back({item, node, parent});
    push(node, own);
    const auto first = open.size();
    if (const auto answers = response.find(node, "answer"); answers != 0)
      for (auto a = answers + 1; a < response[answers].end; a = response[a].end)
        push(a, own);
    std::reverse(open.begin() + static_cast<std::ptrdiff_t>(first), open.end());
  }
  return items;
}

form_evaluation::form_evaluation(const questionnaire& form, const json_document& response, std::vector<placed_item> items,
                                 fhirpath::evaluation_clock clock)
    : form_(form), plan_(form.plan ? *form.plan : no_plan), response_(response), clock_(clock),
      steps_left_(limits::expression_steps_max), reader_(response, &overlay_), source_reader_(plan_.source),
      given_(static_cast<std::uint32_t>(items.size())) {
  by_form_.resize(form.items.size());
  items_.reserve(items.size());
  for (const auto& i : items) {
    by_form_[i.form].push_back(static_cast<std::uint32_t>(items_.size()));
    items_.push_back({i.form, i.parent, reader_.at(i.node, fhir_type::response_item)});
  }
}

// ---- evaluating -------------------------------------------------------------------------------------------------------

std::uint32_t form_evaluation::occurrence_of(std::uint32_t form, const place& at) const {
  if (at.form == form)
    return at.own;
  for (auto o = at.nearest; o != none; o = items_[o].parent)
    if (items_[o].form == form)
      return o;
  return none;
}

/// An item of the response; where there is none, one without an answer stands for it, so that paths find nothing.
fhirpath::node form_evaluation::node_of(std::uint32_t form, std::uint32_t own) {
  if (own != none)
    return items_[own].where;
  if (const auto known = stand_ins_.find(form); known != stand_ins_.end())
    return known->second;
  const auto& added = add_fragment(item_json(form_.items[form], ""), form);
  return stand_ins_.emplace(form, added.reader.at(0, fhir_type::response_item)).first->second;
}

form_evaluation::fragment& form_evaluation::add_fragment(const std::string& text, std::uint32_t form) {
  auto document = json_document::parse(text, limits::json_depth_max);
  return fragments_.emplace_back(document ? std::move(*document) : *json_document::parse("{}", 1), overlay_, form);
}

const form_evaluation::result& form_evaluation::variable(std::uint32_t expression, const place& at) {
  const auto item = form_.expressions[expression].item;
  const auto own = item == none ? none : occurrence_of(item, at);
  if (item != none && own == none) {
    scratch_ = evaluate(expression, {item, none, at.nearest});
    return scratch_;
  }
  const auto key = (std::uint64_t{expression} << 32) | own;
  if (const auto known = variables_.find(key); known != variables_.end())
    return known->second;
  auto value = evaluate(expression, own == none ? place{none, none, none} : place_of(own));
  return variables_.insert_or_assign(key, std::move(value)).first->second;
}

form_evaluation::result form_evaluation::evaluate(std::uint32_t expression, const place& at) {
  return run(*form_.expressions[expression].compiled, expression, at);
}

form_evaluation::result form_evaluation::run(const fhirpath::expression& e, std::uint32_t expression, const place& at) {
  fhirpath::environment world;
  world.resource = {reader_.root()};
  if (at.form != none)
    world.context = {node_of(at.form, at.own)};
  for (const auto& use : plan_.uses[expression]) {
    if (use.expression == form_plan::the_questionnaire) {
      world.variables.emplace_back(use.name, fhirpath::collection{source_reader_.root()});
    } else if (use.expression == form_plan::the_item) {
      const auto node = plan_.source_nodes[form_.expressions[expression].item];
      world.variables.emplace_back(use.name, fhirpath::collection{source_reader_.at(node, fhir_type::questionnaire_item)});
    } else {
      const auto& value = variable(use.expression, at);
      if (!value) {
        auto why = value.error();
        why.message = "the variable %" + use.name + ", " + why.text();
        return tl::unexpected(std::move(why));
      }
      steps_left_ -= std::min<std::uint64_t>(steps_left_, value->size()); // they are copied
      world.variables.emplace_back(use.name, *value);
    }
  }
  world.ordinals = this;
  world.clock = clock_;
  world.steps_left = &steps_left_;
  return fhirpath::evaluate(e, world);
}

fhirpath::collection form_evaluation::score(const fhirpath::expression& e,
                                            std::vector<std::pair<std::string, fhirpath::collection>> variables) {
  fhirpath::environment world;
  world.resource = {reader_.root()};
  world.variables = std::move(variables);
  world.ordinals = this;
  world.clock = clock_;
  world.steps_left = &steps_left_;
  return fhirpath::evaluate(e, world).value_or(fhirpath::collection{});
}

tl::expected<fhirpath::collection, fhirpath::problem> form_evaluation::initial(std::uint32_t expression) {
  return evaluate(expression, {form_.expressions[expression].item, none, none});
}

form_evaluation::decision form_evaluation::asks(std::uint32_t form, std::uint32_t own, std::uint32_t parent) {
  const auto expression = plan_.enable_when[form];
  if (expression == none)
    return decision::unknown;
  const auto value = evaluate(expression, {form, own, parent});
  std::string why;
  if (!value) {
    why = value.error().text();
  } else if (const auto condition = fhirpath::as_condition(*value)) {
    return *condition == true ? decision::yes : decision::no; // nothing says no
  } else {
    why = condition.error();
  }
  if (troubles_.size() < limits::problems_max)
    troubles_.push_back({issue_severity::error, issue_code::not_supported, "expression", form,
                         node_index(own != none ? own : parent),
                         "enableWhenExpression: whether the item is asked cannot be said: " + why});
  return decision::unknown;
}

form_evaluation::decision form_evaluation::asks_anywhere(std::uint32_t form) {
  bool unknown = false;
  const auto look = [&](std::uint32_t own, std::uint32_t parent) {
    const auto said = asks(form, own, parent);
    unknown = unknown || said == decision::unknown;
    return said == decision::yes;
  };
  bool yes = false;
  if (by_form_[form].empty()) {
    for (const auto& in : containers_of(form))
      yes = yes || look(none, in.nearest);
  } else {
    for (const auto own : by_form_[form])
      yes = yes || look(own, items_[own].parent);
  }
  return yes ? decision::yes : unknown ? decision::unknown : decision::no;
}

// ---- what is calculated -------------------------------------------------------------------------------------------------

void form_evaluation::calculate() {
  for (const auto expression : plan_.calculations) {
    const auto form = form_.expressions[expression].item;
    const auto there = by_form_[form]; // a copy: it grows
    calculate_absent(expression);
    for (const auto own : there)
      calculate_at(expression, own);
  }
}

/// What an expression gives as answers; a problem when it does not fit its item.
tl::expected<std::string, fhirpath::problem> form_evaluation::answers_json(std::uint32_t form,
                                                                           const fhirpath::collection& values) const {
  const auto& item = form_.items[form];
  if (values.size() > 1 && !item.repeats)
    return tl::unexpected(fhirpath::problem{1, 1, "it gives several values, and its item takes one"});
  std::string json;
  for (const auto& v : values) {
    const auto answer = fhir_answer(item, v);
    if (!answer)
      return tl::unexpected(
          fhirpath::problem{1, 1, "what it gives is no answer to an item of type " + std::string{name(item.type)}});
    json += (json.empty() ? "{" : ",{") + *answer + "}";
  }
  return R"("answer":[)" + json + "]";
}

void form_evaluation::calculate_at(std::uint32_t expression, std::uint32_t own) {
  const auto form = items_[own].form;
  auto values = evaluate(expression, place_of(own));
  const bool sent = !answers_of(own).empty();
  auto answers = values ? answers_json(form, *values) : tl::unexpected(values.error());
  if (!answers)
    values = tl::unexpected(answers.error());
  calculations_.push_back({expression, own, sent, values});
  if (!values || values->empty() || sent)
    return;
  const auto& added = add_fragment("{" + *answers + "}", form);
  const auto list = added.document.find(0, "answer");
  for (auto n = list + 1; n < added.document[list].end; n = added.document[n].end)
    overlay_.add(items_[own].where, "answer", added.reader.at(n, fhir_type::response_answer));
  variables_.clear(); // they may look at it
  added_.push_back({form, std::move(*values)});
}

/// Where the item could stand and does not, it is calculated and laid over the response.
void form_evaluation::calculate_absent(std::uint32_t expression) {
  const auto form = form_.expressions[expression].item;
  for (const auto& in : containers_of(form)) {
    if (in.missing == none && holds_item(form, in.object))
      continue;
    auto values = evaluate(expression, {form, none, in.nearest});
    auto answers = values ? answers_json(form, *values) : tl::unexpected(values.error());
    if (!answers) {
      calculations_.push_back({expression, none, false, tl::unexpected(answers.error())});
      continue;
    }
    if (values->empty())
      continue;
    auto parent = in.nearest;
    auto object = in.object;
    std::vector<std::uint32_t> groups; // from the outside
    if (in.missing != none)
      for (auto g = form_.items[form].parent;; g = form_.items[g].parent) {
        groups.insert(groups.begin(), g);
        if (g == in.missing)
          break;
      }
    for (const auto g : groups) {
      parent = add_item(g, parent, object, "");
      object = items_[parent].where;
    }
    add_item(form, parent, object, "," + *answers);
    added_.push_back({form, std::move(*values)});
  }
}

std::uint32_t form_evaluation::add_item(std::uint32_t form, std::uint32_t parent, const fhirpath::node& object,
                                        const std::string& members) {
  const auto& added = add_fragment(item_json(form_.items[form], members), form);
  const auto where = added.reader.at(0, fhir_type::response_item);
  overlay_.add(object, "item", where);
  variables_.clear(); // they may look at it
  const auto index = static_cast<std::uint32_t>(items_.size());
  items_.push_back({form, parent, where});
  by_form_[form].push_back(index);
  return index;
}

/// Groups that are not there are made when something in them is calculated; answers are not.
std::vector<form_evaluation::container> form_evaluation::containers_of(std::uint32_t form) {
  std::vector<container> all;
  const auto parent = form_.items[form].parent;
  if (parent == none)
    return {{none, reader_.root(), none}};
  if (is_question(form_.items[parent].type)) {
    for (const auto o : by_form_[parent])
      for (const auto& answer : answers_of(o))
        all.push_back({o, answer, none});
    return all;
  }
  for (const auto o : by_form_[parent])
    all.push_back({o, items_[o].where, none});
  if (!all.empty())
    return all;
  all = containers_of(parent);
  for (auto& c : all)
    if (c.missing == none)
      c.missing = parent;
  return all;
}

std::vector<fhirpath::node> form_evaluation::answers_of(std::uint32_t own) const {
  fhirpath::collection found;
  const auto& where = items_[own].where;
  where.reader->children(where, "answer", found);
  std::vector<fhirpath::node> nodes;
  for (const auto& v : found)
    nodes.push_back(std::get<fhirpath::node>(v));
  return nodes;
}

/// Whether one of the response's own items of this kind lies in the object; they are in its order.
bool form_evaluation::holds_item(std::uint32_t form, const fhirpath::node& object) const {
  if (object.reader != &reader_)
    return false; // what is laid over has an item only when it is calculated itself
  const auto index = reader_.index_of(object);
  const auto& all = by_form_[form];
  const auto own = std::partition_point(all.begin(), all.end(), [&](auto o) { return o < given_ && node_index(o) < index; });
  return own != all.end() && *own < given_ && node_index(*own) < response_[index].end;
}

std::uint32_t form_evaluation::node_index(std::uint32_t own) const {
  for (; own != none; own = items_[own].parent)
    if (items_[own].where.reader == &reader_)
      return reader_.index_of(items_[own].where);
  return 0;
}

// ---- what is found ------------------------------------------------------------------------------------------------------

std::vector<expression_finding> form_evaluation::check(const std::function<bool(std::uint32_t, std::uint32_t)>& asked) {
  auto findings = std::move(troubles_);
  for (const auto& c : calculations_)
    if (c.own == none || asked(c.own, items_[c.own].form))
      compare(c, findings);
  for (const auto expression : plan_.constraints) {
    const auto form = form_.expressions[expression].item;
    if (form == none) {
      check_constraint(expression, {none, none, none}, findings);
      continue;
    }
    for (const auto own : by_form_[form])
      if (own < given_ && findings.size() < limits::problems_max && asked(own, form))
        check_constraint(expression, place_of(own), findings);
  }
  return findings;
}

void form_evaluation::compare(const calculation& c, std::vector<expression_finding>& findings) {
  const auto form = form_.expressions[c.expression].item;
  expression_finding finding;
  finding.form = form;
  finding.node = node_index(c.own);
  if (!c.values) {
    finding.severity = c.sent ? issue_severity::error : issue_severity::warning;
    finding.code = issue_code::not_supported;
    finding.rule = "expression";
    finding.message = "calculatedExpression: the answer cannot be calculated: " + c.values.error().text();
    findings.push_back(std::move(finding));
    return;
  }
  if (!c.sent)
    return;
  const auto answers = answers_of(c.own);
  bool same = answers.size() == c.values->size();
  for (std::size_t i = 0; same && i < answers.size(); ++i) {
    fhirpath::collection sent;
    answers[i].reader->children(answers[i], "value", sent);
    same = sent.size() == 1 && agrees(form_.items[form], (*c.values)[i], sent.front());
  }
  if (same)
    return;
  finding.rule = "calculated";
  finding.message = "the answer differs from what the form calculates for this item (calculatedExpression); send what the "
                    "expression gives, or leave it out";
  findings.push_back(std::move(finding));
}

void form_evaluation::check_constraint(std::uint32_t expression, const place& at, std::vector<expression_finding>& findings) {
  const auto& e = form_.expressions[expression];
  const auto value = evaluate(expression, at);
  const auto holds = value ? fhirpath::as_condition(*value) : tl::unexpected(value.error().text());
  if (holds && *holds != false)
    return; // true, or nothing: what is not answered breaks no rule
  expression_finding finding;
  finding.severity = e.only_warning ? issue_severity::warning : issue_severity::error;
  finding.form = at.form;
  finding.node = node_index(at.own);
  const auto key = e.name.empty() ? std::string{} : " (constraint " + e.name + ")";
  if (holds) {
    finding.message = (e.human.empty() ? "the answers do not keep a rule of the form" : e.human) + key;
  } else {
    finding.code = issue_code::not_supported;
    finding.rule = "expression";
    finding.message = "constraint: whether the answers keep it cannot be said: " + holds.error() + key;
  }
  locate(expression, at, finding);
  findings.push_back(std::move(finding));
}

/// To where the constraint says that it is reported: the first of its locations that is there.
void form_evaluation::locate(std::uint32_t expression, const place& at, expression_finding& finding) {
  const auto& e = form_.expressions[expression];
  for (const auto& link_id : e.located) {
    const auto form = form_.find(link_id);
    if (form == none)
      continue;
    finding.form = form;
    if (const auto& there = by_form_[form]; !there.empty() && there.front() < given_)
      finding.node = node_index(there.front());
    return;
  }
  for (const auto& path : e.locations) {
    const auto found = run(*path, expression, at);
    const auto* n = found && !found->empty() ? std::get_if<fhirpath::node>(&found->front()) : nullptr;
    if (n == nullptr || n->reader != &reader_ || n->at == nullptr)
      continue;
    finding.node = reader_.index_of(*n);
    if (const auto item = item_around(finding.node); item != none)
      finding.form = items_[item].form;
    return;
  }
}

/// The innermost of the response's own items that a node lies in.
std::uint32_t form_evaluation::item_around(std::uint32_t node) const {
  const auto end = items_.begin() + given_;
  const auto after = std::partition_point(items_.begin(), end, [&](const auto& i) { return reader_.index_of(i.where) <= node; });
  if (after == items_.begin())
    return none;
  auto item = static_cast<std::uint32_t>(after - items_.begin()) - 1;
  while (item != none && response_[reader_.index_of(items_[item].where)].end <= node)
    item = items_[item].parent;
  return item;
}

/// What the option counts that an answer's Coding names in its own item.
std::optional<fhirpath::decimal> form_evaluation::ordinal_of(const fhirpath::node& answer) const {
  const json_document* document = nullptr;
  auto form = none;
  std::uint32_t node = 0;
  if (answer.reader == &reader_ && answer.at != nullptr) {
    document = &response_;
    node = reader_.index_of(answer);
    const auto item = item_around(node);
    form = item == none ? none : items_[item].form;
  } else {
    const auto found =
        std::find_if(fragments_.begin(), fragments_.end(), [&](const auto& f) { return answer.reader == &f.reader; });
    if (found != fragments_.end() && answer.at != nullptr) {
      document = &found->document;
      node = found->reader.index_of(answer);
      form = found->form;
    }
  }
  if (form == none)
    return std::nullopt;
  const auto text = [&](std::string_view member) {
    const auto n = document->find(node, member);
    return n == 0 ? std::string_view{} : (*document)[n].text;
  };
  const auto code = text("code"), system = text("system");
  for (const auto& o : form_.items[form].options)
    if (o.type == option_type::coding && o.ordinal && o.value.text == code && o.value.system == system)
      return fhirpath::decimal::from_double(*o.ordinal);
  return std::nullopt;
}

} // namespace epione::domain
