#include "domain/fhir_answers.hpp"

#include "domain/canonical.hpp"
#include "domain/fhir_text.hpp"
#include "domain/msgpack.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <vector>

namespace epione::domain {

namespace {

// ---- from a response ----------------------------------------------------------------------------------------------------

void append_number_text(std::string& out, std::string_view text) {
  std::int64_t whole = 0;
  const auto* end = text.data() + text.size();
  if (const auto [at, error] = std::from_chars(text.data(), end, whole); error == std::errc{} && at == end)
    return append_int(out, whole);
  double number = 0;
  std::from_chars(text.data(), end, number);
  append_double(out, number);
}

/// The members of an object that the short form has, sorted by name.
void append_object(std::string& out, const json_document& json, std::uint32_t object,
                   std::initializer_list<std::string_view> names) {
  std::uint32_t count = 0;
  std::string members;
  for (const auto name : names) {
    const auto n = json.find(object, name);
    if (n == 0 || (json[n].kind != json_kind::string && json[n].kind != json_kind::number))
      continue;
    append_string(members, name);
    if (json[n].kind == json_kind::string)
      append_string(members, json[n].text);
    else
      append_number_text(members, json[n].text);
    ++count;
  }
  append_map_header(out, count);
  out += members;
}

/// What an object refers to or stands for, by the first of these members that it has.
void append_first_text(std::string& out, const json_document& json, std::uint32_t object,
                       std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (const auto text = json_text_at(json, object, name); !text.empty())
      return append_string(out, text);
  if (const auto n = json.find(object, "identifier"); n != 0)
    return append_string(out, json_text_at(json, n, "value"));
  append_string(out, {});
}

void append_value(std::string& out, const json_document& json, std::uint32_t value) {
  const auto& n = json[value];
  switch (n.kind) {
    case json_kind::boolean: return append_bool(out, n.boolean);
    case json_kind::number: return append_number_text(out, n.text);
    case json_kind::string: return append_string(out, n.text);
    case json_kind::object: break;
    default: return append_nil(out);
  }
  if (n.name == "valueCoding")
    append_first_text(out, json, value, {"code", "display"});
  else if (n.name == "valueReference")
    append_first_text(out, json, value, {"reference", "display"});
  else if (n.name == "valueAttachment")
    append_object(out, json, value, {"contentType", "data", "size", "title", "url"});
  else
    append_object(out, json, value, {"code", "system", "unit", "value"});
}

bool is_value(std::string_view name) {
  return name.size() > 5 && name.starts_with("value");
}

// ---- from the short form ------------------------------------------------------------------------------------------------

/// The answers of one item, as they lie in the record.
using answers_of_items = std::vector<std::vector<std::string_view>>;

class response_writer {
public:
  response_writer(const questionnaire& form, const answers_of_items& answers) : form_(form), answers_(answers) {}

  /// The items from `first` to `end` that have answers: `"item":[...]` with a comma before it, or nothing.
  void append_items(std::string& out, std::uint32_t first, std::uint32_t end, std::optional<std::size_t> repetition) {
    std::string items;
    for (auto i = first; i < end; i = form_.items[i].end)
      append_item(items, i, repetition);
    if (!items.empty())
      out += ",\"item\":[" + items + "]";
  }

private:
  void append_item(std::string& out, std::uint32_t i, std::optional<std::size_t> repetition) {
    const auto& item = form_.items[i];
    if (is_question(item.type))
      return append_question(out, i, repetition);
    if (item.type != item_type::group)
      return;
    if (!item.repeats || repetition)
      return append_group(out, i, repetition);
    std::size_t repetitions = 0;
    for (auto q = i + 1; q < item.end; ++q)
      if (!answers_[q].empty())
        repetitions = std::max(repetitions, form_.items[q].repeats ? std::size_t{1} : answers_[q].size());
    for (std::size_t k = 0; k < repetitions; ++k)
      append_group(out, i, k);
  }

