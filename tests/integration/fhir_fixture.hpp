// A node asked through FHIR: requests as clients make them, answers as they get them.
#pragma once

#include "scratch_disk.hpp"
#include "test_node.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

namespace epione::tests {

struct fhir_reply {
  int status = 0;
  std::string header;
  json body;
  /// The value of a line of the header; empty when it is not there.
  std::string field(const std::string& name) const {
    const auto at = header.find(name + ": ");
    return at == std::string::npos ? "" : header.substr(at + name.size() + 2, header.find("\r\n", at) - at - name.size() - 2);
  }
  /// The code of the first issue of an OperationOutcome.
  std::string code() const { return body.contains("issue") ? body["issue"][0]["code"].get<std::string>() : ""; }
};

struct fhir_node {
  fhir_node(runtime::config config = test_node::small_config()) : node(disk.disk(), disk.directory(), config) {
    BOOST_REQUIRE(node.start_with_demo());
  }

  using request = messages::fhir_request;

  static request make(request::verb method, std::string_view target, const json& body = {}) {
    request r;
    r.method = method;
    const auto question = std::min(target.find('?'), target.size());
    r.path = target.substr(0, question);
    r.query = target.substr(std::min(question + 1, target.size()));
    r.base = "http://localhost:8080/fhir";
    if (method != request::verb::get) {
      r.content_type = "application/fhir+json";
      r.body = body.dump();
    }
    return r;
  }

  fhir_reply wait(messages::ticket t) {
    fhir_reply out;
    out.status = node.status(t);
    if (const auto found = node.sink.answers.find(t); found != node.sink.answers.end()) {
      out.header = found->second.header;
      out.body = found->second.body.empty() ? json{} : json::parse(found->second.body);
      BOOST_TEST((out.status != 503 || found->second.retry_after_s > 0u));
    }
    return out;
  }
  fhir_reply ask(request r) { return wait(node.fhir(std::move(r))); }
  fhir_reply get(std::string_view target) { return ask(make(request::verb::get, target)); }
  /// Asks again while a shard cannot be read.
  fhir_reply get_patiently(std::string_view target) {
    auto reply = get(target);
    for (int attempt = 0; attempt < 20 && reply.status == 503; ++attempt) {
      node.run(500);
      reply = get(target);
    }
    return reply;
  }

  /// All of PHQ-9 answered with the same option, 0 to 3, and the last item with its own.
  static json phq9(const std::string& subject, int others = 1, int q9 = 0) {
    constexpr std::array<const char*, 4> codes{"LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"};
    json items = json::array();
    for (int i = 1; i <= 9; ++i)
      items.push_back(
          {{"linkId", "q" + std::to_string(i)},
           {"answer", {{{"valueCoding", {{"system", "http://loinc.org"}, {"code", codes.at(i == 9 ? q9 : others)}}}}}}});
    return {{"resourceType", "QuestionnaireResponse"},
            {"questionnaire", "https://epione.example/Questionnaire/phq-9|1.0"},
            {"status", "completed"},
            {"subject", {{"reference", "Patient/" + subject}}},
            {"authored", "2026-11-23T19:30:00+01:00"},
            {"item", items}};
  }

  request post(const json& resource, const std::string& key = {}) {
    auto r = make(request::verb::post, "/QuestionnaireResponse", resource);
    if (!key.empty())
      r.idempotency_key = key;
    return r;
  }
  fhir_reply create(const json& resource, const std::string& key = {}) { return ask(post(resource, key)); }

  static std::string because(const std::string& reason) {
    return json{{"resourceType", "Provenance"},
                {"reason", {{{"text", reason}}}},
                {"agent", {{{"who", {{"reference", "Practitioner/nurse-7"}}}}}}}
        .dump();
  }
  request put(const std::string& id, json resource, const std::string& if_match, const std::string& reason) {
    resource["id"] = id;
    auto r = make(request::verb::put, "/QuestionnaireResponse/" + id, resource);
    if (!if_match.empty())
      r.if_match = if_match;
    if (!reason.empty())
      r.provenance = because(reason);
    return r;
  }
  fhir_reply amend(const std::string& id, const json& resource, const std::string& if_match, const std::string& reason) {
    return ask(put(id, resource, if_match, reason));
  }

  static json entry(const std::string& method, const std::string& url, const json& resource = {}) {
    json e{{"request", {{"method", method}, {"url", url}}}};
    if (!resource.is_null())
      e["resource"] = resource;
    return e;
  }
  fhir_reply bundle(const std::string& type, const std::vector<json>& entries) {
    return ask(make(request::verb::post, "", {{"resourceType", "Bundle"}, {"type", type}, {"entry", entries}}));
  }

  /// Ids of a search, page after page, newest first.
  std::vector<std::string> search(std::string target, int pages_max = 1'000, const std::function<void()>& between = {}) {
    std::vector<std::string> ids;
    while (!target.empty() && pages_max-- > 0) {
      const auto page = get_patiently(target);
      BOOST_REQUIRE_MESSAGE(page.status == 200, page.body.dump());
      if (page.body.contains("entry"))
        for (const auto& e : page.body["entry"])
          ids.push_back(e["resource"]["id"]);
      target.clear();
      for (const auto& link : page.body["link"])
        if (link["relation"] == "next")
          target = link["url"].get<std::string>().substr(std::string_view{"http://localhost:8080/fhir"}.size());
      if (between)
        between();
    }
    BOOST_TEST(target.empty());
    return ids;
  }

  scratch_disk disk;
  test_node node;
};

} // namespace epione::tests
