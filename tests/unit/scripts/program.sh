# What the tests of the built program share: one node at a time in a directory of its own, and looking at what commands and requests
# are answered. Sourced by them, with the program's path as first argument.
set -euo pipefail

epione=$1
scratch=$(mktemp -d)
data=$scratch/data
pid=
cleanup() {
  [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)

fail() {
  echo "FAILED: $*" >&2
  [ ! -f "$scratch/err" ] || tail -n 5 "$scratch/err" >&2
  exit 1
}

# expect CODE COMMAND...: the command ends with this code; its output is in $scratch/last.
expect() {
  local wanted=$1 code=0
  shift
  "$@" >"$scratch/last" 2>&1 || code=$?
  [ "$code" = "$wanted" ] || { cat "$scratch/last" >&2; fail "exit code $code instead of $wanted: $*"; }
}

# http STATUS CURL_ARGUMENT...: the request is answered so; the body is in $scratch/last, the header in $scratch/header.
http() {
  local wanted=$1 got
  shift
  got=$(curl -sS -m 30 -D "$scratch/header" -o "$scratch/last" -w '%{http_code}' "$@") || fail "no answer: $*"
  [ "$got" = "$wanted" ] || { cat "$scratch/last" >&2; fail "$got instead of $wanted: $*"; }
}

says() { grep -q -e "$1" "$scratch/last" || { cat "$scratch/last" >&2; fail "does not say: $1"; }; }

says_times() {
  local got
  got=$(grep -o -e "$2" "$scratch/last" | wc -l)
  [ "$got" = "$1" ] || { cat "$scratch/last" >&2; fail "says $got times instead of $1: $2"; }
}

header() { grep -q -i -e "^$1" "$scratch/header" || { cat "$scratch/header" >&2; fail "no header $1"; }; }

wait_for() { # wait_for SECONDS COMMAND...
  local left=$(($1 * 20))
  shift
  until "$@" 2>/dev/null; do
    [ -z "$pid" ] || kill -0 "$pid" 2>/dev/null || fail "the node ended; waited for: $*"
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "waited too long for: $*"
    sleep 0.05
  done
}

# A node in the background. What all nodes of a test have said is in $scratch/err, one after the other.
serve() {
  : >"$scratch/out" # or the line of the node before could be taken for this one's
  "$epione" serve --http 127.0.0.1:0 "$@" >>"$scratch/out" 2>>"$scratch/err" &
  pid=$!
}

start() {
  serve --data-dir "$data" "$@"
  wait_for 60 grep -q '^Stop with' "$scratch/out"
  address=$(sed 's/.*"http":"\([^"]*\)".*/\1/' "$data/node.json")
}

# Ends the node and checks with what code.
stop() {
  local code=0
  kill "-$1" "$pid"
  wait "$pid" 2>/dev/null || code=$?
  pid=
  [ "$code" = "$2" ] || fail "after $1 the node ended with $code instead of $2"
}

# phq9 Q9 [MORE]: the data of one PHQ-9, the answer to q9 given.
phq9() {
  printf '{"form":"phq-9","answers":{"q1":1,"q2":1,"q3":1,"q4":1,"q5":1,"q6":1,"q7":1,"q8":1,"q9":%s%s}}' "$1" "${2:-}"
}

# submit STATUS PATIENT KEY DATA
submit() {
  http "$1" "$address/patient/data" -H 'Content-Type: application/json' -d "{\"patientId\":$2,\"key\":\"$3\",\"data\":$4}"
}
