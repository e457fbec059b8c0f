// Every limit and default of the program, in one place, each with its unit and why. docs/limits.md says the same to operators.
#pragma once

#include "domain/limits.hpp"

#include <cstddef>
#include <cstdint>

namespace epione::runtime::defaults {

// ---- where a node is ----------------------------------------------------------------------------------------------
inline constexpr const char* data_directory = "epione-data"; // beside where one starts it; packages set another
inline constexpr const char* http_address = "127.0.0.1";     // loopback until sign-in exists
inline constexpr std::uint32_t http_port = 8080;
inline constexpr std::uint32_t http_threads = 1; // one carries about 40,000 requests/s
inline constexpr const char* log_level_name = "info";
inline constexpr std::size_t config_file_bytes_max = 1024 * 1024; // some thousand times what all settings need

// ---- the admin socket, and importing a study; how large one may be is in domain/limits.hpp -------------------------------
inline constexpr std::size_t admin_frame_bytes_max = 64u << 20;              // a study with all its forms, four times over
inline constexpr std::uint32_t admin_io_limit_ms = 10'000;                   // to receive one request, and to send one reply
inline constexpr std::uint32_t admin_calls_max = 4;                          // at the same time; each has a thread
inline constexpr std::size_t imports_waiting_max = 8;                        // behind the one under way
inline constexpr std::uint32_t import_limit_ms = 30'000;                     // compile, commit, apply and publish one study
inline constexpr std::uint32_t import_answer_limit_ms = 2 * import_limit_ms; // the limit may pass while another is compiled
inline constexpr std::uint32_t import_command_limit_ms = import_answer_limit_ms + 2 * admin_io_limit_ms; // there and back

// ---- exports -----------------------------------------------------------------------------------------------------------
inline constexpr std::uint32_t export_apply_limit_ms = 60'000; // for the stores to hold what is committed: 64 MiB a shard at most
inline constexpr std::size_t applied_waiters_max = 16;         // commands that wait for one store, four times over
inline constexpr std::size_t export_piece_bytes = 256 * 1024;  // written at once

// ---- backups, restores and anchors of the chains ---------------------------------------------------------------------------
inline constexpr std::uint64_t backup_bytes_per_s = 32'000'000;    // leaves the node its disk and processors
inline constexpr std::uint64_t backup_piece_bytes = 256 * 1024;    // copied at once
inline constexpr std::uint64_t backup_sync_bytes = 4u << 20;       // then synced: little is in the way of the journal's own syncs
inline constexpr std::uint32_t backup_ask_limit_ms = 30'000;       // for every group's leader to say what is committed
inline constexpr std::size_t backup_manifest_bytes_max = 1u << 20; // some 300 bytes a group
inline constexpr std::uint32_t anchor_interval_ms = 15 * 60'000;   // what a cut can take away unseen; an event of 1 KiB each time
inline constexpr std::uint32_t anchor_first_ms = 60'000;           // after a start
inline constexpr std::uint32_t anchor_answer_limit_ms = 20'000;    // to read the heads and have group 0 keep them
inline constexpr std::size_t anchors_file_bytes_max = 16u << 20;   // some thousand anchors

// ---- the operator's console -----------------------------------------------------------------------------------------
inline constexpr std::uint32_t console_status_limit_ms = 1'000;   // for one actor to say how it is; who is later is shown so
inline constexpr std::uint32_t console_rate_window_ms = 250;      // messages are counted so long for a rate; short enough to wait
inline constexpr std::uint32_t console_record_limit_ms = 5'000;   // for group 0 to have an operator's command durable
inline constexpr std::uint32_t console_order_limit_ms = 45'000;   // to stop an actor, which may take stop_limit_ms, and start it
inline constexpr std::uint32_t console_letters_limit_ms = 20'000; // for a shard to retry or drop its dead letters
inline constexpr std::uint32_t console_margin_ms = 1'000;         // of one limit above the one it stands on
inline constexpr std::uint32_t console_lines_max = 200;           // sessions, events or letters a shard is asked for at once
inline constexpr std::uint32_t console_events_max = 64;           // of a shard in one look of tail; more come too fast to read
inline constexpr std::size_t console_word_bytes_max = 1'000;      // of one word typed; the longest name is far below
inline constexpr std::size_t console_words_max = 32;              // of one command
inline constexpr std::size_t records_waiting_max = 16;            // operators' commands on their way into group 0
inline constexpr std::uint32_t console_follow_ms = 1'000;         // between two looks of watch and tail
inline constexpr std::size_t console_history_max = 1'000;         // lines kept for the next session

// ---- HTTP: what one client may ask of a node -----------------------------------------------------------------------
inline constexpr std::size_t http_body_bytes_max = 256 * 1024;     // the largest form is far below; attachments go elsewhere
inline constexpr std::size_t http_header_bytes_max = 16 * 1024;    // what proxies commonly allow
inline constexpr std::uint32_t http_header_limit_ms = 10'000;      // a phone on a bad line, not a slow-header attack
inline constexpr std::uint32_t http_body_limit_ms = 30'000;        // 256 KiB at 70 kbit/s
inline constexpr std::uint32_t http_idle_limit_ms = 60'000;        // keep-alive between requests
inline constexpr std::uint32_t http_connections_max = 20'000;      // about 20 KiB each
inline constexpr std::uint32_t http_turned_away_max = 1'024;       // beyond them; each is told so, the next is closed unheard
inline constexpr std::uint32_t http_slots_max = 262'144;           // connections of a thread: 18 bits of a ticket
inline constexpr std::size_t http_buffered_bytes_max = 128u << 20; // bodies half received, of all connections of a thread
inline constexpr std::uint32_t http_write_limit_ms = 30'000;       // for a reply to be taken; a page of answers on a bad line
inline constexpr std::uint32_t http_linger_limit_ms = 2'000;       // to read a refusal before the connection is cut
inline constexpr std::size_t http_linger_bytes_max = 1u << 20;     // read over after a refusal, then the connection is cut
inline constexpr std::size_t http_chunk_framing_bytes = 8'192;     // chunks as they came, waiting to be decoded
inline constexpr std::uint32_t http_chunk_extra_bytes_max = 4'096; // a body's chunk extensions and trailers; nobody needs any
inline constexpr std::uint32_t http_reply_margin_ms = 20'000;      // last resort above request_limit_ms: never silence
inline constexpr std::uint32_t http_sweep_interval_ms = 1'000;     // how exactly these limits are kept; one timer a thread
inline constexpr std::uint32_t requests_in_flight_max = 8'192;     // of a node; refused before the body is looked at
inline constexpr std::size_t reply_buffers_max = 32;               // kept for the next reads; more than are answered at once
inline constexpr std::size_t reply_buffer_bytes_max = 1u << 20;    // of each; a page of 200 submissions is some 80 KiB
inline constexpr unsigned json_depth_max = 32;                     // nesting of a submission's data
inline constexpr std::size_t key_bytes_max = 200;                  // idempotency key
inline constexpr std::size_t subject_bytes_max = domain::limits::subject_bytes_max; // patientId as text
inline constexpr std::size_t study_id_bytes_max = 128;                              // far above what a study may be called
inline constexpr std::uint32_t search_look_max = 20'000;     // events of a shard that one page of a search looks at; some 80 ms
inline constexpr std::uint64_t search_count_max = 2'000'000; // events that may be looked at for a total; some 8 s of readers
inline constexpr std::size_t search_bytes_max = 16 * 1024;   // of a search's parameters; what a header has room for
inline constexpr std::uint32_t search_page_default = 20;     // responses a page, where _count does not say
inline constexpr std::uint32_t bundle_entries_max = 100;     // of one Bundle; a phone that was offline for a month has fewer
inline constexpr std::uint32_t amendments_max = 100;         // of one submission; each keeps what was before it
inline constexpr std::size_t reason_bytes_max = 1'000;       // of an amendment
inline constexpr std::size_t located_max = 65'536;           // receipts whose patient is remembered; about 80 bytes each
inline constexpr std::uint32_t changes_waiting_max = 1'024;  // of a shard: updates and transactions that wait for their turn
inline constexpr std::uint32_t read_limit_max = 200;         // submissions a page

// ---- the way of a submission ---------------------------------------------------------------------------------------
inline constexpr std::uint32_t shard_count = 16;                    // fixed when a cluster is created
inline constexpr std::uint32_t request_limit_ms = 10'000;           // then 503 with outcome "unknown"
inline constexpr std::uint32_t in_flight_per_shard_max = 2'048;     // credits: more only waits longer
inline constexpr std::uint32_t store_lag_max = 32'768;              // entries a shard may have on the way and not applied
inline constexpr std::uint64_t store_lag_bytes_max = 64u << 20;     // of their content
inline constexpr std::uint32_t batch_commands_max = 1'024;          // commands in one log entry
inline constexpr std::size_t batch_bytes_max = 1024 * 1024;         // bytes in one log entry
inline constexpr std::uint32_t retry_after_s = 1;                   // what a refused phone is told
inline constexpr std::uint32_t sessions_per_node_max = 1'000'000;   // about 1.5 KiB each
inline constexpr std::uint32_t session_idle_limit_ms = 15 * 60'000; // a phone's retries come within minutes
inline constexpr std::uint32_t session_starts_per_s = 2'000;     // of a shard, at first: 16 shards start 32,000, above all load
inline constexpr std::uint32_t session_ramp_ms = 5'000;          // twice as many each second; by then caches are warm
inline constexpr std::size_t session_starts_waiting_max = 4'096; // of a shard: two seconds' worth; about 1 KiB each
inline constexpr std::uint32_t validators = 2;                   // one a core
inline constexpr std::uint32_t validator_crashes_max = 3;        // then the body is set aside
inline constexpr std::size_t set_aside_remembered_max = 1'024;   // of a shard; a phone that insists crashes no more validators

// ---- storage -------------------------------------------------------------------------------------------------------
inline constexpr std::uint32_t apply_rows_max = 4'096;               // rows of one store transaction
inline constexpr std::uint32_t apply_delay_ms = 1'000;               // how long committed rows may gather when nobody reads
inline constexpr std::uint64_t store_checkpoint_bytes = 16u << 20;   // WAL size that starts a checkpoint
inline constexpr std::uint64_t journal_checkpoint_bytes = 64u << 20; // of the journal; each ends by holding up all writes
inline constexpr std::uint64_t disk_reserve_bytes = 64u << 20;       // kept free so that deletion and checkpoints work
inline constexpr std::uint32_t journal_groups_max = 200;             // the catalog is one of them; as many as a mark names
inline constexpr std::uint32_t store_readers = 2;                    // reading connections a shard
inline constexpr std::uint32_t sqlite_busy_limit_ms = 5'000;         // for another process that recovers the file
inline constexpr std::size_t subject_tags_listed_max = 4'096;        // 2 bytes each; of more only the set is kept, 8 KiB

// ---- notices -------------------------------------------------------------------------------------------------------
inline constexpr std::uint32_t notice_rows_a_look = 50'000;      // pending rows a reader walks over at once; some 20 ms
inline constexpr std::uint32_t notice_page_max = 256;            // of them given to an outbox at once; each decodes its event
inline constexpr std::uint32_t notices_in_hand_max = 4'096;      // of a shard, with notifiers; about 500 bytes each
inline constexpr std::uint32_t lane_notices_max = 512;           // of them of one recipient and channel; enough to merge
inline constexpr std::uint32_t outcomes_waiting_max = 16'384;    // of a shard, on their way into the store; about 100 bytes each
inline constexpr std::uint32_t outcome_batch_max = 1'024;        // outcomes of one command; some 30 KiB
inline constexpr std::uint32_t outcome_batch_reasons_max = 256;  // of them dead letters, which have a reason
inline constexpr std::size_t dead_letter_reason_bytes_max = 500; // a sentence; the rest of a longer one is cut
inline constexpr std::uint32_t outcome_commands_max = 4;         // of a shard on their way at the same time
inline constexpr std::uint32_t outcome_repeat_ms = 15'000;       // not applied after it: proposed again, which is harmless
inline constexpr std::uint32_t outbox_tick_ms = 1'000;           // how exactly the limits of an outbox are kept
inline constexpr std::uint32_t notice_read_limit_ms = 10'000;    // for a reader to look at a store's notices
inline constexpr std::uint32_t letters_waiting_max = 16;         // commands of operators an outbox has in hand
inline constexpr std::uint32_t letters_limit_ms = 30'000;        // for one of them to be applied
inline constexpr std::uint32_t letters_list_max = 1'000;         // dead letters of one answer

// ---- replication ---------------------------------------------------------------------------------------------------
inline constexpr std::uint32_t raft_election_ms = 500;            // one voter leads at once; peers wait one to two of these
inline constexpr std::uint32_t raft_heartbeat_ms = 100;           // a fifth: some may be lost
inline constexpr std::uint32_t raft_lease_ms = 375;               // of an election: less by more than clocks drift in that time
inline constexpr std::size_t catalog_voters_max = 5;              // of group 0, however many nodes there are
inline constexpr std::uint32_t membership_step_limit_ms = 10'000; // for a group to take up one change of its members
inline constexpr std::uint32_t membership_pause_ms = 600;         // after it; until then the others know how the group is
inline constexpr std::size_t membership_steps_at_once = 4;        // groups that are changed at the same time
inline constexpr std::uint32_t stand_by_silence_ms = 10'000;      // then a stand-by that was heard before gets no more chances
inline constexpr std::uint32_t replace_silence_ms = 2'000;        // elections enough: a linked node not heard so long is dead
inline constexpr std::uint32_t replace_after_join_ms = 10'000;    // who was let in makes its link anew meanwhile
inline constexpr std::uint32_t replace_wait_ms = 6'000;    // longer than peer_idle_limit_ms: then a dead node's link is gone
inline constexpr std::uint32_t replica_rest_ms = 2'000;    // between two moves: no word of a node about its groups is older
inline constexpr std::uint32_t leadership_rest_ms = 5'000; // everything has been whole so long before leaderships move
inline constexpr std::uint32_t leadership_move_ms = 1'000; // between two of them
inline constexpr std::uint32_t hand_over_limit_ms = 2'000; // a node that stops gives its leaderships away first
inline constexpr std::uint32_t question_limit_ms = 60'000; // one node's question to another, unless it says less
inline constexpr std::uint32_t leader_wait_ms = 5'000;     // a request waits so long for its shard to be led: some elections
inline constexpr std::uint32_t snapshot_hold_answer_ms = 30'000;  // to apply and checkpoint a store before it is copied
inline constexpr std::uint32_t snapshot_hold_limit_ms = 600'000;  // a store's file is left for one copy, or longer (copy_hold_ms)
inline constexpr std::uint32_t snapshot_idle_limit_ms = 15'000;   // without a question; then the copy is given up
inline constexpr std::uint64_t snapshot_piece_bytes = 256 * 1024; // of a file, in one answer
inline constexpr unsigned snapshot_pieces_under_way = 4;          // 1 MiB in memory on either side
inline constexpr std::uint64_t snapshot_bytes_per_s = 48'000'000; // leaves the sender its disk and processors
inline constexpr std::uint32_t snapshot_piece_limit_ms = 5'000;   // for one piece; then it is asked for again
inline constexpr unsigned snapshot_failures_max = 10;             // a backup asks again for a piece
inline constexpr std::uint32_t snapshot_retry_ms = 200;
inline constexpr std::size_t log_kept_bytes_max = 256u << 20; // of one group, in memory, for a member that takes over a copy
inline constexpr std::uint64_t raft_promotion_lag_max = 64;   // entries a stand-by may lack to become a voter: as many in flight
inline constexpr std::size_t cluster_nodes_max = 64;          // of one cluster; its groups are on replication.factor of them
inline constexpr std::uint32_t raft_in_flight_max = 64;       // entries a follower may have unacknowledged
inline constexpr std::uint32_t raft_trailing_max = 4'096;     // entries kept behind a cut for followers a little late
inline constexpr std::size_t replica_memory_bytes_max = 1u << 20; // of applied entries kept in memory by a single voter
inline constexpr std::size_t store_feed_window_bytes = 8u << 20;  // sent to a store and not applied: twice what it gathers
inline constexpr std::uint32_t store_feed_delay_ms = 100; // committed entries gather so long: waking a store for each costs more
inline constexpr std::uint32_t store_last_feed_limit_ms = 1'000; // for a store that stops to be sent what is committed
inline constexpr std::size_t store_feed_chunk_bytes = 1u << 20;  // one message to a store; one entry may be larger
inline constexpr std::size_t apply_bytes_max = 4u << 20;         // bytes of one store transaction
inline constexpr std::uint32_t journal_load_limit_ms = 60'000;   // to read a group's log: 16 MiB of rows, all groups at once
inline constexpr std::uint32_t journal_retry_ms = 250;           // after a full disk, doubled each time ...
inline constexpr std::uint32_t journal_retry_ms_max = 2'000;     // ... up to this
inline constexpr std::uint32_t checkpoint_retry_ms = 100;        // a reader or another store's checkpoint was in the way

// ---- links between nodes --------------------------------------------------------------------------------------------
inline constexpr const char* peers_address = "";                  // where to listen: as the cluster file says
inline constexpr const char* peers_file = "";                     // of certificate, key and authorities: a node alone needs none
inline constexpr std::size_t peer_window_bytes = 16u << 20;       // sent and not acknowledged: 130 ms of a gigabit
inline constexpr std::size_t peer_control_bytes = 1u << 20;       // above the window, so that votes pass a stream of entries
inline constexpr std::size_t peer_envelope_bytes = 1u << 20;      // gathered into one; what is larger alone has its own
inline constexpr std::size_t peer_envelope_bytes_max = 96u << 20; // read: one log entry of the largest batch.bytes_max
inline constexpr std::size_t peer_queue_bytes_max = 24u << 20;    // waiting for the network, of one peer; above the window
inline constexpr std::size_t peer_parcels_max = 65'536;           // of one envelope
inline constexpr std::size_t peer_messages_max = 65'536;          // of one raft parcel
inline constexpr std::size_t peer_entries_max = 65'536;           // of one message; a group sends raft_in_flight_max
inline constexpr std::uint32_t peer_heartbeat_delay_ms = 10;      // heartbeats of all groups wait so long for each other
inline constexpr std::uint32_t peer_ping_ms = 1'000;              // round trip and clock offset
inline constexpr std::uint32_t peer_ping_samples = 8;             // the one with the shortest way tells the clocks' offset best
inline constexpr std::uint32_t clock_offset_max_ms = 500;         // far above what NTP leaves; receipts of two nodes differ by it
inline constexpr std::uint32_t peer_handshake_limit_ms = 5'000;   // TCP, TLS, WebSocket and hello, each way of a new link
inline constexpr std::uint32_t peer_idle_limit_ms = 4'000;        // nothing heard, not even an answer to a WebSocket ping
inline constexpr std::uint32_t peer_close_limit_ms = 1'000;       // for the other side to answer a close
inline constexpr std::uint32_t peer_handshakes_max = 16;          // incoming ones not authenticated yet; more are closed unheard
inline constexpr std::uint32_t peer_dial_ms = 100;                // before the second try to reach a peer, then doubled ...
inline constexpr std::uint32_t peer_dial_ms_max = 2'000;          // ... up to this, each with jitter of a half
inline constexpr std::uint32_t peer_certificate_look_ms = 5'000;  // between two looks at the certificate's files
inline constexpr std::size_t peer_certificate_bytes_max = 256 * 1024; // of one file; an authority is some 700 bytes
inline constexpr std::size_t peer_hello_bytes_max = 4 * 1024;         // names, versions and ids
inline constexpr std::size_t node_name_bytes_max = 63;                // a label of DNS, so that a certificate can hold it
inline constexpr std::uint32_t certificate_days = 365;                // of a node's
inline constexpr std::uint32_t authority_days = 3'650;                // of the cluster's authority
inline constexpr std::uint32_t certificate_days_max = 36'500;         // a century
inline constexpr std::uint32_t certificate_warning_days = 30;         // left: time to issue the next one

// ---- channels to the outside; the first ones can be set for each (runtime/channel_settings.cpp) ---------------------------
inline constexpr const char* channel_rate = "10/s";                  // far above what a study needs, below what mail servers bear
inline constexpr std::uint32_t channel_concurrency = 2;              // one slow answer does not hold up the rest
inline constexpr std::uint32_t channel_timeout_ms = 30'000;          // a mail server that looks up names first
inline constexpr std::uint32_t channel_give_up_after_s = 72 * 3'600; // a weekend without anybody who could mend it
inline constexpr std::uint32_t channel_refused_tries = 3;            // some refusals pass; more would look like an attack
inline constexpr std::uint32_t channel_retry_ms = 2'000;             // a server that restarts
inline constexpr std::uint32_t channel_retry_ms_max = 10 * 60'000;   // an urgent notice must not wait longer once it works again
inline constexpr std::uint32_t channel_breaker_failures = 5;         // in a row; then the other side is left alone
inline constexpr std::uint32_t channel_breaker_open_ms = 30'000;     // then one message is tried; doubled each time ...
inline constexpr std::uint32_t channel_breaker_open_ms_max = 5 * 60'000; // ... up to this
inline constexpr std::uint32_t channel_merge_from = 10;              // waiting for one recipient: nobody reads more one by one
inline constexpr std::uint32_t channel_merge_max = 100;              // in one message; still one screen after another
inline constexpr std::uint32_t channel_text_bytes_max = 64 * 1024;   // of one message; mail servers take far more
inline constexpr const char* channel_log_rate = "1000/s";            // the log channel's: lines, merged beyond
inline constexpr std::uint32_t channels_max = 64;                    // each has its own senders, some with threads
inline constexpr std::size_t channel_response_bytes_max = 16 * 1024; // an error number is in the first line
inline constexpr std::size_t channel_secret_bytes_max = 4 * 1024;    // the longest tokens have some hundred bytes
inline constexpr std::uint32_t channel_send_margin_ms = 5'000;       // a sender's own time limit comes first
inline constexpr std::uint32_t channel_sender_restart_ms = 1'000;    // a channel whose every message ends its sender
inline constexpr std::uint32_t channel_retry_after_s_max = 3'600;    // what the other side may ask for; then it is asked again
inline constexpr std::size_t channel_parcels_max = 8;                // of one recipient: one bad message does not stop the rest
inline constexpr std::uint32_t channel_quiet_look_ms = 15 * 60'000;  // the wall clock may be set, and the study changed
inline constexpr std::uint32_t channel_unknown_look_ms = 500;        // the studies are read within a second of the start

// ---- actors and supervision ----------------------------------------------------------------------------------------
inline constexpr std::size_t actor_turn_messages = 300;      // then another's turn; without it a busy one starves the rest
inline constexpr std::uint32_t restarts_max = 10;            // of one supervisor's children ...
inline constexpr std::uint32_t restart_period_ms = 60'000;   // ... in this period
inline constexpr std::uint32_t restart_delay_ms = 20;        // before the second restart in a period, then doubled each time
inline constexpr std::uint32_t restart_delay_ms_max = 1'000; // a fault that passes by itself is soon over
inline constexpr std::uint32_t child_stop_limit_ms = 5'000;  // one actor's last transaction and checkpoint
inline constexpr std::uint32_t kill_limit_ms = 10'000; // a killed actor ends after the call it is in: some syncs, on a slow disk
inline constexpr std::uint32_t stop_limit_ms = 30'000; // drain and stop, then the process ends all the same

} // namespace epione::runtime::defaults
