#!/usr/bin/env bash
# tests/packaging/package_test.sh [PACKAGE.deb]: the Debian package as an administrator meets it, in a fresh minimal system of this
# machine's release (debootstrap): installed, run as its own user under the unit's restrictions, given a submission, upgraded in place
# with its data, removed and purged. Without PACKAGE: what scripts/package.sh made. As root, with network; takes some minutes, so CI
# does not run it. PACKAGE_BASE: a system that debootstrap made, to be copied instead of making one.
#
# There is no systemd in a chroot. What it would do is done by hand as far as that goes (user, no capabilities, no new privileges,
# read-only file system but for the data directory, /tmp of its own), system calls and memory are compared with the unit's lists by
# strace, and systemd-analyze of this machine reads the unit. What cannot run is said to be skipped.
. "$(dirname "$0")/../../scripts/lib.sh"

skip() {
  say "skipped: $*"
  exit 0
}
[ "$(id -u)" = 0 ] || skip "a chroot needs root"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
package=${1:-$(ls "$epione_root"/build/release/epione_*.deb 2>/dev/null | head -n 1 || true)}
[ -f "$package" ] || die "there is no package; make one with scripts/package.sh"
codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
uri=$(debian_uris "$codename" | awk '{ print $1 }')
[ -n "$uri" ] || skip "apt's configuration names no Debian archive for $codename"

place=$(mktemp -d "${FRESH_DIR:-/var/tmp}/epione-package-XXXXXX")
root=$place/root
pid=
cleanup() {
  [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
  for mount in "$root/proc" "$root/dev"; do
    if mountpoint -q "$mount"; then umount -l "$mount"; fi
  done
  rm -rf --one-file-system "$place"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

inside() {
  chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}
fail() { die "FAILED: $*"; }
no() { ! "$@" || fail "still there: $*"; }

make_system() {
  if [ -n "${PACKAGE_BASE:-}" ]; then
    cp -a --one-file-system "$PACKAGE_BASE" "$root"
  else
    debootstrap --variant=minbase "$codename" "$root" "$uri" >"$place/debootstrap.log" 2>&1 ||
      { tail -n 5 "$place/debootstrap.log" >&2; skip "no minimal system could be made from $uri"; }
  fi
  printf 'deb %s %s main\n' "$uri" "$codename" >"$root/etc/apt/sources.list"
  [ "$codename" != bookworm ] || printf 'deb %s %s-backports main\n' "$uri" "$codename" >>"$root/etc/apt/sources.list"
  cp --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"
  apt-config dump | grep -i '^Acquire::.*proxy' >"$root/etc/apt/apt.conf.d/proxy" || true
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  mkdir -p "$root/proc" "$root/dev"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --make-rslave "$root/dev"
  inside apt-get -q -y update >&2
}

# The unit's command as the unit's user and under its restrictions; what it prints goes to $place/out and $place/err.
start() {
  unshare --mount bash -c '
    set -e
    root=$1
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount --bind "$root/var/lib/epione" "$root/var/lib/epione"
    mount --rbind /proc "$root/proc"
    mount -o remount,ro,bind "$root"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs -o ro tmpfs "$root/home"
    umask 0077
    ulimit -n 65536 2>/dev/null || true # a container may not
    ulimit -c 0
    shift
    exec "$@" chroot --userspec=epione:epione "$root" setpriv --no-new-privs --bounding-set=-all --inh-caps=-all \
      env -i PATH=/usr/bin:/bin NOTIFY_SOCKET=/nonexistent \
      epione serve --config /etc/epione/epione.toml --http 127.0.0.1:0 --demo' - "$root" "$@" >"$place/out" 2>"$place/err" &
  pid=$!
  local left=600
  until grep -q '^Stop with' "$place/out"; do
    kill -0 "$pid" 2>/dev/null || { tail -n 20 "$place/err" >&2; pid=; fail "the node ended before it served"; }
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "the node does not serve after 60 s"
    sleep 0.1
  done
  address=$(sed 's/.*"http":"\([^"]*\)".*/\1/' "$root/var/lib/epione/node.json")
}
stop() {
  local node code=0
  node=$(sed 's/.*"pid":\([0-9]*\).*/\1/' "$root/var/lib/epione/node.json")
  kill -TERM "$node"
  wait "$pid" || code=$?
  pid=
  [ "$code" = 0 ] || { tail -n 20 "$place/err" >&2; fail "the node ended with $code"; }
}

say "a minimal system of $codename"
make_system

say "installing"
cp "$package" "$root/root/epione.deb"
inside apt-get -q -y install --no-install-recommends /root/epione.deb >"$place/install.log" 2>&1 ||
  { tail -n 30 "$place/install.log" >&2; fail "the package does not install"; }
grep -q 'is installed and not started' "$place/install.log" || fail "the installation does not say what comes next"
inside id epione >/dev/null || fail "there is no user epione"
[ "$(stat -c %a:%U "$root/var/lib/epione")" = "700:$(stat -c %U "$root/var/lib/epione")" ] || fail "others may look into /var/lib/epione"
[ "$(inside stat -c %U:%G /var/lib/epione)" = epione:epione ] || fail "/var/lib/epione is not of its user"
for file in /usr/bin/epione /lib/systemd/system/epione.service /etc/epione/epione.toml /usr/share/man/man1/epione.1.gz \
  /usr/share/bash-completion/completions/epione /usr/share/doc/epione/copyright /usr/share/doc/epione/manual.md \
  /usr/share/doc/epione/examples/demo/study.toml; do
  [ -e "$root$file" ] || [ "$file" != "${file#/usr/share}" ] || fail "$file is not there"
  [ -e "$root$file" ] || inside dpkg-deb -c /root/epione.deb | grep -q "\.$file$" || fail "$file is not in the package"
done
inside epione config check --config /etc/epione/epione.toml >&2
inside epione --version >&2

say "the node runs as its own user, and takes a submission"
start
[ "$(stat -c %u /proc/"$(sed 's/.*"pid":\([0-9]*\).*/\1/' "$root/var/lib/epione/node.json")")" = "$(inside id -u epione)" ] ||
  fail "the node does not run as epione"
post() { curl -sS -m 30 "$address/patient/data" -H 'Content-Type: application/json' -d "{\"patientId\":42,\"key\":\"$1\",\"data\":{\"form\":\"phq-9\",\"answers\":{\"q1\":1,\"q2\":2,\"q3\":0,\"q4\":1,\"q5\":0,\"q6\":0,\"q7\":1,\"q8\":0,\"q9\":0}}}"; }
post before | grep -q '"message":"stored"' || fail "the submission was not stored"
post before | grep -q 'stored before under this key' || fail "the repeat was not known"
[ -z "$(find "$root/var/lib/epione" -perm /077 -type f ! -name node.json)" ] || fail "others may read some of the data"
stop

if command -v strace >/dev/null && command -v systemd-analyze >/dev/null; then
  say "its system calls are those that the unit allows"
  start strace -f -qq -o "$place/calls" -E PATH="$PATH"
  post traced >/dev/null
  inside runuser -u epione -- epione export --data-dir /var/lib/epione >/dev/null 2>&1 || fail "the export beside the node failed"
  stop
  allowed() { systemd-analyze syscall-filter "$1" | awk '/^ +#/ { next } NF { print $1 }'; }
  expand() { # the names of a set, with the sets in it
    local name
    for name in $(allowed "$1"); do
      case $name in "$1") ;; @*) expand "$name" ;; *) echo "$name" ;; esac
    done
  }
  expand @system-service | sort -u >"$place/allowed"
  { expand @privileged; expand @resources; } | sort -u >"$place/denied"
  # From where the program itself begins: what chroot and setpriv do before is systemd's own work in a service.
  node=$(awk '/execve\("[^"]*epione"/ { print $1; exit }' "$place/calls")
  awk -v node="$node" '$1 == node && /execve\("[^"]*epione"/ { seen = 1 } seen' "$place/calls" |
    sed -n 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' | sort | uniq -c | awk '{ print $2 }' >"$place/used"
  [ "$(wc -l <"$place/used")" -gt 20 ] || fail "strace saw only $(wc -l <"$place/used") system calls"
  beyond=$(comm -23 <(sort "$place/used") <(comm -23 "$place/allowed" "$place/denied") | tr '\n' ' ')
  # A limit that cannot be raised, or memory that cannot be placed, is left as it is.
  for name in $beyond; do
    case $name in setrlimit | mbind | get_mempolicy | sched_setaffinity) ;; *) fail "the unit does not allow: $beyond" ;; esac
  done
  ! grep -q 'PROT_WRITE|PROT_EXEC\|PROT_READ|PROT_WRITE|PROT_EXEC' "$place/calls" || fail "memory is writable and executable"
