// What every actor gets before it does anything, and how actors find each other.
#include "actor_fixture.hpp"
#include "runtime/mailbox_sample.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using messages::changed_atom;

namespace {

using adder = caf::typed_actor<caf::replies_to<std::int32_t>::with<std::int32_t>>;
struct adder_state {
  adder_state() = default;
  static inline const char* name = "adder";
};

adder::behavior_type make_adder(adder::stateful_pointer<adder_state> self, const runtime::environment& env, std::string name,
                                std::int32_t& sum) {
  runtime::prepare(self, env, name);
  return {[&sum](std::int32_t x) -> std::int32_t {
    if (x == 13)
      throw std::runtime_error("patient 42 answered 13");
    return sum += x;
  }};
}

runtime::directory_subscriber::behavior_type make_subscriber(runtime::directory_subscriber::stateful_pointer<adder_state> self,
                                                             const runtime::environment& env, std::vector<std::string>& told) {
  runtime::prepare(self, env, "subscriber");
  return {[&told](changed_atom, const std::string& name, const caf::strong_actor_ptr& who) {
    told.push_back((who == nullptr ? "-" : "+") + name);
  }};
}

/// Everything written to standard output and error while it lives.
class captured_output {
public:
  captured_output() {
    std::fflush(nullptr);
    file_ = std::tmpfile();
    out_ = dup(1);
    err_ = dup(2);
    dup2(fileno(file_), 1);
    dup2(fileno(file_), 2);
  }
  ~captured_output() { end(); }
  std::string end() {
    if (file_ == nullptr)
      return {};
    std::cout.flush();
    std::fflush(nullptr);
    dup2(out_, 1);
    dup2(err_, 2);
    close(out_);
    close(err_);
    std::string text(static_cast<std::size_t>(std::max(0L, (std::fseek(file_, 0, SEEK_END), std::ftell(file_)))), ' ');
    std::rewind(file_);
    text.resize(std::fread(text.data(), 1, text.size(), file_));
    std::fclose(file_);
    file_ = nullptr;
    return text;
  }

private:
  std::FILE* file_;
  int out_, err_;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(surroundings, actor_fixture)

BOOST_AUTO_TEST_CASE(references_stay_references_across_a_spawn) {
  std::int32_t sum = 1;
  auto a = runtime::spawn_blocking(system, env, make_adder, "a", std::ref(sum));
  self->send(a, 2);
  run();
  BOOST_TEST(sum == 3);
}

BOOST_AUTO_TEST_CASE(no_content_is_printed_or_logged_whatever_goes_wrong) {
  captured_output output;
  std::int32_t sum = 0;
  {
    auto a = runtime::spawn_actor(system, env, make_adder, std::string{"a"}, std::ref(sum));
    auto untyped = caf::actor_cast<caf::actor>(a);
    auto b = runtime::spawn_actor(system, env, make_adder, std::string{"b"}, std::ref(sum));
    self->send(untyped, std::string{"patient 42 answered 7"});
    self->send(untyped, caf::make_error(ec::invalid, std::string{"patient 42"}));
    self->send(untyped, caf::down_msg{b->address(), caf::make_error(ec::invalid, std::string{"patient 42"})});
    run();
    self->send(a, 13);
    run();
  }
  const auto text = output.end();
  BOOST_TEST(text == "");
  BOOST_TEST(log.count("42") == 0);
  BOOST_TEST(log.count("a: ended by an exception, type=std::runtime_error") == 1);
}

BOOST_AUTO_TEST_CASE(every_actor_says_how_much_waits_for_it_before_it_goes_on) {
  std::int32_t sum = 0;
  auto a = runtime::spawn_actor(system, env, make_adder, std::string{"a"}, std::ref(sum));
  const auto pointer = caf::actor_cast<caf::strong_actor_ptr>(a);
  for (const auto wait : {0, 3}) {
    for (int i = 0; i < wait; ++i)
      self->send(a, 2);
    const auto answer = std::make_shared<runtime::mailbox_sample>();
    runtime::ask_for_mailbox(pointer, answer);
    BOOST_TEST(answer->messages == runtime::mailbox_sample::not_answered);
    run();
    BOOST_TEST(answer->messages == wait);
  }
  BOOST_TEST(sum == 6);
}

BOOST_AUTO_TEST_CASE(an_exception_ends_the_actor_with_our_error) {
  std::int32_t sum = 0;
  auto a = runtime::spawn_actor(system, env, make_adder, std::string{"a"}, std::ref(sum));
  caf::error why;
  a->attach_functor([&](const caf::error& x) { why = x; });
  self->send(a, 13);
  run();
  BOOST_TEST(runtime::error_text(why) == "unhandled_exception: std::runtime_error");
}

BOOST_AUTO_TEST_CASE(errors_of_the_framework_are_shown_without_their_context) {
  BOOST_TEST(runtime::error_text(caf::make_error(caf::sec::unexpected_message, std::string{"patient 42"})) ==
             "unexpected_message");
  BOOST_TEST(runtime::error_text(caf::make_error(caf::exit_reason::kill)) == "kill");
  BOOST_TEST(runtime::error_text(caf::error{}) == "normal");
  BOOST_TEST(runtime::error_text(caf::make_error(ec::damaged, std::string{"journal.db"})) == "damaged: journal.db");
}

BOOST_AUTO_TEST_CASE(the_directory_shows_the_newest_actor_of_a_name_while_it_lives) {
  std::int32_t sum = 0;
  auto& d = *env.directory;
  auto first = runtime::spawn_actor(system, env, make_adder, std::string{"a"}, std::ref(sum));
  auto second = runtime::spawn_actor(system, env, make_adder, std::string{"a"}, std::ref(sum));
  d.put("a", caf::actor_cast<caf::strong_actor_ptr>(first));
  d.put("a", caf::actor_cast<caf::strong_actor_ptr>(second));
  BOOST_TEST((d.get<adder>("a") == second));
  BOOST_TEST((d.get<adder>("b") == nullptr));
  self->send_exit(second, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST((d.get<adder>("a") == nullptr)); // dead, although nobody removed it and it is still held here
  self->send_exit(first, caf::exit_reason::user_shutdown);
  run();
}

BOOST_AUTO_TEST_CASE(the_directory_keeps_nobody_alive) {
  std::int32_t sum = 0;
  bool ended = false;
  {
    auto a = runtime::spawn_actor(system, env, make_adder, std::string{"a"}, std::ref(sum));
    a->attach_functor([&](const caf::error&) { ended = true; });
    env.directory->put("a", caf::actor_cast<caf::strong_actor_ptr>(a));
    run();
  }
  BOOST_TEST(ended);
  BOOST_TEST(env.directory->all().empty());
}

BOOST_AUTO_TEST_CASE(a_subscriber_is_told_of_those_present_and_then_of_each_change_in_order) {
  std::int32_t sum = 0;
  std::vector<std::string> told;
  auto a = runtime::spawn_actor(system, env, make_adder, std::string{"a"}, std::ref(sum));
  auto subscriber = runtime::spawn_actor(system, env, make_subscriber, std::ref(told));
  auto& d = *env.directory;
  d.put("a", caf::actor_cast<caf::strong_actor_ptr>(a));
  d.subscribe(subscriber);
  d.put("b", caf::actor_cast<caf::strong_actor_ptr>(a));
  d.remove("a");
  d.remove("nobody");
  d.put("a", caf::actor_cast<caf::strong_actor_ptr>(a));
  run();
  BOOST_TEST((told == std::vector<std::string>{"+a", "+b", "-a", "+a"}));
  self->send_exit(subscriber, caf::exit_reason::user_shutdown);
  run();
  d.remove("b"); // a subscriber that has ended is forgotten
  run();
  BOOST_TEST(told.size() == 4u);
}

BOOST_AUTO_TEST_CASE(messages_are_counted_but_for_those_of_whom_there_are_very_many) {
  std::int32_t sum = 0;
  auto counted = runtime::spawn_actor(system, env, make_adder, std::string{"a"}, std::ref(sum));
  auto uncounted = runtime::spawn_uncounted(system, env, make_adder, std::string{"b"}, std::ref(sum));
  run();
  const auto handled = [](const adder& x) { return runtime::messages_handled(caf::actor_cast<caf::strong_actor_ptr>(x)); };
  BOOST_TEST((handled(counted) == std::optional<std::uint64_t>{0}));
  BOOST_TEST((handled(uncounted) == std::nullopt));
  for (std::int32_t i = 0; i < 5; ++i)
    self->send(counted, i);
  self->send(uncounted, std::int32_t{1});
  run();
  BOOST_TEST((handled(counted) == std::optional<std::uint64_t>{5}));
  BOOST_TEST(sum == 11);
  self->send(counted, std::int32_t{13});
  run();
  BOOST_TEST((handled(counted) == std::optional<std::uint64_t>{6})); // also of one that has ended
  self->send_exit(uncounted, caf::exit_reason::kill);
  run();
}

BOOST_AUTO_TEST_SUITE_END()
