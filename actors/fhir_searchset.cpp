#include "actors/fhir_searchset.hpp"

#include "domain/canonical.hpp"
#include "domain/fhir_outcome.hpp"

namespace epione::actors {

void searchset::add_link(std::string_view relation, const std::string& query) {
  links_ += links_.empty() ? R"({"relation":")" : R"(,{"relation":")";
  links_ += relation;
  links_ += R"(","url":)";
  domain::append_json_string(links_, query.empty() ? address_ : address_ + "?" + query);
  links_ += '}';
}

void searchset::add_match(std::string_view id, std::string_view resource) {
  entries_ += entries_.empty() ? R"({"fullUrl":)" : R"(,{"fullUrl":)";
  domain::append_json_string(entries_, address_ + "/" + std::string{id});
  entries_ += R"(,"resource":)";
  entries_ += resource;
  entries_ += R"(,"search":{"mode":"match"}})";
  ++matches_;
}

void searchset::add_ignored(const std::vector<std::string>& names) {
  if (names.empty())
    return;
  std::string list;
  for (const auto& name : names)
    list += (list.empty() ? "" : ", ") + name;
  entries_ += entries_.empty() ? R"({"resource":)" : R"(,{"resource":)";
  entries_ += domain::outcome_text("not-supported", "left out of account, because not known here: " + list, {}, "warning");
  entries_ += R"(,"search":{"mode":"outcome"}})";
}

std::string searchset::text(std::optional<std::uint64_t> total) const {
  std::string out = R"({"resourceType":"Bundle","type":"searchset")";
  if (total)
    out += R"(,"total":)" + std::to_string(*total);
  out += R"(,"link":[)" + links_ + "]";
  if (!entries_.empty()) // FHIR's JSON has no empty lists
    out += R"(,"entry":[)" + entries_ + "]";
  return out + "}";
}

} // namespace epione::actors
