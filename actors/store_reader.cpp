#include "actors/store_reader.hpp"

#include "domain/event.hpp"
#include "runtime/defaults.hpp"
#include "runtime/mutation.hpp"

#include <utility>

namespace epione::actors {

using namespace messages;
using caf::make_error;
using runtime::mutated;
using runtime::mutation;

namespace {

using store_reader_pointer = store_reader_actor::stateful_pointer<store_reader_state>;

struct reader_metrics {
  prometheus::Histogram &head, &find, &list, &notices, &scan;
  prometheus::Counter& errors;
};

reader_metrics make_store_reader_metrics(runtime::metrics& m) {
  const auto seconds = [&](const char* kind) -> prometheus::Histogram& {
    return m.histogram("epione_store_read_seconds", "One look-up in a shard's store", runtime::latency_buckets(),
                       {{"kind", kind}});
  };
  return {seconds("head"),    seconds("find"), seconds("list"),
          seconds("notices"), seconds("scan"), m.counter("epione_store_read_errors_total", "Look-ups that failed")};
}

class store_reader_work {
public:
  store_reader_work(store_reader_pointer self, const runtime::environment& env, std::string name)
      : self_(self), state_(self->state), env_(env), name_(std::move(name)), metrics_(make_store_reader_metrics(env.metrics)) {}

  void on_head(std::uint32_t shard, std::uint64_t hash, const store_client& who) {
    auto found = read<subject_head>(shard, metrics_.head, [&](runtime::store_reader& r) { return r.head(hash); });
    self_->send(who, head_atom::value, hash,
                found ? std::make_shared<const subject_head>(std::move(*found)) : subject_head_ptr{});
  }

  void on_find(std::uint32_t shard, std::uint64_t hash, const domain::receipt& id, const store_client& who) {
    auto found =
        read<std::optional<stored_event>>(shard, metrics_.find, [&](runtime::store_reader& r) { return r.find(hash, id); });
    stored_event_ptr event;
    if (found && *found)
      event = std::make_shared<const stored_event>(std::move(**found));
    self_->send(who, found_atom::value, id, std::move(event), found ? caf::error{} : make_error(found.error().code));
  }

  void on_list(ticket t, const read_request_ptr& request, const list_client& who) {
    // Whoever asks has made sure that the store holds all that is committed. Without a file it is just being replaced by a newer
    // one, because another node leads by now; to find nothing in it would hide all there is.
    bool is_there = false;
    bool absent = request->after.has_value();
    auto found = read<std::vector<stored_event>>(request->shard, metrics_.list, [&](runtime::store_reader& r) {
      is_there = true;
      if (!request->after)
        return find_events(r, *request);
      return r.find(request->subject_hash, *request->after).and_then([&](const std::optional<stored_event>& there) {
        absent = !there.has_value();
        return absent ? runtime::storage_result<std::vector<stored_event>>{} : find_events(r, *request);
      });
    });
    auto events = std::make_shared<std::vector<stored_event>>();
    if (found)
      *events = std::move(*found);
    self_->send(who, list_atom::value, t, request, stored_events_ptr{std::move(events)},
                !found      ? make_error(found.error().code)
                : !is_there ? make_error(ec::not_serving)
                : absent    ? make_error(ec::not_found)
                            : caf::error{});
  }

  caf::result<notice_page_ptr> on_pending(const notice_question& q) {
    return answer<notice_page>(q, [&](runtime::store_reader& r) { return r.pending(q); });
  }

  caf::result<dead_letters_ptr> on_letters(const notice_question& q) {
    return answer<dead_letters>(q, [&](runtime::store_reader& r) { return r.dead(q); });
  }

