#!/usr/bin/env bash
# The built program's export: complete while the node is written to and after a kill, the same bytes each time, in parts without a
# gap, never a half file under its name, and exit codes that a script can go by. Also what the package installs beside the program.
#   program_export_test.sh PATH_OF_EPIONE
. "$(dirname "$0")/program.sh"

export_to() { # export_to FILE [OPTION]...: standard output into the file
  local file=$1 code=0
  shift
  "$epione" export --data-dir "$data" "$@" >"$file" 2>"$scratch/last" || code=$?
  [ "$code" = 0 ] || { cat "$scratch/last" >&2; fail "the export ended with $code"; }
}
rows() { echo $(($(wc -l <"$1") - 1)); } # without the header; the demo's answers have no line breaks
load() { expect 0 "$epione" bench submit --data-dir "$data" --connections 8 --subjects 300 "$@"; }
# All receipts of a ledger-less load: what the node acknowledged is what it counts.
acknowledged() { curl -sS "$address/metrics" | awk '/^epione_submissions_total.*answer="stored"/ { print $2 }'; }

echo "everything acknowledged is in it, and nothing else"
start --demo
load --count 500 --forms mixed --alerts 20%
submit 202 42 mine '{"form":"phq-9","answers":{"q1":3,"q2":3,"q3":3,"q4":3,"q5":3,"q6":3,"q7":3,"q8":3,"q9":1},"authored":"2026-01-15T08:30:00+01:00"}'
receipt=$(grep -o '"receipt":"[0-9a-f]*"' "$scratch/last" | cut -d'"' -f4)
export_to "$scratch/a.csv" --study demo
[ "$(rows "$scratch/a.csv")" = 501 ] || fail "$(rows "$scratch/a.csv") rows instead of 501"
grep -q "^demo,S42,42,$receipt,phq-9,1.0,2026-01-15T08:30:00+01:00,.*,mine,phq-9-q9|phq-9-severe,25,severe," "$scratch/a.csv" ||
  { grep "$receipt" "$scratch/a.csv" >&2; fail "the row is not as it was submitted"; }
[ "$(cut -d, -f4 "$scratch/a.csv" | sort -u | wc -l)" = 502 ] || fail "a receipt is there twice"
grep -q '^epione: 501 submissions of study demo$' "$scratch/last" || fail "the number of submissions is not said"

echo "JSON lines hold the same submissions in the same order"
export_to "$scratch/a.ndjson" --format ndjson
[ "$(sed 's/.*"receipt":"\([0-9a-f]*\)".*/\1/' "$scratch/a.ndjson")" = "$(tail -n +2 "$scratch/a.csv" | cut -d, -f4)" ] ||
  fail "CSV and NDJSON differ"
grep -q "\"receipt\":\"$receipt\".*\"answers\":{\"q1\":.*\"alerts\":\[{\"rule\":\"phq-9-q9\"},{\"rule\":\"phq-9-severe\"}\]}$" \
  "$scratch/a.ndjson" || fail "the line is not as it was submitted"

echo "repeated it is the same, byte by byte, also after a restart and when the node is stopped"
export_to "$scratch/b.csv" --output "$scratch/file.csv"
[ ! -s "$scratch/b.csv" ] || fail "rows went to standard output as well"
cmp "$scratch/a.csv" "$scratch/file.csv" || fail "--output wrote other bytes"
[ "$(stat -c %a "$scratch/file.csv")" = 600 ] || fail "others may read the file"
stop TERM 0
export_to "$scratch/b.csv"
cmp "$scratch/a.csv" "$scratch/b.csv" || fail "the stopped directory gave other bytes"
start
export_to "$scratch/b.csv"
cmp "$scratch/a.csv" "$scratch/b.csv" || fail "the restarted node gave other bytes"

echo "while it is written to: what was acknowledged before the export began is in it, and no row is torn"
"$epione" bench submit --data-dir "$data" --connections 16 --subjects 300 --duration 6s >"$scratch/load" 2>&1 &
load_pid=$!
for round in 1 2 3; do
  before=$(acknowledged)
  export_to "$scratch/busy.csv"
  [ "$(rows "$scratch/busy.csv")" -ge $((501 + before)) ] ||
    fail "round $round: $(rows "$scratch/busy.csv") rows, but 501 and $before more were acknowledged before"
  awk -F, 'NR == 1 { columns = NF } NF != columns { exit 1 }' "$scratch/busy.csv" || fail "a row has other columns"
done
wait "$load_pid" || { cat "$scratch/load" >&2; fail "the load failed"; }

