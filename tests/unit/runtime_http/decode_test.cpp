// From bytes to a submission: every rule about the members of a body, in JSON and in msgpack.
#include "runtime/http/decode.hpp"

#include "domain/msgpack.hpp"
#include "server_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>

using namespace epione;
using namespace epione::runtime;
using namespace epione::runtime::http;

BOOST_AUTO_TEST_SUITE(decode)

namespace {

std::shared_ptr<catalog_snapshot> studies(const std::vector<std::string>& ids) {
  auto out = std::make_shared<catalog_snapshot>();
  for (const auto& id : ids)
    out->studies.emplace(id, test::small_study(id));
  return out;
}

struct bench {
  system_random random;
  std::shared_ptr<const catalog_snapshot> catalog = studies({"demo"});
  submission_decoder decoder{16, random};

  tl::expected<std::shared_ptr<messages::submission>, decode_error>
  run(std::string body, media type = media::json, std::optional<std::string_view> header_key = std::nullopt) {
    const auto size = body.size();
    body.append(body_padding, '\xee'); // what lies behind a body must not matter
    return decoder.decode(std::string_view{body}.substr(0, size), type, header_key, *catalog);
  }
  messages::submission ok(const std::string& body, media type = media::json,
                          std::optional<std::string_view> header_key = std::nullopt) {
    auto out = run(body, type, header_key);
    BOOST_REQUIRE_MESSAGE(out.has_value(), body + (out ? std::string{} : " -> " + out.error().body));
    return **out;
  }
  /// "STATUS BODY"
  std::string no(const std::string& body, media type = media::json, std::optional<std::string_view> header_key = std::nullopt) {
    auto out = run(body, type, header_key);
    BOOST_REQUIRE_MESSAGE(!out, body);
    return std::to_string(out.error().status) + " " + out.error().body;
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string with_patient(const std::string& value) {
  return R"({"patientId":)" + value + R"(,"key":"k","data":{}})";
}
std::string with_data(const std::string& value) {
  return R"({"patientId":1,"key":"k","data":)" + value + "}";
}
std::string with_key(const std::string& value) {
  return R"({"patientId":1,"key":)" + value + R"(,"data":{}})";
}

const std::string required = R"(400 {"error":"patientId is required"})";

/// msgpack of {"patientId": ..., "key": "k", "data": ...}
std::string packed(const std::function<void(std::string&)>& patient, const std::function<void(std::string&)>& data) {
  std::string out;
  domain::append_map_header(out, 3);
  domain::append_string(out, "patientId");
  patient(out);
  domain::append_string(out, "key");
  domain::append_string(out, "k");
  domain::append_string(out, "data");
  data(out);
  return out;
}

void number_42(std::string& out) {
  domain::append_uint(out, 42);
}
void empty_map(std::string& out) {
  domain::append_map_header(out, 0);
}

} // namespace

BOOST_AUTO_TEST_CASE(every_field_of_a_submission_is_filled) {
  bench b;
  const auto s = b.ok(R"({"patientId":42,"data":{"form":"phq-9"},"key":"abc","study":"demo"})");
  BOOST_TEST(s.study == "demo");
  BOOST_TEST(s.subject == "42");
  BOOST_TEST(s.key == "abc");
  BOOST_TEST(s.key_given);
  BOOST_TEST(s.subject_hash == domain::subject_hash("demo", "42"));
  BOOST_TEST(s.shard == domain::shard_of(s.subject_hash, 16));
  BOOST_TEST((s.id == domain::make_receipt("demo", "42", "abc")));
  BOOST_TEST((s.fingerprint == domain::make_fingerprint(s.content)));
  BOOST_TEST(domain::json_from_msgpack(s.content) == R"({"form":"phq-9"})");
}

BOOST_AUTO_TEST_CASE(a_patient_is_an_integer_or_a_string) {
  bench b;
  BOOST_TEST(b.ok(with_patient("42")).subject == "42");
  BOOST_TEST(b.ok(with_patient("42.0")).subject == "42");
  BOOST_TEST(b.ok(with_patient("-7")).subject == "-7");
  BOOST_TEST(b.ok(with_patient("18446744073709551615")).subject == "18446744073709551615");
  BOOST_TEST(b.ok(with_patient(R"("42")")).subject == "42");
  BOOST_TEST(b.ok(with_patient(R"("S-\u00e4 1")")).subject == "S-\xc3\xa4 1");
  BOOST_TEST(b.ok(with_patient("\"" + std::string(128, 'p') + "\"")).subject.size() == 128u);
}

BOOST_AUTO_TEST_CASE(a_patient_is_required) {
  bench b;
  BOOST_TEST(b.no(R"({"data":{}})") == required);
  BOOST_TEST(b.no("{}") == required);
  BOOST_TEST(b.no(with_patient("0")) == required);
  BOOST_TEST(b.no(with_patient("-0")) == required);
  BOOST_TEST(b.no(with_patient("0.0")) == required);
  BOOST_TEST(b.no(with_patient("null")) == required);
  BOOST_TEST(b.no(with_patient(R"("")")) == required);
  BOOST_TEST(b.no(with_patient(R"("0")")) == required);
}

BOOST_AUTO_TEST_CASE(a_patient_of_another_type_or_too_long_is_refused) {
  bench b;
  for (const std::string value : {"true", "1.5", "1e300", "[1]", "{}"})
    BOOST_TEST(has(b.no(with_patient(value)), "400 {\"error\":\"patientId must be an integer or a string"));
  const auto refused = b.no(with_patient("\"" + std::string(129, 'p') + "\""));
  BOOST_TEST(has(refused, "400 {\"error\":\"patientId is longer than 128 bytes"));
}

BOOST_AUTO_TEST_CASE(data_is_an_object_or_a_string_holding_one) {
  bench b;
  const auto direct = b.ok(with_data(R"({"form":"f","answers":{"q1":1}})"));
  const auto text = b.ok(with_data(R"("{\"answers\": {\"q1\": 1.0}, \"form\": \"f\"}")"));
  BOOST_TEST(direct.content == text.content);
  BOOST_TEST((direct.fingerprint == text.fingerprint));
  BOOST_TEST(has(b.no(R"({"patientId":1})"), "data is required"));
  BOOST_TEST(has(b.no(with_data("null")), "data is required"));
  for (const std::string value : {"1", "true", "[]", R"("1")", R"("[]")", R"("\"{}\"")"})
    BOOST_TEST(has(b.no(with_data(value)), "400 {\"error\":\"data must be an object or a string holding one"));
  BOOST_TEST(has(b.no(with_data(R"("{\"secret-answer\":}")")), "the text in data is not JSON"));
  BOOST_TEST(!has(b.no(with_data(R"("{\"secret-answer\":}")")), "secret-answer"));
  BOOST_TEST(has(b.no(with_data("\"\"")), "the text in data is empty"));
}

BOOST_AUTO_TEST_CASE(order_and_notation_do_not_matter_but_content_does) {
  bench b;
  const auto one = b.ok(with_data(R"({"a":1,"b":[1.5,"x",null,true],"c":{"y":-1,"x":2}})"));
  const auto same = b.ok(with_data("{ \"c\" : {\"x\":2.0e0 , \"y\":-1 } , \"b\":[15e-1,\"\\u0078\",null,true],\r\n\"a\":1.0}"));
  const auto other = b.ok(with_data(R"({"a":1,"b":[1.5,"x",null,false],"c":{"y":-1,"x":2}})"));
  BOOST_TEST((one.fingerprint == same.fingerprint));
  BOOST_TEST((one.fingerprint != other.fingerprint));
  BOOST_TEST((one.id == other.id)); // the receipt follows the key
}

BOOST_AUTO_TEST_CASE(the_key_comes_from_body_or_header) {
  bench b;
  BOOST_TEST(b.ok(with_key(R"("k1")")).key == "k1");
  BOOST_TEST(b.ok(R"({"patientId":1,"data":{}})", media::json, "k2").key == "k2");
  BOOST_TEST(b.ok(with_key(R"("k1")"), media::json, "k1").key == "k1");
  BOOST_TEST(b.ok(with_key("null"), media::json, "k1").key == "k1");
  BOOST_TEST(b.ok(with_key(R"("k1")"), media::json, "\"k1\"").key == "k1"); // RFC 8941 string
  BOOST_TEST(b.ok(R"({"patientId":1,"data":{}})", media::json, R"("a\"b\\")").key == "a\"b\\");
  BOOST_TEST(
      has(b.no(with_key(R"("k1")"), media::json, "k2"), "400 {\"error\":\"key and Idempotency-Key are both given and differ"));
}

BOOST_AUTO_TEST_CASE(a_key_that_is_no_key_is_refused) {
  bench b;
  for (const std::string value : {"1", "true", "{}", "[]"})
    BOOST_TEST(has(b.no(with_key(value)), "400 {\"error\":\"key must be a string"));
  BOOST_TEST(has(b.no(with_key("\"\"")), "key must not be empty"));
  BOOST_TEST(has(b.no(R"({"patientId":1,"data":{}})", media::json, ""), "key must not be empty"));
  BOOST_TEST(has(b.no(R"({"patientId":1,"data":{}})", media::json, "\""), "Idempotency-Key is not a text"));
  BOOST_TEST(has(b.no(R"({"patientId":1,"data":{}})", media::json, R"("a"b")"), "Idempotency-Key is not a text"));
  BOOST_TEST(has(b.no(R"({"patientId":1,"data":{}})", media::json, "\xff"), "Idempotency-Key is not a text"));
  BOOST_TEST(b.ok(with_key("\"" + std::string(200, 'k') + "\"")).key.size() == 200u);
  BOOST_TEST(has(b.no(with_key("\"" + std::string(201, 'k') + "\"")), "key is longer than 200 bytes"));
  BOOST_TEST(has(b.no(R"({"patientId":1,"data":{}})", media::json, std::string(201, 'k')), "key is longer than 200 bytes"));
}

BOOST_AUTO_TEST_CASE(without_a_key_one_is_made_that_never_repeats) {
  bench b;
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    const auto s = b.ok(R"({"patientId":1,"data":{}})");
    BOOST_TEST(!s.key_given);
    BOOST_TEST(s.key.size() == 32u);
    keys.insert(s.key);
  }
  BOOST_TEST(keys.size() == 100u);
}

BOOST_AUTO_TEST_CASE(the_only_study_need_not_be_named) {
  bench b;
  BOOST_TEST(b.ok(R"({"patientId":1,"data":{}})").study == "demo");
  BOOST_TEST(b.ok(R"({"patientId":1,"data":{},"study":null})").study == "demo");
  b.catalog = studies({"demo", "second"});
  BOOST_TEST(b.no(R"({"patientId":1,"data":{}})") == R"(400 {"error":"study is required"})");
  BOOST_TEST(b.ok(R"({"patientId":1,"data":{},"study":"second"})").study == "second");
  BOOST_TEST(has(b.no(R"({"patientId":1,"data":{},"study":5})"), "400 {\"error\":\"study must be a string"));
  BOOST_TEST(
      has(b.no(R"({"patientId":1,"data":{},"study":")" + std::string(129, 's') + "\"}"), "study is longer than 128 bytes"));
  b.catalog = studies({});
  BOOST_TEST(b.no(R"({"patientId":1,"data":{}})") == R"(404 {"error":"unknown study"})");
}

BOOST_AUTO_TEST_CASE(a_retry_that_named_no_study_finds_it_after_another_was_imported) {
  bench b;
  const std::string body = R"({"patientId":1,"data":{},"key":"k"})";
  const auto first = b.ok(body);
  auto more = studies({"demo"});
  more->studies.emplace("second", test::small_study("second", 51));
  b.catalog = more;
  BOOST_TEST((b.ok(body).id == first.id));
  BOOST_TEST(b.ok(R"({"patientId":150,"data":{},"key":"k"})").study == "second");
  const std::string in_both = R"({"patientId":51,"data":{},"key":"k"})", in_none = R"({"patientId":151,"data":{},"key":"k"})";
  BOOST_TEST(b.no(in_both) == R"(400 {"error":"study is required"})");
  BOOST_TEST(b.no(in_none) == R"(400 {"error":"study is required"})");
  const auto read = [&](std::string_view subject) { return decode_read({subject, "", ""}, 16, *b.catalog, 200); };
  BOOST_TEST((*read("1"))->study == "demo");
  BOOST_TEST((*read("150"))->study == "second");
  BOOST_TEST(read("51").error().status == 400);
}

BOOST_AUTO_TEST_CASE(with_a_key_nobody_asks_here_whether_study_and_subject_exist) {
  bench b;
  BOOST_TEST(b.no(R"({"patientId":1,"data":{},"study":"other"})") == R"(404 {"error":"unknown study"})");
  BOOST_TEST(b.no(R"({"patientId":101,"data":{}})") == R"(404 {"error":"unknown subject"})");
  BOOST_TEST(b.ok(R"({"patientId":1,"data":{},"study":"other","key":"k"})").study == "other");
  BOOST_TEST(b.ok(R"({"patientId":101,"data":{},"key":"k"})").subject == "101");
}

BOOST_AUTO_TEST_CASE(unknown_and_doubled_members_are_named) {
  bench b;
  BOOST_TEST(has(b.no(R"({"patientId":1,"data":{},"patientID":2})"), R"(400 {"error":"unknown member \"patientID\")"));
  BOOST_TEST(has(b.no(R"({"patientId":1,"data":{},")" + std::string(100, 'x') + "\":2}"), R"(unknown member \"...\")"));
  BOOST_TEST(has(b.no(R"({"patientId":1,"patientId":1,"data":{}})"), "400 {\"error\":\"patientId is there twice"));
  BOOST_TEST(has(b.no(R"({"patientId":1,"data":{},"data":{}})"), "data is there twice"));
  const auto inner = b.no(with_data(R"({"answers":{"q1":111,"q1":111}})"));
  BOOST_TEST(has(inner, "400"));
  BOOST_TEST(has(inner, "answers"));
  BOOST_TEST(!has(inner, "111"));
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused_with_its_place_and_without_its_text) {
  bench b;
  BOOST_TEST(b.no("") == R"(400 {"error":"the body is empty"})");
  BOOST_TEST(has(b.no("   "), "400"));
  BOOST_TEST(has(b.no("[]"), "the body must be an object"));
  BOOST_TEST(has(b.no("42"), "the body must be an object"));
  const auto broken = b.no("{\"patientId\":1,\n \"data\":{\"q1\":tired}}");
  BOOST_TEST(has(broken, "400"));
  BOOST_TEST(has(broken, "line 2, column 1"));
  BOOST_TEST(!has(broken, "tired"));
  for (const std::string bad : {"{", "{\"patientId\":1,}", "{'patientId':1}", "{\"a\" 1}", "{} {}", "{}x", "nul", "{\"a\":01}",
                                "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":+1}", "{\"a\":\"\t\"}", "{\"a\":\"\\x\"}",
                                "{\"a\":\"\\ud800\"}", "\xef\xbb\xbf", "\xef\xbb\xbf{\"patientId\":1}"})
    BOOST_TEST(has(b.no(bad), "400 {\"error\":\"the body is not JSON"), bad);
  BOOST_TEST(has(b.no(with_data("{\"a\":\"\xff\"}")), "not valid UTF-8"));
}

BOOST_AUTO_TEST_CASE(numbers_keep_their_value_or_are_refused) {
  bench b;
  const auto content = [&](const std::string& number) {
    return domain::json_from_msgpack(b.ok(with_data("{\"a\":" + number + "}")).content);
  };
  BOOST_TEST(content("9223372036854775807") == R"({"a":9223372036854775807})");
  BOOST_TEST(content("-9223372036854775808") == R"({"a":-9223372036854775808})");
  BOOST_TEST(content("18446744073709551615") == R"({"a":18446744073709551615})");
  BOOST_TEST(content("0.1") == R"({"a":0.1})");
  for (const std::string number : {"18446744073709551616", "-9223372036854775809", "1e400", "-1e400"})
    BOOST_TEST(has(b.no(with_data("{\"a\":" + number + "}")), "400"), number);
}

BOOST_AUTO_TEST_CASE(nesting_has_a_limit) {
  bench b;
  const auto nested = [](unsigned depth) { // `data` itself is the first level
    return R"({"a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  BOOST_TEST(b.ok(with_data(nested(32))).subject == "1");
  BOOST_TEST(has(b.no(with_data(nested(33))), "400"));
  BOOST_TEST(has(b.no(with_data(nested(1000))), "nested deeper than 32 levels"));
  BOOST_TEST(has(b.no(with_data("\"{\\\"a\\\":" + std::string(1000, '[') + std::string(1000, ']') + "}\"")), "nested deeper"));
  BOOST_TEST(has(b.no(std::string(200000, '[')), "400"));
}

BOOST_AUTO_TEST_CASE(msgpack_is_the_same_content) {
  bench b;
  const auto s = b.ok(packed(number_42,
                             [](std::string& out) {
                               domain::append_map_header(out, 2);
                               domain::append_string(out, "form");
                               domain::append_string(out, "f");
                               domain::append_string(out, "answers");
                               out += std::string{"\x81\xa2q1\xcb\x3f\xf0\0\0\0\0\0\0", 13}; // {"q1": 1.0}
                             }),
                      media::msgpack);
  const auto json = b.ok(R"({"patientId":42,"key":"k","data":{"answers":{"q1":1},"form":"f"}})");
  BOOST_TEST(s.content == json.content);
  BOOST_TEST((s.fingerprint == json.fingerprint));
  BOOST_TEST((s.id == json.id));
}

BOOST_AUTO_TEST_CASE(msgpack_follows_the_same_rules) {
  bench b;
  const auto patient = [&](const std::function<void(std::string&)>& p) { return packed(p, empty_map); };
  BOOST_TEST(b.ok(patient([](std::string& o) { domain::append_string(o, "p"); }), media::msgpack).subject == "p");
  BOOST_TEST(b.ok(patient([](std::string& o) { domain::append_int(o, -3); }), media::msgpack).subject == "-3");
  BOOST_TEST(b.no(patient([](std::string& o) { domain::append_uint(o, 0); }), media::msgpack) == required);
  BOOST_TEST(b.no(patient([](std::string& o) { domain::append_nil(o); }), media::msgpack) == required);
  BOOST_TEST(has(b.no(patient([](std::string& o) { domain::append_bool(o, true); }), media::msgpack), "patientId must be"));
  const auto data = [&](const std::function<void(std::string&)>& d) { return packed(number_42, d); };
  BOOST_TEST(b.ok(data([](std::string& o) { domain::append_string(o, R"({"a":1})"); }), media::msgpack).content ==
             b.ok(with_data(R"({"a":1})")).content);
  BOOST_TEST(has(b.no(data([](std::string& o) { domain::append_uint(o, 1); }), media::msgpack), "data must be a map"));
  BOOST_TEST(has(b.no(data([](std::string& o) { domain::append_nil(o); }), media::msgpack), "data is required"));
  BOOST_TEST(has(b.no(data([](std::string& o) { domain::append_bin(o, "x"); }), media::msgpack), "400"));
  BOOST_TEST(has(b.no("", media::msgpack), "400"));
  BOOST_TEST(has(b.no("\x81", media::msgpack), "400"));
  BOOST_TEST(has(b.no("\x01", media::msgpack), "the body must be a map"));
  BOOST_TEST(has(b.no(data(empty_map) + "x", media::msgpack), "400"));
  BOOST_TEST(has(b.no("\x81\xa1x\x01", media::msgpack), R"(unknown member \"x\")"));
  BOOST_TEST(has(b.no(data([](std::string& o) { o += std::string(40, '\x91') + "\x01"; }), media::msgpack), "400"));
}

BOOST_AUTO_TEST_CASE(media_types) {
  BOOST_TEST((media_type("application/json", "") == media::json));
  BOOST_TEST((media_type("Application/JSON; charset=UTF-8", "identity") == media::json));
  BOOST_TEST((media_type("application/json;charset=\"utf-8\"", "") == media::json));
  BOOST_TEST((media_type("application/msgpack", "") == media::msgpack));
  BOOST_TEST((media_type("application/vnd.msgpack", "") == media::msgpack));
  for (const std::string type : {"", "text/plain", "application/json2", "application/x-www-form-urlencoded",
                                 "multipart/form-data", "application/json; charset=latin1"})
    BOOST_TEST(!media_type(type, ""), type);
  BOOST_TEST(!media_type("application/json", "gzip"));
}

BOOST_AUTO_TEST_CASE(reads_are_checked_before_they_are_handed_on) {
  const auto one = studies({"demo"});
  const auto read = [&](std::string_view subject, std::string_view receipt, std::string_view query) {
    return decode_read({subject, receipt, query}, 16, *one, 200);
  };
  const auto refused = [&](std::string_view subject, std::string_view receipt, std::string_view query) {
    const auto out = read(subject, receipt, query);
    return out ? 0 : out.error().status;
  };
  const auto plain = read("S%2F1", "", "");
  BOOST_REQUIRE(plain);
  BOOST_TEST((*plain)->subject == "S/1");
  BOOST_TEST((*plain)->study == "demo");
  BOOST_TEST((*plain)->limit == 20u);
  BOOST_TEST((*plain)->shard == domain::shard_of(domain::subject_hash("demo", "S/1"), 16));
  BOOST_TEST(refused("1", "", "limit=1&before=5&study=demo") == 0);
  BOOST_TEST(refused("1", "", "limit=200") == 0);
  for (const auto* query :
       {"limit=0", "limit=201", "limit=x", "limit=", "limit=-1", "limit=1&limit=2", "before=0", "before=x",
        "before=18446744073709551616", "other=1", "limit=%zz", "after=", "after=00", "after=000102030405060708090a0b0c0d0e0g",
        "after=000102030405060708090a0b0c0d0e0f&after=000102030405060708090a0b0c0d0e0f"})
    BOOST_TEST(refused("1", "", query) == 400, query);
  const auto after = read("1", "", "after=000102030405060708090a0b0c0d0e0f");
  BOOST_REQUIRE((after && (*after)->after));
  BOOST_TEST(domain::to_text(*(*after)->after) == "000102030405060708090a0b0c0d0e0f");
  BOOST_TEST(!(*plain)->after.has_value());
  BOOST_TEST(refused("1", "000102030405060708090a0b0c0d0e0f", "after=000102030405060708090a0b0c0d0e0f") == 400);
  BOOST_TEST(refused("1", "", "study=other") == 404);
  BOOST_TEST(refused("%ff", "", "") == 400);
  BOOST_TEST(refused("%f", "", "") == 400);
  BOOST_TEST(refused(std::string(129, 'p'), "", "") == 400);
  BOOST_TEST(refused("1", "00", "") == 404);
  BOOST_TEST(refused("1", "000102030405060708090a0b0c0d0e0f", "limit=3") == 400);
  BOOST_TEST(refused("1", "000102030405060708090a0b0c0d0e0f", "study=demo") == 0);
  const auto two = studies({"a", "b"});
  BOOST_TEST(decode_read({"1", "", ""}, 16, *two, 200).error().status == 400);
}

BOOST_AUTO_TEST_SUITE_END()
