#include "runtime/storage/event_walk.hpp"

#include "runtime/storage/journal_rows.hpp"
#include "runtime/storage/shard_rows.hpp"

#include <algorithm>
#include <utility>

namespace epione::runtime {

namespace {

constexpr std::uint64_t walk_piece_events = 10'000; // of one read transaction: some tens of milliseconds
constexpr std::uint32_t walk_cache_kib = 1'024;     // each page is read once

[[noreturn]] void missing(const connection& c, std::uint64_t seq) {
  fail(ec::damaged, c.path() + ": event " + std::to_string(seq) + ": is missing");
}

void check_beginning(connection& c, prepared& select, const chain_head& from, const chain_head& to) {
  if (from.seq == 0)
    return;
  const auto foreign = [&](const std::string& why) {
    fail(ec::invalid, c.path() + ": event " + std::to_string(from.seq) + " " + why +
                          ": this is another data directory, or one that was restored from an older backup");
  };
  if (from.seq > to.seq)
    foreign("is not there, the newest is " + std::to_string(to.seq));
  const resetting r{select};
  select.bind(1, from.seq);
  if (!select.step())
    missing(c, from.seq);
  if (read_event(c, select).hash != from.hash)
    foreign("is another one");
}

void walk(connection& c, const chain_head& from, const chain_head& to, const event_function& each) {
  prepared select{c, select_events};
  check_beginning(c, select, from, to);
  auto last = from;
  while (last.seq < to.seq) {
    const resetting r{select};
    select.bind(1, last.seq + 1);
    const auto until = std::min(to.seq, last.seq + walk_piece_events);
    while (last.seq < until) {
      if (!select.step())
        missing(c, last.seq + 1);
      const auto row = read_event(c, select);
      if (row.seq != last.seq + 1)
        missing(c, last.seq + 1);
      if (auto done = each(row.seq, row.body); !done)
        throw storage_failure{std::move(done.error())};
      last = {row.seq, row.hash};
    }
  }
  if (from.seq < to.seq && last.hash != to.hash)
    fail(ec::damaged, c.path() + ": event " + std::to_string(to.seq) + ": its hash is not the one of the state row");
}

} // namespace

storage_result<std::map<std::uint32_t, std::uint64_t>> journal_ends(disk& d, const std::string& directory) {
  return guarded([&] {
    connection c{d, directory + "/journal.db", access_mode::read, journal_format, journal_schema, "FULL", walk_cache_kib};
    std::map<std::uint32_t, std::uint64_t> out;
    c.run("BEGIN"); // cuts and entries of one moment
    for (const auto& [group, row] : read_groups(c))
      out[group] = row.cut ? row.cut->index : 0;
    prepared newest{c, "SELECT group_id, max(entry_index) FROM entry GROUP BY group_id"};
    while (newest.step()) {
      auto& end = out[static_cast<std::uint32_t>(newest.number(0))];
      end = std::max(end, newest.number(1));
    }
    newest.reset();
    c.rollback();
    return out;
  });
}

storage_result<store_position> read_store_position(disk& d, const std::string& directory, std::uint32_t shard) {
  return guarded([&] {
    connection c{d, shard_path(directory, shard), access_mode::read, shard_format, shard_schema, "NORMAL", walk_cache_kib};
    const auto state = read_state(c, shard);
    return store_position{state.applied.index, state.head};
  });
}

storage_result<void> walk_events(disk& d, const std::string& directory, std::uint32_t shard, const chain_head& from,
                                 const chain_head& to, const event_function& each) {
  return guarded([&] {
    connection c{d, shard_path(directory, shard), access_mode::read, shard_format, shard_schema, "NORMAL", walk_cache_kib};
    walk(c, from, to, each);
  });
}

} // namespace epione::runtime
