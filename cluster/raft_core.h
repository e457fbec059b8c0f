/* A small C interface of our own over libraft's raft_step(): libraft's header does not compile as C++, so this is the only place
 * that knows it. Ownership of every buffer the library hands over or takes is settled here; callers own what they pass, always,
 * and copy what an update points to before the next call. Misuse is caught by raft_core.cpp in front of this. */
#ifndef EPIONE_CLUSTER_RAFT_CORE_H
#define EPIONE_CLUSTER_RAFT_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum epione_raft_entry_type { epione_raft_command = 1, epione_raft_barrier = 2, epione_raft_change = 3 };
enum epione_raft_state { epione_raft_unavailable, epione_raft_follower, epione_raft_candidate, epione_raft_leader };

/* Numbers are libraft's (enum raft_message_type). */
enum epione_raft_message_type {
  epione_raft_append_entries = 1,
  epione_raft_append_entries_result,
  epione_raft_request_vote,
  epione_raft_request_vote_result,
  epione_raft_install_snapshot,
  epione_raft_timeout_now
};

struct epione_raft_entry {
  uint64_t term;
  uint8_t type;
  const void* data; /* may be null when size is 0 */
  size_t size;
};

struct epione_raft_snapshot {
  uint64_t index, term;
  const void* configuration; /* encoded */
  size_t configuration_size;
  uint64_t configuration_index;
};

/* One flat form for all six kinds; what a field means depends on the kind, see raft_message in raft_core.hpp. */
struct epione_raft_message {
  uint8_t type, version;
  uint64_t server; /* whom it goes to, or who sent it */
  uint64_t term;
  uint64_t index, index_term; /* prev_log, last_log or snapshot */
  uint64_t commit;            /* append_entries: the leader's; install_snapshot: index of its configuration */
  uint64_t rejected;
  uint16_t features, capacity;
  bool granted, pre_vote, disrupt_leader;
  uint32_t entries; /* append_entries: how many follow `index` */
};

/* What one step asks for. Pointers are valid until the next step of the same core. */
struct epione_raft_update {
  bool term_or_vote, state, commit, timeout;
  /* To be written from `index` on, replacing what is there. `own_barrier`: one barrier without data that the library made itself;
   * otherwise the caller's entries from number `first` on. 0 entries: nothing to write. */
  uint64_t index;
  uint32_t entries, first;
  bool own_barrier;
  const struct epione_raft_message* messages;
  uint32_t n_messages;
};

struct epione_raft_options {
  uint64_t id;
  const char* address;
  unsigned seed, election_ms, heartbeat_ms, in_flight_max;
  bool pre_vote;
};

typedef struct epione_raft epione_raft;

/* Null without memory. */
/* Of the headers this was built with: major * 10000 + minor * 100 + patch. The library exports none. */
int epione_raft_version(void);

epione_raft* epione_raft_new(const struct epione_raft_options* options);
void epione_raft_free(epione_raft* r);

/* Each returns 0 or libraft's error code; epione_raft_error_text() says what it means. */
int epione_raft_start(epione_raft* r, uint64_t now_ms, uint64_t term, uint64_t voted_for,
                      const struct epione_raft_snapshot* snapshot, uint64_t first_index, const struct epione_raft_entry* entries,
                      uint32_t n, struct epione_raft_update* update);
int epione_raft_submit(epione_raft* r, uint64_t now_ms, const struct epione_raft_entry* entry, struct epione_raft_update* update);
int epione_raft_persisted(epione_raft* r, uint64_t now_ms, uint64_t index, struct epione_raft_update* update);
int epione_raft_configuration(epione_raft* r, uint64_t now_ms, uint64_t index, const void* data, size_t size,
                              struct epione_raft_update* update);
int epione_raft_take_snapshot(epione_raft* r, uint64_t now_ms, const struct epione_raft_snapshot* snapshot, uint32_t trailing,
                              struct epione_raft_update* update);
int epione_raft_timeout(epione_raft* r, uint64_t now_ms, struct epione_raft_update* update);
/* Hands leadership over to this voter, or to the one best suited when 0. */
int epione_raft_transfer(epione_raft* r, uint64_t now_ms, uint64_t id, struct epione_raft_update* update);
/* `entries`: message->entries of them; `address` as the configuration has it. install_snapshot is not taken. */
int epione_raft_receive(epione_raft* r, uint64_t now_ms, const struct epione_raft_message* message, const char* address,
                        const struct epione_raft_entry* entries, struct epione_raft_update* update);

uint64_t epione_raft_term(const epione_raft* r);
uint64_t epione_raft_voted_for(const epione_raft* r);
uint64_t epione_raft_commit_index(const epione_raft* r);
uint64_t epione_raft_last_index(epione_raft* r);
uint64_t epione_raft_last_stored(const epione_raft* r);
uint64_t epione_raft_timeout_at(const epione_raft* r);
enum epione_raft_state epione_raft_state_of(epione_raft* r);
uint64_t epione_raft_leader_id(epione_raft* r);
/* Highest entry this server is known to have durably; 0 when it is not in the configuration or nothing is known. Leaders only. */
uint64_t epione_raft_match_index(const epione_raft* r, uint64_t id);
bool epione_raft_installing(const epione_raft* r);
const char* epione_raft_error_text(int code);

/* Encodes servers; the result is freed with epione_raft_free_bytes(). Null when an id or an address is doubled, or without
 * memory. */
void* epione_raft_encode_configuration(const uint64_t* ids, const char* const* addresses, const int* roles, uint32_t n,
                                       size_t* size);
void epione_raft_free_bytes(void* bytes);

#ifdef __cplusplus
}
#endif

#endif
