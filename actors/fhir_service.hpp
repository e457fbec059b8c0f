// The FHIR R4 interface: from a request under /fhir to its answer, by submissions, reads and changes that the gateway carries to
// the shards. Knows no HTTP connection and keeps nothing but where receipts were found; what waits is the actor's
// (actors/fhir.hpp).
#pragma once

#include "actors/fhir_part.hpp"
#include "actors/fhir_query.hpp"
#include "domain/event.hpp"
#include "domain/json_document.hpp"
#include "domain/study_addition.hpp"
#include "messages/errors.hpp"
#include "messages/fhir.hpp"
#include "messages/submission.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/random.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace epione::actors {

struct fhir_answer {
  int status = 200;
  std::string body = {};
  std::string location = {};    ///< empty: none
  std::uint64_t version = 0;    ///< for ETag; 0: none
  std::string etag_text = {};   ///< the same where a version is no number
  std::int64_t modified_us = 0; ///< 0: none
  std::string allow = {};       ///< of 405
  std::uint32_t retry_after_s = 0;
};
using fhir_done = std::function<void(fhir_answer)>;

/// Each is answered once, on the service's own actor.
struct fhir_ports {
  std::function<void(messages::submission_ptr, std::function<void(const messages::reply&)>)> submit;
  std::function<void(messages::change_request_ptr, std::function<void(const messages::reply&)>)> change;
  /// Null: the shard could not be read.
  std::function<void(messages::read_request_ptr, std::function<void(const std::vector<messages::stored_event>*)>)> read;
  /// Answered with ec::none and the form's id in its study, or why not and a text: a sentence, or of ec::invalid, ec::conflict
  /// and ec::not_found lines "file\tplace\tmessage".
  std::function<void(std::shared_ptr<const domain::form_addition>, std::function<void(ec, const std::string&, bool changed)>)>
      add_form;
};

struct fhir_options {
  std::uint32_t shards = 0;
  std::uint32_t page_max = 0;
  std::uint32_t retry_after_s = 0;
};

class fhir_service {
public:
  fhir_service(fhir_ports ports, fhir_options options, const runtime::catalog_view& catalog, runtime::clock& clock,
               runtime::random_source& random)
      : ports_(std::move(ports)), options_(options), catalog_(catalog), clock_(clock), random_(random) {}

  void handle(messages::fhir_request_ptr request, fhir_done done);

private:
  /// One request while it is worked on.
  struct call {
    messages::fhir_request_ptr request;
    query_parameters query;
    wanted_return wanted = wanted_return::representation;
    wanted_handling handling = wanted_handling::usual;
    wanted_part part;                 ///< of each resource that is shown
    std::vector<std::string> ignored; ///< parameters that were left out of account, and of `query`
    fhir_done done;
    void fail(int status, std::string_view code, std::string_view sentence) const;
    std::optional<std::string> parameter(std::string_view name) const;
    /// False, and answered, when there is a parameter that is not among these and must not be left out of account, or one that
    /// is there several times and must not be.
    bool only(std::initializer_list<std::string_view> names);
    /// Reads _summary and _elements. False, and answered, when they are not as they must be, or ask for a number where there is
    /// nothing to count.
    bool take_part(bool counts);
    /// Entries of a page of a search, `most` at most, whatever is asked for; 0: only the total is wanted (FHIR R4, search,
    /// "count"). In `query` it then stands as it is kept. Nothing, and answered, when _count is no number.
    std::optional<std::uint32_t> take_count(std::uint32_t most);
  };
  using call_ptr = std::shared_ptr<call>;

  /// One version of a stored response.
  struct version {
    std::uint64_t number = 1;
    domain::submission_record record;
  };
  struct read_answer {
    bool failed = false; ///< it could not be read, which says nothing
    std::vector<messages::stored_event> events;
  };
  struct place {
    std::uint64_t subject_hash = 0;
    std::uint32_t shard = 0;
  };
  /// Why an entry cannot be carried out.
  struct refusal {
    int status = 422;
    std::string outcome;
  };