echo "parts by a cursor have every submission once"
export_to "$scratch/whole.csv"
cursor=$scratch/demo.cursor
export_to "$scratch/part1.csv" --cursor-file "$cursor"
load --count 200
export_to "$scratch/part2.csv" --cursor-file "$cursor"
export_to "$scratch/part3.csv" --cursor-file "$cursor"
cmp "$scratch/whole.csv" "$scratch/part1.csv" || fail "the first part is not the whole"
[ "$(rows "$scratch/part2.csv")" = 200 ] || fail "the second part has $(rows "$scratch/part2.csv") rows instead of 200"
[ "$(rows "$scratch/part3.csv")" = 0 ] || fail "the third part repeats something"
export_to "$scratch/whole.csv"
{ cat "$scratch/part1.csv"; tail -n +2 "$scratch/part2.csv"; } | sort >"$scratch/parts"
sort "$scratch/whole.csv" | cmp - "$scratch/parts" || fail "the parts are not the whole"
cp "$cursor" "$scratch/before"
expect 1 "$epione" export --data-dir "$data" --cursor-file "$cursor" --output "$scratch/nowhere/x"
expect 1 "$epione" export --data-dir "$data" --cursor-file "$cursor" --form phq-9
says 'of another export: it is of all forms'
cmp "$cursor" "$scratch/before" || fail "a failed export moved the cursor"
sed -i 's/"seq": *[0-9]*/"seq":99999999/' "$cursor"
expect 1 "$epione" export --data-dir "$data" --cursor-file "$cursor"
says 'restored from an older backup'
echo nonsense >"$cursor"
expect 1 "$epione" export --data-dir "$data" --cursor-file "$cursor"
says 'is not a cursor'

echo "since a time, and of one form"
middle=$(tail -n +2 "$scratch/whole.csv" | cut -d, -f8 | sort | sed -n 300p)
export_to "$scratch/since.csv" --since "$middle"
[ "$(rows "$scratch/since.csv")" = "$(tail -n +2 "$scratch/whole.csv" | cut -d, -f8 | awk -v from="$middle" '$1 >= from' | wc -l)" ] ||
  fail "--since has other rows"
export_to "$scratch/form.csv" --form gad-7
[ "$(rows "$scratch/form.csv")" = "$(grep -c ',gad-7,' "$scratch/whole.csv")" ] || fail "--form has other rows"
head -n 1 "$scratch/form.csv" | grep -q 'alerts,gad-7:total,gad-7:total:label,gad-7.q1,' || fail "--form has other columns"
! head -n 1 "$scratch/form.csv" | grep -q phq-9 || fail "--form has the columns of another form"

echo "what is wrong is said, with the code a script can go by"
expect 1 "$epione" export --data-dir "$data" --study other
says 'there is no study "other"; there is: demo'
expect 1 "$epione" export --data-dir "$data" --form other
says 'it has: phq-9, gad-7'
expect 2 "$epione" export --data-dir "$data" --since yesterday
expect 2 "$epione" export --data-dir "$data" --format pdf
expect 1 "$epione" export --data-dir "$scratch/nothing"
[ ! -e "$scratch/nothing" ] || fail "an export made a data directory"
code=0
"$epione" export --data-dir "$data" >/dev/full 2>"$scratch/last" || code=$?
[ "$code" = 1 ] || fail "a full disk ended the export with $code"
says 'could not be written'

echo "after kill -9, without a restart, everything acknowledged is in it"
before=$(acknowledged)
export_to "$scratch/b.csv"
already=$(rows "$scratch/b.csv")
load --count 300
stop KILL 137
export_to "$scratch/killed.csv"
[ "$(rows "$scratch/killed.csv")" = $((already + 300)) ] ||
  fail "$(rows "$scratch/killed.csv") rows after the kill instead of $((already + 300))"
says 'no node runs on'
start
export_to "$scratch/b.csv"
cmp "$scratch/killed.csv" "$scratch/b.csv" || fail "the restarted node gave other bytes"

echo "a changed event ends it with 4 and leaves no file"
stop TERM 0 # the stores are checkpointed, so that what is in the databases is all
rm -f "$data"/shard-0*.db-wal "$data"/shard-0*.db-shm
for file in "$data"/shard-0*.db; do
  case $file in "$data"/shard-000.*) continue ;; esac
  # Several, because one may lie where a page was divided and nobody reads any more; not the newest, which a start looks at.
  for at in $(LC_ALL=C grep -a -b -o 'phq-9' "$file" | head -n -20 | cut -d: -f1); do
    printf 'X' | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
  done
  changed=$file
  break
done
[ -n "${changed:-}" ] || fail "there is no shard"
rm -f "$scratch/file.csv"
expect 4 "$epione" export --data-dir "$data" --output "$scratch/file.csv"
says "$(basename "$changed"): event [0-9]*: does not match its checksum"
[ ! -e "$scratch/file.csv" ] && [ ! -e "$scratch/file.csv.part" ] || fail "a half file is left"

