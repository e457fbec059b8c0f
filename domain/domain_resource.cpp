#include "domain/domain_resource.hpp"

#include "domain/date_text.hpp"
#include "domain/fhir_primitive.hpp"
#include "domain/fhir_type_names.hpp"
#include "domain/json_text.hpp"
#include "domain/narrative.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace epione::domain {

namespace {

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_letter_or_digit(char c) {
  return is_ascii_letter(c) || (c >= '0' && c <= '9');
}

/// A language tag's form (BCP 47, RFC 5646 section 2.1): subtags of up to eight letters or digits, the first one of letters.
bool is_language_tag(std::string_view text) {
  bool first = true;
  while (true) {
    const auto part = text.substr(0, text.find('-'));
    const bool letters = std::all_of(part.begin(), part.end(), first ? is_ascii_letter : is_letter_or_digit);
    if (part.empty() || part.size() > 8 || !letters)
      return false;
    const bool alone = part.size() == text.size();
    if (first && part.size() == 1 && (alone || (part != "x" && part != "i" && part != "X" && part != "I")))
      return false;
    if (alone)
      return true;
    text.remove_prefix(part.size() + 1);
    first = false;
  }
}

class resource_check {
public:
  resource_check(const json_document& json, const resource_options& options) : json_(json), options_(options) {}

  std::vector<resource_finding> run() {
    check_own(0);
    if (const auto list = json_.find(0, "contained"); list != 0)
      check_contained(list);
    return std::move(found_);
  }

private:
  void add(std::uint32_t node, issue_type code, std::string message, issue_severity severity = issue_severity::error) {
    found_.push_back({node, severity, code, std::move(message)});
  }

  /// A text member, or 0 when it is not there or none.
  std::uint32_t text_member(std::uint32_t object, std::string_view name) {
    const auto n = json_.find(object, name);
    if (n == 0 || (json_[n].kind == json_kind::string && !json_[n].text.empty()))
      return n;
    add(n, issue_code::structure, "it must be a text that is not empty");
    return 0;
  }

  bool is_object(std::uint32_t node) {
    if (json_[node].kind == json_kind::object)
      return true;
    add(node, issue_code::structure, "it must be an object in { }");
    return false;
  }

  /// Each member is one of these or, for what extends it, one of them with _ before it.
  void only_of(std::uint32_t object, std::initializer_list<std::string_view> names) {
    for (auto n = object + 1; n < json_[object].end; n = json_[n].end) {
      const auto name = json_[n].name.substr(json_[n].name.starts_with('_') ? 1 : 0);
      if (std::find(names.begin(), names.end(), name) == names.end())
        add(n, issue_code::structure, "FHIR R4 knows no such member here; correct its name or remove it");
    }
  }

  void check_own(std::uint32_t resource) {
    if (const auto n = text_member(resource, "id"); n != 0 && !is_fhir_id(json_[n].text))
      add(n, issue_code::invalid, "an id has letters, digits, - and . only, 64 at most");
    if (const auto n = json_.find(resource, "meta"); n != 0 && is_object(n))
      check_meta(n);
    if (const auto n = text_member(resource, "implicitRules"); n != 0)
      add(n, issue_code::not_supported,
          "the rules it names may change the meaning of everything here and are not known, so that it is not checked by them",
          options_.implicit_rules);
    if (const auto n = text_member(resource, "language"); n != 0 && !is_language_tag(json_[n].text))
      add(n, issue_code::code_invalid, "it must be a language as BCP 47 writes it, such as \"en\" or \"de-AT\"");
    if (const auto n = json_.find(resource, "text"); n != 0 && is_object(n))
      check_text(n);
  }

  void check_meta(std::uint32_t meta) {
    only_of(meta, {"id", "extension", "versionId", "lastUpdated", "source", "profile", "security", "tag"});
    for (const auto* name : {"profile", "security", "tag"})
      if (const auto n = json_.find(meta, name); n != 0 && json_[n].kind != json_kind::array)
        add(n, issue_code::structure, "it must be a list in [ ]");
    if (const auto n = text_member(meta, "versionId"); n != 0 && !is_fhir_id(json_[n].text))
      add(n, issue_code::invalid, "an id has letters, digits, - and . only, 64 at most");
    if (const auto n = text_member(meta, "lastUpdated"); n != 0 && !is_rfc3339(json_[n].text))
      add(n, issue_code::invalid, "it must be an instant as FHIR writes it, such as 2024-05-01T08:30:00.000Z");
  }

  void check_text(std::uint32_t text) {
    constexpr std::array<std::string_view, 4> statuses{"generated", "extensions", "additional", "empty"};
    only_of(text, {"id", "extension", "status", "div"});
    for (const auto* name : {"status", "div"})
      if (json_.find(text, name) == 0)
        add(text, issue_code::required, std::string{name} + " is missing: a narrative has its status and its div");
    if (const auto n = text_member(text, "status");
        n != 0 && std::find(statuses.begin(), statuses.end(), json_[n].text) == statuses.end())
      add(n, issue_code::code_invalid, "it must be generated, extensions, additional or empty");
    if (const auto n = text_member(text, "div"); n != 0)
      for (auto& f : check_narrative(json_[n].text))
        add(n, f.code, std::move(f.message), f.severity);
  }

  // ---- what it contains -----------------------------------------------------------------------------------------------

