#!/bin/bash
# Lets system calls of a real node fail under load, gives it too little memory, or a clock that is wrong or jumps. The node must
# go on and answer, or end by itself with a message that says why; and everything it had acknowledged is there when it is
# started again, exactly once with its answers, with whole chains.
#
#   tests/chaos/injection_test.sh [--epione PATH] [--runs 60] [--kinds "KIND ..."] [--most 2048] [--connections 64] [--subjects 50000]
#                                 [--seed N] [--directory DIR] [--keep]
#
#   sync_eio, sync_enospc      the Nth sync (fsync, fdatasync) of each thread fails
#   write_eio, write_enospc    the Nth pwrite64 of each thread fails
#   write_short_of_space       the Nth and all that follow fail with ENOSPC, for up to 3 s; then a node
#                              that was ready must acknowledge again by itself
#   writes_eio, writes_enospc  the Nth and all that follow fail
#   read_eio, reads_eio        the Nth pread64 of each thread fails, or all from there on
#   open_eio, open_emfile      the Nth openat fails
#   memory                     under load the first or second mmap, brk, mremap or mprotect of each thread and all that follow fail for up to 3 s; the
#                              node must then acknowledge again by itself, or have ended with a sentence (at the start it is the loader's)
#   memory_tight               for two seconds the process under load gets up to 64 MiB more address space than it has, and no more
#   clock_ahead, clock_behind  the clock is a day wrong from the start
#   clock_jumps                it jumps a day to and fro under load
#
# Small N hit the start, larger ones the load; N is spread evenly over its orders of magnitude up to --most. A run begins with a
# node under load that is killed after 500 acknowledgements, without which the test fails; one in which nothing was injected does not
# count. The
# load goes on until the end of the run and allows no status but 200, 202 and 503. Needs strace, prlimit and libfaketime
# (packages strace, util-linux, faketime); kinds whose tool is missing are skipped, and said.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh

epione=build/release/epione
runs=60
kinds="sync_eio sync_enospc write_eio write_enospc write_short_of_space writes_eio writes_enospc read_eio reads_eio open_eio open_emfile
  memory memory_tight clock_ahead clock_behind clock_jumps"
most=2048
connections=64
subjects=50000
seed=$$
directory=
acknowledged_min=500
invalid_max=30 # in a row: N may be more calls than there are

take_options "epione runs kinds most connections subjects seed directory" "$@"
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
RANDOM=$seed

faketime_library=$(find /usr/lib /usr/local/lib -name 'libfaketimeMT.so.1' 2>/dev/null | head -n 1)
deck=()
for kind in $kinds; do
  case $kind in
    clock_*) tool=faketime there=$([[ -n $faketime_library ]] && echo 1) ;;
    memory_tight) tool=prlimit there=$(command -v prlimit) ;;
    *) tool=strace there=$(command -v strace >/dev/null && strace -o /dev/null -e inject=none:error=EIO true 2>/dev/null && echo 1) ;;
  esac
  if [[ -n $there ]]; then deck+=("$kind"); else echo "skipped: $kind (there is no $tool, or it may not be used here)"; fi
done
((${#deck[@]} > 0)) || skip "no kind is left"

make_work_directory "$directory"
echo "Injection test: $runs runs of ${deck[*]}, $connections connections, seed $seed, data in $work"

# As between, into $drawn, evenly over the orders of magnitude from 1 to $1.
spread() {
  local bits=0
  while ((2 << bits <= $1)); do bits=$((bits + 1)); done
  between drawn 0 "$bits"
  between drawn $((1 << drawn)) $(((2 << drawn) - 1 < $1 ? (2 << drawn) - 1 : $1))
}

# strace_of CALLS ERROR WHEN: sets `under`.
strace_of() {
  under=(strace -D -f --seccomp-bpf -qq -o "$work/strace.log" -e "trace=$1" -e "inject=$1:error=$2:when=$3")
}

# The node is traced, or lied to, from its start. Sets `under`.
prepare() {
  local n=$2
  rm -f "$work/strace.log"
  case $1 in
    sync_eio) strace_of fsync,fdatasync EIO "$n" ;;
    sync_enospc) strace_of fsync,fdatasync ENOSPC "$n" ;;
    write_eio) strace_of pwrite64 EIO "$n" ;;
    write_enospc) strace_of pwrite64 ENOSPC "$n" ;;
    write_short_of_space) # without its filter in the kernel, which would make the calls fail when the tracer is gone
      under=(strace -D -I 2 -f -qq -o "$work/strace.log" -e trace=pwrite64 -e "inject=pwrite64:error=ENOSPC:when=$n+")
      ;;
    writes_eio) strace_of pwrite64 EIO "$n+" ;;
    writes_enospc) strace_of pwrite64 ENOSPC "$n+" ;;
    read_eio) strace_of pread64 EIO "$n" ;;
    reads_eio) strace_of pread64 EIO "$n+" ;;
    open_eio) strace_of openat EIO "$n" ;;
    open_emfile) strace_of openat EMFILE "$n" ;;
    memory | memory_tight) under=() ;;
    clock_ahead) clock_is +1d ;;
    clock_behind) clock_is -1d ;;
    clock_jumps) clock_is +0 ;;
    *) fail "\"$1\" is no kind of fault" ;;
  esac
}

