#include "runtime/environment.hpp"

#include "messages/errors.hpp"
#include "runtime/mailbox_sample.hpp"

#include <cstdlib>
#include <cxxabi.h>
#include <exception>
#include <typeinfo>

namespace epione::runtime {

namespace {

/// Type of what was thrown. Never what(): it may quote the input that could not be handled.
std::string type_of(const std::exception_ptr& x) {
  try {
    std::rethrow_exception(x);
  } catch (...) {
    const auto* type = abi::__cxa_current_exception_type();
    if (type == nullptr)
      return "unknown";
    int status = 0;
    std::unique_ptr<char, void (*)(void*)> readable{abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), std::free};
    return status == 0 && readable != nullptr ? readable.get() : type->name();
  }
}

template <class Name>
void set_handlers(caf::scheduled_actor* self, const environment& env, Name name) {
  self->set_default_handler(answer_or_drop);
  self->set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
  self->set_error_handler([&env, name](caf::scheduled_actor*, caf::error& why) {
    env.log.warning(name, "dropped an error nobody waits for", {{"code", error_code_text(why)}});
  });
  self->set_exception_handler([&env, name](caf::scheduled_actor*, std::exception_ptr& x) -> caf::error {
    auto type = type_of(x);
    env.log.error(name, "ended by an exception", {{"type", type}});
    return caf::make_error(ec::unhandled_exception, std::move(type));
  });
}

} // namespace

void prepare_named(caf::scheduled_actor* self, const environment& env, const char* name) {
  set_handlers(self, env, name);
}

void prepare(caf::scheduled_actor* self, const environment& env, std::string_view name) {
  set_handlers(self, env, std::string{name});
}

} // namespace epione::runtime
