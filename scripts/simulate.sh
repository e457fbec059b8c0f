#!/bin/sh
# A long run of the simulator: scripts/simulate.sh A B runs the seeds A to B, two at a time (JOBS=n for another number), and keeps
# what failed in build/simulation-A-B.log. A second to some a seed and core, more with more nodes; a night is some ten thousand.
set -eu
cd "$(dirname "$0")/.."
if [ $# -ne 2 ]; then
  echo "usage: scripts/simulate.sh FIRST_SEED LAST_SEED" >&2
  exit 2
fi
program=build/release/epione-sim
[ -x "$program" ] || {
  cmake --preset release
  cmake --build --preset release --target epione-sim
}
log="build/simulation-$1-$2.log"
status=0
"$program" --seeds "$1..$2" --jobs "${JOBS:-2}" >"$log" 2>&1 || status=$?
grep -E '^seed [0-9]+ FAILED' "$log" || true
tail -n 1 "$log"
[ "$status" -eq 0 ] || echo "details: $log" >&2
exit "$status"
