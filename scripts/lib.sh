# Shared by the scripts; sourced, not run. Installs what is missing and builds. Everything it says goes to standard error.
set -euo pipefail

epione_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
backports_name=epione-backports # of our own file among apt's sources
raft_version=0.22.1             # older ones count replicas of earlier terms' entries as committed

say() { printf '== %s\n' "$*" >&2; }
die() {
  printf 'epione: %s\n' "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    die "packages are missing and must be installed: run as root, or install sudo ($*)"
  fi
}

# apt with no questions; waits for another apt instead of failing beside it.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >&2
}

# wanted_packages GROUP...: names from packages.txt of the group "always" and of those named.
wanted_packages() {
  awk -v groups=" always $* " '
    /^# [a-z]+$/ { take = index(groups, " " $2 " ") > 0; next }
    /^[^#]/ && take { print $1 }' "$epione_root/scripts/packages.txt"
}

# missing_packages NAME...: those that are not installed.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | awk '$1 == "ii" { print $2 }' || true)
  printf '%s\n' "$@" | grep -v -x -F -e "${installed:-/}" || true
}

installed_version() { dpkg-query -W -f='${db:Status-Abbrev} ${Version}\n' "$1" 2>/dev/null | awk '$1 == "ii" { print $2 }' || true; }

# The tilde accepts the version's own backport, which sorts before it.
is_new_enough() { [ -n "$1" ] && dpkg --compare-versions "$1" ge "$raft_version~"; }

# Suite that offers a new enough libraft, from what apt knows now; nothing when none does.
raft_suite() {
  local version place
  apt-cache madison libraft-dev 2>/dev/null | while IFS='|' read -r _ version place; do
    version=${version// /}
    case $place in *" Packages"*) ;; *) continue ;; esac
    if is_new_enough "$version"; then
      printf '%s\n' "$place" | awk '{ print $2 }' | cut -d/ -f1
      break
    fi
  done || true # a reader that stops early is no error of apt-cache
}

# URIs that apt knows to be the Debian archive with this release's main component.
debian_uris() {
  apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -F'|' -v codename="$1" '$1 == "Debian" && $2 == codename && $3 == "main" { print $4 }' | sort -u | tr '\n' ' ' || true
}

# derive_backports CODENAME URIS FILE...: the first entry derived from the files; its format ("list" or "sources") on the first line.
derive_backports() {
  local codename=$1 uris=$2 file format entry
  shift 2
  for file in "$@"; do
    [ -r "$file" ] || continue
    case $file in
      *.list) format=list ;;
      *.sources) format=sources ;;
      *) continue ;;
    esac
    entry=$(awk -v codename="$codename" -v uris="$uris" -v format="$format" -f "$epione_root/scripts/backports.awk" "$file")
    if [ -n "$entry" ]; then
      printf '%s\n%s\n' "$format" "$entry"
      return 0
    fi
  done
  return 1
}

# Adds the backports suite in a file of its own. Leaves apt as it was when the suite is not there.
add_backports() {
  local codename=$1 derived format file
  derived=$(derive_backports "$codename" "$(debian_uris "$codename")" /etc/apt/sources.list /etc/apt/sources.list.d/*) ||
    die "libraft $raft_version or newer is needed. Debian 12 has it in $codename-backports, but none of this machine's apt sources" \
      "is the Debian archive with '$codename main', from which the entry could be derived. Add $codename-backports to apt's" \
      "sources, or install libraft-dev (>= $raft_version), and run this again."
  format=$(printf '%s\n' "$derived" | head -n 1)
  file=/etc/apt/sources.list.d/$backports_name.$format
  say "adding $codename-backports to apt, for libraft only: $file"
  printf '%s\n' "$derived" | tail -n +2 | as_root tee "$file" >/dev/null
  apt_get update -o Dir::Etc::sourcelist="$file" -o Dir::Etc::sourceparts=/dev/null -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any || true
  if [ -z "$(raft_suite)" ]; then
    as_root rm -f "$file"
    die "libraft $raft_version or newer is needed. Debian 12 has it in $codename-backports, but the archive this machine uses does" \
      "not offer that suite (or could not be reached). apt's sources are as they were. Add a source that has" \
      "$codename-backports, or install libraft-dev (>= $raft_version), and run this again."
  fi
}

ensure_raft() {
  is_new_enough "$(installed_version libraft-dev)" && return 0
  local codename suite
  suite=$(raft_suite)
  if [ -z "$suite" ]; then
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    [ -n "$codename" ] || die "libraft $raft_version or newer is needed, and /etc/os-release does not name this release: install libraft-dev yourself"
    add_backports "$codename"
    suite=$(raft_suite)
  fi
  say "installing libraft-dev from $suite"
  apt_get install --no-install-recommends -t "$suite" libraft-dev
}

# ensure_packages GROUP...: installs what is missing. Asks apt only if something is.
ensure_packages() {
  local missing
  # shellcheck disable=SC2046 # names have no spaces
  missing=$(missing_packages $(wanted_packages "$@"))
  if [ -n "$missing" ] || ! is_new_enough "$(installed_version libraft-dev)"; then
    command -v apt-get >/dev/null || die "this script installs packages with apt-get, which is not here; see scripts/packages.txt for what is needed"
    say "installing:" ${missing:-} libraft-dev
    apt_get update || say "apt-get update had errors; going on with what it has"
    # shellcheck disable=SC2086
    [ -z "$missing" ] || apt_get install --no-install-recommends $missing
    ensure_raft
  fi
}

# Compilers at once: one a core, and 1.5 GB each.
build_jobs() {
  awk -v cores="$(nproc)" '/^MemAvailable:/ { fit = int($2 / 1500000); print fit < 1 ? 1 : fit < cores ? fit : cores }' /proc/meminfo
}

# build PRESET [TARGET...]
build() {
  local preset=$1 directory=$epione_root/build/$1
  shift
  # ninja runs CMake again when a CMake file changed, but does not look at the presets.
  if [ ! -f "$directory/build.ninja" ] || [ "$epione_root/CMakePresets.json" -nt "$directory/build.ninja" ]; then
    (cd "$epione_root" && cmake --preset "$preset" >&2)
  fi
  ninja -C "$directory" -j "$(build_jobs)" "$@" >&2
}
