// Faults that are planted on purpose, one at a time, to see whether the simulator notices. They exist only in a build with
// -DEPIONE_MUTATIONS=ON (preset `mutations`), which makes nothing but epione-sim: `epione-sim --mutation NAME` switches one on.
// In every other build mutated() is constant, so that nothing of them is left.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace epione::runtime {

enum class mutation : std::uint8_t {
  none,
  // a submission's way
  acknowledge_before_commit,
  answer_repeat_before_commit,
  conflict_as_repeat,
  lose_keys_on_restart,
  forget_to_remember,
  session_takes_pending_along,
  proposed_as_not_stored,
  waited_as_not_stored,
  lose_last_of_batch,
  writer_forgets_gathered,
  accept_unanswered,
  score_off_by_one,
  history_cut_short,
  verdict_of_another,
  receipt_of_another,
  forget_oldest_key,
  // the journal and the stores
  skip_journal_sync,
  skip_mark_sync,
  ignore_missing_tail,
  durable_before_written,
  full_disk_as_written,
  truncate_wrong_index,
  term_not_stored,
  vote_not_stored,
  skip_store_sync,
  cut_before_checkpoint,
  apply_twice,
  apply_skips_entry,
  break_the_chain,
  apply_skips_at_border,
  state_outside_transaction,
  snapshot_of_wrong_term,
  journal_loses_last,
  mark_before_commit,
  // notices
  drop_outbox_row,
  alert_without_notice,
  sent_when_handed_over,
  pending_passed_over,
  // replicas
  accept_old_leader,
  overtaken_completion,
  vote_before_durable,
  told_before_durable,
  commit_by_minority,
  serve_before_barrier,
  read_without_lease,
  lease_from_receipt,
  read_before_applied,
  snapshot_without_tail,
  refill_wrong_window,
  lease_outlives_election,
  read_at_follower,
  apply_before_stored,
  // between nodes
  router_counts_anew,
  request_sent_twice,
  count ///< of those above, none included
};

struct mutation_text {
  mutation id;
  std::string_view name;
  std::string_view breaks; ///< what, in one sentence
};

