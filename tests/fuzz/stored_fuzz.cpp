// What a damaged or hostile disk may hand back: the stored formats. The first byte says which one is tried. Whatever can be read
// can be written again and reads as the same.
#include "domain/canonical.hpp"
#include "domain/command.hpp"
#include "domain/event.hpp"
#include "domain/notice_change.hpp"
#include "domain/study.hpp"
#include "domain/study_addition.hpp"
#include "tests/fuzz/promise.hpp"

#include <algorithm>

using namespace epione;
using epione::fuzz::promise;

namespace {

void event(std::string_view bytes) {
  const auto read = domain::decode_event(bytes);
  if (!read)
    return promise(!read.error().empty(), "a refusal says why");
  const auto again = domain::decode_event(encode(*read));
  promise(again && again->time_us == read->time_us && again->who == read->who && again->entity == read->entity &&
              again->before == read->before && again->after == read->after && again->reason == read->reason,
          "an event reads as it was written");
}

void submission_event(std::string_view bytes) {
  const auto read = domain::decode_submission_event(bytes);
  if (!read)
    return promise(!read.error().empty(), "a refusal says why");
  const auto again = domain::decode_submission_event(domain::encode_submission_event(*read));
  promise(again && again->id == read->id && again->answers == read->answers && again->stored_us == read->stored_us &&
              again->scores.size() == read->scores.size() && again->alerts.size() == read->alerts.size() &&
              again->notices.size() == read->notices.size(),
          "a submission reads as it was written");
  const auto planned = domain::planned_notices(bytes);
  promise(planned && planned->size() == read->notices.size(), "its notices are found without the rest");
  domain::json_from_msgpack(read->answers);
}

void notice_event(std::string_view bytes) {
  const auto read = domain::decode_notice_event(bytes);
  if (!read)
    return promise(!read.error().empty(), "a refusal says why");
  const auto again = domain::decode_notice_event(domain::encode_notice_event(1, "system", *read));
  promise(again && again->size() == read->size() && again->back().seq == read->back().seq &&
              again->back().reason == read->back().reason,
          "what became of notices reads as it was written");
}

void batch(std::string_view bytes) {
  const auto read = domain::decode_batch(bytes);
  if (!read)
    return promise(!read.error().empty(), "a refusal says why");
  std::vector<domain::command> commands;
  for (const auto& c : *read) {
    promise(c.event.empty() || (c.event.data() >= bytes.data() && c.event.data() + c.event.size() <= bytes.data() + bytes.size()),
            "a view lies within the batch");
    commands.push_back({c.type, c.subject_hash, c.id, c.content, std::string{c.event}});
  }
  const auto written = domain::encode_batch(commands);
  const auto again = domain::decode_batch(written);
  promise(again && std::equal(again->begin(), again->end(), read->begin(), read->end(),
                              [](const auto& a, const auto& b) {
                                return a.type == b.type && a.subject_hash == b.subject_hash && a.id == b.id &&
                                       a.content == b.content && a.event == b.event;
                              }),
          "a batch reads as it was written");
}

void study(std::string_view bytes) {
  if (const auto read = domain::decode_study_source(bytes)) {
    const auto again = domain::decode_study_source(encode(*read));
    promise(again && again->toml == read->toml && again->forms.size() == read->forms.size(), "a study reads as it was written");
  }
}

void addition(std::string_view bytes) {
  if (const auto read = domain::decode_form_addition(bytes)) {
    const auto again = domain::decode_form_addition(encode(*read));
    promise(again && again->study == read->study && again->questionnaire == read->questionnaire && again->reason == read->reason,
            "a form to be added reads as it was written");
  }
}

void content(std::string_view bytes) {
  const auto canonical = domain::canonical_from_msgpack(bytes, 32);
  if (!canonical)
    return promise(!canonical.error().empty(), "a refusal says why");
  promise(domain::canonical_from_msgpack(*canonical, 32) == *canonical, "canonical content stays as it is");
  domain::json_from_msgpack(*canonical);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0]) {
    case 'e': event(bytes); break;
    case 's': submission_event(bytes); break;
    case 'n': notice_event(bytes); break;
    case 'b': batch(bytes); break;
    case 't': study(bytes); break;
    case 'a': addition(bytes); break;
    case 'c': content(bytes); break;
    default: break;
  }
  return 0;
}
