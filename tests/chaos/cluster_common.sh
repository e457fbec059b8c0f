# What the tests of a cluster share: three nodes on this machine, by process id, each in a network namespace and on a small disk of
# its own where a test asks for it and the system allows it. Sourced after common.sh.
#
# The namespaces' names and the disks are mounts of a mount namespace that a test runs in, with no link to the machine's own network:
# nothing is left of them when the test ends, however it ends, and runs beside each other do not meet.
# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120 # variables of the tests, and for them

nodes=(1 2 3)
declare -A pids=()
whole_limit_ms=180000
isolated=0 # 1: each node is in a network namespace
disks=0    # 1: each node has a disk of its own
at=()      # of the node that `enter` was called for: what to put before a command

# Replaces the one of common.sh: why is most often in a node's log.
fail() {
  local n
  echo "FAILED: $*" >&2
  for n in "${nodes[@]}"; do
    [[ -s $work/n$n.err ]] || continue
    echo "--- n$n, the end of $work/n$n.err:" >&2
    grep -v '"part":"channel log"' "$work/n$n.err" | tail -n 12 | cut -c1-300 >&2
  done
  exit 1
}

# Before end_all of common.sh.
end_nodes() {
  local n
  for n in "${!pids[@]}"; do kill -KILL "${pids[$n]}" 2>/dev/null; done
  if ((passed && !keep && disks)); then
    for n in "${nodes[@]}"; do umount -l "$work/n$n"; done
  fi
  end_all
}

# enter_namespaces "$0" "$@": runs the test again where it may mount and make networks. Returns 1 where that is not allowed, with the
# reason in $not_isolated; 0 in the second run.
enter_namespaces() {
  [[ ${CHAOS_ENTERED:-} == 1 ]] && return 0
  local tool as=()
  for tool in unshare nsenter ip nft mount; do
    command -v "$tool" >/dev/null || {
      not_isolated="there is no $tool"
      return 1
    }
  done
  ((EUID == 0)) || as=(--user --map-root-user)
  # Everything that is done later is tried, in namespaces that end with the try.
  # shellcheck disable=SC2016
  not_isolated=$(unshare "${as[@]}" --mount --propagation private --net bash -c '
    mount -t tmpfs none /run && mkdir /run/netns && ip netns add a && ip netns add b && ip -n b link add hub type bridge &&
    ip -n b link add p type veth peer name lan netns a && nsenter --net=/run/netns/a nft add table inet faults' 2>&1) || {
    not_isolated=$(tail -n 1 <<<"$not_isolated")
    return 1
  }
  CHAOS_ENTERED=1 exec unshare "${as[@]}" --mount --propagation private --net "$@"
}

address_of() { if ((isolated)); then echo "10.77.0.$1"; else echo 127.0.0.1; fi; }
http_of() { echo "http://127.0.0.1:$((port + 1000 + $1))"; }
enter() { if ((isolated)); then at=(nsenter "--net=/run/netns/n$1"); else at=(); fi; }

# A namespace a node and one for the switch between them. Cuts are made where packets arrive, so that whoever sends learns nothing.
make_networks() {
  local n
  isolated=1
  make_switch || fail "no network could be made"
  for n in "${nodes[@]}"; do
    plug_in "$n" || fail "no network could be made for n$n"
  done
}

make_switch() {
  mount -t tmpfs none /run && mkdir /run/netns && ip netns add switch && ip -n switch link add hub type bridge && ip -n switch link set hub up
}

plug_in() {
  ip netns add "n$1" && ip -n "n$1" link set lo up && ip -n switch link add "p$1" type veth peer name lan netns "n$1" &&
    ip -n switch link set "p$1" master hub up && ip -n "n$1" address add "$(address_of "$1")/24" dev lan && ip -n "n$1" link set lan up &&
    rules "$1" 'add table inet faults; add chain inet faults in { type filter hook input priority 0; }'
}

rules() { nsenter "--net=/run/netns/n$1" nft "$2"; }
# deafen NODE [FROM]: nothing from that node (from any, without one) reaches NODE.
deafen() { rules "$1" "add rule inet faults in ${2:+ip saddr $(address_of "$2")} iifname \"lan\" drop" || fail "n$1 could not be cut off"; }
mute() {
  local n
  for n in "${nodes[@]}"; do ((n == $1)) || deafen "$n" "$1"; done
}
heal_networks() {
  local n
  for n in "${nodes[@]}"; do rules "$n" 'flush chain inet faults in' || fail "the cuts at n$n could not be taken back"; done
}

# A disk a node: an image of a file system, which takes only what is written to it.
make_disks() {
  local n
  for n in "${nodes[@]}"; do
    mkdir -p "$work/n$n"
    if truncate -s "$disk" "$work/n$n.img" && mkfs.ext4 -q -m 0 "$work/n$n.img" && mount -o loop "$work/n$n.img" "$work/n$n"; then
      continue
    fi 2>"$work/disks.err"
    rm -f "$work/n$n.img"
    mount -t tmpfs -o "size=${disk%iB}" none "$work/n$n" 2>>"$work/disks.err" || return 1
  done
  disks=1
}

# fill_disk NODE LEFT_KIB: all but so much of it.
fill_disk() {
  local free
  free=$(df --output=avail -k "$work/n$1" | tail -n 1)
  ((free > $2)) && fallocate -l "$((free - $2))KiB" "$work/n$1/filling" 2>/dev/null
  [[ -s $work/n$1/filling ]] || fail "the disk of n$1 could not be filled"
}

