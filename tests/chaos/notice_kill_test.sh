#!/bin/bash
# Kills a node with SIGKILL at random moments under full load while its mail server and its web service fail in every way, and
# proves that every alert's notice has reached both of them in the end.
#
#   tests/chaos/notice_kill_test.sh [--build DIR] [--rounds 50] [--connections 128] [--alerts 5%] [--seed N] [--directory DIR]
#                                   [--keep]
#
# In each round both receivers refuse, are closed or busy, hang, cut the connection before or after they have taken a message, or
# work. They write down the key of each notice before they acknowledge it. At the end they work, an operator has the dead letters
# sent again, and the keys they have are compared with the alerts that an export of the whole study lists. Loopback only; needs
# nothing but bash and the built tree.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh

build=build/release
rounds=50
connections=128
alerts=5%
seed=$$
directory=
acknowledged_min=300    # before the kill, or the round does not count
invalid_max=10          # in a row; then this machine cannot carry the load
settle_limit_ms=900000  # for everything that waits to be sent
faults=(none none refuse closed busy hang cut cut_after)

take_options "build rounds connections alerts seed directory" "$@"
epione=$build/epione
[[ -x $epione && -x $build/tests/chaos/receiver ]] ||
  fail "$build has no epione and no tests/chaos/receiver; scripts/build.sh makes them"
RANDOM=$seed

make_work_directory "$directory"
echo "Notice kill test: $rounds rounds, $connections connections, $alerts alerts, seed $seed, data in $work"

receiver_pid=
end_receiver() {
  [[ -z $receiver_pid ]] || kill -KILL "$receiver_pid" 2>/dev/null
  end_all
}
trap end_receiver EXIT

set_fault() { # the file is never seen half written
  echo "$1" >"$work/fault.new" && mv "$work/fault.new" "$work/fault"
}
set_fault none
"$build/tests/chaos/receiver" --ledger "$work/received" --faults "$work/fault" >"$work/receiver.out" 2>"$work/receiver.err" &
receiver_pid=$!
limit=$(($(now_ms) + 10000))
until grep -q '^smtp [0-9]* http [0-9]*' "$work/receiver.out"; do
  (($(now_ms) < limit)) || fail "the receiver does not listen, after 10 s; see $work/receiver.err"
  sleep 0.01
done
read -r _ smtp_port _ http_port <"$work/receiver.out"

cat >"$work/epione.toml" <<END
[channels.doctor]
kind = "webhook"
url = "http://127.0.0.1:$http_port/notices"
template = '{"title":"{title}","notices":"{notices}"}'
tls = "none"
rate = "1000/s"
timeout_ms = 500
retry_ms = 100
retry_ms_max = 1000
breaker_open_ms = 300

[channels.mail]
kind = "smtp"
url = "smtp://127.0.0.1:$smtp_port"
from = "epione@example.org"
tls = "none"
rate = "1000/s"
timeout_ms = 500
retry_ms = 100
retry_ms_max = 1000
breaker_open_ms = 300
END

# The demo study, its alerts sent by mail as well.
cp -r examples/demo "$work/study"
sed -i -e 's/^channels = \["doctor"\]/channels = ["doctor", "mail"]/' \
  -e 's/^role = "investigator"$/&\naddresses = { doctor = "on-call", mail = "doctor@example.org" }/;ta;b;:a' \
  "$work/study/study.toml"
awk '/^\[\[routes\]\]/ { route = 1 } !(route && /^addresses/)' "$work/study/study.toml" >"$work/study/new" &&
  mv "$work/study/new" "$work/study/study.toml"

start_node() {
  "$epione" serve --data-dir "$work/data" --http 127.0.0.1:0 --config "$work/epione.toml" >>"$work/node.out" 2>>"$work/node.err" &
  node_pid=$!
}
start_node
wait_until_ready
limited "$command_limit_s" "study import" "$epione" study import "$work/study" --data-dir "$work/data" >/dev/null ||
  fail "the study cannot be imported"

