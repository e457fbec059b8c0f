#include "domain/subject_directory.hpp"

#include "domain/json_text.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

/// A number as it is written without a sign, without leading zeros and without anything else.
std::optional<std::uint64_t> parse_plain_number(std::string_view text) {
  if (text.empty() || text.size() > 18 || (text.front() == '0' && text.size() > 1))
    return std::nullopt;
  std::uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9')
      return std::nullopt;
    value = 10 * value + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

} // namespace

subject_directory::subject_directory(const std::vector<subject_group>& groups, file_problems& problems) {
  for (const auto& g : groups) {
    if (g.first > g.last)
      continue;
    auto same = std::find_if(ranges_.begin(), ranges_.end(), [&](const auto& r) { return r.prefix == g.prefix; });
    if (same == ranges_.end())
      same = ranges_.insert(ranges_.end(), {g.prefix, {}});
    same->ranges.push_back({g.first, g.last, g.sites});
  }
  for (auto& r : ranges_)
    std::sort(r.ranges.begin(), r.ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& g : groups) {
    std::size_t turn = 0;
    for (const auto& id : g.ids) {
      if (site_in_ranges(id))
        problems.add(g.place, "the subject \"" + quotable(id) + "\" lies in a range as well; a subject has one site");
      listed_.emplace(id, g.sites[turn++ % g.sites.size()]);
    }
  }
}

std::optional<std::uint32_t> subject_directory::site_of(std::string_view subject) const {
  if (const auto site = site_in_ranges(subject))
    return site;
  const auto found = listed_.find(subject);
  if (found == listed_.end())
    return std::nullopt;
  return found->second;
}

std::optional<std::uint32_t> subject_directory::site_in_ranges(std::string_view subject) const {
  for (const auto& group : ranges_) {
    if (subject.substr(0, group.prefix.size()) != group.prefix)
      continue;
    const auto number = parse_plain_number(subject.substr(group.prefix.size()));
    if (!number)
      continue;
    auto above = std::upper_bound(group.ranges.begin(), group.ranges.end(), *number,
                                  [](std::uint64_t n, const range& r) { return n < r.first; });
    if (above == group.ranges.begin())
      continue;
    const auto& r = *std::prev(above);
    if (*number <= r.last)
      return r.sites[(*number - r.first) % r.sites.size()];
  }
  return std::nullopt;
}

} // namespace epione::domain
