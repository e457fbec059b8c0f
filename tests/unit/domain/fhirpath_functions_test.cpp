#include "fhirpath_fixture.hpp"

using namespace epione::tests;

BOOST_AUTO_TEST_SUITE(fhirpath_functions)

BOOST_AUTO_TEST_CASE(existence) {
  check_said({{"{}.empty()", "true"},
              {"1.empty()", "false"},
              {"{}.exists()", "false"},
              {"1.exists()", "true"},
              {"(1 | 2).exists($this > 1)", "true"},
              {"(1 | 2).exists($this > 2)", "false"},
              {"(1 | 2).exists({})", "false"},
              {"(1 | 2).all($this > 0)", "true"},
              {"(1 | 2).all($this > 1)", "false"},
              {"(1 | 2).all({})", "false"},
              {"{}.all(false)", "true"},
              {"(true | true).allTrue()", "true"},
              {"(true | false).allTrue()", "false"},
              {"{}.allTrue()", "true"},
              {"(true | false).anyTrue()", "true"},
              {"{}.anyTrue()", "false"},
              {"false.allFalse()", "true"},
              {"(true | false).allFalse()", "false"},
              {"{}.allFalse()", "true"},
              {"(true | false).anyFalse()", "true"},
              {"true.anyFalse()", "false"},
              {"{}.anyFalse()", "false"},
              {"1.allTrue()", "error"},
              {"(true | 'x').anyTrue()", "error"},
              {"(1 | 2).count()", "2"},
              {"{}.count()", "0"},
              {"(1).combine(1).count()", "2"},
              {"1.combine(1).distinct()", "1"},
              {"{}.distinct()", "{}"},
              {"1.combine(1).isDistinct()", "false"},
              {"(1 | 2).isDistinct()", "true"},
              {"{}.isDistinct()", "true"},
              {"(1 | 2).subsetOf(1 | 2 | 3)", "true"},
              {"(1 | 4).subsetOf(1 | 2 | 3)", "false"},
              {"{}.subsetOf({})", "true"},
              {"(1 | 2 | 3).supersetOf(1 | 2)", "true"},
              {"{}.supersetOf(1)", "false"}});
}

BOOST_AUTO_TEST_CASE(filters_and_projections) {
  check_said({{"(1 | 2 | 3).where($this > 1)", "2, 3"},
              {"(1 | 2 | 3).where($index = 1)", "2"},
              {"(1 | 2).where({})", "{}"},
              {"(1 | 2).where('x')", "1, 2"}, // a single item that is no Boolean counts as true
              {"(1 | 2).where(true | false)", "error"},
              {"{}.where(true)", "{}"},
              {"(1 | 2).select($this * 10)", "10, 20"},
              {"(1 | 2).select($this | 5)", "1, 5, 2, 5"},
              {"(1 | 2).select($index)", "0, 1"},
              {"(1 | 2).select({})", "{}"},
              {"(1 | 2).select((10 | 20).where($this > 10).select($this + $index))", "20, 20"},
              {"1.repeat(iif($this < 4, $this + 1, {}))", "2, 3, 4"},
              {"1.repeat($this)", "1"},
              {"{}.repeat(1)", "{}"}});
}

BOOST_AUTO_TEST_CASE(parts_of_a_collection) {
  check_said({{"(1 | 2 | 3).first()", "1"},
              {"{}.first()", "{}"},
              {"(1 | 2 | 3).last()", "3"},
              {"{}.last()", "{}"},
              {"(1 | 2 | 3).tail()", "2, 3"},
              {"1.tail()", "{}"},
              {"{}.tail()", "{}"},
              {"(1 | 2 | 3).skip(1)", "2, 3"},
              {"(1 | 2).skip(0)", "1, 2"},
              {"(1 | 2).skip(-1)", "1, 2"},
              {"(1 | 2).skip(9)", "{}"},
              {"(1 | 2).skip('a')", "error"},
              {"(1 | 2).take(1)", "1"},
              {"(1 | 2).take(9)", "1, 2"},
              {"(1 | 2).take(0)", "{}"},
              {"(1 | 2).take(-1)", "{}"},
              {"(1 | 2).take({})", "{}"},
              {"1.single()", "1"},
              {"{}.single()", "{}"},
              {"(1 | 2).single()", "error"},
              {"(1 | 2).take(1 | 2)", "error"}});
}