else
  say "skipped: system calls against the unit's lists (needs strace and systemd-analyze)"
fi
if command -v systemd-analyze >/dev/null; then
  unit=$root/lib/systemd/system/epione.service
  systemd-analyze security --offline=yes --threshold=15 "$unit" >"$place/security" || { cat "$place/security" >&2; fail "the unit is too open"; }
  tail -n 1 "$place/security" >&2
else
  say "skipped: systemd-analyze is not installed"
fi

say "an upgrade keeps configuration, data and user"
printf '\n[log]\nlevel = "warning"\n' >>"$root/etc/epione/epione.toml"
dpkg-deb -R "$package" "$place/next" >&2
sed -i 's/^Version: .*/&+next/' "$place/next/DEBIAN/control"
dpkg-deb --root-owner-group -b "$place/next" "$root/root/next.deb" >&2
inside apt-get -q -y install --no-install-recommends /root/next.deb >"$place/upgrade.log" 2>&1 ||
  { tail -n 30 "$place/upgrade.log" >&2; fail "the package does not upgrade"; }
no grep -q 'is installed and not started' "$place/upgrade.log"
grep -q 'level = "warning"' "$root/etc/epione/epione.toml" || fail "the upgrade replaced the configuration"
start
post before | grep -q 'stored before under this key' || fail "the upgrade lost a submission"
post after | grep -q '"message":"stored"' || fail "the upgraded node stores nothing"
stop
no grep -q '"level":"info"' "$place/err"
inside runuser -u epione -- epione audit verify --data-dir /var/lib/epione >&2 || fail "the chain is not whole after the upgrade"

say "removal keeps data and configuration"
inside apt-get -q -y remove epione >"$place/remove.log" 2>&1 || { tail -n 30 "$place/remove.log" >&2; fail "the package is not removed"; }
grep -q 'The data stays in /var/lib/epione' "$place/remove.log" || fail "the removal does not say where the data is"
[ -f "$root/var/lib/epione/journal.db" ] && [ -f "$root/etc/epione/epione.toml" ] || fail "the removal deleted data or configuration"
no test -e "$root/usr/bin/epione"

say "a purge deletes data, configuration and user"
inside apt-get -q -y purge epione >"$place/purge.log" 2>&1 || { tail -n 30 "$place/purge.log" >&2; fail "the package is not purged"; }
grep -q 'Deleting /var/lib/epione' "$place/purge.log" || fail "the purge does not say that it deletes the data"
for left in /var/lib/epione /etc/epione /lib/systemd/system/epione.service /usr/share/doc/epione; do no test -e "$root$left"; done
no inside getent passwd epione
say "the package installs, runs, upgrades and goes"
