#include "domain/response_from_answers.hpp"

#include "domain/canonical.hpp"
#include "domain/msgpack.hpp"

#include <algorithm>
#include <vector>

namespace epione::domain {

namespace {

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string number(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

std::string named(const char* name, std::string_view text) {
  return text.empty() ? std::string{} : "\"" + std::string{name} + "\":" + in_quotes(text) + ",";
}

std::string option_json(const answer_option& o) {
  switch (o.type) {
    case option_type::integer: return R"("valueInteger":)" + number(o.value.number);
    case option_type::date: return R"("valueDate":)" + in_quotes(o.value.text);
    case option_type::time: return R"("valueTime":)" + in_quotes(o.value.text);
    case option_type::string: return R"("valueString":)" + in_quotes(o.value.text);
    case option_type::reference: return R"("valueReference":{"reference":)" + in_quotes(o.value.text) + "}";
    case option_type::coding: break;
  }
  auto text = named("system", o.value.system) + named("code", o.value.text) + named("display", o.display.text);
  if (!text.empty())
    text.pop_back();
  return R"("valueCoding":{)" + text + "}";
}

std::string choice_json(const form_item& item, const msgpack_value& v, std::string_view raw) {
  const auto& order = item.options_by_stored;
  const auto found = std::lower_bound(order.begin(), order.end(), raw,
                                      [&](std::uint32_t i, std::string_view s) { return item.options[i].stored < s; });
  if (found != order.end() && item.options[*found].stored == raw)
    return option_json(item.options[*found]);
  if (v.type != msgpack_type::string)
    return {};
  if (item.type == item_type::open_choice)
    return R"("valueString":)" + in_quotes(v.text);
  std::string_view system; // of a value set, if it says so without doubt
  if (item.value_set)
    for (const auto& [of, code] : item.value_set->codes)
      if (code == v.text)
        system = system.empty() || system == of ? std::string_view{of} : std::string_view{};
  return R"("valueCoding":{)" + named("system", system) + R"("code":)" + in_quotes(v.text) + "}";
}

std::string quantity_json(std::string_view raw) {
  msgpack_reader r{raw};
  const auto v = r.next();
  if (v.is_number())
    return R"("valueQuantity":{"value":)" + number(v.as_double()) + "}";
  if (v.type != msgpack_type::map)
    return {};
  double value = 0;
  std::string_view unit, code, system;
  for (std::uint32_t i = 0; i < v.count; ++i) {
    const auto name = r.next(), member = r.next();
    if (name.text == "value" && member.is_number())
      value = member.as_double();
    else if (name.text == "unit")
      unit = member.text;
    else if (name.text == "code")
      code = member.text;
    else if (name.text == "system")
      system = member.text;
  }
  return R"("valueQuantity":{)" + named("unit", unit) + named("system", system) + named("code", code) + R"("value":)" +
         number(value) + "}";
}

std::string attachment_json(std::string_view raw) {
  msgpack_reader r{raw};
  const auto v = r.next();
  std::string members;
  for (std::uint32_t i = 0; v.type == msgpack_type::map && i < v.count; ++i) {
    const auto name = r.next(), member = r.next();
    if (member.type == msgpack_type::string)
      members += (members.empty() ? "" : ",") + in_quotes(name.text) + ":" + in_quotes(member.text);
    else if (member.is_number())
      members += (members.empty() ? "" : ",") + in_quotes(name.text) + ":" + number(member.as_double());
  }
  return members.empty() ? members : R"("valueAttachment":{)" + members + "}";
}

/// One value of the short form as value[x]; empty when it does not fit.
std::string value_json(const form_item& item, std::string_view raw) {
  const auto v = msgpack_reader{raw}.next();
  switch (item.type) {
    case item_type::boolean:
      return v.type == msgpack_type::boolean ? std::string{R"("valueBoolean":)"} + (v.boolean ? "true" : "false") : std::string{};
    case item_type::integer: return v.is_int64() ? R"("valueInteger":)" + std::to_string(v.as_int64()) : std::string{};
    case item_type::decimal: return v.is_number() ? R"("valueDecimal":)" + number(v.as_double()) : std::string{};
    case item_type::choice:
    case item_type::open_choice: return choice_json(item, v, raw);
    case item_type::quantity: return quantity_json(raw);
    case item_type::attachment: return attachment_json(raw);
    default: break;
  }
  if (v.type != msgpack_type::string)
    return {};
  switch (item.type) {
    case item_type::date: return R"("valueDate":)" + in_quotes(v.text);
    case item_type::date_time: return R"("valueDateTime":)" + in_quotes(v.text);
    case item_type::time: return R"("valueTime":)" + in_quotes(v.text);
    case item_type::url: return R"("valueUri":)" + in_quotes(v.text);
    case item_type::reference: return R"("valueReference":{"reference":)" + in_quotes(v.text) + "}";
    default: return R"("valueString":)" + in_quotes(v.text);
  }
}

class response_builder {
public:
  response_builder(const questionnaire& form, std::string_view answers) : form_(form), slots_(form.items.size()) {
    read(answers);
    for (auto i = slots_.size(); i-- > 0;) { // children first
      const auto& item = form.items[i];
      auto& s = slots_[i];
      if (is_question(item.type))
        s.times = item.repeats ? std::min<std::size_t>(s.values.size(), 1) : s.values.size();
      s.own_times = s.times;
      if (item.type == item_type::group && item.repeats)
        s.times = std::min<std::size_t>(s.times, 1);
      // What lies in an answer needs that answer: it is no reason for a repetition of what is around.
      if (item.parent != form_item::none && !is_question(form.items[item.parent].type))
        slots_[item.parent].times = std::max(slots_[item.parent].times, s.times);
    }
  }

  std::string write(const response_head& head) {
    out_ = R"({"resourceType":"QuestionnaireResponse",)" + named("id", head.id);
    const auto canonical = form_.url.empty() ? form_.id.empty() ? std::string{} : "Questionnaire/" + form_.id : form_.url;
    if (!canonical.empty())
      out_ += R"("questionnaire":)" + in_quotes(form_.version.empty() ? canonical : canonical + "|" + form_.version) + ",";
    out_ += R"("status":)" + in_quotes(head.status);
    if (!head.subject.empty())
      out_ += R"(,"subject":{"reference":)" + in_quotes(head.subject) + "}";
    if (!head.authored.empty())
      out_ += R"(,"authored":)" + in_quotes(head.authored);
    write_items(form_item::none, 0);
    return std::move(out_) + "}";
  }

private:
  struct slot {
    std::vector<std::string_view> values;
    std::size_t times = 0;     ///< how often what is around it must be there
    std::size_t own_times = 0; ///< how often it is there itself
  };

  void read(std::string_view answers) {
    msgpack_reader r{answers};
    const auto map = r.next();
    for (std::uint32_t i = 0; map.type == msgpack_type::map && i < map.count; ++i) {
      const auto name = r.next();
      std::string_view raw;
      if (name.type != msgpack_type::string || !r.skip(raw))
        return;
      const auto item = form_.find(name.text);
      if (item == form_item::none || !is_question(form_.items[item].type))
        continue;
      msgpack_reader values{raw};
      if (const auto list = values.next(); list.type == msgpack_type::array) {
        std::string_view element;
        for (std::uint32_t n = 0; n < list.count && values.skip(element); ++n)
          slots_[item].values.push_back(element);
      } else {
        slots_[item].values.push_back(raw);
      }
    }
  }

  /// ,"item":[...] of what lies in `parent` in its repetition `n`; nothing when that is nothing. As deep as the form.
  void write_items(std::uint32_t parent, std::size_t n) {
    const auto start = out_.size();
    out_ += R"(,"item":[)";
    const auto first = out_.size();
    const auto end = parent == form_item::none ? static_cast<std::uint32_t>(form_.items.size()) : form_.items[parent].end;
    for (auto i = parent == form_item::none ? 0 : parent + 1; i < end; i = form_.items[i].end) {
      const auto& item = form_.items[i];
      if (slots_[i].own_times == 0 || (item.repeats && n > 0))
        continue;
      if (is_question(item.type))
        write_question(i, n, first);
      else if (!item.repeats)
        write_group(i, n, first);
      else
        for (std::size_t time = 0; time < slots_[i].own_times; ++time)
          write_group(i, time, first);
    }
    if (out_.size() == first)
      out_.resize(start);
    else
      out_ += "]";
  }

  void begin_item(std::uint32_t i, std::size_t first) {
    out_ += (out_.size() == first ? R"({"linkId":)" : R"(,{"linkId":)") + in_quotes(form_.items[i].link_id);
  }

  void write_group(std::uint32_t i, std::size_t n, std::size_t first) {
    const auto start = out_.size();
    begin_item(i, first);
    const auto before = out_.size();
    write_items(i, n);
    if (out_.size() == before)
      out_.resize(start);
    else
      out_ += "}";
  }

  void write_question(std::uint32_t i, std::size_t n, std::size_t first) {
    const auto& item = form_.items[i];
    const auto& values = slots_[i].values;
    const auto begin = item.repeats ? 0 : n;
    const auto end = item.repeats ? values.size() : std::min(values.size(), n + 1);
    const auto start = out_.size();
    begin_item(i, first);
    out_ += R"(,"answer":[)";
    const auto first_answer = out_.size();
    for (auto v = begin; v < end; ++v) {
      const auto value = value_json(item, values[v]);
      if (value.empty())
        continue;
      out_ += (out_.size() == first_answer ? "{" : ",{") + value;
      write_items(i, v);
      out_ += "}";
    }
    if (out_.size() == first_answer)
      out_.resize(start);
    else
      out_ += "]}";
  }

  const questionnaire& form_;
  std::vector<slot> slots_;
  std::string out_;
};

} // namespace

std::string response_from_answers(const questionnaire& form, std::string_view answers, const response_head& head) {
  return response_builder{form, answers}.write(head);
}

} // namespace epione::domain
