#!/bin/bash
# Takes the power from a node under full load: what had not reached its disk at a random moment is gone, and a node started on
# what is left must have everything that was acknowledged until then, exactly once with its answers, and whole chains.
#
#   tests/chaos/power_loss_test.sh [--epione PATH] [--images 50] [--connections 128] [--subjects 50000] [--seed N] [--disk 8GiB]
#                                  [--syncs kept|dropped] [--directory DIR] [--keep]
#
# The data directory is on a file system (ext4) in an image file. What the node has written and not synced is in the page cache
# of that file system and not in the image; what was synced is in the image, if only in the page cache of the image file, which
# is this disk's memory. So a copy of the image is what a power loss leaves, provided that
#   - the file system is not synced for it, as unmounting it or fsfreeze would do;
#   - the copy is of one instant. The image lies on XFS, where `cp --reflink` shares all blocks under the file's lock. Without XFS it
#     is read byte by byte, and read again when the device took a write meanwhile;
#   - no answer is sent after that instant. The node is stopped by SIGSTOP first, and the copy is made when each of its threads is
#     stopped or inside the kernel, in the middle of a sync for instance: whichever way that ends, nobody is told.
# Each time a file is written without a sync just before, and the round counts only if its content is missing in the copy.
#
# The node is killed, the copy mounted at another place, and a node started on it, which the load, that has never ended, finds:
# what had no answer is sent again. The copy is then the disk of the next round. A round counts only with 500 acknowledgements
# before the copy.
#
# --syncs dropped makes the syncs of the node do nothing, from the 50th of each thread on (strace), to see that this test
# notices: it must fail.
#
# What this cannot show: a disk that loses, of what it was handed, more than what was not synced, or part of a sector. The
# simulator does. Needs root, for mounts; they are made in a mount namespace of the test, so that nothing is left of them
# however it ends.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh

epione=build/release/epione
images=50
connections=128
subjects=50000
seed=$$
disk=8GiB
syncs=kept
directory=
acknowledged_min=500
invalid_max=10 # in a row; then this machine cannot carry the load

take_options "epione images connections subjects seed disk syncs directory" "$@"
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
[[ " kept dropped " == *" $syncs "* ]] || fail "--syncs is kept or dropped"
RANDOM=$seed
if [[ $syncs == dropped ]]; then
  command -v strace >/dev/null || skip "--syncs dropped needs strace"
  calls=fsync,fdatasync,msync,sync_file_range
  under=(strace -D -f --seccomp-bpf -qq -o /dev/null -e "trace=$calls" -e "inject=$calls:retval=0:when=50+")
fi

if [[ ${CHAOS_ENTERED:-} != 1 ]]; then
  ((EUID == 0)) || skip "image files are mounted, and only root may"
  for tool in unshare mount mkfs.ext4; do
    command -v "$tool" >/dev/null || skip "there is no $tool"
  done
  unshare --mount --propagation private true 2>/dev/null || skip "mount namespaces are not allowed here"
  CHAOS_ENTERED=1 exec unshare --mount --propagation private "tests/chaos/power_loss_test.sh" "$@"
fi

make_work_directory "$directory"
disk_number=0
shelf=$work/shelf # where the images are

# All mounts; their file systems can be removed only without them.
end_disks() {
  [[ -n $node_pid ]] && kill -KILL "$node_pid" 2>/dev/null && wait "$node_pid" 2>/dev/null
  ((passed && !keep)) && umount -q "$work"/disk-* "$shelf" 2>/dev/null
  end_all
}
trap end_disks EXIT

make_shelf() {
  mkdir "$shelf"
  copying="read byte by byte"
  if command -v mkfs.xfs >/dev/null && truncate -s "$(($(numfmt --from=auto "${disk%B}") * 3))" "$work/shelf.img" &&
    mkfs.xfs -q -m reflink=1 "$work/shelf.img" >/dev/null && mount -o loop "$work/shelf.img" "$shelf"; then
    copying="by reflink"
  fi 2>"$work/shelf.err"
}

# mount_disk N: makes it the node's.
mount_disk() {
  mkdir -p "$work/disk-$1"
  mount -o loop "$shelf/$1.img" "$work/disk-$1" 2>"$work/mount.err" || return 1
  ln -sfn "disk-$1/data" "$work/data"
}

