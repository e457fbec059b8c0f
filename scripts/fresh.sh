#!/usr/bin/env bash
# scripts/fresh.sh [bookworm] [trixie]: proves that the README's two commands work on a fresh machine. For each Debian release a
# minimal system in a directory of its own (debootstrap; the mirror is the one this machine's apt uses, backports not configured),
# a clean copy of the committed tree, run.sh with a submission through it, and test.sh. Needs root; takes long. FRESH_DIR:
# where the systems are built (10 GB each); they are removed in the end.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] || die "a chroot needs root: sudo $0 $*"
ensure_packages fresh
again_limit_s=30 # when all is installed and built
releases=("$@")
[ "${#releases[@]}" -gt 0 ] || releases=(bookworm trixie)

place=$(mktemp -d "${FRESH_DIR:-/var/tmp}/epione-fresh-XXXXXX")
node_pid=
cleanup() {
  local mount
  if [ -n "$node_pid" ]; then
    # Its whole group: before the node replaces it, run.sh has apt or compilers below it. Nothing may write there any more.
    kill -KILL -- "-$node_pid" 2>/dev/null || true
    wait "$node_pid" 2>/dev/null || true
  fi
  for mount in "$place"/*/proc "$place"/*/dev; do
    if mountpoint -q "$mount"; then umount -l "$mount"; fi
  done
  # Never into something that is still mounted.
  rm -rf --one-file-system "$place"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# The first address of the Debian archive in apt's configuration, whichever release this machine has.
mirror() {
  apt-get indextargets --format '$(ORIGIN)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' |
    awk -F'|' '$1 == "Debian" && $2 == "main" && !found { print $3; found = 1 }'
}

# Makes DIRECTORY a minimal system of RELEASE, with nothing but main in its sources.
make_system() {
  local release=$1 directory=$2 uri=$3
  debootstrap --variant=minbase --include=ca-certificates "$release" "$directory" "$uri" >&2
  printf 'deb %s %s main\n' "$uri" "$release" >"$directory/etc/apt/sources.list"
  cp --remove-destination /etc/resolv.conf "$directory/etc/resolv.conf"
  apt-config dump | grep -i '^Acquire::.*proxy' >"$directory/etc/apt/apt.conf.d/proxy" || true
  printf '#!/bin/sh\nexit 101\n' >"$directory/usr/sbin/policy-rc.d" # no services in a chroot
  chmod 755 "$directory/usr/sbin/policy-rc.d"
  mount -t proc proc "$directory/proc"
  mount --rbind /dev "$directory/dev"
  mount --make-rslave "$directory/dev"
  mkdir "$directory/epione"
  git -C "$epione_root" archive HEAD | tar -x -C "$directory/epione"
}

# enter DIRECTORY COMMAND...: becomes the command, so that in the background $! is the command itself and not a shell above it.
enter() {
  exec chroot "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "${@:2}"
}
inside() { (enter "$@"); }

# start_by_run DIRECTORY LOG: run.sh in the background, until it serves; its process is node_pid.
start_by_run() {
  local directory=$1 log=$2 waited=0
  set -m # a process group of its own
  enter "$directory" /epione/scripts/run.sh --http 127.0.0.1:0 >"$log" 2>&1 &
  node_pid=$!
  set +m
  until grep -q '^Stop with' "$log"; do
    kill -0 "$node_pid" 2>/dev/null || { tail -n 40 "$log" >&2; die "run.sh ended before it served"; }
    waited=$((waited + 1))
    [ "$waited" -lt 1800 ] || die "run.sh does not serve after 30 minutes"
    sleep 1
  done
}

# stop_node LOG
stop_node() {
  local code=0
  kill "$node_pid"
  wait "$node_pid" || code=$?
  node_pid=
  [ "$code" = 0 ] || { tail -n 40 "$1" >&2; die "after SIGTERM the node ended with exit code $code"; }
}

# Starts run.sh, sends what it printed, reads it back, stops it; and once more, which must take seconds.
prove_run() {
  local directory=$1 log=$1/run.log curl_line read_line
  start_by_run "$directory" "$log"
  curl_line=$(grep -m 1 'curl .*patient/data' "$log")
  read_line=$(grep -m 1 'curl .*/patient/42' "$log")
  say "as printed: $curl_line"
  eval "$curl_line" | grep '"stored"' || die "the printed submission was not stored"
  eval "$read_line" | grep '"phq-9"' || die "the submission cannot be read back"
  # From chroot to the node each replaced the one before, so this is the node's own process id and its own exit code.
  grep -q "\"pid\":$node_pid[,}]" "$directory/epione/build/data/node.json" || die "process $node_pid is not the node"
  stop_node "$log"
  SECONDS=0
  start_by_run "$directory" "$log.again"
  say "run.sh a second time serves after $SECONDS s"
  [ "$SECONDS" -le "$again_limit_s" ] || die "that is more than $again_limit_s s, with nothing to install and nothing to build"
  read_line=$(grep -m 1 'curl .*/patient/42' "$log.again") # another port
  eval "$read_line" | grep '"phq-9"' || die "the submission is not there after a restart"
  stop_node "$log.again"
}

uri=$(mirror)
[ -n "$uri" ] || die "apt's configuration names no Debian archive; run apt-get update"
for release in "${releases[@]}"; do
  say "$release: a minimal system from $uri"
  make_system "$release" "$place/$release" "$uri"
  say "$release: scripts/run.sh"
  prove_run "$place/$release"
  say "$release: scripts/test.sh"
  inside "$place/$release" /epione/scripts/test.sh
  umount -l "$place/$release/proc" "$place/$release/dev"
  rm -rf --one-file-system "${place:?}/$release"
  say "$release: both commands work"
done
