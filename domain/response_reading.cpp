// Reading the answer to one item: its type, its options and its limits. What is asked at all is in response_check.cpp.
#include "domain/answer_rules.hpp"
#include "domain/canonical.hpp"
#include "domain/fhir_primitive.hpp"
#include "domain/limits.hpp"
#include "domain/response_check.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

const char* what_fits(item_type type) {
  switch (type) {
    case item_type::boolean: return "the answer must be true or false";
    case item_type::decimal: return "the answer must be a number";
    case item_type::integer: return "the answer must be a whole number from -2147483648 to 2147483647";
    case item_type::date: return "the answer must be a string with a date";
    case item_type::date_time: return "the answer must be a string with a date and time";
    case item_type::time: return "the answer must be a string with a time";
    case item_type::choice:
      return "the answer must be one of the options, by its code or, where the options have one, its number";
    case item_type::open_choice: return "the answer must be one of the options or a string";
    case item_type::quantity:
      return "the answer must be a number, or an object with the number \"value\" and perhaps the strings \"unit\", \"code\" and "
             "\"system\"";
    case item_type::attachment:
      return "the answer must be an object with the strings \"contentType\", \"data\" or \"url\", perhaps \"title\" and the "
             "number \"size\"";
    default: return "the answer must be a string";
  }
}

std::vector<std::string> allowed_options(const form_item& item) {
  std::vector<std::string> allowed;
  if (item.options.size() > limits::allowed_max)
    return allowed;
  const auto as_text = [](double number) {
    std::string text;
    append_json_number(text, number);
    return text;
  };
  for (const auto& o : item.options)
    allowed.push_back(o.value.kind == value_kind::number ? as_text(o.value.number) : o.value.text);
  for (const auto& o : item.options)
    if (o.by_ordinal)
      allowed.push_back(as_text(*o.ordinal));
  return allowed;
}

const answer_option* find_option(const form_item& item, std::string_view stored) {
  const auto& order = item.options_by_stored;
  const auto found = std::lower_bound(order.begin(), order.end(), stored,
                                      [&](std::uint32_t i, std::string_view s) { return item.options[i].stored < s; });
  return found != order.end() && item.options[*found].stored == stored ? &item.options[*found] : nullptr;
}

const answer_option* find_ordinal(const form_item& item, double number) {
  for (const auto& o : item.options)
    if (o.by_ordinal && *o.ordinal == number)
      return &o;
  return nullptr;
}

/// Of code systems where upper and lower case are the same, the option that is written otherwise.
const answer_option* find_other_case(const form_item& item, std::string_view code) {
  if (!item.value_set || item.value_set->without_case.empty())
    return nullptr;
  const auto is_it = [&](const answer_option& o) {
    return o.type == option_type::coding && same_but_for_case(o.value.text, code) &&
           item.value_set->find(o.value.system, code) != nullptr;
  };
  const auto found = std::find_if(item.options.begin(), item.options.end(), is_it);
  return found == item.options.end() ? nullptr : &*found;
}

answer_value value_of(const answer_option& o) {
  answer_value v;
  v.kind = o.value.kind;
  v.boolean = o.value.boolean;
  v.number = o.value.number;
  v.moment = o.value.moment;
  v.text = o.value.text;
  v.is = o.type == option_type::coding ? text_kind::code : o.type == option_type::string ? text_kind::free : text_kind::any;
  v.option = &o;
  return v;
}

} // namespace

void answers_check::read_item(const form_item& item, answer_slot& slot, std::string_view raw) {
  slot.given = true;
  if (!is_question(item.type)) {
    refuse(item, "not-a-question",
           item.type == item_type::group ? "the item is a group; answer the items in it" : "the item is only shown");
    return;
  }
  append_string(stored_, item.link_id);
  slot.first = static_cast<std::uint32_t>(values_.size());
  const auto v = msgpack_reader{raw}.next();
  if (v.type == msgpack_type::array) {
    slot.usable = read_list(item, raw, v.count);
  } else {
    if (item.many)
      append_array_header(stored_, 1);
    slot.usable = read_value(item, raw);
  }
  slot.count = static_cast<std::uint32_t>(values_.size()) - slot.first;
  if (item.rules && item.rules->exclusive_options && slot.count > 1 && has_exclusive(slot))
    refuse(item, "exclusive-option", "one of the options that were chosen must be chosen alone");
  if (slot.usable && slot.count < item.min_occurs)
    refuse(item, "min-occurs", "the item needs " + std::to_string(item.min_occurs) + " answers or more");
}

bool answers_check::has_exclusive(const answer_slot& slot) const {
  return std::any_of(values_.begin() + slot.first, values_.begin() + slot.first + slot.count,
                     [](const auto& v) { return v.option != nullptr && v.option->exclusive; });
}

