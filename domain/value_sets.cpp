#include "domain/value_sets.hpp"

#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/value_set_filter.hpp"

#include <algorithm>
#include <set>

namespace epione::domain {

namespace {

/// A string member, empty if there is none.
std::string_view text_of(const json& x, const char* member) {
  const auto found = x.find(member);
  return found != x.end() && found->is_string() ? std::string_view{found->get_ref<const std::string&>()} : std::string_view{};
}

/// The elements of an array member; none if it is not there.
const json& list_of(const json& x, const char* member) {
  static const json nothing = json::array();
  const auto found = x.find(member);
  return found != x.end() && found->is_array() ? *found : nothing;
}

bool is_true(const json& x, const char* member) {
  const auto found = x.find(member);
  return found != x.end() && found->is_boolean() && found->get<bool>();
}

/// The name that a code system gives one of FHIR's own properties of concepts (CodeSystem.property.uri); else the usual one.
std::string_view property_named(const json& code_system, std::string_view usual) {
  for (const auto& p : list_of(code_system, "property"))
    if (p.is_object() && text_of(p, "uri") == "http://hl7.org/fhir/concept-properties#" + std::string{usual})
      return text_of(p, "code");
  return usual;
}

bool has_true_property(const json& c, std::string_view name) {
  const auto& list = list_of(c, "property");
  return std::any_of(list.begin(), list.end(),
                     [&](const json& p) { return p.is_object() && text_of(p, "code") == name && is_true(p, "valueBoolean"); });
}

/// Everything in lists within lists of the same name, such as the concepts of a code system, front to back.
template <class Visit>
void visit_nested(const json& x, const char* member, Visit visit) {
  std::vector<const json*> pending;
  const auto push = [&](const json& list) {
    for (auto e = list.rbegin(); e != list.rend(); ++e)
      if (e->is_object())
        pending.push_back(&*e);
  };
  push(list_of(x, member));
  while (!pending.empty()) {
    const auto& next = *pending.back();
    pending.pop_back();
    visit(next);
    push(list_of(next, member));
  }
}

} // namespace

const json* find_canonical(const std::vector<const json*>& resources, std::string_view resource_type,
                           std::string_view canonical) {
  const auto bar = canonical.find('|');
  const auto url = canonical.substr(0, bar);
  const auto version = bar == std::string_view::npos ? std::string_view{} : canonical.substr(bar + 1);
  for (auto r = resources.rbegin(); r != resources.rend(); ++r)
    if (text_of(**r, "resourceType") == resource_type && text_of(**r, "url") == url &&
        (version.empty() || text_of(**r, "version") == version))
      return *r;
  return nullptr;
}

// ---- what is given ----------------------------------------------------------------------------------------------------

void terminology::add(std::string_view text, file_problems& problems) {
  auto tree = parse_json(text, problems);
  if (!tree)
    return;
  if (!tree->is_object())
    return problems.add("", "the file must hold one object in { }, a FHIR R4 ValueSet, CodeSystem or Bundle");
  files_.push_back(std::move(*tree));
  const auto& root = files_.back();
  if (text_of(root, "resourceType") != "Bundle")
    return add_resource(root, "", problems);
  for (const auto& entry : list_of(root, "entry"))
    if (entry.is_object() && entry.contains("resource") && entry["resource"].is_object()) {
      const auto type = text_of(entry["resource"], "resourceType");
      if (type == "ValueSet" || type == "CodeSystem")
        add_resource(entry["resource"], "entry", problems);
    }
}

void terminology::add_resource(const json& resource, const std::string& place, file_problems& problems) {
  const auto type = text_of(resource, "resourceType");
  if (type != "ValueSet" && type != "CodeSystem")
    return problems.add(place, "this is no ValueSet, CodeSystem or Bundle of them, so that no codes can be taken from it");
  if (text_of(resource, "url").empty())
    return problems.add(place, "the " + std::string{type} + " has no url, by which a form could name it; add one");
  resources_.push_back(&resource);
}

const json* terminology::find(std::string_view resource_type, std::string_view canonical) const {
  return find_canonical(resources_, resource_type, canonical);
}

// ---- expanding ----------------------------------------------------------------------------------------------------------

struct value_set_reader::expansion {
  std::set<std::pair<std::string_view, std::string_view>> codes;
  std::vector<shown_concept> concepts;
  std::set<std::string_view> open_systems;
  std::set<std::string_view> systems_without_case;
  std::set<std::pair<std::string_view, std::string_view>> inactive; // also of codes that were taken out again
  bool open = false;

