#!/usr/bin/env bash
# scripts/fuzz.sh [seconds] [preset] [TARGET...]: feeds HTTP requests, study files, questionnaires with responses, stored bytes,
# expressions and what nodes say to each other, as nobody would write them, to what reads them, each for so long (60 seconds
# unless said otherwise), as many at a time as there are cores. Targets: http study stored questionnaire fhirpath peer; all
# unless some are named. Begins with what is made from the examples and goes on from what it found
# before, in build/PRESET/corpus. An input that breaks something is kept in build/PRESET as crash-*, leak-* or timeout-*. The preset
# is fuzz, which is optimised, or asan, which CI has built anyway. Under CI the inputs follow from one seed, so that what turns red
# is the change and not the dice; everywhere else each run tries others.
. "$(dirname "$0")/lib.sh"

seconds=${1:-60}
preset=${2:-fuzz}
targets=("${@:3}")
[ "${#targets[@]}" -gt 0 ] || targets=(http study stored questionnaire fhirpath peer)
for target in "${targets[@]}"; do
  [ -f "$epione_root/tests/fuzz/${target}_fuzz.cpp" ] || die "there is no fuzz target '$target'; see tests/fuzz"
done
cd "$epione_root"
ensure_packages fuzz
say "building $preset"
build "$preset" fuzz_programs

build/$preset/tests/fuzz/fuzz_seeds "build/$preset/corpus"

# fuzz TARGET
fuzz() {
  local options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix="build/$preset/")
  local program=build/$preset/tests/fuzz/fuzz_$1 log=build/$preset/$1.log
  [ "${CI:-false}" != true ] || options+=(-seed=1)
  [ ! -f "tests/fuzz/$1.dict" ] || options+=(-dict="tests/fuzz/$1.dict")
  if ! "$program" "${options[@]}" -print_final_stats=1 "build/$preset/corpus/$1" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "epione: $1: an input breaks it; repeat with $program and the file named above" >&2
    return 255 # xargs begins no other
  fi
  echo "== $1: $seconds s: $(awk '/number_of_executed_units/ { print $2 }' "$log") inputs" >&2
}
export -f fuzz
export seconds preset
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I TARGET bash -c 'fuzz TARGET'
say "nothing was broken"
