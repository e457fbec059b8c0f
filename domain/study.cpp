#include "domain/study.hpp"

#include "domain/compiled_study.hpp"
#include "domain/msgpack.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

constexpr std::uint64_t source_format = 1;

} // namespace

study::study(std::shared_ptr<const compiled_study> impl) : impl_(std::move(impl)) {}
study::~study() = default;
const std::string& study::id() const {
  return impl_->id;
}
const std::string& study::title() const {
  return impl_->title;
}
const compiled_study& study::compiled() const {
  return *impl_;
}
verdict study::assess(std::string_view content, std::optional<std::int64_t> now_us) const {
  return domain::assess(*impl_, content, now_us);
}

std::vector<notice_plan> study::plan_notices(std::string_view site, std::string_view form,
                                             const std::vector<alert>& alerts) const {
  if (impl_->routes.empty())
    return {};
  const auto found = std::find_if(impl_->sites.begin(), impl_->sites.end(), [&](const auto& s) { return s.id == site; });
  if (found == impl_->sites.end())
    return {};
  return impl_->routes.plan(static_cast<std::uint32_t>(found - impl_->sites.begin()), form, alerts);
}

std::vector<const recipient*> study::recipients() const {
  return impl_->routes.recipients();
}

const recipient* study::find_recipient(std::string_view id) const {
  return impl_->routes.find_recipient(id);
}

std::optional<std::string> study::site_of(std::string_view subject) const {
  const auto index = impl_->subjects.site_of(subject);
  if (!index)
    return std::nullopt;
  return impl_->sites[*index].id;
}

const compiled_form* compiled_study::find_form(std::string_view form_id) const {
  const auto found = std::find_if(forms.begin(), forms.end(), [&](const auto& f) { return f.id == form_id; });
  return found == forms.end() ? nullptr : &*found;
}

const compiled_form* compiled_study::find_form(std::string_view form_id, std::string_view version) const {
  if (const auto* newest = find_form(form_id); newest != nullptr && newest->version == version)
    return newest;
  const auto found =
      std::find_if(earlier.begin(), earlier.end(), [&](const auto& f) { return f->id == form_id && f->version == version; });
  return found == earlier.end() ? nullptr : found->get();
}

// [1, study.toml, [[name, text], ...]]
std::string encode(const study_source& source) {
  std::string out;
  append_array_header(out, 3);
  append_uint(out, source_format);
  append_string(out, source.toml);
  append_array_header(out, static_cast<std::uint32_t>(source.forms.size()));
  for (const auto& f : source.forms) {
    append_array_header(out, 2);
    append_string(out, f.name);
    append_string(out, f.text);
  }
  return out;
}

tl::expected<study_source, std::string> decode_study_source(std::string_view bytes) {
  const tl::unexpected<std::string> damaged{
      std::string{"the study's source is damaged, or of a format that this version does not know"}};
  msgpack_reader r{bytes};
  const auto outer = r.next();
  const auto format = r.next();
  const auto toml = r.next();
  const auto forms = r.next();
  if (outer.type != msgpack_type::array || outer.count != 3 || !format.is_uint64() || format.integer != source_format ||
      toml.type != msgpack_type::string || forms.type != msgpack_type::array)
    return damaged;
  study_source source;
  source.toml.assign(toml.text);
  for (std::uint32_t i = 0; i < forms.count; ++i) { // grows with what is really there, whatever the count says
    const auto pair = r.next();
    const auto name = r.next();
    const auto text = r.next();
    if (pair.type != msgpack_type::array || pair.count != 2 || name.type != msgpack_type::string ||
        text.type != msgpack_type::string)
      return damaged;
    source.forms.push_back({std::string{name.text}, std::string{text.text}});
  }
  if (!r.at_end())
    return damaged;
  return source;
}

} // namespace epione::domain