  void add(const json& source, std::string_view system) {
    const auto code = text_of(source, "code");
    if (!code.empty() && codes.emplace(system, code).second)
      concepts.push_back({&source, system});
  }
  void take_remarks(const expansion& other) {
    systems_without_case.insert(other.systems_without_case.begin(), other.systems_without_case.end());
    inactive.insert(other.inactive.begin(), other.inactive.end());
  }
  bool complete() const { return !open && open_systems.empty(); }
  /// Keeps what is in `other`, too. Where one of the two is not known to its end, neither is what they share.
  void intersect(const expansion& other) {
    open = !complete() || !other.complete();
    open_systems.clear();
    std::erase_if(codes, [&](const auto& c) { return other.codes.count(c) == 0; });
    std::erase_if(concepts, [&](const auto& c) { return other.codes.count({c.system, text_of(*c.source, "code")}) == 0; });
    take_remarks(other);
  }
  void join(const expansion& other) {
    for (const auto& c : other.concepts)
      add(*c.source, c.system);
    open_systems.insert(other.open_systems.begin(), other.open_systems.end());
    open = open || other.open;
    take_remarks(other);
  }
};

value_set_reader::value_set_reader(const json& root, const terminology* given) : given_(given) {
  for (const auto& r : list_of(root, "contained"))
    if (r.is_object())
      contained_.push_back(&r);
}

value_set_reader::~value_set_reader() = default;

const json* value_set_reader::contained(std::string_view id) const {
  const auto found = std::find_if(contained_.begin(), contained_.end(), [&](const auto* r) { return text_of(*r, "id") == id; });
  return found == contained_.end() ? nullptr : *found;
}

const json* value_set_reader::resolve(std::string_view type, std::string_view canonical) const {
  if (canonical.starts_with('#')) {
    const auto* r = contained(canonical.substr(1));
    return r != nullptr && text_of(*r, "resourceType") == type ? r : nullptr;
  }
  if (const auto* r = find_canonical(contained_, type, canonical))
    return r;
  return given_ == nullptr ? nullptr : given_->find(type, canonical);
}

const value_set_reader::content& value_set_reader::find(const std::string& url) {
  const auto [entry, is_new] = known_.try_emplace(url);
  auto& result = entry->second;
  if (!is_new)
    return result;
  auto codes = std::make_shared<code_set>();
  codes->url = url;
  result.contained = url.starts_with('#');
  if (const auto* set = resolve("ValueSet", url)) {
    const auto& all = expanded(*set, 0);
    codes->found = true;
    codes->open = all.open;
    codes->codes.assign(all.codes.begin(), all.codes.end());
    codes->open_systems.assign(all.open_systems.begin(), all.open_systems.end());
    codes->inactive.assign(all.inactive.begin(), all.inactive.end());
    for (std::size_t i = 0; i < codes->codes.size() && !all.systems_without_case.empty(); ++i)
      if (const auto& [system, code] = codes->codes[i]; all.systems_without_case.count(system) != 0)
        codes->without_case.push_back({{system, small_letters(code)}, i});
    std::sort(codes->without_case.begin(), codes->without_case.end());
    result.concepts = all.concepts;
  } else if (result.contained) {
    result.wrong_type = contained(std::string_view{url}.substr(1)) != nullptr;
  }
  result.codes = std::move(codes);
  return result;
}

/// A set that is asked for while it is being expanded includes itself; what it then has is not known.
const value_set_reader::expansion& value_set_reader::expanded(const json& set, unsigned depth) {
  static const expansion unknown = [] {
    expansion e;
    e.open = true;
    return e;
  }();
  const auto [entry, is_new] = expanded_.try_emplace(&set);
  if (!is_new)
    return entry->second ? *entry->second : unknown;
  if (depth > limits::value_set_depth_max || work_ > limits::value_set_work_max) {
    expanded_.erase(entry);
    return unknown;
  }
  auto own = std::make_unique<expansion>();
  expand(set, depth, *own);
  work_ += own->codes.size();
  auto& kept = expanded_[&set];
  kept = std::move(own);
  return *kept;
}

void value_set_reader::expand(const json& set, unsigned depth, expansion& out) {
  const auto expanded = set.find("expansion");
  if (expanded != set.end() && expanded->is_object() && !list_of(*expanded, "contains").empty()) {
    std::size_t count = 0;
    visit_nested(*expanded, "contains", [&](const json& c) {
      ++count;
      if (!is_true(c, "abstract"))
        out.add(c, text_of(c, "system"));
      if (is_true(c, "inactive"))
        out.inactive.emplace(text_of(c, "system"), text_of(c, "code"));
    });
    const auto total = expanded->find("total");
    if (total != expanded->end() && total->is_number_integer() && total->get<double>() > static_cast<double>(count))
      out.open = true; // one page of it
    return;
  }
  const auto compose = set.find("compose");
  if (compose == set.end() || !compose->is_object() || list_of(*compose, "include").empty()) {
    out.open = true;
    return;
  }
  for (const auto& rule : list_of(*compose, "include"))
    if (rule.is_object())
      include(rule, depth, true, out);
  for (const auto& rule : list_of(*compose, "exclude"))
    if (rule.is_object())
      exclude(rule, depth, out);
  const auto with_inactive = compose->find("inactive");
  if (with_inactive == compose->end() || !with_inactive->is_boolean() || with_inactive->get<bool>())
    return;
  std::erase_if(out.codes, [&](const auto& c) { return out.inactive.count(c) != 0; });
  std::erase_if(out.concepts, [&](const auto& c) { return out.inactive.count({c.system, text_of(*c.source, "code")}) != 0; });
}

void value_set_reader::include(const json& rule, unsigned depth, bool selection, expansion& out) {
  expansion own;
  const auto system = text_of(rule, "system");
  bool begun = false;
  if (!system.empty() || !list_of(rule, "concept").empty()) {
    include_system(rule, system, selection, own);
    begun = true;
  }
  for (const auto& url : list_of(rule, "valueSet")) {
    const auto* set = url.is_string() ? resolve("ValueSet", url.get_ref<const std::string&>()) : nullptr;
    if (set == nullptr || work_ > limits::value_set_work_max) {
      out.open = true; // one that is not there
      return;
    }
    const auto& other = expanded(*set, depth + 1);
    work_ += other.codes.size() + own.codes.size();
    if (begun)
      own.intersect(other);
    else
      own = other;
    begun = true;
  }
  if (begun)
    out.join(own);
  else
    out.open = true;
}

void value_set_reader::include_system(const json& rule, std::string_view system, bool selection, expansion& out) {
  const auto& concepts = list_of(rule, "concept");
  for (const auto& c : concepts)
    if (c.is_object())
      out.add(c, system);
  const auto version = text_of(rule, "version");
  const auto canonical = std::string{system} + (version.empty() ? "" : "|" + std::string{version});
  const auto* codes = system.empty() ? nullptr : resolve("CodeSystem", canonical);
  if (codes != nullptr && codes->contains("caseSensitive") && (*codes)["caseSensitive"] == false)
    out.systems_without_case.insert(system);
  if (!concepts.empty())
    return;
  const bool known = codes != nullptr && text_of(*codes, "content") == "complete" && work_ <= limits::value_set_work_max;
  auto kept = std::optional<std::vector<const json*>>{};
  if (known)
    kept = rule.contains("filter") ? filtered_concepts(*codes, rule["filter"], work_) : concepts_of(*codes);
  if (!kept) {
    out.open_systems.insert(system);
    return;
  }
  work_ += kept->size();
  const auto not_selectable = property_named(*codes, "notSelectable"), inactive = property_named(*codes, "inactive");
  for (const auto* c : *kept) {
    if (!selection || !has_true_property(*c, not_selectable))
      out.add(*c, system);
    if (has_true_property(*c, inactive))
      out.inactive.emplace(system, text_of(*c, "code"));
  }
}

/// Takes out what the rule would include. Where that is not known to its end, neither is what is left.
void value_set_reader::exclude(const json& rule, unsigned depth, expansion& out) {
  const auto system = text_of(rule, "system");
  const bool whole_system =
      !system.empty() && list_of(rule, "concept").empty() && list_of(rule, "valueSet").empty() && !rule.contains("filter");
  if (whole_system) { // also when nobody knows its codes
    std::erase_if(out.codes, [&](const auto& c) { return c.first == system; });
    std::erase_if(out.concepts, [&](const auto& c) { return c.system == system; });
    out.open_systems.erase(system);
    return;
  }
  expansion taken;
  include(rule, depth, false, taken);
  if (!taken.complete()) {
    out = {};
    out.open = true;
    return;
  }
  std::erase_if(out.codes, [&](const auto& c) { return taken.codes.count(c) != 0; });
  std::erase_if(out.concepts, [&](const auto& c) { return taken.codes.count({c.system, text_of(*c.source, "code")}) != 0; });
}

} // namespace epione::domain
