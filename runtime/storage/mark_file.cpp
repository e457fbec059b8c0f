#include "runtime/storage/mark_file.hpp"

#include "runtime/mutation.hpp"
#include "runtime/storage/bytes.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace epione::runtime {

namespace {

constexpr std::uint64_t magic = 0x314b52414d495045; // "EPIMARK1"
constexpr std::size_t header_bytes = 8 + 8 + 8 + 8; // checksum, magic, number, how many groups
constexpr std::size_t group_bytes = 4 + 8 + 8;
static_assert(header_bytes + mark_file::groups_max * group_bytes <= mark_file::slot_bytes);

using slot = std::array<std::uint8_t, mark_file::slot_bytes>;

slot encode(const journal_mark& mark) {
  slot out{};
  auto* at = out.data() + 8;
  put(at, magic);
  put(at, mark.number);
  put(at, static_cast<std::uint64_t>(mark.groups.size()));
  for (const auto& g : mark.groups) {
    put(at, g.group);
    put(at, g.last);
    put(at, g.term);
  }
  auto* begin = out.data();
  put(begin, XXH3_64bits(out.data() + 8, out.size() - 8));
  return out;
}

std::optional<journal_mark> decode(const std::uint8_t* at) {
  const auto checksum = take<std::uint64_t>(at);
  if (checksum != XXH3_64bits(at, mark_file::slot_bytes - 8) || take<std::uint64_t>(at) != magic)
    return std::nullopt;
  journal_mark out;
  out.number = take<std::uint64_t>(at);
  const auto count = take<std::uint64_t>(at);
  if (count > mark_file::groups_max)
    return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) {
    group_mark g;
    g.group = take<std::uint32_t>(at);
    g.last = take<std::uint64_t>(at);
    g.term = take<std::uint64_t>(at);
    out.groups.push_back(g);
  }
  return out;
}

/// Index of the newer whole slot and what it says.
std::optional<std::pair<unsigned, journal_mark>> newest(const std::vector<std::uint8_t>& bytes) {
  std::optional<std::pair<unsigned, journal_mark>> out;
  for (unsigned i = 0; i < 2 && (i + 1) * mark_file::slot_bytes <= bytes.size(); ++i) {
    auto mark = decode(bytes.data() + i * mark_file::slot_bytes);
    if (mark && (!out || mark->number > out->second.number))
      out = {i, std::move(*mark)};
  }
  return out;
}

} // namespace

std::optional<journal_mark> mark_file::parse(const std::vector<std::uint8_t>& bytes) {
  auto found = newest(bytes);
  if (!found)
    return std::nullopt;
  return std::move(found->second);
}

storage_result<mark_file> mark_file::open(disk& d, const std::string& path) {
  mark_file out;
  auto file = d.open(path);
  if (!file)
    return tl::unexpected(file.error());
  out.file_ = std::move(*file);
  auto bytes = out.file_->read_all();
  if (!bytes)
    return tl::unexpected(bytes.error());
  if (auto found = newest(*bytes)) {
    out.next_slot_ = 1 - found->first;
    out.stored_ = std::move(found->second);
  }
  if (bytes->size() < 2 * slot_bytes) {
    // New, or a crash came while it was new. What it says, if anything, is kept.
    const std::vector<std::uint8_t> zeros(2 * slot_bytes - bytes->size());
    if (auto r = out.file_->write_at(bytes->size(), zeros); !r)
      return tl::unexpected(r.error());
    if (auto r = out.file_->sync(); !r)
      return tl::unexpected(r.error());
  }
  return out;
}

storage_result<void> mark_file::write(const journal_mark& mark) {
  const auto bytes = encode(mark);
  if (auto r = file_->write_at(next_slot_ * slot_bytes, bytes); !r)
    return r;
  if (!mutated(mutation::skip_mark_sync))
    if (auto r = file_->sync(); !r)
      return r;
  stored_ = mark;
  next_slot_ = 1 - next_slot_;
  return {};
}

} // namespace epione::runtime