make_cluster() { # SHARDS
  local n
  file=$work/cluster.toml
  "$epione" cert init-authority --out "$work/authority" >/dev/null || fail "no authority could be made"
  {
    printf 'replication_factor = 3\nshards = %s\n\n[peers]\n' "$1"
    printf 'certificate = "certs/{node}.crt"\nkey = "certs/{node}.key"\nauthorities = "certs/authorities.crt"\n'
    for n in "${nodes[@]}"; do
      printf '\n[nodes.n%s]\npeer = "%s:%s"\nhttp = "127.0.0.1:%s"\ndata_dir = "n%s/data"\n' \
        "$n" "$(address_of "$n")" $((port + n)) $((port + 1000 + n)) "$n"
    done
  } >"$file"
  for n in "${nodes[@]}"; do
    mkdir -p "$work/n$n"
    "$epione" cert issue --node "n$n" --authority "$work/authority" --out "$work/certs" >/dev/null || fail "no certificate for n$n"
  done
  "$epione" cluster init --cluster "$file" >/dev/null || fail "the cluster could not be begun"
}

# start NODE [OPTIONS...]: with the program $epione, or that of programs[NODE].
declare -A programs=()
start() {
  local n=$1
  shift
  enter "$n"
  "${at[@]}" "${programs[$n]:-$epione}" serve --node "n$n" --cluster "$file" "$@" >>"$work/n$n.out" 2>>"$work/n$n.err" &
  pids[$n]=$!
}

start_all() {
  local n
  start 1 "$@" --demo
  sleep 1
  for n in "${nodes[@]:1}"; do start "$n" "$@"; done
  wait_whole 1
}

kill_and_wait() {
  kill -KILL "${pids[$1]}"
  wait "${pids[$1]}" 2>/dev/null
}

# SIGTERM must end it with exit code 0.
stop() {
  local code=0
  kill -TERM "${pids[$1]}"
  wait "${pids[$1]}" || code=$?
  unset "pids[$1]"
  ((code == 0)) || fail "node $1 ended with exit code $code after SIGTERM"
}

# Asked of NODE: everything is led and on every node.
wait_whole() {
  local limit=$(($(now_ms) + whole_limit_ms))
  until is_whole "$1"; do
    all_run
    (($(now_ms) < limit)) || {
      enter "$1"
      "${at[@]}" "$epione" cluster status --cluster "$file" --node "n$1" >&2
      fail "not everything is on every node again after $((whole_limit_ms / 1000)) s"
    }
    sleep 0.1
  done
  all_run
}

all_run() {
  local n
  for n in "${nodes[@]}"; do kill -0 "${pids[$n]}" 2>/dev/null || fail "node $n has ended"; done
}

is_whole() {
  enter "$1"
  "${at[@]}" "$epione" cluster status --cluster "$file" --node "n$1" --json >"$work/status.json" 2>&1
}

# Records of a ledger, the run's own not counted.
ledger_records() {
  local bytes
  bytes=$(stat -c %s "$1" 2>/dev/null || echo 0)
  echo $((bytes < 32 ? 0 : bytes / 32 - 1))
}

# verify LEDGER NODE: everything in it is there exactly once, asked through that node. Sets $found.
verify() {
  local code=0 acknowledged
  enter "$2"
  "${at[@]}" "$epione" bench verify --http "$(http_of "$2")" --ledger "$1" --connections 16 >"$work/verify.out" 2>&1 || code=$?
  ((code == 0)) || {
    cat "$work/verify.out" >&2
    fail "verification through node $2 ended with exit code $code"
  }
  acknowledged=$(row "$work/verify.out" acknowledged)
  found=$(row "$work/verify.out" "found exactly once")
  ((found == acknowledged)) || fail "$found of $acknowledged found through node $2"
}

# File, number of events and head of each shard's chain, a line each.
heads() { awk -F'"' '/"file"/ { file = $4; sub(/.*\//, "", file) } /"last"/ { last = $3 } /"head"/ { if (file ~ /^shard-/) print file last $4 }' "$1"; }

# What the stores of all nodes give out must be the same. Stops the nodes; their chains must be intact and the same too.
stop_and_compare() { # SHARDS
  local n
  wait_whole 1
  pause_ms 1000 # followers hear of the last commit with a heartbeat
  for n in "${nodes[@]}"; do
    enter "$n"
    "${at[@]}" "$epione" export --format ndjson --data-dir "$work/n$n/data" 2>"$work/export-$n.err" | sha256sum >"$work/export-$n"
    ((PIPESTATUS[0] == 0)) || fail "node $n: nothing can be exported: $(tail -n 1 "$work/export-$n.err")"
    cmp -s "$work/export-1" "$work/export-$n" || fail "the stores of nodes 1 and $n give out different submissions"
  done
  for n in "${nodes[@]}"; do stop "$n"; done
  for n in "${nodes[@]}"; do
    "$epione" audit verify --data-dir "$work/n$n/data" --json >"$work/audit-$n.json" 2>"$work/audit-$n.err" || {
      cat "$work/audit-$n.err" >&2
      fail "a chain of node $n is not intact"
    }
    heads "$work/audit-$n.json" >"$work/heads-$n"
    [[ $(wc -l <"$work/heads-$n") -eq $(($1 + 1)) ]] || fail "node $n has not the chains of $1 shards and the catalog"
    diff "$work/heads-1" "$work/heads-$n" >&2 || fail "nodes 1 and $n hold different chains"
  done
}
