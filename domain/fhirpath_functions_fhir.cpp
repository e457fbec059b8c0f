// Walking the tree (N1 section 5.8), the time, and what FHIR R4 and SDC add.
#include "domain/fhirpath_functions.hpp"
#include "domain/narrative.hpp"

#include <algorithm>
#include <array>

namespace epione::domain::fhirpath {

namespace {

using enum argument_scope;

void append_children(evaluation& run, const value& of, collection& to) {
  const auto* n = std::get_if<node>(&of);
  if (n == nullptr)
    return;
  std::vector<std::pair<std::string_view, node>> found;
  n->reader->all_children(*n, found);
  run.spend(1 + found.size());
  run.check_size(to.size() + found.size());
  for (const auto& [name, child] : found)
    to.emplace_back(child);
}

collection children(const call& c) {
  collection all;
  for (const auto& item : c.input)
    append_children(c.run, item, all);
  return all;
}

collection descendants(const call& c) {
  auto all = children(c);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto item = all[i]; // appending moves them
    append_children(c.run, item, all);
  }
  return all;
}

collection now(const call& c) {
  return one(now_of(c.run.world().clock));
}
collection today(const call& c) {
  return one(today_of(c.run.world().clock));
}
collection time_of_day(const call& c) {
  return one(time_of_day_of(c.run.world().clock));
}

/// Extensions of a node with this url.
collection extensions(const call& c, const value& of, std::string_view url) {
  collection all, kept;
  if (const auto* n = std::get_if<node>(&of))
    n->reader->children(*n, "extension", all);
  c.run.spend(1 + all.size());
  for (auto& e : all) {
    collection urls;
    if (const auto* n = std::get_if<node>(&e))
      n->reader->children(*n, "url", urls);
    const auto own = urls.size() == 1 ? plain(urls.front()) : value{false};
    const auto* text = std::get_if<std::string>(&own);
    if (text != nullptr && *text == url)
      kept.push_back(std::move(e));
  }
  return kept;
}

collection extension(const call& c) {
  const auto url = c.text(0);
  collection all;
  if (url)
    for (const auto& item : c.input)
      c.run.append(all, extensions(c, item, *url));
  return all;
}

/// The value of a single primitive. What is no node is its own value.
std::optional<value> own_value(const call& c) {
  if (c.input.size() != 1)
    return std::nullopt;
  const auto* n = std::get_if<node>(&c.input.front());
  return n != nullptr ? n->reader->value_of(*n) : std::optional{c.input.front()};
}

collection has_value(const call& c) {
  return one(own_value(c).has_value());
}

collection get_value(const call& c) {
  return one_or_none(own_value(c));
}

/// The weight in the extension itself, if there is one.
std::optional<decimal> own_ordinal(const call& c, const value& item) {
  for (const auto* url :
       {"http://hl7.org/fhir/StructureDefinition/ordinalValue", "http://hl7.org/fhir/StructureDefinition/itemWeight"})
    for (const auto& e : extensions(c, item, url)) {
      collection values;
      const auto& n = std::get<node>(e);
      n.reader->children(n, "value", values);
      const auto v = values.size() == 1 ? plain(values.front()) : value{false};
      if (const auto* d = std::get_if<decimal>(&v))
        return *d;
      if (const auto* i = std::get_if<std::int64_t>(&v))
        return decimal{*i};
    }
  return std::nullopt;
}

collection ordinal(const call& c) {
  collection all;
  for (const auto& item : c.input) {
    auto found = own_ordinal(c, item);
    const auto* n = std::get_if<node>(&item);
    if (!found && n != nullptr && c.run.world().ordinals != nullptr)
      found = c.run.world().ordinals->ordinal_of(*n);
    if (found)
      all.emplace_back(*found);
  }
  return all;
}

/// As txt-1 and txt-2 ask.
collection html_checks(const call& c) {
  const auto text = c.text();
  if (!text)
    return {};
  c.run.spend_text(text->size());
  const auto found = check_narrative(*text);
  return one(std::none_of(found.begin(), found.end(), [](const auto& f) {
    return f.severity == issue_severity::error || std::string_view{f.code.text} == issue_code::invariant.text;
  }));
}

constexpr std::string_view tree = "The tree", time = "The time", fhir = "FHIR and SDC", unsupported = "Not supported";
constexpr std::array fhir_table{
    function{"children", 0, 0, outer, children, tree},
    function{"descendants", 0, 0, outer, descendants, tree},
    function{"now", 0, 0, outer, now, time},
    function{"today", 0, 0, outer, today, time},
    function{"timeOfDay", 0, 0, outer, time_of_day, time},
    function{"extension", 1, 1, outer, extension, fhir},
    function{"hasValue", 0, 0, outer, has_value, fhir},
    function{"getValue", 0, 0, outer, get_value, fhir},
    function{"ordinal", 0, 0, outer, ordinal, fhir},
    function{"weight", 0, 0, outer, ordinal, fhir},
    function{"htmlChecks", 0, 0, outer, html_checks, fhir},
    // They need what lies outside of the form and its answers, or are for validating profiles.
    function{"resolve", 0, 0, outer, nullptr, unsupported},
    function{"memberOf", 1, 1, outer, nullptr, unsupported},
    function{"subsumes", 1, 1, outer, nullptr, unsupported},
    function{"subsumedBy", 1, 1, outer, nullptr, unsupported},
    function{"conformsTo", 1, 1, outer, nullptr, unsupported},
    function{"elementDefinition", 0, 0, outer, nullptr, unsupported},
    function{"slice", 2, 2, outer, nullptr, unsupported},
    function{"checkModifiers", 0, 9, outer, nullptr, unsupported},
    function{"type", 0, 0, outer, nullptr, unsupported},
};

} // namespace

std::span<const function> fhir_functions() {
  return fhir_table;
}

} // namespace epione::domain::fhirpath