BOOST_AUTO_TEST_CASE(combining) {
  check_said({{"(1 | 2 | 3).intersect(2 | 3 | 4)", "2, 3"},
              {"1.combine(1).intersect(1)", "1"},
              {"(1 | 2).intersect({})", "{}"},
              {"(1 | 2 | 3).exclude(2)", "1, 3"},
              {"1.combine(1).exclude(2)", "1, 1"},
              {"(1 | 2).exclude({})", "1, 2"},
              {"1.combine(1).union(2)", "1, 2"},
              {"{}.union({})", "{}"},
              {"(1 | 2).combine(2 | 3)", "1, 2, 2, 3"},
              {"{}.combine(1)", "1"}});
}

BOOST_AUTO_TEST_CASE(strings) {
  check_said({{"'abcdefg'.indexOf('bc')", "1"},
              {"'abcdefg'.indexOf('x')", "-1"},
              {"'abc'.indexOf('')", "0"},
              {"'\xc3\xa4\xc3\xb6x'.indexOf('x')", "2"},
              {"{}.indexOf('a')", "{}"},
              {"'a'.indexOf({})", "{}"},
              {"1.indexOf('a')", "error"},
              {"'abcdefg'.substring(3)", "'defg'"},
              {"'abcdefg'.substring(1, 2)", "'bc'"},
              {"'abcdefg'.substring(6, 2)", "'g'"},
              {"'abcdefg'.substring(7, 1)", "{}"},
              {"'abcdefg'.substring(-1)", "{}"},
              {"'abc'.substring(1, 0)", "''"},
              {"'abc'.substring(1, {})", "'bc'"},
              {"'\xc3\xa4\xc3\xb6\xc3\xbc'.substring(1, 1)", "'\xc3\xb6'"},
              {"{}.substring(1)", "{}"},
              {"'abc'.startsWith('ab')", "true"},
              {"'abc'.startsWith('')", "true"},
              {"'abc'.startsWith('b')", "false"},
              {"{}.startsWith('b')", "{}"},
              {"('a' | 'b').startsWith('a')", "error"},
              {"'abc'.endsWith('bc')", "true"},
              {"'abc'.endsWith('b')", "false"},
              {"{}.endsWith('b')", "{}"},
              {"'abc'.contains('b')", "true"},
              {"'abc'.contains('')", "true"},
              {"'abc'.contains('x')", "false"},
              {"{}.contains('x')", "{}"},
              {"1.contains('x')", "error"},
              {"'aBc\xc3\xa4\xd0\xb6\xce\xb1\xc3\xbf'.upper()", "'ABC\xc3\x84\xd0\x96\xce\x91\xc5\xb8'"},
              {"'ABC\xc3\x84\xd0\x96\xce\x91\xc5\xb8\xe4\xb8\xad'.lower()", "'abc\xc3\xa4\xd0\xb6\xce\xb1\xc3\xbf\xe4\xb8\xad'"},
              {"'\xc3\x9f\xc4\x8d\xc5\xa0'.upper()", "'\xc3\x9f\xc4\x8c\xc5\xa0'"},
              {"{}.upper()", "{}"},
              {"1.lower()", "error"}});
}

