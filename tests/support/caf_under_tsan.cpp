// Tells ThreadSanitizer how CAF hands things from one thread to another. The packaged library is not instrumented: the atomics of
// its mailboxes and reference counts are invisible, and every message would be reported as a race. To suppress whatever has CAF
// on its stack would silence all actors, so the few places where something changes hands are wrapped instead, each around the
// library's own function. Part of the tsan preset's programs only.
#include <caf/all.hpp>
#include <caf/detail/simple_actor_clock.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <utility>

namespace {

/// The library's function behind ours. A wrapper that wraps nothing would silently annotate nothing.
template <class Function>
Function* of_library(const char* mangled) {
  auto* found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, mangled));
  if (found == nullptr) {
    std::fprintf(stderr, "caf_under_tsan: %s is not there; this is not CAF 0.17.6\n", mangled);
    std::abort();
  }
  return found;
}

/// Everything done before a reference was given up happens before the end of what it referred to.
void last_one_sees_all(const void* counted) {
  __tsan_release(const_cast<void*>(counted));
  __tsan_acquire(const_cast<void*>(counted));
}

} // namespace

namespace caf {

// ---- mailboxes: from whoever sends to whoever handles ------------------------------------------------------------------

void scheduled_actor::enqueue(mailbox_element_ptr what, execution_unit* unit) {
  static const auto real = of_library<void(scheduled_actor*, mailbox_element_ptr, execution_unit*)>(
      "_ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEEPNS_14execution_unitE");
  __tsan_release(this);
  real(this, std::move(what), unit);
}

void blocking_actor::enqueue(mailbox_element_ptr what, execution_unit* unit) {
  static const auto real = of_library<void(blocking_actor*, mailbox_element_ptr, execution_unit*)>(
      "_ZN3caf14blocking_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEEPNS_14execution_unitE");
  __tsan_release(this);
  real(this, std::move(what), unit);
}

intrusive::task_result blocking_actor::mailbox_visitor::operator()(mailbox_element& what) {
  static const auto real = of_library<intrusive::task_result(mailbox_visitor*, mailbox_element&)>(
      "_ZN3caf14blocking_actor15mailbox_visitorclERNS_15mailbox_elementE");
  __tsan_acquire(self);
  return real(this, what);
}

// The mailbox is left, and the next worker may go on, right after this.
scheduled_actor::activation_result scheduled_actor::reactivate(mailbox_element& what) {
  static const auto real = of_library<activation_result(scheduled_actor*, mailbox_element&)>(
      "_ZN3caf15scheduled_actor10reactivateERNS_15mailbox_elementE");
  __tsan_acquire(this);
  const auto result = real(this, what);
  __tsan_release(this);
  return result;
}

// ---- workers: an actor begins and goes on in another thread
// --------------------------------------------------------------------------

void scheduled_actor::launch(execution_unit* unit, bool lazy, bool hide) {
  static const auto real =
      of_library<void(scheduled_actor*, execution_unit*, bool, bool)>("_ZN3caf15scheduled_actor6launchEPNS_14execution_unitEbb");
  __tsan_release(this);
  real(this, unit, lazy, hide);
}

bool scheduled_actor::activate(execution_unit* unit) {
  static const auto real =
      of_library<bool(scheduled_actor*, execution_unit*)>("_ZN3caf15scheduled_actor8activateEPNS_14execution_unitE");
  __tsan_acquire(this);
  const auto result = real(this, unit);
  __tsan_release(this);
  return result;
}

resumable::resume_result scheduled_actor::resume(execution_unit* unit, size_t messages_max) {
  static const auto real = of_library<resume_result(scheduled_actor*, execution_unit*, size_t)>(
      "_ZN3caf15scheduled_actor6resumeEPNS_14execution_unitEm");
  __tsan_acquire(this);
  return real(this, unit, messages_max);
}

// ---- the clock: from whoever sets a timer to its thread ----------------------------------------------------------------------

void detail::thread_safe_actor_clock::push(event* what) {
  static const auto real = of_library<void(thread_safe_actor_clock*, event*)>(
      "_ZN3caf6detail23thread_safe_actor_clock4pushEPNS0_18simple_actor_clock5eventE");
  __tsan_release(static_cast<simple_actor_clock*>(this));
  real(this, what);
}

void detail::simple_actor_clock::ship(delayed_event& what) {
  static const auto real =
      of_library<void(simple_actor_clock*, delayed_event&)>("_ZN3caf6detail18simple_actor_clock4shipERNS1_13delayed_eventE");
  __tsan_acquire(this);
  real(this, what);
}

// ---- reference counts -----------------------------------------------------------------------------------------------------

void ref_counted::deref() const noexcept {
  static const auto real = of_library<void(const ref_counted*)>("_ZNK3caf11ref_counted5derefEv");
  last_one_sees_all(this);
  real(this);
}

void intrusive_ptr_release(actor_control_block* counted) {
  static const auto real = of_library<void(actor_control_block*)>("_ZN3caf21intrusive_ptr_releaseEPNS_19actor_control_blockE");
  last_one_sees_all(counted);
  real(counted);
}

void intrusive_ptr_release_weak(actor_control_block* counted) {
  static const auto real =
      of_library<void(actor_control_block*)>("_ZN3caf26intrusive_ptr_release_weakEPNS_19actor_control_blockE");
  last_one_sees_all(counted);
  real(counted);
}

} // namespace caf
