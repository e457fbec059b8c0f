#!/usr/bin/env bash
# The built program as an operator meets it: start, the printed curl lines, a second process, import, audit, exit codes, and a stop
# at any time, whatever clients do.
#   program_test.sh PATH_OF_EPIONE
. "$(dirname "$0")/program.sh"

echo "what is wrong is told before anything is started"
expect 2 "$epione" serve --data-dir "$data" --http 0.0.0.0:0
says "until sign-in exists"
expect 2 "$epione" serve --frobnicate
[ ! -e "$data" ] || fail "a refused start left a directory behind"
expect 0 "$epione" --version

echo "a node with the demo study serves, and the printed lines work as they are"
start --demo
grep -q "\"pid\":$pid" "$data/node.json" || fail "node.json does not name the process"
post=$(grep -m 1 'curl .*patient/data' "$scratch/out")
get=$(grep -m 1 'curl .*/patient/42' "$scratch/out")
expect 0 bash -c "$post"
says '"status":"stored"'
receipt=$(grep -o '"receipt":"[0-9a-f]*"' "$scratch/last")
expect 0 bash -c "$post"
says "$receipt"
expect 0 bash -c "$get"
says "$receipt"
says '"label":"mild"'
expect 0 bash -c "${get/127.0.0.1/localhost}"
says "$receipt"
expect 0 bash -c "$get -H 'Host: example.org'"
says "another machine"

echo "a questionnaire is drawn, and checked with a response to it"
cases=$source_dir/tests/conformance/data/validation-cases
expect 0 "$epione" questionnaire show "$source_dir/examples/demo/phq-9.json"
says "q9, choice, required"
expect 0 "$epione" questionnaire validate "$cases/integer-q.json" --response "$cases/integer-qr.json"
expect 4 "$epione" questionnaire validate "$cases/string-required-q.json" --response "$cases/string-required-qr.json" --json
says '"code": "required"'
expect 4 "$epione" questionnaire validate --response "$cases/integer-qr.json"
expect 1 "$epione" questionnaire validate "$scratch/nothing.json"

echo "a second process on the directory is refused by name"
expect 1 "$epione" serve --data-dir "$data" --http 127.0.0.1:0
says "$pid"

echo "a running node takes an import, and is audited while it runs"
expect 0 "$epione" study import "$source_dir/examples/demo" --data-dir "$data"
expect 0 "$epione" audit verify --data-dir "$data"
mkdir "$scratch/broken"
echo "id = " >"$scratch/broken/study.toml"
expect 4 "$epione" study import "$scratch/broken" --data-dir "$data"
says "nothing was imported"

echo "kill -9 loses nothing; SIGTERM is a clean stop"
stop KILL 137
start
expect 0 bash -c "curl -sS $(sed 's/.*"http":"\([^"]*\)".*/\1/' "$data/node.json")/patient/42"
says "$receipt"
stop TERM 0
[ ! -e "$data/node.json" ] || fail "node.json is still there after a clean stop"
stopped=$(cat "$scratch/err")
case $stopped in *'"q1"'*) fail "answers are in the log" ;; esac
! grep -v '^{.*}$' "$scratch/err" || fail "standard error is not one JSON object a line"

echo "a client that is half way does not hold up a stop"
start
port=$(sed 's/.*"http":"[^"]*:\([0-9]*\)".*/\1/' "$data/node.json")
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n' >&3
printf 'Expect: 100-continue\r\n\r\n' >&3
read -r -t 30 line <&3
case $line in *" 100 "*) ;; *) fail "the node does not go on: $line" ;; esac
printf '{' >&3
before=$SECONDS
stop TERM 0
[ $((SECONDS - before)) -lt 15 ] || fail "the stop took $((SECONDS - before)) s"
exec 3>&-

echo "a node that does not become ready stops as well"
: >"$scratch/err" # what follows is the next node's
serve --data-dir "$scratch/full" --storage-disk-reserve-bytes 1099511627776
wait_for 60 grep -q 'HTTP listens' "$scratch/err"
stop TERM 0
[ ! -e "$scratch/full/node.json" ] || fail "a node that was never ready wrote node.json"
! grep -v '^{.*}$' "$scratch/err" || fail "standard error is not one JSON object a line"

echo "a stopped node's directory takes an import and is audited"
expect 0 "$epione" study import "$source_dir/examples/demo" --data-dir "$data" --json
says '"changed": false'
expect 0 "$epione" audit verify --data-dir "$data" --json
says '"ok": true'

echo "a changed event is found"
# In the database and in its WAL, from which a page is read as long as it is there.
for file in "$data"/shard-0*.db "$data"/shard-0*.db-wal; do
  case $file in "$data"/shard-000.*) continue ;; esac
  for at in $(LC_ALL=C grep -a -b -o 'phq-9' "$file" | cut -d: -f1); do
    printf 'X' | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
    changed=$file
  done
done
[ -n "${changed:-}" ] || fail "no shard's file holds the event"
expect 4 "$epione" audit verify --data-dir "$data"
says "BROKEN"

echo "ok"
