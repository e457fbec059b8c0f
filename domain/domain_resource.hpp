// What FHIR R4 says of every resource, whatever its type: id, meta, implicitRules, language, text and what it contains (Resource,
// DomainResource and its invariants dom-2 to dom-5).
#pragma once

#include "domain/fhir_issue.hpp"
#include "domain/json_document.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace epione::domain {

struct resource_finding {
  std::uint32_t node; ///< of the document
  issue_severity severity;
  issue_type code;
  std::string message;
};

struct resource_options {
  /// Of a contained resource that nothing refers to (dom-3): it does no harm where only its form is read.
  issue_severity orphan = issue_severity::error;
  /// Of rules that change a meaning and are not known here.
  issue_severity implicit_rules = issue_severity::warning;
};

/// Looks at the resource that the whole document is, and at what it contains. dom-6 (a resource should have a narrative) is good
/// practice only and not looked at. Takes time linear in the document but for sorting its ids.
std::vector<resource_finding> check_domain_resource(const json_document& resource, const resource_options& options = {});

/// Where a node is within the whole: "contained[1].meta"; empty for the whole.
std::string place_of_node(const json_document& json, std::uint32_t node);

} // namespace epione::domain
