#!/usr/bin/env bash
# scripts/lint.sh [--format | --fix]: checks the format (--fix: corrects it) and runs clang-tidy over our sources. --format: only
# the format, which takes a second and is what CI does.
. "$(dirname "$0")/lib.sh"

mode=${1:-all}
cd "$epione_root"
mapfile -t sources < <(git ls-files '*.cpp' '*.hpp' '*.c' '*.h')
[ "${#sources[@]}" -gt 0 ] || die "git lists no source files here"

if [ "$mode" = --fix ]; then
  ensure_packages lint
  clang-format-19 -i "${sources[@]}"
  exit
fi
ensure_packages lint
say "clang-format: ${#sources[@]} files"
clang-format-19 --dry-run --Werror "${sources[@]}" || die "the format differs; scripts/lint.sh --fix corrects it"
[ "$mode" != --format ] || exit 0

ensure_packages lint tidy
# File by file, which also shows a file that needs what another one includes.
(cd "$epione_root" && cmake --preset release -B build/lint -DEPIONE_UNITY=OFF >&2)
ninja -C build/lint -j "$(build_jobs)" >&2
say "clang-tidy"
mapfile -t units < <(git ls-files '*.cpp' ':!tests/')
# GCC's precompiled headers are none for clang, which includes them as they are.
printf '%s\n' "${units[@]}" | xargs -P "$(build_jobs)" -n 4 clang-tidy-19 -p build/lint --quiet --extra-arg=-Wno-ignored-gch
