// What the commands for certificates write, and what they never write over.
#include "cluster/certificates.hpp"
#include "tests/unit/peer/peer_fixture.hpp"

#include <fstream>
#include <sys/stat.h>

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::test;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

certificate_info first_of(const std::string& path) {
  const auto all = read_certificates(text_of(path), path);
  BOOST_REQUIRE_MESSAGE(all, (all ? "" : all.error()));
  return all->front();
}

mode_t mode_of(const std::string& path) {
  struct stat s{};
  BOOST_REQUIRE(::stat(path.c_str(), &s) == 0);
  return s.st_mode & 0777;
}

} // namespace

BOOST_AUTO_TEST_SUITE(certificates)

BOOST_AUTO_TEST_CASE(an_authority_and_a_node_are_what_was_asked_for) {
  const scratch dir;
  runtime::system_random random;
  const auto now = now_s();
  BOOST_REQUIRE(make_authority({dir / "ca", "Trial X", 100, now}, random));
  const auto ca = first_of(dir / "ca/authority.crt");
  BOOST_TEST((ca.authority && ca.name == "Trial X" && ca.issuer == "Trial X"));
  BOOST_TEST(days_left(ca, now) == 100);
  BOOST_TEST(mode_of(dir / "ca/authority.key") == 0600U);
  BOOST_TEST(mode_of(dir / "ca") == 0700U);

  node_request r{"node-a", dir / "ca", dir / "n", {"a.example.org", "192.0.2.7"}, 30, false, now};
  BOOST_REQUIRE(issue_certificate(r, random));
  const auto node = first_of(dir / "n/node-a.crt");
  BOOST_TEST((!node.authority && node.name == "node-a" && node.issuer == "Trial X"));
  BOOST_TEST((node.names == std::vector<std::string>{"node-a", "a.example.org", "192.0.2.7"}));
  BOOST_TEST(days_left(node, now) == 30);
  BOOST_TEST(days_left(node, now + 31 * day_s) == -1);
  BOOST_TEST(mode_of(dir / "n/node-a.key") == 0600U);
  BOOST_TEST(text_of(dir / "n/authorities.crt") == text_of(dir / "ca/authority.crt"));
  BOOST_TEST(node.serial != ca.serial);
}

BOOST_AUTO_TEST_CASE(nothing_is_overwritten_unless_it_is_said_and_an_authority_never) {
  const scratch dir;
  runtime::system_random random;
  BOOST_REQUIRE(make_authority({dir / "ca", "X", 100, now_s()}, random));
  const auto authority_before = text_of(dir / "ca/authority.key");
  const auto again = make_authority({dir / "ca", "X", 100, now_s()}, random);
  BOOST_REQUIRE(!again);
  BOOST_TEST(again.error().find("never overwritten") != std::string::npos);
  BOOST_TEST(text_of(dir / "ca/authority.key") == authority_before);

  node_request r{"a", dir / "ca", dir / "n", {}, 30, false, now_s()};
  BOOST_REQUIRE(issue_certificate(r, random));
  const auto before = text_of(dir / "n/a.key");
  const auto refused = issue_certificate(r, random);
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().find("--force") != std::string::npos);
  BOOST_TEST(text_of(dir / "n/a.key") == before);
  r.force = true;
  BOOST_REQUIRE(issue_certificate(r, random));
  BOOST_TEST(text_of(dir / "n/a.key") != before);
  BOOST_TEST(mode_of(dir / "n/a.key") == 0600U);
}

BOOST_AUTO_TEST_CASE(a_second_authority_is_trusted_beside_the_first) {
  const scratch dir;
  runtime::system_random random;
  for (const auto* name : {"one", "two"})
    BOOST_REQUIRE(make_authority({dir / name, name, 100, now_s()}, random));
  BOOST_REQUIRE(issue_certificate({"a", dir / "one", dir / "n", {}, 30, false, now_s()}, random));
  BOOST_REQUIRE(issue_certificate({"a", dir / "two", dir / "n", {}, 30, true, now_s()}, random));
  BOOST_REQUIRE(issue_certificate({"a", dir / "two", dir / "n", {}, 30, true, now_s()}, random));
  const auto all = read_certificates(text_of(dir / "n/authorities.crt"), "authorities");
  BOOST_REQUIRE(all);
  BOOST_REQUIRE_EQUAL(all->size(), 2U);
  BOOST_TEST((all->at(0).name == "one" && all->at(1).name == "two"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_issued_is_refused_with_the_reason) {
  const scratch dir;
  runtime::system_random random;
  BOOST_REQUIRE(make_authority({dir / "ca", "X", 100, now_s()}, random));
  const auto refused = [&](node_request r) {
    r.authority_directory = r.authority_directory.empty() ? dir / "ca" : r.authority_directory;
    r.directory = dir / "n";
    r.now_s = r.now_s == 0 ? now_s() : r.now_s;
    const auto done = issue_certificate(r, random);
    return done ? std::string{} : done.error();
  };
  BOOST_TEST(refused({"A", {}, {}, {}, 30, false, 0}).find("cannot be a node's name") != std::string::npos);
  BOOST_TEST(refused({"a,DNS:b", {}, {}, {}, 30, false, 0}).find("cannot be a node's name") != std::string::npos);
  BOOST_TEST(refused({"a", {}, {}, {"x,DNS:b"}, 30, false, 0}).find("neither a host name") != std::string::npos);
  BOOST_TEST(refused({"a", {}, {}, {}, 0, false, 0}).find("allowed is 1 to") != std::string::npos);
  BOOST_TEST(refused({"a", {}, {}, {}, 101, false, 0}).find("outlive its authority") != std::string::npos);
  BOOST_TEST(refused({"a", {}, {}, {}, 30, false, now_s() + 200 * day_s}).find("ended on") != std::string::npos);
  BOOST_TEST(refused({"a", dir / "none", {}, {}, 30, false, 0}).find("init-authority") != std::string::npos);
  BOOST_TEST(!std::filesystem::exists(dir / "n/a.key"));
}

BOOST_AUTO_TEST_CASE(damaged_certificates_are_no_certificates) {
  const scratch dir;
  authority trust{dir / "ca"};
  const auto good = text_of(trust.certificate());
  BOOST_TEST(read_certificates(good + good, "x")->size() == 2U);
  BOOST_TEST(!read_certificates("", "x"));
  auto damaged = good;
  damaged[good.size() / 2] = damaged[good.size() / 2] == 'A' ? 'B' : 'A';
  const auto read = read_certificates(good + damaged.substr(0, damaged.size() - 40), "x.crt");
  BOOST_REQUIRE(!read);
  BOOST_TEST(read.error().find("x.crt holds a damaged certificate") != std::string::npos, read.error());
}

BOOST_AUTO_TEST_CASE(names_of_nodes_are_labels) {
  for (const auto* good : {"a", "node-1", "0", "a--b"})
    BOOST_TEST(!node_name_problem(good));
  BOOST_TEST(!node_name_problem(std::string(63, 'a')));
  for (const auto* bad : {"", "-a", "a-", "A", "a.b", "a_b", "a b", "\xc3\xa4"})
    BOOST_TEST(node_name_problem(bad).has_value(), bad);
  BOOST_TEST(node_name_problem(std::string(64, 'a')).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
