#!/usr/bin/env bash
# The backports entry is derived from the machine's own apt configuration, in both of apt's formats. Needs no apt and no network.
. "$(dirname "$0")/../../../scripts/lib.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# check NAME URIS FILE EXPECTED: what is derived from the file, without the line that names the format.
check() {
  local got
  got=$(derive_backports bookworm "$2" "$3" | tail -n +2 || true)
  if [ "$got" = "$4" ]; then
    echo "ok: $1"
  else
    printf 'FAILED: %s\n--- wanted\n%s\n--- got\n%s\n' "$1" "$4" "$got"
    failed=1
  fi
}

cat >"$scratch/plain.list" <<'X'
# deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb cdrom:[Debian] bookworm main
deb-src http://mirror.example/debian bookworm main
deb https://other.example/apt bookworm stable
deb http://mirror.example/debian bookworm main contrib # the archive
deb http://mirror.example/debian bookworm-updates main
X
check "a line of the archive" "" "$scratch/plain.list" "deb http://mirror.example/debian bookworm-backports main contrib"

cat >"$scratch/options.list" <<'X'
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]   https://mirror.example/d/  bookworm   main
X
check "options are kept, and the key tells the archive" "" "$scratch/options.list" \
  "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://mirror.example/d/ bookworm-backports main"

cat >"$scratch/known.list" <<'X'
deb https://vendor.example/debian bookworm main
deb https://mirror.example/archive bookworm main
X
check "what apt knows to be the archive is taken, not what looks like it" "https://mirror.example/archive/" "$scratch/known.list" \
  "deb https://mirror.example/archive bookworm-backports main"

printf 'deb http://mirror.example/debian stable main\n' >"$scratch/stable.list"
check "stable is the release when apt says so" "http://mirror.example/debian/" "$scratch/stable.list" \
  "deb http://mirror.example/debian bookworm-backports main"
check "stable alone says nothing" "" "$scratch/stable.list" ""

cat >"$scratch/debian.sources" <<'X'
Types: deb
URIs: https://vendor.example/apt
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/vendor.gpg

# the archive, switched off
Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm
Components: main

Types: deb deb-src
# http://snapshot.example/
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main non-free-firmware
Enabled: yes
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBFit
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
X
check "a stanza with a key in it" "" "$scratch/debian.sources" "Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main non-free-firmware
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBFit
 -----END PGP PUBLIC KEY BLOCK-----"
check "a stanza that apt knows" "https://vendor.example/apt/" "$scratch/debian.sources" "Types: deb
URIs: https://vendor.example/apt
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/vendor.gpg"

printf 'Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: bookworm\nComponents: main' >"$scratch/cloud.sources"
check "a list of mirrors, no line feed at the end" "" "$scratch/cloud.sources" "Types: deb
URIs: mirror+file:///etc/apt/mirrors/debian.list
Suites: bookworm-backports
Components: main"

printf 'deb http://mirror.example/debian trixie main\n' >"$scratch/trixie.list"
check "another release" "" "$scratch/trixie.list" ""
check "a missing file" "" "$scratch/none.list" ""

before=$(cat "$scratch"/* | cksum)
derive_backports bookworm "" "$scratch"/* >/dev/null
[ "$before" = "$(cat "$scratch"/* | cksum)" ] || {
  echo "FAILED: deriving changed a source file"
  failed=1
}

# Versions: a backport of the minimum is new enough, anything older is not.
for version in 0.22.1-1~bpo12+1 0.22.1-1 0.22.1-1+b1 0.23.0-1; do
  is_new_enough "$version" || { echo "FAILED: libraft $version is refused"; failed=1; }
done
for version in 0.15.0-1 0.22.0-9 ""; do
  ! is_new_enough "$version" || { echo "FAILED: libraft '$version' is accepted"; failed=1; }
done

exit "$failed"
