// A store's file of another node comes whole over links that break, in bounded memory and no faster than it may, or not at all.
#include "cluster/snapshot_fetcher.hpp"
#include "runtime/defaults.hpp"
#include "runtime/storage/shard_store.hpp"
#include "tests/unit/actors/actor_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <optional>
#include <tl/expected.hpp>
#include <xxhash.h>

using namespace epione;
using namespace epione::cluster;
using namespace epione::messages;
using namespace std::chrono_literals;
namespace defaults = runtime::defaults;

namespace {

/// Files in memory.
class held_disk final : public runtime::disk {
public:
  class held_file final : public runtime::disk_file {
  public:
    explicit held_file(std::string& bytes) : bytes_(bytes) {}
    runtime::storage_result<std::vector<std::uint8_t>> read_all() override {
      return std::vector<std::uint8_t>{bytes_.begin(), bytes_.end()};
    }
    runtime::storage_result<void> write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) override {
      bytes_.resize(std::max<std::size_t>(bytes_.size(), offset + bytes.size()));
      std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
      return {};
    }
    runtime::storage_result<void> sync() override { return {}; }

  private:
    std::string& bytes_;
  };
  const char* sqlite_vfs() const override { return nullptr; }
  bool exists(const std::string& path) override { return files.contains(path); }
  runtime::storage_result<std::unique_ptr<runtime::disk_file>> open(const std::string& path) override {
    return std::make_unique<held_file>(files[path]);
  }
  runtime::storage_result<void> rename(const std::string& from, const std::string& to) override {
    files[to] = std::move(files.at(from));
    files.erase(from);
    return {};
  }
  runtime::storage_result<void> discard(const std::string& path) override {
    files.erase(path);
    return {};
  }
  std::uint64_t free_bytes(const std::string&) override { return std::uint64_t{1} << 40; }
  std::map<std::string, std::string> files;
};

/// The other node gives its file as snapshot_server does: its checksum counts what is asked for in order. What the link makes of
/// a question and its answer is the test's.
struct fetching : actors::test::actor_fixture {
  enum class fate : std::uint8_t { arrives, question_lost, answer_lost, silence };

