// A study's files as somebody wrote them: study.toml, then its questionnaires, each behind a line feed and a form feed. Either
// every problem is named, or it compiles into something that can be asked.
#include "domain/canonical.hpp"
#include "domain/study.hpp"
#include "tests/fuzz/promise.hpp"

using namespace epione;
using epione::fuzz::promise;

namespace {

domain::study_source split(std::string_view text) {
  domain::study_source source;
  constexpr std::string_view separator = "\n\f";
  const auto take = [&] {
    const auto end = std::min(text.find(separator), text.size());
    std::string part{text.substr(0, end)};
    text.remove_prefix(std::min(end + separator.size(), text.size()));
    return part;
  };
  source.toml = take();
  while (!text.empty())
    source.forms.push_back({"f" + std::to_string(source.forms.size()) + ".json", take()});
  return source;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto source = split({reinterpret_cast<const char*>(data), size});
  const auto again = domain::decode_study_source(encode(source));
  promise(again && again->toml == source.toml && again->forms.size() == source.forms.size(), "what is stored can be read");
  const auto study = domain::compile_study(source);
  if (!study) {
    promise(!study.error().empty(), "a refusal names a problem");
    for (const auto& p : study.error())
      promise(!p.message.empty(), "a problem has a sentence");
    return 0;
  }
  promise(!(*study)->id().empty(), "a study has an id");
  (*study)->site_of("1");
  static const auto content = *domain::canonical_from_msgpack("\x81\xa4"
                                                              "form\xa1"
                                                              "f",
                                                              8);
  promise(!(*study)->assess(content).accepted() || true, "it can be asked");
  return 0;
}
