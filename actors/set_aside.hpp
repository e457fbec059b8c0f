// Moves a damaged database out of the way, so that it can be looked at later.
#pragma once

#include "runtime/storage/disk.hpp"

#include <string>
#include <tl/expected.hpp>

namespace epione::actors {

/// Renames PATH, PATH-wal and PATH-shm to PATH.damaged-N (-wal, -shm), N the first free number, durably. Answers
/// the new path, or a sentence why not.
tl::expected<std::string, std::string> set_aside(runtime::disk& disk, const std::string& path);

} // namespace epione::actors