echo "the completion knows commands, flags and values"
expect 0 "$epione" documentation bash
cp "$scratch/last" "$scratch/completion"
completes() { # completes "WORD WORD" WANTED...: what follows the line contains all of these
  local line=$1
  shift
  COMP_WORDS=($line '') COMP_CWORD=$(($(wc -w <<<"$line")))
  case $line in *' ') ;; *) COMP_WORDS=($line) COMP_CWORD=$((COMP_CWORD - 1)) ;; esac
  _epione || true # compgen fails when nothing fits
  for wanted; do
    case " ${COMPREPLY[*]} " in *" $wanted "*) ;; *) fail "\"$line\" does not complete to $wanted but to: ${COMPREPLY[*]}" ;; esac
  done
}
. "$scratch/completion"
completes 'epione ' serve study config export audit doctor bench
completes 'epione exp' export
completes 'epione study ' import
completes 'epione export ' --study --format --cursor-file --data-dir
completes 'epione export --format ' csv ndjson
completes 'epione serve --http-po' --http-port
case " ${COMPREPLY[*]} " in *" --study "*) fail "serve has no --study" ;; esac
completes "epione study import $source_dir/examples/de" "$source_dir/examples/demo"
completes "epione export --data-dir $source_dir/exam" "$source_dir/examples"

echo "commands on a stopped directory tell nobody, so that a notice still pending stays so"
rm -rf "$data"
cat >"$scratch/doctor.toml" <<'TOML'
[channels.doctor]
kind = "webhook"
url = "https://127.0.0.1:1/"
template = '{"receipt": "{receipt}"}'
token_file = "/nonexistent/token"
TOML
start --demo --config "$scratch/doctor.toml"
grep -q '"event":"a channel.s file cannot be used","channel":"doctor","key":"token_file"' "$scratch/err" ||
  fail "nobody is warned of a file that cannot be read"
submit 202 42 alarming "$(phq9 1)"
notice_of_42() { curl -sS "$address/patient/42" | grep -o '"notice":"[a-z]*"'; }
wait_for 30 notice_of_42 >/dev/null
stop TERM 0
export_to "$scratch/pending.csv" --study demo
expect 0 "$epione" study import "$source_dir/examples/demo" --data-dir "$data"
start --config "$scratch/doctor.toml"
wait_for 30 notice_of_42 >/dev/null
[ "$(notice_of_42)" = '"notice":"pending"' ] || fail "a notice that nobody got is $(notice_of_42)"
stop TERM 0
expect 0 "$epione" config check --config "$scratch/doctor.toml"
says 'channels.doctor.token_file'
says '/nonexistent/token cannot be opened'

echo "a notice for the log is on record whatever the level is"
start --demo --log-level error
wait_for 30 grep -q '"part":"channel log","event":"notice",.*"channel":"doctor",.*"subject":"42"' "$scratch/err"
stop TERM 0

echo "the man page is one that man reads without a complaint"
expect 0 "$epione" documentation man
cp "$scratch/last" "$scratch/epione.1"
if command -v groff >/dev/null; then
  complaints=$(groff -man -Tutf8 -ww "$scratch/epione.1" 2>&1 >"$scratch/page")
  [ -z "$complaints" ] || fail "groff complains: $complaints"
  [ "$(wc -l <"$scratch/page")" -gt 200 ] || fail "the page is too short to have every command"
fi

echo "a service manager is told when the node is ready and when it stops"
rm -rf "$data"
listen() { # listen NAME: datagrams to the socket, a line each, into $scratch/notified
  perl -MSocket -e '
    $| = 1;
    my $name = shift; $name =~ s/^\@/\0/;
    my ($s, $text);
    socket($s, AF_UNIX, SOCK_DGRAM, 0) && bind($s, pack_sockaddr_un($name)) or die "$name: $!";
    print "listening\n";
    while (defined recv($s, $text, 4096, 0)) { $text =~ tr/\n/|/; print "$text\n" }' "$1" >"$scratch/notified" &
  listener=$!
  wait_for 30 grep -q listening "$scratch/notified"
}
for socket in "$scratch/notify" "@epione-test-$$"; do
  listen "$socket"
  export NOTIFY_SOCKET=$socket
  start --demo
  unset NOTIFY_SOCKET
  stop TERM 0
  wait_for 30 grep -q STOPPING "$scratch/notified"
  kill "$listener"
  wait "$listener" 2>/dev/null || true
  grep -q "^READY=1|STATUS=serving $data at http://127.0.0.1:[0-9]*$" "$scratch/notified" || fail "READY was not said to $socket"
  grep -q '^STOPPING=1|STATUS=' "$scratch/notified" || fail "STOPPING was not said to $socket"
done

echo "ok"
