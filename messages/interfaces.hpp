// Every typed actor interface of the system, one comment a message. Read this to know who says what to whom.
//
// On the way of a submission messages are asynchronous and answered by message, not by request: a time limit for each of
// thousands a second would cost more than the work. Instead the gateway keeps a deadline for every ticket, each stage
// monitors the ones it waits for, and epochs separate what belongs together. Everything off that way uses request with a limit.
#pragma once

#include "domain/study.hpp"
#include "domain/study_addition.hpp"
#include "messages/console.hpp"
#include "messages/dead_letter.hpp"
#include "messages/errors.hpp"
#include "messages/fhir.hpp"
#include "messages/log.hpp"
#include "messages/notice.hpp"
#include "messages/outgoing.hpp"
#include "messages/peer.hpp"
#include "messages/raft.hpp"
#include "messages/routed.hpp"
#include "messages/submission.hpp"

#include <caf/all.hpp>

namespace epione::messages {

/// What an actor says of itself to the console.
struct status_report {
  std::string name, state;
  std::vector<std::pair<std::string, std::string>> details;
};
using status_report_ptr = std::shared_ptr<const status_report>;

using bytes_ptr = std::shared_ptr<const std::string>;
using command_ptr = std::shared_ptr<const domain::command>;
using commands_ptr = std::shared_ptr<const std::vector<domain::command>>;
using replies_ptr = std::shared_ptr<replies>;
using snapshot_point_ptr = std::shared_ptr<const snapshot_point>;
using stored_event_ptr = std::shared_ptr<const stored_event>;
using stored_events_ptr = std::shared_ptr<const std::vector<stored_event>>;
using study_source_ptr = std::shared_ptr<const domain::study_source>;
using form_addition_ptr = std::shared_ptr<const domain::form_addition>;
using receipts_ptr = std::shared_ptr<const std::vector<domain::receipt>>;

} // namespace epione::messages

// In-process only: what crosses a link is the versioned envelope, never one of these.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::status_report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::command_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::replies_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::snapshot_point_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::stored_event_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::stored_events_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::study_source_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::form_addition_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::receipts_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::submission_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::read_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::fhir_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::change_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::commands_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::assessment_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::subject_head_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::log_entries_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::group_log_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::journal_write_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::raft_messages_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::server_change_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::routed_kind)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::domain::receipt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::ec)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::bytes_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::notices_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::notice_outcomes_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::outgoing_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::send_result_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::notice_key)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::notice_question_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::notice_page_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::dead_letters_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::letter_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::console_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::console_reply_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::child_reports_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::event_lines_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::session_lines_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::event_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::parcel_kind)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::messages::link_info_ptr)

