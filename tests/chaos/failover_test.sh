#!/bin/bash
# Measures how long a patient waits when the node that leads the shard dies: from kill -9 of the leader, under light load, to the
# next acknowledged write of that shard; then the same from a leader that is frozen (SIGSTOP). Ends with 1 when that takes too
# long, and when anything that was acknowledged is not there exactly once or the replicas differ.
#
#   tests/chaos/failover_test.sh [--epione PATH] [--kills 100] [--freezes 30] [--kill-limit-ms 1500] [--freeze-limit-ms 3000]
#                                [--connections 4] [--rate-min 500] [--attempt-ms 500] [--seed N] [--port 7400] [--directory DIR]
#                                [--keep] [--plan]
#
# The write is that of one patient whose phone tries the two other nodes in turn, under the same key: the first at once, the next
# after 10 ms when the answer was a refusal, or when none came within attempt_ms. The limits are for the 99th percentile.
# Patients, the phone's first node and the moments are drawn from the seed before the first round (--plan prints them); who leads
# is found out. Each fault comes only when at least rate_min submissions were acknowledged in a second, and soon after.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh
source tests/chaos/cluster_common.sh

epione=build/release/epione
kills=100
freezes=30
kill_limit_ms=1500
freeze_limit_ms=3000
connections=4 # of the load meanwhile: one submission after the other on each
rate_min=500
attempt_ms=500
seed=$$
port=7400
directory=
shards=16
subjects=20000
give_up_ms=60000

moved_max=100 # times in a row that a leadership moves between the look and the fault
plan=0

flags+=" plan"
take_options "epione kills freezes kill_limit_ms freeze_limit_ms connections rate_min attempt_ms seed port directory" "$@"
RANDOM=$seed
rounds=$((kills + freezes))
((rounds > 0)) || fail "--kills 0 and --freezes 0 leave nothing to do"
round_patient=() round_first=() round_pause_ms=()
for ((round = 1; round <= rounds; ++round)); do
  between "round_patient[$round]" 1 $subjects
  between "round_first[$round]" 0 1 # of the leader's two followers
  between "round_pause_ms[$round]" 0 1000
done
if ((plan)); then
  for ((round = 1; round <= rounds; ++round)); do
    if ((round <= kills)); then what=killed; else what=frozen; fi
    echo "fault $round: the leader of patient ${round_patient[round]}'s shard $what," \
      "${round_pause_ms[round]} ms after the load was enough;" \
      "the phone begins with follower $((round_first[round] + 1))"
  done
  exit 0
fi
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
make_work_directory "$directory"
trap end_nodes EXIT
echo "Fail-over test: $kills kills and $freezes freezes, load of $connections connections, seed $seed, data in $work"

# submit NODE PATIENT KEY: sets $status; empty when there was no answer in time.
submit() {
  local body connection head
  status=
  body="{\"patientId\":$2,\"key\":\"$3\",\"data\":{\"form\":\"phq-9\",\"authored\":\"2024-05-01T08:30:00+08:00\",\"answers\":"
  body+='{"q1":1,"q2":0,"q3":2,"q4":1,"q5":0,"q6":1,"q7":0,"q8":0,"q9":0}}}'
  { exec {connection}<>"/dev/tcp/127.0.0.1/$((port + 1000 + $1))"; } 2>/dev/null || return
  printf -v head 'POST /patient/data HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nContent-Type: application/json\r\n' $((port + 1000 + $1))
  printf '%sContent-Length: %s\r\nConnection: close\r\n\r\n%s' "$head" "${#body}" "$body" >&"$connection" # in one write
  read -r -t "$((attempt_ms / 1000)).$(printf %03d $((attempt_ms % 1000)))" -u "$connection" _ status _ || status=
  exec {connection}>&-
}

# locate PATIENT: sets $leader and $shard. While a leadership moves nobody is known to have it.
locate() {
  local limit
  limit=$(($(now_ms) + 30000))
  until limited 30 "cluster locate" "$epione" cluster locate --cluster "$file" --node n1 --patient "$1" --json \
    >"$work/locate.json" 2>&1; do
    (($(now_ms) < limit)) || fail "nobody leads the shard of patient $1, still after 30 s: $(cat "$work/locate.json")"
    sleep 0.1
  done
  leader=$(sed -n 's/.*"leader": *"n\([0-9]\)".*/\1/p' "$work/locate.json")
  shard=$(sed -n 's/.*"shard": *\([0-9]*\).*/\1/p' "$work/locate.json")
  [[ -n $leader && -n $shard ]] || fail "it is not said who leads: $(cat "$work/locate.json")"
}

