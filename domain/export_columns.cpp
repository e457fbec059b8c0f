#include "domain/export_columns.hpp"

#include "domain/compiled_study.hpp"

#include <algorithm>
#include <set>

namespace epione::domain {

namespace {

using study_versions = std::vector<std::shared_ptr<const study>>;

/// Newest first, then from the oldest on: the order in which columns are taken.
std::vector<const compiled_form*> versions_of(const study_versions& versions, std::string_view form) {
  std::vector<const compiled_form*> out;
  const auto take = [&](const study& s) {
    if (const auto* found = s.compiled().find_form(form))
      out.push_back(found);
  };
  take(*versions.back());
  for (std::size_t i = 0; i + 1 < versions.size(); ++i)
    take(*versions[i]);
  return out;
}

std::vector<export_form::score_column> scores_of(const std::vector<const compiled_form*>& versions) {
  std::vector<export_form::score_column> out;
  for (const auto* form : versions) {
    for (const auto& rule : form->scores) {
      auto found = std::find_if(out.begin(), out.end(), [&](const auto& c) { return c.name == rule.name; });
      if (found == out.end())
        found = out.insert(out.end(), {rule.name, 0, 0});
      if (!rule.bands.empty())
        found->label = 1; // labelled; its place follows
    }
  }
  std::size_t next = 0;
  for (auto& c : out) {
    const bool labelled = c.label == 1;
    c.value = next++;
    c.label = labelled ? next++ : c.value;
  }
  return out;
}

std::vector<std::string> questions_of(const std::vector<const compiled_form*>& versions) {
  std::vector<std::string> out;
  std::set<std::string, std::less<>> known;
  for (const auto* form : versions)
    for (const auto& item : form->form.items)
      if (is_question(item.type) && known.insert(item.link_id).second)
        out.push_back(item.link_id);
  return out;
}

} // namespace

std::vector<std::string> form_ids(const study_versions& versions) {
  std::vector<std::string> out;
  const auto take = [&](const study& s) {
    for (const auto& form : s.compiled().forms)
      if (std::find(out.begin(), out.end(), form.id) == out.end())
        out.push_back(form.id);
  };
  take(*versions.back());
  for (const auto& v : versions)
    take(*v);
  return out;
}

export_columns::export_columns(const study_versions& versions, std::string_view form) {
  std::set<std::string, std::less<>> taken;
  const auto add = [&](std::string name) {
    // A form's id and a linkId may both have dots in them, so two pairs can give one name.
    auto unique = name;
    for (int n = 2; !taken.insert(unique).second; ++n)
      unique = name + "#" + std::to_string(n);
    names_.push_back(std::move(unique));
  };
  for (const auto* name :
       {"study", "site", "subject", "receipt", "form", "version", "authored", "stored", "shard", "seq", "key", "alerts"})
    add(name);
  for (const auto& id : form_ids(versions)) {
    if (!form.empty() && id != form)
      continue;
    const auto all = versions_of(versions, id);
    export_form f;
    f.id = id;
    f.first = names_.size();
    f.scores = scores_of(all);
    for (const auto& score : f.scores) {
      add(id + ":" + score.name);
      if (score.label != score.value)
        add(id + ":" + score.name + ":label");
    }
    for (auto& link_id : questions_of(all)) {
      f.items.emplace_back(link_id, names_.size() - f.first);
      add(id + "." + link_id);
    }
    std::sort(f.items.begin(), f.items.end());
    f.count = names_.size() - f.first;
    forms_.push_back(std::move(f));
  }
}

const export_form* export_columns::find(std::string_view form) const {
  const auto found = std::find_if(forms_.begin(), forms_.end(), [&](const auto& f) { return f.id == form; });
  return found == forms_.end() ? nullptr : &*found;
}

} // namespace epione::domain
