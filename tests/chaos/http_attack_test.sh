#!/bin/bash
# Attacks the two ports of a node while a phone goes on submitting: the phone must be answered, each of its submissions
# acknowledged and there; the process must stay within its memory; and when the attack is over, it holds no more connections
# than before.
#
#   tests/chaos/http_attack_test.sh [--epione PATH] [--ports "http peer"] [--seconds 90] [--idle 10000] [--rate 100] [--seed N]
#                                   [--header_limit_ms 10000] [--body_limit_ms 30000] [--idle_limit_ms 60000] [--memory_max 384]
#                                   [--port 7400] [--directory DIR] [--keep]
#
#   http   slow headers and bodies, idle connections, floods of connections, oversized and endless bodies and headers, answers that are
#          never taken, request smuggling probes (each must get one 400 and a closed connection), random bytes
#   peer   of one node of three: plain text, random bytes, broken, cut, endless and silent handshakes, none with a certificate, floods
#
# All attacks of a port go on beside each other (attack.py). --memory_max is what the process may take beyond what it had
# before, in MiB: half-received requests may have 128 of it (http_buffered_bytes_max), and 10,000 connections, answers that
# nobody takes and the phone's own submissions the rest. The phone's latency is shown and not judged: attacker, phone and node
# share the processors. --idle is lowered to what the limit of open files allows. Loopback only; needs python3.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh
source tests/chaos/cluster_common.sh

epione=build/release/epione
ports="http peer"
seconds=90
idle=10000
rate=100
seed=$$
header_limit_ms=10000
body_limit_ms=30000
idle_limit_ms=60000
memory_max=384
attack_end_limit_ms=300000 # its own waits for answers that never come
port=7400
directory=
shards=4

take_options "epione ports seconds idle rate seed header_limit_ms body_limit_ms idle_limit_ms memory_max port directory" "$@"
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
for port_name in $ports; do
  [[ " http peer " == *" $port_name "* ]] || fail "\"$port_name\" is no port of --ports"
done
command -v python3 >/dev/null || skip "there is no python3"

attack_pid=
end_attack() {
  [[ -n $attack_pid ]] && kill -KILL "$attack_pid" 2>/dev/null
  end_nodes
}
make_work_directory "$directory"
trap end_attack EXIT

# The attacker needs as many files as the node does, and some.
ulimit -n "$(ulimit -H -n)"
if [[ $(ulimit -n) != unlimited ]] && ((idle > $(ulimit -n) - 2000)); then
  idle=$(($(ulimit -n) - 2000))
  ((idle > 0)) || fail "only $(ulimit -n) files may be open"
  echo "--idle is $idle: no more than $(ulimit -n) files may be open"
fi

