#!/usr/bin/env bash
# scripts/tsan.sh [seconds]: what runs threads of its own under ThreadSanitizer: the unit tests of runtime, HTTP, channels, storage,
# links between nodes and commands, the tests of the program, three nodes with a backup among them, and a node under load (10
# seconds unless said otherwise), with imports and metrics beside it.
# The first race ends the process it is in. See docs/testing.md.
. "$(dirname "$0")/lib.sh"

seconds=${1:-10}
tests=(unit_runtime unit_runtime_http unit_runtime_channels unit_runtime_storage unit_peer unit_cli)
cd "$epione_root"
ensure_packages
say "building tsan"
build tsan "${tests[@]}" epione

work=$(mktemp -d)
node_pid=
cleanup() {
  [ -z "$node_pid" ] || kill -KILL "$node_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Reports go to files, so that none is overlooked: not every test looks at what a program says, or at how it ends. The longest
# history, because a suppression needs the stack of the earlier access where that is the one inside CAF.
export TSAN_OPTIONS="suppressions=$epione_root/tests/tsan.supp halt_on_error=1 second_deadlock_stack=1 history_size=7 log_path=$work/report"
no_reports() {
  local report found=0
  for report in "$work"/report.*; do
    [ -e "$report" ] || continue
    cat "$report" >&2
    found=1
  done
  [ "$found" = 0 ] || die "ThreadSanitizer reported the above"
}

failed=0
for test in "${tests[@]}"; do
  say "$test"
  # The crash suites and those where each thing fails once run in one thread and would take most of the time.
  "build/tsan/tests/unit/$test" '--run_test=!journal_crash_suite:!shard_crash_suite:!fail_at_*' || failed=$?
  no_reports
done
for test in program program_http program_damage program_cluster_backup; do
  say "$test"
  "tests/unit/scripts/${test}_test.sh" build/tsan/epione || failed=$?
  no_reports
done
[ "$failed" = 0 ] || die "the tests failed"

say "a node under load for $seconds s"
epione=build/tsan/epione
"$epione" serve --data-dir "$work/data" --http 127.0.0.1:0 --demo >"$work/out" 2>"$work/err" &
node_pid=$!
for ((left = 600; left > 0; --left)); do
  ! grep -q '^Stop with' "$work/out" || break
  kill -0 "$node_pid" 2>/dev/null || { no_reports; tail -n 20 "$work/err" >&2; die "the node ended before it served"; }
  sleep 0.1
done
[ "$left" -gt 0 ] || die "the node does not serve after 60 s"
address=$(sed 's/.*"http":"\([^"]*\)".*/\1/' "$work/data/node.json")
"$epione" bench submit --data-dir "$work/data" --connections 32 --duration "${seconds}s" --subjects 500 --verify \
  >"$work/load" 2>&1 &
load_pid=$!
while kill -0 "$load_pid" 2>/dev/null; do
  curl -sS -o /dev/null "$address/metrics" || failed=1
  curl -sS -o /dev/null "$address/readyz" || failed=1
  "$epione" study import examples/demo --data-dir "$work/data" >/dev/null || failed=1
  "$epione" audit verify --data-dir "$work/data" >/dev/null || failed=1
done
wait "$load_pid" || failed=$?
cat "$work/load"
kill "$node_pid"
wait "$node_pid" || failed=$?
node_pid=
no_reports
[ "$failed" = 0 ] || die "the load, a command beside it or the node ended with $failed"
say "no race was found"
