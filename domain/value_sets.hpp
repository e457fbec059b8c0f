// Which codes a value set has: those a form contains, and those given beside it as files.
//
// There is no terminology server here. What is listed in an expansion, or in compose.include by concepts, by other value sets or
// by a whole code system that is given completely, can be checked; of anything else (filters, code systems that are not given) it
// is known only that more codes may belong to it.
#pragma once

#include "domain/fhir_json.hpp"
#include "domain/questionnaire.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace epione::domain {

/// ValueSets and CodeSystems that were given, by url. Read only once it is filled.
class terminology {
public:
  /// Adds a ValueSet, a CodeSystem, or a Bundle of them; a problem when it is none.
  void add(std::string_view text, file_problems& problems);
  /// The newest that was added with this canonical ("url" or "url|version") and type; null if there is none.
  const json* find(std::string_view resource_type, std::string_view canonical) const;

private:
  void add_resource(const json& resource, const std::string& place, file_problems& problems);

  std::deque<json> files_;
  std::vector<const json*> resources_;
};

/// Finds `canonical` among resources of a type, by url and, if it is named, version; null if it is not there.
const json* find_canonical(const std::vector<const json*>& resources, std::string_view resource_type, std::string_view canonical);

/// Expands the value sets of one form, each once.
class value_set_reader {
public:
  /// A concept as it is shown; points into the resources.
  struct shown_concept {
    const json* source;
    std::string_view system;
  };
  struct content {
    std::shared_ptr<const code_set> codes;
    std::vector<shown_concept> concepts; ///< in the order of the value set
    bool contained = false;
    bool wrong_type = false; ///< a contained resource that is no ValueSet
  };

  /// `root` is the form; both must live longer than this. `given` may be null.
  value_set_reader(const json& root, const terminology* given);
  ~value_set_reader();
  value_set_reader(const value_set_reader&) = delete;
  value_set_reader& operator=(const value_set_reader&) = delete;
  /// `url` is a canonical, or "#id" of a contained one. When it is not there its codes say so.
  const content& find(const std::string& url);

private:
  struct expansion;
  const json* contained(std::string_view id) const;
  const json* resolve(std::string_view type, std::string_view canonical) const;
  const expansion& expanded(const json& set, unsigned depth);
  void expand(const json& set, unsigned depth, expansion& out);
  /// What a rule of compose takes in; as `selection`, without concepts that only hold others together.
  void include(const json& rule, unsigned depth, bool selection, expansion& out);
  void include_system(const json& rule, std::string_view system, bool selection, expansion& out);
  void exclude(const json& rule, unsigned depth, expansion& out);

  std::vector<const json*> contained_;
  const terminology* given_;
  std::map<std::string, content> known_;
  std::map<const json*, std::unique_ptr<expansion>> expanded_; // each value set is expanded once, however often it is named
  std::size_t work_ = 0;                                       // codes that were taken over so far
};

} // namespace epione::domain
