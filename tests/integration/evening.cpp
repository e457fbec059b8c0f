#include "tests/integration/evening.hpp"

#include <boost/test/unit_test.hpp>

namespace epione::tests {

namespace {

constexpr int first = 0, other = 1;
constexpr int retries_max = 20;

int total_of(const json& data) {
  int total = 0;
  for (const auto& [item, value] : data["answers"].items())
    total += value.get<int>();
  return total;
}

} // namespace

json evening::content_of(int patient, int content) const {
  return test_node::phq9(content == first ? patient % 2 : 3, 1);
}

void evening::send(int patient, int content) {
  auto& a = accounts_[static_cast<std::size_t>(patient)];
  a.attempts.push_back({node_.post(subject(patient), content_of(patient, content), name_), content});
}

void evening::begin() {
  for (int i = 0; i < patients; ++i) {
    send(i, first);
    send(i, first);
    send(i, other);
    accounts_[static_cast<std::size_t>(i)].reading = node_.get(subject(i));
  }
}

void evening::send_again(int patient) {
  send(patient, first);
  send(patient, other);
}

void evening::check() {
  for (int i = 0; i < patients; ++i) {
    judge_new(i);
    const auto read = node_.status(accounts_[static_cast<std::size_t>(i)].reading);
    BOOST_TEST((read == 200 || read == 503), "a read got " << read);
  }
  BOOST_REQUIRE_MESSAGE(node_.run_until([&] { return node_.ready(); }, 30'000), node_.why_not());
  for (int i = 0; i < patients; ++i)
    settle(i);
  check_again();
  BOOST_TEST(node_.sink.repeated.empty());
  // Whoever dies, those who wait are told at once, not when their time is up.
  BOOST_TEST(node_.metrics.counter("epione_requests_late_total", "Requests not answered within their limit").Value() == 0.0);
  BOOST_TEST(!node_.ended);
}

void evening::check_again() {
  node_.run(2 * std::int64_t{node_.config().storage.apply_delay_ms}); // the regions have forgotten it: the stores must know
  for (int i = 0; i < patients; ++i)
    read_back(i);
}

/// Waits for what has not been judged yet; while it waits more may be sent.
void evening::judge_new(int patient) {
  auto& a = accounts_[static_cast<std::size_t>(patient)];
  std::vector<attempt> answered;
  for (; a.judged < a.attempts.size(); ++a.judged) {
    answered.push_back(a.attempts[a.judged]);
    const auto status = node_.status(answered.back().to);
    BOOST_TEST((status == 503 || status == 202 || status == 200 || status == 409),
               "ticket " << answered.back().to << " got " << status);
  }
  // What was answered first need not have been sent first: what leaves something open comes before what it explains.
  for (int status : {503, 202, 200, 409})
    for (const auto& t : answered)
      if (node_.status(t.to) == status)
        judge(patient, t);
}

void evening::judge(int patient, const attempt& t) {
  auto& a = accounts_[static_cast<std::size_t>(patient)];
  const auto status = node_.status(t.to);
  const auto body = node_.body(t.to);
  if (status != 503)
    BOOST_TEST(body.value("receipt", "") == to_text(domain::make_receipt("demo", subject(patient), name_)));
  if (status == 202 || status == 200)
    BOOST_TEST(body["scores"][0]["value"] == total_of(content_of(patient, t.content)), body.dump());
  switch (status) {
    case 503: {
      const auto& reply = node_.sink.answers.at(t.to);
      BOOST_TEST(reply.retry_after_s > 0u);
      const auto outcome = body.value("outcome", "");
      BOOST_TEST((outcome == "not_stored" || outcome == "unknown"), reply.body);
      if (outcome != "not_stored")
        a.unknown.insert(t.content);
      break;
    }
    case 202: acknowledged(a, t.content, 202); break;
    case 200: acknowledged(a, t.content, 200); break;
    case 409:
      if (a.stored >= 0)
        BOOST_TEST(a.stored != t.content, "409 for the content that was acknowledged");
      else
        BOOST_TEST(a.unknown.count(1 - t.content) == 1u, "409 although the other content cannot be stored");
      a.stored = 1 - t.content;
      break;
    default: break;
  }
}

void evening::acknowledged(account& a, int content, int status) {
  if (a.stored >= 0)
    BOOST_TEST(a.stored == content, status << " for both contents of one key");
  if (status == 202)
    BOOST_TEST((!a.given_202 && a.stored < 0), "202 for what was acknowledged before");
  else
    BOOST_TEST((a.stored == content || a.unknown.count(content) == 1), "200 for what cannot have been stored before");
  a.given_202 = a.given_202 || status == 202;
  a.stored = content;
}

/// Sends until it is answered by something else than 503; each answer is judged by those before it. So when all before were told
/// `not_stored`, only 202 is true.
int evening::retry(int patient, int content) {
  auto& a = accounts_[static_cast<std::size_t>(patient)];
  for (int i = 0; i < retries_max; ++i) {
    send(patient, content);
    const auto ticket = a.attempts.back().to;
    judge_new(patient);
    const auto status = node_.status(ticket);
    if (status != 503)
      return status;
    node_.run(500);
  }
  return 503;
}

void evening::settle(int patient) {
  auto& a = accounts_[static_cast<std::size_t>(patient)];
  const auto before = a.stored;
  const auto status = retry(patient, first);
  if (before >= 0)
    BOOST_TEST(status == (before == first ? 200 : 409), "what was acknowledged to " << patient << " was lost: " << status);
  BOOST_TEST(a.stored >= 0);
}

void evening::read_back(int patient) {
  const auto& a = accounts_[static_cast<std::size_t>(patient)];
  BOOST_TEST(retry(patient, first) == (a.stored == first ? 200 : 409));
  BOOST_TEST(retry(patient, other) == (a.stored == other ? 200 : 409));
  const auto id = domain::make_receipt("demo", subject(patient), name_);
  const auto receipts = node_.receipts(subject(patient));
  BOOST_TEST(std::count(receipts.begin(), receipts.end(), to_text(id)) == 1,
             "patient " << patient << " has it " << receipts.size() << " times");
  const auto one = node_.body(node_.get(subject(patient), id));
  BOOST_TEST(one.value("answers", json{}) == test_node::stored_answers(content_of(patient, a.stored)), one.dump());
}

} // namespace epione::tests
