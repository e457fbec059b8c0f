// The table of everything an operator may set, and of what is fixed.
#include "runtime/config.hpp"
#include "runtime/config_text.hpp"
#include "runtime/durations.hpp"
#include "runtime/log.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <netinet/in.h>

namespace epione::runtime {

namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

/// Every shard is a group of the journal, and so is the catalog.
constexpr std::uint64_t shards_max = defaults::journal_groups_max - 1;
static_assert(defaults::shard_count <= shards_max);

/// One thread must have a place for all of them, and for those it turns away.
constexpr std::uint64_t connections_max = defaults::http_slots_max - defaults::http_turned_away_max;
static_assert(defaults::http_connections_max <= connections_max);

std::optional<std::string> check_directory(std::string& text) {
  if (text.empty())
    return "the data directory must not be empty; name one, or leave it out for the default";
  if (text.find('\0') != std::string::npos)
    return "a path cannot hold a NUL byte";
  while (text.size() > 1 && text.back() == '/')
    text.pop_back();
  return std::nullopt;
}

std::optional<std::string> check_address(std::string& text) {
  if (text == "localhost")
    text = "127.0.0.1";
  in_addr four{};
  in6_addr six{};
  const bool is_four = inet_pton(AF_INET, text.c_str(), &four) == 1;
  const bool is_six = inet_pton(AF_INET6, text.c_str(), &six) == 1;
  if (!is_four && !is_six)
    return "'" + text + "' is not an IP address; write 127.0.0.1 or ::1";
  const bool loopback = is_four ? (ntohl(four.s_addr) >> 24) == 127 : IN6_IS_ADDR_LOOPBACK(&six) != 0;
  if (!loopback)
    return "'" + text +
           "' is not a loopback address: HTTP stays on this machine until sign-in exists, because anybody who "
           "reaches the port could read and write; use 127.0.0.1 or ::1";
  return std::nullopt;
}

std::optional<std::string> check_listening(std::string& text) {
  in_addr four{};
  in6_addr six{};
  if (text.empty() || inet_pton(AF_INET, text.c_str(), &four) == 1 || inet_pton(AF_INET6, text.c_str(), &six) == 1)
    return std::nullopt;
  return "'" + text + "' is not an IP address; write 0.0.0.0 or :: for all of this machine's, or leave it out";
}

/// A node may be started anywhere.
std::optional<std::string> check_file(std::string& text) {
  if (text.empty() || (text.front() == '/' && text.find('\0') == std::string::npos))
    return std::nullopt;
  return "'" + text + "' is not an absolute path; write one that begins with /";
}

std::optional<std::string> check_level(std::string& text) {
  if (!parse_log_level(text))
    return "'" + text + "' is not a log level; use debug, info, warning or error";
  return std::nullopt;
}

std::vector<setting> make_settings() {
  using text = std::string;
  using u32 = std::uint32_t;
  using u64 = std::uint64_t;
  return {
      {"data.directory", "", 0, 0, "Where the node keeps everything; one node a directory.", "data_directory",
       [](config& c) -> text& { return c.data.directory; }, check_directory},
      {"http.address", "", 0, 0, "Address to listen on; loopback only until sign-in exists.", "http_address",
       [](config& c) -> text& { return c.http.address; }, check_address},
      {"http.port", "count", 0, 65'535, "Port to listen on; 0 takes a free one, which node.json names.", "http_port",
       [](config& c) -> u32& { return c.http.port; }},
      {"http.threads", "count", 1, 64, "Threads that read requests and write answers.", "http_threads",
       [](config& c) -> u32& { return c.http.threads; }},
      {"http.connections_max", "count", 1, connections_max, "Open connections; the next ones are answered 503 and closed.",
       "http_connections_max", [](config& c) -> u32& { return c.http.connections_max; }},
      {"http.body_bytes_max", "bytes", kib, 16 * mib, "Body of a request; a larger one is answered 413.", "http_body_bytes_max",
       [](config& c) -> u64& { return c.http.body_bytes_max; }},
      {"http.header_bytes_max", "bytes", kib, 256 * kib, "Request line and headers; larger ones are answered 431.",
       "http_header_bytes_max", [](config& c) -> u64& { return c.http.header_bytes_max; }},
      {"http.header_limit_ms", "ms", 10, 10 * minute_ms, "Time for the headers of a request to arrive; then 408.",
       "http_header_limit_ms", [](config& c) -> u32& { return c.http.header_limit_ms; }},
      {"http.body_limit_ms", "ms", 10, 10 * minute_ms, "Time for the body of a request to arrive; then 408.",
       "http_body_limit_ms", [](config& c) -> u32& { return c.http.body_limit_ms; }},
      {"http.idle_limit_ms", "ms", 10, hour_ms, "How long a connection may stay open between requests.", "http_idle_limit_ms",
       [](config& c) -> u32& { return c.http.idle_limit_ms; }},
      {"http.request_limit_ms", "ms", 100, 10 * minute_ms,
       "Time for a request to be answered; then 503 with outcome \"unknown\".", "request_limit_ms",
       [](config& c) -> u32& { return c.http.request_limit_ms; }},
      {"http.retry_after_s", "s", 1, 3'600, "What Retry-After tells a refused phone.", "retry_after_s",
       [](config& c) -> u32& { return c.http.retry_after_s; }},
      {"http.read_limit_max", "count", 1, 1'000, "Submissions on one page of GET /patient/{id}.", "read_limit_max",
       [](config& c) -> u32& { return c.http.read_limit_max; }},
      {"shards.count", "count", 1, shards_max,
       "Shards of the node; fixed when its directory is created, and taken from there when left out.", "shard_count",
       [](config& c) -> u32& { return c.shards.count; }},
      {"sessions.per_node_max", "count", 100, 10'000'000, "Patient sessions kept in memory, about 1.5 KiB each.",
       "sessions_per_node_max", [](config& c) -> u32& { return c.sessions.per_node_max; }},
      {"sessions.idle_limit_ms", "ms", second_ms, 24 * hour_ms, "A session that hears nothing for so long ends by itself.",
       "session_idle_limit_ms", [](config& c) -> u32& { return c.sessions.idle_limit_ms; }},
      {"sessions.starts_per_s", "count", 10, 1'000'000,
       "Sessions a shard starts in the first second after it began to serve; twice as many in each of the next four, then no "
       "limit.",
       "session_starts_per_s", [](config& c) -> u32& { return c.sessions.starts_per_s; }},
      {"admission.in_flight_per_shard_max", "count", 1, 65'536,
       "Credits: submissions of one shard on the way; without a credit 503.", "in_flight_per_shard_max",
       [](config& c) -> u32& { return c.admission.in_flight_per_shard_max; }},
      {"admission.store_lag_max", "count", 16, 10'000'000,
       "Submissions a shard's store may be behind what is committed; at the limit 503.", "store_lag_max",
       [](config& c) -> u32& { return c.admission.store_lag_max; }},
      {"admission.store_lag_bytes_max", "bytes", mib, 16 * gib,
       "Bytes of content a shard may have on the way and not applied; at the limit 503.", "store_lag_bytes_max",
       [](config& c) -> u64& { return c.admission.store_lag_bytes_max; }},
      {"admission.requests_in_flight_max", "count", 1, 1'000'000,
       "Requests of the whole node on the way; more are refused with 503 before the body is looked at.", "requests_in_flight_max",
       [](config& c) -> u32& { return c.admission.requests_in_flight_max; }},
      {"batch.commands_max", "count", 1, 65'536, "Commands in one log entry.", "batch_commands_max",
       [](config& c) -> u32& { return c.batch.commands_max; }},
      {"batch.bytes_max", "bytes", 64 * kib, 64 * mib, "Bytes in one log entry; at least http.body_bytes_max.", "batch_bytes_max",
       [](config& c) -> u64& { return c.batch.bytes_max; }},
      {"storage.apply_rows_max", "count", 1, 1'000'000, "Rows of one store transaction.", "apply_rows_max",
       [](config& c) -> u32& { return c.storage.apply_rows_max; }},
      {"storage.apply_delay_ms", "ms", 0, minute_ms, "How long committed rows may gather before the store when nobody reads.",
       "apply_delay_ms", [](config& c) -> u32& { return c.storage.apply_delay_ms; }},
      {"storage.store_checkpoint_bytes", "bytes", mib, 4 * gib, "Size of a store's WAL that starts a checkpoint.",
       "store_checkpoint_bytes", [](config& c) -> u64& { return c.storage.store_checkpoint_bytes; }},
      {"storage.journal_checkpoint_bytes", "bytes", mib, 4 * gib, "Size of the journal's WAL that starts a checkpoint.",
       "journal_checkpoint_bytes", [](config& c) -> u64& { return c.storage.journal_checkpoint_bytes; }},
      {"storage.disk_reserve_bytes", "bytes", mib, 1024 * gib,
       "Free space below which submissions are answered 503 \"not_stored\".", "disk_reserve_bytes",
       [](config& c) -> u64& { return c.storage.disk_reserve_bytes; }},
      {"validators.count", "count", 1, 64, "Validators that check and score; one a core.", "validators",
       [](config& c) -> u32& { return c.validators.count; }},
      {"validators.crashes_max", "count", 1, 10, "Crashes on one body before it is set aside with 422.", "validator_crashes_max",
       [](config& c) -> u32& { return c.validators.crashes_max; }},
      {"readers.count", "count", 1, 64, "Readers, each with a connection to every shard's store.", "store_readers",
       [](config& c) -> u32& { return c.readers.count; }},
      {"peers.address", "", 0, 0, "IP address to listen on for other nodes; empty: as the cluster file says of this node.",
       "peers_address", [](config& c) -> text& { return c.peers.address; }, check_listening},
      {"peers.certificate", "", 0, 0, "This node's certificate, by which other nodes know it: a PEM file.", "peers_file",
       [](config& c) -> text& { return c.peers.certificate; }, check_file},
      {"peers.key", "", 0, 0, "Its private key: a PEM file that only this user may read.", "peers_file",
       [](config& c) -> text& { return c.peers.key; }, check_file},
      {"peers.authorities", "", 0, 0, "Whose certificates are trusted, one or more: a PEM file.", "peers_file",
       [](config& c) -> text& { return c.peers.authorities; }, check_file},
      {"peers.handshake_limit_ms", "ms", 100, minute_ms, "Time for a link to be made, from the connection to the greeting.",
       "peer_handshake_limit_ms", [](config& c) -> u32& { return c.peers.handshake_limit_ms; }},
      {"peers.idle_limit_ms", "ms", 500, 10 * minute_ms, "A link on which nothing is heard for so long is made anew.",
       "peer_idle_limit_ms", [](config& c) -> u32& { return c.peers.idle_limit_ms; }},
      {"peers.certificate_look_ms", "ms", 100, hour_ms, "How often it is looked whether the certificate's files were exchanged.",
       "peer_certificate_look_ms", [](config& c) -> u32& { return c.peers.certificate_look_ms; }},
      {"peers.clock_offset_max_ms", "ms", 1, hour_ms, "How far two nodes' clocks may differ; more is an alert.",
       "clock_offset_max_ms", [](config& c) -> u32& { return c.peers.clock_offset_max_ms; }},
      {"supervision.restarts_max", "count", 1, 1'000, "Restarts of one supervisor's children in the period; more stop the node.",
       "restarts_max", [](config& c) -> u32& { return c.supervision.restarts_max; }},
      {"supervision.restart_period_ms", "ms", second_ms, hour_ms, "The period that restarts are counted in.", "restart_period_ms",
       [](config& c) -> u32& { return c.supervision.restart_period_ms; }},
      {"stop.limit_ms", "ms", 100, hour_ms, "Time to finish what was accepted after SIGTERM; then the process ends all the same.",
       "stop_limit_ms", [](config& c) -> u32& { return c.stop.limit_ms; }},
      {"log.level", "", 0, 0, "Log lines of this level and above: debug, info, warning, error.", "log_level_name",
       [](config& c) -> text& { return c.log.level; }, check_level},
  };
}

std::string replaced(std::string_view text, char separator, bool upper) {
  std::string out;
  for (const char c : text) {
    if (c == '.' || c == '_')
      out += separator;
    else
      out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
  }
  return out;
}

} // namespace

