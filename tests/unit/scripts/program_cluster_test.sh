#!/usr/bin/env bash
# scripts/cluster.sh and what an operator says to three nodes on one machine: status, locate, drain, transfer, join, leave, with what
# they print, the exit codes, and the audit trail.
#   program_cluster_test.sh PATH_OF_EPIONE
. "$(dirname "$0")/program.sh"

export EPIONE=$epione CLUSTER_DIR=$scratch/cluster CLUSTER_PORT=$((20000 + $$ % 2000 * 5))
script=$source_dir/scripts/cluster.sh
file=$CLUSTER_DIR/cluster.toml
end_all() {
  "$script" clean >/dev/null 2>&1 || true
  cleanup
}
trap end_all EXIT

cluster() { "$epione" cluster "$@" --cluster "$file"; }
console() { "$epione" console --data-dir "$CLUSTER_DIR/n2" "$@"; }
whole() { cluster status >/dev/null 2>&1; }
shows() { # shows PATTERN: as a status that may be one of problems
  cluster status >"$scratch/status" 2>&1 || true
  grep -q -e "$1" "$scratch/status"
}
located() { cluster locate --patient 42 --json >"$scratch/where" 2>/dev/null; }
leads() { located && grep -q "\"leader\":\"$1\"" "$scratch/where"; }

echo "three nodes, with their addresses and a load that runs"
expect 0 "$script" up 3
says_times 3 '^node n[123]  http://127.0.0.1:[0-9]*  '
load=$(grep 'bench submit' "$scratch/last" | sed 's/--duration 20s/--count 300/')
wait_for 120 whole
expect 0 bash -c "cd '$source_dir' && $load"
expect 0 "$script" up
expect 1 "$script" up 5
says 'there is a cluster of 3 nodes'
expect 2 "$script" nonsense

echo "status, locate"
wait_for 60 whole
expect 0 "$script" status
says 'Nothing is missing'
expect 0 cluster status --json
says '"missing":\[\]'
expect 0 cluster locate --patient 42 --json
says '"http":"http://127.0.0.1:'

echo "what a leadership is told to do is in the audit trail, with who and why"
expect 0 cluster drain n3 --because 'its memory is exchanged'
says 'node n3 gives [0-9]* leaderships away'
wait_for 30 shows '^n3 .*member, draining'
expect 0 console -e 'tail events last 20'
says 'operator .*cluster.drain .*n3 because its memory is exchanged'
expect 0 cluster undrain n3
wait_for 30 located
shard=$(sed 's/.*"shard":\([0-9]*\).*/\1/' "$scratch/where")
other=n1
! grep -q '"leader":"n1"' "$scratch/where" || other=n2
expect 0 cluster transfer "$shard" "$other"
says "shard $shard is handed over from node n[123] to node $other"
wait_for 30 leads "$other"
expect 1 cluster drain n7
says 'there is no node n7'
expect 2 cluster transfer 99 n1
says 'there is no shard 99'

echo "a node that runs is not replaced"
expect 1 cluster replace n3
says 'node n3 is not replaced: it runs.* as server [23]'
wait_for 30 whole

echo "who may join is named as it has to be; nothing is missing because it has not yet"
expect 2 cluster join N_4 --peer 127.0.0.1:1
says "'N_4' cannot be a node's name"
expect 2 cluster join n4 --peer nowhere
says "'nowhere' is no address"
expect 0 cluster join n4 --peer 127.0.0.1:1
says 'node n4 may join: start it with an empty data directory'
wait_for 30 shows '^n4 *invited'
wait_for 30 whole
! shows '^n4 .*DOWN' || fail 'a node that never was there is said to be down'
expect 0 cluster leave n4
says 'node n4 may not join any more'

echo "a node that is killed is missed; one that is frozen does not keep the others' word from the operator"
wait_for 60 whole
expect 0 "$script" kill 2
expect 1 "$script" kill 2
says 'node 2 does not run'
wait_for 30 shows 'node n2 is not heard'
expect 4 cluster status
expect 3 cluster status --node n2
expect 0 "$script" start 2
wait_for 120 whole
expect 0 "$script" pause 1
wait_for 60 shows 'node n1 is not heard'
mv "$scratch/status" "$scratch/last"
says 'n1/admin.sock: .*another node is asked'
says '^n2 .*this node'
expect 0 "$script" resume 1
wait_for 120 whole

echo "down and up again: everything is there"
expect 0 "$script" down
expect 3 "$script" status
expect 0 "$script" up
wait_for 120 whole
expect 0 "$script" clean
[ ! -e "$CLUSTER_DIR" ] || fail "clean left $CLUSTER_DIR"
