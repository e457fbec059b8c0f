#!/usr/bin/env bash
# The built program's HTTP answers as a phone gets them: status, body and header of each, and that no answer reaches the log.
#   program_http_test.sh PATH_OF_EPIONE
. "$(dirname "$0")/program.sh"

# What a patient writes where it does not belong must not be in any log.
marker="private-$RANDOM-$RANDOM"

start --demo --log-level debug
json='Content-Type: application/json'

echo "stored, repeated, contradicted"
submit 202 7 "k $marker" "$(phq9 0)"
says '"status":"stored"'
says '"value":8,"label":"mild"'
receipt=$(grep -o '"receipt":"[0-9a-f]*"' "$scratch/last")
submit 200 7 "k $marker" "$(phq9 0)"
says "$receipt"
submit 409 7 "k $marker" "$(phq9 3)"
says '"error":'
says "$receipt"
http 200 "$address/patient/7/submissions/$(cut -d'"' -f4 <<<"$receipt")"
says '"q9":"LA6568-5"'

echo "every problem is listed, with what would have been accepted"
submit 422 8 k '{"form":"phq-9","answers":{"q2":9,"q3":"'"$marker"'","q4":1,"q5":1,"q6":1,"q7":1,"q8":1,"q9":0,"q77":1}}'
says_times 4 '"linkId":'
for item in q1 q2 q3 q77; do says "\"linkId\":\"$item\""; done
says '"code":"required"'
says '"allowed":\[.*LA6571-9'
if grep -q "$marker" "$scratch/last"; then fail "a refusal repeats an answer"; fi
http 200 "$address/patient/8"
says '"submissions":\[\]'

echo "what is not understood or not known"
http 400 "$address/patient/data" -H "$json" -d "{\"data\":$(phq9 0)}"
says '^{"error":"patientId is required"}'
submit 400 0 k "$(phq9 0)"
says '^{"error":"patientId is required"}'
http 400 "$address/patient/data" -H "$json" -d '{"patientId":7,'
says '"error":".*line 1'
http 400 "$address/patient/data" -H "$json" -H 'Idempotency-Key: a' -d "{\"patientId\":7,\"key\":\"b\",\"data\":$(phq9 0)}"
submit 404 1000001 k "$(phq9 0)"
says 'unknown subject'
http 404 "$address/patient/data" -H "$json" -d "{\"patientId\":7,\"study\":\"none\",\"key\":\"k\",\"data\":$(phq9 0)}"
says 'unknown study'
http 404 "$address/patient/1000001"
http 404 "$address/patient/7?study=none"
http 404 "$address/nowhere"
http 405 -X DELETE "$address/patient/7"
header 'Allow: GET'
http 415 "$address/patient/data" -H 'Content-Type: text/plain' -d "$marker"
head -c 300000 /dev/zero | tr '\0' ' ' >"$scratch/large"
http 413 "$address/patient/data" -H "$json" --data-binary "@$scratch/large"

echo "msgpack means the same as JSON"
# {"patientId": 7, "key": ..., "data": "..."}, where data is a string that holds JSON
form=$(phq9 0)
{
  printf '\x83\xa9patientId\x07\xa3key\xd9'
  printf "\\x$(printf %02x $((${#marker} + 2)))"
  printf 'k %s\xa4data\xd9' "$marker"
  printf "\\x$(printf %02x ${#form})"
  printf '%s' "$form"
} >"$scratch/packed"
http 200 "$address/patient/data" -H 'Content-Type: application/msgpack' --data-binary "@$scratch/packed"
says "$receipt"
http 400 "$address/patient/data" -H 'Content-Type: application/msgpack' --data-binary "$form"

stop TERM 0

echo "what was answered is not in the log, in debug level either"
grep -q '"level":"debug"' "$scratch/err" || fail "the log has no debug lines"
for text in "$marker" '"q1"' LA6568 LA6571; do
  if grep -n -e "$text" "$scratch/err" >&2; then fail "the log holds $text"; fi
done

echo "not now: with Retry-After, and what became of it"
data=$scratch/small
export EPIONE_SHARDS_COUNT=1 EPIONE_ADMISSION_STORE_LAG_MAX=16 EPIONE_STORAGE_APPLY_DELAY_MS=60000 EPIONE_HTTP_RETRY_AFTER_S=7
start --demo
for patient in $(seq 16); do submit 202 "$patient" k "$(phq9 0)"; done
submit 503 17 k "$(phq9 0)"
says '"outcome":"not_stored"'
header 'Retry-After: 7'
submit 200 16 k "$(phq9 0)"
http 200 "$address/patient/16" # a read has the store catch up
submit 202 17 k "$(phq9 0)"
stop TERM 0

echo "ok"
