#!/usr/bin/env bash
# scripts/test.sh [--ci]: installs what is missing, builds, and runs all tests. With --ci, or CI=true in the environment, also:
# the format check, 100 simulated seeds of one node, 12 of three and 4 of five, a short fuzzing of each reader of bytes from
# outside, and, under AddressSanitizer and UndefinedBehaviorSanitizer, the unit, conformance and integration tests. Short kill, fault and attack
# tests are among the tests, skipped where the system does not allow them. Ends with ctest's summary. See docs/testing.md.
. "$(dirname "$0")/lib.sh"

ci=${CI:-false}
[ "${1:-}" != --ci ] || ci=true

run() {
  say "$*"
  "$@"
}

cd "$epione_root"
if [ "$ci" = true ]; then
  ensure_packages lint chaos
  run scripts/lint.sh --format
else
  ensure_packages chaos # what the fault tests break networks, disks, system calls and clocks with
fi

say "building release"
build release

if [ "$ci" = true ]; then
  run build/release/epione-sim --seeds 1..100 --nodes 1 --jobs 2
  run build/release/epione-sim --seeds 1..12 --nodes 3 --jobs 2
  run build/release/epione-sim --seeds 1..4 --nodes 5 --jobs 2
  ensure_packages fuzz # clang
  say "building asan"
  build asan tests_unit tests_conformance tests_integration fuzz_programs
  run scripts/fuzz.sh 60 asan questionnaire fhirpath
  run scripts/fuzz.sh 20 asan http study stored peer
  run ctest --test-dir build/asan -j 2 --output-on-failure --no-tests=error -L '^(unit|conformance|integration)$'
fi

run ctest --test-dir build/release -j 2 --output-on-failure --no-tests=error
