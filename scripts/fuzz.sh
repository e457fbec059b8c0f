#!/usr/bin/env bash
# scripts/fuzz.sh [seconds]: feeds HTTP requests, study files, questionnaires with responses, stored bytes, expressions and what nodes
# say to each other, as nobody would write them, to what reads them, each for so long (60 seconds unless said otherwise). Begins with
# what is made from the examples and goes on from what it found before, in build/fuzz/corpus. An input that breaks something is kept
# in build/fuzz as crash-*, leak-* or timeout-*.
. "$(dirname "$0")/lib.sh"

seconds=${1:-60}
cd "$epione_root"
ensure_packages fuzz
say "building fuzz"
build fuzz

corpus=build/fuzz/corpus
build/fuzz/tests/fuzz/fuzz_seeds "$corpus"
for target in http study stored questionnaire fhirpath peer; do
  say "$target: $seconds s"
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix=build/fuzz/)
  [ ! -f "tests/fuzz/$target.dict" ] || options+=(-dict="tests/fuzz/$target.dict")
  build/fuzz/tests/fuzz/fuzz_"$target" "${options[@]}" -print_final_stats=1 "$corpus/$target" >"build/fuzz/$target.log" 2>&1 || {
    tail -n 60 "build/fuzz/$target.log" >&2
    die "$target: an input breaks it; repeat with build/fuzz/tests/fuzz/fuzz_$target and the file named above"
  }
  grep -E '^#[0-9]+.*DONE|number_of_executed_units' "build/fuzz/$target.log" >&2
done
say "nothing was broken"