bool answers_check::read_list(const form_item& item, std::string_view raw, std::uint32_t count) {
  if (!item.many)
    return refuse(item, "single-answer", "the item takes one answer, not a list");
  if (count == 0)
    return refuse(item, "empty", "the list is empty; leave the item out");
  const auto most = std::min(item.max_occurs, limits::answer_values_max);
  if (count > most)
    return refuse(item, "max-occurs", "the item takes " + std::to_string(most) + " answers at most");
  msgpack_reader r{raw};
  r.next();
  append_array_header(stored_, count);
  bool usable = true;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string_view element;
    if (!r.skip(element))
      return refuse(item, "content", "the answer could not be read to its end");
    usable = read_value(item, element) && usable;
  }
  return usable;
}

bool answers_check::read_value(const form_item& item, std::string_view raw) {
  const auto v = msgpack_reader{raw}.next();
  if (v.type == msgpack_type::nil)
    return refuse(item, "type", "null is not an answer; leave the item out");
  switch (item.type) {
    case item_type::boolean: {
      if (v.type != msgpack_type::boolean)
        return refuse_type(item);
      answer_value a;
      a.kind = value_kind::boolean;
      a.boolean = v.boolean;
      return accept(item, a, raw);
    }
    case item_type::decimal:
    case item_type::integer: return read_number(item, v, raw);
    case item_type::date:
    case item_type::date_time:
    case item_type::time: return read_moment(item, v, raw);
    case item_type::choice:
    case item_type::open_choice: return read_choice(item, v, raw);
    case item_type::quantity: return read_quantity(item, raw);
    case item_type::attachment: return read_attachment(item, raw);
    default: return read_text(item, v, raw);
  }
}

bool answers_check::read_choice(const form_item& item, const msgpack_value& v, std::string_view raw) {
  const bool open = item.type == item_type::open_choice;
  if (v.type != msgpack_type::string && !v.is_number())
    return refuse(item, "type", what_fits(item.type), allowed_options(item));
  const auto* option = find_option(item, raw);
  if (option == nullptr && v.is_number())
    option = find_ordinal(item, v.as_double());
  if (option == nullptr && v.type == msgpack_type::string)
    option = find_other_case(item, v.text);
  if (option != nullptr) {
    values_.push_back(value_of(*option));
    stored_ += option->stored;
    return true;
  }
  if (item.closed && !(open && v.type == msgpack_type::string))
    return refuse(item, "not-an-option", what_fits(item.type), allowed_options(item));
  if (v.type != msgpack_type::string)
    return refuse(item, "type", "the answer must be a string, the code of what was chosen");
  answer_value a;
  a.kind = value_kind::text;
  a.text = v.text;
  if (item.closed)
    a.is = text_kind::free; // none of the codes
  if (a.text.empty())
    return refuse(item, "empty", "the answer is empty; leave the item out");
  if (!within_length(item, a.text) || (item.rules && !keeps(item, breaks_regex(*item.rules, a.text))))
    return false;
  values_.push_back(a);
  stored_ += raw;
  return true;
}

bool answers_check::read_text(const form_item& item, const msgpack_value& v, std::string_view raw) {
  if (v.type != msgpack_type::string)
    return refuse_type(item);
  if (v.text.empty())
    return refuse(item, "empty", "the answer is empty; leave the item out");
  if (item.type == item_type::url &&
      std::any_of(v.text.begin(), v.text.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; }))
    return refuse(item, "url-format", "a URL has no spaces or control characters");
  if (!within_length(item, v.text))
    return false;
  if (item.rules &&
      (!keeps(item, breaks_regex(*item.rules, v.text)) ||
       (item.type == item_type::reference && !keeps(item, breaks_reference_type(*item.rules, referenced_type(v.text))))))
    return false;
  answer_value a;
  a.kind = value_kind::text;
  a.text = v.text;
  return accept(item, a, raw);
}

bool answers_check::read_number(const form_item& item, const msgpack_value& v, std::string_view raw) {
  if (!v.is_number())
    return refuse_type(item);
  if (item.type == item_type::integer && (!v.is_int64() || v.as_int64() > 2147483647LL || v.as_int64() < -2147483648LL))
    return refuse_type(item);
  answer_value a;
  a.kind = value_kind::number;
  a.number = v.as_double();
  if (item.max_length || item.min_length || item.rules) {
    std::string text;
    append_json_number(text, a.number);
    if (!within_length(item, text))
      return false;
    if (item.rules && (!keeps(item, breaks_decimal_places(*item.rules, text)) || !keeps(item, breaks_regex(*item.rules, text))))
      return false;
  }
  return accept(item, a, raw);
}

