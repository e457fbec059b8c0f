#!/bin/bash
# The faults of a test on a cluster follow from its seed: twice the same list for the same, another one for another. Starts no
# node.
#
#   tests/chaos/plan_test.sh
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh

plan() { # TEST SEED
  "tests/chaos/$1.sh" --plan --seed "$2" || fail "$1 has no plan"
}

for test in cluster_fault_test failover_test rolling_test; do
  first=$(plan $test 1)
  [[ -n $first && $first == "$(plan $test 1)" ]] || fail "$test: the same seed gave another list of faults"
  [[ $first != "$(plan $test 2)" ]] || fail "$test: two seeds gave the same list of faults"
done
# A card of each kind before one comes again.
kinds=$(tests/chaos/cluster_fault_test.sh --plan --seed 1 --faults 3 --kinds "killed frozen replaced" | cut -d ' ' -f 4 |
  sort -u | wc -l)
((kinds == 3)) || fail "$kinds of 3 kinds were dealt to 3 faults"
echo PASSED
