// The demo study from its files.
#pragma once

#include "domain/study.hpp"
#include "tests/fuzz/promise.hpp"

namespace epione::fuzz {

inline domain::study_source demo_source() {
  const std::string folder = EPIONE_SOURCE_DIR "/examples/demo/";
  return {read_file(folder + "study.toml"),
          {{"gad-7.json", read_file(folder + "gad-7.json")}, {"phq-9.json", read_file(folder + "phq-9.json")}}};
}

} // namespace epione::fuzz