  void append_group(std::string& out, std::uint32_t i, std::optional<std::size_t> repetition) {
    std::string within;
    append_items(within, i + 1, form_.items[i].end, repetition);
    if (within.empty())
      return;
    begin_item(out, i);
    out += within + "}";
  }

  void append_question(std::string& out, std::uint32_t i, std::optional<std::size_t> repetition) {
    const auto& item = form_.items[i];
    const auto& all = answers_[i];
    std::size_t first = 0, end = all.size();
    if (repetition && !item.repeats) {
      first = std::min(*repetition, all.size());
      end = std::min(first + 1, all.size());
    } else if (repetition && *repetition > 0) {
      end = 0;
    }
    if (first == end)
      return;
    begin_item(out, i);
    out += ",\"answer\":[";
    for (auto k = first; k < end; ++k) {
      out += k == first ? "{" : ",{";
      append_answer(out, item, all[k]);
      if (k == first) // items within a question stand in its first answer
        append_items(out, i + 1, item.end, repetition);
      out += '}';
    }
    out += "]}";
  }

  void begin_item(std::string& out, std::uint32_t i) {
    out += out.empty() ? "{\"linkId\":" : ",{\"linkId\":";
    append_json_string(out, form_.items[i].link_id);
  }

  static const char* name_of(const form_item& item, const answer_option* option) {
    if (option != nullptr)
      switch (option->type) {
        case option_type::coding: return "valueCoding";
        case option_type::integer: return "valueInteger";
        case option_type::date: return "valueDate";
        case option_type::time: return "valueTime";
        case option_type::string: return "valueString";
        case option_type::reference: return "valueReference";
      }
    switch (item.type) {
      case item_type::boolean: return "valueBoolean";
      case item_type::decimal: return "valueDecimal";
      case item_type::integer: return "valueInteger";
      case item_type::date: return "valueDate";
      case item_type::date_time: return "valueDateTime";
      case item_type::time: return "valueTime";
      case item_type::url: return "valueUri";
      case item_type::choice: return "valueCoding";
      case item_type::reference: return "valueReference";
      case item_type::quantity: return "valueQuantity";
      case item_type::attachment: return "valueAttachment";
      default: return "valueString";
    }
  }

  static void append_answer(std::string& out, const form_item& item, std::string_view raw) {
    const answer_option* option = nullptr;
    if (item.type == item_type::choice || item.type == item_type::open_choice) {
      const auto found = std::find_if(item.options.begin(), item.options.end(), [&](const auto& o) { return o.stored == raw; });
      option = found == item.options.end() ? nullptr : &*found;
    }
    const std::string_view name = name_of(item, option);
    out += "\"" + std::string{name} + "\":";
    const auto v = msgpack_reader{raw}.next();
    if (name == "valueCoding")
      append_coding(out, option, v.text);
    else if (name == "valueReference")
      out += "{\"reference\":" + json_from_msgpack(raw) + "}";
    else if (name == "valueQuantity" && v.is_number())
      out += "{\"value\":" + json_from_msgpack(raw) + "}";
    else
      out += json_from_msgpack(raw);
  }

  static void append_coding(std::string& out, const answer_option* option, std::string_view code) {
    out += '{';
    if (option != nullptr && !option->value.system.empty()) {
      out += "\"system\":";
      append_json_string(out, option->value.system);
      out += ',';
    }
    out += "\"code\":";
    append_json_string(out, code);
    if (option != nullptr && !option->display.text.empty()) {
      out += ",\"display\":";
      append_json_string(out, option->display.text);
    }
    out += '}';
  }

