#include "actors/environment.hpp"

#include "messages/errors.hpp"

#include <cstdlib>
#include <cxxabi.h>
#include <exception>
#include <typeinfo>

namespace epione::actors {

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

} // namespace

void prepare(caf::scheduled_actor* self, const environment& env, std::string_view name) {
  self->set_default_handler(caf::drop);
  self->set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
  self->set_error_handler([&env, part = std::string{name}](caf::scheduled_actor*, caf::error& why) {
    env.log.warning(part, "dropped an error nobody waits for", {{"code", error_code_text(why)}});
  });
  self->set_exception_handler([&env, part = std::string{name}](caf::scheduled_actor*, std::exception_ptr& x) -> caf::error {
    auto type = type_of(x);
    env.log.error(part, "ended by an exception", {{"type", type}});
    return caf::make_error(ec::unhandled_exception, std::move(type));
  });
}

void prepare_small(caf::scheduled_actor* self, const environment& env) {
  self->set_default_handler(caf::drop);
  self->set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
  self->set_error_handler([&env](caf::scheduled_actor* me, caf::error& why) {
    env.log.warning(me->name(), "dropped an error nobody waits for", {{"code", error_code_text(why)}});
  });
  self->set_exception_handler([&env](caf::scheduled_actor* me, std::exception_ptr& x) -> caf::error {
    auto type = type_of(x);
    env.log.error(me->name(), "ended by an exception", {{"type", type}});
    return caf::make_error(ec::unhandled_exception, std::move(type));
  });
}

} // namespace epione::actors
