#!/bin/bash
# Three nodes on this machine under load, and one whole-node fault after the other. Proves that everything that was acknowledged is
# there exactly once with its answers, whichever node is asked, and that all replicas hold the very same chains and submissions.
#
#   tests/chaos/cluster_fault_test.sh [--epione PATH] [--faults 200] [--kinds "KIND ..."] [--connections 32] [--subjects 50000]
#                                     [--seed N] [--port 7300] [--least 5] [--most 40] [--rate_min 500] [--isolate auto|yes|no]
#                                     [--disk 8GiB] [--directory DIR] [--keep]
#
#   killed     kill -9, and started again after up to 4 s
#   frozen     SIGSTOP, and let go on
#   replaced   killed, its directory deleted, and the node replaced
#   cut_off    neither hears the others nor is heard by them
#   deaf       does not hear the others; they hear it
#   mute       hears the others; they do not hear it
#   parted     two nodes do not hear each other; both reach the third
#   full       its disk is full, and made free again
#
# Kinds are dealt like cards from those of --kinds, which may name one several times. All but the first three last from `least` to
# `most` seconds, as frozen does. Each fault comes only while at least rate_min submissions a second are acknowledged; otherwise it
# waits. The load goes through a node that is not to be hit next, as phones do that another node answers.
#
# Cuts and full disks need network namespaces with nftables, and mounts; as root, or where users may have namespaces. Where there are
# none the test says "skipped" and runs the others on loopback; with --isolate yes it fails instead.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh
source tests/chaos/cluster_common.sh

epione=build/release/epione
faults=200
kinds="killed killed killed frozen frozen replaced cut_off cut_off deaf mute parted full full"
connections=32
subjects=50000
seed=$$
port=7300
least=5
most=40
rate_min=500
isolate=auto
disk=8GiB
directory=
shards=4

take_options "epione faults kinds connections subjects seed port least most rate_min isolate disk directory" "$@"
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
[[ " auto yes no " == *" $isolate "* ]] || fail "--isolate is auto, yes or no"
for kind in $kinds; do
  [[ " killed frozen replaced cut_off deaf mute parted full " == *" $kind "* ]] || fail "\"$kind\" is no kind of fault"
done
RANDOM=$seed

not_isolated="--isolate no"
if [[ $isolate == no ]] || ! enter_namespaces "tests/chaos/cluster_fault_test.sh" "$@"; then
  [[ $isolate != yes ]] || fail "no namespaces: $not_isolated"
fi
make_work_directory "$directory"
trap end_nodes EXIT
if [[ ${CHAOS_ENTERED:-} == 1 ]]; then
  make_networks
  make_disks || not_isolated="no file system could be mounted: $(grep -v dmesg "$work/disks.err" | tail -n 1)"
fi
deck=()
declare -A skipped=()
for kind in $kinds; do
  case $kind in
    cut_off | deaf | mute | parted) ((isolated)) && deck+=("$kind") || skipped[$kind]=1 ;;
    full) ((disks)) && deck+=("$kind") || skipped[$kind]=1 ;;
    *) deck+=("$kind") ;;
  esac
