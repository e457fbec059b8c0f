// The catalog with a replica, a store and a reader that do what the test says.
#pragma once

#include "actors/catalog.hpp"
#include "domain/command.hpp"
#include "domain/event.hpp"
#include "tests/unit/actors/actor_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace epione::actors::catalog_test {

using namespace messages;
using test::actor_fixture;

struct empty_state {
  empty_state() = default;
  static inline const char* name = "fake";
};

/// What lies in group 0's store.
struct fake_store {
  std::vector<stored_event> events;
  std::optional<runtime::storage_error> broken;
};

class fake_reader final : public runtime::store_reader {
public:
  explicit fake_reader(fake_store& store) : store_(store) {}
  runtime::storage_result<subject_head> head(std::uint64_t) override { return subject_head{}; }
  runtime::storage_result<std::optional<stored_event>> find(std::uint64_t, const domain::receipt&) override {
    return std::nullopt;
  }
  runtime::storage_result<std::vector<stored_event>> list(std::uint64_t, std::string_view, std::string_view, std::uint64_t,
                                                          std::uint32_t) override {
    return std::vector<stored_event>{};
  }
  runtime::storage_result<std::vector<stored_event>> scan(std::uint64_t from_seq, std::uint32_t limit) override {
    if (store_.broken)
      return tl::unexpected(*store_.broken);
    std::vector<stored_event> result;
    for (const auto& event : store_.events)
      if (event.seq >= from_seq && result.size() < limit)
        result.push_back(event);
    return result;
  }
  runtime::storage_result<std::optional<stored_event>> locate(const domain::receipt&) override { return std::nullopt; }
  runtime::storage_result<search_page> search(const domain::response_filter&, std::uint64_t, std::uint64_t, std::uint32_t,
                                              std::uint32_t) override {
    return search_page{};
  }
  runtime::storage_result<notice_page> pending(const notice_question&) override { return notice_page{}; }
  runtime::storage_result<dead_letters> dead(const notice_question&) override { return dead_letters{}; }

private:
  fake_store& store_;
};

/// What the catalog asked of its replica.
struct asked {
  int listens = 0, flushes = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> proposals; ///< epoch, batch
  std::vector<std::string> batches;
};

inline replica_actor::behavior_type fake_replica(replica_actor::stateful_pointer<empty_state> self,
                                                 const runtime::environment& env, asked& seen) {
  runtime::prepare(self, env, "replica");
  return {
      [](persisted_atom, std::uint64_t, std::uint64_t) {},
      [](failed_atom, std::uint64_t, const caf::error&) {},
      [](attach_atom, const shard_store_actor&, std::uint64_t, std::uint64_t) {},
      [](applied_atom, std::uint64_t) {},
      [](durable_atom, const snapshot_point_ptr&) {},
      [&seen](listen_atom, const shard_listener&) { ++seen.listens; },
      [&seen](propose_atom, std::uint64_t epoch, std::uint64_t batch, const bytes_ptr& bytes, const proposer&) {
        seen.proposals.emplace_back(epoch, batch);
        seen.batches.push_back(*bytes);
      },
      [](read_index_atom, std::uint64_t, ticket) {},
      [](read_index_atom) { return std::uint64_t{0}; },
      [&seen](flush_atom) { ++seen.flushes; },
      [](flush_atom, std::uint64_t index) { return index; },
      [](drain_atom) { return true; },
      [](receive_atom, const raft_messages_ptr&, const std::string&) {},
      [](change_atom, const server_change_ptr&) { return std::uint64_t{0}; },
      [](transfer_atom, std::uint64_t) { return false; },
      [](fetched_atom, const snapshot_point_ptr&) {},
      [](feed_atom) {},
      [](caf::tick_atom, std::uint64_t) {},
      [](status_atom) { return status_report_ptr{}; },
  };
}

inline domain::study_source source_of(const std::string& study, const std::string& version, const std::string& question,
                                      const std::string& title = "A study") {
  domain::study_source source;
  source.toml = "id = \"" + study + "\"\ntitle = \"" + title +
                "\"\nlanguages = [\"en\"]\n\n[[sites]]\nid = \"S1\"\n\n[[subjects]]\nrange = [1, 9]\nsite = \"S1\"\n\n"
                "[[forms]]\nid = \"mood\"\nfile = \"mood.json\"\n";
  source.forms.push_back({"mood.json", R"({"resourceType": "Questionnaire", "id": "mood", "url": "http://example.org/mood",
    "version": ")" + version + R"(", "status": "active",
    "item": [{"linkId": "q1", "text": ")" + question +
                                           R"(", "type": "integer"}]})"});
  return source;
}

struct catalog_fixture : actor_fixture {
  using answer = caf::variant<std::pair<std::string, bool>, caf::error>;

