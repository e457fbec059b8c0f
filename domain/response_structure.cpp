// Reading the tree of a response: which of the form's items each of its items is, and whether it stands where the form has it.
#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/response_validation.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

/// The same but for how they are spaced and broken into lines.
bool same_but_for_blanks(std::string_view a, std::string_view b) {
  const auto skip = [](std::string_view& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    const bool blanks = first != 0;
    text.remove_prefix(std::min(first, text.size()));
    return blanks;
  };
  skip(a), skip(b);
  while (!a.empty() && !b.empty()) {
    if (a.front() != b.front())
      return false;
    a.remove_prefix(1), b.remove_prefix(1);
    if (const bool gap_a = skip(a), gap_b = skip(b); gap_a != gap_b)
      return false;
  }
  return a.empty() && b.empty();
}

} // namespace

void response_validation::read_items() {
  occurrences_.resize(form_->items.size());
  items_.reserve(16);
  const auto root = open_scope(none, none, 0);
  if (const auto items = json_.find(0, "item"); items != 0)
    open_items(root, items);
  while (!open_.empty() && !too_many_) {
    auto& list = open_.back();
    if (list.next == list.end) {
      scopes_[list.scope].end = static_cast<std::uint32_t>(items_.size());
      open_.pop_back();
      continue;
    }
    if (scopes_[list.scope].first == none)
      scopes_[list.scope].first = static_cast<std::uint32_t>(items_.size());
    read_item(list);
  }
  for (auto& s : scopes_)
    if (s.first == none || s.end < s.first)
      s.first = s.end = 0; // nothing in it, or given up
  for (auto i = static_cast<std::uint32_t>(items_.size()); i-- > 0;) {
    auto& it = items_[i];
    it.end = std::max(it.end, i + 1);
    if (const auto owner = scopes_[it.scope].owner; owner != none)
      items_[owner].end = std::max(items_[owner].end, it.end);
  }
}

std::uint32_t response_validation::open_scope(std::uint32_t form_parent, std::uint32_t owner, std::uint32_t node) {
  scopes_.push_back({form_parent, owner, node, none, 0});
  return static_cast<std::uint32_t>(scopes_.size() - 1);
}

bool response_validation::is_filled_array(std::uint32_t node, std::uint32_t form, const char* name) {
  if (json_[node].kind == json_kind::array && json_[node].count > 0)
    return true;
  error(issue_code::structure, node, form,
        std::string{name} +
            (json_[node].kind == json_kind::array ? " is an empty list; leave it out" : " must be a list in [ ]"));
  return false;
}

void response_validation::open_items(std::uint32_t scope, std::uint32_t array) {
  if (!is_filled_array(array, scopes_[scope].form_parent, "item"))
    return;
  open_.push_back({scope, array + 1, json_[array].end, none});
}

response_validation::item_members response_validation::members_of(std::uint32_t node) const {
  item_members m;
  for (auto n = node + 1; n < json_[node].end; n = json_[n].end) {
    const auto name = json_[n].name;
    if (name == "linkId")
      m.link_id = n;
    else if (name == "answer")
      m.answer = n;
    else if (name == "item")
      m.item = n;
    else
      m.others = true;
  }
  return m;
}

void response_validation::check_other_members(std::uint32_t node, std::uint32_t form) {
  for (auto n = node + 1; n < json_[node].end; n = json_[n].end) {
    const auto name = json_[n].name;
    if (name == "text" || name == "definition") {
      if (is_string(n, form, "a string") && name == "text" && form != none)
        warn_of_text(n, form);
    } else if (name == "modifierExtension")
      add(issue_severity::warning, issue_code::not_supported, n, form,
          "it may change the meaning of the item and is not understood");
    else if (name == "extension")
      check_extensions(n, form);
    else if (name != "linkId" && name != "answer" && name != "item" && name != "id" && name != "_text" && name != "_linkId" &&
             name != "_definition")
      error(issue_code::structure, n, form, "FHIR R4 knows no such member here; correct its name or remove it");
  }
}

/// What was asked in other words may have been another question to whoever answered it.
void response_validation::warn_of_text(std::uint32_t node, std::uint32_t form) {
  const auto& own = item(form).text;
  const auto shown = json_[node].text;
  if (!own.text.empty() && !same_but_for_blanks(own.text, shown) &&
      std::none_of(own.translations.begin(), own.translations.end(),
                   [&](const auto& t) { return same_but_for_blanks(t.second, shown); }))
    add(issue_severity::warning, issue_code::invalid, node, form, "the text is not the one that the form has for this item");
}

void response_validation::read_item(open_list& list) {
  const auto node = list.next;
  list.next = json_[node].end;
  if (json_[node].kind != json_kind::object)
    return error(issue_code::structure, node, none, "an item must be an object in { }");
  const auto members = members_of(node);
  if (members.link_id == 0)
    return error(issue_code::required, node, none, "linkId is missing: it says which of the form's items this is");
  if (!is_string(members.link_id, none, "the linkId of one of the form's items"))
    return;
  const auto link_id = json_[members.link_id].text;
  const auto form = find_form_item(list, link_id);
  if (members.others)
    check_other_members(node, form);
  if (form == none) {
    error(issue_code::not_found, node, none, "the form has no item with the linkId \"" + quotable(link_id) + "\"");
    if (!issues_.empty() && issues_.back().node == node)
      issues_.back().issue.link_id = quotable(link_id);
    return;
  }
  if (members.answer != 0 && members.item != 0)
    error(issue_code::invariant, node, form, "items cannot lie both in the item and in its answer (FHIR invariant qrs-1)");
  if (!is_in_place(list, node, form))
    return;
  const auto index = static_cast<std::uint32_t>(items_.size());
  items_.push_back({form, node, list.scope});
  if (item(form).rules && item(form).rules->signature_required)
    check_signature(node, form);
  if (is_question(item(form).type))
    read_question(index, members);
  else
    read_group(index, members);
}

