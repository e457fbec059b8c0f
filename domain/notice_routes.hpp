// The routes of a study, compiled: who is told of what.
#pragma once

#include "domain/event.hpp"
#include "domain/notice_route.hpp"
#include "domain/study_file.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace epione::domain {

class notice_routes {
public:
  notice_routes() = default;
  /// `file` as read_study_file() gives it, with its sites. Routes that name what is not there, or that could reach nobody, are
  /// problems.
  notice_routes(const study_file& file, file_problems& problems);

  bool empty() const { return routes_.empty(); }
  const recipient* find_recipient(std::string_view id) const;
  std::vector<const recipient*> recipients() const;
  std::vector<notice_plan> plan(std::uint32_t site, std::string_view form, const std::vector<alert>& alerts) const;

private:
  /// Indices of recipients, in the order of the file.
  struct role {
    std::vector<std::uint32_t> everywhere;
    std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> at_site;
    std::vector<std::uint32_t> all;
  };

  void check_route(const route_entry& r, const study_file& file, file_problems& problems) const;
  void check_reach(const route_entry& r, const study_file& file, file_problems& problems) const;
  void check_addresses(const route_entry& r, const study_file& file, file_problems& problems) const;
  void check_number(const study_file& file, file_problems& problems) const;
  std::vector<std::uint32_t> reached(const route_entry& r, std::uint32_t site) const;
  std::size_t reached_max(const route_entry& r) const;
  void add(std::vector<notice_plan>& out, const route_entry& r, std::uint32_t site, std::string_view rule) const;

  std::vector<recipient_entry> recipients_;
  std::unordered_map<std::string, std::uint32_t> by_id_;
  std::map<std::string, role, std::less<>> roles_;
  std::vector<route_entry> routes_; ///< in the order of the file
};

} // namespace epione::domain
