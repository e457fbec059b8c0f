# What the tests of a cluster share: three nodes on this machine, by process id, each in a network namespace and on a small disk
# of its own where a test asks for it. Sourced after common.sh.
#
# The namespaces' names and the disks are mounts of a mount namespace that a test runs in, with no link to the machine's own
# network: nothing is left of them when the test ends, however it ends, and runs beside each other do not meet.
# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120 # variables of the tests, and for them

nodes=(1 2 3)
declare -A pids=()
declare -A loads=() # process ids of the loads, by the node each goes through
declare -A done_faults=()
whole_limit_ms=180000
load_limit_ms=60000 # until a load is what rate_min asks for
same_limit_ms=60000 # until the stores of all nodes give out the same
total=0             # acknowledged submissions that were read back at the end
least_load=         # acknowledged submissions a second before a fault, the least of all faults
replicas="not compared"
isolated=0             # 1: each node is in a network namespace
disks=0                # 1: each node has a disk of its own
declare -A in_memory=() # those whose disk is a file system in memory

# Replaces the one of common.sh: why is most often in a node's log.
fail() {
  local n
  echo "FAILED: $*" >&2
  for n in "${nodes[@]}"; do
    [[ -s $work/n$n.err ]] || continue
    echo "--- n$n, the end of $work/n$n.err:" >&2
    grep -v '"part":"channel log"' "$work/n$n.err" | tail -n 12 | cut -c1-300 >&2
  done
  ((${#done_faults[@]} == 0)) || echo "FAILED after: $(figures)" >&2
  exit 1
}

# What was measured, for the last line.
figures() {
  local name list=
  for name in $(printf '%s\n' "${!done_faults[@]}" | sort); do list+="${list:+, }${done_faults[$name]} $name"; done
  echo "faults: $list; acknowledged: $(grouped "$total"); load before a fault: ${least_load:-?}/s or more (asked for:" \
    "$rate_min/s); missing: $missing; duplicated: $duplicated; different: $different; replicas: $replicas"
}

count_fault() { done_faults[$1]=$((${done_faults[$1]:-0} + 1)); }

# Before end_all of common.sh.
end_nodes() {
  local n
  for n in "${!loads[@]}"; do kill -KILL "${loads[$n]}" 2>/dev/null; done
  for n in "${!pids[@]}"; do kill -KILL "${pids[$n]}" 2>/dev/null; done
  if ((passed && !keep && disks)); then
    for n in "${nodes[@]}"; do umount -l "$work/n$n"; done
  fi
  end_all
}

# enter_namespaces "$0" "$@": runs the test again where it may mount and make networks. Returns 1 where that is not allowed, with
# the reason in $not_isolated; 0 in the second run.
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
  not_isolated=$(limited 60 "trying namespaces" unshare "${as[@]}" --mount --propagation private --net bash -c '
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

# A namespace a node and one for the switch between them. Cuts are made where packets arrive: whoever sends learns nothing.
make_networks() {
  local n
  isolated=1
  make_switch || fail "no network could be made"
  for n in "${nodes[@]}"; do
    plug_in "$n" || fail "no network could be made for n$n"
  done
}

make_switch() {
  mount -t tmpfs none /run && mkdir /run/netns && ip netns add switch && ip -n switch link add hub type bridge &&
    ip -n switch link set hub up
}

plug_in() {
  ip netns add "n$1" && ip -n "n$1" link set lo up && ip -n switch link add "p$1" type veth peer name lan netns "n$1" &&
    ip -n switch link set "p$1" master hub up && ip -n "n$1" address add "$(address_of "$1")/24" dev lan &&
    ip -n "n$1" link set lan up &&
    rules "$1" 'add table inet faults; add chain inet faults in { type filter hook input priority 0; }'
}

rules() { nsenter "--net=/run/netns/n$1" nft "$2"; }
# deafen NODE [FROM]: nothing from that node (from any, without one) reaches NODE.
deafen() {
  rules "$1" "add rule inet faults in ${2:+ip saddr $(address_of "$2")} iifname \"lan\" drop" || fail "n$1 could not be cut off"
}
mute() {
  local n
  for n in "${nodes[@]}"; do ((n == $1)) || deafen "$n" "$1"; done
}
heal_networks() {
  local n
  for n in "${nodes[@]}"; do rules "$n" 'flush chain inet faults in' || fail "the cuts at n$n could not be taken back"; done
}

# A disk a node: an image of a file system, which takes only what is written to it; where images cannot be mounted (a user's own
# namespace), a file system in memory, of a size that the machine can spare.
make_disks() {
  local n
  for n in "${nodes[@]}"; do
    mkdir -p "$work/n$n"
    mount_image "$n" 2>"$work/disks.err" || mount_memory "$n" 2>>"$work/disks.err" || return 1
  done
  disks=1
}

mount_image() {
  truncate -s "$disk" "$work/n$1.img" && mkfs.ext4 -q -m 0 "$work/n$1.img" && mount -o loop "$work/n$1.img" "$work/n$1" && return
  rm -f "$work/n$1.img"
  return 1
}

memory_disk_max_kib=1048576 # and a quarter of the free memory for all three
memory_disk_min_kib=524288  # for a few rounds, and a node's reserve of 64 MiB
memory_disk_kib=
mount_memory() {
  local asked
  if [[ -z $memory_disk_kib ]]; then
    memory_disk_kib=$(awk '/^MemAvailable:/ { printf "%d", $2 / 12 }' /proc/meminfo)
    asked=$(($(numfmt --from=iec-i "${disk%B}") / 1024)) || return 1
    for asked in "$asked" $memory_disk_max_kib; do
      ((memory_disk_kib <= asked)) || memory_disk_kib=$asked
    done
  fi
  ((memory_disk_kib >= memory_disk_min_kib)) || {
    echo "a disk in memory could have $memory_disk_kib KiB only, it takes $memory_disk_min_kib" >&2
    return 1
  }
  mount -t tmpfs -o "size=${memory_disk_kib}k" none "$work/n$1" && in_memory[$1]=1
}

disks_said() { grep -v dmesg "$work/disks.err" | tail -n 1; }

free_kib() { df --output=avail -k "$work/n$1" | tail -n 1; }

# fill_disk NODE LEFT_KIB: all but so much of it. One in memory is made smaller instead, which takes no memory.
fill_disk() {
  local free try
  if [[ -n ${in_memory[$1]:-} ]]; then
    for try in {1..20}; do # what the node writes meanwhile makes the size too small
      resize_memory "$1" $(($(df --output=used -k "$work/n$1" | tail -n 1) + $2)) 2>"$work/disks.err" && return
    done
    fail "the disk of n$1 could not be made smaller in $try tries: $(disks_said)"
  fi
  free=$(free_kib "$1")
  ((free > $2)) && fallocate -l "$((free - $2))KiB" "$work/n$1/filling" 2>/dev/null
  [[ -s $work/n$1/filling ]] || fail "the disk of n$1 could not be filled"
}

free_disk() {
  if [[ -n ${in_memory[$1]:-} ]]; then
    resize_memory "$1" "$memory_disk_kib" || fail "the disk of n$1 could not be made larger again"
  else
    rm "$work/n$1/filling" || fail "the disk of n$1 could not be made free again"
  fi
}

# With the source named, or mount(8) repeats options that a user's namespace may not give.
resize_memory() { mount -t tmpfs -o "remount,size=$2k" none "$work/n$1"; }

# Disks that the run itself uses up would prove nothing.
check_room() {
  local n
  for n in "${nodes[@]}"; do
    (($(free_kib "$n") > 262144)) || fail "the disk of n$n is used up by what was stored: fewer --faults, or a larger --disk" \
      "${in_memory[$n]:+(it is in memory, at most $memory_disk_kib KiB; as root it would be an image)}"
  done
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
    "$epione" cert issue --node "n$n" --authority "$work/authority" --out "$work/certs" >/dev/null ||
      fail "no certificate for n$n"
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
  kill -KILL "${pids[$1]}" || fail "node $1 could not be killed"
  wait_end "${pids[$1]}" "$stop_wait_limit_ms" "node $1, after SIGKILL,"
}

# SIGTERM must end it with exit code 0.
stop() {
  kill -TERM "${pids[$1]}" || fail "node $1 could not be stopped"
  wait_end "${pids[$1]}" "$stop_wait_limit_ms" "node $1, after SIGTERM,"
  unset "pids[$1]"
  ((ended == 0)) || fail "node $1 ended with exit code $ended after SIGTERM"
}

# Asked of NODE: everything is led and on every node.
wait_whole() {
  local limit=$(($(now_ms) + whole_limit_ms))
  until is_whole "$1"; do
    all_run
    (($(now_ms) < limit)) || {
      enter "$1"
      limited 30 "cluster status" "${at[@]}" "$epione" cluster status --cluster "$file" --node "n$1" >&2
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
  limited 30 "cluster status" "${at[@]}" "$epione" cluster status --cluster "$file" --node "n$1" --json >"$work/status.json" 2>&1
}

rate= # submissions a second that fall due; nothing: each phone sends when it has its answer

# begin_load NODE LEDGER SEED: through that node, from --connections phones of --subjects patients.
begin_load() {
  enter "$1"
  "${at[@]}" "$epione" bench submit --http "$(http_of "$1")" --connections "$connections" --duration 1h --subjects "$subjects" \
    ${rate:+--rate "$rate"} --seed "$3" --ledger "$2" >"$work/load-$1.out" 2>"$work/load-$1.err" &
  loads[$1]=$!
}

load_said() { cat "$work/load-$1.out" "$work/load-$1.err" | tail -n 20; }

loads_run() {
  local n
  for n in "${!loads[@]}"; do
    kill -0 "${loads[$n]}" 2>/dev/null || fail "the load through n$n ended: $(load_said "$n")"
  done
}

# SIGTERM must end them with exit code 0.
stop_loads() {
  local n
  for n in "${!loads[@]}"; do kill -TERM "${loads[$n]}" 2>/dev/null; done
  for n in "${!loads[@]}"; do
    wait_end "${loads[$n]}" "$load_stop_limit_ms" "the load through n$n, after SIGTERM,"
    unset "loads[$n]"
    ((ended == 0)) || fail "the load through n$n ended with exit code $ended: $(load_said "$n")"
  done
}

all_records() {
  local ledger sum=0
  for ledger; do sum=$((sum + $(ledger_records "$ledger"))); done
  echo "$sum"
}

# need_load LEDGER...: returns when rate_min or more submissions were acknowledged in the second before: the load before a fault.
# Below that a fault proves little and does not come. Ledgers are written once a second, or when much has gathered: counted is
# from one write to the first one that comes 0.95 s later or more.
need_load() {
  local limit=$(($(now_ms) + load_limit_ms)) now count last began='' first=0 rate=0
  last=$(all_records "$@")
  while ((rate < rate_min)); do
    loads_run
    sleep 0.02
    now=$(now_ms)
    ((now < limit)) || fail "INVALID: $rate submissions a second are acknowledged, it takes $rate_min before a fault" \
      "(--rate-min), and $((load_limit_ms / 1000)) s brought no more: this machine carries too little, or does something else"
    count=$(all_records "$@")
    ((count > last)) || continue
    last=$count
    if [[ -n $began ]]; then
      ((now - began >= 950)) || continue
      rate=$(((count - first) * 1000 / (now - began)))
    fi
    began=$now
    first=$count
  done
  if [[ -z $least_load ]] || ((rate < least_load)); then least_load=$rate; fi
}

# verify LEDGER NODE: everything in it is there exactly once, asked through that node. Sets $found.
verify() {
  enter "$2"
  read_back "$1" --http "$(http_of "$2")" --connections 16
}

# File, number of events and head of each shard's chain, a line each.
heads() {
  awk -F'"' '
    /"file"/ { file = $4; sub(/.*\//, "", file) }
    /"last"/ { last = $3 }
    /"head"/ { if (file ~ /^shard-/) print file last $4 }' "$1"
}

export_node() {
  local code
  enter "$1"
  limited "$reading_limit_s" "export of n$1" "${at[@]}" "$epione" export --format ndjson --data-dir "$work/n$1/data" \
    2>"$work/export-$1.err" | sha256sum >"$work/export-$1"
  code=${PIPESTATUS[0]}
  ((code == 0)) || fail "node $1: nothing can be exported: $(tail -n 1 "$work/export-$1.err")"
}

# What the stores of all nodes give out must be the same. Stops the nodes; their chains must be intact and the same too.
stop_and_compare() { # SHARDS
  local n limit
  wait_whole 1
  limit=$(($(now_ms) + same_limit_ms))
  while :; do # followers hear of the last commit with a heartbeat
    for n in "${nodes[@]}"; do export_node "$n"; done
    [[ $(sort -u "$work"/export-[123] | wc -l) -eq 1 ]] && break
    (($(now_ms) < limit)) || fail "the nodes' stores give out different submissions, still after $((same_limit_ms / 1000)) s"
  done
  for n in "${nodes[@]}"; do stop "$n"; done
  for n in "${nodes[@]}"; do
    limited "$reading_limit_s" "audit verify" "$epione" audit verify --data-dir "$work/n$n/data" --json >"$work/audit-$n.json" \
      2>"$work/audit-$n.err" || {
      cat "$work/audit-$n.err" >&2
      fail "a chain of node $n is not intact"
    }
    heads "$work/audit-$n.json" >"$work/heads-$n"
    [[ $(wc -l <"$work/heads-$n") -eq $(($1 + 1)) ]] || fail "node $n has not the chains of $1 shards and the catalog"
    diff "$work/heads-1" "$work/heads-$n" >&2 || fail "nodes 1 and $n hold different chains"
  done
  replicas="equal, chains intact"
}