bool answers_check::read_moment(const form_item& item, const msgpack_value& v, std::string_view raw) {
  if (v.type != msgpack_type::string)
    return refuse_type(item);
  std::optional<time_span> moment;
  const char* form = nullptr;
  if (item.type == item_type::date) {
    moment = parse_fhir_date(v.text);
    form = "a date is written YYYY, YYYY-MM or YYYY-MM-DD and must be in the calendar";
  } else if (item.type == item_type::time) {
    moment = parse_fhir_time(v.text);
    form = "a time is written hh:mm:ss, perhaps with a fraction of a second, from 00:00:00 to 23:59:60";
  } else {
    moment = parse_fhir_date_time(v.text);
    form = "a date and time is written YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or +hh:mm and must be in the "
           "calendar";
  }
  if (!moment)
    return refuse(item, "date-format", form);
  answer_value a;
  a.kind = value_kind::moment;
  a.moment = *moment;
  a.text = v.text;
  if (item.rules && !keeps(item, breaks_regex(*item.rules, v.text)))
    return false;
  return accept(item, a, raw);
}

bool answers_check::read_quantity(const form_item& item, std::string_view raw) {
  msgpack_reader r{raw};
  auto v = r.next();
  answer_value a;
  a.kind = value_kind::number;
  if (v.is_number()) {
    a.number = v.as_double();
    if (item.rules && !keeps(item, breaks_quantity(*item.rules, {a.number, {}, {}, {}})))
      return false;
    return accept(item, a, raw);
  }
  if (v.type != msgpack_type::map)
    return refuse_type(item);
  bool has_value = false;
  std::string_view unit, code, system;
  for (std::uint32_t i = 0; i < v.count; ++i) {
    const auto name = r.next();
    const auto member = r.next();
    if (name.text == "value" && member.is_number()) {
      a.number = member.as_double();
      has_value = true;
    } else if (name.text == "unit" && member.type == msgpack_type::string) {
      unit = member.text;
    } else if (name.text == "code" && member.type == msgpack_type::string) {
      code = member.text;
    } else if (name.text == "system" && member.type == msgpack_type::string) {
      system = member.text;
    } else {
      return refuse_type(item);
    }
  }
  if (!has_value)
    return refuse_type(item);
  a.unit = code.empty() ? unit : code;
  if (item.rules && !keeps(item, breaks_quantity(*item.rules, {a.number, unit, code, system})))
    return false;
  return accept(item, a, raw);
}

bool answers_check::read_attachment(const form_item& item, std::string_view raw) {
  msgpack_reader r{raw};
  const auto v = r.next();
  if (v.type != msgpack_type::map)
    return refuse_type(item);
  attachment_view a;
  std::optional<std::size_t> decoded;
  bool content = false;
  for (std::uint32_t i = 0; i < v.count; ++i) {
    const auto name = r.next();
    const auto member = r.next();
    const bool text = member.type == msgpack_type::string && !member.text.empty();
    if (name.text == "contentType" && text)
      a.content_type = member.text;
    else if (name.text == "data" && text)
      decoded = base64_size(member.text);
    else if (name.text == "size" && member.is_uint64())
      a.bytes = member.integer;
    else if ((name.text != "url" && name.text != "title") || !text)
      return refuse_type(item);
    if (name.text == "data" && !decoded)
      return refuse(item, "base64", "the attachment's data must be base64");
    content = content || name.text == "data" || name.text == "url";
  }
  if (!content || a.content_type.empty())
    return refuse_type(item);
  if (decoded && a.bytes && *a.bytes != *decoded)
    return refuse(item, "size", "the attachment's size is not that of its data");
  if (decoded)
    a.bytes = *decoded;
  if (item.rules && !keeps(item, breaks_attachment(*item.rules, a)))
    return false;
  return accept(item, {}, raw);
}

bool answers_check::accept(const form_item& item, const answer_value& v, std::string_view raw) {
  const answer_option* option = nullptr;
  if (item.closed) {
    option = find_option(item, raw);
    if (option == nullptr)
      return refuse(item, "not-an-option", "the answer must be one of the options", allowed_options(item));
  }
  if (!within_limits(item, v))
    return false;
  values_.push_back(v);
  values_.back().option = option;
  stored_ += raw;
  return true;
}

// ---- limits ---------------------------------------------------------------------------------------------------------

bool answers_check::keeps(const form_item& item, std::optional<rule_break> broken) {
  return !broken || refuse(item, broken->code, std::move(broken->message));
}

bool answers_check::within_limits(const form_item& item, const answer_value& v) {
  return (!item.min_value && !item.max_value) || keeps(item, breaks_bounds(item, v));
}

bool answers_check::within_length(const form_item& item, std::string_view text) {
  return (!item.min_length && !item.max_length) || keeps(item, breaks_length(item, text));
}

bool answers_check::refuse(const form_item& item, const char* code, std::string message, std::vector<std::string> allowed) {
  problems_.add(item.link_id, code, std::move(message), std::move(allowed));
  return false;
}

bool answers_check::refuse_type(const form_item& item) {
  return refuse(item, "type", what_fits(item.type));
}

} // namespace epione::domain
