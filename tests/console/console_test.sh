#!/usr/bin/env bash
# The console as a script and as a person at a terminal use it: commands by -e and standard input, exit codes, then a terminal of 80
# columns with completion, history, watch, tail, Ctrl-C, Ctrl-D and signals. What the screen shows is checked.
#   console_test.sh PATH_OF_EPIONE
# With CONSOLE_SCREENS=DIR every screen is kept there.
. "$(dirname "$0")/../unit/scripts/program.sh"

export XDG_STATE_HOME=$scratch/state LC_ALL=C.UTF-8
history=$XDG_STATE_HOME/epione/console_history
use_terminal() {
  server=$1
  terminal="tmux -L $server -f /dev/null"
}
use_terminal "epione-console-$$"
end_terminal() { [ ! -S "${TMUX_TMPDIR:-/tmp}/tmux-$(id -u)/$server" ] || $terminal kill-server 2>/dev/null || true; }
full=
helpers=()
trap 'end_terminal; kill -9 ${full:-} ${helpers[@]+"${helpers[@]}"} 2>/dev/null || true; cleanup' EXIT

console() { "$epione" console --data-dir "$data" "$@"; }

echo "without a node it says so, and ends with 3"
mkdir -p "$data"
expect 3 console -e actors
says "no node runs on $data"
expect 3 console </dev/null -e version -e version
says_times 1 "no node runs"

# A web service that refuses every message for good, so that notices become dead letters.
perl -MIO::Socket::INET -e '
  $| = 1;
  my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 9) or die "cannot listen: $@";
  print $server->sockport, "\n";
  while (my $phone = $server->accept) {
    my ($line, $bytes, $body) = ("", 0, "");
    while (defined($line = <$phone>) && $line =~ /\S/) { $bytes = $1 if $line =~ /^content-length: *(\d+)/i }
    read $phone, $body, $bytes;
    print $phone "HTTP/1.1 422 Unprocessable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    close $phone;
  }' >"$scratch/service" &
helpers+=($!) && disown
wait_for 30 grep -q . "$scratch/service"
cat >"$scratch/doctor.toml" <<TOML
[channels.doctor]
kind = "webhook"
url = "http://127.0.0.1:$(cat "$scratch/service")/"
template = '{"receipt": "{receipt}"}'
tls = "none"
refused_tries = 1
TOML

start --demo --shards-count 2 --config "$scratch/doctor.toml"
submit 202 42 first "$(phq9 3)"

echo "commands of a script: answers, exit codes, JSON"
expect 0 console -e version -e "sessions"
says '^Epione .* 2 shards in '
says '1 session'
expect 2 console -e frobnicate -e version
says 'no command "frobnicate"'
says '^Epione '
expect 1 console -e "status nobody"
expect 2 console -e "watch actors"
expect 2 console --frobnicate
expect 0 console --json -e actors -e shards
[ "$(wc -l <"$scratch/last")" = 2 ] || fail "two answers are not two lines"
says '"name":"region 1","supervisor":"shard 1"'
expect 0 bash -c "printf '# a comment\n\nversion\nexit\nfrobnicate\n' | '$epione' console --data-dir '$data'"
expect 2 bash -c "printf 'frobnicate\nversion\n' | '$epione' console --data-dir '$data'"
says '^Epione '
[ ! -e "$history" ] || fail "what a script asks is in the history"

echo "notices that were given up are shown, sent again, and dropped for a reason"
given_up() { console --json -e dead-letters >"$scratch/last" && grep -q '"key"' "$scratch/last"; }
wait_for 30 given_up
says '"subject":"42",.*"channel":"doctor","recipient":"investigators"'
letter=$(sed 's/.*"key":"\([^"]*\)".*/\1/' "$scratch/last")
expect 0 console -e notices -e dead-letters
says '^OUTBOX  *PENDING'
says '^outbox 2  '
says '^CHANNEL  *WAITING'
says '^notifier doctor  '
says '^notifier log  '
says "^$letter  .*  doctor  "
expect 0 console --json -e notices
says '{"outboxes":\[{"name":"outbox 1",.*"channels":\[{"name":"notifier doctor",'
expect 0 console -e "dead-letters retry $letter because the service was mended"
says '^1 dead letter is sent again$'
wait_for 30 given_up
expect 2 console -e "dead-letters drop $letter"
says "dead-letters drop $letter because WHY"
expect 2 console -e "dead-letters drop all because nobody reads them"
expect 0 console -e "dead-letters drop $letter because she was told by telephone" -e dead-letters
says '^1 dead letter is dropped; nobody will be told$'
says '^no dead letters$'
expect 1 console -e "dead-letters retry all" -e "dead-letters retry $letter"
says '^0 dead letters are sent again$'
says "there is no dead letter $letter"

