#include "domain/canonical.hpp"

#include "domain/json_text.hpp"

#include <algorithm>
#include <cmath>

namespace epione::domain {

void canonical_writer::start(std::string& out) {
  out.clear();
  out_ = &out;
  frames_.clear();
  members_.clear();
  error_.clear();
  failed_ = done_ = named_ = false;
}

bool canonical_writer::finish() {
  if (!failed_ && !done_)
    return fail("the value is not complete");
  return !failed_;
}

bool canonical_writer::fail(std::string_view message) {
  if (failed_)
    return false; // the first one counts
  failed_ = true;
  error_ = place();
  error_ += ": ";
  error_ += message;
  return false;
}

std::string canonical_writer::place() const {
  std::string text;
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    const auto& f = frames_[i];
    const bool innermost = i + 1 == frames_.size();
    if (!f.map) {
      text += '[';
      text += std::to_string(innermost ? f.count : f.count - 1);
      text += ']';
    } else if (!innermost || named_) {
      const auto& m = innermost ? members_.back() : members_[frames_[i + 1].first_member - 1];
      if (!text.empty())
        text += '.';
      append_quotable(text, name_of(m));
    }
  }
  return text.empty() ? "the value" : text;
}

bool canonical_writer::value() {
  if (failed_)
    return false;
  if (frames_.empty()) {
    if (done_)
      return fail("something follows the value");
    done_ = true;
    return true;
  }
  auto& f = frames_.back();
  if (f.map) {
    if (!named_)
      return fail("a value without a name");
    named_ = false;
  }
  if (!f.map)
    ++f.count;
  return true;
}

bool canonical_writer::null() {
  if (!value())
    return false;
  append_nil(*out_);
  return true;
}

bool canonical_writer::boolean(bool v) {
  if (!value())
    return false;
  append_bool(*out_, v);
  return true;
}

bool canonical_writer::integer(std::int64_t v) {
  if (!value())
    return false;
  append_int(*out_, v);
  return true;
}

bool canonical_writer::unsigned_integer(std::uint64_t v) {
  if (!value())
    return false;
  append_uint(*out_, v);
  return true;
}

bool canonical_writer::number(double v) {
  if (!std::isfinite(v))
    return fail("a number that is not finite");
  if (!value())
    return false;
  append_double(*out_, v);
  return true;
}

bool canonical_writer::string(std::string_view v) {
  if (!value())
    return false;
  append_string(*out_, v);
  return true;
}

bool canonical_writer::begin(bool map) {
  if (frames_.size() >= depth_max_)
    return fail("nested more than " + std::to_string(depth_max_) + " deep");
  if (!value())
    return false;
  done_ = false;
  frames_.push_back({out_->size(), members_.size(), 0, map, true});
  out_->push_back(0); // the header, if it is a short one; see write_header
  return true;
}

bool canonical_writer::begin_array() {
  return begin(false);
}
bool canonical_writer::begin_map() {
  return begin(true);
}

bool canonical_writer::name(std::string_view name) {
  if (failed_)
    return false;
  if (frames_.empty() || !frames_.back().map || named_)
    return fail("a name where there is no member");
  auto& f = frames_.back();
  if (f.count > 0 && name <= name_of(members_.back()))
    f.sorted = false;
  ++f.count;
  named_ = true;
  member m{out_->size(), 0, name.size(), 0};
  append_string(*out_, name);
  m.name_start = out_->size() - name.size();
  members_.push_back(m);
  return true;
}

bool canonical_writer::end(bool map) {
  if (failed_)
    return false;
  if (frames_.empty() || frames_.back().map != map || named_)
    return fail("an end where there is none");
  const auto f = frames_.back();
  if (!f.sorted && !sort_members(f))
    return false;
  write_header(f);
  members_.resize(f.first_member);
  frames_.pop_back();
  done_ = frames_.empty();
  return true;
}

bool canonical_writer::end_array() {
  return end(false);
}
bool canonical_writer::end_map() {
  return end(true);
}