BOOST_AUTO_TEST_CASE(strings_are_taken_apart_and_put_together) {
  check_said({{"'abcdefg'.replace('cde', '123')", "'ab123fg'"},
              {"'abcabc'.replace('b', '')", "'acac'"},
              {"'abc'.replace('', 'x')", "'xaxbxcx'"},
              {"'abc'.replace('x', 'y')", "'abc'"},
              {"''.replace('', 'x')", "'x'"},
              {"{}.replace('a', 'b')", "{}"},
              {"'a'.replace({}, 'b')", "{}"},
              {"'abc'.length()", "3"},
              {"'\xe4\xb8\xad\xc3\xa4'.length()", "2"},
              {"''.length()", "0"},
              {"{}.length()", "{}"},
              {"1.length()", "error"},
              {"'t2\xc3\xa4'.toChars()", "'t', '2', '\xc3\xa4'"},
              {"''.toChars()", "{}"},
              {"{}.toChars()", "{}"},
              {"('a' | 'b' | 'c').join(',')", "'a,b,c'"},
              {"('a' | 'b').join()", "'ab'"},
              {"{}.join(',')", "{}"},
              {"(1 | 2).join(',')", "error"},
              {"'a,b,,c'.split(',')", "'a', 'b', '', 'c'"},
              {"'abc'.split('')", "'a', 'b', 'c'"},
              {"''.split(',')", "''"},
              {"{}.split(',')", "{}"},
              {"'  a b\\n'.trim()", "'a b'"},
              {"'   '.trim()", "''"},
              {"{}.trim()", "{}"}});
}

BOOST_AUTO_TEST_CASE(strings_as_they_are_written_elsewhere) {
  check_said({{"'abcbc'.lastIndexOf('bc')", "3"},
              {"'\xc3\xa4zz'.lastIndexOf('z')", "2"},
              {"'abc'.lastIndexOf('x')", "-1"},
              {"{}.lastIndexOf('x')", "{}"},
              {"'test'.encode('base64')", "'dGVzdA=='"},
              {"'subjects?_d'.encode('base64')", "'c3ViamVjdHM/X2Q='"},
              {"'subjects?_d'.encode('urlbase64')", "'c3ViamVjdHM_X2Q='"},
              {"'t\xc3\xa4'.encode('hex')", "'74c3a4'"},
              {"''.encode('hex')", "''"},
              {"'x'.encode('rot13')", "error"},
              {"{}.encode('hex')", "{}"},
              {"'dGVzdA=='.decode('base64')", "'test'"},
              {"'c3ViamVjdHM_X2Q='.decode('urlbase64')", "'subjects?_d'"},
              {"'c3ViamVjdHM_X2Q='.decode('base64')", "{}"},
              {"'74C3a4'.decode('hex')", "'t\xc3\xa4'"},
              {"'7'.decode('hex')", "{}"},
              {"'7x'.decode('hex')", "{}"},
              {"'ff'.decode('hex')", "{}"}, // no UTF-8
              {"'abc'.decode('base64')", "{}"},
              {"'x'.decode('rot13')", "error"},
              {"'\"1<2\"'.escape('html')", "'&quot;1&lt;2&quot;'"},
              {"'&quot;1&lt;2&quot;&apos;&eacute;'.unescape('html')", "'\"1<2\"'&eacute;'"},
              {"'\"1<2\"'.escape('json')", "'\\\"1<2\\\"'"},
              {"'\\\\\"1<2\\\\\"'.unescape('json')", "'\"1<2\"'"},
              {"'\\\\'.unescape('json')", "{}"},
              {"'a'.escape('xml')", "error"},
              {"{}.unescape('json')", "{}"}});
}

BOOST_AUTO_TEST_CASE(precision) {
  check_said({{"(1.58700).precision()", "5"},
              {"1.precision()", "0"},
              {"(@2014).precision()", "4"},
              {"(@2014-01-05).precision()", "8"},
              {"(@2014-01-05T10:30:00.000).precision()", "17"},
              {"(@T10:30).precision()", "4"},
              {"(@T10:30:00.000).precision()", "9"},
              {"{}.precision()", "{}"},
              {"'x'.precision()", "error"}});
}