/// The next ones in the form's order are tried first: a response in order needs no search.
std::uint32_t response_validation::find_form_item(const open_list& list, std::string_view link_id) const {
  const auto parent = scopes_[list.scope].form_parent;
  const auto end = parent == none ? static_cast<std::uint32_t>(form_->items.size()) : item(parent).end;
  auto next = list.last_form != none ? list.last_form : parent == none ? 0 : parent + 1;
  for (int tries = 0; tries < 4 && next < end; ++tries, next = item(next).end)
    if (item(next).link_id == link_id)
      return next;
  return form_->find(link_id);
}

/// Whether the item may be read here. One that is only out of order may: its place in the tree is right.
bool response_validation::is_in_place(open_list& list, std::uint32_t node, std::uint32_t form) {
  const auto parent = scopes_[list.scope].form_parent;
  if (item(form).parent != parent) {
    const auto where = item(form).parent == none
                           ? std::string{"it is not in another item there"}
                           : "it lies in the item \"" + quotable(item(item(form).parent).link_id) + "\" there";
    error(issue_code::structure, node, form, "the item stands in another place than in the form: " + where);
    return false;
  }
  if (list.last_form != none && form < list.last_form)
    error(issue_code::structure, node, form,
          "the item is out of order: in the form it comes before \"" + quotable(item(list.last_form).link_id) + "\"");
  else
    list.last_form = form;
  auto& seen = occurrences_[form];
  if (seen.scope != list.scope)
    seen = {list.scope, 0};
  ++seen.count;
  if (seen.count == 2 && !item(form).repeats)
    add(if_too_many(), issue_code::invalid, node, form, "the item is there already; in the form it does not repeat");
  else if (seen.count == 2 && is_question(item(form).type))
    error(issue_code::structure, node, form,
          "the question is there already; all answers to a question that repeats are in one item's answer list");
  if (seen.count > 1 && seen.count == item(form).max_occurs + 1 && item(form).type == item_type::group && item(form).repeats)
    add(if_too_many(), issue_code::invalid, node, form,
        "the group may be there " + std::to_string(item(form).max_occurs) + " times at most");
  return true;
}

/// A group, or a display. Items that were put into an answer of a group are read as if they were where they should be.
void response_validation::read_group(std::uint32_t index, const item_members& members) {
  const auto form = items_[index].form;
  const bool display = item(form).type == item_type::display;
  if (members.answer != 0)
    error(issue_code::structure, members.answer, form,
          display ? "the item is only shown, so that it cannot have an answer"
                  : "a group cannot have an answer; its items lie in its member item");
  if (display) {
    if (members.item != 0)
      error(issue_code::structure, members.item, form, "the item is only shown, so that nothing can lie in it");
    return;
  }
  const auto scope = open_scope(form, index, items_[index].node);
  if (members.item != 0)
    return open_items(scope, members.item);
  if (members.answer != 0 && json_[members.answer].kind == json_kind::array)
    for (auto a = members.answer + 1; a < json_[members.answer].end; a = json_[a].end)
      if (const auto items = json_.find(a, "item"); items != 0)
        return open_items(scope, items);
}

void response_validation::read_question(std::uint32_t index, const item_members& members) {
  const auto form = items_[index].form;
  if (members.item != 0)
    error(issue_code::structure, members.item, form, "items beneath a question lie in its answer: answer[0].item");
  items_[index].first_value = static_cast<std::uint32_t>(values_.size());
  if (members.answer == 0 || !is_filled_array(members.answer, form, "answer"))
    return;
  const auto first_open = open_.size();
  const bool has_items = item(form).end > form + 1;
  for (auto a = members.answer + 1; a < json_[members.answer].end; a = json_[a].end) {
    if (json_[a].kind != json_kind::object) {
      error(issue_code::structure, a, form, "an answer must be an object in { }");
      items_[index].usable = false;
      continue;
    }
    bool replaced = false;
    const auto value = value_node(a, form, replaced);
    ++items_[index].answers;
    if (value == 0 && !replaced)
      error(issue_code::required, a, form, "the answer has no value[x], such as valueString");
    if (value == 0 || !read_value(value, form))
      items_[index].usable = items_[index].usable && replaced;
    const auto items = json_.find(a, "item");
    if (items == 0 && !has_items)
      continue;
    const auto scope = open_scope(form, index, a);
    if (items != 0)
      open_items(scope, items);
  }
  items_[index].value_count = static_cast<std::uint32_t>(values_.size()) - items_[index].first_value;
  // The last list that was opened is read first; it must be that of the first answer.
  std::reverse(open_.begin() + static_cast<std::ptrdiff_t>(first_open), open_.end());
}

} // namespace epione::domain
