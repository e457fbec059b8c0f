#include "runtime/http/openapi.hpp"

namespace epione::runtime::http {

std::string_view openapi_text() {
  // clang-format off
  return R"json({
 "openapi": "3.0.3",
 "info": {
  "title": "Epione",
  "version": ")json" EPIONE_VERSION R"json(",
  "description": "Submissions of patients' answers and what was stored of them. Every GET answers HEAD as well. HTTP stays on loopback until sign-in exists.",
  "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}},
 "paths": {
  "/patient/data": {
   "post": {
    "operationId": "submit",
    "summary": "Submit one questionnaire",
    "description": "Answered with 202 only once the submission is durable. A retry under the same key is safe at any time: it is answered with 200 and the first receipt.",
    "parameters": [
     {
      "name": "Idempotency-Key",
      "in": "header",
      "required": false,
      "description": "The same as the member key; a quoted string (RFC 8941) or plain text. Both given and different: 400.",
      "schema": {"type": "string", "minLength": 1, "maxLength": 200}}],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {"$ref": "#/components/schemas/submission"},
       "example": {
        "patientId": 42,
        "key": "3f0e9c1a-5b7d-4e2f-9a8b-000000000001",
        "data": {
         "form": "phq-9",
         "authored": "2024-03-01T08:30:00+01:00",
         "answers": {"q1": 1, "q2": 0, "q3": 2, "q4": 1, "q5": 0, "q6": 1, "q7": 2, "q8": 1, "q9": 0}}}},
      "application/msgpack": {"schema": {"$ref": "#/components/schemas/submission"}}}},
    "responses": {
     "200": {
      "description": "Stored before under this key with the same content: the first receipt again.",
      "content": {
       "application/json": {
        "schema": {"$ref": "#/components/schemas/stored"},
        "example": {
         "message": "stored before under this key",
         "receipt": "6f1d3c0a9b7e4d52a1c8f0e2b4d69788",
         "status": "stored",
         "scores": [{"name": "total", "value": 8, "label": "mild"}]}}}},
     "202": {
      "description": "Durable now.",
      "content": {
       "application/json": {
        "schema": {"$ref": "#/components/schemas/stored"},
        "example": {
         "message": "stored",
         "receipt": "6f1d3c0a9b7e4d52a1c8f0e2b4d69788",
         "status": "stored",
         "scores": [{"name": "total", "value": 8, "label": "mild"}]}}}},
     "400": {"$ref": "#/components/responses/bad_request"},
     "404": {"$ref": "#/components/responses/not_found"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "409": {
      "description": "The key was used before with other content; nothing was stored.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/conflict"}}}},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/media_type"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "422": {
      "description": "The answers do not fit the form; every problem is listed, nothing was stored. Or: these answers stopped their checker repeatedly and were set aside (code set-aside).",
      "content": {
       "application/json": {
        "schema": {"$ref": "#/components/schemas/problems"},
        "example": {
         "error": "the answers do not fit the form; nothing was stored",
         "problems": [{"linkId": "q9", "code": "required", "message": "an answer is required", "allowed": []}]}}}},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/failed"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/submission_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/patient/{id}": {
   "get": {
    "operationId": "history",
    "summary": "A patient's submissions, newest first",
    "description": "Shows everything that was acknowledged before the request was sent, through whichever node it is asked. Where that cannot be promised just now the answer is 503. With after it also waits for a submission that is on its way.",
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "description": "patientId as text, percent-encoded.",
      "schema": {"type": "string", "minLength": 1, "maxLength": 128}},
     {
      "name": "study",
      "in": "query",
      "required": false,
      "description": "Study's id; may be left out while only one loaded study has this patient.",
      "schema": {"type": "string", "maxLength": 128}},
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "description": "How many at most: 20 when left out, and no more than the node's http.read_limit_max, 200 by default.",
      "schema": {"type": "integer", "minimum": 1, "maximum": 1000}},
     {
      "name": "before",
      "in": "query",
      "required": false,
      "description": "The next of an earlier answer.",
      "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"}},
     {
      "name": "after",
      "in": "query",
      "required": false,
      "description": "Receipt of one of the patient's submissions that the answer is not to be older than. While that submission is on its way the request waits for it, up to http.request_limit_ms (then 503); when the patient has none with this receipt the answer is 404.",
      "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}],
    "responses": {
     "200": {
      "description": "One page.",
      "content": {
       "application/json": {
        "schema": {"$ref": "#/components/schemas/history"},
        "example": {
         "patientId": "42",
         "site": "S42",
         "submissions": [
          {
           "receipt": "6f1d3c0a9b7e4d52a1c8f0e2b4d69788",
           "form": "phq-9",
           "version": "1.0",
           "authored": "2024-03-01T08:30:00+01:00",
           "stored": "2024-03-01T07:30:02.118Z",
           "scores": [{"name": "total", "value": 8, "label": "mild"}],
           "alerts": []}],
         "next": null}}}},
     "400": {"$ref": "#/components/responses/bad_request"},
     "404": {"$ref": "#/components/responses/not_found"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/failed"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/patient/{id}/submissions/{receipt}": {
   "get": {
    "operationId": "submission",
    "summary": "One submission with its answers",
    "description": "Found when it was acknowledged before the request was sent, through whichever node it is asked. Where that cannot be promised just now the answer is 503.",
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "description": "patientId as text, percent-encoded.",
      "schema": {"type": "string", "minLength": 1, "maxLength": 128}},
     {"name": "receipt", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/receipt"}},
     {
      "name": "study",
      "in": "query",
      "required": false,
      "description": "Study's id; may be left out while only one loaded study has this patient.",
      "schema": {"type": "string", "maxLength": 128}}],
    "responses": {
     "200": {
      "description": "The submission.",
      "content": {
       "application/json": {
        "schema": {"$ref": "#/components/schemas/submission_with_answers"},
        "example": {
         "receipt": "6f1d3c0a9b7e4d52a1c8f0e2b4d69788",
         "form": "phq-9",
         "version": "1.0",
         "authored": "2024-03-01T08:30:00+01:00",
         "stored": "2024-03-01T07:30:02.118Z",
         "scores": [{"name": "total", "value": 8, "label": "mild"}],
         "alerts": [],
         "answers": {"q1": 1, "q2": 0, "q3": 2, "q4": 1, "q5": 0, "q6": 1, "q7": 2, "q8": 1, "q9": 0}}}}},
     "400": {"$ref": "#/components/responses/bad_request"},
     "404": {"$ref": "#/components/responses/not_found"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/failed"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/healthz": {
   "get": {
    "operationId": "healthz",
    "summary": "Whether the process is alive",
    "responses": {
     "200": {
      "description": "Alive.",
      "content": {
       "application/json": {
        "schema": {"type": "object", "required": ["status"], "properties": {"status": {"type": "string", "enum": ["alive"]}}}}}},
     "400": {"$ref": "#/components/responses/bad_request"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/readyz": {
   "get": {
    "operationId": "readyz",
    "summary": "Whether this node may serve",
    "responses": {
     "200": {
      "description": "It may.",
      "content": {
       "application/json": {"schema": {"$ref": "#/components/schemas/readiness"}, "example": {"status": "ready", "reasons": []}}}},
     "400": {"$ref": "#/components/responses/bad_request"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {
      "description": "It may not, and why.",
      "content": {
       "application/json": {
        "schema": {"$ref": "#/components/schemas/readiness"},
        "example": {"status": "not ready", "reasons": [{"part": "shard 3", "reason": "waits for its store"}]}}}},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/metrics": {
   "get": {
    "operationId": "metrics",
    "summary": "Metrics in Prometheus' text format 0.0.4",
    "responses": {
     "200": {"description": "All metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}},
     "400": {"$ref": "#/components/responses/bad_request"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/openapi.json": {
   "get": {
    "operationId": "openapi",
    "summary": "This description",
    "responses": {
     "200": {"description": "OpenAPI 3.0.3.", "content": {"application/json": {"schema": {"type": "object"}}}},
     "400": {"$ref": "#/components/responses/bad_request"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
)json" R"json(  "/fhir/metadata": {
   "get": {
    "operationId": "fhir_metadata",
    "summary": "CapabilityStatement: what of FHIR R4 is there",
    "responses": {
     "200": {"description": "The CapabilityStatement.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir": {
   "post": {
    "operationId": "fhir_bundle",
    "summary": "A Bundle of type batch or transaction",
    "description": "A transaction is of one patient and stored as a whole or not at all.",
    "parameters": [
     {"name": "Prefer", "in": "header", "required": false, "description": "return=representation (if left out), minimal or OperationOutcome.", "schema": {"type": "string"}},
     {"name": "X-Provenance", "in": "header", "required": false, "description": "A Provenance as JSON: reason[0] says why, agent[0] who. An amendment without a reason is refused.", "schema": {"type": "string"}},
     {"name": "Idempotency-Key", "in": "header", "required": false, "description": "Names the whole Bundle; each new response in it is stored once.", "schema": {"type": "string"}}],
    "requestBody": {"required": true, "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
    "responses": {
     "200": {"description": "A Bundle with a response for each entry.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "405": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "409": {"$ref": "#/components/responses/outcome"},
     "412": {"$ref": "#/components/responses/outcome"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "422": {"$ref": "#/components/responses/outcome"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/QuestionnaireResponse": {
   "get": {
    "operationId": "fhir_response_search",
    "summary": "Search stored responses, newest first",
    "description": "Shows everything that was acknowledged before the request was sent, through whichever node it is asked. Where that cannot be promised just now the answer is 503.",
    "parameters": [
     {"name": "_summary", "in": "query", "required": false, "description": "true, text or data: that part of each resource, tagged SUBSETTED; count: the total and no entries; false: all.", "schema": {"type": "string"}},
     {"name": "_elements", "in": "query", "required": false, "description": "Names of elements at the top of the resource, with commas between: these and what must be there, tagged SUBSETTED.", "schema": {"type": "string"}},
     {"name": "Prefer", "in": "header", "required": false, "description": "handling=strict: any parameter that is not known is refused; lenient: it is left out of account. If left out, those that say what is looked for are refused, and those that say how the answer looks (_sort, _include, ...) left out.", "schema": {"type": "string"}},
     {"name": "_id", "in": "query", "required": false, "description": "The receipt, or several with commas between, as many as a page has and 100 at most.", "schema": {"type": "string"}},
     {"name": "identifier", "in": "query", "required": false, "description": "SYSTEM|VALUE.", "schema": {"type": "string"}},
     {"name": "subject", "in": "query", "required": false, "description": "Patient/ID.", "schema": {"type": "string"}},
     {"name": "patient", "in": "query", "required": false, "description": "Patient/ID or ID.", "schema": {"type": "string"}},
     {"name": "questionnaire", "in": "query", "required": false, "description": "URL, URL|VERSION or the form's id.", "schema": {"type": "string"}},
     {"name": "authored", "in": "query", "required": false, "description": "A date or dateTime with a prefix: eq, ne, lt, gt, le, ge, sa, eb.", "schema": {"type": "string"}},
     {"name": "status", "in": "query", "required": false, "description": "Status of the response.", "schema": {"type": "string"}},
     {"name": "_count", "in": "query", "required": false, "description": "Entries a page; of more than the node's http.read_limit_max as many as that; 20 if left out; 0: the total and no entries.", "schema": {"type": "string"}},
     {"name": "_cursor", "in": "query", "required": false, "description": "Of the link next of the page before.", "schema": {"type": "string"}},
     {"name": "study", "in": "query", "required": false, "description": "Study's id; may be left out while only one loaded study has this patient.", "schema": {"type": "string"}}],
    "responses": {
     "200": {"description": "A Bundle of type searchset; its link next leads on.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}},
   "post": {
    "operationId": "fhir_response_create",
    "summary": "Store a response",
    "description": "Answered with 201 only once the response is durable.",
    "parameters": [
     {"name": "Idempotency-Key", "in": "header", "required": false, "description": "As for POST /patient/data.", "schema": {"type": "string"}},
     {"name": "If-None-Exist", "in": "header", "required": false, "description": "identifier=SYSTEM|VALUE of the response itself.", "schema": {"type": "string"}},
     {"name": "Prefer", "in": "header", "required": false, "description": "return=representation (if left out), minimal or OperationOutcome.", "schema": {"type": "string"}},
     {"name": "study", "in": "query", "required": false, "description": "Study's id; may be left out while only one loaded study has this patient.", "schema": {"type": "string"}}],
    "requestBody": {"required": true, "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
    "responses": {
     "200": {"description": "Stored before under this key or identifier with the same content.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "201": {"description": "Durable now.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "409": {"$ref": "#/components/responses/outcome"},
     "412": {"$ref": "#/components/responses/outcome"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "422": {"$ref": "#/components/responses/outcome"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/QuestionnaireResponse/$validate": {
   "post": {
    "operationId": "fhir_response_validate",
    "summary": "Check a response without storing it",
    "parameters": [
     {"name": "study", "in": "query", "required": false, "description": "Study's id; may be left out while only one loaded study has this patient.", "schema": {"type": "string"}}],
    "requestBody": {"required": true, "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
    "responses": {
     "200": {"description": "An OperationOutcome with everything that is wrong.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/QuestionnaireResponse/_search": {
   "post": {
    "operationId": "fhir_response_posted_search",
    "summary": "Search stored responses, by POST",
    "description": "The same as the search by GET. Its parameters come in the body, in the address, or in both, and are added together; 16 KiB at most.",
    "requestBody": {"required": false, "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}}},
    "responses": {
     "200": {"description": "A Bundle of type searchset.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/QuestionnaireResponse/{id}": {
   "get": {
    "operationId": "fhir_response_read",
    "summary": "A response as it is now",
    "description": "Shows everything that was acknowledged before the request was sent, through whichever node it is asked. Where that cannot be promised just now the answer is 503.",
    "parameters": [
     {"name": "_summary", "in": "query", "required": false, "description": "true, text or data: that part of each resource, tagged SUBSETTED; count: refused; false: all.", "schema": {"type": "string"}},
     {"name": "_elements", "in": "query", "required": false, "description": "Names of elements at the top of the resource, with commas between: these and what must be there, tagged SUBSETTED.", "schema": {"type": "string"}},
     {"name": "id", "in": "path", "required": true, "description": "The receipt.", "schema": {"type": "string"}},
     {"name": "If-None-Match", "in": "header", "required": false, "description": "W/\"VERSION\", several of them or *: where one of them is that of the response, the answer is 304.", "schema": {"type": "string"}},
     {"name": "If-Modified-Since", "in": "header", "required": false, "description": "A date of HTTP: where it has not changed since, the answer is 304. Not looked at beside If-None-Match.", "schema": {"type": "string"}}],
    "responses": {
     "200": {"description": "The response.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "304": {"description": "The client has it already; without body.", "headers": {"ETag": {"schema": {"type": "string"}}, "Last-Modified": {"schema": {"type": "string"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}},
   "put": {
    "operationId": "fhir_response_update",
    "summary": "Amend a stored response",
    "parameters": [
     {"name": "id", "in": "path", "required": true, "description": "The receipt.", "schema": {"type": "string"}},
     {"name": "If-Match", "in": "header", "required": false, "description": "W/\"VERSION\" that must be the current one; otherwise 412.", "schema": {"type": "string"}},
     {"name": "X-Provenance", "in": "header", "required": false, "description": "A Provenance as JSON: reason[0] says why, agent[0] who. An amendment without a reason is refused.", "schema": {"type": "string"}},
     {"name": "Prefer", "in": "header", "required": false, "description": "return=representation (if left out), minimal or OperationOutcome.", "schema": {"type": "string"}},
     {"name": "study", "in": "query", "required": false, "description": "Study's id; may be left out while only one loaded study has this patient.", "schema": {"type": "string"}}],
    "requestBody": {"required": true, "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
    "responses": {
     "200": {"description": "Durable now; the earlier version stays readable.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "405": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "409": {"$ref": "#/components/responses/outcome"},
     "412": {"$ref": "#/components/responses/outcome"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "422": {"$ref": "#/components/responses/outcome"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/QuestionnaireResponse/{id}/_history": {
   "get": {
    "operationId": "fhir_response_history",
    "summary": "All versions of a response, newest first",
    "parameters": [
     {"name": "_summary", "in": "query", "required": false, "description": "true, text or data: that part of each resource, tagged SUBSETTED; count: the total and no entries; false: all.", "schema": {"type": "string"}},
     {"name": "_elements", "in": "query", "required": false, "description": "Names of elements at the top of the resource, with commas between: these and what must be there, tagged SUBSETTED.", "schema": {"type": "string"}},
     {"name": "id", "in": "path", "required": true, "description": "The receipt.", "schema": {"type": "string"}}],
    "responses": {
     "200": {"description": "A Bundle of type history.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/QuestionnaireResponse/{id}/_history/{version}": {
   "get": {
    "operationId": "fhir_response_vread",
    "summary": "One version of a response",
    "parameters": [
     {"name": "_summary", "in": "query", "required": false, "description": "true, text or data: that part of each resource, tagged SUBSETTED; count: refused; false: all.", "schema": {"type": "string"}},
     {"name": "_elements", "in": "query", "required": false, "description": "Names of elements at the top of the resource, with commas between: these and what must be there, tagged SUBSETTED.", "schema": {"type": "string"}},
     {"name": "id", "in": "path", "required": true, "description": "The receipt.", "schema": {"type": "string"}},
     {"name": "version", "in": "path", "required": true, "description": "Number of the version, from 1.", "schema": {"type": "string"}},
     {"name": "If-None-Match", "in": "header", "required": false, "description": "W/\"VERSION\", several of them or *: where one of them is that of the response, the answer is 304.", "schema": {"type": "string"}},
     {"name": "If-Modified-Since", "in": "header", "required": false, "description": "A date of HTTP: where it has not changed since, the answer is 304. Not looked at beside If-None-Match.", "schema": {"type": "string"}}],
    "responses": {
     "200": {"description": "The response as it was.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "304": {"description": "The client has it already; without body.", "headers": {"ETag": {"schema": {"type": "string"}}, "Last-Modified": {"schema": {"type": "string"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/Questionnaire": {
   "get": {
    "operationId": "fhir_questionnaire_search",
    "summary": "Search the forms of the studies",
    "parameters": [
     {"name": "_summary", "in": "query", "required": false, "description": "true, text or data: that part of each resource, tagged SUBSETTED; count: the total and no entries; false: all.", "schema": {"type": "string"}},
     {"name": "_elements", "in": "query", "required": false, "description": "Names of elements at the top of the resource, with commas between: these and what must be there, tagged SUBSETTED.", "schema": {"type": "string"}},
     {"name": "Prefer", "in": "header", "required": false, "description": "handling=strict: any parameter that is not known is refused; lenient: it is left out of account. If left out, those that say what is looked for are refused, and those that say how the answer looks (_sort, _include, ...) left out.", "schema": {"type": "string"}},
     {"name": "url", "in": "query", "required": false, "description": "Canonical url.", "schema": {"type": "string"}},
     {"name": "version", "in": "query", "required": false, "description": "Business version.", "schema": {"type": "string"}},
     {"name": "status", "in": "query", "required": false, "description": "draft, active, retired or unknown.", "schema": {"type": "string"}},
     {"name": "title", "in": "query", "required": false, "description": "Begins with, whatever the case.", "schema": {"type": "string"}},
     {"name": "_id", "in": "query", "required": false, "description": "The form's id.", "schema": {"type": "string"}},
     {"name": "_count", "in": "query", "required": false, "description": "Entries a page; of more than the node's http.read_limit_max as many as that; 20 if left out; 0: the total and no entries.", "schema": {"type": "string"}},
     {"name": "_offset", "in": "query", "required": false, "description": "Forms to leave out.", "schema": {"type": "string"}},
     {"name": "study", "in": "query", "required": false, "description": "Study's id.", "schema": {"type": "string"}}],
    "responses": {
     "200": {"description": "A Bundle of type searchset.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}},
   "post": {
    "operationId": "fhir_questionnaire_create",
    "summary": "Add a form to a study, or another version of one",
    "description": "Answered with 201 once it is durable and this node shows it. 409: the version was imported before with other content. The form is the study's under the id in Location; scores, alerts and routes of notices are the study file's.",
    "parameters": [
     {"name": "X-Provenance", "in": "header", "required": false, "description": "A Provenance with a reason, and perhaps an agent with its role: who adds it and why, kept with the import.", "schema": {"type": "string"}},
     {"name": "Prefer", "in": "header", "required": false, "description": "return=representation (if left out), minimal or OperationOutcome.", "schema": {"type": "string"}},
     {"name": "study", "in": "query", "required": false, "description": "Study's id; may be left out while one study is loaded.", "schema": {"type": "string"}}],
    "requestBody": {"required": true, "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
    "responses": {
     "200": {"description": "The study has this version with the same content already; an earlier one stays an earlier one.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "201": {"description": "Part of the study now: durable, and shown by this node.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "409": {"$ref": "#/components/responses/outcome"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "422": {"$ref": "#/components/responses/outcome"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/Questionnaire/$validate": {
   "post": {
    "operationId": "fhir_questionnaire_validate",
    "summary": "Check a form without importing it",
    "requestBody": {"required": true, "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
    "responses": {
     "200": {"description": "An OperationOutcome with everything that is wrong.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/Questionnaire/_search": {
   "post": {
    "operationId": "fhir_questionnaire_posted_search",
    "summary": "Search the forms of the studies, by POST",
    "description": "The same as the search by GET. Its parameters come in the body, in the address, or in both, and are added together; 16 KiB at most.",
    "requestBody": {"required": false, "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}}},
    "responses": {
     "200": {"description": "A Bundle of type searchset.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/Questionnaire/{id}": {
   "get": {
    "operationId": "fhir_questionnaire_read",
    "summary": "A form",
    "parameters": [
     {"name": "_summary", "in": "query", "required": false, "description": "true, text or data: that part of each resource, tagged SUBSETTED; count: refused; false: all.", "schema": {"type": "string"}},
     {"name": "_elements", "in": "query", "required": false, "description": "Names of elements at the top of the resource, with commas between: these and what must be there, tagged SUBSETTED.", "schema": {"type": "string"}},
     {"name": "id", "in": "path", "required": true, "description": "The id that the study knows the form by.", "schema": {"type": "string"}},
     {"name": "study", "in": "query", "required": false, "description": "Study's id.", "schema": {"type": "string"}},
     {"name": "If-Modified-Since", "in": "header", "required": false, "description": "A date of HTTP: where it has not changed since, the answer is 304. If-None-Match is not looked at: what a form says of itself may change under one version.", "schema": {"type": "string"}}],
    "responses": {
     "200": {"description": "The Questionnaire.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "304": {"description": "The client has it already; without body.", "headers": {"ETag": {"schema": {"type": "string"}}, "Last-Modified": {"schema": {"type": "string"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/Questionnaire/{id}/_history/{version}": {
   "get": {
    "operationId": "fhir_questionnaire_vread",
    "summary": "A form in one version",
    "parameters": [
     {"name": "_summary", "in": "query", "required": false, "description": "true, text or data: that part of each resource, tagged SUBSETTED; count: refused; false: all.", "schema": {"type": "string"}},
     {"name": "_elements", "in": "query", "required": false, "description": "Names of elements at the top of the resource, with commas between: these and what must be there, tagged SUBSETTED.", "schema": {"type": "string"}},
     {"name": "id", "in": "path", "required": true, "description": "The id that the study knows the form by.", "schema": {"type": "string"}},
     {"name": "version", "in": "path", "required": true, "description": "The form's version.", "schema": {"type": "string"}},
     {"name": "study", "in": "query", "required": false, "description": "Study's id.", "schema": {"type": "string"}},
     {"name": "If-Modified-Since", "in": "header", "required": false, "description": "A date of HTTP: where it has not changed since, the answer is 304. If-None-Match is not looked at: what a form says of itself may change under one version.", "schema": {"type": "string"}}],
    "responses": {
     "200": {"description": "The Questionnaire.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "304": {"description": "The client has it already; without body.", "headers": {"ETag": {"schema": {"type": "string"}}, "Last-Modified": {"schema": {"type": "string"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}},
  "/fhir/Patient/{id}": {
   "get": {
    "operationId": "fhir_patient_read",
    "summary": "A patient: id, identifier and site, and nothing else",
    "parameters": [
     {"name": "id", "in": "path", "required": true, "description": "patientId where FHIR allows it as an id, else x- and its bytes in hexadecimal.", "schema": {"type": "string"}},
     {"name": "study", "in": "query", "required": false, "description": "Study's id; may be left out while only one loaded study has this patient.", "schema": {"type": "string"}}],
    "responses": {
     "200": {"description": "The Patient.", "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
     "400": {"$ref": "#/components/responses/outcome"},
     "404": {"$ref": "#/components/responses/outcome"},
     "406": {"$ref": "#/components/responses/outcome"},
     "408": {"$ref": "#/components/responses/too_slow"},
     "413": {"$ref": "#/components/responses/too_large"},
     "415": {"$ref": "#/components/responses/outcome"},
     "417": {"$ref": "#/components/responses/expectation"},
     "421": {"$ref": "#/components/responses/misdirected"},
     "431": {"$ref": "#/components/responses/header_too_large"},
     "500": {"$ref": "#/components/responses/outcome"},
     "501": {"$ref": "#/components/responses/not_implemented"},
     "503": {"$ref": "#/components/responses/fhir_unavailable"},
     "505": {"$ref": "#/components/responses/version"}}}}},
 "components": {
  "schemas": {
   "resource": {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string"}},
    "description": "A FHIR R4 resource as JSON."},
   "receipt": {
    "type": "string",
    "pattern": "^[0-9a-f]{32}$",
    "description": "Names one submission; derived from study, patient and key, so that it is the same for every retry."},
   "submission": {
    "type": "object",
    "required": ["patientId", "data"],
    "additionalProperties": false,
    "properties": {
     "patientId": {
      "oneOf": [{"type": "integer"}, {"type": "string", "minLength": 1, "maxLength": 128}],
      "description": "Not 0 and not empty; 42 and \"42\" are the same patient."},
     "data": {"oneOf": [{"$ref": "#/components/schemas/data"}, {"type": "string", "description": "JSON of the same object."}]},
     "key": {
      "type": "string",
      "minLength": 1,
      "maxLength": 200,
      "description": "Chosen by the sender, new for each new submission and kept for its retries. Without one there is no protection against repeats."},
     "study": {"type": "string", "maxLength": 128, "description": "May be left out while only one loaded study has this patient; always send it, because studies are added."}}},
   "data": {
    "type": "object",
    "required": ["form", "answers"],
    "properties": {
     "form": {"type": "string"},
     "answers": {
      "type": "object",
      "description": "linkId to value; a choice by its code or, where its options carry one, by their ordinal value.",
      "additionalProperties": true},
     "authored": {
      "type": "string",
      "format": "date-time",
      "description": "When the patient answered, RFC 3339 with the patient's zone."}}},
   "score": {
    "type": "object",
    "required": ["name", "value", "label"],
    "properties": {
     "name": {"type": "string"},
     "value": {"type": "number"},
     "label": {"type": "string", "description": "Of the band the value lies in; empty without bands."}}},
   "stored": {
    "type": "object",
    "required": ["message", "receipt", "status", "scores"],
    "properties": {
     "message": {"type": "string"},
     "receipt": {"$ref": "#/components/schemas/receipt"},
     "status": {"type": "string", "enum": ["stored"]},
     "scores": {"type": "array", "items": {"$ref": "#/components/schemas/score"}},
     "warnings": {
      "type": "array",
      "description": "Rules of the form that only warn; not there when there are none. They are not stored: a later repeat may be answered without them.",
      "items": {"$ref": "#/components/schemas/problem"}}}},
   "error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
   "conflict": {
    "type": "object",
    "required": ["error", "receipt"],
    "properties": {"error": {"type": "string"}, "receipt": {"$ref": "#/components/schemas/receipt"}}},
   "problems": {
    "type": "object",
    "required": ["error", "problems"],
    "properties": {
     "error": {"type": "string"},
     "receipt": {"$ref": "#/components/schemas/receipt"},
     "problems": {"type": "array", "items": {"$ref": "#/components/schemas/problem"}}}},
   "problem": {
    "type": "object",
    "required": ["linkId", "code", "message", "allowed"],
    "properties": {
     "linkId": {"type": "string", "nullable": true},
     "code": {"type": "string"},
     "message": {"type": "string"},
     "allowed": {"type": "array", "items": {"type": "string"}}}},
   "unavailable": {
    "type": "object",
    "required": ["error", "outcome"],
    "properties": {
     "error": {"type": "string"},
     "outcome": {
      "type": "string",
      "enum": ["not_stored", "unknown"],
      "description": "Only not_stored promises that nothing was stored; after unknown send it again under the same key."}}},
   "submission_summary": {
    "type": "object",
    "required": ["receipt", "form", "version", "authored", "stored", "scores", "alerts"],
    "properties": {
     "receipt": {"$ref": "#/components/schemas/receipt"},
     "form": {"type": "string"},
     "version": {"type": "string"},
     "authored": {"type": "string", "nullable": true},
     "stored": {"type": "string", "format": "date-time"},
     "scores": {"type": "array", "items": {"$ref": "#/components/schemas/score"}},
     "amended": {
      "type": "object",
      "description": "Only of a submission that was changed afterwards: everything but stored is as it is now.",
      "required": ["version", "at", "who", "reason", "status"],
      "properties": {
       "version": {"type": "integer", "minimum": 2},
       "at": {"type": "string", "format": "date-time"},
       "who": {"type": "string"},
       "reason": {"type": "string"},
       "status": {"type": "string"}}},
     "alerts": {
      "type": "array",
      "items": {
       "type": "object",
       "required": ["rule", "raised", "notice"],
       "properties": {
        "rule": {"type": "string"},
        "raised": {"type": "string", "format": "date-time"},
        "notice": {
         "type": "string",
         "enum": ["pending", "dead", "sent"],
         "nullable": true,
         "description": "Whether those who are to be told were told: of several the one that is furthest behind. dead: given up, an operator must act. null: the study tells nobody of this rule."}}}}}},
   "submission_with_answers": {
    "allOf": [
     {"$ref": "#/components/schemas/submission_summary"},
     {
      "type": "object",
      "required": ["answers"],
      "properties": {"answers": {"type": "object", "additionalProperties": true}}}]},
   "history": {
    "type": "object",
    "required": ["patientId", "site", "submissions", "next"],
    "properties": {
     "patientId": {"type": "string"},
     "site": {"type": "string", "nullable": true},
     "submissions": {"type": "array", "items": {"$ref": "#/components/schemas/submission_summary"}},
     "next": {"type": "string", "nullable": true, "description": "Cursor for before; null at the end."}}},
   "readiness": {
    "type": "object",
    "required": ["status", "reasons"],
    "properties": {
     "status": {"type": "string", "enum": ["ready", "not ready"]},
     "reasons": {
      "type": "array",
      "items": {
       "type": "object",
       "required": ["part", "reason"],
       "properties": {"part": {"type": "string"}, "reason": {"type": "string"}}}}}}},
  "responses": {
   "outcome": {
    "description": "Why not, as an OperationOutcome.",
    "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}}},
   "fhir_unavailable": {
    "description": "Not now, as an OperationOutcome; details.coding says not_stored or unknown.",
    "content": {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/resource"}}},
    "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}},
   "bad_request": {
    "description": "Not HTTP, not JSON or msgpack, or a member or parameter that is not as it must be; error names it. {\"error\": \"patientId is required\"} when it is missing or 0.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "not_found": {
    "description": "Unknown study, subject or receipt.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "too_slow": {
    "description": "Header or body did not arrive within their time limits.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "too_large": {
    "description": "The body is larger than the node's http.body_bytes_max, 256 KiB by default.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "media_type": {
    "description": "Neither application/json nor application/msgpack, or with a Content-Encoding.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "expectation": {
    "description": "An expectation other than 100-continue.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "misdirected": {
    "description": "The header Host (or the target's authority) is neither a loopback address nor localhost.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "header_too_large": {
    "description": "The header is larger than the node's http.header_bytes_max, 16 KiB by default.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "failed": {
    "description": "A stored submission could not be read; the operator has been told.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "not_implemented": {
    "description": "A method or transfer coding this server does not know.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "version": {
    "description": "Neither HTTP/1.1 nor HTTP/1.0.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}},
   "unavailable": {
    "description": "Not now; try again.",
    "content": {
     "application/json": {
      "schema": {"$ref": "#/components/schemas/unavailable"},
      "example": {"error": "the shard cannot be read just now; try again", "outcome": "unknown"}}},
    "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}},
   "submission_unavailable": {
    "description": "Not now. outcome says whether anything may have been stored.",
    "content": {
     "application/json": {
      "schema": {"$ref": "#/components/schemas/unavailable"},
      "example": {"error": "the shard has as many requests in hand as it may; try again", "outcome": "not_stored"}}},
    "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}}}}})json";
  // clang-format on
}

} // namespace epione::runtime::http
