#include "domain/fhir_text.hpp"

#include "domain/canonical.hpp"
#include "domain/date_text.hpp"
#include "domain/fhir_primitive.hpp"

#include <algorithm>
#include <vector>

namespace epione::domain {

namespace {

constexpr std::string_view hex_prefix = "x-";

std::vector<std::uint32_t> members_by_name(const json_document& json, std::uint32_t object) {
  std::vector<std::uint32_t> out;
  out.reserve(json[object].count);
  for (auto n = object + 1; n < json[object].end; n = json[n].end)
    out.push_back(n);
  std::sort(out.begin(), out.end(), [&](auto a, auto b) { return json[a].name < json[b].name; });
  return out;
}

/// Members of an object but these, each with a comma before it unless it is the first.
void append_members(std::string& out, const json_document& json, std::uint32_t object, bool& first,
                    std::initializer_list<std::string_view> but) {
  for (const auto n : members_by_name(json, object)) {
    if (std::find(but.begin(), but.end(), json[n].name) != but.end())
      continue;
    if (!first)
      out += ',';
    first = false;
    append_json_string(out, json[n].name);
    out += ':';
    append_canonical_json(out, json, n);
  }
}

int hex_value(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

} // namespace

void append_canonical_json(std::string& out, const json_document& json, std::uint32_t node) {
  const auto& n = json[node];
  switch (n.kind) {
    case json_kind::null: out += "null"; break;
    case json_kind::boolean: out += n.boolean ? "true" : "false"; break;
    case json_kind::number: out += n.text; break;
    case json_kind::string: append_json_string(out, n.text); break;
    case json_kind::array: {
      out += '[';
      for (auto at = node + 1; at < n.end; at = json[at].end) {
        if (at != node + 1)
          out += ',';
        append_canonical_json(out, json, at);
      }
      out += ']';
      break;
    }
    case json_kind::object: {
      out += '{';
      bool first = true;
      append_members(out, json, node, first, {});
      out += '}';
      break;
    }
  }
}

std::string stored_resource(const json_document& resource) {
  std::string out = "{", meta = "{";
  bool first_of_meta = true;
  if (const auto n = resource.find(0, "meta"); n != 0 && resource[n].kind == json_kind::object)
    append_members(meta, resource, n, first_of_meta, {"versionId", "lastUpdated", "_versionId", "_lastUpdated"});
  bool first = true;
  append_members(out, resource, 0, first, {"id", "_id", "meta"});
  if (!first_of_meta) {
    out += first ? "\"meta\":" : ",\"meta\":";
    out += meta + "}";
  }
  return out + "}";
}

std::string resource_meta(std::string_view version, std::optional<std::int64_t> time_us) {
  std::string out = R"({"versionId":)";
  append_json_string(out, version);
  if (time_us) {
    out += R"(,"lastUpdated":")";
    append_rfc3339_us(out, *time_us);
    out += '"';
  }
  return out + "}";
}

std::string resource_meta(std::uint64_t version, std::int64_t stored_us) {
  return resource_meta(std::to_string(version), std::optional{stored_us});
}

std::string shown_resource(const json_document& stored, std::string_view id, std::uint64_t version, std::int64_t stored_us) {
  return shown_resource(stored, id, resource_meta(version, stored_us));
}

std::string shown_resource(const json_document& stored, std::string_view id, std::string_view meta) {
  std::string out = R"({"resourceType":)";
  append_json_string(out, json_text_at(stored, 0, "resourceType"));
  out += R"(,"id":)";
  append_json_string(out, id);
  out += R"(,"meta":)";
  out += meta;
  if (const auto n = stored.find(0, "meta"); n != 0 && stored[n].kind == json_kind::object) {
    out.pop_back();
    bool first = false;
    append_members(out, stored, n, first, {"versionId", "lastUpdated"});
    out += '}';
  }
  bool first = false;
  append_members(out, stored, 0, first, {"resourceType", "id", "meta"});
  return out + "}";
}

std::optional<std::string> patient_id(std::string_view subject) {
  if (is_fhir_id(subject) && !subject.starts_with(hex_prefix))
    return std::string{subject};
  constexpr std::size_t id_characters_max = 64;
  if (hex_prefix.size() + 2 * subject.size() > id_characters_max)
    return std::nullopt;
  constexpr char digits[] = "0123456789abcdef";
  std::string out{hex_prefix};
  for (const auto c : subject) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::optional<std::string> subject_of_patient(std::string_view id) {
  if (!is_fhir_id(id))
    return std::nullopt;
  if (!id.starts_with(hex_prefix))
    return std::string{id};
  id.remove_prefix(hex_prefix.size());
  if (id.empty() || id.size() % 2 != 0)
    return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < id.size(); i += 2) {
    const int high = hex_value(id[i]), low = hex_value(id[i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  if (!valid_utf8(out) || patient_id(out) != std::string{hex_prefix} + std::string{id})
    return std::nullopt; // one subject, one id
  return out;
}

std::string_view json_text_at(const json_document& json, std::uint32_t node, std::string_view name) {
  const auto n = json.find(node, name);
  return n != 0 && json[n].kind == json_kind::string ? json[n].text : std::string_view{};
}

} // namespace epione::domain
