// The JSON that a web service is sent: a template whose texts may hold {placeholders}. What is put in always stays inside its
// text, because the template is read as JSON first and written as JSON last.
#pragma once

#include "messages/outgoing.hpp"

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::runtime {

class json_template {
public:
  /// A sentence when it is not JSON, or names a placeholder that does not exist.
  static tl::expected<json_template, std::string> parse(std::string_view text);

  std::string render(const messages::outgoing& m) const;
  /// Whether the message goes to whoever the recipient's address says.
  bool names_address() const { return names_address_; }

  /// {title}, {text}, ...: every placeholder with what it stands for, for the documentation.
  static const std::vector<std::pair<std::string, std::string>>& placeholders();

private:
  std::shared_ptr<const nlohmann::ordered_json> template_;
  bool names_address_ = false;
};

} // namespace epione::runtime
