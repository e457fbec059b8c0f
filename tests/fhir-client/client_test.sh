#!/usr/bin/env bash
# A FHIR client from npm against the built program. Skipped (exit 77) where there is no Node.js, or its packages cannot be had.
#   client_test.sh PATH_OF_EPIONE
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "skipped: there is no $tool"; exit 77; }
done
[ "$(node --version | tr -d v | cut -d. -f1)" -ge 20 ] || { echo "skipped: Node.js is older than version 20"; exit 77; }
. "$here/../unit/scripts/program.sh"

mkdir "$scratch/client"
cp "$here"/package.json "$here"/package-lock.json "$here"/client.mjs "$scratch/client"
(cd "$scratch/client" && timeout 120 npm ci --no-audit --no-fund --ignore-scripts >"$scratch/last" 2>&1) || {
  cat "$scratch/last"
  echo "skipped: npm cannot install the client"
  exit 77
}
start --demo
(cd "$scratch/client" && timeout 120 node client.mjs "$address/fhir") || fail "the client found something"