# next_acknowledged PATIENT KEY NODE NODE: sets $through and $attempts.
next_acknowledged() {
  local patient=$1 key=$2 limit
  limit=$(($(now_ms) + give_up_ms))
  shift 2
  for ((attempts = 1; ; ++attempts)); do
    through=$1
    submit "$through" "$patient" "$key"
    case $status in
      200 | 202) return ;;
      '' | 503) ;;
      *) fail "node $through answered $status" ;;
    esac
    (($(now_ms) < limit)) ||
      fail "no write of shard $shard was acknowledged for $give_up_ms ms after n$leader, its leader, was gone"
    set -- "$2" "$1"
    sleep 0.01
  done
}

end_round() {
  stop_loads
  cat "$work/round.ledger" >>"$work/all.ledger"
}

# one_failover SIGNAL NAME: appends the milliseconds to $work/NAME. Returns 1 when a leadership moved before the fault, which
# then has not come.
one_failover() {
  local patient=${round_patient[round]} others began took found_leader
  wait_whole 1
  locate "$patient"
  found_leader=$leader
  others=($((leader % 3 + 1)) $(((leader + 1) % 3 + 1)))
  ((round_first[round] == 0)) || others=("${others[1]}" "${others[0]}")
  rm -f "$work/round.ledger"
  attempt=$((attempt + 1))
  begin_load "${others[0]}" "$work/round.ledger" $((seed * 1000 + attempt))
  need_load "$work/round.ledger"
  pause_ms "${round_pause_ms[round]}"
  locate "$patient"
  if [[ $leader != "$found_leader" ]]; then # leaderships spread while all is well
    end_round
    return 1
  fi
  [[ $1 == KILL ]] && disown "${pids[$leader]}" # bash need not report its end
  began=${EPOCHREALTIME/[.,]/}
  kill "-$1" "${pids[$leader]}" || fail "n$leader could not be $2"
  next_acknowledged "$patient" "failover-$seed-$round" "${others[@]}"
  took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
  echo "$took" >>"$work/$2"
  count_fault "$2"
  echo "fault $round: n$leader, which led shard $shard, $2; acknowledged by n$through after $took ms, $attempts attempts"
  if [[ $1 == KILL ]]; then
    wait_end "${pids[$leader]}" "$stop_wait_limit_ms" "n$leader, after SIGKILL,"
    start "$leader"
  else
    kill -CONT "${pids[$leader]}"
  fi
  wait_whole "${others[0]}"
  end_round
}

# fail_over SIGNAL NAME: until it has come.
fail_over() {
  local moved
  for ((moved = 0; moved < moved_max; ++moved)); do one_failover "$@" && return; done
  fail "fault $round: a leadership moved $moved_max times in a row right before it: they do not come to rest"
}

# percentile FILE PERCENT: the nearest rank.
percentile() {
  sort -n "$1" | awk -v p="$2" '{ v[NR] = $1 } END { i = int(NR * p / 100); if (i < NR * p / 100) ++i; print v[i < 1 ? 1 : i] }'
}

# report NAME TIMES LIMIT_MS: a line; returns 1 when over the limit.
report() {
  local p99 times
  (($2 > 0)) || return 0
  times=$(wc -l <"$work/$1")
  ((times == $2)) || fail "$times of $2 $1 were measured"
  p99=$(percentile "$work/$1" 99)
  echo "$times $1: next acknowledged write after p50 $(percentile "$work/$1" 50) ms, p99 $p99 ms, max" \
    "$(percentile "$work/$1" 100) ms; allowed are $3 ms at p99"
  ((p99 <= $3))
}

attempt=0
make_cluster $shards
start_all
for ((round = 1; round <= rounds; ++round)); do
  if ((round <= kills)); then fail_over KILL killed; else fail_over STOP frozen; fi
done
for n in "${nodes[@]}"; do verify "$work/all.ledger" "$n"; done
total=$found
stop_and_compare $shards
late=0
report killed "$kills" "$kill_limit_ms" || late=1
report frozen "$freezes" "$freeze_limit_ms" || late=1
((late == 0)) || fail "a shard was without an acknowledged write for too long"
passed=1
echo "PASSED: $(figures)"