# Threads of the node that may still run code of its own.
running_threads() { cat /proc/"$node_pid"/task/*/stat 2>/dev/null | sed 's/.*) \(.\) .*/\1/' | grep -vc '[TtD]'; }

halt_node() {
  local limit=$(($(now_ms) + 5000))
  kill -STOP "$node_pid"
  while (($(running_threads) > 0)); do
    (($(now_ms) < limit)) || fail "the node could not be stopped"
  done
}

# Writes the device took, and those under way.
device_writes() { awk '{ print $5, $9 }' "/sys/block/$device/stat"; }

# copy_disk FROM TO: of one instant.
copy_disk() {
  local before try
  if [[ $copying == "by reflink" ]]; then
    cp --reflink=always "$shelf/$1.img" "$shelf/$2.img" || fail "the image could not be copied"
    return
  fi
  device=$(basename "$(findmnt -n -o SOURCE "$work/disk-$1")")
  for try in {1..20}; do
    before=$(device_writes)
    cp --sparse=always "$shelf/$1.img" "$shelf/$2.img" || fail "the image could not be copied"
    [[ $before == *" 0" && $before == "$(device_writes)" ]] && return
  done
  fail "the disk was written to in each of $try copies"
}

# Until the power is taken: the node is on $disk_number, and on the copy afterwards. 1 when the round does not count.
take_power() {
  local old=$disk_number new=$((disk_number + 1))
  head -c 65536 /dev/urandom >"$work/disk-$old/never-synced-$new"
  halt_node
  copy_disk "$old" "$new"
  kill_node
  at_least=$(ledger_records "$work/round.ledger")
  mount_disk "$new" || fail "the copy cannot be mounted: $(head -n 1 "$work/mount.err")"
  disk_number=$new
  restarted=$(now_ms)
  start_node_under
  wait_until_ready
  ready=$(($(now_ms) - restarted))
  umount "$work/disk-$old" && rmdir "$work/disk-$old" && rm "$shelf/$old.img" || fail "the disk before could not be put away"
  [[ ! -s $work/disk-$new/never-synced-$new ]]
}

make_shelf
truncate -s "$disk" "$shelf/0.img" && mkfs.ext4 -q -m 0 "$shelf/0.img" >/dev/null 2>"$work/mount.err" && mount_disk 0 ||
  skip "an image file cannot be mounted here: $(head -n 1 "$work/mount.err")"
mkdir "$work/disk-0/data"
echo "Power loss test: $images images ($copying), $connections connections, seed $seed, data in $work"

total=0
round=0
attempt=0
invalid=0
worst_ready=0
start_node_under
wait_until_ready
while ((round < images)); do
  attempt=$((attempt + 1))
  start_round "$connections" "$subjects" $((seed * 1000 + attempt))
  counts=1
  wait_for_round "$acknowledged_min" || counts=0
  kill -0 "$node_pid" 2>/dev/null || fail "the node ended under load; see $work/node.err"
  between drawn 0 1700
  pause_ms "$drawn"
  take_power || counts=0
  pause_ms 300 # what had no answer is asked for again
  stop_load 3 # a machine that is busy may take longer for a start than the load waits
  read_back "$work/round.ledger" --data-dir "$work/data" --connections 64
  need_found "$at_least"
  audit
  total=$((total + found))
  cat "$work/round.ledger" >>"$work/all.ledger"
  if ((!counts)); then
    invalid=$((invalid + 1))
    echo "image $((round + 1)): too little load, or the kernel had written all of it; repeated"
    ((invalid < invalid_max)) || fail "$invalid_max rounds in a row did not count"
    continue
  fi
  invalid=0
  round=$((round + 1))
  ((ready > worst_ready)) && worst_ready=$ready
  echo "image $round: taken with $at_least or more acknowledged, ready after $ready ms, $(row "$work/load.out" retries) retries;" \
    "all $(grouped "$found") there once with their answers, chain intact"
done

finish_rounds
passed=1
echo "PASSED: $images images, $((attempt - round)) repeated, $(grouped "$found") acknowledged submissions, each there exactly once with" \
  "its answers; chain intact; ready again within $worst_ready ms"
