#include "runtime/http/fhir_request.hpp"

#include "domain/fhir_outcome.hpp"

#include <algorithm>

namespace epione::runtime::http {

namespace {

std::optional<std::string> field(std::string_view raw, std::string_view name) {
  const auto found = find_field(raw, name);
  return found ? std::optional{std::string{*found}} : std::nullopt;
}

} // namespace

std::shared_ptr<messages::fhir_request> fhir_request_of(const request_head& head, std::string_view raw, std::string_view body) {
  constexpr std::string_view prefix = "/fhir";
  auto out = std::make_shared<messages::fhir_request>();
  out->method = head.verb == method::put    ? messages::fhir_request::verb::put
                : head.verb == method::post ? messages::fhir_request::verb::post
                                            : messages::fhir_request::verb::get;
  const auto question = std::min(head.target.find('?'), head.target.size());
  out->path = head.target.substr(prefix.size(), question - prefix.size());
  if (out->path == "/") // the base itself, as some clients write it
    out->path.clear();
  out->query = head.target.substr(std::min(question + 1, head.target.size()));
  out->base = "http://" + std::string{head.host.value_or("localhost")} + std::string{prefix};
  out->content_type = head.content_type;
  if (!head.content_encoding.empty() && !equal_ignoring_case(head.content_encoding, "identity"))
    out->content_type = "with Content-Encoding"; // no type that is taken
  out->accept = find_list(raw, "accept");
  out->prefer = find_list(raw, "prefer");
  out->if_match = field(raw, "if-match");
  out->if_none_match = find_list(raw, "if-none-match");
  out->if_modified_since = field(raw, "if-modified-since");
  out->if_none_exist = field(raw, "if-none-exist");
  out->provenance = field(raw, "x-provenance");
  if (head.idempotency_key)
    out->idempotency_key = std::string{*head.idempotency_key};
  out->body = body;
  return out;
}

std::string fhir_error_body(int status, std::string_view sentence) {
  return domain::outcome_text(domain::issue_code_of_status(status), sentence);
}

std::string fhir_unavailable_body(std::string_view sentence, messages::outcome known) {
  return domain::outcome_text("transient", sentence, known == messages::outcome::not_stored ? "not_stored" : "unknown");
}

} // namespace epione::runtime::http
