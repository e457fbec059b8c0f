#!/usr/bin/env bash
# scripts/cluster.sh up [N] | status | kill N | start N | stop N | pause N | resume N | down | clean
#   Several nodes on this machine: certificates, a cluster's file, the nodes on loopback with the demo study. `up` installs what is
#   missing, builds, and prints where each node is and a command that puts load on them. `kill` is kill -9, `stop` a SIGTERM.
#   CLUSTER_DIR: where it all lies (build/cluster); CLUSTER_PORT: the first of its ports (7100: peers from 7101, HTTP from 8101).
#   EPIONE: a program that is there already; then nothing is installed or built.
. "$(dirname "$0")/lib.sh"

cd "$epione_root"
epione=${EPIONE:-$epione_root/build/release/epione}
place=${CLUSTER_DIR:-$epione_root/build/cluster}
base=${CLUSTER_PORT:-7100}
file=$place/cluster.toml

# The node's process; nothing when it has ended, also when its number is another program's by now.
pid_of() {
  local pid
  pid=$(cat "$place/n$1.pid" 2>/dev/null) || return 0
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q -F -e "--node n$1 --cluster $file" && printf '%s\n' "$pid"
  return 0
}
runs() { [ -n "$(pid_of "$1")" ]; }
signal() { kill "-$2" "$(pid_of "$1")" 2>/dev/null || die "node $1 does not run"; }
nodes() { sed -n 's/^\[nodes\.n\([0-9]*\)\]$/\1/p' "$file" 2>/dev/null || true; }
http_of() { printf 'http://127.0.0.1:%s' "$((base + 1000 + $1))"; }
need() { [ -n "${1:-}" ] || die "say which node: a number"; nodes | grep -qx "$1" || die "there is no node $1"; }

make_files() {
  local count=$1 n
  mkdir -p "$place"
  "$epione" cert init-authority --out "$place/authority" --name "loopback" >/dev/null
  {
    printf 'replication_factor = 3\n\n[peers]\ncertificate = "certs/{node}.crt"\nkey = "certs/{node}.key"\nauthorities = "certs/authorities.crt"\n'
    for n in $(seq "$count"); do
      printf '\n[nodes.n%s]\npeer = "127.0.0.1:%s"\nhttp = "127.0.0.1:%s"\ndata_dir = "n%s"\n' "$n" "$((base + n))" "$((base + 1000 + n))" "$n"
    done
  } >"$file"
  for n in $(seq "$count"); do
    "$epione" cert issue --node "n$n" --authority "$place/authority" --out "$place/certs" >/dev/null
  done
}

start() {
  local n=$1 options=()
  runs "$n" && return
  [ "$n" = 1 ] && options=(--demo)
  setsid "$epione" serve --node "n$n" --cluster "$file" "${options[@]}" >>"$place/n$n.out" 2>>"$place/n$n.log" </dev/null &
  printf '%s\n' "$!" >"$place/n$n.pid"
}

# wait_until LIMIT_S COMMAND...
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    read -r -t 0.2 <> <(:) || true
  done
}
is_ready() { curl -fsS -o /dev/null "$(http_of "$1")/readyz"; }
is_whole() { "$epione" cluster status --cluster "$file" --json; }

stop_node() {
  local n=$1 pid
  pid=$(pid_of "$n")
  [ -n "$pid" ] || return 0
  kill -CONT "$pid" 2>/dev/null || true
  kill -TERM "$pid" 2>/dev/null || true
  wait_until 40 bash -c "! kill -0 $pid" || kill -KILL "$pid" 2>/dev/null || true
  rm -f "$place/n$n.pid"
}

case "${1:-}" in
  up)
    count=${2:-3}
    if [ -z "${EPIONE:-}" ]; then
      ensure_packages
      say "building release"
      build release epione
    elif [ ! -x "$EPIONE" ]; then
      die "there is no program $EPIONE (EPIONE)"
    fi
    there=$(nodes | wc -l)
    [ "$there" = 0 ] || [ -z "${2:-}" ] || [ "$there" = "$2" ] ||
      die "there is a cluster of $there nodes in $place already; 'scripts/cluster.sh clean' removes it and its data"
    if [ ! -f "$file" ]; then
      make_files "$count"
      "$epione" cluster init --cluster "$file" >/dev/null
    fi
    for n in $(nodes); do start "$n"; done
    for n in $(nodes); do
      wait_until 60 is_ready "$n" || { tail -n 5 "$place/n$n.log" >&2; die "node $n is not ready; its log is $place/n$n.log"; }
    done
    wait_until 60 is_whole || say "not everything is on every node yet: scripts/cluster.sh status"
    for n in $(nodes); do printf 'node n%s  %s  (log: %s)\n' "$n" "$(http_of "$n")" "$place/n$n.log"; done
    printf 'Load:\n  %s bench submit --http %s --connections 256 --duration 20s\n' "${epione#"$epione_root/"}" "$(http_of 1)"
    ;;
  status) "$epione" cluster status --cluster "$file" ;;
  kill) need "${2:-}"; signal "$2" KILL; rm -f "$place/n$2.pid" ;;
  stop) need "${2:-}"; stop_node "$2" ;;
  start) need "${2:-}"; start "$2"; wait_until 60 is_ready "$2" || die "node $2 is not ready; its log is $place/n$2.log" ;;
  pause) need "${2:-}"; signal "$2" STOP ;;
  resume) need "${2:-}"; signal "$2" CONT ;;
  down) for n in $(nodes); do stop_node "$n" & done; wait ;;
  clean) for n in $(nodes); do stop_node "$n" & done; wait; rm -rf "$place" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