echo "what is changed is recorded under the user's own name"
expect 0 console -e "restart reader 0 because a test wants it"
says 'reader 0 runs again, after'
expect 0 console -e "kill store 1"
expect 0 console -e "log-level debug" -e "log-level" -e "log-level info"
says '^debug$'
seen() { console --json -e "tail events last 50" >"$scratch/last" && grep -q console.log-level "$scratch/last"; }
wait_for 10 seen
says "\"who\":\"os:$(id -un)\",\"role\":\"operator\",\"action\":\"console.restart\",\"entity\":\"reader 0\",\"reason\":\"a test wants it\""
says '"action":"console.kill","entity":"store 1"'
says "\"who\":\"os:$(id -un)\",\"role\":\"operator\",\"action\":\"notice.retry\",\"entity\":\"notices\",\"reason\":\"the service was mended\""
says '"action":"notice.drop","entity":"notices","reason":"she was told by telephone"'
says '"action":"submission.create"'
! grep -q 'LA65\|"q1"\|"answers"' "$scratch/last" || fail "answers are shown"
expect 0 "$epione" audit verify --data-dir "$data"
submit 202 42 second "$(phq9 0)"

echo "a node that does not become ready can be looked into, and stopped"
served=$pid
: >"$scratch/out"
perl -MSocket -e '
  $| = 1;
  my ($socket, $text);
  socket($socket, AF_UNIX, SOCK_DGRAM, 0) && bind($socket, pack_sockaddr_un($ARGV[0])) or die "$ARGV[0]: $!";
  print "listening\n";
  while (defined recv($socket, $text, 4096, 0)) { $text =~ tr/\n/|/; print "$text\n" }' "$scratch/notify" >"$scratch/notified" &
helpers+=($!) && disown
wait_for 30 grep -q listening "$scratch/notified"
NOTIFY_SOCKET=$scratch/notify "$epione" serve --data-dir "$scratch/full" --http 127.0.0.1:0 \
  --storage-disk-reserve-bytes 1099511627776 >"$scratch/out" 2>>"$scratch/err" &
full=$!
wait_for 60 test -S "$scratch/full/admin.sock"
expect 0 "$epione" console --data-dir "$scratch/full" -e shards -e "actors node"
says 'journal'
expect 0 "$epione" console --data-dir "$scratch/full" -e "kill reader 0"
says 'not in the audit trail'
expect 0 "$epione" console --data-dir "$scratch/full" -e drain
code=0
wait "$full" || code=$?
[ "$code" = 0 ] || fail "a node that was never ready ended with $code after drain"
full=
[ ! -e "$scratch/full/node.json" ] || fail "a node that was never ready wrote node.json"
wait_for 10 grep -q '^STOPPING=1|STATUS=' "$scratch/notified" # whoever asked for it
[ "$pid" = "$served" ] || fail "the first node is gone"

if ! command -v tmux >/dev/null; then
  stop TERM 0
  echo "SKIPPED: tmux is not installed, so that nobody sat at the terminal"
  exit 77
fi

number=0
screen() { $terminal capture-pane -p -t console; }
keys() { $terminal send-keys -t console "$@"; }
type_line() { keys -l "$1" && keys Enter; }
shows() { screen | grep -q -e "$1"; }
# shown TEXT: waits until the screen shows it, and looks at the whole screen.
shown() {
  local left=200
  until shows "$1"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { screen >&2; fail "the screen does not show: $1"; }
    sleep 0.05
  done
  number=$((number + 1))
  [ -z "${CONSOLE_SCREENS:-}" ] || screen >"$(printf '%s/%02d.txt' "$CONSOLE_SCREENS" "$number")"
}
prompt='^epione@[^>]*>'
last_line() { screen | grep -v '^$' | tail -n 1; }

echo "a person at a terminal is greeted, and Tab completes"
$terminal new-session -d -s console -x 80 -y 24 "$epione console --data-dir $data; echo ended with \$?; cat"
shown "$prompt *$"
shown 'help lists the commands, Tab completes, Ctrl-D leaves'
keys -l "sha" && keys Tab
shown "$prompt shards"
keys Enter
shown 'SHARD  EPOCH  COMMITTED'
shown ' serving$'
keys -l "status st" && keys Tab
shown "$prompt status store"
keys Tab
shown 'store 0 *store 1 *store 2'
keys -l "1" && keys Enter
shown '^  *applied\|^applied'