namespace epione::messages {

// Atoms: at most ten characters.
using status_atom = caf::atom_constant<caf::atom("status")>;
using submit_atom = caf::atom_constant<caf::atom("submit")>;
using read_atom = caf::atom_constant<caf::atom("read")>;
using reply_atom = caf::atom_constant<caf::atom("reply")>;
using check_atom = caf::atom_constant<caf::atom("check")>;
using recheck_atom = caf::atom_constant<caf::atom("recheck")>;
using verdict_atom = caf::atom_constant<caf::atom("verdict")>;
using head_atom = caf::atom_constant<caf::atom("head")>;
using find_atom = caf::atom_constant<caf::atom("find")>;
using found_atom = caf::atom_constant<caf::atom("found")>;
using list_atom = caf::atom_constant<caf::atom("list")>;
using remember_atom = caf::atom_constant<caf::atom("remember")>;
using propose_atom = caf::atom_constant<caf::atom("propose")>;
using committed_atom = caf::atom_constant<caf::atom("committed")>;
using refused_atom = caf::atom_constant<caf::atom("refused")>;
using listen_atom = caf::atom_constant<caf::atom("listen")>;
using serving_atom = caf::atom_constant<caf::atom("serving")>;
using closed_atom = caf::atom_constant<caf::atom("closed")>;
using applied_atom = caf::atom_constant<caf::atom("applied")>;
using durable_atom = caf::atom_constant<caf::atom("durable")>;
using read_index_atom = caf::atom_constant<caf::atom("readindex")>;
using load_atom = caf::atom_constant<caf::atom("load")>;
using write_atom = caf::atom_constant<caf::atom("write")>;
using persisted_atom = caf::atom_constant<caf::atom("persisted")>;
using failed_atom = caf::atom_constant<caf::atom("failed")>;
using cut_atom = caf::atom_constant<caf::atom("cut")>;
using attach_atom = caf::atom_constant<caf::atom("attach")>;
using apply_atom = caf::atom_constant<caf::atom("apply")>;
using feed_atom = caf::atom_constant<caf::atom("feed")>;
using flush_atom = caf::atom_constant<caf::atom("flush")>;
using checkpoint_atom = caf::atom_constant<caf::atom("checkpnt")>;
using changed_atom = caf::atom_constant<caf::atom("changed")>;
using ended_atom = caf::atom_constant<caf::atom("ended")>;
using import_atom = caf::atom_constant<caf::atom("import")>;
using add_form_atom = caf::atom_constant<caf::atom("add_form")>;
using drain_atom = caf::atom_constant<caf::atom("drain")>;
using notify_atom = caf::atom_constant<caf::atom("notify")>;
using outcome_atom = caf::atom_constant<caf::atom("outcome")>;
using send_atom = caf::atom_constant<caf::atom("send")>;
using pending_atom = caf::atom_constant<caf::atom("pending")>;
using letters_atom = caf::atom_constant<caf::atom("letters")>;
using console_atom = caf::atom_constant<caf::atom("console")>;
using restart_atom = caf::atom_constant<caf::atom("restart")>;
using kill_atom = caf::atom_constant<caf::atom("kill")>;
using children_atom = caf::atom_constant<caf::atom("children")>;
using scan_atom = caf::atom_constant<caf::atom("scan")>;
using sessions_atom = caf::atom_constant<caf::atom("sessions")>;
using leader_atom = caf::atom_constant<caf::atom("leader")>;
using follow_atom = caf::atom_constant<caf::atom("follow")>;
using change_atom = caf::atom_constant<caf::atom("change")>;
using transfer_atom = caf::atom_constant<caf::atom("transfer")>;
using fetch_atom = caf::atom_constant<caf::atom("fetch")>;
using fetched_atom = caf::atom_constant<caf::atom("fetched")>;
using install_atom = caf::atom_constant<caf::atom("install")>;
using ask_atom = caf::atom_constant<caf::atom("ask")>;
using hold_atom = caf::atom_constant<caf::atom("hold")>;
using release_atom = caf::atom_constant<caf::atom("release")>;
using fhir_atom = caf::atom_constant<caf::atom("fhir")>;
using record_atom = caf::atom_constant<caf::atom("record")>;
using raft_atom = caf::atom_constant<caf::atom("raft")>;
using receive_atom = caf::atom_constant<caf::atom("receive")>;
using anchor_atom = caf::atom_constant<caf::atom("anchor")>;
using linked_atom = caf::atom_constant<caf::atom("linked")>;
using unlinked_atom = caf::atom_constant<caf::atom("unlinked")>;

using status_reply = caf::replies_to<status_atom>::with<status_report_ptr>;
/// Every actor can be asked through this.
using status_source = caf::typed_actor<status_reply>;

// ---- journal -------------------------------------------------------------------------------------------------------

/// Whoever writes to the journal.
using journal_client = caf::typed_actor<
    /// Everything up to this index of this epoch's writes is durable. (epoch, index)
    caf::reacts_to<persisted_atom, std::uint64_t, std::uint64_t>,
    /// A write of this epoch failed and left nothing behind (`disk_full`); later writes of the epoch are refused. (epoch, why)
    caf::reacts_to<failed_atom, std::uint64_t, caf::error>>;

/// The node's journal: one writer, one sync for whatever all groups have pending. Detached in production.
using journal_actor = caf::typed_actor<
    /// All that is stored of a group.
    caf::replies_to<load_atom, std::uint32_t>::with<group_log_ptr>,
    /// Write and sync, together with what other groups have pending; answered by persisted or failed.
    caf::reacts_to<write_atom, journal_write_ptr, journal_client>,
    /// The store of this group holds everything up to this point durably: entries up to it may be deleted. (group, point)
    caf::reacts_to<cut_atom, std::uint32_t, snapshot_point_ptr>,
    /// To itself: write what has gathered.
    caf::reacts_to<flush_atom>, status_reply>;

// ---- replica -------------------------------------------------------------------------------------------------------

/// Whoever answers for a group on this node: the shard's region, or the catalog for group 0.
using shard_listener = caf::typed_actor<
    /// The replica leads; its own barrier of this epoch is committed, and the store has applied everything up to it. (epoch)
    caf::reacts_to<serving_atom, std::uint64_t>,
    /// The epoch is over: nothing of it will be answered any more. What was proposed and not reported committed has this
    /// outcome. (epoch, why, outcome)
    caf::reacts_to<closed_atom, std::uint64_t, ec, outcome>,
    /// The store has applied everything up to this index. (index)
    caf::reacts_to<applied_atom, std::uint64_t>,
    /// Answer to read_index: what was committed when it arrived; 0 when there is no lease. (epoch, ticket, index)
    caf::reacts_to<read_index_atom, std::uint64_t, ticket, std::uint64_t>,
    /// Another member leads, on this node; empty: nobody is known to. (epoch, node)
    caf::reacts_to<leader_atom, std::uint64_t, std::string>,
    /// The replica follows, and the store has applied all that was committed when it began to: what it shows may be old, but not
    /// older than that. (epoch)
    caf::reacts_to<follow_atom, std::uint64_t>>;

/// Whoever proposes entries: the shard's storage_writer, or the catalog.
using proposer = caf::typed_actor<
    /// The entry with this batch is durable on a quorum. (epoch, batch, index)
    caf::reacts_to<committed_atom, std::uint64_t, std::uint64_t, std::uint64_t>,
    /// The batch was not taken: wrong epoch, or not leading. It is not in the log. (epoch, batch)
    caf::reacts_to<refused_atom, std::uint64_t, std::uint64_t>>;

/// Applies committed entries to a shard's database. Detached in production.
using shard_store_actor = caf::typed_actor<
    /// Committed entries, consecutive, the first at most one behind what it has; what it has already is skipped.
    caf::reacts_to<apply_atom, log_entries_ptr>,
    /// Apply what has gathered at once: somebody waits to read it.
    caf::reacts_to<flush_atom>,
    /// Write all to the database file, sync, and tell the replica the durable point.
    caf::reacts_to<checkpoint_atom>,
    /// Write all to the database file and leave it as it is for so long, or until released: it is being copied. Answers up to
    /// where it holds everything. ec::not_serving: not now. (milliseconds)
    caf::replies_to<hold_atom, std::uint32_t>::with<snapshot_point_ptr>, caf::reacts_to<release_atom>,
    /// The journal begins behind this point: go on from the file that was fetched (runtime::incoming_path), which holds
    /// everything up to it.
    caf::reacts_to<install_atom, snapshot_point_ptr>, status_reply>;

/// One group's Raft member on this node: drives libraft's raft_step().
using replica_actor =
    caf::typed_actor<caf::reacts_to<persisted_atom, std::uint64_t, std::uint64_t>, // as journal_client
                     caf::reacts_to<failed_atom, std::uint64_t, caf::error>,
                     /// A store is there and has applied up to this index: send it what is committed behind it. (store, applied,
                     /// its term) Null: its file is damaged, and nothing may be served before it attaches again.
                     caf::reacts_to<attach_atom, shard_store_actor, std::uint64_t, std::uint64_t>,
                     /// The store has applied up to this index.
                     caf::reacts_to<applied_atom, std::uint64_t>,
                     /// The store holds everything up to this point durably: the log may be cut.
                     caf::reacts_to<durable_atom, snapshot_point_ptr>,
                     /// From now on this one answers for the group: opens a new epoch, and says `serving` once it may serve.
                     caf::reacts_to<listen_atom, shard_listener>,
                     /// Append a batch (domain::encode_batch) as one entry; answered by committed or refused, or by the epoch's
                     /// end. (epoch, batch, bytes, who)
                     caf::reacts_to<propose_atom, std::uint64_t, std::uint64_t, bytes_ptr, proposer>,
                     /// What is committed now, if this replica may answer reads? (epoch, ticket)
                     caf::reacts_to<read_index_atom, std::uint64_t, ticket>,
                     /// The same for who is no listener: what is committed now. ec::not_serving: it may not answer reads.
                     caf::replies_to<read_index_atom>::with<std::uint64_t>,
                     /// Somebody waits to read: the store is to have, and apply, all that is committed.
                     caf::reacts_to<flush_atom>,
                     /// The same; answered with what it has applied once that is this entry and all that is committed now. Who
                     /// asks keeps a time limit. (index)
                     caf::replies_to<flush_atom, std::uint64_t>::with<std::uint64_t>,
                     /// The store is about to stop: it is sent all that is committed, then answered (true).
                     caf::replies_to<drain_atom>::with<bool>,
                     /// What another member says, from the link with its node. (messages, node)
                     caf::reacts_to<receive_atom, raft_messages_ptr, std::string>,
                     /// Change who belongs to the group; answers the index of the entry that says so, which need not be committed
                     /// yet. ec::not_serving: it does not lead, another change is under way, or who is to be promoted is not
                     /// caught up; ec::invalid: it makes no sense.
                     caf::replies_to<change_atom, server_change_ptr>::with<std::uint64_t>,
                     /// Hand leadership over to this member (0: to the voter that has most). Answers whether that began.
                     caf::replies_to<transfer_atom, std::uint64_t>::with<bool>,
                     /// The store's file of another member is here, and holds everything up to this point; null: it could not be
                     /// fetched.
                     caf::reacts_to<fetched_atom, snapshot_point_ptr>,
                     /// To itself: feed the store.
                     caf::reacts_to<feed_atom>,
                     /// To itself: the core's timer.
                     caf::reacts_to<caf::tick_atom, std::uint64_t>, status_reply>;

/// Fetches what replicas need from other nodes' stores, one file at a time. Detached in production.
using snapshot_fetcher_actor = caf::typed_actor<
    /// This group's, from this node; the replica of the group is told when it is here, or that it could not be had. (group, node)
    caf::reacts_to<fetch_atom, std::uint32_t, std::string>,
    /// To itself: go on.
    caf::reacts_to<caf::tick_atom>, status_reply>;

// ---- reading a store -----------------------------------------------------------------------------------------------

/// Whoever looks up one subject: its session.
using store_client = caf::typed_actor<
    /// What the store knows of the subject; null: it could not be read. (subject_hash, head)
    caf::reacts_to<head_atom, std::uint64_t, subject_head_ptr>,
    /// Answer to find: the event, null when there is none; an error when the store could not be read.
    caf::reacts_to<found_atom, domain::receipt, stored_event_ptr, caf::error>>;

/// Whoever answers GET requests: the gateway.
using list_client = caf::typed_actor<
    /// Up to limit + 1 events of the subject, newest first. (ticket, request, events, error)
    caf::reacts_to<list_atom, ticket, read_request_ptr, stored_events_ptr, caf::error>>;

/// Reads stores; a pool of these, each with a connection of its own to every shard. Detached in production.
using store_reader_actor = caf::typed_actor<
    /// (shard, subject_hash, who)
    caf::reacts_to<head_atom, std::uint32_t, std::uint64_t, store_client>,
    /// (shard, subject_hash, receipt, who)
    caf::reacts_to<find_atom, std::uint32_t, std::uint64_t, domain::receipt, store_client>,
    /// (ticket, request, who)
    caf::reacts_to<list_atom, ticket, read_request_ptr, list_client>,
    /// Pending notices of a shard.
    caf::replies_to<pending_atom, notice_question_ptr>::with<notice_page_ptr>,
    /// Dead letters of a shard.
    caf::replies_to<letters_atom, notice_question_ptr>::with<dead_letters_ptr>,
    /// Up to so many events of a shard from this one on, in order; none when there is no such store yet. (shard, seq, limit)
    caf::replies_to<scan_atom, std::uint32_t, std::uint64_t, std::uint32_t>::with<event_lines_ptr>, status_reply>;

// ---- the way of a submission ---------------------------------------------------------------------------------------

/// Checks and scores a submission against its study; the same for every node and version.
using assessment_client = caf::typed_actor<caf::reacts_to<verdict_atom, assessment_ptr>>;
using validator_actor = caf::typed_actor<
    /// Answered by verdict; a crash ends the validator with ec::crashed_on_input and the receipt.
    caf::reacts_to<check_atom, submission_ptr, assessment_client>, status_reply>;

/// Gathers a shard's commands into batches: the next gathers while the last one is on its way.
using storage_writer_actor = caf::typed_actor<
    /// (epoch, command)
    caf::reacts_to<propose_atom, std::uint64_t, command_ptr>,
    /// These in one and the same entry, so that all are stored or none. (epoch, commands)
    caf::reacts_to<propose_atom, std::uint64_t, commands_ptr>,
    caf::reacts_to<committed_atom, std::uint64_t, std::uint64_t, std::uint64_t>, // as proposer
    caf::reacts_to<refused_atom, std::uint64_t, std::uint64_t>,
    /// To itself: send what has gathered.
    caf::reacts_to<flush_atom>, status_reply>;

/// One patient: which keys are known, what is being checked.
using patient_session_actor = caf::typed_actor<
    /// A submission whose key is not in the region's table; the validator to use.
    caf::reacts_to<submit_atom, submission_ptr, validator_actor>,
    /// The validator is gone; this one is to be checked with another.
    caf::reacts_to<recheck_atom, submission_ptr, validator_actor>,
    caf::reacts_to<head_atom, std::uint64_t, subject_head_ptr>, // as store_client
    caf::reacts_to<found_atom, domain::receipt, stored_event_ptr, caf::error>,
    /// A key of an earlier session was applied: known from now on.
    caf::reacts_to<remember_atom, std::uint16_t>, status_reply>;

/// Who gets the replies of a shard.
using reply_receiver = caf::typed_actor<caf::reacts_to<reply_atom, replies_ptr>>;

/// One shard's front: table of what is on its way, sessions, admission.
using shard_region_actor = caf::typed_actor<
    /// From the gateway.
    caf::reacts_to<submit_atom, ticket, submission_ptr, reply_receiver>,
    caf::reacts_to<read_atom, ticket, read_request_ptr, list_client>,
    /// From the gateway: amendments, and submissions that are stored together or not at all. Answered by one reply
    /// (encode_change_results in messages/fhir.hpp).
    caf::reacts_to<change_atom, ticket, change_request_ptr, reply_receiver>,
    /// What the region itself asked for, for the sake of such a change.
    caf::reacts_to<reply_atom, replies_ptr>,                                            // as reply_receiver
    caf::reacts_to<list_atom, ticket, read_request_ptr, stored_events_ptr, caf::error>, // as list_client
    /// From a validator: accepted or refused.
    caf::reacts_to<verdict_atom, assessment_ptr>, // as assessment_client
    /// From a session: the store has this key already, or could not be read.
    caf::reacts_to<found_atom, submission_ptr, stored_event_ptr, caf::error>,
    /// From the storage_writer: these are durable in the entry with this index. (epoch, index, receipts)
    caf::reacts_to<committed_atom, std::uint64_t, std::uint64_t, receipts_ptr>,
    /// From the storage_writer: these were never proposed. (epoch, receipts)
    caf::reacts_to<refused_atom, std::uint64_t, receipts_ptr>, caf::reacts_to<serving_atom, std::uint64_t>, // as shard_listener
    caf::reacts_to<closed_atom, std::uint64_t, ec, outcome>, caf::reacts_to<applied_atom, std::uint64_t>,
    caf::reacts_to<read_index_atom, std::uint64_t, ticket, std::uint64_t>,
    caf::reacts_to<leader_atom, std::uint64_t, std::string>, caf::reacts_to<follow_atom, std::uint64_t>,
    /// A session ended. (subject_hash, its serial number)
    caf::reacts_to<ended_atom, std::uint64_t, std::uint64_t>,
    /// From the shard's outbox: propose this, for which nobody waits but the outbox. It hears of it by applied, or not at all.
    /// (command, whether somebody waits for it to be applied)
    caf::reacts_to<propose_atom, command_ptr, bool>,
    /// From the directory: an actor was started anew.
    caf::reacts_to<changed_atom, std::string, caf::strong_actor_ptr>,
    /// Up to so many of its sessions, the one heard of last first. (limit)
    caf::replies_to<sessions_atom, std::uint32_t>::with<session_lines_ptr>,
    /// To itself: those who wait for a session to be started.
    caf::reacts_to<flush_atom>,
    /// To itself: idle sessions, limits.
    caf::reacts_to<caf::tick_atom>, status_reply>;

/// What stands behind HTTP: admission, routing to the shard, a deadline for every ticket.
using gateway_actor =
    caf::typed_actor<caf::reacts_to<submit_atom, ticket, submission_ptr>, caf::reacts_to<read_atom, ticket, read_request_ptr>,
                     /// A request under /fhir: answered by whoever is "fhir" in the directory.
                     caf::reacts_to<fhir_atom, ticket, fhir_request_ptr>,
                     /// What such a request needs of a shard: answered to the receiver, within the same limit.
                     caf::reacts_to<submit_atom, ticket, submission_ptr, reply_receiver>,
                     caf::reacts_to<read_atom, ticket, read_request_ptr, list_client>,
                     caf::reacts_to<change_atom, ticket, change_request_ptr, reply_receiver>,
                     caf::reacts_to<reply_atom, replies_ptr>,                                            // as reply_receiver
                     caf::reacts_to<list_atom, ticket, read_request_ptr, stored_events_ptr, caf::error>, // as list_client
                     caf::reacts_to<changed_atom, std::string, caf::strong_actor_ptr>,
                     /// To itself: whether shards that nobody led are led now.
                     caf::reacts_to<changed_atom>,
                     /// To itself: deadlines.
                     caf::reacts_to<caf::tick_atom>,
                     /// Take nothing new; answered (true) when nothing is under way any more.
                     caf::replies_to<drain_atom>::with<bool>, status_reply>;

/// Answers requests under /fhir by what the gateway gets from the shards.
using fhir_actor =
    caf::typed_actor<caf::reacts_to<fhir_atom, ticket, fhir_request_ptr, reply_receiver>,
                     caf::reacts_to<reply_atom, replies_ptr>,                                            // as reply_receiver
                     caf::reacts_to<list_atom, ticket, read_request_ptr, stored_events_ptr, caf::error>, // as list_client
                     caf::reacts_to<changed_atom, std::string, caf::strong_actor_ptr>, status_reply>;

/// Group 0: studies. Publishes every change as a new catalog_snapshot.
using catalog_actor = caf::typed_actor<
    /// Import a study folder; answers the study's id, whether anything changed, and the place in group 0's chain of the newest
    /// change of a study, which this node has published; or ec::invalid with all problems as text. (source, who: "os:USER")
    caf::replies_to<import_atom, study_source_ptr, std::string>::with<std::string, bool, std::uint64_t>,
    /// Add a form, or a version of one, to a study; answers as an import, but with the form's id in the study. ec::not_found:
    /// there is no such study; ec::conflict: the version was imported before with other content.
    caf::replies_to<add_form_atom, form_addition_ptr>::with<std::string, bool, std::uint64_t>,
    /// Add an event to group 0's chain that changes no study; answered (true) once it is durable. ec::not_serving: it was not
    /// recorded; any other error: whether it was is unknown.
    caf::replies_to<record_atom, event_ptr>::with<bool>, caf::reacts_to<serving_atom, std::uint64_t>, // as shard_listener
    caf::reacts_to<closed_atom, std::uint64_t, ec, outcome>, caf::reacts_to<applied_atom, std::uint64_t>,
    caf::reacts_to<read_index_atom, std::uint64_t, ticket, std::uint64_t>,
    caf::reacts_to<leader_atom, std::uint64_t, std::string>, caf::reacts_to<follow_atom, std::uint64_t>,
    caf::reacts_to<committed_atom, std::uint64_t, std::uint64_t, std::uint64_t>, // as proposer
    caf::reacts_to<refused_atom, std::uint64_t, std::uint64_t>,
    /// To itself: the time limit of an import. (its number)
    caf::reacts_to<caf::tick_atom, std::uint64_t>, status_reply>;

/// Signs the heads of the chains that this node leads and has group 0 keep them (domain/anchor.hpp); "anchors" in the directory.
using anchor_keeper_actor = caf::typed_actor<
    /// Now, and not only from time to time. Answers (true) once group 0 has them, (false) when there was nothing new.
    caf::replies_to<anchor_atom>::with<bool>,
    /// To itself: from time to time.
    caf::reacts_to<caf::tick_atom>, status_reply>;

// ---- notices -------------------------------------------------------------------------------------------------------

/// Whoever has notices to send: a shard's outbox.
using notice_client = caf::typed_actor<
    /// What became of some of the notices it handed over.
    caf::reacts_to<outcome_atom, notice_outcomes_ptr>>;

/// Sends what is for one channel: rate limit, circuit breaker, retries, merging.
using notifier_actor = caf::typed_actor<
    /// Send these; each is answered once by an outcome, however long that takes. What an ended client handed over is dropped: its
    /// successor hands it over again.
    caf::reacts_to<notify_atom, notices_ptr, notice_client>,
    /// To itself: what is due.
    caf::reacts_to<caf::tick_atom>, status_reply>;

/// Whoever has a message sent: a notifier.
using sender_client = caf::typed_actor<
    /// What became of a message. (its number)
    caf::reacts_to<send_atom, std::uint64_t, send_result_ptr>>;

/// Sends one message after the other through a channel of its own. Detached in production.
using sender_actor = caf::typed_actor<
    /// Answered by send once the attempt is over. (number, message)
    caf::reacts_to<send_atom, std::uint64_t, outgoing_ptr, sender_client>, status_reply>;

/// One shard's pending notices: hands them to the notifiers and brings what became of them into the log.
using outbox_actor = caf::typed_actor<
    /// From the region: it serves. (epoch)
    caf::reacts_to<serving_atom, std::uint64_t>,
    /// From the region: the epoch is over, and what was proposed may be lost. (epoch)
    caf::reacts_to<closed_atom, std::uint64_t>,
    /// From the region: the store has applied more, and may hold new notices. (index)
    caf::reacts_to<applied_atom, std::uint64_t>,
    /// From the region: the outbox's command of this id is applied.
    caf::reacts_to<applied_atom, domain::receipt>, caf::reacts_to<outcome_atom, notice_outcomes_ptr>, // as notice_client
    caf::reacts_to<changed_atom, std::string, caf::strong_actor_ptr>,
    /// To itself: what was not answered or applied in time.
    caf::reacts_to<caf::tick_atom>,
    /// Up to so many dead letters behind this key (seq 0: from the first), oldest first. (behind, limit)
    caf::replies_to<letters_atom, notice_key, std::uint32_t>::with<dead_letters_ptr>,
    /// Retry or drop dead letters; answers how many, once applied. ec::not_found: there is none with this key. ec::not_serving:
    /// nothing was done. ec::time_limit: what was done is unknown; asking again is safe.
    caf::replies_to<letters_atom, letter_request_ptr>::with<std::uint64_t>, status_reply>;

/// Answers the commands of `epione console`.
using admin_console_actor = caf::typed_actor<
    /// Always answered within the command's own limit (actors/console/commands.hpp), whoever is stuck.
    caf::replies_to<console_atom, console_request_ptr>::with<console_reply_ptr>, status_reply>;

// ---- peers -------------------------------------------------------------------------------------------------------

/// Whoever takes what members of its group on other nodes say: the replica, "replica N" in the directory.
using raft_receiver = caf::typed_actor<
    /// In the order they were sent; `peer` of each is the sender's server id. (messages, node they come from)
    caf::reacts_to<receive_atom, raft_messages_ptr, std::string>>;

/// Whoever takes parcels from other nodes: the router, "router" in the directory.
using parcel_receiver = caf::typed_actor<
    /// In the order they were sent. (node it comes from, kind, number given by the sender, bytes)
    caf::reacts_to<receive_atom, std::string, parcel_kind, std::uint64_t, bytes_ptr>>;

/// The link with one other node, "peer NODE" in the directory. Whoever sends is not told whether it arrives: what is not sent
/// because the link is down or its window full is counted and dropped, and the sender's own time limit decides. Whether there is
/// a link says cluster/peer_view.hpp.
using peer_link_actor = caf::typed_actor<
    /// To members of a group on that node. (group, messages)
    caf::reacts_to<raft_atom, std::uint32_t, raft_messages_ptr>,
    /// To that node's router. (kind: request, reply, cast or chunk; number for the other side, bytes)
    caf::reacts_to<send_atom, parcel_kind, std::uint64_t, bytes_ptr>,
    /// From the transport: there is a link from now on.
    caf::reacts_to<linked_atom, link_info_ptr>,
    /// From the transport: there is none any more. (why)
    caf::reacts_to<unlinked_atom, std::string>,
    /// From the transport: an envelope came.
    caf::reacts_to<receive_atom, bytes_ptr>,
    /// To itself: send what has gathered.
    caf::reacts_to<flush_atom>,
    /// To itself: the heartbeats that have gathered are due. (number of the timer)
    caf::reacts_to<flush_atom, std::uint64_t>,
    /// To itself: ping. (number of the link's timer)
    caf::reacts_to<caf::tick_atom, std::uint64_t>, status_reply>;

/// Keeps a link with every other node, "links" in the directory.
using link_keeper_actor = caf::typed_actor<
    /// To itself: who is in the cluster now.
    caf::reacts_to<caf::tick_atom>, status_reply>;

/// Whoever answers questions of other nodes, by the name its routed_kind stands for.
using question_receiver = caf::typed_actor<
    /// (node that asks, question)
    caf::replies_to<ask_atom, std::string, bytes_ptr>::with<bytes_ptr>>;

/// One that answers them and nothing else.
using question_receiver_actor =
    caf::typed_actor<caf::replies_to<ask_atom, std::string, bytes_ptr>::with<bytes_ptr>, status_reply>;

/// Gives stores' files to other nodes, "snapshots" in the directory; its questions are those of messages/snapshot.hpp.
using snapshot_server_actor = caf::typed_actor<
    /// As question_receiver.
    caf::replies_to<ask_atom, std::string, bytes_ptr>::with<bytes_ptr>,
    /// To itself: is anybody still asking?
    caf::reacts_to<caf::tick_atom>, status_reply>;

/// Looks after who belongs to what, "steward" in the directory; its questions are those of messages/steward.hpp.
using steward_actor = caf::typed_actor<
    /// As question_receiver.
    caf::replies_to<ask_atom, std::string, bytes_ptr>::with<bytes_ptr>,
    /// To itself: what is to be done next.
    caf::reacts_to<caf::tick_atom>, status_reply>;

/// Between this node's gateway and the regions of other nodes, "router" in the directory; and questions between nodes.
using router_actor = caf::typed_actor<
    /// From the gateway: for a shard that is led on that node. Answered by reply, with a hint when it can be tried elsewhere.
    caf::reacts_to<submit_atom, std::string, ticket, submission_ptr, reply_receiver>,
    /// The same for changes of one subject.
    caf::reacts_to<change_atom, std::string, ticket, change_request_ptr, reply_receiver>,
    /// The same for a read; ec::not_serving can be tried elsewhere.
    caf::reacts_to<read_atom, std::string, ticket, read_request_ptr, list_client>,
    /// Ask a node (this one, too) something. ec::time_limit: whether it was done is unknown. (node, kind, question, limit in ms)
    caf::replies_to<ask_atom, std::string, routed_kind, bytes_ptr, std::uint32_t>::with<bytes_ptr>,
    caf::reacts_to<receive_atom, std::string, parcel_kind, std::uint64_t, bytes_ptr>,   // as parcel_receiver
    caf::reacts_to<reply_atom, replies_ptr>,                                            // as reply_receiver
    caf::reacts_to<list_atom, ticket, read_request_ptr, stored_events_ptr, caf::error>, // as list_client
    caf::reacts_to<changed_atom, std::string, caf::strong_actor_ptr>,
    /// To itself: lost links, limits.
    caf::reacts_to<caf::tick_atom>, status_reply>;

// ---- supervision ---------------------------------------------------------------------------------------------------

/// Starts, watches and stops its children (actors/supervisor.hpp).
using supervisor_actor = caf::typed_actor<
    /// To itself: start again what is due.
    caf::reacts_to<restart_atom, std::uint64_t>, caf::replies_to<children_atom>::with<child_reports_ptr>,
    /// An operator's word: stop a child and those its death concerns, and start them again; also one that is halted. Answered
    /// (true) when it runs again; ec::not_found: no child of that name; ec::not_serving: it is stopping. (name, who)
    caf::replies_to<restart_atom, std::string, std::string>::with<bool>,
    /// The same without giving it time to stop: it dies as by a fault, which is not counted. One that does not run: ec::invalid.
    caf::replies_to<kill_atom, std::string, std::string>::with<bool>, status_reply>;

} // namespace epione::messages
