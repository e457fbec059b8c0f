#!/usr/bin/env bash
# scripts/build.sh [preset]: installs what is missing and builds. Presets: release (the default), debug, asan, tsan, fuzz.
. "$(dirname "$0")/lib.sh"

preset=${1:-release}
case $preset in
  release | debug | tsan) ensure_packages ;;
  asan | fuzz) ensure_packages fuzz ;;
  *) die "there is no preset '$preset'; use release, debug, asan, tsan or fuzz" ;;
esac
build "$preset"
[ "$preset" != release ] || say "built build/release/epione"