# Without those of the data directory, of which more are opened when there is more to read or to lead.
open_files() { list_files "$1" | wc -l; }
list_files() { find "/proc/$1/fd" -mindepth 1 -printf '%l\n' 2>/dev/null | grep -v "^$work/" | sed 's/:.*//' | sort; }
memory_kib() { awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"; }
reset_peak() { echo 5 >"/proc/$1/clear_refs" 2>/dev/null; }

# Submits at its own pace, each once: whatever is not acknowledged shows. It must have come to at least half of what was due, on
# a machine that it shares with the attacker. Its node is given by options of epione bench.
start_phone() { # NAME SECONDS OPTIONS...
  rm -f "$work/$1.ledger"
  "$epione" bench submit "${@:3}" --connections 64 --rate "$rate" --duration "$2s" --subjects 5000 --seed "$seed" \
    --ledger "$work/$1.ledger" >"$work/$1.out" 2>"$work/$1.err" &
  load_pid=$!
}

end_phone() { # NAME AT_LEAST
  local sent
  wait_end "$load_pid" $((seconds * 1000 + load_stop_limit_ms)) "$1: the phone"
  load_pid=
  sent=$(row "$work/$1.out" sent)
  if ((ended != 0 || sent < $2)) || [[ $sent != "$(row "$work/$1.out" acknowledged)" ]]; then
    cat "$work/$1.out" "$work/$1.err" >&2
    fail "$1: not everything the phone sent was acknowledged (exit code $ended)"
  fi
}

# attack PORT ADDRESS PID OPTIONS...: and what it did to the process, whose open files were $work/files before. $beside is
# called while it goes on.
beside=:
attack() {
  local name=$1 where=$2 pid=$3 code=0 peak limit most files
  files=$(wc -l <"$work/files")
  reset_peak "$pid"
  most=$(($(memory_kib "$pid" VmRSS) + memory_max * 1024))
  python3 tests/chaos/attack.py "$name" "$where" --seconds "$seconds" --seed "$seed" "${@:4}" >"$work/$name.attack" 2>"$work/$name.wrong" &
  attack_pid=$!
  $beside
  wait_end "$attack_pid" $((seconds * 1000 + attack_end_limit_ms)) "$name: the attack"
  code=$ended
  attack_pid=
  cat "$work/$name.attack"
  kill -0 "$pid" 2>/dev/null || fail "$name: the node has ended"
  ((code == 0)) || {
    cat "$work/$name.wrong" >&2
    fail "$name: the attack was not answered as it should have been"
  }
  peak=$(memory_kib "$pid" VmHWM)
  ((peak <= most)) || fail "$name: the node took $((peak / 1024)) MiB, more than the $((most / 1024)) it may"
  echo "$name: memory $(((most / 1024) - memory_max)) MiB before, $((peak / 1024)) MiB at most"
  limit=$(($(now_ms) + idle_limit_ms + 30000))
  until (($(open_files "$pid") <= files)); do
    (($(now_ms) < limit)) || diff "$work/files" <(list_files "$pid") >&2 || fail "$name: $files open files before, $(open_files "$pid") a long time after"
    sleep 0.1
  done
  echo "$name: $files open files before, $(open_files "$pid") after"
}

show_phone() { # NAME
  echo "$1: $(row "$work/$1.out" acknowledged) submissions of a phone beside it, all acknowledged and there;" \
    "p50 $(row "$work/$1.out" "latency p50") ms, p99 $(row "$work/$1.out" "latency p99") ms, longest $(row "$work/$1.out" "latency max") ms"
}

attack_http() {
  local address
  start_node --http-header-limit-ms "$header_limit_ms" --http-body-limit-ms "$body_limit_ms" --http-idle-limit-ms "$idle_limit_ms"
  wait_until_ready
  address=$(sed -n 's/.*"http": *"http:\/\/\([^"]*\)".*/\1/p' "$work/data/node.json")
  start_phone quiet 3 --data-dir "$work/data" # so that its files are open and its memory in use
  end_phone quiet "$rate"
  list_files "$node_pid" >"$work/files"
  start_phone http "$seconds" --data-dir "$work/data"
  attack http "$address" "$node_pid" --idle "$idle" --header-limit $((header_limit_ms / 1000)) --body-limit $((body_limit_ms / 1000))
  end_phone http $((rate * seconds / 2))
  read_back "$work/http.ledger" --data-dir "$work/data" --connections 8
  show_phone http
  stop_node
  audit
}

# In the middle of it another node is killed and started. It has to make its link to the attacked one anew (the one whose name
# is less dials), beside all that is in the way.
comes_back() {
  local begun
  pause_ms $((seconds * 1000 / 3))
  kill_and_wait 1
  start 1
  begun=$(now_ms)
  whole_limit_ms=$((seconds * 1000)) wait_whole 2
  kill -0 "$attack_pid" 2>/dev/null || fail "peer: the attack was over before the node was back"
  echo "peer: a node that was killed meanwhile was whole again after $(($(now_ms) - begun)) ms"
}

attack_peer() {
  make_cluster "$shards"
  start_all
  start_phone quiet 3 --http "$(http_of 3)"
  end_phone quiet "$rate"
  list_files "${pids[3]}" >"$work/files"
  start_phone peer "$seconds" --http "$(http_of 3)"
  beside=comes_back
  attack peer "127.0.0.1:$((port + 3))" "${pids[3]}"
  end_phone peer $((rate * seconds / 2))
  read_back "$work/peer.ledger" --http "$(http_of 2)" --connections 8
  show_phone peer
  stop_and_compare "$shards"
}

echo "Attack test: $ports for $seconds s each, $idle idle connections, $rate submissions/s beside it, seed $seed, data in $work"
for port_name in $ports; do "attack_$port_name"; done
passed=1
echo "PASSED: every attack on $ports was answered as it should be, and everything beside it was acknowledged and is there"
