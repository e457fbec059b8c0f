// What one subject's requests were answered, as operations that can be put in order (linearizability.hpp). Only statuses, keys
// and what was shown are taken down while a seed runs; nothing is judged before its end.
//
// A history that is read in pages is one operation, at the moment of its first page. That loses nothing: the first page shows the
// list's end, and a cursor stands for a place in a list that only grows at its end, so what the later pages show is what the list
// had before that place already when the first one was read. If a later page is not answered, what was shown is still the end of
// the list at that moment.
#pragma once

#include "tests/simulation/form_content.hpp"
#include "tests/simulation/linearizability.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace epione::simulation {

class subject_history {
public:
  using number = std::size_t; ///< of an operation

  /// `can_be_stored`: the form is right and the subject enrolled.
  number submission_sent(const std::string& key, const content_ptr& what, bool can_be_stored, std::int64_t now_ns);
  /// `outcome`: of a 503. `sends_again`: nodes repeat a request by themselves.
  void submission_answered(number n, int status, std::string_view outcome, bool sends_again, std::int64_t now_ns);

  number history_asked(std::int64_t now_ns);
  /// `items`: an array, newest first. `last`: nothing is before them.
  void page_answered(number n, const nlohmann::json& items, bool last, std::int64_t now_ns);

  number one_asked(const std::string& key, std::int64_t now_ns);
  /// With 200 or 404.
  void one_answered(number n, int status, const nlohmann::json& item, std::int64_t now_ns);

  const std::vector<operation>& operations() const { return operations_; }
  /// Those that say something.
  std::size_t size() const;
  order_verdict judge() const;
  /// "12.101-12.303 s k3 stored"; times since `start_ns`.
  std::string describe(number n, std::int64_t start_ns) const;

private:
  struct sent_key {
    std::string name;
    std::vector<content_ptr> contents; ///< by number
  };

  number add(operation op);
  std::uint32_t key_number(const std::string& key);
  content_set content_bit(std::uint32_t key, const content_ptr& what);
  shown_item recognise(const nlohmann::json& item) const;
  content_set fitting(std::uint32_t key, const nlohmann::json& item) const;
  std::string name(std::uint32_t key, content_set contents) const;

  std::vector<operation> operations_;
  std::vector<sent_key> keys_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_, by_authored_;
  bool too_many_contents_ = false; ///< under one key, to be told apart
};

} // namespace epione::simulation