/// All of them, in the order of the enumeration.
inline constexpr std::array<mutation_text, static_cast<std::size_t>(mutation::count) - 1> mutations{{
    {mutation::acknowledge_before_commit, "acknowledge-before-commit", "202 is given when the leader has taken a submission."},
    {mutation::answer_repeat_before_commit, "answer-repeat-before-commit",
     "A repeat is answered 200 while the first one is still on its way."},
    {mutation::conflict_as_repeat, "conflict-as-repeat", "Another content under a stored key is answered as a repeat."},
    {mutation::lose_keys_on_restart, "lose-keys-on-restart", "A session that starts does not know the keys in the store."},
    {mutation::forget_to_remember, "forget-to-remember",
     "A session that began while a submission was on its way never hears of its key."},
    {mutation::session_takes_pending_along, "session-takes-pending-along",
     "When a session ends, what is committed and not yet applied of its patient is forgotten."},
    {mutation::proposed_as_not_stored, "proposed-as-not-stored",
     "When a shard stops serving, what was proposed is answered `not_stored`."},
    {mutation::waited_as_not_stored, "waited-as-not-stored",
     "A request that reached its time limit is answered `not_stored`, whatever became of it."},
    {mutation::lose_last_of_batch, "lose-last-of-batch", "The last command of a batch is acknowledged and not in the entry."},
    {mutation::writer_forgets_gathered, "writer-forgets-gathered",
     "What gathered while a batch was on its way waits until somebody else submits."},
    {mutation::accept_unanswered, "accept-unanswered", "A form is accepted with a required answer missing."},
    {mutation::score_off_by_one, "score-off-by-one", "A score is one too high."},
    {mutation::history_cut_short, "history-cut-short", "A page of a history never leads to the next one."},
    {mutation::verdict_of_another, "verdict-of-another",
     "A verdict about one request counts for another one under the same key."},
    {mutation::receipt_of_another, "receipt-of-another", "202 names the receipt of who was stored before."},
    {mutation::forget_oldest_key, "forget-oldest-key", "A session that starts does not know the oldest key in the store."},
    {mutation::skip_journal_sync, "skip-journal-sync", "The journal's commit is not synced; its mark is."},
    {mutation::skip_mark_sync, "skip-mark-sync", "The journal's mark is not synced."},
    {mutation::ignore_missing_tail, "ignore-missing-tail",
     "The journal's commit is not synced, and nobody compares what is left with the mark."},
    {mutation::durable_before_written, "durable-before-written", "Entries count as durable when the journal has been asked."},
    {mutation::full_disk_as_written, "full-disk-as-written", "Entries for which there is no space count as written."},
    {mutation::truncate_wrong_index, "truncate-wrong-index", "One entry too few is removed when a leader replaces a log's end."},
    {mutation::term_not_stored, "term-not-stored", "A new term is not written to the journal."},
    {mutation::vote_not_stored, "vote-not-stored", "A vote is not written to the journal, its term is."},
    {mutation::skip_store_sync, "skip-store-sync", "A checkpoint of a store syncs nothing."},
    {mutation::cut_before_checkpoint, "cut-before-checkpoint", "The log is cut at what the store has applied, durable or not."},
    {mutation::apply_twice, "apply-twice", "An entry's commands are applied twice, and nothing looks for their keys."},
    {mutation::apply_skips_entry, "apply-skips-entry", "A store that attaches is fed from one entry too late, and takes it."},
    {mutation::break_the_chain, "break-the-chain", "Events are hashed without the one before them."},
    {mutation::apply_skips_at_border, "apply-skips-at-border",
     "Of entries that are applied together the last one only counts as applied."},
    {mutation::state_outside_transaction, "state-outside-transaction",
     "What a store has applied is written down in a transaction of its own, after the rows."},
    {mutation::snapshot_of_wrong_term, "snapshot-of-wrong-term", "A checkpoint names the term before that of its entry."},
    {mutation::journal_loses_last, "journal-loses-last", "A log that is loaded ends one entry early."},
    {mutation::mark_before_commit, "mark-before-commit", "The mark names a transaction before that is durable."},
    {mutation::drop_outbox_row, "drop-outbox-row", "Of an event's notices only the first one is planned."},
    {mutation::alert_without_notice, "alert-without-notice", "An alert is stored, and its notice is not."},
    {mutation::sent_when_handed_over, "sent-when-handed-over", "A notice counts as sent when a notifier has it."},
    {mutation::pending_passed_over, "pending-passed-over", "What was pending when a shard begins to serve is not sent."},
    {mutation::accept_old_leader, "accept-old-leader", "A follower takes entries of a leader of an earlier term."},
    {mutation::overtaken_completion, "overtaken-completion",
     "The journal's word on entries that were replaced meanwhile counts for those in their place."},
    {mutation::vote_before_durable, "vote-before-durable", "A vote is given before it is durable."},
    {mutation::told_before_durable, "told-before-durable", "A follower tells its leader of entries before they are durable."},
    {mutation::commit_by_minority, "commit-by-minority", "What the leader alone has stored is acknowledged."},
    {mutation::serve_before_barrier, "serve-before-barrier", "A new leader serves before it knows and has applied everything."},
    {mutation::read_without_lease, "read-without-lease", "A leader that may not be one any more answers reads."},
    {mutation::lease_from_receipt, "lease-from-receipt", "A lease counts from the answer to a heartbeat, not from its sending."},
    {mutation::read_before_applied, "read-before-applied", "A read does not wait for what was committed when it came."},
    {mutation::snapshot_without_tail, "snapshot-without-tail",
     "A store's file is given to another member without what is still in its write-ahead log."},
    {mutation::refill_wrong_window, "refill-wrong-window", "After its log was read again, a replica feeds one entry too far."},
    {mutation::lease_outlives_election, "lease-outlives-election", "A lease lasts four times as long as it may."},
    {mutation::read_at_follower, "read-at-follower", "A node that does not lead answers reads from its own store."},
    {mutation::apply_before_stored, "apply-before-stored",
     "A store is fed what is committed before the journal beside it has it."},
    {mutation::router_counts_anew, "router-counts-anew", "A router that starts again uses the numbers of the one before it."},
    {mutation::request_sent_twice, "request-sent-twice", "A request to another node is sent a second time, under a new number."},
}};

#ifdef EPIONE_MUTATIONS
/// Whether this one is switched on, in the whole process.
bool mutated(mutation which);
void switch_on(mutation which);
/// Nothing when there is none of that name.
std::optional<mutation> find_mutation(std::string_view name);
#else
constexpr bool mutated(mutation) {
  return false;
}
#endif

} // namespace epione::runtime