  catalog_fixture() {
    replica = runtime::spawn_actor(system, env, fake_replica, std::ref(seen));
    env.directory->put("replica 0", caf::actor_cast<caf::strong_actor_ptr>(replica));
    start();
  }
  ~catalog_fixture() {
    for (const auto& actor : {caf::actor_cast<caf::strong_actor_ptr>(replica), caf::actor_cast<caf::strong_actor_ptr>(tested)})
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    run();
  }

  void start() {
    tested = runtime::spawn_actor(system, env, catalog_reading, std::ref(view), std::ref(readiness),
                                  open_reader{[this]() -> runtime::storage_result<std::unique_ptr<runtime::store_reader>> {
                                    return std::make_unique<fake_reader>(store);
                                  }});
    tested->attach_functor([this](const caf::error& why) { end = why; });
    run();
  }
  void serve(std::uint64_t e) {
    epoch = e;
    self->send(tested, serving_atom::value, epoch);
    run();
  }

  /// Asks the catalog for a change; its answer is kept under the returned number.
  template <class... Question>
  std::size_t ask_for(const Question&... question) {
    const auto place = answers.size();
    answers.emplace_back();
    system.spawn(
        [this, place, question...](caf::event_based_actor* me, caf::unit_t) {
          runtime::prepare(me, env, "importer");
          me->request(caf::actor_cast<caf::actor>(tested), std::chrono::seconds{3600}, question...)
              .then([this, place](const std::string& id, bool changed,
                                  std::uint64_t) { answers[place] = answer{std::pair{id, changed}}; },
                    [this, place](const caf::error& why) { answers[place] = answer{why}; });
        },
        caf::unit);
    run();
    return place;
  }
  std::size_t import(const domain::study_source& source, const std::string& who = "os:root") {
    return ask_for(import_atom::value, std::make_shared<const domain::study_source>(source), who);
  }
  /// A form for a study; answered as an import, with the form's id.
  std::size_t add(const domain::form_addition& addition) {
    return ask_for(add_form_atom::value, std::make_shared<const domain::form_addition>(addition));
  }
  std::string add_all_the_way(const std::string& questionnaire, const std::string& study = "demo") {
    const auto proposals = seen.proposals.size();
    const auto i = add({study, questionnaire, "fhir:Practitioner/7", "author", "a new diary"});
    if (seen.proposals.size() > proposals) {
      const auto index = 10 + store.events.size();
      commit(index);
      apply();
      applied(index);
    }
    return text(i);
  }

  bool answered(std::size_t i) const { return answers[i].has_value(); }
  /// "demo true", "demo false" or the error.
  std::string text(std::size_t i) const {
    if (!answers[i])
      return "no answer";
    if (const auto* ok = caf::get_if<std::pair<std::string, bool>>(&*answers[i]))
      return ok->first + (ok->second ? " true" : " false");
    return runtime::error_text(caf::get<caf::error>(*answers[i]));
  }

  /// Puts the newest batch into the store, as apply would.
  void apply() { apply(seen.batches.back()); }
  void apply(const std::string& batch) {
    const auto commands = domain::decode_batch(batch);
    BOOST_REQUIRE(commands.has_value());
    for (const auto& command : *commands)
      store.events.push_back({store.events.size() + 1, std::string{command.event}, {}});
  }
  void commit(std::uint64_t index) {
    self->send(tested, committed_atom::value, seen.proposals.back().first, seen.proposals.back().second, index);
    run();
  }
  void applied(std::uint64_t index) {
    self->send(tested, applied_atom::value, index);
    run();
  }
  std::string import_all_the_way(const domain::study_source& source) {
    const auto proposals = seen.proposals.size();
    const auto i = import(source);
    if (seen.proposals.size() > proposals) {
      const auto index = 10 + store.events.size();
      commit(index);
      apply();
      applied(index);
    }
    return text(i);
  }
  std::vector<std::string> served() const {
    std::vector<std::string> ids;
    for (const auto& [id, study] : view.get()->studies)
      ids.push_back(id);
    return ids;
  }

  fake_store store;
  asked seen;
  runtime::catalog_view view;
  runtime::readiness readiness;
  replica_actor replica;
  catalog_actor tested;
  caf::error end;
  std::uint64_t epoch = 0;
  std::vector<std::optional<answer>> answers;
};

using ids = std::vector<std::string>;

inline std::string steps(const std::string& version, const std::string& question, const std::string& rest = "",
                         const std::string& url = "urn:a:steps") {
  return R"({"resourceType":"Questionnaire","url":")" + url + R"(","version":")" + version +
         R"(","status":"active","language":"en",)" + rest + R"("item":[{"linkId":"s","text":")" + question +
         R"(","type":"integer"}]})";
}

} // namespace epione::actors::catalog_test
