#include "actors/storage_writer.hpp"

#include "domain/command.hpp"
#include "runtime/directory.hpp"
#include "runtime/mutation.hpp"

namespace epione::actors {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

namespace {

using storage_writer_pointer = storage_writer_actor::stateful_pointer<storage_writer_state>;

/// Takes commands off the front up to both limits (always at least one) and sends them as one entry.
void send_batch(storage_writer_pointer self, const storage_writer_options& options, prometheus::Histogram& batch_sizes) {
  auto& state = self->state;
  if (state.batch_on_its_way != 0 || (state.gathered.empty() && state.gathered_together.empty()))
    return;
  std::vector<domain::command> commands;
  auto receipts = std::make_shared<std::vector<domain::receipt>>();
  std::size_t bytes = 0;
  while (!state.gathered_together.empty()) {
    const auto& next = *state.gathered_together.front();
    std::size_t more = 0;
    for (const auto& c : next)
      more += c.event.size();
    if (!commands.empty() &&
        (commands.size() + next.size() > options.batch_commands_max || bytes + more > options.batch_bytes_max))
      break;
    bytes += more;
    for (const auto& c : next) {
      receipts->push_back(c.id);
      commands.push_back(c);
    }
    state.gathered_together.pop_front();
  }
  while (!state.gathered.empty() && commands.size() < options.batch_commands_max) {
    const auto& next = *state.gathered.front();
    if (!commands.empty() && bytes + next.event.size() > options.batch_bytes_max)
      break;
    bytes += next.event.size();
    receipts->push_back(next.id);
    commands.push_back(next);
    state.gathered.pop_front();
  }
  if (mutated(mutation::lose_last_of_batch) && commands.size() > 1)
    commands.pop_back();
  batch_sizes.Observe(static_cast<double>(commands.size()));
  ++state.batches;
  state.commands += commands.size();
  state.batch_on_its_way = state.next_batch++;
  state.on_its_way = std::move(receipts);
  self->send(state.replica, propose_atom::value, state.epoch, state.batch_on_its_way,
             std::make_shared<const std::string>(domain::encode_batch(commands)), proposer{self});
}

void open_epoch(storage_writer_pointer self, const runtime::environment& env, std::uint32_t shard, std::uint64_t epoch) {
  auto& state = self->state;
  state.epoch = epoch;
  state.gathered.clear();
  state.gathered_together.clear();
  state.on_its_way = nullptr;
  state.batch_on_its_way = 0;
  state.replica = env.directory->get<replica_actor>("replica " + std::to_string(shard));
  state.region = env.directory->get<shard_region_actor>("region " + std::to_string(shard));
}

} // namespace

storage_writer_actor::behavior_type storage_writer(storage_writer_pointer self, const runtime::environment& env,
                                                   std::uint32_t shard, storage_writer_options options) {
  const auto name = "writer " + std::to_string(shard);
  runtime::prepare(self, env, name);
  auto& batch_sizes = env.metrics.histogram("epione_batch_commands", "Commands in one log entry", runtime::size_buckets());
  return {
      [self, &env, shard](propose_atom, std::uint64_t epoch, const command_ptr& command) {
        auto& state = self->state;
        if (epoch < state.epoch)
          return;
        if (epoch > state.epoch)
          open_epoch(self, env, shard, epoch);
        runtime::fault_point(env.faults, "writer.propose");
        state.gathered.push_back(command);
        // Whatever waits in the mailbox before this message joins the same batch.
        if (!state.flush_sent && state.batch_on_its_way == 0) {
          state.flush_sent = true;
          self->send(self, flush_atom::value);
        }
      },
      [self, &env, shard](propose_atom, std::uint64_t epoch, const commands_ptr& commands) {
        auto& state = self->state;
        if (epoch < state.epoch)
          return;
        if (epoch > state.epoch)
          open_epoch(self, env, shard, epoch);
        runtime::fault_point(env.faults, "writer.propose");
        state.gathered_together.push_back(commands);
        if (!state.flush_sent && state.batch_on_its_way == 0) {
          state.flush_sent = true;
          self->send(self, flush_atom::value);
        }
      },
      [self, &env, options, &batch_sizes](committed_atom, std::uint64_t epoch, std::uint64_t batch, std::uint64_t index) {
        auto& state = self->state;
        if (epoch != state.epoch || batch != state.batch_on_its_way)
          return;
        runtime::fault_point(env.faults, "writer.committed");
        self->send(state.region, committed_atom::value, epoch, index, state.on_its_way);
        state.batch_on_its_way = 0;
        state.on_its_way = nullptr;
        if (!mutated(mutation::writer_forgets_gathered))
          send_batch(self, options, batch_sizes);
      },
      [self, options, &batch_sizes](refused_atom, std::uint64_t epoch, std::uint64_t batch) {
        auto& state = self->state;
        if (epoch != state.epoch || batch != state.batch_on_its_way)
          return;
        self->send(state.region, refused_atom::value, epoch, state.on_its_way);
        state.batch_on_its_way = 0;
        state.on_its_way = nullptr;
        send_batch(self, options, batch_sizes);
      },
      [self, options, &batch_sizes](flush_atom) {
        self->state.flush_sent = false;
        send_batch(self, options, batch_sizes);
      },
      [self, name](status_atom) -> status_report_ptr {
        const auto& state = self->state;
        return std::make_shared<const status_report>(
            status_report{name,
                          state.batch_on_its_way == 0 ? "idle" : "writing",
                          {{"epoch", std::to_string(state.epoch)},
                           {"gathered", std::to_string(state.gathered.size() + state.gathered_together.size())},
                           {"batches", std::to_string(state.batches)},
                           {"commands", std::to_string(state.commands)}}});
      },
  };
}

} // namespace epione::actors
