// Writes what the fuzzers begin with: requests, studies, stored bytes and expressions made from the examples in the repository.
//   fuzz_seeds DIRECTORY
#include "domain/canonical.hpp"
#include "domain/command.hpp"
#include "domain/event.hpp"
#include "domain/notice_change.hpp"
#include "domain/study_addition.hpp"
#include "messages/peer.hpp"
#include "tests/fuzz/demo.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

using namespace epione;
using nlohmann::json;

namespace {

class corpus {
public:
  /// Files are numbered from `first`.
  explicit corpus(std::filesystem::path folder, int first = 0) : folder_(std::move(folder)), next_(first) {
    std::filesystem::create_directories(folder_);
  }
  void add(const std::string& bytes) { std::ofstream{folder_ / std::to_string(next_++), std::ios::binary} << bytes; }

private:
  std::filesystem::path folder_;
  int next_;
};

std::string packed(const json& value) {
  const auto bytes = json::to_msgpack(value);
  return {bytes.begin(), bytes.end()};
}

json answers() {
  json all;
  for (int i = 1; i <= 9; ++i)
    all["q" + std::to_string(i)] = i % 4;
  all["difficulty"] = "LA6572-7";
  return all;
}

std::string request(const std::string& type, const std::string& body, const std::string& more = "") {
  return "POST /patient/data HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + type + "\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string chunked(const std::string& body) {
  char size[16];
  std::snprintf(size, sizeof(size), "%zx", body.size() - 5);
  return "POST /patient/data HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
         "chunked\r\n\r\n5;x=y\r\n" +
         body.substr(0, 5) + "\r\n" + size + "\r\n" + body.substr(5) + "\r\n0\r\nTrailer: x\r\n\r\n";
}

void requests(corpus to) {
  const json data{{"form", "phq-9"}, {"answers", answers()}, {"authored", "2026-01-15T08:30:00+01:00"}};
  const json whole{{"patientId", 42}, {"key", "first"}, {"study", "demo"}, {"data", data}};
  to.add(request("application/json", whole.dump()));
  to.add(request("application/json", json{{"patientId", "42"}, {"data", data.dump()}}.dump(), "Idempotency-Key: \"k\"\r\n"));
  to.add(request("application/msgpack", packed(whole), "Expect: 100-continue\r\n"));
  to.add(request("application/json; charset=utf-8", "{\"patientId\":0}", "Connection: close\r\n"));
  to.add(chunked(whole.dump()));
  to.add("GET /patient/42?study=demo&limit=5&before=7 HTTP/1.1\r\nHost: a\r\n\r\n");
  to.add("GET /patient/4%32/submissions/6114c3b3eff2d398565f4e795cf0a7ab HTTP/1.0\r\n\r\n");
}

void studies(corpus to) {
  const auto demo = fuzz::demo_source();
  const auto file = [](std::string toml, const char* from, const char* name) {
    if (const auto at = toml.find(from); at != std::string::npos)
      toml.replace(at, std::string{from}.size(), name);
    return toml;
  };
  to.add(file(file(demo.toml, "gad-7.json", "f0.json"), "phq-9.json", "f1.json") + "\n\f" + demo.forms[0].text + "\n\f" +
         demo.forms[1].text);
  const std::string one = "id = \"s\"\ntitle = \"S\"\nlanguages = [\"en\"]\n[[sites]]\nid = \"A\"\n[[subjects]]\nrange = [1, 9]\n"
                          "sites = \"round-robin\"\n[[forms]]\nid = \"f\"\nfile = \"f0.json\"\n\f";
  for (const auto& entry : std::filesystem::directory_iterator{EPIONE_SOURCE_DIR "/tests/conformance/data"})
    if (entry.path().filename().string().starts_with("Questionnaire-") && entry.file_size() < 16'384)
      to.add(one + fuzz::read_file(entry.path().string()));
}

/// Published questionnaires with the responses to them, and what a value set looks like.
void questionnaires(corpus to) {
  const std::string data = EPIONE_SOURCE_DIR "/tests/conformance/data/";
  for (const auto& entry : std::filesystem::directory_iterator{data + "validation-cases"}) {
    const auto name = entry.path().string();
    if (name.ends_with("-q.json"))
      to.add(fuzz::read_file(name) + "\n\f" + fuzz::read_file(name.substr(0, name.size() - 6) + "qr.json"));
  }
  for (const auto* name : {"3141", "bb", "f201", "gcs"})
    to.add(fuzz::read_file(data + "Questionnaire-" + name + ".json") + "\n\f" +
           fuzz::read_file(data + "QuestionnaireResponse-" + name + ".json"));
  to.add(
      R"({"resourceType":"Questionnaire","status":"active","item":[{"linkId":"g","type":"group","repeats":true,"item":[)"
      R"({"linkId":"q","type":"choice","answerValueSet":"http://v","required":true},{"linkId":"a","type":"quantity",)"
      R"("enableWhen":[{"question":"q","operator":"!=","answerCoding":{"code":"b"}}]}]}]})"
      "\n\f"
      R"({"resourceType":"QuestionnaireResponse","status":"completed","item":[{"linkId":"g","item":[{"linkId":"q","answer":[)"
      R"({"valueCoding":{"system":"http://s","code":"b"}}]}]},{"linkId":"g"}]})"
      "\n\f"
      R"({"resourceType":"ValueSet","url":"http://v","compose":{"include":[{"system":"http://s","concept":[{"code":"b"}]}]}})");
}

json expression(const char* name, const char* text) {
  return {{"url", std::string{"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"} + name},
          {"valueExpression", {{"language", "text/fhirpath"}, {"expression", text}}}};
}

/// A form with every kind of expression, and a response to it.
void form_expressions(corpus to) {
  json form{{"resourceType", "Questionnaire"}, {"status", "active"}};
  form["extension"] = {{{"url", "http://hl7.org/fhir/StructureDefinition/variable"},
                        {"valueExpression",
                         {{"name", "n"}, {"language", "text/fhirpath"}, {"expression", "item.where(linkId='n').answer.value"}}}}};
  const json rule{{"url", "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint"},
                  {"extension",
                   {{{"url", "key"}, {"valueId", "k"}},
                    {{"url", "severity"}, {"valueCode", "error"}},
                    {{"url", "human"}, {"valueString", "h"}},
                    {{"url", "expression"}, {"valueString", "answer.value < %n"}},
                    {{"url", "location"}, {"valueString", "answer.value"}}}}};
  form["item"] = {
      {{"linkId", "n"}, {"type", "integer"}, {"extension", {expression("initialExpression", "today().toString().length()")}}},
      {{"linkId", "t"},
       {"type", "decimal"},
       {"extension", {expression("calculatedExpression", "%n * 2.5 + %questionnaire.item.count()")}}},
      {{"linkId", "g"},
       {"type", "group"},
       {"repeats", true},
       {"extension", {expression("enableWhenExpression", "%n > 1 and %qitem.type = 'group'")}},
       {"item", {{{"linkId", "a"}, {"type", "integer"}, {"extension", {rule}}}}}}};
  const json response{{"resourceType", "QuestionnaireResponse"},
                      {"status", "completed"},
                      {"authored", "2024-05-01T08:30:00+02:00"},
                      {"item",
                       {{{"linkId", "n"}, {"answer", {{{"valueInteger", 3}}}}},
                        {{"linkId", "g"}, {"item", {{{"linkId", "a"}, {"answer", {{{"valueInteger", 9}}}}}}}}}}};
  to.add(form.dump() + "\n\f" + response.dump());
}

void stored(corpus to) {
  domain::submission_record record;
  record.study = "demo";
  record.subject = record.site = "42";
  record.key = "k";
  record.form = "phq-9";
  record.version = "1.0";
  record.authored = "2026-01-15T08:30:00+01:00";
  record.stored_us = 1'790'000'000'000'000;
  record.answers = *domain::canonical_from_msgpack(packed(answers()), 8);
  record.scores = {{"total", 12.5, "mild"}};
  record.alerts = {{"phq-9-q9"}};
  const auto event = domain::encode_submission_event(record);
  to.add("s" + event);
  to.add("e" + event);
  record.notices = {{"phq-9-q9", "doctor", "dr-lee", true}, {"", "mail", "nurses", false}};
  to.add("s" + domain::encode_submission_event(record));
  to.add("n" + domain::encode_notice_event(
                   1, "system",
                   {{7, 0, domain::notice_step::sent, 1, ""}, {7, 1, domain::notice_step::dead, 1, "the mailbox is full"}}));
  domain::command first, second;
  first.type = domain::command_type::submission;
  first.subject_hash = 7;
  first.event = event;
  second.event = encode(domain::event{1, "os:root", "operator", "study.import", "demo", "", "\xc0", "why"});
  to.add("b" + domain::encode_batch({first, second}));
  to.add("e" + second.event);
  to.add("c" + packed(answers()));
  to.add("c" + packed(json{{"a", {1, -1, 1.5, true, nullptr, "x"}}, {"b", {{"c", 70'000}}}}));
  to.add("t" + encode(domain::study_source{"id = \"s\"", {{"f.json", "{}"}}}));
  to.add("a" + encode(domain::form_addition{"s", "{}", "fhir", "unknown", ""}));
}

void expressions(corpus to) {
  for (const auto* text :
       {"%resource.item.where(linkId.startsWith('q')).answer.value.ordinal().sum()",
        "iif(item.answer.count() >= 8, (item.answer.value.ordinal().avg() * 9).round(), {})",
        "item.where(linkId='mass').answer.value > 80 'kg' and item.where(linkId='date').answer.value <= today() - 18 years",
        "QuestionnaireResponse.descendants().where($this is string and $index > 2).distinct().count() mod 7 = -1",
        "repeat(item | answer).select(linkId & ': ' & answer.value.code).join('; ').replaceMatches('(?<n>[0-9])', '<${n}>')",
        "(1 | 2.50 | @2024-05-01T10:30:00.5Z | @T10:30 | 4 weeks | 'a\\u00e4').aggregate($total | $this, {}) ~ %a",
        "item[0].answer.value.extension(%`ext-x`).value.as(FHIR.decimal).power(2) div 3 !~ 1 implies `item`.exists() xor true",
        "'abcdefg'.substring(2, 3).upper().toChars().subsetOf('a' | 'b') or '12'.toInteger() in (12).toQuantity('g')",
        "/* all */ children().ofType(Coding).skip(1).take(2).exclude({}).combine($this).isDistinct() // done"}) {
    to.add(text);
    to.add(std::string{text} +
           R"({"resourceType": "Patient", "birthDate": "1980-06", "name": [{"given": ["A", null], "_given": [null, {}]}]})");
  }
}

void links(corpus to) {
  using namespace messages;
  raft_message append, vote;
  append.peer = 2;
  append.term = 3;
  append.index = 7;
  append.entries = {{8, 3, entry_type::command, std::make_shared<const std::string>("abc")},
                    {9, 3, entry_type::barrier, std::make_shared<const std::string>()}};
  vote.kind = message_kind::request_vote;
  vote.term = 70'000;
  vote.pre_vote = true;
  const raft_message both[]{append, vote};
  const auto raft = encode_raft(both);
  to.add("r" + raft);
  const parcel parcels[]{{parcel_kind::raft, 1, std::make_shared<const std::string>(raft)},
                         {parcel_kind::ping, 0, std::make_shared<const std::string>(encode(ping{1, 2}))}};
  const auto whole = encode_envelope(parcels);
  to.add("e" + whole);
  to.add("E" + whole.substr(12)); // behind magic, format and checksum
  const auto greeting = encode(hello{1, 1, "node-a", "c", "0.1.0", 4, 5});
  to.add("h" + greeting);
  to.add("H" + greeting.substr(12));
  to.add("p" + encode(pong{1, 2, 3}));
}

} // namespace

int main(int argc, char** argv) {
  fuzz::promise(argc == 2, "usage: fuzz_seeds DIRECTORY");
  const std::filesystem::path to{argv[1]};
  requests(corpus{to / "http"});
  studies(corpus{to / "study"});
  stored(corpus{to / "stored"});
  expressions(corpus{to / "fhirpath"});
  questionnaires(corpus{to / "questionnaire"});
  links(corpus{to / "peer"});
  form_expressions(corpus{to / "questionnaire", 1'000});
}
