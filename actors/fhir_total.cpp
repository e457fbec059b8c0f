// How many responses a search would find. No shard keeps such numbers: each is read to its end, page after page, as a client that
// follows the links would do it, and what is found is counted and thrown away. So the total is exact, or none: what would take
// too long is refused, never estimated.
#include "actors/fhir_searchset.hpp"
#include "actors/fhir_service.hpp"
#include "domain/fhir_outcome.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>

namespace epione::actors {

using namespace messages;
namespace defaults = runtime::defaults;

struct fhir_service::tally {
  call_ptr c;
  domain::response_filter filter;
  std::vector<place> parts; ///< of one patient its chain, else each shard
  std::uint64_t total = 0, looked_at = 0;
  std::size_t open = 0;
  bool failed = false, too_many = false;
};

void fhir_service::count_responses(const call_ptr& c, domain::response_filter filter, std::optional<place> one_subject) {
  auto t = std::make_shared<tally>();
  t->c = c;
  t->filter = std::move(filter);
  if (one_subject)
    t->parts.push_back(*one_subject);
  else
    for (std::uint32_t shard = 1; shard <= options_.shards; ++shard)
      t->parts.push_back({shard, shard});
  t->open = t->parts.size();
  for (std::size_t part = 0; part < t->parts.size(); ++part)
    count_on(t, part, 0);
}

/// Counts what the shard has before `before_seq` (0: all), one page now and the others after it.
void fhir_service::count_on(const std::shared_ptr<tally>& t, std::size_t part, std::uint64_t before_seq) {
  auto r = std::make_shared<read_request>();
  r->filter = t->filter;
  r->shard = t->parts[part].shard;
  r->subject_hash = t->parts[part].subject_hash;
  r->before_seq = before_seq;
  r->limit = options_.page_max;
  ports_.read(std::move(r), [this, t, part, before_seq](const std::vector<stored_event>* events) {
    std::uint64_t next = 0;
    if (events == nullptr || events->empty()) { // an answer says at least where it ends
      t->failed = true;
    } else {
      t->total += events->size() - 1;
      next = events->back().seq;
      t->failed = t->failed || (before_seq != 0 && next >= before_seq); // it would never end
      // Nobody has said where the newest page began: a full one, as far as it is known, at its first response; another one
      // looked at as much as it may. Along a patient's chain events of others are passed over.
      const auto from = before_seq != 0                           ? before_seq
                        : events->size() - 1 == options_.page_max ? events->front().seq + 1
                                                                  : next + defaults::search_look_max;
      t->looked_at += std::min<std::uint64_t>(from - next, defaults::search_look_max);
    }
    if (next != 0 && t->looked_at > defaults::search_count_max)
      t->too_many = true;
    if (next != 0 && !t->failed && !t->too_many)
      return count_on(t, part, next);
    if (--t->open != 0)
      return;
    const auto& c = *t->c;
    if (t->failed)
      return c.done({.status = 503,
                     .body = domain::outcome_text("transient", "a shard cannot be read just now; try again", "unknown"),
                     .retry_after_s = options_.retry_after_s});
    if (t->too_many)
      return c.fail(400, "too-costly",
                    "to count them more than " + std::to_string(defaults::search_count_max) +
                        " events would have to be looked at; search for one patient, or follow the links next and count");
    searchset out{c.request->base + "/QuestionnaireResponse"};
    out.add_link("self", query_text(c.query));
    c.done({.status = 200, .body = out.text(t->total)});
  });
}

} // namespace epione::actors