done
echo "Cluster fault test: $faults faults, $connections connections, seed $seed, data in $work"
((${#skipped[@]} == 0)) || echo "skipped: ${!skipped[*]} ($not_isolated)"
((${#deck[@]} > 0)) || fail "no kind of fault is left"

# The store of a shard is written down often, so that what a node misses is not in the others' logs any more.
serve_options=(--storage-store-checkpoint-bytes 1MiB)

start_load() {
  attempt=$((attempt + 1))
  rm -f "$work/round.ledger"
  enter "$1"
  "${at[@]}" "$epione" bench submit --http "$(http_of "$1")" --connections "$connections" --duration 1h --subjects "$subjects" \
    --seed $((seed * 1000 + attempt)) --ledger "$work/round.ledger" >"$work/load.out" 2>"$work/load.err" &
  load_pid=$!
  local limit=$(($(now_ms) + 60000)) before
  while :; do
    before=$(ledger_records "$work/round.ledger")
    sleep 1
    (($(ledger_records "$work/round.ledger") - before >= rate_min)) && return
    kill -0 "$load_pid" 2>/dev/null || fail "the load ended: $(tail -n 3 "$work/load.err")"
    (($(now_ms) < limit)) || fail "this machine does not carry $rate_min submissions a second"
  done
}

stop_load() {
  local code=0
  kill -TERM "$load_pid" 2>/dev/null
  wait "$load_pid" || code=$?
  load_pid=
  ((code == 0)) || fail "the load ended with exit code $code: $(cat "$work/load.out" "$work/load.err" | tail -n 20)"
}

# The next kind: a card of the deck, which is shuffled anew when it is used up.
dealt=()
next_kind() {
  local i
  ((${#dealt[@]} > 0)) || dealt=("${deck[@]}")
  i=$(between 0 $((${#dealt[@]} - 1)))
  kind=${dealt[$i]}
  unset "dealt[$i]"
  dealt=("${dealt[@]}")
}

for_a_while() {
  lasted_ms=$(between $((least * 1000)) $((most * 1000)))
  pause_ms "$lasted_ms"
}

# do_fault KIND VICTIM THROUGH: returns when it is over. Sets $what.
do_fault() {
  local other=$((6 - $2 - $3))
  lasted_ms=0
  case $1 in
    killed)
      what=killed
      kill_and_wait "$2"
      lasted_ms=$(between 0 4000)
      pause_ms "$lasted_ms"
      start "$2" "${serve_options[@]}"
      ;;
    frozen)
      what=frozen
      kill -STOP "${pids[$2]}"
      for_a_while
      kill -CONT "${pids[$2]}"
      ;;
    replaced)
      what=replaced
      kill_and_wait "$2"
      rm -rf "$work/n$2/data"
      lasted_ms=2000
      pause_ms "$lasted_ms"
      enter "$3"
      "${at[@]}" "$epione" cluster replace "n$2" --cluster "$file" --node "n$3" >"$work/replace.out" 2>&1 ||
        fail "node $2 could not be replaced: $(cat "$work/replace.out")"
      start "$2" "${serve_options[@]}"
      ;;
    cut_off)
      what="cut off both ways"
      deafen "$2"
      mute "$2"
      for_a_while
      heal_networks
      ;;
    deaf)
      what="cut off one way, hearing nothing"
      deafen "$2"
      for_a_while
      heal_networks
      ;;
    mute)
      what="cut off one way, heard by nobody"
      mute "$2"
      for_a_while
      heal_networks
      ;;
    parted)
      what="cut off from n$other"
      deafen "$2" "$other"
      deafen "$other" "$2"
      for_a_while
      heal_networks
      ;;
    full)
      what="disk full"
      fill_disk "$2" "$(between 0 65536)" # below what a node keeps free
      for_a_while
      rm "$work/n$2/filling"
      ;;
  esac
}

attempt=0
total=0
declare -A done_faults=()
make_cluster "$shards"
start_all "${serve_options[@]}"
for ((fault = 1; fault <= faults; ++fault)); do
  next_kind
  victim=$(between 1 3)
  through=$(((victim + $(between 0 1)) % 3 + 1))
  start_load "$through"
  pause_ms "$(between 0 1500)"
  at_least=$(ledger_records "$work/round.ledger")
  do_fault "$kind" "$victim" "$through"
  began=$(now_ms)
  meanwhile=$(($(ledger_records "$work/round.ledger") - at_least))
  done_faults[$kind]=$((${done_faults[$kind]:-0} + 1))
  wait_whole "$through"
  whole_ms=$(($(now_ms) - began))
  stop_load
  verify "$work/round.ledger" "$victim"
  ((found >= at_least)) || fail "fault $fault: $found found, at least $at_least sent"
  total=$((total + found))
  cat "$work/round.ledger" >>"$work/all.ledger"
  echo "fault $fault: n$victim $what for $lasted_ms ms under load through n$through, $(grouped "$meanwhile") acknowledged meanwhile;" \
    "whole again after $whole_ms ms; all $(grouped "$found") there once with their answers, asked through n$victim"
done

for n in "${nodes[@]}"; do
  verify "$work/all.ledger" "$n"
  ((found == total)) || fail "$total were acknowledged in all rounds, $found are there through node $n"
done
stop_and_compare "$shards"
passed=1
list=
for kind in "${!done_faults[@]}"; do list+="${list:+, }${done_faults[$kind]} $kind"; done
echo "PASSED: $faults faults ($list)${skipped[*]:+, skipped: ${!skipped[*]}}; $(grouped "$total") acknowledged submissions, each there exactly" \
  "once with its answers on every node; chains intact, and chains and submissions the same on all nodes"
