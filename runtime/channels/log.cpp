// One line of the node's log for each message. Always there: what has no channel of its own is at least on record.
#include "runtime/channels/builtin.hpp"
#include "runtime/defaults.hpp"

namespace epione::runtime {

namespace {

class log_channel final : public channel {
public:
  log_channel(std::string name, const channel_ports& ports) : part_("channel " + std::move(name)), ports_(ports) {}

  messages::send_result send(const messages::outgoing& m) override {
    if (m.notices.size() == 1) {
      const auto& n = m.notices.front();
      ports_.log.record(part_, "notice",
                        {{"key", m.key},
                         {"channel", m.channel},
                         {"recipient", m.recipient},
                         {"urgent", m.urgent},
                         {"study", n.study},
                         {"site", n.site},
                         {"subject", n.subject},
                         {"form", n.form},
                         {"rule", n.rule},
                         {"receipt", n.receipt}});
    } else {
      std::string receipts;
      for (const auto& n : m.notices)
        receipts += (receipts.empty() ? "" : " ") + n.receipt;
      ports_.log.record(part_, "notices, merged",
                        {{"key", m.key},
                         {"channel", m.channel},
                         {"recipient", m.recipient},
                         {"urgent", m.urgent},
                         {"notices", std::uint64_t{m.notices.size()}},
                         {"receipts", receipts}});
    }
    if (ports_.trace)
      ports_.trace("wrote one line to the log");
    return messages::sent();
  }

private:
  std::string part_;
  channel_ports ports_;
};

} // namespace

channel_kind log_channel_kind() {
  channel_kind kind;
  kind.name = "log";
  kind.about = "Writes each message to the node's log (standard error). It needs no address, and always works.";
  auto keys = common_channel_keys();
  for (auto& key : keys)
    if (key.name == "rate") {
      key.standard = defaults::channel_log_rate;
      key.constant = "channel_log_rate";
      kind.keys.push_back(key);
    }
  kind.make = [](const channel_settings& s, const channel_ports& ports) -> std::unique_ptr<channel> {
    return std::make_unique<log_channel>(s.name, ports);
  };
  return kind;
}

} // namespace epione::runtime
