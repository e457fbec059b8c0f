#!/usr/bin/env bash
# The built program's backup and restore: everything acknowledged before is in it while the node goes on, half a backup and a changed
# one are refused, a restored directory is another cluster that knows every key, and anchors show an end that was cut off.
#   program_backup_test.sh PATH_OF_EPIONE
. "$(dirname "$0")/program.sh"

backup=$scratch/backup
acknowledged() { curl -sS "$address/metrics" | awk '/^epione_submissions_total.*answer="stored"/ { print $2 }'; }
receipt() { grep -o '"receipt":"[0-9a-f]*"' "$scratch/last" | head -n 1 | cut -d'"' -f4; }
member() { sed -n "s/^ *\"$1\": *\"\([^\"]*\)\".*/\1/p" "$2" | head -n 1; }
shown() { # shown CLUSTER_DIRECTORY: everything that is stored there, as an export has it
  "$epione" export --data-dir "$1" --format ndjson 2>/dev/null | sort
}


echo "everything acknowledged before is in it, while the node is written to"
start --demo
submit 202 42 mine "$(phq9 2)"
mine=$(receipt)
"$epione" bench submit --data-dir "$data" --connections 16 --subjects 300 --duration 8s >"$scratch/load" 2>&1 &
load_pid=$!
loaded() { [ "$(acknowledged)" -gt 500 ]; }
wait_for 20 loaded
before=$(acknowledged)
expect 0 "$epione" backup "$backup" --data-dir "$data"
says "groups, .* events"
wait "$load_pid" || { cat "$scratch/load" >&2; fail "the load failed"; }
[ "$(stat -c %a "$backup")" = 700 ] || fail "others may look into the backup"
for file in "$backup"/*; do
  [ "$(stat -c %a "$file")" = 600 ] || fail "others may read $file"
done
grep -q '"version"' "$backup/manifest.json" || fail "the manifest says no version"
[ "$(grep -c '"group":' "$backup/manifest.json")" = 17 ] || fail "the manifest has not all groups"
ls "$backup" | grep -q -e -wal -e -shm -e part && fail "something else is left in the backup"

submit 202 41 later "$(phq9 0)" # not in the backup

echo "a directory that holds something is refused, a backup by its name"
expect 1 "$epione" backup "$backup" --data-dir "$data"
says 'holds a backup already'
mkdir "$scratch/full" && echo x >"$scratch/full/x"
expect 1 "$epione" backup "$scratch/full" --data-dir "$data"
says 'is not empty'
expect 1 "$epione" backup "$scratch/full/x" --data-dir "$data"
says 'is not a directory'
expect 1 "$epione" backup "$scratch/other" --data-dir "$scratch/nowhere"
says 'is not a directory'
[ ! -e "$scratch/other" ] || fail "a backup that failed left its directory"

echo "a backup that was killed is known as half of one"
"$epione" backup "$scratch/half/" --data-dir "$data" --bytes-per-second 100000 >"$scratch/killed" 2>&1 &
half_pid=$!
wait_for 30 test -s "$scratch/half/shard-001.db"
[ "$(stat -c %a "$scratch/half")" = 700 ] || fail "others may look into the backup"
expect 1 "$epione" backup "$scratch/half" --data-dir "$data" # two at once
says 'did not finish, or one that is being taken now'
[ -e "$scratch/half/backup.part" ] || fail "a refused backup took the other one's marker"
kill -9 "$half_pid"
wait "$half_pid" 2>/dev/null || true
[ ! -e "$scratch/half/manifest.json" ] || fail "half a backup has a manifest"
expect 4 "$epione" restore "$scratch/half" --data-dir "$scratch/restored"
says 'did not finish'
expect 1 "$epione" backup "$scratch/half" --data-dir "$data"
says 'did not finish'
[ ! -e "$scratch/restored" ] || fail "a refused restore left its directory"
rm "$scratch"/half/shard-*
expect 1 "$epione" backup "$scratch/half" --data-dir "$data" # its marker alone tells
says 'did not finish'
rm -r "$scratch/half"
expect 0 "$epione" backup "$scratch/half" --data-dir "$data" # the killed one is in nobody's way
submit 200 42 mine "$(phq9 2)"

echo "anchors are written out, and compared"
expect 0 "$epione" audit anchors --data-dir "$data" --out "$scratch/anchors.json"
expect 0 "$epione" audit verify --data-dir "$data" --anchors "$scratch/anchors.json"
says 'Compared with [0-9]* anchors'
sed 's/"seq": 1/"seq": 2/' "$scratch/anchors.json" >"$scratch/forged.json"
cmp -s "$scratch/anchors.json" "$scratch/forged.json" && sed 's/"node": ""/"node": "n9"/' "$scratch/anchors.json" >"$scratch/forged.json"
expect 4 "$epione" audit verify --data-dir "$data" --anchors "$scratch/forged.json"
says 'signature'
sed 's/"cluster": "[^"]*"/"cluster": "another"/' "$scratch/anchors.json" >"$scratch/foreign.json"
expect 1 "$epione" audit verify --data-dir "$data" --anchors "$scratch/foreign.json"
says 'holds an anchor of cluster another'
echo '{}' >"$scratch/none.json"
expect 1 "$epione" audit verify --data-dir "$data" --anchors "$scratch/none.json"
says 'no file of anchors'

echo "of a stopped directory the backup is the same data"
stop TERM 0
shown "$data" >"$scratch/shown"
expect 0 "$epione" backup "$scratch/stopped" --data-dir "$data" --json
expect 0 "$epione" restore "$scratch/stopped" --data-dir "$scratch/again"
says 'epione serve --data-dir'
shown "$scratch/again" | cmp - "$scratch/shown" || fail "what was restored is not what was there"
rm -r "$scratch/again" "$scratch/stopped"

echo "a damaged backup is refused, whatever is wrong with it, and leaves nothing behind"
refused() { # refused PATTERN: of the copy in $scratch/bad
  expect 4 "$epione" restore "$scratch/bad" --data-dir "$scratch/restored"
  says "$1"
  [ ! -e "$scratch/restored" ] || fail "a refused restore left its directory"
  rm -r "$scratch/bad"
}
bad() { cp -a "$backup" "$scratch/bad"; }
bad
printf XXXXXXXXXXXXXXXX | dd of="$scratch/bad/shard-003.db" bs=1 seek=5000 conv=notrunc status=none
refused 'shard-003.db: does not match the checksum'
bad
truncate -s -4096 "$scratch/bad/shard-003.db"
refused 'shard-003.db: has .* bytes instead of'
bad
rm "$scratch/bad/shard-003.db"
refused 'shard-003.db: is missing'
bad
sed -i 's/"events": \([0-9]*\)/"events": 1\1/' "$scratch/bad/manifest.json"
refused 'does not match its own checksum'
bad
echo '{' >"$scratch/bad/manifest.json"
refused 'is no manifest'

echo "a restored directory is a new cluster with all that was acknowledged before"
restored=$scratch/restored
expect 1 "$epione" restore "$backup" --data-dir "$data"
says 'is not empty'
expect 0 "$epione" restore "$backup" --data-dir "$restored"
old=$(member cluster "$data/cluster.json") new=$(member cluster "$restored/cluster.json")
[ -n "$new" ] && [ "$old" != "$new" ] || fail "the restored cluster is '$new', the old one '$old'"
expect 0 "$epione" audit verify --data-dir "$restored"
# A node that is alone is never late: what the file kept outside says of later events was lost.
expect 4 "$epione" audit verify --data-dir "$restored" --anchors "$scratch/anchors.json"
says 'BROKEN: .* behind the given anchor of .*: later events are missing'

data=$restored
start
submit 200 42 mine "$(phq9 2)" # the same key: its first receipt
[ "$(receipt)" = "$mine" ] || fail "a repeat got another receipt"
submit 409 42 mine "$(phq9 1)"
expect 0 "$epione" export --data-dir "$data" --format ndjson --output "$scratch/kept"
[ "$(wc -l <"$scratch/kept")" -ge $((before)) ] || fail "$(wc -l <"$scratch/kept") submissions, $before were acknowledged before"
submit 202 43 new "$(phq9 0)"
http 200 "$address/patient/43?after=$(receipt)"
says '"submissions":\[{'
http 404 "$address/patient/43?after=00000000000000000000000000000000"
http 400 "$address/patient/43?after=nonsense"
stop KILL 137
start
submit 200 43 new "$(phq9 0)"
stop TERM 0
expect 0 "$epione" audit verify --data-dir "$data"

echo "an end that is gone shows by the anchor that was kept outside"
expect 4 "$epione" audit verify --data-dir "$data" --anchors "$scratch/anchors.json"
says 'behind the given anchor\|written anew' # by what came after the restore

echo "half a restore is not served"
cp -a "$restored" "$scratch/torn"
echo '{}' >"$scratch/torn/restoring.json"
expect 4 timeout 60 "$epione" serve --data-dir "$scratch/torn" --http 127.0.0.1:0
says 'a restore that did not finish'
expect 4 "$epione" restore "$backup" --data-dir "$scratch/torn"
says 'a restore that did not finish'
# Ended at any moment, it is either refused or whole.
for pieces in 1 5 20; do
  rm -rf "$scratch/torn"
  "$epione" restore "$backup" --data-dir "$scratch/torn" >"$scratch/last" 2>&1 &
  torn_pid=$!
  wait_for 30 test -e "$scratch/torn/shard-0$(printf %02d "$((pieces % 17))").db"
  kill -9 "$torn_pid" 2>/dev/null || true
  wait "$torn_pid" 2>/dev/null || true
  if [ -e "$scratch/torn/restoring.json" ]; then
    expect 4 timeout 60 "$epione" serve --data-dir "$scratch/torn" --http 127.0.0.1:0
    says 'a restore that did not finish'
  else # its files were there, so it was marked: it has come to its end
    expect 0 "$epione" audit verify --data-dir "$scratch/torn"
    [ -n "$(member cluster "$scratch/torn/cluster.json")" ] || fail "what is not marked is no node's directory"
  fi
done

echo "ok"
