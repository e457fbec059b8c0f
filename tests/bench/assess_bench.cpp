// How long one PHQ-9 submission takes in the domain: from canonical bytes to the command's event, and each step of it.
// assess_bench [ROUNDS]
#include "domain/canonical.hpp"
#include "domain/chain.hpp"
#include "domain/command.hpp"
#include "domain/event.hpp"
#include "domain/ids.hpp"
#include "domain/study.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sodium/core.h>
#include <string>

using namespace epione::domain;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Processor time, so that what else runs on the machine counts less.
double cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e9 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec);
}

template <class Work>
void measure(const char* name, int rounds, Work work) {
  const auto begin = cpu_ns();
  std::size_t sum = 0;
  for (int i = 0; i < rounds; ++i)
    sum += work();
  std::printf("%-28s %8.0f ns  (%zu)\n", name, (cpu_ns() - begin) / rounds, sum / static_cast<std::size_t>(rounds));
}

} // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 500'000;
  const std::string folder = argc > 2 ? argv[2] : "examples/demo";
  if (sodium_init() < 0)
    return 1;
  const auto compiled =
      compile_study({read_file(folder + "/study.toml"),
                     {{"gad-7.json", read_file(folder + "/gad-7.json")}, {"phq-9.json", read_file(folder + "/phq-9.json")}}});
  if (!compiled) {
    std::fprintf(stderr, "the demo study does not compile; start from the repository's root\n");
    return 1;
  }
  const auto& study = **compiled;
  nlohmann::json answers;
  for (int i = 1; i <= 9; ++i)
    answers["q" + std::to_string(i)] = i % 4;
  const auto bytes =
      nlohmann::json::to_msgpack({{"form", "phq-9"}, {"answers", answers}, {"authored", "2024-05-01T08:30:00+02:00"}});
  const std::string_view sent{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  const auto content = canonical_from_msgpack(sent, 32).value();
  const auto v = study.assess(content);
  submission_record record{"demo",
                           "42",
                           "S42",
                           "key-0123456789",
                           make_receipt("demo", "42", "key-0123456789"),
                           make_fingerprint(content),
                           v.form,
                           v.version,
                           v.authored,
                           1'714'545'000'000'000,
                           v.answers,
                           v.scores,
                           v.alerts,
                           {},
                           {}};
  const auto event = encode_submission_event(record);
  const std::vector<command> batch(100, command{command_type::submission, 1, record.id, record.content_fingerprint, event});
  const auto encoded = encode_batch(batch);
  auto hash = chain_origin(1);

  measure("canonical_from_msgpack", rounds, [&] { return canonical_from_msgpack(sent, 32)->size(); });
  measure("make_receipt", rounds, [&] { return std::size_t{make_receipt("demo", "42", "key-0123456789").bytes[0]}; });
  measure("make_fingerprint", rounds, [&] { return std::size_t{make_fingerprint(content).bytes[0]}; });
  measure("subject_hash", rounds, [&] { return static_cast<std::size_t>(subject_hash("demo", "42") >> 32); });
  measure("site_of", rounds, [&] { return study.site_of("424242")->size(); });
  measure("assess", rounds, [&] { return study.assess(content).answers.size(); });
  measure("encode_submission_event", rounds, [&] { return encode_submission_event(record).size(); });
  measure("encode_batch of 100", rounds / 100, [&] { return encode_batch(batch).size(); });
  measure("decode_batch of 100", rounds / 100, [&] { return decode_batch(encoded)->size(); });
  measure("chain_next", rounds, [&] { return std::size_t{(hash = chain_next(hash, 1, event))[0]}; });
  measure("decode_submission_event", rounds, [&] { return decode_submission_event(event)->answers.size(); });
  measure("json_from_msgpack", rounds, [&] { return json_from_msgpack(v.answers).size(); });
}
