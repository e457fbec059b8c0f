// Why a storage call failed, in a sentence an operator understands.
#pragma once

#include "messages/errors.hpp"

#include <string>
#include <tl/expected.hpp>

namespace epione::runtime {

/// `code` is disk_full, io_failed, damaged, unknown_command, conflicting_apply, in_use or invalid; `message` names the file, the
/// place in it, what was found and what was expected, and what to do.
struct storage_error {
  ec code = ec::io_failed;
  std::string message;
};

template <class T>
using storage_result = tl::expected<T, storage_error>;

} // namespace epione::runtime
