// epione cert: what an operator sees who makes a cluster's certificates.
#include "tests/unit/cli/scratch.hpp"

#include <nlohmann/json.hpp>

using namespace epione::cli::test;

BOOST_AUTO_TEST_SUITE(cert_command)

BOOST_AUTO_TEST_CASE(an_authority_issues_a_certificate_that_can_be_shown) {
  const scratch dir;
  auto a = call({"cert", "init-authority", "--out", dir / "ca", "--name", "Trial X"});
  BOOST_TEST(a.code == 0, a.err);
  BOOST_TEST(a.out.find(dir / "ca/authority.key") != std::string::npos, a.out);
  a = call({"cert", "issue", "--node", "node-a", "--authority", dir / "ca", "--out", dir / "n", "--days", "20", "--host",
            "192.0.2.1", "--host", "a.example.org"});
  BOOST_TEST(a.code == 0, a.err);
  BOOST_TEST(a.out.find("[peers]") != std::string::npos);
  a = call({"cert", "show", dir / "n/node-a.crt"});
  BOOST_TEST(a.code == 0, a.err);
  for (const auto* said : {"node-a", "Trial X", "192.0.2.1", "a.example.org"})
    BOOST_TEST(a.out.find(said) != std::string::npos, said);
  BOOST_TEST((a.out.find("20 days left") != std::string::npos || a.out.find("19 days left") != std::string::npos), a.out);
  const auto shown = nlohmann::json::parse(call({"cert", "show", dir / "n/node-a.crt", "--json"}).out);
  BOOST_TEST(shown.at(0).at("name") == "node-a");
  BOOST_TEST(shown.at(0).at("issuer") == "Trial X");
  BOOST_TEST(shown.at(0).at("authority") == false);
  BOOST_TEST(nlohmann::json::parse(call({"cert", "show", dir / "ca/authority.crt", "--json"}).out).at(0).at("authority") == true);
}

BOOST_AUTO_TEST_CASE(what_is_refused_says_why_and_leaves_nothing) {
  const scratch dir;
  BOOST_TEST(call({"cert", "issue", "--node", "a", "--out", dir / "n"}).code == 2); // no authority
  auto a = call({"cert", "issue", "--node", "a", "--authority", dir / "none", "--out", dir / "n"});
  BOOST_TEST(a.code == 1);
  BOOST_TEST(a.err.find("init-authority") != std::string::npos, a.err);
  BOOST_REQUIRE(call({"cert", "init-authority", "--out", dir / "ca"}).code == 0);
  a = call({"cert", "init-authority", "--out", dir / "ca"});
  BOOST_TEST(a.code == 1);
  BOOST_TEST(a.err.find("never overwritten") != std::string::npos, a.err);
  a = call({"cert", "issue", "--node", "Node", "--authority", dir / "ca", "--out", dir / "n"});
  BOOST_TEST(a.code == 1);
  BOOST_TEST(a.err.find("'Node'") != std::string::npos, a.err);
  BOOST_TEST(!std::filesystem::exists(dir / "n"));
  BOOST_TEST(call({"cert", "issue", "--node", "a", "--authority", dir / "ca", "--out", dir / "n"}).code == 0);
  a = call({"cert", "issue", "--node", "a", "--authority", dir / "ca", "--out", dir / "n"});
  BOOST_TEST(a.code == 1);
  BOOST_TEST(a.err.find("--force") != std::string::npos, a.err);
  BOOST_TEST(call({"cert", "issue", "--node", "a", "--authority", dir / "ca", "--out", dir / "n", "--force"}).code == 0);
  BOOST_TEST(call({"cert", "show", dir / "n/a.key"}).code == 1);
  BOOST_TEST(call({"cert", "show", dir / "nothing"}).code == 1);
}

BOOST_AUTO_TEST_SUITE_END()