  // fhir_service.cpp
  void route(const call_ptr& c, const std::vector<std::string>& path);
  std::shared_ptr<const domain::study> study_for(const call& c, const runtime::catalog_snapshot& catalog,
                                                 std::string_view subject, std::string_view questionnaire,
                                                 std::string& problem) const;

  // fhir_forms.cpp: what is there without asking a shard
  void metadata(const call_ptr& c);
  void search_forms(const call_ptr& c);
  void read_form(const call_ptr& c, const std::string& id, const std::string* version);
  void read_patient(const call_ptr& c, const std::string& id);
  void validate(const call_ptr& c, std::string_view type);
  /// The answer of a read, or 304 where the client has it already.
  void answer_read(const call& c, fhir_answer a, bool version_says_all) const;

  // fhir_form_create.cpp
  struct form_name {
    std::string study, form, version;
  };
  void create_form(const call_ptr& c);
  std::optional<std::string> study_for_form(const call& c) const;
  void answer_form(const call& c, int status, const form_name& name) const;
  void refuse_form(const call& c, ec error, const std::string& text) const;

  // fhir_responses.cpp
  void create(const call_ptr& c);
  void update(const call_ptr& c, const std::string& id);
  void read(const call_ptr& c, const std::string& id, const std::string* version);
  void history(const call_ptr& c, const std::string& id);
  /// The submission that a resource asks for; of an amendment, with what is stored.
  tl::expected<messages::submission, refusal> new_submission(const call& c, const domain::json_document& json) const;
  tl::expected<messages::change, refusal> new_amendment(const call& c, const domain::json_document& json, const std::string& id,
                                                        const messages::stored_event& stored) const;
  /// Where the response is, and all that is stored of it.
  void locate(const domain::receipt& id, std::function<void(read_answer)> then);
  void remember(const domain::receipt& id, place where);
  std::vector<version> versions_of(const messages::stored_event& e) const;
  std::optional<std::string> resource_of(const version& v) const;
  void answer_version(const call& c, int status, const version& v) const;
  std::string stored_outcome(const domain::submission_record& r, std::string_view sentence) const;
  void answer_stored(const call_ptr& c, int status, std::string_view event) const;
  void answer_failure(const call& c, int status, const std::string& text, std::uint32_t retry_after_s) const;
  fhir_answer unreadable() const;

  // fhir_search.cpp
  struct search;
  void search_responses(const call_ptr& c);
  void search_by_id(const call_ptr& c, domain::response_filter filter, const std::vector<std::string>& ids, std::uint32_t count);
  bool read_filter(const call& c, domain::response_filter& filter, std::optional<place>& one_subject) const;
  void merge(search& s);

  // fhir_total.cpp
  struct tally;
  void count_responses(const call_ptr& c, domain::response_filter filter, std::optional<place> one_subject);
  void count_on(const std::shared_ptr<tally>& t, std::size_t part, std::uint64_t before_seq);

  // fhir_bundle.cpp
  struct batch;
  struct transaction;
  void bundle(const call_ptr& c);
  void next_form(const std::shared_ptr<batch>& all);
  void run_batch(const call_ptr& c, const domain::json_document& json, std::uint32_t entries);
  void run_transaction(const call_ptr& c, std::shared_ptr<const domain::json_document> json, std::uint32_t entries);
  void commit(const std::shared_ptr<transaction>& t);

  fhir_ports ports_;
  fhir_options options_;
  const runtime::catalog_view& catalog_;
  runtime::clock& clock_;
  runtime::random_source& random_;
  std::unordered_map<domain::receipt, place> located_;
  std::deque<domain::receipt> located_order_; ///< the oldest is forgotten beyond defaults::located_max
};

/// "201 Created".
std::string status_line(int status);
/// As Last-Modified has it.
std::string http_date(std::int64_t us);
/// {"status":...,"location":...,"etag":...,"lastModified":...} of an entry of a Bundle; outcome where there is one.
std::string entry_response(const fhir_answer& a);

} // namespace epione::actors
