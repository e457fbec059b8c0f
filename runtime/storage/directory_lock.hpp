// One process a data directory.
#pragma once

#include "runtime/storage/storage_error.hpp"

#include <memory>
#include <string>

namespace epione::runtime {

/// Held while it lives; the kernel releases it when the process ends, however it ends.
class directory_lock {
public:
  virtual ~directory_lock() = default;
};

/// Locks DIR/lock (which must be in an existing directory) and writes the process id into it. `in_use` names the process that
/// holds it.
storage_result<std::unique_ptr<directory_lock>> open_directory_lock(const std::string& directory);

} // namespace epione::runtime
