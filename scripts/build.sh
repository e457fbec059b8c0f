#!/usr/bin/env bash
# scripts/build.sh [preset]: installs what is missing and builds. Presets: release (the default), debug, asan, tsan.
. "$(dirname "$0")/lib.sh"

preset=${1:-release}
case $preset in
  release | debug | asan | tsan) ;;
  *) die "there is no preset '$preset'; use release, debug, asan or tsan" ;;
esac
ensure_packages
build "$preset"
[ "$preset" != release ] || say "built build/release/epione"