std::string setting::environment() const {
  return "EPIONE_" + replaced(name, '_', true);
}

std::string setting::flag() const {
  return name == "data.directory" ? "--data-dir" : "--" + replaced(name, '-', false);
}

std::string setting::value(const config& c) const {
  // The table reads and writes through one function; reading changes nothing.
  auto& from = const_cast<config&>(c);
  if (const auto* get = std::get_if<0>(&where))
    return (*get)(from);
  if (const auto* get = std::get_if<1>(&where))
    return std::to_string((*get)(from));
  return std::to_string(std::get<2>(where)(from));
}

std::string setting::range() const {
  return range_text(unit, minimum, maximum);
}

const std::vector<setting>& settings() {
  static const std::vector<setting> table = make_settings();
  return table;
}

const setting* find_setting(std::string_view name) {
  const auto& all = settings();
  const auto found = std::find_if(all.begin(), all.end(), [&](const setting& s) { return s.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const std::vector<fixed_limit>& fixed_limits() {
  static const std::vector<fixed_limit> table{
      {"http_buffered_bytes_max", "bytes", "Bodies half received, of all connections of a thread; then 503.",
       defaults::http_buffered_bytes_max},
      {"http_write_limit_ms", "ms", "Time for a client to take an answer; then the connection is closed.",
       defaults::http_write_limit_ms},
      {"http_linger_limit_ms", "ms", "Time for a client to read a refusal before its connection is cut.",
       defaults::http_linger_limit_ms},
      {"http_reply_margin_ms", "ms",
       "Last resort so long after `http.request_limit_ms`: a request is never left without an answer.",
       defaults::http_reply_margin_ms},
      {"http_sweep_interval_ms", "ms", "How exactly the time limits of connections are kept.", defaults::http_sweep_interval_ms},
      {"http_turned_away_max", "connections",
       "Connections beyond `http.connections_max` that are answered 503; more are closed unheard.",
       defaults::http_turned_away_max},
      {"http_slots_max", "connections",
       "Connections of one HTTP thread; `http.connections_max` leaves room for those turned away.", defaults::http_slots_max},
      {"http_linger_bytes_max", "bytes", "What is read over after a refusal; then the connection is cut.",
       defaults::http_linger_bytes_max},
      {"reply_buffers_max", "buffers", "Buffers of long replies kept to be used again.", defaults::reply_buffers_max},
      {"reply_buffer_bytes_max", "bytes", "The largest buffer that is kept; a larger one is freed after its reply.",
       defaults::reply_buffer_bytes_max},
      {"http_chunk_framing_bytes", "bytes", "Room for chunks of a body that wait to be decoded, beside the body's own.",
       defaults::http_chunk_framing_bytes},
      {"http_chunk_extra_bytes_max", "bytes", "Extensions and trailers of one chunked body; more are answered 400.",
       defaults::http_chunk_extra_bytes_max},
      {"study_id_bytes_max", "bytes", "`study` of a submission; longer is answered 400.", defaults::study_id_bytes_max},
      {"config_file_bytes_max", "bytes", "The configuration file; a larger one is refused.", defaults::config_file_bytes_max},
      {"admin_frame_bytes_max", "bytes", "One request or reply through `admin.sock`.", defaults::admin_frame_bytes_max},
      {"console_status_limit_ms", "ms", "Time for an actor to tell the console how it is; who is later is shown so.",
       defaults::console_status_limit_ms},
      {"console_rate_window_ms", "ms", "How long the console counts messages for a rate.", defaults::console_rate_window_ms},
      {"console_record_limit_ms", "ms", "Time to make an operator's command durable; then it is carried out unrecorded.",
       defaults::console_record_limit_ms},
      {"console_order_limit_ms", "ms", "Time for an actor to end and run again on an operator's word.",
       defaults::console_order_limit_ms},
      {"console_letters_limit_ms", "ms", "Time for a shard to retry or drop its dead letters.",
       defaults::console_letters_limit_ms},
      {"console_margin_ms", "ms", "What each limit of the console has above the one it stands on.", defaults::console_margin_ms},
      {"console_lines_max", "lines", "Sessions, or dead letters of a shard, that the console shows at once.",
       defaults::console_lines_max},
      {"console_events_max", "events", "Events of a shard in one look of `tail`; what came beyond is counted.",
       defaults::console_events_max},
      {"console_word_bytes_max", "bytes", "One word of a console command.", defaults::console_word_bytes_max},
      {"console_words_max", "words", "Words of a console command.", defaults::console_words_max},
      {"console_follow_ms", "ms", "Between two looks of `watch` and `tail`.", defaults::console_follow_ms},
      {"console_history_max", "lines", "Lines the console remembers.", defaults::console_history_max},
      {"records_waiting_max", "records", "Operators' commands on their way into the audit trail; more are not recorded.",
       defaults::records_waiting_max},
      {"admin_io_limit_ms", "ms", "Time for a request through `admin.sock` to arrive, and for its reply to be taken.",
       defaults::admin_io_limit_ms},
      {"admin_calls_max", "calls", "Commands served through `admin.sock` at the same time; more are refused.",
       defaults::admin_calls_max},
      {"restart_delay_ms", "ms", "Pause before the second restart of a child in the period; it doubles with each further one.",
       defaults::restart_delay_ms},
      {"restart_delay_ms_max", "ms", "The longest such pause.", defaults::restart_delay_ms_max},
      {"child_stop_limit_ms", "ms", "Time for one actor to stop when its supervisor asks.", defaults::child_stop_limit_ms},
      {"actor_turn_messages", "messages", "What an actor handles before another one gets its turn.",
       defaults::actor_turn_messages},
      {"kill_limit_ms", "ms", "Time for a killed actor to be gone; then the process ends.", defaults::kill_limit_ms},
      {"imports_waiting_max", "studies", "Study imports waiting behind the one under way; more are refused.",
       defaults::imports_waiting_max},
      {"import_limit_ms", "ms", "Time for one study to be compiled, committed and published.", defaults::import_limit_ms},
      {"import_answer_limit_ms", "ms", "How long the node waits for its catalog to say how an import ended.",
       defaults::import_answer_limit_ms},
      {"export_apply_limit_ms", "ms",
       "How long `epione export` and `epione backup` wait, for all groups together, for the stores to hold what was committed.",
       defaults::export_apply_limit_ms},
      {"applied_waiters_max", "requests",
       "Commands, and nodes that fetch a file, that wait for one store to apply an entry; more are refused.",
       defaults::applied_waiters_max},
      {"export_piece_bytes", "bytes", "What it writes at once.", defaults::export_piece_bytes},
      {"backup_bytes_per_s", "bytes", "`epione backup` copies so much in a second at most.", defaults::backup_bytes_per_s},
      {"backup_piece_bytes", "bytes", "What it copies at once.", defaults::backup_piece_bytes},
      {"backup_sync_bytes", "bytes", "What it copies before it syncs.", defaults::backup_sync_bytes},
      {"backup_ask_limit_ms", "ms", "How long it waits for the leader of every group to say what is committed.",
       defaults::backup_ask_limit_ms},
      {"backup_manifest_bytes_max", "bytes", "A backup's manifest.", defaults::backup_manifest_bytes_max},
      {"anchor_interval_ms", "ms", "Between two anchors of the chains in group 0, while anything is stored.",
       defaults::anchor_interval_ms},
      {"anchor_first_ms", "ms", "From a node's start to its first anchor.", defaults::anchor_first_ms},
      {"anchor_answer_limit_ms", "ms", "For an anchor to be in group 0.", defaults::anchor_answer_limit_ms},
      {"anchors_file_bytes_max", "bytes", "A file of anchors that `epione audit verify` reads.",
       defaults::anchors_file_bytes_max},
      {"import_command_limit_ms", "ms", "How long `epione study import` waits for a running node.",
       defaults::import_command_limit_ms},
      {"raft_election_ms", "ms", "Election timeout of a Raft group; a single voter leads at once.", defaults::raft_election_ms},
      {"raft_heartbeat_ms", "ms", "Heartbeats of a Raft group.", defaults::raft_heartbeat_ms},
      {"raft_in_flight_max", "entries", "Log entries a follower may have unacknowledged.", defaults::raft_in_flight_max},
      {"raft_trailing_max", "entries", "Log entries kept behind a cut for followers a little late.", defaults::raft_trailing_max},
      {"raft_lease_ms", "ms", "How long a leader may answer reads after a quorum has answered it; less than an election timeout.",
       defaults::raft_lease_ms},
      {"raft_promotion_lag_max", "entries", "Log entries a stand-by may lack to become a voter.",
       defaults::raft_promotion_lag_max},
      {"log_kept_bytes_max", "bytes", "Log of one group that a leader keeps for a member that takes over a copy of its store.",
       defaults::log_kept_bytes_max},
      {"leader_wait_ms", "ms", "How long a request waits for its shard to be led, in a cluster.", defaults::leader_wait_ms},
      {"question_limit_ms", "ms", "A node's question to another one, unless it says less.", defaults::question_limit_ms},
      {"cluster_nodes_max", "count", "Nodes of a cluster.", defaults::cluster_nodes_max},
      {"catalog_voters_max", "count", "Voters of group 0, however many nodes there are.", defaults::catalog_voters_max},
      {"membership_step_limit_ms", "ms", "For a group to take up one change of its members.", defaults::membership_step_limit_ms},
      {"membership_pause_ms", "ms", "After it, until the next one of the group.", defaults::membership_pause_ms},
      {"membership_steps_at_once", "count", "Groups whose members are changed at the same time.",
       defaults::membership_steps_at_once},
      {"stand_by_silence_ms", "ms",
       "Without a word of a stand-by; then it is taken out where another one can be had, or none is needed.",
       defaults::stand_by_silence_ms},
      {"replace_silence_ms", "ms", "A linked node that is not heard for so long counts as dead when it is to be replaced.",
       defaults::replace_silence_ms},
      {"replace_after_join_ms", "ms", "A node that has just joined is not replaced for so long, unless by --force.",
       defaults::replace_after_join_ms},
      {"replace_wait_ms", "ms",
       "How long epione cluster replace waits for a node that seems to run to fall silent, before it refuses.",
       defaults::replace_wait_ms},
      {"replica_rest_ms", "ms", "How long no shard's members have changed before a replica moves.", defaults::replica_rest_ms},
      {"leadership_rest_ms", "ms", "How long nothing has been missing before leaderships move.", defaults::leadership_rest_ms},
      {"leadership_move_ms", "ms", "Between two moves of leaderships.", defaults::leadership_move_ms},
      {"hand_over_limit_ms", "ms", "For a node that stops to give its leaderships away.", defaults::hand_over_limit_ms},
      {"snapshot_hold_answer_ms", "ms", "To apply and write down a store before its file is copied to another node.",
       defaults::snapshot_hold_answer_ms},
      {"snapshot_hold_limit_ms", "ms",
       "How long a store's file is left as it is for one copy, or twice as long as it takes, if that is more.",
       defaults::snapshot_hold_limit_ms},
      {"snapshot_idle_limit_ms", "ms", "Without a question; then a copy is given up.", defaults::snapshot_idle_limit_ms},
      {"snapshot_piece_bytes", "bytes", "One piece of a store's file on its way to another node.",
       defaults::snapshot_piece_bytes},
      {"snapshot_pieces_under_way", "count", "Pieces asked for at the same time.", defaults::snapshot_pieces_under_way},
      {"snapshot_bytes_per_s", "bytes", "Fetched in a second at most.", defaults::snapshot_bytes_per_s},
      {"snapshot_piece_limit_ms", "ms", "For one piece; then it is asked for again.", defaults::snapshot_piece_limit_ms},
      {"snapshot_failures_max", "count", "How often a backup asks again for a piece that did not come.",
       defaults::snapshot_failures_max},
      {"snapshot_retry_ms", "ms", "Before a piece, or a file that is not to be had yet, is asked for again.",
       defaults::snapshot_retry_ms},
      {"replica_memory_bytes_max", "bytes", "Applied log entries a replica keeps in memory.", defaults::replica_memory_bytes_max},
      {"store_feed_window_bytes", "bytes", "Log entries sent to a store and not applied yet.", defaults::store_feed_window_bytes},
      {"store_feed_chunk_bytes", "bytes", "One message to a store.", defaults::store_feed_chunk_bytes},
      {"store_last_feed_limit_ms", "ms", "How long a store that stops waits to be sent what is committed.",
       defaults::store_last_feed_limit_ms},
      {"store_feed_delay_ms", "ms", "How long committed entries gather before they go to their store when nobody reads.",
       defaults::store_feed_delay_ms},
      {"apply_bytes_max", "bytes", "One transaction of a store.", defaults::apply_bytes_max},
      {"journal_load_limit_ms", "ms", "Time to read a group's log at start.", defaults::journal_load_limit_ms},
      {"journal_retry_ms", "ms", "Pause before the journal is tried again after a full disk; it doubles each time.",
       defaults::journal_retry_ms},
      {"journal_retry_ms_max", "ms", "The longest such pause.", defaults::journal_retry_ms_max},
      {"checkpoint_retry_ms", "ms", "Pause before a checkpoint that was in another's way is tried again.",
       defaults::checkpoint_retry_ms},
      {"journal_groups_max", "groups", "Groups one journal holds: `shards.count` and the catalog.", defaults::journal_groups_max},
      {"sqlite_busy_limit_ms", "ms", "Time a database may be held by another process that recovers it.",
       defaults::sqlite_busy_limit_ms},
      {"subject_tags_listed_max", "submissions", "Keys of one subject that are listed one by one; of more only a set is kept.",
       defaults::subject_tags_listed_max},
      {"notice_rows_a_look", "notices", "Pending notices a reader walks over at once.", defaults::notice_rows_a_look},
      {"notice_page_max", "notices", "Pending notices an outbox reads at once.", defaults::notice_page_max},
      {"notices_in_hand_max", "notices", "Notices of a shard that are with notifiers; the others wait in its store.",
       defaults::notices_in_hand_max},
      {"lane_notices_max", "notices",
       "Of them those of one recipient and channel, so that one who cannot be reached holds up no other.",
       defaults::lane_notices_max},
      {"outcomes_waiting_max", "notices", "Sent or given up, and not yet stored as such, of a shard.",
       defaults::outcomes_waiting_max},
      {"outcome_batch_max", "notices", "Outcomes that are stored as one event.", defaults::outcome_batch_max},
      {"outcome_batch_reasons_max", "notices", "Of them dead letters, each with a reason.", defaults::outcome_batch_reasons_max},
      {"dead_letter_reason_bytes_max", "bytes", "Reason of a dead letter; a longer one is cut.",
       defaults::dead_letter_reason_bytes_max},
      {"outcome_commands_max", "commands", "Such events of a shard on their way at the same time.",
       defaults::outcome_commands_max},
      {"outcome_repeat_ms", "ms", "After it an outcome that was not stored is proposed again, which is harmless.",
       defaults::outcome_repeat_ms},
      {"outbox_tick_ms", "ms", "How exactly the time limits of an outbox are kept.", defaults::outbox_tick_ms},
      {"notice_read_limit_ms", "ms", "Time for a store's notices to be read; then they are asked for again.",
       defaults::notice_read_limit_ms},
      {"letters_waiting_max", "commands", "Commands for dead letters a shard has in hand; more are refused.",
       defaults::letters_waiting_max},
      {"letters_limit_ms", "ms", "Time for such a command to be stored.", defaults::letters_limit_ms},
      {"letters_list_max", "letters", "Dead letters in one answer of an outbox.", defaults::letters_list_max},
      {"set_aside_remembered_max", "submissions", "Set-aside submissions a shard remembers, to refuse them at once.",
       defaults::set_aside_remembered_max},
      {"session_ramp_ms", "ms", "How long a shard that has begun to serve limits how many sessions it starts.",
       defaults::session_ramp_ms},
      {"session_starts_waiting_max", "submissions",
       "Submissions of a shard that wait for a session to be started; more are refused with 503.",
       defaults::session_starts_waiting_max},
      {"peer_window_bytes", "bytes",
       "Sent to another node and not acknowledged; more is dropped, and sent again by who needs it.",
       defaults::peer_window_bytes},
      {"peer_control_bytes", "bytes", "Room above that for votes, heartbeats and answers.", defaults::peer_control_bytes},
      {"peer_envelope_bytes", "bytes", "What is gathered for another node at once; one log entry may be larger.",
       defaults::peer_envelope_bytes},
      {"peer_envelope_bytes_max", "bytes", "What is read at once from another node; more ends the link.",
       defaults::peer_envelope_bytes_max},
      {"peer_queue_bytes_max", "bytes", "Waiting for the network, of one other node.", defaults::peer_queue_bytes_max},
      {"peer_parcels_max", "parcels", "Of one envelope; more ends the link.", defaults::peer_parcels_max},
      {"peer_messages_max", "messages", "Of Raft in one parcel; more ends the link.", defaults::peer_messages_max},
      {"peer_entries_max", "entries", "Of the log in one message; more ends the link.", defaults::peer_entries_max},
      {"peer_heartbeat_delay_ms", "ms", "How long heartbeats of all groups wait for each other.",
       defaults::peer_heartbeat_delay_ms},
      {"peer_ping_ms", "ms", "How often the way to another node, and its clock, are measured.", defaults::peer_ping_ms},
      {"peer_ping_samples", "pings", "Of which the one with the shortest way tells how the clock goes.",
       defaults::peer_ping_samples},
      {"peer_close_limit_ms", "ms", "Time for the other side to answer the end of a link.", defaults::peer_close_limit_ms},
      {"peer_handshakes_max", "connections", "Of nodes that have not proved who they are; more are closed unheard.",
       defaults::peer_handshakes_max},
      {"peer_dial_ms", "ms", "Pause before a node that was not reached is tried again; it doubles each time.",
       defaults::peer_dial_ms},
      {"peer_dial_ms_max", "ms", "The longest such pause.", defaults::peer_dial_ms_max},
      {"peer_certificate_bytes_max", "bytes", "A file with certificates or a key.", defaults::peer_certificate_bytes_max},
      {"peer_hello_bytes_max", "bytes", "What a node says of itself when a link is made.", defaults::peer_hello_bytes_max},
      {"node_name_bytes_max", "bytes", "A node's name.", defaults::node_name_bytes_max},
      {"certificate_days", "days", "How long a node's certificate is good, unless `epione cert issue` is told otherwise.",
       defaults::certificate_days},
      {"authority_days", "days", "The same of an authority.", defaults::authority_days},
      {"certificate_days_max", "days", "The longest that either may be.", defaults::certificate_days_max},
      {"certificate_warning_days", "days", "Before its end the log begins to say so, once a day.",
       defaults::certificate_warning_days},
      {"channels_max", "channels", "Sections `[channels.NAME]` of the configuration.", defaults::channels_max},
      {"channel_response_bytes_max", "bytes", "What is read of a web service's answer; the rest is dropped.",
       defaults::channel_response_bytes_max},
      {"channel_secret_bytes_max", "bytes", "A file that holds a password, a token or a URL.",
       defaults::channel_secret_bytes_max},
      {"channel_send_margin_ms", "ms", "So long after `timeout_ms` a sender that has not answered is given up.",
       defaults::channel_send_margin_ms},
      {"channel_sender_restart_ms", "ms", "Pause before a sender that ended is started again.",
       defaults::channel_sender_restart_ms},
      {"channel_retry_after_s_max", "s", "The longest pause that the other side may ask for with Retry-After.",
       defaults::channel_retry_after_s_max},
      {"channel_breaker_open_ms_max", "ms", "The longest time a circuit breaker stays open; it doubles with each failed try.",
       defaults::channel_breaker_open_ms_max},
      {"channel_parcels_max", "messages",
       "Messages for one recipient that are on the way or wait to be tried again; what comes "
       "meanwhile waits, and may be merged.",
       defaults::channel_parcels_max},
      {"channel_quiet_look_ms", "ms",
       "How often it is looked whether quiet hours are over, whatever they were when it was looked "
       "last.",
       defaults::channel_quiet_look_ms},
      {"channel_unknown_look_ms", "ms", "Pause before a recipient is looked for again while the studies are being read.",
       defaults::channel_unknown_look_ms},
      {"search_look_max", "events",
       "Events of a shard that are looked at for one page of a FHIR search; what is beyond comes with the next page.",
       defaults::search_look_max},
      {"search_count_max", "events",
       "Events that are looked at for the total of a FHIR search (`_summary=count`); where that is not enough it is answered "
       "400.",
       defaults::search_count_max},
      {"search_bytes_max", "bytes", "Parameters of a FHIR search by `POST .../_search`; more are answered 400.",
       defaults::search_bytes_max},
      {"search_page_default", "responses", "Entries of a page of a FHIR search without `_count`.", defaults::search_page_default},
      {"bundle_entries_max", "entries", "Entries of one FHIR Bundle; more are answered 422.", defaults::bundle_entries_max},
      {"amendments_max", "amendments", "Amendments of one submission; more are answered 422.", defaults::amendments_max},
      {"reason_bytes_max", "bytes", "Reason of an amendment; longer is answered 422.", defaults::reason_bytes_max},
      {"located_max", "receipts",
       "Receipts of which the FHIR interface remembers whose they are; others are looked for in all shards.",
       defaults::located_max},
      {"changes_waiting_max", "requests", "Updates and transactions of a shard that wait for their turn; more are answered 503.",
       defaults::changes_waiting_max},
      {"json_depth_max", "levels", "Nesting of a submission's data; deeper is answered 400.", defaults::json_depth_max},
      {"key_bytes_max", "bytes", "Idempotency key; longer is answered 400.", defaults::key_bytes_max},
      {"subject_bytes_max", "bytes", "patientId as text; longer is answered 400.", defaults::subject_bytes_max},
  };
  return table;
}

std::string settings_markdown() {
  const config standard;
  std::string out =
      "| setting | default | from, to | unit | what it does | in `defaults.hpp` |\n| --- | --- | --- | --- | --- | --- |\n";
  for (const auto& s : settings()) {
    const std::string range = s.unit.empty() ? "" : std::to_string(s.minimum) + ", " + std::to_string(s.maximum);
    out += "| `" + std::string{s.name} + "` | " + s.value(standard) + " | " + range + " | " +
           std::string{s.unit == "count" ? "" : s.unit} + " | " + std::string{s.meaning} + " | `" + std::string{s.constant} +
           "` |\n";
  }
  out += "\n| fixed limit | value | unit | what it does |\n| --- | --- | --- | --- |\n";
  for (const auto& f : fixed_limits())
    out += "| `" + std::string{f.constant} + "` | " + std::to_string(f.value) + " | " + std::string{f.unit} + " | " +
           std::string{f.meaning} + " |\n";
  return out;
}

} // namespace epione::runtime