  caf::result<event_lines_ptr> on_scan(std::uint32_t shard, std::uint64_t from_seq, std::uint32_t limit) {
    auto found =
        read<std::vector<stored_event>>(shard, metrics_.scan, [&](runtime::store_reader& r) { return r.scan(from_seq, limit); });
    if (!found)
      return make_error(found.error().code, found.error().message);
    auto lines = std::make_shared<event_lines>();
    for (const auto& stored : *found) {
      auto e = domain::decode_event(stored.bytes);
      if (!e)
        return make_error(ec::damaged, "event " + std::to_string(stored.seq) + " of shard " + std::to_string(shard) +
                                           " cannot be read: " + e.error());
      lines->push_back({shard, stored.seq, e->time_us, std::move(e->who), std::move(e->role), std::move(e->action),
                        std::move(e->entity), std::move(e->reason)});
    }
    return event_lines_ptr{std::move(lines)};
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(status_report{name_,
                                                               "ready",
                                                               {{"shards", std::to_string(state_.shards.size())},
                                                                {"reads", std::to_string(state_.reads)},
                                                                {"errors", std::to_string(state_.errors)}}});
  }

private:
  static runtime::storage_result<std::vector<stored_event>> find_events(runtime::store_reader& r, const read_request& request) {
    if (request.filter)
      return r
          .search(*request.filter, request.subject_hash, request.before_seq, request.limit, runtime::defaults::search_look_max)
          .map([](search_page&& page) {
            page.events.push_back({page.next, {}, {}, {}});
            return std::move(page.events);
          });
    const auto as_list = [](std::optional<stored_event>&& x) {
      std::vector<stored_event> one;
      if (x)
        one.push_back(std::move(*x));
      return one;
    };
    if (request.id && request.anywhere)
      return r.locate(*request.id).map(as_list);
    if (!request.id) // one more than asked for says whether there are more
      return r.list(request.subject_hash, request.study, request.subject, request.before_seq,
                    request.limit + (mutated(mutation::history_cut_short) ? 0u : 1u));
    return r.find(request.subject_hash, *request.id).map(as_list);
  }

  template <class T, class Look>
  caf::result<std::shared_ptr<const T>> answer(const notice_question& q, Look look) {
    auto found = read<T>(q.behind.shard, metrics_.notices, look);
    if (!found)
      return make_error(found.error().code);
    return std::make_shared<const T>(std::move(*found));
  }

  /// T{} when the file does not exist yet.
  template <class T, class Look>
  runtime::storage_result<T> read(std::uint32_t shard, prometheus::Histogram& seconds, Look look) {
    runtime::fault_point(env_.faults, "reader.read");
    ++state_.reads;
    auto& connection = state_.shards[shard];
    const auto path = runtime::shard_path(env_.data_directory, shard);
    if (const auto identity = env_.disk.identity(path); identity != connection.identity)
      connection = {nullptr, identity};
    if (connection.file == nullptr) {
      auto opened = runtime::open_store_reader(env_.disk, env_.data_directory, shard);
      if (!opened && opened.error().code == ec::not_found)
        return T{};
      if (!opened)
        return failed(shard, opened.error());
      connection.file = std::move(*opened);
    }
    const auto begun_ns = env_.clock.now_ns();
    runtime::storage_result<T> result = look(*connection.file);
    seconds.Observe(static_cast<double>(env_.clock.now_ns() - begun_ns) / 1e9);
    if (!result) {
      connection.file.reset();
      return failed(shard, result.error());
    }
    return result;
  }

  tl::unexpected<runtime::storage_error> failed(std::uint32_t shard, const runtime::storage_error& why) {
    ++state_.errors;
    metrics_.errors.Increment();
    env_.log.error(name_, "could not read a store", {{"shard", shard}, {"code", to_string(why.code)}, {"why", why.message}});
    return tl::unexpected(why);
  }

  store_reader_pointer self_;
  store_reader_state& state_;
  const runtime::environment& env_;
  std::string name_;
  reader_metrics metrics_;
};

} // namespace

store_reader_actor::behavior_type store_reader(store_reader_pointer self, const runtime::environment& env, std::string name) {
  runtime::prepare(self, env, name);
  auto w = std::make_shared<store_reader_work>(self, env, std::move(name));
  return {
      [w](head_atom, std::uint32_t shard, std::uint64_t hash, const store_client& who) { w->on_head(shard, hash, who); },
      [w](find_atom, std::uint32_t shard, std::uint64_t hash, const domain::receipt& id, const store_client& who) {
        w->on_find(shard, hash, id, who);
      },
      [w](list_atom, ticket t, const read_request_ptr& request, const list_client& who) { w->on_list(t, request, who); },
      [w](pending_atom, const notice_question_ptr& q) { return w->on_pending(*q); },
      [w](letters_atom, const notice_question_ptr& q) { return w->on_letters(*q); },
      [w](scan_atom, std::uint32_t shard, std::uint64_t from_seq, std::uint32_t limit) {
        return w->on_scan(shard, from_seq, limit);
      },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::actors
