// transfer, drain NODE, undrain: who leads, from any node of the cluster. First it is recorded, then it is asked of the steward
// of the node concerned.
#include "actors/console_commands.hpp"
#include "actors/operator_act.hpp"
#include "messages/steward.hpp"
#include "runtime/defaults.hpp"

#include <charconv>

namespace epione::actors::console {

namespace {

using namespace messages;
using nlohmann::ordered_json;
using text_result = tl::expected<std::string, std::string>;

void ask_steward(const console_call_ptr& call, const std::string& node, const steward_question& q,
                 std::function<void(const text_result&)> then) {
  call->ask_node(node, routed_kind::steward, encode(q), 2 * runtime::defaults::membership_step_limit_ms,
                 [then = std::move(then)](const text_result& bytes) {
                   if (!bytes)
                     return then(bytes);
                   const auto answer = decode_steward_answer(*bytes);
                   if (!answer)
                     return then(tl::unexpected(answer.error()));
                   then(answer->error == ec::none ? text_result{answer->text} : tl::unexpected(answer->text));
                 });
}

void carry_out(const console_call_ptr& call, std::uint32_t shard, const std::string& to, const std::string& unrecorded) {
  const auto order = transfer_of(*call->ports().cluster, shard, to); // while it was recorded another may have come to lead
  if (!order)
    return call->failed(order.error());
  ask_steward(call, order->from, steward_question::transfer(shard, order->to_id),
              [call, o = *order, unrecorded](const text_result& done) {
                const auto text = "shard " + std::to_string(o.shard);
                if (!done)
                  return call->failed("transfer of " + text + " to " + o.to + ": " + done.error());
                call->done_acting(text + " is handed over from node " + o.from + " to node " + o.to,
                                  {{"action", "transfer"}, {"shard", o.shard}, {"from", o.from}, {"node", o.to}}, unrecorded);
              });
}

// ---- drain, undrain --------------------------------------------------------------------------------------------------

/// drain and undrain of a node's leaderships.
void give_or_take(const console_call_ptr& call, const std::string& verb) {
  const auto* cluster = call->cluster();
  if (cluster == nullptr)
    return;
  if (call->arguments().size() != 1)
    return call->usage(verb + " takes the name of one node, as in: " + verb + " n2");
  const auto& node = call->name();
  if (auto why = cannot_ask(*cluster, node); !why.empty())
    return call->failed(std::move(why));
  call->record(verb, "node " + node, [call, verb, node](const std::string& unrecorded) {
    ask_steward(call, node, steward_question::leaderships(verb), [call, verb, node, unrecorded](const text_result& done) {
      if (!done)
        return call->failed(verb + " " + node + ": " + done.error());
      call->done_acting(*done, {{"action", verb}, {"node", node}}, unrecorded);
    });
  });
}

} // namespace

void transfer(const console_call_ptr& call) {
  const auto* cluster = call->cluster();
  if (cluster == nullptr)
    return;
  constexpr const char* usage = "transfer takes a shard and a node, as in: transfer 3 n2";
  const auto& words = call->arguments();
  if (words.size() != 2)
    return call->usage(usage);
  std::uint32_t shard = 0;
  const auto* last = words[0].data() + words[0].size();
  const auto [end, error] = std::from_chars(words[0].data(), last, shard);
  if (error != std::errc{} || end != last)
    return call->usage("\"" + words[0] + "\" is no number; " + usage);
  if (shard > call->ports().shards)
    return call->failed("there is no shard " + words[0] + "; they are 0, the catalog, to " +
                        std::to_string(call->ports().shards));
  const auto order = transfer_of(*cluster, shard, words[1]);
  if (!order)
    return call->failed(order.error());
  call->record("transfer", "shard " + words[0] + " to " + order->to,
               [call, shard, to = order->to](const std::string& unrecorded) { carry_out(call, shard, to, unrecorded); });
}

void drain_node(const console_call_ptr& call) {
  give_or_take(call, "drain");
}

void undrain(const console_call_ptr& call) {
  give_or_take(call, "undrain");
}

} // namespace epione::actors::console
