// What the console prints: columns, widths, numbers.
#include "actors/console_table.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::actors;
using kind = console_table::kind;

BOOST_AUTO_TEST_SUITE(console_tables)

BOOST_AUTO_TEST_CASE(columns_are_as_wide_as_their_widest_cell_and_numbers_stand_to_the_right) {
  console_table table{{{"ACTOR"}, {"MAILBOX", kind::number}, {"STATE"}}};
  table.add({"├ region 1", "7", "serving"});
  table.add({"node", "12,345", ""});
  BOOST_TEST(table.text(80) == "ACTOR       MAILBOX  STATE\n"
                               "├ region 1        7  serving\n"
                               "node         12,345\n");
  BOOST_TEST(table.text(80, false) == "├ region 1       7  serving\n"
                                      "node        12,345\n");
}

BOOST_AUTO_TEST_CASE(no_line_is_wider_than_the_terminal) {
  console_table table{{{"NAME"}, {"WHY", kind::cut}, {"MORE", kind::cut}}};
  table.add({"a", std::string(60, 'x'), std::string(40, 'y')});
  BOOST_TEST(text_width(table.text(0, false)) == 1U + 2 + 60 + 2 + 40 + 1);
  const auto narrow = table.text(50, false);
  BOOST_TEST(text_width(narrow.substr(0, narrow.find('\n'))) <= 50U);
  BOOST_TEST(narrow.find("x…  y") != std::string::npos);
  const auto very_narrow = table.text(12, false); // where nothing is left to shorten the line is cut
  BOOST_TEST(text_width(very_narrow.substr(0, very_narrow.find('\n'))) <= 12U);
}

BOOST_AUTO_TEST_CASE(control_characters_move_no_cursor) {
  console_table table{{{"A"}}};
  table.add({"x\x1b[2Jy\nz"});
  BOOST_TEST(table.text(80) == "A\nx?[2Jy?z\n");
}

BOOST_AUTO_TEST_CASE(wide_letters_count_as_two_columns) {
  BOOST_TEST(text_width("痛み") == 4U);
  BOOST_TEST(shortened("痛み止め", 5) == "痛み…");
  BOOST_TEST(shortened("Schmerz", 7) == "Schmerz");
  BOOST_TEST(shortened("Schmerz", 4) == "Sch…");
}

BOOST_AUTO_TEST_CASE(numbers_are_for_people) {
  BOOST_TEST(grouped(0) == "0");
  BOOST_TEST(grouped(999) == "999");
  BOOST_TEST(grouped(1'234'567) == "1,234,567");
  BOOST_TEST(bytes_text(1023) == "1023 B");
  BOOST_TEST(bytes_text(4'300'000) == "4.1 MiB");
  BOOST_TEST(bytes_text(48 * 1024) == "48 KiB");
  BOOST_TEST(bytes_text(1024 * 1024 - 1) == "1.0 MiB");
  BOOST_TEST(duration_text(840) == "840 ms");
  BOOST_TEST(duration_text(59'999) == "59 s");
  BOOST_TEST(duration_text(303'000) == "5m03s");
  BOOST_TEST(duration_text(7'500'000) == "2h05m");
  BOOST_TEST(duration_text(3 * 86'400'000LL + 4 * 3'600'000LL) == "3d04h");
  BOOST_TEST(rate_text(0) == "0");
  BOOST_TEST(rate_text(0.41) == "0.4");
  BOOST_TEST(rate_text(12'344.6) == "12,345");
  BOOST_TEST(time_text(1'700'000'000'123'456) == "2023-11-14 22:13:20");
}

BOOST_AUTO_TEST_SUITE_END()
