#include "cli/load_ledger.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace epione::cli {

namespace {

constexpr std::size_t record_bytes = 32;
constexpr std::size_t gathered_bytes_max = 64 * 1024;
constexpr std::uint8_t run_kind = 0xE1; // no outcome has this value

struct run_image {
  std::uint8_t kind = run_kind;
  std::uint8_t format = 1;
  std::uint8_t forms = 0;
  std::uint8_t reserved = 0;
  std::uint32_t alerts_ppm = 0;
  std::uint64_t run = 0, seed = 0, subjects = 0;
};
static_assert(sizeof(run_image) == record_bytes);

struct record_image {
  std::uint8_t outcome = 0;
  std::uint8_t reserved = 0;
  std::uint16_t status = 0;
  std::uint32_t reserved2 = 0;
  std::uint64_t counter = 0;
  std::uint8_t id[16] = {};
};
static_assert(sizeof(record_image) == record_bytes);

template <class Image>
void put(std::vector<unsigned char>& out, const Image& image) {
  const auto at = out.size();
  out.resize(at + sizeof(Image));
  std::memcpy(out.data() + at, &image, sizeof(Image));
}

std::string reason(const std::string& name, const char* what) {
  return name + " " + what + ": " + std::strerror(errno);
}

} // namespace

tl::expected<load_ledger_writer, std::string> load_ledger_writer::open(const std::string& path, const load_plan& plan) {
  const int descriptor = path.empty() ? memfd_create("load ledger", MFD_CLOEXEC)
                                      : ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return tl::make_unexpected(reason(path.empty() ? "memory for the ledger" : path, "cannot be opened"));
  load_ledger_writer out{descriptor};
  struct stat about{};
  if (fstat(descriptor, &about) != 0)
    return tl::make_unexpected(reason(path, "cannot be read"));
  // Behind a record that was cut short, this run would be read out of step.
  const auto tail = about.st_size % static_cast<off_t>(record_bytes);
  if (tail != 0 && ftruncate(descriptor, about.st_size - tail) != 0)
    return tl::make_unexpected(reason(path, "cannot be shortened to whole records"));
  out.gathered_.reserve(gathered_bytes_max + record_bytes);
  run_image image;
  image.forms = static_cast<std::uint8_t>(plan.forms);
  image.alerts_ppm = plan.alerts_ppm;
  image.run = plan.run;
  image.seed = plan.seed;
  image.subjects = plan.subjects;
  put(out.gathered_, image);
  if (!out.flush())
    return tl::make_unexpected(reason(path, "cannot be written"));
  return out;
}

load_ledger_writer::load_ledger_writer(load_ledger_writer&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), good_(other.good_), gathered_(std::move(other.gathered_)) {}

load_ledger_writer& load_ledger_writer::operator=(load_ledger_writer&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(good_, other.good_);
  gathered_.swap(other.gathered_);
  return *this;
}

load_ledger_writer::~load_ledger_writer() {
  if (descriptor_ < 0)
    return;
  flush();
  ::close(descriptor_);
}

void load_ledger_writer::append(load_outcome outcome, int status, std::uint64_t counter, const domain::receipt& id) {
  record_image image;
  image.outcome = static_cast<std::uint8_t>(outcome);
  image.status = static_cast<std::uint16_t>(status);
  image.counter = counter;
  std::memcpy(image.id, id.bytes.data(), sizeof(image.id));
  put(gathered_, image);
  if (gathered_.size() >= gathered_bytes_max)
    flush();
}

bool load_ledger_writer::flush() {
  std::size_t done = 0;
  while (good_ && done < gathered_.size()) {
    const auto written = ::write(descriptor_, gathered_.data() + done, gathered_.size() - done);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      good_ = false;
    else
      done += static_cast<std::size_t>(written);
  }
  gathered_.clear();
  return good_;
}

tl::expected<load_ledger, std::string> load_ledger::read(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return tl::make_unexpected(reason(path, "cannot be opened"));
  auto out = read_descriptor(descriptor, path);
  ::close(descriptor);
  return out;
}

tl::expected<load_ledger, std::string> load_ledger::read_descriptor(int descriptor, const std::string& name) {
  struct stat about{};
  if (fstat(descriptor, &about) != 0)
    return tl::make_unexpected(reason(name, "cannot be read"));
  load_ledger out;
  const auto slots = static_cast<std::size_t>(about.st_size) / record_bytes;
  if (slots == 0)
    return tl::make_unexpected(name + " holds no run of epione bench submit");
  if (slots > 0xFFFFFFFFu)
    return tl::make_unexpected(name + " holds more than 4,294,967,295 records; split it");
  out.mapped_ = slots * record_bytes;
  void* mapped = mmap(nullptr, out.mapped_, PROT_READ, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED)
    return tl::make_unexpected(reason(name, "cannot be mapped"));
  out.bytes_ = static_cast<const unsigned char*>(mapped);
  out.records_.reserve(slots);
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const auto* at = out.bytes_ + slot * record_bytes;
    if (*at == run_kind) {
      run_image image;
      std::memcpy(&image, at, record_bytes);
      if (image.format != 1)
        return tl::make_unexpected(name + " has format " + std::to_string(image.format) + "; this program reads format 1");
      out.runs_.push_back({image.run, image.seed, image.subjects, image.alerts_ppm, static_cast<load_forms>(image.forms)});
    } else if (*at < 1 || *at > 3 || out.runs_.empty()) {
      return tl::make_unexpected(name + " is damaged at byte " + std::to_string(slot * record_bytes));
    } else {
      out.records_.push_back({static_cast<std::uint32_t>(slot), static_cast<std::uint32_t>(out.runs_.size() - 1)});
    }
  }
  return out;
}

load_ledger::load_ledger(load_ledger&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), mapped_(other.mapped_), runs_(std::move(other.runs_)),
      records_(std::move(other.records_)) {}

load_ledger::~load_ledger() {
  if (bytes_ != nullptr)
    munmap(const_cast<unsigned char*>(bytes_), mapped_);
}

load_record load_ledger::operator[](std::uint64_t i) const {
  const auto& p = records_[i];
  record_image image;
  std::memcpy(&image, bytes_ + std::size_t{p.slot} * record_bytes, record_bytes);
  load_record out{static_cast<load_outcome>(image.outcome), image.status, p.run, image.counter, {}};
  std::memcpy(out.id.bytes.data(), image.id, sizeof(image.id));
  return out;
}

} // namespace epione::cli
