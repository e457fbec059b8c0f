#include "domain/value_set_filter.hpp"

#include "domain/blanks.hpp"
#include "domain/limits.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <re2/re2.h>

namespace epione::domain {

namespace {

constexpr std::size_t filters_max = 20; // of one rule; each looks at every concept

std::string_view filter_text(const json& x, const char* member) {
  const auto found = x.find(member);
  return found != x.end() && found->is_string() ? std::string_view{found->get_ref<const std::string&>()} : std::string_view{};
}

const json* filter_list(const json& x, const char* member) {
  const auto found = x.find(member);
  return found != x.end() && found->is_array() ? &*found : nullptr;
}

struct placed_concept {
  const json* source;
  std::size_t depth;
};

std::vector<placed_concept> placed_concepts(const json& code_system) {
  std::vector<placed_concept> all, pending;
  const auto push = [&](const json& x, std::size_t depth) {
    if (const auto* list = filter_list(x, "concept"))
      for (auto c = list->rbegin(); c != list->rend(); ++c)
        if (c->is_object())
          pending.push_back({&*c, depth});
  };
  push(code_system, 0);
  while (!pending.empty()) {
    const auto next = pending.back();
    pending.pop_back();
    all.push_back(next);
    push(*next.source, next.depth + 1);
  }
  return all;
}

/// A property's value as a filter writes it; nothing for types that have more than one way.
std::optional<std::string> property_text(const json& property) {
  for (const auto* member : {"valueCode", "valueString", "valueDateTime"})
    if (const auto text = filter_text(property, member); !text.empty())
      return std::string{text};
  if (const auto b = property.find("valueBoolean"); b != property.end() && b->is_boolean())
    return b->get<bool>() ? "true" : "false";
  if (const auto i = property.find("valueInteger"); i != property.end() && i->is_number_integer())
    return std::to_string(i->get<std::int64_t>());
  if (const auto c = property.find("valueCoding"); c != property.end() && c->is_object())
    return std::string{filter_text(*c, "code")};
  return std::nullopt;
}

class concept_filter {
public:
  concept_filter(const json& filter, const std::vector<placed_concept>& concepts)
      : property_(filter_text(filter, "property")), operation_(filter_text(filter, "op")), value_(filter_text(filter, "value")),
        concepts_(concepts) {
    by_code_ = property_ == "concept" || property_ == "code";
  }

  /// One for each concept; false when the filter cannot be judged.
  bool apply(std::vector<bool>& kept) {
    constexpr std::array<std::string_view, 4> hierarchy{"is-a", "descendent-of", "is-not-a", "generalizes"};
    if (property_.empty() || value_.empty())
      return false;
    if (std::find(hierarchy.begin(), hierarchy.end(), operation_) != hierarchy.end())
      return by_code_ && apply_hierarchy(kept);
    if (property_ == "parent" || property_ == "child")
      return false; // said by where a concept lies, not by what it has
    if (operation_ == "regex" && !compile())
      return false;
    for (std::size_t i = 0; i < concepts_.size(); ++i) {
      const auto fits = keeps(*concepts_[i].source);
      if (!fits)
        return false;
      kept[i] = kept[i] && *fits;
    }
    return true;
  }

private:
  bool apply_hierarchy(std::vector<bool>& kept) {
    const auto found =
        std::find_if(concepts_.begin(), concepts_.end(), [&](const auto& c) { return filter_text(*c.source, "code") == value_; });
    if (found == concepts_.end())
      return false;
    const auto root = static_cast<std::size_t>(found - concepts_.begin());
    auto end = root + 1;
    while (end < concepts_.size() && concepts_[end].depth > found->depth)
      ++end;
    std::vector<bool> wanted(concepts_.size(), operation_ == "is-not-a");
    if (operation_ == "generalizes") {
      auto above = found->depth + 1;
      for (auto i = root + 1; i-- > 0;)
        if (concepts_[i].depth < above) {
          wanted[i] = true;
          above = concepts_[i].depth;
        }
    } else {
      const auto first = operation_ == "descendent-of" ? root + 1 : root;
      std::fill(wanted.begin() + static_cast<std::ptrdiff_t>(first), wanted.begin() + static_cast<std::ptrdiff_t>(end),
                operation_ != "is-not-a");
    }
    for (std::size_t i = 0; i < kept.size(); ++i)
      kept[i] = kept[i] && wanted[i];
    return true;
  }

  bool compile() {
    RE2::Options options{RE2::Quiet};
    options.set_max_mem(limits::regex_memory_max);
    if (value_.size() <= limits::regex_bytes_max)
      pattern_ = std::make_unique<RE2>(re2::StringPiece{value_.data(), value_.size()}, options);
    return pattern_ && pattern_->ok();
  }

  std::optional<bool> keeps(const json& c) const {
    if (by_code_ || property_ == "display")
      return any_fits({std::string{filter_text(c, by_code_ ? "code" : "display")}});
    std::vector<std::string> values;
    if (const auto* list = filter_list(c, "property"))
      for (const auto& p : *list)
        if (p.is_object() && filter_text(p, "code") == property_) {
          auto text = property_text(p);
          if (!text)
            return std::nullopt;
          values.push_back(std::move(*text));
        }
    return any_fits(values);
  }

  std::optional<bool> any_fits(const std::vector<std::string>& values) const {
    const auto any = [&](auto fits) { return std::any_of(values.begin(), values.end(), fits); };
    if (operation_ == "=")
      return any([&](const auto& v) { return v == value_; });
    if (operation_ == "regex")
      return any([&](const auto& v) { return RE2::FullMatch(v, *pattern_); });
    if (operation_ == "in" || operation_ == "not-in")
      return any([&](const auto& v) { return is_listed(v); }) == (operation_ == "in");
    if (operation_ == "exists" && (value_ == "true" || value_ == "false"))
      return any([](const auto& v) { return !v.empty(); }) == (value_ == "true");
    return std::nullopt;
  }

  bool is_listed(std::string_view text) const {
    auto rest = value_;
    while (!rest.empty())
      if (take(rest, ',') == text)
        return true;
    return false;
  }

  std::string_view property_, operation_, value_;
  const std::vector<placed_concept>& concepts_;
  bool by_code_ = false;
  std::unique_ptr<RE2> pattern_;
};

} // namespace

std::vector<const json*> concepts_of(const json& code_system) {
  std::vector<const json*> all;
  for (const auto& c : placed_concepts(code_system))
    all.push_back(c.source);
  return all;
}

std::optional<std::vector<const json*>> filtered_concepts(const json& code_system, const json& filters, std::size_t& work) {
  const auto concepts = placed_concepts(code_system);
  const auto meaning = filter_text(code_system, "hierarchyMeaning");
  std::vector<bool> kept(concepts.size(), true);
  if (!filters.is_array() || filters.empty() || filters.size() > filters_max)
    return std::nullopt;
  work += concepts.size() * filters.size();
  for (const auto& f : filters) {
    // Only a hierarchy of kinds says what is a kind of what.
    const bool hierarchic = f.is_object() && (filter_text(f, "op").starts_with("is-") ||
                                              filter_text(f, "op") == "descendent-of" || filter_text(f, "op") == "generalizes");
    if (!f.is_object() || (hierarchic && !meaning.empty() && meaning != "is-a") || !concept_filter{f, concepts}.apply(kept))
      return std::nullopt;
  }
  std::vector<const json*> result;
  for (std::size_t i = 0; i < concepts.size(); ++i)
    if (kept[i])
      result.push_back(concepts[i].source);
  return result;
}

} // namespace epione::domain
