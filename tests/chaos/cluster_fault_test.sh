#!/bin/bash
# Three nodes on this machine under load, and one whole-node fault after the other. Proves that everything that was
# acknowledged is there exactly once with its answers, whichever node is asked, and that all replicas hold the very same chains
# and submissions.
#
#   tests/chaos/cluster_fault_test.sh [--epione PATH] [--faults 200] [--kinds "KIND ..."] [--connections 32] [--rate N]
#                                     [--subjects 50000] [--seed N] [--port 7300] [--least 5] [--most 40] [--rate-min 500] [--disk 8GiB]
#                                     [--directory DIR] [--keep] [--plan]
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
# Kinds are dealt like cards from those of --kinds, which may name one several times. frozen and the last five last from `least`
# to `most` seconds. All faults are drawn from the seed before the first one: the same seed and options give the same list, which
# --plan prints without starting anything. Each fault comes only when at least rate_min submissions were acknowledged in a
# second, and within a second of that; a load that stays below ends the run as invalid. With --rate so many submissions fall due
# a second, without it each phone sends when it has its answer. The load goes through a node that is not to be hit next, as phones
# do that another node answers.
#
# The last five kinds need network namespaces with nftables, full also mounts; as root, or where users may have namespaces. Where
# there are none the test says what is lacking and ends with exit code 77, skipped; the first three kinds run anywhere, on
# loopback.
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
disk=8GiB
directory=
shards=4
plan=0

flags+=" plan"
take_options "epione faults kinds connections rate subjects seed port least most rate_min disk directory" "$@"
RANDOM=$seed
needs_namespaces=0
needs_disks=0
for kind in $kinds; do
  case $kind in
    killed | frozen | replaced) ;;
    cut_off | deaf | mute | parted) needs_namespaces=1 ;;
    full) needs_namespaces=1 needs_disks=1 ;;
    *) fail "\"$kind\" is no kind of fault" ;;
  esac
done

# The faults, by their number: what, whose, the load's way, when after the load is enough, how long it lasts, what it leaves.
fault_kind=() fault_victim=() fault_through=() fault_pause_ms=() fault_lasts_ms=() fault_left_kib=()
plan_faults() {
  local fault deck=() i
  for ((fault = 1; fault <= faults; ++fault)); do
    # shellcheck disable=SC2206 # one word a kind
    ((${#deck[@]} > 0)) || deck=($kinds)
    ((${#deck[@]} > 0)) || fail "--kinds names no kind of fault"
    between i 0 $((${#deck[@]} - 1))
    fault_kind[fault]=${deck[i]}
    unset "deck[$i]"
    deck=("${deck[@]}")
    between "fault_victim[$fault]" 1 3
    between i 0 1
    fault_through[fault]=$(((fault_victim[fault] + i) % 3 + 1))
    between "fault_pause_ms[$fault]" 0 1000
    case ${fault_kind[fault]} in
      killed) between "fault_lasts_ms[$fault]" 0 4000 ;;
      replaced) fault_lasts_ms[fault]=2000 ;;
      *) between "fault_lasts_ms[$fault]" $((least * 1000)) $((most * 1000)) ;;
    esac
    between "fault_left_kib[$fault]" 0 65536 # below what a node keeps free
  done
}

# planned FAULT: what is known of it beforehand.
planned() {
  local what=${fault_kind[$1]}
  [[ $what != full ]] || what+=" with ${fault_left_kib[$1]} KiB left"
  echo "fault $1: n${fault_victim[$1]} $what for ${fault_lasts_ms[$1]} ms under load through n${fault_through[$1]}"
}

plan_faults
if ((plan)); then
  for ((fault = 1; fault <= faults; ++fault)); do
    echo "$(planned "$fault"), ${fault_pause_ms[fault]} ms after that was enough"
  done
  exit 0
fi

skip() {
  local n
  if [[ -n $work ]]; then
    for n in "${nodes[@]}"; do umount -l "$work/n$n" 2>/dev/null; done
    rm -rf "$work"
    work=
  fi
  echo "SKIPPED, nothing was tested: $*. \"killed\", \"frozen\" and \"replaced\" need none of it (--kinds)" >&2
  exit 77
}
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
if ((needs_namespaces)); then
  enter_namespaces "tests/chaos/cluster_fault_test.sh" "$@" || skip "no network namespaces with nftables: $not_isolated"
fi
if ((needs_disks)); then
  command -v mkfs.ext4 >/dev/null || skip "there is no mkfs.ext4"
fi
make_work_directory "$directory"
trap end_nodes EXIT
if ((needs_namespaces)); then make_networks; fi
if ((needs_disks)); then
  make_disks || skip "no file system could be mounted: $(disks_said)"
fi
echo "Cluster fault test: $faults faults, $connections connections, seed $seed, data in $work"
((${#in_memory[@]} == 0)) || echo "no image can be mounted here: the disks are in memory, $memory_disk_kib KiB each"

# The store of a shard is written down often, so that what a node misses is not in the others' logs any more.
serve_options=(--storage-store-checkpoint-bytes 1MiB)

# do_fault KIND VICTIM THROUGH LASTS_MS LEFT_KIB: returns when it is over.
do_fault() {
  local other=$((6 - $2 - $3))
  case $1 in
    killed | replaced) kill_and_wait "$2" ;;
    frozen) kill -STOP "${pids[$2]}" || fail "n$2 could not be frozen" ;;
    cut_off | deaf) deafen "$2" ;;&
    cut_off | mute) mute "$2" ;;
    parted)
      deafen "$2" "$other"
      deafen "$other" "$2"
      ;;
    full) fill_disk "$2" "$5" ;;
  esac
  pause_ms "$4"
  case $1 in
    killed) start "$2" "${serve_options[@]}" ;;
    frozen) kill -CONT "${pids[$2]}" ;;
    replaced) replace "$2" "$3" ;;
    cut_off | deaf | mute | parted) heal_networks ;;
    full) free_disk "$2" ;;
  esac
}