fault=none
delay=0
draw_round() {
  between fault 0 $((${#faults[@]} - 1))
  fault=${faults[fault]}
  between delay 0 1500
}

round=0
attempt=0
invalid=0
total=0
while ((round < rounds)); do
  attempt=$((attempt + 1))
  ((invalid > 0)) || draw_round # a round that is repeated is the same again
  set_fault "$fault"
  rm -f "$work/round.ledger"
  "$epione" bench submit --data-dir "$work/data" --connections "$connections" --duration 1h --subjects 100000 --alerts "$alerts" \
    --seed $((seed * 1000 + attempt)) --ledger "$work/round.ledger" >"$work/load.out" 2>"$work/load.err" &
  load_pid=$!
  limit=$(($(now_ms) + 30000))
  until (($(ledger_records "$work/round.ledger") >= acknowledged_min)) || (($(now_ms) >= limit)); do
    kill -0 "$node_pid" 2>/dev/null || fail "the node ended under load; see $work/node.err"
    sleep 0.01
  done
  if (($(ledger_records "$work/round.ledger") >= acknowledged_min)); then
    invalid=0
    round=$((round + 1))
    pause_ms "$delay"
    kill_node
    start_node
    wait_until_ready
    pause_ms 300 # what had no answer is asked for again
    echo "round $round: receivers: $fault; killed"
  else
    invalid=$((invalid + 1))
    echo "round $((round + 1)): too little load, repeated"
    ((invalid < invalid_max)) || fail "$invalid_max rounds in a row had too little load"
  fi
  stop_load
  total=$((total + $(row "$work/load.out" acknowledged)))
done

set_fault none
address=$(sed 's/.*"http":"\([^"]*\)".*/\1/' "$work/data/node.json")
metric() { # its sum over all shards, over loopback; fails when there is none
  local host=${address#http://} code=0
  exec 3<>"/dev/tcp/${host%:*}/${host##*:}" || return 1
  printf 'GET /metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$host" >&3
  # shellcheck disable=SC2016
  timeout --foreground 30 awk -v name="$1" 'index($0, name "{") == 1 || index($0, name " ") == 1 { sum += $NF; ++n }
    END { printf "%d\n", sum; exit n == 0 }' <&3 || code=$?
  exec 3<&-
  return "$code"
}
look() {
  pending=$(metric epione_notices_pending) || fail "the node's metrics cannot be read"
  dead=$(metric epione_dead_letters) || fail "the node's metrics cannot be read"
}
limit=$(($(now_ms) + settle_limit_ms))
retried=0
while :; do
  look
  if ((pending == 0 && dead == 0)); then
    sleep 1.5 # the newest may not be applied yet
    look
    ((pending == 0 && dead == 0)) && break
  fi
  if ((pending == 0 && dead > 0)); then
    limited "$command_limit_s" console "$epione" console --data-dir "$work/data" -e "dead-letters retry all" \
      >"$work/console.out" 2>&1 || {
      cat "$work/console.out" >&2
      fail "the dead letters cannot be sent again"
    }
    retried=$((retried + dead))
  fi
  (($(now_ms) < limit)) || fail "$pending notices still pend and $dead are dead after $((settle_limit_ms / 1000)) s"
  sleep 1
done

limited "$reading_limit_s" export "$epione" export --study demo --format ndjson --data-dir "$work/data" \
  --output "$work/export.ndjson" 2>"$work/export.err" || fail "the export failed: $(tail -n 1 "$work/export.err")"
# Each alert's notice by both ways, named as receivers know it: SHARD-SEQ-RULE-CHANNEL-RECIPIENT, hyphens of names as %2D.
awk '
  {
    match($0, /"shard":[0-9]+,"seq":[0-9]+/)
    split(substr($0, RSTART, RLENGTH), place, /[:,]/)
    rest = substr($0, index($0, "\"alerts\":["))
    while (match(rest, /"rule":"[^"]*"/)) {
      rule = substr(rest, RSTART + 8, RLENGTH - 9)
      gsub(/-/, "%2D", rule)
      print "http " place[2] "-" place[4] "-" rule "-doctor-investigators"
      print "smtp " place[2] "-" place[4] "-" rule "-mail-investigators"
      rest = substr(rest, RSTART + RLENGTH)
    }
  }' "$work/export.ndjson" | LC_ALL=C sort >"$work/expected"
LC_ALL=C sort -u "$work/received" >"$work/received.once"
LC_ALL=C comm -23 "$work/expected" "$work/received.once" >"$work/missing"
LC_ALL=C comm -13 "$work/expected" "$work/received.once" >"$work/unasked"
expected=$(wc -l <"$work/expected")
times=$(wc -l <"$work/received")
[[ ! -s $work/missing ]] ||
  fail "$(wc -l <"$work/missing") of $expected notices never came, the first is $(head -n 1 "$work/missing")"
[[ ! -s $work/unasked ]] ||
  fail "$(wc -l <"$work/unasked") came that no alert asks for, the first is $(head -n 1 "$work/unasked")"
((expected > rounds)) || fail "only $expected notices were expected: too little to prove anything"
stop_node
audit
passed=1
echo "PASSED: faults: $rounds killed, $((attempt - round)) rounds repeated for too little load; acknowledged:" \
  "$(grouped "$total"), before a kill at least $acknowledged_min; notices: $(grouped "$expected"), missing:" \
  "$(wc -l <"$work/missing"), received again: $((times - expected)), sent again as dead letters: $(grouped "$retried")"