echo "the arrow key brings back what was typed, Ctrl-C clears the line"
type_line "version"
shown '^Epione .* 2 shards in '
keys -l "help" && keys C-c
shown "$prompt help^C$"
keys Up && shown "$prompt version$"
keys Up && shown "$prompt status store 1"
keys C-c

echo "a mistake is told and does not end anything"
type_line "kill nobody"
shown 'there is no actor "nobody"'
type_line "frobnicate"
shown 'no command "frobnicate"'

echo "the help fits the screen's width"
type_line "help"
shown '^exit  '
widest=$(screen | awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }')
[ "$widest" -le 80 ] || fail "a line has $widest columns"
type_line "actors"
shown ' console '

echo "watch draws again until a key is pressed, and gives the screen back"
type_line "watch sessions"
shown ' sessions · .* any key ends'
clock() { screen | head -n 1 | grep -o '[0-9][0-9]:[0-9][0-9]:[0-9][0-9]' || true; }
first=$(clock)
moved() { now=$(clock) && [ -n "$now" ] && [ "$now" != "$first" ]; }
wait_for 10 moved
keys C-c
shown "$prompt watch sessions"
type_line "watch kill store 1"
shown 'watch takes a command that shows something'
type_line "watch dead-letters"
shown ' dead-letters · .* any key ends'
keys q
shown "$prompt watch dead-letters"

echo "tail shows what comes, without answers, until Ctrl-C"
type_line "tail events last 1"
shown 'TIME (UTC)'
submit 202 43 third "$(phq9 1)"
shown 'subject:43'
! shows '"q1"' || fail "answers are on the screen"
keys C-c
type_line "restart validator 0 because I may"
shown 'validator 0 runs again'

echo "Ctrl-D leaves; what was typed is remembered, for its owner alone"
keys C-d
shown 'ended with 0'
[ "$(stat -c %a "$history")" = 600 ] || fail "the history may be read by others"
grep -q 'because' "$history" || fail "the history does not hold what was typed"
end_terminal
use_terminal "epione-console-again-$$" # a server of its own: the first may still be on its way out
$terminal new-session -d -s console -x 80 -y 24 "$epione console --data-dir $data; echo ended with \$?; cat"
shown "$prompt *$"
keys Up && shown "$prompt restart validator 0 because I may$"
keys C-c

echo "a signal that ends watch or tail leaves the terminal as it was"
keys C-d
shown 'ended with 0'
end_terminal
# ended_by SIGNAL CODE COMMAND SHOWN: the console is ended while it follows something, and the terminal is looked at.
ended_by() {
  use_terminal "epione-console-$1-${3%% *}-$$"
  rm -f "$scratch/console.pid" "$scratch/modes"
  $terminal new-session -d -s console -x 80 -y 24 "
    sh -c 'echo \$\$ >$scratch/console.pid; exec $epione console --data-dir $data'
    echo ended with \$?; stty -a >$scratch/modes; cat"
  shown "$prompt *$"
  type_line "$3"
  shown "$4"
  kill "-$1" "$(cat "$scratch/console.pid")"
  shown "ended with $2"
  wait_for 10 grep -q echoe "$scratch/modes"
  for mode in isig icanon echo; do
    grep -q "\(^\| \)$mode\( \|;\|$\)" "$scratch/modes" || { cat "$scratch/modes" >&2; fail "after $1 the terminal has -$mode"; }
  done
  [ "$($terminal display-message -p -t console '#{alternate_on} #{cursor_flag}')" = "0 1" ] ||
    fail "after $1 the screen is not the one before, or has no cursor"
  end_terminal
}
ended_by TERM 143 "watch sessions" ' sessions · .* any key ends'
ended_by HUP 129 "watch sessions" ' sessions · .* any key ends'
ended_by TERM 143 "tail events last 1" 'TIME (UTC)'
use_terminal "epione-console-last-$$"
$terminal new-session -d -s console -x 80 -y 24 "$epione console --data-dir $data; echo ended with \$?; cat"
shown "$prompt *$"

echo "drain stops the node, and the console says that it is gone"
type_line "drain because the test is over"
shown 'takes nothing new, finishes what it accepted, and stops'
code=0
wait "$pid" || code=$?
pid=
[ "$code" = 0 ] || fail "after drain the node ended with $code"
type_line "version"
shown 'no node runs on'
type_line "exit"
shown 'ended with 0'
expect 0 "$epione" audit verify --data-dir "$data"
! grep -v '^{.*}$' "$scratch/err" || fail "standard error is not one JSON object a line"
case $(cat "$scratch/err") in *'"q1"'*) fail "answers are in the log" ;; esac
echo "ok"
