#!/usr/bin/env bash
# scripts/fuzz.sh [seconds] [preset]: feeds HTTP requests, study files, questionnaires with responses, stored bytes, expressions and what nodes
# say to each other, as nobody would write them, to what reads them, each for so long (60 seconds unless said otherwise). Begins with
# what is made from the examples and goes on from what it found before, in build/PRESET/corpus. An input that breaks something is kept
# in build/PRESET as crash-*, leak-* or timeout-*. The preset is fuzz, which is optimised, or asan, which CI has built anyway.
. "$(dirname "$0")/lib.sh"

seconds=${1:-60}
preset=${2:-fuzz}
cd "$epione_root"
ensure_packages fuzz
say "building $preset"
build "$preset" fuzz_programs

corpus=build/$preset/corpus
build/$preset/tests/fuzz/fuzz_seeds "$corpus"
for target in http study stored questionnaire fhirpath peer; do
  say "$target: $seconds s"
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix=build/$preset/)
  [ ! -f "tests/fuzz/$target.dict" ] || options+=(-dict="tests/fuzz/$target.dict")
  build/$preset/tests/fuzz/fuzz_"$target" "${options[@]}" -print_final_stats=1 "$corpus/$target" >"build/$preset/$target.log" 2>&1 || {
    tail -n 60 "build/$preset/$target.log" >&2
    die "$target: an input breaks it; repeat with build/$preset/tests/fuzz/fuzz_$target and the file named above"
  }
  grep -E '^#[0-9]+.*DONE|number_of_executed_units' "build/$preset/$target.log" >&2
done
say "nothing was broken"
