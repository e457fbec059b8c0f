# What the chaos tests share: one node and one load at a time, by process id, in a directory of their own. Sourced by them.
# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120 # variables of the tests, and for them

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

now_ms() {
  local us=${EPOCHREALTIME/[.,]/}
  echo $((us / 1000))
}

# between NAME LEAST MOST: sets NAME to a random whole number, which repeats with the seed. Not to be asked for by `$(...)`: a
# subshell draws from numbers of its own.
between() { printf -v "$1" %d $(($2 + (RANDOM * 32768 + RANDOM) % ($3 - $2 + 1))); }

pause_ms() { sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"; }

# take_options "NAME NAME ..." "$@": --NAME VALUE sets the variable NAME, which holds its default; "-" may stand for
# "_". Those of $flags have no value and are set to 1: --keep keeps data and logs.
flags=keep
take_options() {
  local names=" $1 " name
  shift
  while (($# > 0)); do
    name=${1#--}
    name=${name//-/_}
    if [[ $1 == --?* && " $flags " == *" $name "* ]]; then
      printf -v "$name" 1
    elif [[ $1 == --?* && $names == *" $name "* && $# -ge 2 ]]; then
      printf -v "$name" %s "$2"
      shift
    else
      # shellcheck disable=SC2086 # one word a name
      echo "usage: $0$(printf ' [--%s VALUE]' ${names//_/-})$(printf ' [--%s]' ${flags//_/-})" >&2
      exit 2
    fi
    shift
  done
}

ready_limit_ms=180000      # a start takes under a second; a disk that others keep busy makes it far longer
stop_wait_limit_ms=180000  # likewise; what a node promises is checked by drain_test.sh
load_stop_limit_ms=120000  # a load waits 15 s for its answers
command_limit_s=300        # of commands that look at a node or change it
reading_limit_s=7200       # of those that read everything: a long run has many millions of submissions
at=()                      # what to put before a command, where nodes are in namespaces
node_pid=
load_pid=
work=
keep=0
passed=0
missing=0 # of all that was read back, as are the next two
duplicated=0
different=0

# limited SECONDS WHAT COMMAND...: runs it. When it takes longer it is ended, and said so on standard error.
limited() {
  local seconds=$1 what=$2 code=0
  shift 2
  timeout --foreground --kill-after=10 "$seconds" "$@" || code=$?
  ((code != 124 && code != 137)) || echo "$what did not end within $seconds s" >&2
  return "$code"
}

# wait_end PID LIMIT_MS WHAT: until that child has ended. Sets $ended to its exit code.
wait_end() {
  local limit=$(($(now_ms) + $2)) late=0
  ended=0
  { # bash's own reports of killed children are not wanted
    while kill -0 "$1"; do
      (($(now_ms) < limit)) || {
        late=1
        break
      }
      sleep 0.01
    done
    ((late)) || wait "$1" || ended=$?
  } 2>/dev/null
  ((!late)) || fail "$3 had not ended after $2 ms"
}

end_all() {
  local pid limit=$(($(now_ms) + 10000))
  {
    [[ -n $load_pid ]] && kill -KILL "$load_pid"
    [[ -n $node_pid ]] && kill -KILL "$node_pid"
    for pid in $(jobs -p); do
      while kill -0 "$pid" && (($(now_ms) < limit)); do sleep 0.01; done
    done
  } 2>/dev/null
  if [[ -n $work ]]; then
    if ((passed && !keep)); then
      rm -rf "$work"
    else
      echo "Data and logs are in $work" >&2
    fi
  fi
}

# Sets $work: under $1 when given.
make_work_directory() {
  work=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/epione-chaos-XXXXXX") || fail "no directory could be made"
  trap end_all EXIT
  trap 'exit 130' INT TERM
}

# Starts a node on $work/data, with more options if given, below the command that is in `under`, which must end by becoming the
# node or hand its process id on. Its end is noticed by wait_until_ready.
under=()
start_node_under() {
  "${under[@]}" "$epione" serve --data-dir "$work/data" --http 127.0.0.1:0 --demo "$@" >>"$work/node.out" 2>>"$work/node.err" &
  node_pid=$!
}

# The same, below nothing.
start_node() {
  local under=()
  start_node_under "$@"
}

# node.json is written when the node may serve; the one of a killed node names another process.
wait_until_ready() {
  local limit=$(($(now_ms) + ready_limit_ms))
  until grep -q "\"pid\":${node_pid}[,}]" "$work/data/node.json" 2>/dev/null; do
    if ! kill -0 "$node_pid" 2>/dev/null; then
      local code=0
      wait "$node_pid" || code=$?
      node_pid=
      tail -n 5 "$work/node.err" >&2
      fail "the node ended with exit code $code instead of starting"
    fi
    (($(now_ms) < limit)) || fail "the node was not ready within $((ready_limit_ms / 1000)) s"
    sleep 0.01
  done
}

kill_node() {
  kill -KILL "$node_pid"
  wait_end "$node_pid" "$stop_wait_limit_ms" "the node, after SIGKILL,"
  node_pid=
}

# SIGTERM must end it with exit code 0.
stop_node() {
  kill -TERM "$node_pid"
  wait_end "$node_pid" "$stop_wait_limit_ms" "the node, after SIGTERM,"
  node_pid=
  ((ended == 0)) || fail "the node ended with exit code $ended after SIGTERM"
}

# SIGTERM must end it with exit code 0, or the one given: 3 when it may have been without a node for 30 s. stop_load [CODE]
stop_load() {
  kill -TERM "$load_pid" 2>/dev/null
  wait_end "$load_pid" "$load_stop_limit_ms" "the load, after SIGTERM,"
  load_pid=
  ((ended == 0 || ended == ${1:-0})) || {
    cat "$work/load.out" "$work/load.err" >&2
    fail "the load ended with exit code $ended"
  }
}

# Records of a ledger, each 32 bytes, the run's own, which is the first, not counted.
ledger_records() {
  local bytes
  bytes=$(stat -c %s "$1" 2>/dev/null || echo 0)
  echo $((bytes < 32 ? 0 : bytes / 32 - 1))
}

# read_back LEDGER OPTIONS...: everything in it must be there exactly once with its answers. Sets $found.
read_back() {
  local code=0 acknowledged name value
  limited "$reading_limit_s" "reading back" "${at[@]}" "$epione" bench verify --ledger "$@" >"$work/verify.out" 2>&1 || code=$?
  for name in missing duplicated different; do
    value=$(row "$work/verify.out" "$name")
    printf -v "$name" %d $((${!name} + ${value:-0}))
  done
  acknowledged=$(row "$work/verify.out" acknowledged)
  found=$(row "$work/verify.out" "found exactly once")
  if ((code != 0)) || [[ -z $found || $found != "$acknowledged" ]]; then
    cat "$work/verify.out" >&2
    fail "of ${acknowledged:-?} acknowledged ${found:-?} were found exactly once; reading back ended with exit code $code"
  fi
}

# need_found AT_LEAST: what was acknowledged before the fault is the least that is to be found after it.
need_found() {
  ((found >= $1)) || fail "$found were found, and $1 had been acknowledged"
}

# Everything of all rounds, $total in number, is there once more at the end, and the chain is intact.
finish_rounds() {
  read_back "$work/all.ledger" --data-dir "$work/data" --connections 64
  ((found == total)) || fail "$total were acknowledged in all rounds, $found are there"
  cat "$work/verify.out"
  stop_node
  audit
}

audit() {
  limited "$reading_limit_s" "audit verify" "$epione" audit verify --data-dir "$work/data" >"$work/audit.out" 2>&1 || {
    cat "$work/audit.out" >&2
    fail "the chain is not intact"
  }
}

# The value of a row in a table of epione bench, without thousands separators.
row() { sed -n "s/^$2   *//p" "$1" | sed 's/ .*//; s/,//g' | head -n 1; }

grouped() { sed ':again; s/\B[0-9]\{3\}\>/,&/; t again' <<<"$1"; }

# skip "why": ctest counts exit code 77 as skipped.
skip() {
  echo "skipped: $*"
  passed=1
  exit 77
}

# A load on $work/data with a ledger of its own, $work/round.ledger, which goes on while the node is away, as phones do: what
# had no answer is sent again under the same key. start_round CONNECTIONS SUBJECTS SEED
start_round() {
  rm -f "$work/round.ledger"
  "$epione" bench submit --data-dir "$work/data" --connections "$1" --duration 1h --subjects "$2" --seed "$3" \
    --ledger "$work/round.ledger" >"$work/load.out" 2>"$work/load.err" &
  load_pid=$!
}

# wait_for_round RECORDS: 1 when they were not there within 60 s, or the node or the load has ended.
wait_for_round() {
  local limit=$(($(now_ms) + 60000))
  until (($(ledger_records "$work/round.ledger") >= $1)); do
    kill -0 "$node_pid" 2>/dev/null && kill -0 "$load_pid" 2>/dev/null && (($(now_ms) < limit)) || return 1
    sleep 0.01
  done
}
