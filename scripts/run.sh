#!/usr/bin/env bash
# scripts/run.sh [options of `epione serve`]: installs what is missing, builds, and starts a node with the demo study. Its data is
# in build/data unless --data-dir or EPIONE_DATA_DIRECTORY says otherwise.
. "$(dirname "$0")/lib.sh"

ensure_packages
build release epione

data_dir=(--data-dir "$epione_root/build/data")
[ -z "${EPIONE_DATA_DIRECTORY:-}" ] || data_dir=()
for option in "$@"; do
  case $option in --data-dir | --data-dir=* | --config | --config=*) data_dir=() ;; esac
done
exec "$epione_root/build/release/epione" serve "${data_dir[@]}" --demo "$@"
