#include "runtime/channels/builtin.hpp"

namespace epione::runtime {

channel_kinds builtin_channel_kinds() {
  channel_kinds kinds;
  kinds.add(log_channel_kind());
  kinds.add(smtp_channel_kind());
  kinds.add(webhook_channel_kind());
  return kinds;
}

} // namespace epione::runtime