BOOST_AUTO_TEST_CASE(narratives) {
  check_said({{"'<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>'.htmlChecks()", "true"},
              {"'<div xmlns=\"http://www.w3.org/1999/xhtml\">&nbsp;</div>'.htmlChecks()", "true"},
              {"'<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>'.htmlChecks()", "false"},
              {"'<div>x</div>'.htmlChecks()", "false"},
              {"{}.htmlChecks()", "{}"}});
}

BOOST_AUTO_TEST_CASE(regular_expressions) {
  check_said({{"'abc'.matches('b')", "true"},
              {"'abc'.matches('^b')", "false"},
              {"'A\\nB'.matches('A.B')", "true"},
              {"'abc'.matches('B')", "false"},
              {"{}.matches('b')", "{}"},
              {"'abc'.matchesFull('b')", "false"},
              {"'abc'.matchesFull('a.c')", "true"},
              {"'abc'.matchesFull('b' & 'c')", "false"},
              {"'abc'.matchesFull('(' & '')", "error"},
              {"'abc'.matchesFull('(?<=a)b')", "cannot compile"},
              {"{}.matchesFull('b')", "{}"},
              {"'abc'.matches({})", "{}"},
              {"'abc'.matches('b' & 'c')", "true"},
              {"'abc'.matches('(' & '')", "error"},
              {"'abc'.matches('(?<=a)b')", "cannot compile"},
              {"'11/30/1972'.replaceMatches('\\\\b(?<month>\\\\d{1,2})/(?<day>\\\\d{1,2})/(?<year>\\\\d{2,4})\\\\b', "
               "'${day}-${month}-${year}')",
               "'30-11-1972'"},
              {"'abc'.replaceMatches('(b)', '<$1$$>')", "'a<b$>c'"},
              {"'abc'.replaceMatches('x', 'y')", "'abc'"},
              {"'abc'.replaceMatches('', '-')", "'abc'"},
              {"'\xc3\xa4\xc3\xb6'.replaceMatches('x*', '-')", "'-\xc3\xa4-\xc3\xb6-'"},
              {"'aXbX'.replaceMatches('X|(y)', '[$1]')", "'a[]b[]'"},
              {"'abc'.replaceMatches('b', '$1')", "error"},
              {"'abc'.replaceMatches('b', '${name}')", "error"},
              {"'abc'.replaceMatches('b', '$')", "error"},
              {"'abc'.replaceMatches('[(?<]', 'x')", "'abc'"},
              {"{}.replaceMatches('b', 'c')", "{}"}});
}

BOOST_AUTO_TEST_CASE(numbers) {
  check_said({{"(-5).abs()", "5"},
              {"(-5.5).abs()", "5.5"},
              {"{}.abs()", "{}"},
              {"'a'.abs()", "error"},
              {"(-1.1).ceiling()", "-1"},
              {"1.1.ceiling()", "2"},
              {"1.ceiling()", "1"},
              {"{}.ceiling()", "{}"},
              {"1.9.floor()", "1"},
              {"(-2.1).floor()", "-3"},
              {"{}.floor()", "{}"},
              {"(-1.56).truncate()", "-1"},
              {"{}.truncate()", "{}"},
              {"9999999999.5.truncate()", "{}"},
              {"1.5.round()", "2"},
              {"(-1.5).round()", "-2"},
              {"3.14159.round(3)", "3.142"},
              {"1.round()", "1"},
              {"1.23.round(-1)", "error"},
              {"{}.round()", "{}"},
              {"0.exp()", "1"},
              {"(-0.0).exp()", "1"},
              {"{}.exp()", "{}"},
              {"100.exp()", "{}"},
              {"1.ln()", "0"},
              {"1.0.ln()", "0"},
              {"0.ln()", "{}"},
              {"(-1).ln()", "{}"},
              {"{}.ln()", "{}"},
              {"16.log(2)", "4"},
              {"1000.0.log(10)", "3"},
              {"16.log(1)", "{}"},
              {"16.log({})", "{}"},
              {"2.power(3)", "8"},
              {"2.5.power(2)", "6.25"},
              {"2.power(-1)", "0.5"},
              {"2.power(0)", "1"},
              {"(-1).power(0.5)", "{}"},
              {"2.power(31)", "{}"},
              {"2.0.power(31)", "2147483648.0"},
              {"9.power(0.5)", "3"},
              {"0.power(-1)", "{}"},
              {"{}.power(2)", "{}"},
              {"2.power({})", "{}"},
              {"2.power(99999999)", "{}"},
              {"81.sqrt()", "9"},
              {"(-1).sqrt()", "{}"},
              {"2.sqrt()", "1.4142135623731"},
              {"{}.sqrt()", "{}"},
              {"(1 | 2).sqrt()", "error"},
              {"2.exp().round(6)", "7.389056"}});
}

