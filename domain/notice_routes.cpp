#include "domain/notice_routes.hpp"

#include "domain/json_text.hpp"
#include "domain/limits.hpp"

#include <algorithm>
#include <iterator>

namespace epione::domain {

namespace {

constexpr std::size_t sites_named_max = 5; // in one problem

bool serves(const recipient_entry& r, std::uint32_t site) {
  return r.sites.empty() || std::binary_search(r.sites.begin(), r.sites.end(), site);
}

} // namespace

notice_routes::notice_routes(const study_file& file, file_problems& problems)
    : recipients_(file.recipients), routes_(file.routes) {
  for (std::uint32_t i = 0; i < recipients_.size(); ++i) {
    const auto& r = recipients_[i];
    by_id_.emplace(r.who.id, i);
    if (r.who.role.empty())
      continue;
    auto& role = roles_[r.who.role];
    role.all.push_back(i);
    if (r.sites.empty())
      role.everywhere.push_back(i);
    for (const auto site : r.sites)
      role.at_site[site].push_back(i);
  }
  for (const auto& r : routes_)
    check_route(r, file, problems);
  check_number(file, problems);
}

const recipient* notice_routes::find_recipient(std::string_view id) const {
  const auto found = by_id_.find(std::string{id});
  return found == by_id_.end() ? nullptr : &recipients_[found->second].who;
}

std::vector<const recipient*> notice_routes::recipients() const {
  std::vector<const recipient*> out;
  for (const auto& r : recipients_)
    out.push_back(&r.who);
  return out;
}

std::vector<notice_plan> notice_routes::plan(std::uint32_t site, std::string_view form, const std::vector<alert>& alerts) const {
  std::vector<notice_plan> out;
  const auto covers = [&](const route_entry& r) { return (!r.site || *r.site == site) && (r.form.empty() || r.form == form); };
  for (const auto& a : alerts)
    for (const auto& r : routes_)
      if (r.on_alert && covers(r) && (r.rule.empty() || r.rule == a.rule))
        add(out, r, site, a.rule);
  for (const auto& r : routes_)
    if (!r.on_alert && covers(r))
      add(out, r, site, "");
  return out;
}

void notice_routes::add(std::vector<notice_plan>& out, const route_entry& r, std::uint32_t site, std::string_view rule) const {
  for (const auto i : reached(r, site)) {
    const auto& who = recipients_[i].who.id;
    for (const auto& channel : r.channels) {
      const auto same = std::find_if(out.begin(), out.end(), [&](const notice_plan& n) {
        return n.recipient == who && n.channel == channel && n.rule == rule;
      });
      if (same == out.end())
        out.push_back({std::string{rule}, channel, who, r.urgent});
      else
        same->urgent = same->urgent || r.urgent; // who is to be told at once is told at once
    }
  }
}

/// Of a site, in the order of the file.
std::vector<std::uint32_t> notice_routes::reached(const route_entry& r, std::uint32_t site) const {
  std::vector<std::uint32_t> out;
  if (r.role.empty()) {
    const auto found = by_id_.find(r.recipient);
    if (found != by_id_.end() && serves(recipients_[found->second], site))
      out.push_back(found->second);
    return out;
  }
  const auto role = roles_.find(r.role);
  if (role == roles_.end())
    return out;
  const auto here = role->second.at_site.find(site);
  const std::vector<std::uint32_t> nobody;
  const auto& local = here == role->second.at_site.end() ? nobody : here->second;
  std::merge(role->second.everywhere.begin(), role->second.everywhere.end(), local.begin(), local.end(), std::back_inserter(out));
  return out;
}

std::size_t notice_routes::reached_max(const route_entry& r) const {
  if (r.role.empty())
    return 1;
  const auto role = roles_.find(r.role);
  if (role == roles_.end())
    return 0;
  std::size_t most = 0;
  for (const auto& [site, here] : role->second.at_site)
    most = std::max(most, here.size());
  return role->second.everywhere.size() + most;
}

void notice_routes::check_route(const route_entry& r, const study_file& file, file_problems& problems) const {
  const auto named = [](const auto& list, const std::string& id) {
    return std::any_of(list.begin(), list.end(), [&](const auto& x) { return x.id == id; });
  };
  if (!r.form.empty() && !named(file.forms, r.form))
    problems.add(r.place, "the study has no form \"" + quotable(r.form) + "\"");
  if (!r.rule.empty()) {
    const auto rule = std::find_if(file.alerts.begin(), file.alerts.end(), [&](const auto& a) { return a.id == r.rule; });
    if (rule == file.alerts.end())
      problems.add(r.place, "the study has no alert \"" + quotable(r.rule) + "\"");
    else if (!r.form.empty() && rule->form != r.form)
      problems.add(r.place, "the alert \"" + quotable(r.rule) + "\" is one of the form \"" + quotable(rule->form) +
                                "\"; leave form out, or name that one");
  }
  if (!r.role.empty() && roles_.find(r.role) == roles_.end())
    return problems.add(r.place, "no recipient has the role \"" + quotable(r.role) + "\"");
  if (!r.recipient.empty() && by_id_.find(r.recipient) == by_id_.end())
    return problems.add(r.place, "the study has no recipient \"" + quotable(r.recipient) + "\"");
  check_reach(r, file, problems);
  check_addresses(r, file, problems);
}

/// An alert that reaches nobody looks like one that was sent. Of ordinary submissions a site may well want to hear nothing.
void notice_routes::check_reach(const route_entry& r, const study_file& file, file_problems& problems) const {
  if (r.site) {
    if (reached(r, *r.site).empty())
      problems.add(r.place, (r.role.empty() ? "its recipient is not one" : "no recipient of this role is one") +
                                std::string{" of the site \""} + file.sites[*r.site].id + "\"");
    return;
  }
  if (!r.on_alert || r.role.empty())
    return;
  std::string missing;
  std::size_t count = 0;
  for (std::uint32_t site = 0; site < file.sites.size(); ++site)
    if (reached(r, site).empty() && ++count <= sites_named_max)
      missing += (missing.empty() ? "" : ", ") + file.sites[site].id;
  if (count > sites_named_max)
    missing += " and " + std::to_string(count - sites_named_max) + " more";
  if (count > 0)
    problems.add(r.place, "nobody of the role \"" + quotable(r.role) + "\" would be told of alerts at: " + missing +
                              "; add recipients for these sites, or a route for each of the others");
}

/// Who has no address at all is reached by channels that know where to send: a log, the robot of a group. An address forgotten
/// among others would be found out only when an alert is to be sent there.
void notice_routes::check_addresses(const route_entry& r, const study_file&, file_problems& problems) const {
  std::vector<std::uint32_t> all;
  if (r.role.empty())
    all.push_back(by_id_.at(r.recipient));
  else
    all = roles_.find(r.role)->second.all;
  for (const auto i : all) {
    const auto& addresses = recipients_[i].who.addresses;
    if (addresses.empty())
      continue;
    for (const auto& channel : r.channels)
      if (std::none_of(addresses.begin(), addresses.end(), [&](const auto& a) { return a.first == channel; }))
        problems.add(recipients_[i].place, "it has no address for the channel \"" + quotable(channel) + "\" of " + r.place +
                                               "; add it to addresses, or give it none at all if its channels need none");
  }
}

/// At most, whatever the site and the answers are.
void notice_routes::check_number(const study_file& file, file_problems& problems) const {
  for (const auto& form : file.forms) {
    std::size_t most = 0;
    for (const auto& r : routes_) {
      if (!r.form.empty() && r.form != form.id)
        continue;
      const auto rules = !r.on_alert ? 1 : std::count_if(file.alerts.begin(), file.alerts.end(), [&](const auto& a) {
        return a.form == form.id && (r.rule.empty() || a.id == r.rule);
      });
      most += static_cast<std::size_t>(rules) * r.channels.size() * reached_max(r);
    }
    if (most > limits::notices_max)
      problems.add("routes", "one submission to the form \"" + quotable(form.id) + "\" could set off " + std::to_string(most) +
                                 " notices; " + std::to_string(limits::notices_max) +
                                 " is the most: use fewer recipients or channels, or one channel to a group");
  }
}

} // namespace epione::domain
