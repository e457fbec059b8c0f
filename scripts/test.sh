#!/usr/bin/env bash
# scripts/test.sh [--ci]: installs what is missing, builds, and runs all tests. With --ci, or CI=true in the environment, also: the
# format check, 100 simulated seeds, and the unit and integration tests under AddressSanitizer and UndefinedBehaviorSanitizer. A short
# kill test is among the tests. Ends with ctest's summary.
. "$(dirname "$0")/lib.sh"

ci=${CI:-false}
[ "${1:-}" != --ci ] || ci=true

run() {
  say "$*"
  "$@"
}

has_target() { ninja -C "$epione_root/build/$1" -t query "$2" >/dev/null 2>&1; }

cd "$epione_root"
if [ "$ci" = true ]; then
  ensure_packages lint
  run scripts/lint.sh --format
else
  ensure_packages
fi

say "building release"
build release

if [ "$ci" = true ]; then
  if has_target release epione-sim; then
    run build/release/epione-sim --seeds 1..100 --jobs 2
  fi
  say "building asan: unit and integration tests"
  build asan tests_unit tests_integration
  run ctest --test-dir build/asan --output-on-failure --no-tests=error -L '^(unit|integration)$'
fi

run ctest --test-dir build/release --output-on-failure --no-tests=error