  void check_contained(std::uint32_t list) {
    if (json_[list].kind != json_kind::array)
      return add(list, issue_code::structure, "it must be a list in [ ]");
    for (auto n = list + 1; n < json_[list].end; n = json_[n].end)
      if (is_object(n)) {
        check_one_contained(n);
        contained_.push_back(n);
      }
    check_ids();
    find_references();
    for (std::size_t i = 0; i < contained_.size(); ++i)
      if (!referred_[i])
        add(contained_[i], issue_code::invariant,
            "nothing refers to this contained resource, nor does it refer to what it lies in (FHIR invariant dom-3)",
            options_.orphan);
  }

  void check_one_contained(std::uint32_t n) {
    if (!is_fhir_resource(text_at(n, "resourceType")))
      add(n, issue_code::structure, "resourceType must name one of the resources of FHIR R4");
    check_own(n);
    if (const auto inner = json_.find(n, "contained"); inner != 0)
      add(inner, issue_code::invariant, "what is contained must not contain resources itself (FHIR invariant dom-2)");
    const auto meta = json_.find(n, "meta");
    if (meta == 0)
      return;
    for (const auto* name : {"versionId", "lastUpdated"})
      if (const auto m = json_.find(meta, name); m != 0)
        add(m, issue_code::invariant, "what is contained has no version of its own (FHIR invariant dom-4)");
    if (const auto m = json_.find(meta, "security"); m != 0)
      add(m, issue_code::invariant, "what is contained has no security label of its own (FHIR invariant dom-5)");
  }

  /// Every contained resource has an id of its own.
  void check_ids() {
    referred_.assign(contained_.size(), false);
    for (std::size_t i = 0; i < contained_.size(); ++i) {
      if (json_.find(contained_[i], "id") == 0)
        add(contained_[i], issue_code::required, "its id is missing: what is contained is named by it");
      if (const auto id = text_at(contained_[i], "id"); !id.empty())
        ids_.emplace_back(id, i);
      else
        referred_[i] = true; // one problem is enough
      if (const auto url = text_at(contained_[i], "url"); !url.empty())
        urls_.emplace_back(url, i);
    }
    for (const auto i : keep_first_of_each(ids_))
      add(json_.find(contained_[i], "id"), issue_code::invalid,
          "another contained resource has this id already; each needs its own");
    keep_first_of_each(urls_);
  }

  using names = std::vector<std::pair<std::string_view, std::size_t>>; // and which of the contained resources

  /// Sorts them and takes out what has the name of an earlier one: returned, and not looked for any more.
  std::vector<std::size_t> keep_first_of_each(names& all) {
    std::vector<std::size_t> others;
    std::sort(all.begin(), all.end());
    names first;
    for (const auto& n : all)
      if (!first.empty() && first.back().first == n.first) {
        others.push_back(n.second);
        referred_[n.second] = true;
      } else {
        first.push_back(n);
      }
    all = std::move(first);
    return others;
  }

  void refer_to(const names& all, std::string_view name, std::size_t from) {
    const auto found = std::lower_bound(all.begin(), all.end(), std::pair{name, std::size_t{0}});
    if (found != all.end() && found->first == name && found->second != from)
      referred_[found->second] = true;
  }

  /// A text refers by "#id" (also somewhere in an expression) or, as a canonical, by the url; and a contained resource by "#" to
  /// what it lies in.
  void find_references() {
    constexpr auto nowhere = ~std::size_t{0};
    std::size_t next = 0, within = nowhere; // the contained resource that a node is in
    for (std::uint32_t n = 1; n < json_.size(); ++n) {
      if (within != nowhere && n >= json_[contained_[within]].end)
        within = nowhere;
      if (next < contained_.size() && n == contained_[next])
        within = next++;
      if (json_[n].kind != json_kind::string)
        continue;
      const auto text = json_[n].text;
      refer_to(urls_, text.substr(0, text.find('|')), within);
      if (text == "#" && within != nowhere)
        referred_[within] = true;
      for (auto at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
        auto end = at + 1;
        while (end < text.size() && (is_letter_or_digit(text[end]) || text[end] == '-' || text[end] == '.'))
          ++end;
        refer_to(ids_, text.substr(at + 1, end - at - 1), within);
      }
    }
  }

  std::string_view text_at(std::uint32_t object, std::string_view name) const {
    const auto n = json_.find(object, name);
    return n != 0 && json_[n].kind == json_kind::string ? json_[n].text : std::string_view{};
  }

  const json_document& json_;
  const resource_options& options_;
  std::vector<resource_finding> found_;
  std::vector<std::uint32_t> contained_; // nodes
  std::vector<bool> referred_;
  names ids_, urls_;
};

} // namespace

std::vector<resource_finding> check_domain_resource(const json_document& resource, const resource_options& options) {
  return resource_check{resource, options}.run();
}

std::string place_of_node(const json_document& json, std::uint32_t node) {
  std::string place;
  for (std::uint32_t at = 0; at != node;) {
    std::size_t index = 0;
    auto child = at + 1;
    for (; json[child].end <= node; child = json[child].end)
      ++index;
    if (json[at].kind == json_kind::array)
      place += "[" + std::to_string(index) + "]";
    else
      place += (place.empty() ? "" : ".") + quotable(json[child].name);
    at = child;
  }
  return place;
}

} // namespace epione::domain
