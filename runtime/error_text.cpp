#include "runtime/error_text.hpp"

#include <caf/all.hpp>

namespace epione::runtime {

std::optional<ec> code_of(const caf::error& x) {
  if (!x || x.category() != caf::detail::error_factory<ec>::category)
    return std::nullopt;
  return static_cast<ec>(x.code());
}

std::string error_code_text(const caf::error& x) {
  if (!x)
    return "normal";
  if (const auto ours = code_of(x))
    return to_string(*ours);
  if (x.category() == caf::atom("exit"))
    return caf::to_string(static_cast<caf::exit_reason>(x.code()));
  if (x.category() == caf::atom("system"))
    return caf::to_string(static_cast<caf::sec>(x.code()));
  return caf::to_string(x.category()) + " " + std::to_string(x.code());
}

std::string context_text(const caf::error& x) {
  if (!code_of(x) || x.context().size() == 0 || !x.context().match_element<std::string>(0))
    return {};
  return x.context().get_as<std::string>(0);
}

std::string sentence_of(const caf::error& x) {
  auto context = context_text(x);
  if (!context.empty())
    return context;
  const auto ours = code_of(x);
  return ours ? std::string{description(*ours)} : "no answer came (" + error_code_text(x) + ")";
}

std::string error_text(const caf::error& x) {
  const auto context = context_text(x);
  return context.empty() ? error_code_text(x) : error_code_text(x) + ": " + context;
}

} // namespace epione::runtime