BOOST_AUTO_TEST_CASE(sums) {
  check_said({{"(1 | 2 | 3).sum()", "6"},
              {"(0.1 | 0.2).sum()", "0.3"},
              {"(1 'g' | 1 'kg').sum()", "1001 'g'"},
              {"{}.sum()", "{}"}, // an unanswered form has no total
              {"5.sum()", "5"},
              {"('a' | 'b').sum()", "'ab'"},
              {"true.sum()", "error"},
              {"(1 | 'a').sum()", "error"},
              {"2147483647.combine(1).sum()", "{}"},
              {"(3 | 1 | 2).min()", "1"},
              {"(3 | 1 | 2).max()", "3"},
              {"('b' | 'a').min()", "'a'"},
              {"(@2012 | @2013-01).max()", "@2013-01"},
              {"(@2012 | @2012-01).max()", "{}"},
              {"{}.min()", "{}"},
              {"{}.max()", "{}"},
              {"(1 | 'a').min()", "error"},
              {"(1 | 2).avg()", "1.5"},
              {"{}.avg()", "{}"},
              {"(1 | 2 | 3).aggregate($this + $total, 0)", "6"},
              {"{}.aggregate($this + $total, 0)", "0"},
              {"(1 | 2 | 3).aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))", "1"},
              {"(1 | 2 | 3).aggregate($total | $index, {})", "0, 1, 2"},
              {"(3 | 4).aggregate($total + $this, 0) / (3 | 4).count()", "3.5"}});
}

BOOST_AUTO_TEST_CASE(utilities) {
  check_said({{"iif(true, 'a', 'b')", "'a'"},
              {"iif(false, 'a', 'b')", "'b'"},
              {"iif({}, 'a', 'b')", "'b'"},
              {"iif(false, 'a')", "{}"},
              {"iif('x', 1, 2)", "1"},
              {"iif(true | false, 1, 2)", "error"},
              {"iif(true, 1, 1 + 'a')", "1"}, // what is not chosen is not evaluated
              {"5.iif($this > 3, $this, 0)", "5"},
              {"1.trace('x')", "1"},
              {"{}.trace('x', $this)", "{}"},
              {"1.trace()", "cannot compile"},
              {"%ucum", "'http://unitsofmeasure.org'"},
              {"%loinc", "'http://loinc.org'"},
              {"%sct", "'http://snomed.info/sct'"},
              {"%`vs-administrative-gender`", "'http://hl7.org/fhir/ValueSet/administrative-gender'"},
              {"%`ext-birthPlace`", "'http://hl7.org/fhir/StructureDefinition/birthPlace'"},
              {"%unknown", "error"}});
}

BOOST_AUTO_TEST_CASE(variables_are_handed_in) {
  fp::environment world;
  world.variables = {{"a", {fp::value{std::int64_t{1}}}}, {"none", {}}, {"a", {fp::value{std::int64_t{2}}}}};
  check_said({{"%a + 1", "3"}, {"%none.empty()", "true"}, {"%a.select($this + %a)", "4"}, {"%`a`", "2"}, {"%b", "error"}}, world);
  BOOST_TEST(said("1 + %b", world) == "error: line 1, column 6: there is no variable %b here");
}

BOOST_AUTO_TEST_SUITE_END()
