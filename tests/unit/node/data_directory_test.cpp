// Who may write into a data directory while no node runs on it.
#include "node/data_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <unistd.h>

using namespace epione;

BOOST_AUTO_TEST_SUITE(data_directory)

BOOST_AUTO_TEST_CASE(another_user_s_directory_is_refused_with_the_command_that_helps) {
  auto name = (std::filesystem::temp_directory_path() / "epione-owner-XXXXXX").string();
  BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
  BOOST_TEST(!node::why_not_owner(name, "epione export ..."));
  BOOST_TEST(!node::why_not_owner(name + "/not-there", "epione export ..."));
  // Root can give it away; everybody else finds root's.
  const std::string others = ::geteuid() == 0 ? name : "/";
  BOOST_REQUIRE((::geteuid() != 0 || ::chown(name.c_str(), 65'534, 65'534) == 0));
  const auto why = node::why_not_owner(others, "epione export ...");
  std::filesystem::remove_all(name);
  BOOST_REQUIRE(why.has_value());
  BOOST_TEST(why->starts_with(others + " belongs to the user "), *why);
  BOOST_TEST(why->ends_with(" -- epione export ..."), *why);
}

BOOST_AUTO_TEST_CASE(a_member_that_has_lost_its_journal_is_refused_with_the_command_that_replaces_it) {
  auto name = (std::filesystem::temp_directory_path() / "epione-member-XXXXXX").string();
  BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
  runtime::config config;
  config.data.directory = name;
  const auto write = [&](bool begun) {
    return node::write_membership(name, "0123", config.shards.count, {"n2", 4, false, {}, begun}).has_value();
  };
  BOOST_REQUIRE(write(false)); // just let in: it has no journal yet
  {
    const auto opened = node::open_data_directory(config);
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST(opened->member.node == "n2");
    BOOST_TEST(opened->member.server_id == 4u);
  }
  BOOST_REQUIRE(write(true));
  const auto refused = node::open_data_directory(config);
  std::filesystem::remove_all(name);
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().exit_code == 4);
  BOOST_TEST(refused.error().message.find("epione cluster replace n2") != std::string::npos, refused.error().message);
}

BOOST_AUTO_TEST_SUITE_END()
