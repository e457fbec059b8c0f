#!/usr/bin/env bash
# scripts/mutations.sh [--only NAME] [--max-seeds N] [--jobs N] [--markdown]: does the simulator notice what is planted? Builds
# the preset `mutations` (epione-sim and nothing else), switches one fault of runtime/mutation.hpp on after the other, and runs
# seeds, 1 node and 3 nodes in turn, until one fails, at most N (200) of them; the seed that caught it must pass without it.
# Prints a table at the end, with --markdown as docs/reliability.md has it. --only may be given several times; --no-build takes
# what is built. Exit code 4 when one was not caught.
. "$(dirname "$0")/lib.sh"

only=() max_seeds=200 jobs=2 markdown=false with_build=true
while [ $# -gt 0 ]; do
  case $1 in
    --only) only+=("${2:?--only NAME}") && shift ;;
    --max-seeds) max_seeds=${2:?--max-seeds N} && shift ;;
    --jobs) jobs=${2:?--jobs N} && shift ;;
    --markdown) markdown=true ;;
    --no-build) with_build=false ;;
    *) echo "usage: scripts/mutations.sh [--only NAME]... [--max-seeds N] [--jobs N] [--markdown] [--no-build]" >&2 && exit 2 ;;
  esac
  shift
done

cd "$epione_root"
if [ "$with_build" = true ]; then
  ensure_packages
  say "building mutations"
  build mutations epione-sim
fi
export simulator=build/mutations/epione-sim results=build/mutations/results max_seeds
mkdir -p "$results"
mapfile -t all < <("$simulator" --mutations | awk '{ print $1 }')
((${#all[@]} > 0)) || die "$simulator lists no mutations; run this without --no-build"
for name in "${only[@]}"; do
  printf '%s\n' "${all[@]}" | grep -q -x -F -e "$name" || die "there is no mutation '$name'; $simulator --mutations lists them"
done
[ ${#only[@]} -gt 0 ] || only=("${all[@]}")

# look_for NAME: runs seeds until one fails; leaves "seed<TAB>nodes<TAB>seeds run<TAB>what was said" in $results/NAME.
look_for() {
  local name=$1 seed nodes log=$results/$1.log said
  for ((seed = 1; seed <= max_seeds; ++seed)); do
    nodes=$((seed % 2 == 1 ? 1 : 3))
    # A range of one, because it runs in a process of its own: some faults end it, and some make it run for ever.
    "$simulator" --seeds "$seed..$seed" --nodes "$nodes" --mutation "$name" >"$log" 2>&1 && continue
    said=$(awk 'found { sub(/^ +/, ""); print; exit } /^seed [0-9]+ FAILED/ { found = 1 }' "$log")
    "$simulator" --seeds "$seed..$seed" --nodes "$nodes" >/dev/null 2>&1 || said="NOT CAUGHT: the seed fails without it as well"
    printf '%s\t%s\t%s\t%s\n' "$seed" "$nodes" "$seed" "${said:-$(tail -n 1 "$log")}" >"$results/$name"
    echo "$name: seed $seed --nodes $nodes: $said" >&2
    return 0
  done
  printf -- '-\t-\t%s\tNOT CAUGHT\n' "$max_seeds" >"$results/$name"
  echo "$name: not caught by $max_seeds seeds" >&2
}
export -f look_for

for name in "${only[@]}"; do rm -f "$results/$name"; done
printf '%s\n' "${only[@]}" | xargs -P "$jobs" -I NAME bash -c 'look_for NAME' || true # whose run was broken off is said below

if [ "$markdown" = true ]; then
  echo "| planted | what it breaks | seeds it took | caught by | what the checker said |"
  echo "| --- | --- | --- | --- | --- |"
  row='| `%s` | %s | %s | `--seed %s --nodes %s` | %s |\n'
else
  row='%-28s %s\n   after %s seeds, by --seed %s --nodes %s: %s\n'
fi
caught=0 missed=0
for name in "${only[@]}"; do
  seed=- nodes=- run=- said=
  IFS=$'\t' read -r seed nodes run said <"$results/$name" || said="NOT CAUGHT: its run was broken off"
  case $said in "NOT CAUGHT"*) missed=$((missed + 1)) ;; *) caught=$((caught + 1)) ;; esac
  # shellcheck disable=SC2059 # one of the two formats above
  printf "$row" "$name" "$("$simulator" --mutations | sed -n "s/^$name  *//p")" "$run" "$seed" "$nodes" "$said"
done
say "$caught caught, $missed not"
[ "$missed" -eq 0 ] || exit 4