bool canonical_writer::sort_members(const frame& f) {
  const auto first = members_.begin() + static_cast<std::ptrdiff_t>(f.first_member);
  auto end_of = out_->size();
  for (auto m = members_.end(); m != first; --m) {
    (m - 1)->size = end_of - (m - 1)->start;
    end_of = (m - 1)->start;
  }
  std::sort(first, members_.end(), [this](const member& a, const member& b) { return name_of(a) < name_of(b); });
  const auto twice =
      std::adjacent_find(first, members_.end(), [this](const member& a, const member& b) { return name_of(a) == name_of(b); });
  if (twice != members_.end()) {
    members_.push_back(*twice); // for place()
    named_ = true;
    return fail("the name is there twice");
  }
  scratch_.clear();
  for (auto m = first; m != members_.end(); ++m)
    scratch_.append(*out_, m->start, m->size);
  out_->replace(f.start + 1, std::string::npos, scratch_);
  return true;
}

void canonical_writer::write_header(const frame& f) {
  if (f.count <= 15) {
    (*out_)[f.start] = static_cast<char>((f.map ? 0x80 : 0x90) | f.count);
    return;
  }
  std::string header;
  if (f.map)
    append_map_header(header, f.count);
  else
    append_array_header(header, f.count);
  out_->replace(f.start, 1, header);
}

namespace {

/// Hands one scalar, or the beginning of an array or map, to the writer.
bool write_value(canonical_writer& w, const msgpack_value& v) {
  switch (v.type) {
    case msgpack_type::nil: return w.null();
    case msgpack_type::boolean: return w.boolean(v.boolean);
    case msgpack_type::integer: return v.negative ? w.integer(v.as_int64()) : w.unsigned_integer(v.integer);
    case msgpack_type::number: return w.number(v.number);
    case msgpack_type::string: return valid_utf8(v.text) ? w.string(v.text) : w.fail("a string that is not UTF-8");
    case msgpack_type::array: return w.begin_array();
    case msgpack_type::map: return w.begin_map();
    case msgpack_type::bin: return w.fail("a bin value; send a string");
    case msgpack_type::ext: return w.fail("an ext value; send a string or a number");
    case msgpack_type::end:
    case msgpack_type::damaged: break;
  }
  return w.fail("the bytes end in the middle of a value, or are not msgpack");
}

bool write_name(canonical_writer& w, const msgpack_value& v) {
  if (v.type == msgpack_type::string)
    return valid_utf8(v.text) ? w.name(v.text) : w.fail("a name that is not UTF-8");
  if (v.type == msgpack_type::end || v.type == msgpack_type::damaged)
    return w.fail("the bytes end in the middle of a value, or are not msgpack");
  return w.fail("a name that is not a string");
}

} // namespace

tl::expected<std::string, std::string> canonical_from_msgpack(std::string_view bytes, unsigned depth_max) {
  struct open_value {
    std::uint32_t left;
    bool map;
  };
  std::string out;
  out.reserve(bytes.size() + 8);
  canonical_writer w{depth_max};
  w.start(out);
  msgpack_reader r{bytes};
  std::vector<open_value> open;
  do {
    if (!open.empty() && open.back().left == 0) {
      if (!(open.back().map ? w.end_map() : w.end_array()))
        return tl::unexpected(w.error());
      open.pop_back();
      continue;
    }
    if (!open.empty()) {
      --open.back().left;
      if (open.back().map && !write_name(w, r.next()))
        return tl::unexpected(w.error());
    }
    const auto v = r.next();
    if (!write_value(w, v))
      return tl::unexpected(w.error());
    if (v.type == msgpack_type::array || v.type == msgpack_type::map)
      open.push_back({v.count, v.type == msgpack_type::map});
  } while (!open.empty());
  if (!r.at_end() && !w.fail("something follows the value"))
    return tl::unexpected(w.error());
  return out;
}

} // namespace epione::domain
