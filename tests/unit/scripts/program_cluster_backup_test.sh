#!/usr/bin/env bash
# The built program's backup of a cluster: from any node, with groups that are on others only; restored it is another cluster, which a
# node of the old one cannot join or mix with, and which grows again.
#   program_cluster_backup_test.sh PATH_OF_EPIONE
. "$(dirname "$0")/program.sh"

base=$((20000 + $$ % 2000 * 10))
file=$scratch/cluster.toml
declare -A pids
end_all() {
  local p
  for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null || true; done
  cleanup
}
trap end_all EXIT

http_of() { echo "127.0.0.1:$((base + 4 + $1))"; }
make_file() { # make_file DIRECTORY_OF_N1: replicas on two of three nodes, so that none has all groups
  {
    printf 'replication_factor = 2\nshards = 6\n\n[peers]\ncertificate = "certs/{node}.crt"\nkey = "certs/{node}.key"\nauthorities = "certs/authorities.crt"\n'
    for n in 1 2 3; do
      printf '\n[nodes.n%s]\npeer = "127.0.0.1:%s"\nhttp = "%s"\ndata_dir = "%s"\n' "$n" "$((base + n))" "$(http_of "$n")" \
        "$([ "$n" = 1 ] && echo "$1" || echo "n$n")"
    done
  } >"$file"
}
begin() { # begin N [OPTION]...
  local n=$1
  shift
  "$epione" serve --node "n$n" --cluster "$file" "$@" >>"$scratch/n$n.out" 2>>"$scratch/n$n.log" &
  pids[$n]=$!
}
end() { # end N SIGNAL
  kill "-$2" "${pids[$1]}"
  wait "${pids[$1]}" 2>/dev/null || true
  unset "pids[$1]"
}
ready() { curl -fsS -o /dev/null "http://$(http_of "$1")/readyz"; }
whole() { "$epione" cluster status --cluster "$file" --json >"$scratch/status" 2>&1; }
explain() { tail -n 3 "$scratch"/n*.log >&2; }
await() { wait_for "$@" || { explain; fail "waited for $*"; }; }

"$epione" cert init-authority --out "$scratch/authority" --name test >/dev/null
for n in 1 2 3; do "$epione" cert issue --node "n$n" --authority "$scratch/authority" --out "$scratch/certs" >/dev/null; done
make_file n1

echo "a cluster of three whose shards are on two nodes each"
expect 0 "$epione" cluster init --cluster "$file"
begin 1 --demo
await 60 ready 1
begin 2
begin 3
await 60 ready 2
await 60 ready 3
await 120 whole
address=http://$(http_of 2)
expect 0 "$epione" bench submit --http "$address" --connections 16 --subjects 200 --count 1000 --ledger "$scratch/ledger"
submit 202 42 mine "$(phq9 2)"
receipt=$(grep -o '"receipt":"[0-9a-f]*"' "$scratch/last" | cut -d'"' -f4)

echo "a read after a receipt through every node"
for n in 1 2 3; do
  http 200 "http://$(http_of "$n")/patient/42?after=$receipt"
  says "$receipt"
  http 404 "http://$(http_of "$n")/patient/42?after=00000000000000000000000000000000"
done

echo "the backup of one node has all groups, fetched where they are"
expect 0 "$epione" backup "$scratch/backup" --data-dir "$scratch/n3" # the first one may still have all
says 'not on node n3, fetched from others: groups'
says '^Backup of cluster .*: 7 groups'
[ "$(grep -c '"group":' "$scratch/backup/manifest.json")" = 7 ] || fail "the manifest has not all groups"
submit 202 42 later "$(phq9 1)"

echo "every node's chains agree with the anchors"
anchors_of() { "$epione" audit anchors --data-dir "$scratch/n$1" --out "$scratch/anchors$1.json" >"$scratch/last" 2>&1; }
# A node that leads nothing yet has those of the others, once they have come to it.
for n in 1 2 3; do await 30 anchors_of "$n"; done
for n in 1 2 3; do
  expect 0 "$epione" audit verify --data-dir "$scratch/n$n" --anchors "$scratch/anchors3.json"
done

echo "a member that does not run is refused"
end 3 TERM
cp -a "$scratch/n3" "$scratch/late"
expect 3 "$epione" backup "$scratch/other" --data-dir "$scratch/n3"
says 'does not run'

echo "a member's chain that ends behind an anchor may only be late"
begin 3
await 60 ready 3
await 120 whole
expect 0 "$epione" bench submit --http "$address" --connections 16 --subjects 200 --count 1000
for n in 1 2 3; do await 30 anchors_of "$n"; done
expect 0 "$epione" audit verify --data-dir "$scratch/late" --anchors "$scratch/anchors3.json"
says 'behind: event [0-9]* of [0-9]* of the given anchor of node n[123] of .*; the rest may be on its way'
says 'chains\? ends\? behind an anchor.*epione cluster status'
expect 0 "$epione" audit verify --data-dir "$scratch/late" --anchors "$scratch/anchors3.json" --json
says '"behind": [1-9]'
says '"anchor": "the given anchor of node n'
for n in 3 1 2; do end "$n" TERM; done

echo "restored it is another cluster, and a node of the old one is refused by it"
expect 0 "$epione" restore "$scratch/backup" --data-dir "$scratch/new"
make_file new
expect 0 "$epione" cluster init --cluster "$file"
begin 1
begin 2 # with its directory of the old cluster
await 60 ready 1
refused() { grep -q 'is of cluster' "$scratch/n1.log" && grep -q 'is of cluster' "$scratch/n2.log"; }
await 30 refused
ready 2 && fail "a node of the old cluster serves beside the new one"
address=http://$(http_of 1)
kept() { # what was acknowledged before the backup is there, each once
  expect 0 "$epione" bench verify --http "$address" --ledger "$scratch/ledger" --connections 16
  says '^found exactly once  *[1-9]'
}
kept
submit 200 42 mine "$(phq9 2)"
submit 202 42 later "$(phq9 1)" # it came after the backup
end 2 KILL

echo "it grows: the others join with empty directories"
rm -r "$scratch/n2" "$scratch/n3"
begin 2
begin 3
await 60 ready 2
await 60 ready 3
await 120 whole
address=http://$(http_of 3)
submit 200 42 mine "$(phq9 2)"
submit 200 42 later "$(phq9 1)"
kept
expect 0 "$epione" audit verify --data-dir "$scratch/n2"
for n in 1 2 3; do end "$n" TERM; done

echo "ok"