# The clock of the node, and only that: its timers go on.
clock_is() {
  echo "$1" >"$work/clock"
  under=(env "LD_PRELOAD=$faketime_library" "FAKETIME_TIMESTAMP_FILE=$work/clock" FAKETIME_CACHE_DURATION=1
    FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1)
}

node_url() { sed -n 's/.*"http": *"\([^"]*\)".*/\1/p' "$work/data/node.json"; }
runs_on() { kill -0 "$node_pid" 2>/dev/null; }
is_ready() { grep -q "\"pid\":${node_pid}[,}]" "$work/data/node.json" 2>/dev/null; }

# wait_while COMMAND...: until it fails, or the node has ended; 1 after 20 s.
wait_while() {
  local limit=$(($(now_ms) + 20000))
  while runs_on && "$@"; do
    (($(now_ms) < limit)) || return 1
    sleep 0.02
  done
}
nothing_injected() { ! grep -q INJECTED "$work/strace.log" 2>/dev/null; }
not_ready() { ! is_ready; }

# More is acknowledged, by this very process.
goes_on() {
  local before
  before=$(ledger_records "$work/round.ledger")
  wait_for_round $((before + acknowledged_min)) && return
  runs_on || fail "$what: the node ended, and should have gone on"
  fail "$what: nothing is acknowledged any more"
}

hours_wrong() {
  local date
  date=$(curl -s -m 10 -o /dev/null -D - "$(node_url)/healthz" | tr -d '\r' | sed -n 's/^[Dd]ate: //p')
  [[ -n $date ]] || fail "$what: no answer from the node"
  echo $((($(date -d "$date" +%s) - $(date +%s) + 86400 * 10 + 1800) / 3600 - 240))
}

clock_shows() {
  local limit=$(($(now_ms) + 10000)) hours
  until hours=$(hours_wrong) && ((hours == $1)); do
    (($(now_ms) < limit)) || fail "$what: the node's clock is $hours hours wrong and should be $1"
    sleep 0.1
  done
}

# do_fault KIND: until the fault has had its time. 1 when it did not come about.
do_fault() {
  local i size tracer
  case $1 in
    clock_ahead | clock_behind)
      wait_until_ready
      if [[ $1 == clock_ahead ]]; then clock_shows 24; else clock_shows -24; fi
      goes_on
      ;;
    clock_jumps)
      wait_until_ready
      for i in +1d -1d +0; do
        clock_is "$i"
        clock_shows $((${i%d} * 24))
        goes_on
      done
      ;;
    memory)
      wait_until_ready
      goes_on
      strace -f -I 2 -qq -o "$work/strace.log" -p "$node_pid" -e trace=mmap,brk,mremap,mprotect -e "inject=mmap,brk,mremap,mprotect:error=ENOMEM:when=$2+" &
      tracer=$!
      wait_while nothing_injected
      between drawn 1000 3000
      pause_ms "$drawn"
      kill -TERM "$tracer"
      wait_end "$tracer" 10000 "strace, after SIGTERM,"
      nothing_injected && return 1
      runs_on && goes_on
      ;;
    memory_tight)
      wait_until_ready
      goes_on
      size=$(awk '/^VmSize/ { print $2 }' "/proc/$node_pid/status")
      prlimit --pid "$node_pid" --as="$(((size + $2) * 1024)):" || return 1
      pause_ms 2000
      runs_on || return 0
      prlimit --pid "$node_pid" --as=unlimited: 2>/dev/null
      runs_on && goes_on
      ;;
    *)
      wait_while nothing_injected || return 1
      nothing_injected && return 1 # it ended before
      between drawn 200 3000
      if [[ $1 == write_short_of_space ]]; then
        pause_ms "$drawn"
        # Before it is ready it may end, with a sentence.
        runs_on || ! is_ready || fail "$what: the node ended, and should have gone on"
        if runs_on; then
          kill -TERM "$(awk '/^TracerPid/ { print $2 }' "/proc/$node_pid/status")"
          goes_on
        fi
      else
        wait_while not_ready
        pause_ms "$drawn"
      fi
      ;;
  esac
  return 0
}

