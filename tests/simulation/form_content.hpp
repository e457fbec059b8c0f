// What a phone's app knows of the demo study: it fills in forms, rightly or wrongly, and knows by itself what must come of them.
// Written from the forms' published rules, not from the code that is checked.
#pragma once

#include "tests/simulation/chance.hpp"

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace epione::simulation {

/// One filled-in form. `authored` is different for every submission of a patient, so that what is read back can be told apart.
struct form_content {
  std::string form, authored;
  nlohmann::json answers; ///< as sent: choices by code or by number
  bool valid = true;

  // What must be read back when it is stored:
  nlohmann::json stored; ///< choices by code
  int total = 0;
  std::string label;
  std::vector<std::string> alerts;
};
using content_ptr = std::shared_ptr<const form_content>;

/// The `number`-th diary entry of a patient, filled in by chance.
content_ptr fill_in(chance& c, std::uint64_t number);
/// The same entry with other answers: still valid, and another content.
content_ptr change_answers(chance& c, const form_content& first);
/// An entry that must be refused with 422.
content_ptr fill_in_badly(chance& c, std::uint64_t number);
/// What is sent as `data`.
nlohmann::json data_of(const form_content& content);

} // namespace epione::simulation
