#!/bin/bash
# What a submission costs by the number of nodes and of shards: messages between the nodes, syncs, bytes on the links, CPU. Prints
# the tables of docs/scaling.md.
#
#   tests/bench/cluster_cost.sh [--nodes "1 3"] [--shards "1 4 16"] [--seconds 20] [--connections 64] [--through "1 2 3"]
#                               [--subjects 20000] [--idle 5] [--epione PATH] [--port 7700] [--directory DIR] [--keep]
#
# Each setting by itself: so many nodes on loopback, with empty directories; so many seconds without a load; then phones that send
# when they have their answer, spread over the nodes named by --through (all, unless it is said), one program for each node. All
# figures but the answers' times are differences of the nodes' own counters (docs/metrics.md) between two looks within the load.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh
source tests/chaos/cluster_common.sh

epione=build/release/epione
nodes=("1 3") # until the options are read; then the numbers of the nodes that run, as cluster_common.sh has it
shards="1 4 16"
seconds=20
connections=64
through=
subjects=20000
idle=5
port=7700
directory=
warm_up_s=6           # sessions of most patients are started in it
tail_s=2              # the load goes on so long after the second look
spread_limit_ms=180000 # until leaderships are even: they rest for 5 s, then one moves a second

take_options "epione nodes shards seconds connections through subjects idle port directory" "$@"
counts=${nodes[0]}
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
for count in $counts $shards $seconds $connections $subjects $idle $through; do
  [[ $count =~ ^[1-9][0-9]*$ ]] || fail "\"$count\" is no number of anything: whole numbers from 1 on"
done

make_work_directory "$directory"
trap end_nodes EXIT

say() { echo "$*" >&2; }

