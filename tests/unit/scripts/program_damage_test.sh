#!/usr/bin/env bash
# The built program on damaged data: it ends with 4 and says what is missing, and never serves what is not whole.
#   program_damage_test.sh PATH_OF_EPIONE
. "$(dirname "$0")/program.sh"

start --demo
for patient in $(seq 40); do submit 202 "$patient" k "$(phq9 0)"; done
stop KILL 137
cp -a "$data" "$scratch/killed"
start
stop TERM 0 # the stores are checkpointed, and what they hold is cut from the journal
cp -a "$data" "$scratch/stopped"

# begin KIND: a copy of the data as it was after that.
begin() {
  rm -rf "$data"
  cp -a "$scratch/$1" "$data"
}

# refuses PATTERN...: serve ends with 4 and says all of these.
refuses() {
  expect 4 timeout 60 "$epione" serve --data-dir "$data" --http 127.0.0.1:0
  for pattern in "$@"; do says "$pattern"; done
}

# put FILE OFFSET BYTES
put() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# As long as a page is in the WAL nobody reads the one in the file.
ruin() {
  put "$1" 0 'no database any more'
  rm -f "$1-wal" "$1-shm"
}

# The place in the file where the text stands, of several the one in the middle.
place_of() { LC_ALL=C grep -a -b -o "$2" "$1" | cut -d: -f1 | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] }'; }

echo "untouched copies start"
begin killed
start
submit 200 40 k "$(phq9 0)"
stop KILL 137
begin stopped
start
submit 200 40 k "$(phq9 0)"
stop KILL 137

echo "a byte of the journal's WAL is another one"
begin killed
put "$data/journal.db-wal" "$(place_of "$data/journal.db-wal" phq-9)" X
refuses 'journal.db' 'is missing\|are missing' 'backup'

echo "the journal's WAL has lost its end, or is gone"
begin killed
truncate -s "$(($(place_of "$data/journal.db-wal" phq-9) - 1))" "$data/journal.db-wal"
refuses 'journal.db' 'is missing\|are missing' 'backup'
begin killed
rm "$data/journal.db-wal"
refuses 'journal.db' 'missing' 'backup'

echo "the journal's mark is gone"
begin killed
rm "$data/journal.mark"
refuses 'journal.mark' 'is missing'

echo "a store is damaged, and the journal has what it held: it is built again"
begin killed
for file in "$data"/shard-0*.db; do ruin "$file"; done
start
grep -q '"event":"builds its store again from the journal"' "$scratch/err" || fail "no store was built again"
for patient in 1 20 40; do submit 200 "$patient" k "$(phq9 0)"; done
stop TERM 0

echo "a store is damaged or gone, and the journal was cut"
shard=$(cd "$scratch/stopped" && grep -l -a phq-9 shard-0*.db | grep -v shard-000 | head -n 1)
begin stopped
ruin "$data/$shard"
refuses "$shard" 'were deleted when the store held them' 'backup'
begin stopped
rm "$data/$shard"
refuses 'are missing\|is missing' 'backup'

echo "ok"