  fetching() {
    for (std::size_t i = 0; i < 40 * defaults::snapshot_piece_bytes + 7; ++i)
      file.push_back(static_cast<char>((i * 31 + i / 4'096) % 251));
    hash.reset(XXH3_createState());
    XXH3_64bits_reset(hash.get());
    put("router", system.spawn(
                      [this](caf::event_based_actor* me, caf::unit_t) -> caf::behavior {
                        me->set_default_handler(caf::drop);
                        return {[this, me](ask_atom, const std::string&, routed_kind, const bytes_ptr& question, std::uint32_t) {
                          return asked(me, *decode_snapshot_question(*question));
                        }};
                      },
                      caf::unit));
    put("replica 1", system.spawn(
                         [this](caf::event_based_actor* me, caf::unit_t) -> caf::behavior {
                           me->set_default_handler(caf::drop);
                           return {[this](fetched_atom, const snapshot_point_ptr& point) {
                             ended = true;
                             if (point != nullptr)
                               fetched = point->index;
                           }};
                         },
                         caf::unit));
    tested = runtime::spawn_actor(system, surroundings, snapshot_fetcher);
    run();
  }
  ~fetching() {
    others.push_back(caf::actor_cast<caf::strong_actor_ptr>(tested));
    for (const auto& actor : others)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
    unanswered.clear();
    others.clear();
    tested = nullptr;
    run();
  }
  template <class Handle>
  void put(const std::string& name, const Handle& actor) {
    others.push_back(caf::actor_cast<caf::strong_actor_ptr>(actor));
    env.directory->put(name, others.back());
  }

  caf::result<bytes_ptr> asked(caf::event_based_actor* me, const snapshot_question& q) {
    const auto now = q.what == snapshot_question::kind::open ? fate::arrives : link(q);
    if (now == fate::question_lost)
      return caf::make_error(ec::not_serving, "there is no link");
    if (now == fate::silence) {
      unanswered.push_back(me->make_response_promise<bytes_ptr>());
      return unanswered.back();
    }
    auto answer = given(q);
    if (now == fate::answer_lost)
      return caf::make_error(ec::time_limit, "its link ended");
    if (!answer)
      return caf::make_error(ec::stale_epoch, "this copy was given up");
    return std::make_shared<const std::string>(std::move(*answer));
  }

  std::optional<std::string> given(const snapshot_question& q) {
    if (q.what == snapshot_question::kind::open) {
      snapshot_offer offer;
      offer.transfer = 7;
      offer.size = file.size();
      offer.point.index = 99;
      offer.point.term = 3;
      return encode(offer);
    }
    if (closed)
      return std::nullopt;
    if (q.what == snapshot_question::kind::close) {
      closed = true;
      return encode_number(XXH3_64bits_digest(hash.get()));
    }
    most_ahead = std::max(most_ahead, q.offset + q.size - std::min<std::uint64_t>(q.offset + q.size, here().size()));
    given_bytes += q.size;
    auto bytes = file.substr(q.offset, q.size);
    if (q.offset == hashed) {
      XXH3_64bits_update(hash.get(), bytes.data(), bytes.size());
      hashed += bytes.size();
    }
    return bytes;
  }
  const std::string& here() { return disk_in_memory.files[runtime::incoming_path("", 1) + ".part"]; }

  /// Until it has ended, one way or the other.
  void fetch() {
    self->send(tested, fetch_atom::value, std::uint32_t{1}, std::string{"n2"});
    run();
    for (int i = 0; i < 10'000 && !ended; ++i)
      advance(10ms);
    BOOST_REQUIRE(ended);
  }
  void is_whole() {
    BOOST_TEST(fetched.value_or(0) == 99U);
    BOOST_TEST((disk_in_memory.files.at(runtime::incoming_path("", 1)) == file));
  }

  struct free_hash {
    void operator()(XXH3_state_t* s) const { XXH3_freeState(s); }
  };
  held_disk disk_in_memory;
  runtime::environment surroundings{log, metrics, clock, random, disk_in_memory, nullptr, env.directory, false, "", process};
  std::string file;
  std::function<fate(const snapshot_question&)> link = [](const auto&) { return fate::arrives; };
  std::unique_ptr<XXH3_state_t, free_hash> hash;
  std::uint64_t hashed = 0, most_ahead = 0, given_bytes = 0;
  bool closed = false, ended = false;
  std::optional<std::uint64_t> fetched;
  std::vector<caf::typed_response_promise<bytes_ptr>> unanswered;
  snapshot_fetcher_actor tested;
  std::vector<caf::strong_actor_ptr> others;
};

constexpr auto piece = snapshot_question::kind::piece;

} // namespace

BOOST_FIXTURE_TEST_SUITE(snapshot_fetchers, fetching)

BOOST_AUTO_TEST_CASE(a_file_comes_whole_each_piece_once) {
  fetch();
  is_whole();
  BOOST_TEST(given_bytes == file.size());
}

BOOST_AUTO_TEST_CASE(it_goes_on_where_it_was_after_a_link_was_away_for_seconds) {
  std::int64_t away_until = 0;
  link = [&](const snapshot_question& q) {
    if (q.what == piece && q.offset == 20 * defaults::snapshot_piece_bytes && away_until == 0)
      away_until = clock.now + 10'000'000'000;
    return clock.now < away_until ? fate::question_lost : fate::arrives;
  };
  fetch();
  is_whole();
  BOOST_TEST(given_bytes == file.size()); // nothing of it twice
}

BOOST_AUTO_TEST_CASE(a_question_that_a_link_took_with_it_holds_up_no_more_than_a_few_pieces) {
  bool lost = false;
  link = [&](const snapshot_question& q) { // made anew so quickly that nobody has noticed
    const bool takes = q.what == piece && q.offset == 10 * defaults::snapshot_piece_bytes && !std::exchange(lost, true);
    return takes ? fate::silence : fate::arrives;
  };
  fetch();
  is_whole(); // the checksum as well, although the other node was asked in another order
  BOOST_TEST(most_ahead <= defaults::snapshot_pieces_under_way * defaults::snapshot_piece_bytes);
}

BOOST_AUTO_TEST_CASE(answers_that_are_lost_are_asked_for_again_and_the_last_question_as_well) {
  std::map<std::uint64_t, int> tries;
  link = [&](const snapshot_question& q) {
    if (q.what != piece)
      return ++tries[~std::uint64_t{0}] == 1 ? fate::question_lost : fate::arrives;
    return q.offset % (7 * defaults::snapshot_piece_bytes) == 0 && ++tries[q.offset] == 1 ? fate::answer_lost : fate::arrives;
  };
  fetch();
  is_whole();
}

BOOST_AUTO_TEST_CASE(what_stays_away_is_given_up_and_leaves_nothing) {
  link = [&](const snapshot_question& q) { return q.offset == 0 ? fate::arrives : fate::question_lost; };
  const auto begun = clock.now;
  fetch();
  BOOST_TEST(!fetched.has_value());
  BOOST_TEST((clock.now - begun) / 1'000'000 >= defaults::snapshot_idle_limit_ms);
  BOOST_TEST(disk_in_memory.files.empty());
  BOOST_TEST(log.count("could not fetch a store's file") == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_refused_is_given_up_at_once) {
  link = [&](const snapshot_question& q) {
    closed = closed || q.offset > 0;
    return fate::arrives;
  };
  const auto begun = clock.now;
  fetch();
  BOOST_TEST(!fetched.has_value());
  BOOST_TEST((clock.now - begun) / 1'000'000 < 100);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_what_the_other_node_read_is_not_taken) {
  link = [&](const snapshot_question& q) {
    if (q.what == snapshot_question::kind::close)
      XXH3_64bits_update(hash.get(), "x", 1);
    return fate::arrives;
  };
  fetch();
  BOOST_TEST(!fetched.has_value());
  BOOST_TEST(log.count("checksum is not what the other node says") == 1U);
  BOOST_TEST(disk_in_memory.files.empty());
}

BOOST_AUTO_TEST_SUITE_END()
