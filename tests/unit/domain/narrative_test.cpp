// Narratives: XHTML that is well-formed, of what FHIR allows, and says something.
#include "domain/narrative.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace epione::domain;

namespace {

const std::string div_start = R"(<div xmlns="http://www.w3.org/1999/xhtml">)";

/// "error structure"; "" if nothing was found.
std::string found_in(const std::string& div) {
  std::string text;
  for (const auto& f : check_narrative(div)) {
    text += (text.empty() ? "" : "; ") + std::string{name(f.severity)} + " " + f.code.text;
    BOOST_TEST(!f.message.empty());
  }
  return text;
}

std::string within(const std::string& content) {
  return found_in(div_start + content + "</div>");
}

const std::string malformed_narrative = "error structure";
const std::string txt_1 = "error invariant";
const std::string txt_2 = "warning invariant";

} // namespace

BOOST_AUTO_TEST_SUITE(narrative)

BOOST_AUTO_TEST_CASE(what_fhir_shows_as_a_narrative_is_one) {
  BOOST_TEST(within("Hello") == "");
  BOOST_TEST(within("<p class='a'>A &amp; B &#160; &#xA0; &lt;</p><hr/><br />") == "");
  BOOST_TEST(
      within(
          R"(<table border="1"><tr><td nowrap="nowrap" colspan="2">x</td></tr></table><a href="http://x/y?a=b&amp;c">z</a>)") ==
      "");
  BOOST_TEST(within("<!-- a comment --><b>x</b>") == "");
  BOOST_TEST(within("<![CDATA[a < b]]>") == "");
  BOOST_TEST(found_in("\n <!-- before -->" + div_start + "x</div>\n ") == "");
  BOOST_TEST(found_in(R"(<x:div xmlns:x="http://www.w3.org/1999/xhtml"><x:p>a</x:p></x:div>)") == "");
}

BOOST_AUTO_TEST_CASE(it_is_well_formed) {
  for (const auto* bad : {"<p>x",
                          "x</p>",
                          "<p>x</b></p>",
                          "a & b",
                          "a &x",
                          "&;",
                          "a < b",
                          "<p class=a>x</p>",
                          "<td nowrap>x</td>",
                          "<p class='a' class='b'>x</p>",
                          "<p title='<'>x</p>",
                          "<p title='a & b'>x</p>",
                          "<!-- x",
                          "<![CDATA[x",
                          "<p",
                          "<!DOCTYPE html>x",
                          "<?xml-stylesheet href='x'?>x",
                          "<p class=\"x>y</p>",
                          "</",
                          "<"})
    BOOST_TEST(within(bad) == malformed_narrative, bad);
  for (const std::string bad : {"", "x", "<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>", "<div", "<>"})
    BOOST_TEST(found_in(bad) == malformed_narrative, bad);
  BOOST_TEST(within("x</div>y") == malformed_narrative);
  BOOST_TEST(within("x</div><div>y") == malformed_narrative);
}

BOOST_AUTO_TEST_CASE(it_is_in_the_namespace_of_xhtml) {
  BOOST_TEST(found_in("<div>x</div>") == "error invalid");
  BOOST_TEST(found_in(R"(<div xmlns="http://www.w3.org/1999/html">x</div>)") == "error invalid");
  BOOST_TEST(within(R"(<p xmlns="http://www.w3.org/2000/svg">x</p>)") == "error invalid");
  BOOST_TEST(within(R"(<p xmlns="http://www.w3.org/1999/xhtml">x</p>)") == "");
}

BOOST_AUTO_TEST_CASE(it_has_only_elements_and_attributes_that_are_allowed) {
  for (const auto* bad : {"<script>x</script>", "<form>x</form>", "<iframe/>", "<object>x</object>", "<style>x</style>",
                          "<P>x</P>", "<svg:rect xmlns:svg='http://www.w3.org/2000/svg'/>", "<p onclick='x'>y</p>",
                          "<p href='x'>y</p>", "<a href='javascript:x'>y</a>", "<a href=' JAVA&#115;cript:x'>y</a>",
                          "<a href='java&#x0A;script:x'>y</a>", "<a href='javascript&colon;x'>y</a>", "<img src='vbscript:x'/>"})
    BOOST_TEST(within(bad) == txt_1, bad);
  BOOST_TEST(found_in(R"(<div xmlns="http://www.w3.org/1999/xhtml" onload="x">y</div>)") == txt_1);
  BOOST_TEST(within("<a href='script:x'>y</a>") == ""); // not one that runs
}

BOOST_AUTO_TEST_CASE(it_says_something) {
  for (const auto* empty : {"", " \n ", "<p> </p>", "<pre>\n</pre>", "<!-- x -->", "<![CDATA[ ]]>"})
    BOOST_TEST(within(empty) == txt_2, empty);
  BOOST_TEST(within("<p><img src='#a'/></p>") == "");
  BOOST_TEST(within("&#65;") == "");
}

BOOST_AUTO_TEST_CASE(entities_of_html_alone_are_a_warning) {
  BOOST_TEST(within("a&nbsp;b") == "warning invalid");
  BOOST_TEST(within("<p title='&eacute;'>b</p>") == "warning invalid");
}

BOOST_AUTO_TEST_CASE(however_deep_and_long_it_is_it_takes_no_stack_and_linear_time) {
  const auto nested = [](int depth) {
    std::string before, after;
    for (int i = 0; i < depth; ++i)
      before += "<b>", after += "</b>";
    return before + "x" + after;
  };
  BOOST_TEST(within(nested(98)) == "");
  BOOST_TEST(within(nested(200'000)) == malformed_narrative);
  std::string references, attributes = "<p";
  for (int i = 0; i < 100'000; ++i) {
    references += "&";
    attributes += " xmlns:a" + std::to_string(i) + "='x'";
  }
  BOOST_TEST(within(references) == malformed_narrative);
  BOOST_TEST(within(attributes + ">x</p>") == "");
}

BOOST_AUTO_TEST_CASE(a_message_never_repeats_the_text) {
  for (const auto& f : check_narrative(div_start + "secret <b onclick='secret'>secret</b></div>"))
    BOOST_TEST(f.message.find("secret") == std::string::npos, f.message);
}

BOOST_AUTO_TEST_SUITE_END()