  const questionnaire& form_;
  const answers_of_items& answers_;
};

std::optional<answers_of_items> read_answers(std::string_view bytes, const questionnaire& form) {
  answers_of_items out(form.items.size());
  msgpack_reader r{bytes};
  const auto map = r.next();
  if (map.type != msgpack_type::map)
    return std::nullopt;
  for (std::uint32_t i = 0; i < map.count; ++i) {
    const auto name = r.next();
    std::string_view raw;
    if (name.type != msgpack_type::string || !r.skip(raw))
      return std::nullopt;
    const auto item = form.find(name.text);
    if (item == form_item::none)
      return std::nullopt;
    msgpack_reader value{raw};
    const auto head = value.next();
    if (head.type != msgpack_type::array) {
      out[item].push_back(raw);
      continue;
    }
    std::string_view element;
    for (std::uint32_t k = 0; k < head.count; ++k) {
      if (!value.skip(element))
        return std::nullopt;
      out[item].push_back(element);
    }
  }
  return out;
}

/// RFC 3339 allows small letters, FHIR does not.
std::string date_time_of(std::string authored) {
  for (auto& c : authored)
    c = c == 't' ? 'T' : c == 'z' ? 'Z' : c;
  return authored;
}

} // namespace

std::string short_answers(const json_document& response, const questionnaire& form) {
  std::map<std::string_view, std::vector<std::string>> answers; // sorted as canonical maps are
  std::vector<std::uint32_t> lists;                             // arrays of items still to be looked at, the next one last
  const auto open = [&](std::uint32_t object, std::vector<std::uint32_t>& into) {
    if (const auto items = response.find(object, "item"); items != 0)
      into.push_back(items);
  };
  open(0, lists);
  while (!lists.empty()) {
    const auto list = lists.back();
    lists.pop_back();
    std::vector<std::uint32_t> inner;
    for (auto n = list + 1; n < response[list].end; n = response[n].end) {
      open(n, inner);
      const auto link_id = json_text_at(response, n, "linkId");
      const auto answer = response.find(n, "answer");
      if (answer == 0 || form.find(link_id) == form_item::none)
        continue;
      for (auto a = answer + 1; a < response[answer].end; a = response[a].end) {
        for (auto v = a + 1; v < response[a].end; v = response[v].end)
          if (is_value(response[v].name))
            append_value(answers[link_id].emplace_back(), response, v);
        open(a, inner);
      }
    }
    lists.insert(lists.end(), inner.rbegin(), inner.rend());
  }
  std::string out;
  append_map_header(out, static_cast<std::uint32_t>(answers.size()));
  for (const auto& [link_id, values] : answers) {
    append_string(out, link_id);
    if (values.size() > 1 || form.items[form.find(link_id)].many)
      append_array_header(out, static_cast<std::uint32_t>(values.size()));
    for (const auto& v : values)
      out += v;
  }
  return out;
}

std::string canonical_of(const questionnaire& form, std::string_view form_id) {
  if (form.url.empty())
    return "Questionnaire/" + std::string{form_id};
  return form.version.empty() ? form.url : form.url + "|" + form.version;
}

std::optional<std::string> short_as_response(const submission_record& r, const questionnaire& form, std::uint64_t version) {
  const auto answers = read_answers(r.answers, form);
  if (!answers)
    return std::nullopt;
  std::string out = R"({"resourceType":"QuestionnaireResponse","id":")" + to_text(r.id) + R"(","meta":)";
  out += resource_meta(version, r.stored_us);
  const auto member = [&](std::string_view name, std::string_view value) {
    out += ",\"" + std::string{name} + "\":";
    append_json_string(out, value);
  };
  out += R"(,"identifier":{"system":")" + std::string{key_system} + R"(","value":)";
  append_json_string(out, r.key);
  out += '}';
  member("questionnaire", canonical_of(form, r.form));
  member("status", "completed");
  if (const auto id = patient_id(r.subject)) {
    out += R"(,"subject":{"reference":"Patient/)" + *id + "\"}";
  } else {
    out += R"(,"subject":{"type":"Patient","identifier":{"value":)";
    append_json_string(out, r.subject);
    out += "}}";
  }
  if (!r.authored.empty())
    member("authored", date_time_of(r.authored));
  response_writer{form, *answers}.append_items(out, 0, static_cast<std::uint32_t>(form.items.size()), std::nullopt);
  return out + "}";
}

} // namespace epione::domain
