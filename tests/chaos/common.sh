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
