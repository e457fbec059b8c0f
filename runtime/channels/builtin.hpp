// The kinds of channel that the program comes with.
#pragma once

#include "runtime/channel.hpp"
#include "runtime/channel_settings.hpp"

namespace epione::runtime {

/// log, smtp, webhook.
channel_kinds builtin_channel_kinds();

channel_kind log_channel_kind();
channel_kind smtp_channel_kind();
channel_kind webhook_channel_kind();

} // namespace epione::runtime
