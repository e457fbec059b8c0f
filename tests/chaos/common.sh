# What the chaos tests share: one node and one load at a time, by process id, in a directory of their own. Sourced by them.

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

now_ms() {
  local us=${EPOCHREALTIME/[.,]/}
  echo $((us / 1000))
}

# A random whole number from $1 to $2; repeats with the seed, as RANDOM does.
between() { echo $(($1 + (RANDOM * 32768 + RANDOM) % ($2 - $1 + 1))); }

pause_ms() { sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"; }

# take_options "NAME NAME ..." "$@": --NAME VALUE sets the variable NAME, which holds its default; --keep keeps data and logs.
take_options() {
  local names=" $1 " option
  shift
  while (($# > 0)); do
    option=${1#--}
    if [[ $1 == --keep ]]; then
      keep=1
    elif [[ $1 == --* && $names == *" $option "* && $# -ge 2 ]]; then
      printf -v "$option" %s "$2"
      shift
    else
      # shellcheck disable=SC2086 # one word a name
      echo "usage: $0$(printf ' [--%s VALUE]' $names) [--keep]" >&2
      exit 2
    fi
    shift
  done
}

ready_limit_ms=180000 # a start takes under a second; a disk that others keep busy makes it far longer
node_pid=
load_pid=
work=
keep=0
passed=0

end_all() {
  [[ -n $load_pid ]] && kill -KILL "$load_pid" 2>/dev/null
  [[ -n $node_pid ]] && kill -KILL "$node_pid" 2>/dev/null
  wait 2>/dev/null
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

# Starts a node on $work/data, with more options if given. Its end is noticed by wait_until_ready.
start_node() {
  "$epione" serve --data-dir "$work/data" --http 127.0.0.1:0 --demo "$@" >>"$work/node.out" 2>>"$work/node.err" &
  node_pid=$!
}

# node.json is written when the node may serve; the one of a killed node names another process.
wait_until_ready() {
  local limit=$(($(now_ms) + ready_limit_ms))
  until grep -q "\"pid\":$node_pid[,}]" "$work/data/node.json" 2>/dev/null; do
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
  wait "$node_pid" 2>/dev/null
  node_pid=
}

# SIGTERM must end it with exit code 0.
stop_node() {
  local code=0
  kill -TERM "$node_pid"
  wait "$node_pid" || code=$?
  node_pid=
  ((code == 0)) || fail "the node ended with exit code $code after SIGTERM"
}

audit() {
  "$epione" audit verify --data-dir "$work/data" >"$work/audit.out" 2>&1 || {
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

# As start_node, below the command that is in `under`, which must end by becoming the node or hand its process id on.
under=()
start_node_under() {
  "${under[@]}" "$epione" serve --data-dir "$work/data" --http 127.0.0.1:0 --demo "$@" >>"$work/node.out" 2>>"$work/node.err" &
  node_pid=$!
}

# A load on $work/data with a ledger of its own, $work/round.ledger, which goes on while the node is away, as phones do: what had no
# answer is sent again under the same key. start_round CONNECTIONS SUBJECTS SEED
start_round() {
  rm -f "$work/round.ledger"
  "$epione" bench submit --data-dir "$work/data" --connections "$1" --duration 1h --subjects "$2" --seed "$3" \
    --ledger "$work/round.ledger" >"$work/load.out" 2>"$work/load.err" &
  load_pid=$!
}

# Records of the round's ledger, its first, which is the run's, not counted. It is written once a second, or when 2,048 have gathered.
round_records() {
  local bytes
  bytes=$(stat -c %s "$work/round.ledger" 2>/dev/null || echo 0)
  echo $((bytes < 32 ? 0 : bytes / 32 - 1))
}

# wait_for_round RECORDS: 1 when they were not there within 60 s, or the node or the load has ended.
wait_for_round() {
  local limit=$(($(now_ms) + 60000))
  until (($(round_records) >= $1)); do
    kill -0 "$node_pid" 2>/dev/null && kill -0 "$load_pid" 2>/dev/null && (($(now_ms) < limit)) || return 1
    sleep 0.01
  done
}

# Its exit code is not 0 when anything but 200, 202 and 503 was answered, or nothing was acknowledged; 3 when it had been without a node for
# 30 s and had ended, which may be allowed: stop_round [3]
stop_round() {
  local code=0
  kill -TERM "$load_pid" 2>/dev/null
  wait "$load_pid" || code=$?
  load_pid=
  ((code == 0 || code == ${1:-0})) || {
    cat "$work/load.out" "$work/load.err" >&2
    fail "the load ended with exit code $code"
  }
}

# verify_ledger FILE AT_LEAST: everything acknowledged in it is there exactly once with its answers, nothing refused is. Sets $found.
verify_ledger() {
  local code=0 acknowledged
  "$epione" bench verify --data-dir "$work/data" --ledger "$1" --connections 64 >"$work/verify.out" 2>&1 || code=$?
  acknowledged=$(row "$work/verify.out" acknowledged)
  found=$(row "$work/verify.out" "found exactly once")
  ((code == 0 && acknowledged >= $2 && found == acknowledged)) || {
    cat "$work/verify.out" >&2
    fail "verification ended with exit code $code: ${found:-nothing} of ${acknowledged:-nothing} found, at least $2 were acknowledged"
  }
}

# draw MIN MAX: sets $drawn. Repeats with the seed, which $(between MIN MAX) does not: a subshell begins RANDOM anew.
drawn=0
draw() { drawn=$(($1 + (RANDOM * 32768 + RANDOM) % ($2 - $1 + 1))); }