# How the node took it. Sets $how.
judge() {
  local code=0 limit=$(($(now_ms) + 60000))
  if runs_on; then
    how="goes on"
    if is_ready; then
      curl -s -m 20 -o /dev/null "$(node_url)/healthz" || fail "$what: the node neither ended nor answers"
    else
      how="waits for its start"
    fi
    kill -TERM "$node_pid"
  else
    how="ended by itself"
  fi
  until ! runs_on; do
    (($(now_ms) < limit)) || fail "$what: $how, and does not end within 60 s of SIGTERM"
    sleep 0.02
  done
  wait "$node_pid" || code=$?
  node_pid=
  how="$how, exit $code"
  ((code < 128)) || fail "$what: $how: $(tail -n 3 "$work/node.err" | cut -c1-400)"
  [[ $how != "ended by itself"* ]] || ((code != 0)) || fail "$what: ended by itself with exit code 0"
  if ((code != 0)); then
    why=$(tail -c +$((said + 1)) "$work/node.err" | grep -v '"level":"info"\|"level":"warning"' | tail -n 1)
    [[ -n $why ]] || fail "$what: $how, and does not say why"
    how="$how: $(sed 's/.*"why":"//; s/".*//' <<<"$why" | cut -c1-160)"
  fi
}

# The next kind: a card of the deck, which is shuffled anew when it is used up.
dealt=()
next_kind() {
  ((${#dealt[@]} > 0)) || dealt=("${deck[@]}")
  between drawn 0 $((${#dealt[@]} - 1))
  kind=${dealt[$drawn]}
  unset "dealt[$drawn]"
  dealt=("${dealt[@]}")
}

total=0
run=0
attempt=0
invalid=0
start_node
wait_until_ready
while ((run < runs)); do
  attempt=$((attempt + 1))
  ((invalid > 0)) || next_kind
  limit=$most
  [[ $kind == sync_* || $kind == open_* ]] && limit=$((most < 256 ? most : 256))
  [[ $kind == memory ]] && limit=2
  [[ $kind == memory_tight ]] && limit=65536
  spread "$limit"
  n=$drawn
  what="run $((run + 1)), $kind $n"
  start_round "$connections" "$subjects" $((seed * 1000 + attempt))
  wait_for_round "$acknowledged_min" || fail "$what: this machine does not carry the load, or the node ended; see $work"
  kill_node
  at_least=$(ledger_records "$work/round.ledger")
  prepare "$kind" "$n"
  said=$(stat -c %s "$work/node.err")
  start_node_under
  came=1
  do_fault "$kind" "$n" || came=0
  judge
  start_node
  wait_until_ready
  pause_ms 300 # what had no answer is asked for again
  stop_load 3
  read_back "$work/round.ledger" --data-dir "$work/data" --connections 64
  need_found "$at_least"
  total=$((total + found))
  cat "$work/round.ledger" >>"$work/all.ledger"
  if ((!came)); then
    invalid=$((invalid + 1))
    ((invalid < invalid_max)) || fail "$kind: in $invalid_max runs nothing was injected"
    continue
  fi
  invalid=0
  run=$((run + 1))
  audit
  echo "$what: $how; all $(grouped "$found") there once with their answers, chain intact"
done

finish_rounds
passed=1
echo "PASSED: $runs runs, $((attempt - run)) in which nothing was injected, $(grouped "$total") acknowledged submissions, each there" \
  "exactly once with its answers; chain intact"