# One node alone is started as one starts it alone, not as a cluster of one.
start_setting() { # SHARDS
  if ((${#nodes[@]} == 1)); then
    mkdir -p "$work/n1"
    "$epione" serve --data-dir "$work/n1/data" --http "127.0.0.1:$((port + 1001))" --shards-count "$1" --demo \
      >>"$work/n1.out" 2>>"$work/n1.err" &
    pids[1]=$!
    wait_ready 1
  else
    make_cluster "$1"
    start_all
    wait_spread
    for n in "${nodes[@]}"; do wait_ready "$n"; done
  fi
}

wait_ready() { # NODE
  local limit=$(($(now_ms) + ready_limit_ms))
  until curl -fsS --max-time 5 -o "$work/ready" "$(http_of "$1")/readyz" 2>/dev/null; do
    all_run
    (($(now_ms) < limit)) || fail "node $1 was not ready within $((ready_limit_ms / 1000)) s"
    sleep 0.1
  done
}

# Until no node leads two groups more than another.
wait_spread() {
  local limit=$(($(now_ms) + spread_limit_ms)) leads
  while :; do
    wait_whole 1
    mapfile -t leads < <(grep -o '"leads": *[0-9]*' "$work/status.json" | sed 's/.*[: ]//' | sort -n)
    ((${#leads[@]} == ${#nodes[@]} && leads[-1] - leads[0] <= 1)) && break
    (($(now_ms) < limit)) || fail "leaderships are not even after $((spread_limit_ms / 1000)) s: ${leads[*]:-?} a node"
    sleep 0.5
  done
  say "replicas a node, the catalog's among them: $(grep -o '"node": *"n[0-9]*"' "$work/status.json" | sed 's/.*"n/n/; s/"//' |
    sort -V | uniq -c | awk '{ printf "%s%s %d", (NR > 1 ? ", " : ""), $2, $1 }')"
}

look() { # NAME: the metrics of all nodes, as they are now
  local n
  printf -v "at_$1" %s "$(now_ms)"
  for n in "${nodes[@]}"; do
    curl -fsS --max-time 10 -o "$work/$1-$n" "$(http_of "$n")/metrics" || fail "the metrics of node $n could not be read"
  done
}

begin_loads() {
  local n i=0
  local -a entries=("${nodes[@]}")
  [[ -z $through ]] || read -ra entries <<<"$through"
  for n in "${entries[@]}"; do
    [[ -n ${pids[$n]:-} ]] || fail "--through names node $n, which this setting does not have"
    "$epione" bench submit --http "$(http_of "$n")" --json --seed $((n + 1)) --subjects "$subjects" \
      --connections $(((connections + i) / ${#entries[@]})) --warmup "${warm_up_s}s" --duration $((seconds + tail_s))s \
      >"$work/load-$n.out" 2>"$work/load-$n.err" &
    loads[$n]=$!
    i=$((i + 1))
  done
}

end_loads() {
  local n
  for n in "${!loads[@]}"; do
    wait_end "${loads[$n]}" $((tail_s * 1000 + load_stop_limit_ms)) "the load through n$n, at its end,"
    unset "loads[$n]"
    ((ended == 0)) || fail "the load through n$n ended with exit code $ended: $(load_said "$n")"
  done
}

# figure FILE NAME: a number of epione bench submit --json.
figure() { sed -n "s/^ *\"$2\": *\([0-9.e+-]*\),\{0,1\}$/\1/p" "$1" | head -n 1; }

# Of all generators: the slowest 99th percentile, CPU an answer, and answers that were no receipt.
of_loads() {
  local out
  for out in "$work"/load-*.out; do
    echo "$(figure "$out" p99_ms) $(figure "$out" generator_cpu_us_per_answer) $(figure "$out" acknowledged)" \
      "$(figure "$out" refused) $(figure "$out" unknown) $(figure "$out" retries)"
  done | awk '
    { if ($1 > p99) p99 = $1; cpu += $2 * $3; all += $3; bad += $4 + $5; again += $6 }
    END { printf "%s %.6f %d %d\n", p99, (all > 0 ? cpu / all : 0), bad, again }'
}

# difference BEFORE AFTER PROGRAM OPTIONS...: what an awk program prints at its end. It has d[NAME], by how much a metric grew, of
# all nodes and labels (d["stored"]: submissions stored), seconds between the looks, and the variables that -v options set.
difference() {
  local before=$1 after=$2 program=$3 from=at_$1 to=at_$2
  shift 3
  # shellcheck disable=SC2016
  awk -v seconds="$((${!to} - ${!from}))" -v before="/$before-" "$@" '
    /^#/ { next }
    {
      name = $1
      sub(/\{.*/, "", name)
      if ($1 ~ /^epione_submissions_total\{.*answer="stored"/) name = "stored"
      d[name] += (index(FILENAME, before) ? -1 : 1) * $NF
    }
    END { seconds /= 1000; '"$program"' }' "$work/$before"-[0-9]* "$work/$after"-[0-9]*
}

speed_rows=()
count_rows=()
idle_rows=()
notes=()
measure() { # SHARDS
  local row p99 generator_us bad again
  look quiet
  pause_ms $((idle * 1000))
  look still
  # shellcheck disable=SC2016
  idle_rows+=("$(difference quiet still '
    printf "| %d | %d | %.0f | %.0f | %.1f | %.1f |\n", n, shards, d["epione_peer_envelopes_total"] / seconds,
      d["epione_peer_sent_bytes_total"] / seconds, d["epione_journal_transactions_total"] / seconds,
      1e3 * d["process_cpu_seconds_total"] / seconds' -v n=${#nodes[@]} -v shards="$1")")
  begin_loads
  pause_ms $((warm_up_s * 1000))
  look before
  pause_ms $((seconds * 1000))
  look after
  loads_run
  all_run
  end_loads
  read -r p99 generator_us bad again < <(of_loads)
  [[ -n $p99 && -n $again ]] || fail "the loads did not say how long answers took: $(load_said "${nodes[0]}")"
  # Syncs: journal and mark of each transaction, WAL and database of each checkpoint.
  # shellcheck disable=SC2016
  row=$(difference before after '
    if (d["stored"] < 1) exit 1
    x = d["stored"]
    checkpoints = d["epione_journal_checkpoints_total"] + d["epione_store_checkpoints_total"]
    cpu = 1e6 * d["process_cpu_seconds_total"] / x
    printf "| %d | %d | %.0f | %.1f ms | %.1f | %.1f | %.2f |;", n, shards, x / seconds, p99, cpu, generator,
      (cpu + generator) * x / seconds / 1e6
    printf "| %d | %d | %.1f | %.1f | %.3f | %.0f | %.2f | %.3f | %.0f |", n, shards,
      d["epione_batch_commands_sum"] / d["epione_batch_commands_count"],
      d["epione_journal_batch_entries_sum"] / d["epione_journal_transactions_total"],
      2 * (d["epione_journal_transactions_total"] + checkpoints) / x, d["epione_journal_bytes_total"] / x,
      d["epione_requests_forwarded_total"] / x, d["epione_peer_envelopes_total"] / x, d["epione_peer_sent_bytes_total"] / x' \
    -v n=${#nodes[@]} -v shards="$1" -v p99="$p99" -v generator="$generator_us") ||
    fail "nothing was stored in $seconds s: $(load_said "${nodes[0]}")"
  speed_rows+=("${row%%;*}")
  count_rows+=("${row#*;}")
  ((bad + again == 0)) ||
    notes+=("${#nodes[@]} nodes, $1 shards: $bad submissions refused or unknown, $again sent again.")
}

one_setting() { # NODES SHARDS
  local n
  say "$1 nodes, $2 shards"
  mapfile -t nodes < <(seq "$1")
  pids=()
  start_setting "$2"
  measure "$2"
  for n in "${nodes[@]}"; do stop "$n"; done
  rm -rf "${work:?}"/*
}

for count in $counts; do
  for number in $shards; do one_setting "$count" "$number"; done
done
passed=1

# header NAME...: of a table of numbers.
header() {
  printf '| %s ' "$@"
  printf '|\n'
  printf '| ---: %.0s' "$@"
  printf '|\n'
}

processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$("$epione" --version | head -n 1); $(nproc) cores ($processor), all nodes and generators on them;" \
  "$connections connections through ${through:+node }${through:-all nodes}, $seconds s each, $subjects patients."
echo
header nodes shards submissions/s p99 "nodes' CPU µs a submission" "generator's CPU µs" "cores busy"
printf '%s\n' "${speed_rows[@]}"
echo
header nodes shards "commands a log entry" "log entries a journal transaction" "syncs a submission" "journal bytes a submission" \
  "forwarded" "envelopes a submission" "bytes on links a submission"
printf '%s\n' "${count_rows[@]}"
printf '\nWithout a load, all nodes together, over %s s:\n\n' "$idle"
header nodes shards envelopes/s bytes/s "journal transactions/s" "CPU ms/s"
printf '%s\n' "${idle_rows[@]}"
((${#notes[@]} == 0)) || printf '\n%s\n' "${notes[@]}"
