// Searching QuestionnaireResponses: newest first, merged over all shards, page by page.
//
// Each shard gives its own, newest first. A page takes the newest of all heads until it is full, or until a shard that has looked
// at as many events as it may has no head left: then nobody knows what comes next, and the page ends there, with a next one.
// Positions in the cursor are those of events, so that what is stored meanwhile moves nothing: it is newer than where the first
// page began. They are the same in all replicas, so that any node goes on, whoever leads by then. A page that one shard could not
// be read for is none at all.
#include "actors/fhir_searchset.hpp"
#include "actors/fhir_service.hpp"
#include "domain/canonical.hpp"
#include "domain/compiled_study.hpp"
#include "domain/fhir_assess.hpp"
#include "domain/fhir_outcome.hpp"
#include "domain/fhir_text.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <array>

namespace epione::actors {

using namespace messages;
namespace defaults = runtime::defaults;

struct fhir_service::search {
  struct shard {
    bool wanted = false;
    std::vector<stored_event> events;
    std::size_t taken = 0;
    std::uint64_t next = 0; ///< behind its events
    bool has_head() const { return taken < events.size(); }
    std::uint64_t position() const { return has_head() ? events[taken].seq + 1 : next; }
  };
  call_ptr c;
  std::uint32_t count = 0;
  std::uint64_t catalog = 0; ///< what was known of the studies when the search was read, or before
  std::vector<shard> shards;
  std::size_t open = 0;
  bool failed = false;
};

namespace {

std::int64_t stored_us_of(const stored_event& e) {
  const auto record = domain::decode_record_event(e.bytes);
  return record ? record->stored_us : 0;
}

} // namespace

/// False, and answered, when a parameter is not as it must be.
bool fhir_service::read_filter(const call& c, domain::response_filter& filter, std::optional<place>& one_subject) const {
  const auto snapshot = catalog_.get();
  if (const auto study = c.parameter("study")) {
    if (snapshot->studies.find(*study) == snapshot->studies.end())
      return c.fail(400, "not-found", "unknown study"), false;
    filter.study = *study;
  }
  std::optional<std::string> subject;
  for (const auto& [name, value] : c.query) {
    if (name == "subject" || name == "subject:Patient" || name == "patient") {
      auto id = id_of_reference(value, "Patient");
      if (id.empty() && value.find('/') == std::string::npos)
        id = value;
      const auto found = domain::subject_of_patient(id);
      if (!found)
        return c.fail(400, "invalid", name + " must be Patient/ID, or the id"), false;
      if (subject && *subject != *found)
        return c.fail(400, "invalid", "subject and patient name two patients; no response has both"), false;
      subject = *found;
    } else if (name == "questionnaire") {
      filter.by_form = true;
      for (const auto& canonical : alternatives(value)) {
        const auto bar = canonical.find('|');
        for (const auto& [id, study] : snapshot->studies)
          if (const auto* form = domain::find_form(study->compiled(), canonical.substr(0, bar)); form != nullptr)
            filter.forms.push_back({id, form->id, bar == std::string::npos ? std::string{} : canonical.substr(bar + 1)});
      }
    } else if (name == "authored") {
      auto& choices = filter.authored.emplace_back();
      for (const auto& text : alternatives(value)) {
        const auto choice = authored_choice(text);
        if (!choice)
          return c.fail(400, "invalid", "authored must be a date or dateTime, perhaps with a prefix: ge2024-05-01"), false;
        choices.push_back(*choice);
      }
    } else if (name == "status") {
      constexpr std::array<std::string_view, 5> known{"in-progress", "completed", "amended", "entered-in-error", "stopped"};
      for (const auto& text : alternatives(value)) {
        if (std::find(known.begin(), known.end(), text) == known.end())
          return c.fail(400, "code-invalid", "status must be in-progress, completed, amended, entered-in-error or stopped"),
                 false;
        filter.statuses.push_back(text);
      }
    } else if (name == "identifier") {
      auto& choices = filter.identifiers.emplace_back();
      for (const auto& text : alternatives(value))
        choices.push_back(identifier_choice(text));
    }
  }
  if (!subject)
    return true;
  std::string problem;
  const auto study = study_for(c, *snapshot, *subject, {}, problem);
  if (study == nullptr && problem.starts_with("several"))
    return c.fail(400, "multiple-matches", problem), false;
  filter.subject = *subject;
  filter.study = study == nullptr ? std::string{} : study->id();
  const auto hash = domain::subject_hash(filter.study, filter.subject);
  one_subject = place{hash, domain::shard_of(hash, options_.shards)};
  return true;
}

void fhir_service::search_responses(const call_ptr& c) {
  if (!c->only({"_id", "_count", "_cursor", "_summary", "_elements", "identifier", "subject", "subject:Patient", "patient",
                "questionnaire", "authored", "status", "study"}) ||
      !c->take_part(true))
    return;
  const auto count = c->take_count(options_.page_max);
  if (!count)
    return;
  auto s = std::make_shared<search>();
  s->c = c;
  s->count = *count;
  const auto cursor_text = c->parameter("_cursor");
  const auto cursor = cursor_text ? decode_cursor(*cursor_text) : std::optional<search_cursor>{};
  s->catalog = catalog_.get()->changed_seq;
  if (cursor && cursor->catalog > s->catalog)
    return c->done({.status = 503,
                    .body = domain::outcome_text(
                        "transient", "this node has not read yet what the page before knew of the studies; try again", "unknown"),
                    .retry_after_s = options_.retry_after_s});
  domain::response_filter filter;
  std::optional<place> one_subject;
  if (!read_filter(*c, filter, one_subject))
    return;
  if (const auto id = c->parameter("_id"))
    return search_by_id(c, std::move(filter), alternatives(*id), s->count);
  if (s->count == 0)
    return count_responses(c, std::move(filter), one_subject);
  const std::uint32_t first = one_subject ? one_subject->shard : 1, last = one_subject ? one_subject->shard : options_.shards;
  s->shards.resize(last - first + 1);
  if (cursor_text && (!cursor || cursor->positions.size() != s->shards.size()))
    return c->fail(400, "invalid", "_cursor must be that of the link next of an earlier page of the same search");
  const auto positions = cursor ? cursor->positions : std::vector<std::uint64_t>(s->shards.size(), 0);
  for (std::size_t i = 0; i < s->shards.size(); ++i) {
    s->shards[i].wanted = !cursor_text || positions[i] != 0;
    s->open += s->shards[i].wanted;
  }
  if (s->open == 0)
    return merge(*s);
  for (std::size_t i = 0; i < s->shards.size(); ++i) {
    if (!s->shards[i].wanted)
      continue;
    auto r = std::make_shared<read_request>();
    r->filter = filter;
    r->shard = first + static_cast<std::uint32_t>(i);
    r->subject_hash = one_subject ? one_subject->subject_hash : r->shard;
    r->before_seq = positions[i];
    r->limit = s->count + 1;
    ports_.read(std::move(r), [this, s, i](const std::vector<stored_event>* events) {
      --s->open;
      if (events == nullptr || events->empty()) { // an answer says at least where it ends
        s->failed = true;
      } else {
        s->shards[i].events.assign(events->begin(), events->end() - 1);
        s->shards[i].next = events->back().seq;
      }
      if (s->open == 0)
        merge(*s);
    });
  }
}

void fhir_service::merge(search& s) {
  const auto& c = *s.c;
  if (s.failed)
    return c.done({.status = 503,
                   .body = domain::outcome_text("transient", "a shard cannot be read just now; try again", "unknown"),
                   .retry_after_s = options_.retry_after_s});
  searchset found{c.request->base + "/QuestionnaireResponse"};
  while (found.matches() < s.count) {
    search::shard* newest = nullptr;
    std::int64_t newest_us = 0;
    bool unknown = false;
    for (auto& shard : s.shards) {
      if (!shard.has_head()) {
        unknown = unknown || shard.next != 0;
        continue;
      }
      const auto at = stored_us_of(shard.events[shard.taken]);
      if (newest == nullptr || at > newest_us) {
        newest = &shard;
        newest_us = at;
      }
    }
    if (newest == nullptr || unknown)
      break;
    const auto versions = versions_of(newest->events[newest->taken]);
    auto text = versions.empty() ? std::nullopt : resource_of(versions.back());
    if (!text)
      return c.done(unreadable());
    ++newest->taken;
    found.add_match(to_text(versions.back().record.id), part_of_resource(std::move(*text), c.part));
  }
  found.add_ignored(c.ignored);
  found.add_link("self", query_text(c.query));
  search_cursor next{s.catalog, {}};
  for (const auto& shard : s.shards)
    next.positions.push_back(shard.wanted ? shard.position() : 0);
  if (std::any_of(next.positions.begin(), next.positions.end(), [](auto p) { return p != 0; })) {
    const auto rest = query_text(c.query, "_cursor");
    found.add_link("next", rest + (rest.empty() ? "" : "&") + "_cursor=" + encode_cursor(next));
  }
  c.done({.status = 200, .body = found.text({})});
}

/// Responses by their ids, those that are what the rest of the search asks for; `count` 0: only how many.
void fhir_service::search_by_id(const call_ptr& c, domain::response_filter filter, const std::vector<std::string>& ids,
                                std::uint32_t count) {
  // Each may have to be looked for in all shards, and there are no further pages.
  const auto most = count == 0 ? defaults::bundle_entries_max : std::min(count, defaults::bundle_entries_max);
  std::vector<domain::receipt> receipts;
  for (const auto& id : ids)
    if (const auto receipt = domain::parse_receipt(id);
        receipt && std::find(receipts.begin(), receipts.end(), *receipt) == receipts.end())
      receipts.push_back(*receipt);
  if (receipts.size() > most)
    return c->fail(400, "too-costly",
                   "_id takes " + std::to_string(most) + " ids here; ask for the others in a search of their own");
  struct survey {
    domain::response_filter filter;
    std::vector<read_answer> answers;
    std::size_t open = 0;
  };
  auto all = std::make_shared<survey>();
  all->filter = std::move(filter);
  all->answers.resize(receipts.size());
  all->open = receipts.size();
  const auto show = [this, c, count, all] {
    searchset out{c->request->base + "/QuestionnaireResponse"};
    std::uint64_t total = 0;
    for (const auto& found : all->answers) {
      if (found.failed)
        return c->done({.status = 503,
                        .body = domain::outcome_text("transient", "a shard cannot be read just now; try again", "unknown"),
                        .retry_after_s = options_.retry_after_s});
      if (found.events.empty())
        continue;
      const auto versions = versions_of(found.events.front());
      if (versions.empty())
        return c->done(unreadable());
      if (!domain::matches(all->filter, versions.back().record))
        continue;
      ++total;
      if (count == 0)
        continue;
      auto text = resource_of(versions.back());
      if (!text)
        return c->done(unreadable());
      out.add_match(to_text(versions.back().record.id), part_of_resource(std::move(*text), c->part));
    }
    out.add_link("self", query_text(c->query));
    if (count != 0)
      out.add_ignored(c->ignored);
    c->done({.status = 200, .body = out.text(total)});
  };
  if (receipts.empty())
    return show();
  for (std::size_t i = 0; i < receipts.size(); ++i)
    locate(receipts[i], [all, i, show](read_answer found) {
      all->answers[i] = std::move(found);
      if (--all->open == 0)
        show();
    });
}

} // namespace epione::actors
