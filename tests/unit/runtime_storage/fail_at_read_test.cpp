// Whatever reading a store needs is refused once: receipts, outbox rows and anchors are given as they are, or not at all.
#include "runtime/storage/anchors.hpp"
#include "runtime/storage/database_pages.hpp"
#include "runtime/storage/event_walk.hpp"
#include "tests/unit/runtime_storage/fail_at_store.hpp"

#include <functional>
#include <optional>

using namespace epione;
using namespace epione::storage_tests;

namespace {

using answer = runtime::storage_result<std::string>;

std::string text_of(const std::vector<messages::notice_state>& states) {
  std::string out;
  for (const auto s : states)
    out += static_cast<char>('0' + static_cast<int>(s));
  return out;
}

std::string text_of(const messages::stored_event& e) {
  std::string out = std::to_string(e.seq) + ":" + e.bytes + text_of(e.notices);
  for (const auto& a : e.amendments)
    out += "+" + std::to_string(a.seq) + ":" + a.bytes + text_of(a.notices);
  return out + "\n";
}

std::string text_of(const std::vector<messages::stored_event>& events) {
  std::string out;
  for (const auto& e : events)
    out += text_of(e);
  return out;
}

std::string text_of(const std::optional<messages::stored_event>& e) {
  return e ? text_of(*e) : "nothing";
}

std::string text_of(const messages::search_page& page) {
  return text_of(page.events) + std::to_string(page.next);
}

std::string text_of(const messages::subject_head& head) {
  std::string out = std::to_string(head.last_seq) + " " + std::to_string(head.count);
  for (const auto t : head.tags)
    out += " " + std::to_string(t);
  return out;
}

std::string text_of(const messages::notice_page& page) {
  std::string out = std::to_string(page.counts.pending) + " " + std::to_string(page.counts.dead) + (page.end ? "." : "...");
  for (const auto& n : page.notices)
    out += " " + std::to_string(n.what.key.seq) + "." + std::to_string(n.what.key.number) + n.what.recipient;
  return out;
}

std::string text_of(const messages::dead_letters& letters) {
  std::string out;
  for (const auto& d : letters)
    out += " " + std::to_string(d.what.key.seq) + "." + std::to_string(d.what.key.number) + d.reason;
  return out;
}

/// Only f is under test; what it gives becomes a text.
template <class F>
answer ask(F&& f) {
  return tested(f).map([](const auto& found) { return text_of(found); });
}

/// Everything that can be asked of a reader.
std::vector<std::function<answer(runtime::store_reader&)>> questions() {
  static const auto subject = hash_of_subject(1);
  static const auto id = domain::make_receipt("demo", "1", "a"), other = domain::make_receipt("demo", "3", "c");
  static const domain::response_filter any{};
  static const auto notices = [] {
    messages::notice_question q;
    q.behind.shard = tested_shard;
    q.limit = 100;
    return q;
  }();
  return {[](auto& r) { return ask([&] { return r.head(subject); }); },
          [](auto& r) { return ask([&] { return r.find(subject, id); }); },
          [](auto& r) { return ask([&] { return r.list(hash_of_subject(3), "demo", "3", 0, 10); }); },
          [](auto& r) { return ask([&] { return r.locate(other); }); },
          [](auto& r) { return ask([&] { return r.search(any, 0, 0, 10, 100); }); },
          [](auto& r) { return ask([&] { return r.scan(1, 100); }); },
          [](auto& r) { return ask([&] { return r.pending(notices); }); },
          [](auto& r) { return ask([&] { return r.dead(notices); }); }};
}

std::vector<std::string> expected_answers(const disk_image& files) {
  faulty machine{files};
  auto reader = must(runtime::open_store_reader(machine.failing, "/d", tested_shard));
  std::vector<std::string> out;
  for (const auto& q : questions())
    out.push_back(must(q(*reader)));
  return out;
}

/// Every answer is the right one or a failure, and asked again the reader gives the right one.
bool ask_everything(runtime::disk& d, const std::vector<std::string>& expected) {
  auto reader = tested([&] { return runtime::open_store_reader(d, "/d", tested_shard); });
  if (!reader) {
    expect_failure(reader.error());
    return true;
  }
  bool told = false;
  std::size_t at = 0;
  for (const auto& q : questions()) {
    auto given = q(**reader);
    if (!given) {
      told = true;
      expect_failure(given.error());
      given = q(**reader);
    }
    BOOST_REQUIRE_MESSAGE(given.has_value(), (given ? "" : given.error().message));
    BOOST_REQUIRE_EQUAL(*given, expected.at(at++));
  }
  return told;
}

void each_part_fails_once(resource what) {
  const auto files = image_of_store("/d", store_log_end);
  const auto expected = expected_answers(files);
  each_use_fails_once(what, [&](std::uint64_t use) {
    faulty machine{files, seed_of(what, use)};
    const bool told = ask_everything(machine.failing, expected);
    BOOST_REQUIRE(machine.failing.open_files() == 0);
    return told;
  });
}

/// Group 0 with two anchors of the chain of shard 3, of which the newer one is needed.
disk_image image_with_anchors() {
  faulty machine{image_of_store("/d", store_log_end)};
  auto store = must(runtime::open_shard_store(machine.failing, "/d", 0));
  for (std::uint64_t index = 1; index <= 2; ++index) {
    domain::anchor a;
    a.cluster = "c1";
    a.node = "n1";
    a.time_us = static_cast<std::int64_t>(index);
    a.heads.push_back({tested_shard, index, heads_of_store().back().hash, index});
    domain::sign(a, {9});
    domain::event said;
    said.action = domain::anchor_action;
    said.entity = "n1";
    said.after = domain::encode(a);
    const domain::command record{domain::command_type::record, 0, {}, {}, domain::encode(said)};
    must(store->apply({batch(index, {record})}));
  }
  store.reset();
  return machine.image();
}

answer anchors_text(runtime::disk& d) {
  return tested([&] { return runtime::newest_anchors(d, "/d"); }).map([](const std::vector<domain::anchor>& kept) {
    std::string out;
    for (const auto& a : kept)
      out += domain::encode(a) + "\n";
    return out;
  });
}

/// What an export reads: where the store is, and every event of it.
answer walk_text(runtime::disk& d) {
  const auto at = tested([&] { return runtime::read_store_position(d, "/d", tested_shard); });
  if (!at)
    return tl::unexpected(at.error());
  std::string out = std::to_string(at->applied) + "\n";
  const runtime::event_function each = [&](std::uint64_t seq, std::string_view event) {
    return untested([&]() -> runtime::storage_result<void> {
      out += std::to_string(seq) + ":" + std::string{event} + "\n";
      return {};
    });
  };
  return tested([&] { return runtime::walk_events(d, "/d", tested_shard, {}, at->head, each); }).map([&] { return out; });
}

/// What another member is given of the file.
answer pages_text(runtime::disk& d) {
  const auto pages = tested([&] { return runtime::open_database_pages(d, "/d", tested_shard); });
  if (!pages)
    return tl::unexpected(pages.error());
  const auto size = tested([&] { return (*pages)->size(); });
  if (!size)
    return tl::unexpected(size.error());
  return tested([&] { return (*pages)->read(0, static_cast<std::size_t>(*size)); });
}

/// Given as it is, or not at all; and given when it is asked for again.
void each_use_fails_once_for(answer (*question)(runtime::disk&)) {
  const auto files = image_with_anchors();
  std::string expected;
  {
    faulty machine{files};
    expected = must(question(machine.failing));
  }
  BOOST_REQUIRE(!expected.empty());
  for (const auto what : {resource::disk, resource::sqlite_memory, resource::program_memory})
    each_use_fails_once(what, [&](std::uint64_t use) {
      faulty machine{files, seed_of(what, use)};
      auto given = question(machine.failing);
      const bool told = !given;
      if (told) {
        expect_failure(given.error());
        given = must(question(machine.failing));
      }
      BOOST_REQUIRE(*given == expected);
      BOOST_REQUIRE(machine.failing.open_files() == 0);
      return told;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(fail_at_read)

BOOST_AUTO_TEST_CASE(receipts_and_outbox_rows_are_right_or_refused_at_each_failing_call_of_the_disk) {
  each_part_fails_once(resource::disk);
}

BOOST_AUTO_TEST_CASE(receipts_and_outbox_rows_are_right_or_refused_at_each_allocation_that_fails) {
  each_part_fails_once(resource::sqlite_memory);
  each_part_fails_once(resource::program_memory);
}

BOOST_AUTO_TEST_CASE(anchors_are_right_or_refused_whatever_fails) {
  each_use_fails_once_for(anchors_text);
}

BOOST_AUTO_TEST_CASE(a_walk_of_all_events_is_right_or_refused_whatever_fails) {
  each_use_fails_once_for(walk_text);
}

BOOST_AUTO_TEST_CASE(pages_for_another_member_are_right_or_refused_whatever_fails) {
  each_use_fails_once_for(pages_text);
}

BOOST_AUTO_TEST_SUITE_END()