replace() { # NODE THROUGH
  rm -rf "$work/n$1/data"
  enter "$2"
  limited "$command_limit_s" "cluster replace" "${at[@]}" "$epione" cluster replace "n$1" --cluster "$file" --node "n$2" \
    >"$work/replace.out" 2>&1 || fail "node $1 could not be replaced: $(cat "$work/replace.out")"
  start "$1" "${serve_options[@]}"
}

one_fault() { # FAULT
  local kind=${fault_kind[$1]} victim=${fault_victim[$1]} through=${fault_through[$1]} at_least meanwhile began whole_ms
  ((!disks)) || check_room
  rm -f "$work/round.ledger"
  begin_load "$through" "$work/round.ledger" $((seed * 1000 + $1))
  need_load "$work/round.ledger"
  pause_ms "${fault_pause_ms[$1]}"
  at_least=$(ledger_records "$work/round.ledger")
  do_fault "$kind" "$victim" "$through" "${fault_lasts_ms[$1]}" "${fault_left_kib[$1]}"
  began=$(now_ms)
  meanwhile=$(($(ledger_records "$work/round.ledger") - at_least))
  count_fault "$kind"
  wait_whole "$through"
  whole_ms=$(($(now_ms) - began))
  stop_loads
  verify "$work/round.ledger" "$victim"
  ((found >= at_least)) || fail "fault $1: $found found, at least $at_least sent"
  total=$((total + found))
  cat "$work/round.ledger" >>"$work/all.ledger"
  echo "$(planned "$1"), $(grouped "$meanwhile") acknowledged meanwhile; whole again after $whole_ms ms;" \
    "all $(grouped "$found") there once with their answers, asked through n$victim"
}

make_cluster "$shards"
start_all "${serve_options[@]}"
for ((fault = 1; fault <= faults; ++fault)); do one_fault "$fault"; done
for n in "${nodes[@]}"; do
  verify "$work/all.ledger" "$n"
  ((found == total)) || fail "$total were acknowledged in all rounds, $found are there through node $n"
done
stop_and_compare "$shards"
passed=1
echo "PASSED: $(figures)"
