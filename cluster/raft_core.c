/* See raft_core.h. The rules of ownership were read in the source of libraft 0.22.1. */
#include "cluster/raft_core.h"

#include <raft.h>
#include <stdlib.h>
#include <string.h>

#if RAFT_VERSION_NUMBER < 2201
#error "libraft counts replicas of earlier terms as committed before 0.22 (Raft paper, figure 8)"
#endif

struct epione_raft {
  struct raft core;
  struct epione_raft_message* messages; /* copies of the last step's, because the library reuses its own */
  uint32_t messages_capacity;
};

/* No threshold is set, so the value never refuses anything; it is told to peers. */
static const unsigned short disk_capacity = UINT16_MAX;

epione_raft* epione_raft_new(const struct epione_raft_options* options) {
  struct epione_raft* r = calloc(1, sizeof *r);
  if (r == NULL)
    return NULL;
  if (raft_init(&r->core, NULL, NULL, options->id, options->address) != 0) {
    free(r);
    return NULL;
  }
  r->core.tracer = NULL; /* the default one formats every step into a buffer that all cores share */
  raft_seed(&r->core, options->seed);
  raft_set_election_timeout(&r->core, options->election_ms);
  raft_set_heartbeat_timeout(&r->core, options->heartbeat_ms);
  raft_set_max_inflight_entries(&r->core, options->in_flight_max);
  raft_set_pre_vote(&r->core, options->pre_vote);
  return r;
}

void epione_raft_free(epione_raft* r) {
  if (r == NULL)
    return;
  raft_close(&r->core, NULL);
  free(r->messages);
  free(r);
}

static int copy_messages(epione_raft* r, const struct raft_update* from, struct epione_raft_update* to) {
  if (from->messages.n > r->messages_capacity) {
    struct epione_raft_message* larger = realloc(r->messages, from->messages.n * sizeof *larger);
    if (larger == NULL)
      return RAFT_NOMEM;
    r->messages = larger;
    r->messages_capacity = from->messages.n;
  }
  for (unsigned i = 0; i < from->messages.n; ++i) {
    const struct raft_message* m = &from->messages.batch[i];
    struct epione_raft_message* x = &r->messages[i];
    memset(x, 0, sizeof *x);
    x->type = (uint8_t)m->type;
    x->server = m->server_id;
    switch (m->type) {
      case RAFT_APPEND_ENTRIES:
        x->version = m->append_entries.version;
        x->term = m->append_entries.term;
        x->index = m->append_entries.prev_log_index;
        x->index_term = m->append_entries.prev_log_term;
        x->commit = m->append_entries.leader_commit;
        x->entries = m->append_entries.n_entries;
        break;
      case RAFT_APPEND_ENTRIES_RESULT:
        x->version = m->append_entries_result.version;
        x->term = m->append_entries_result.term;
        x->rejected = m->append_entries_result.rejected;
        x->index = m->append_entries_result.last_log_index;
        x->features = m->append_entries_result.features;
        x->capacity = m->append_entries_result.capacity;
        break;
      case RAFT_REQUEST_VOTE:
        x->version = m->request_vote.version;
        x->term = m->request_vote.term;
        x->index = m->request_vote.last_log_index;
        x->index_term = m->request_vote.last_log_term;
        x->disrupt_leader = m->request_vote.disrupt_leader;
        x->pre_vote = m->request_vote.pre_vote;
        break;
      case RAFT_REQUEST_VOTE_RESULT:
        x->version = m->request_vote_result.version;
        x->term = m->request_vote_result.term;
        x->granted = m->request_vote_result.vote_granted;
        x->pre_vote = m->request_vote_result.pre_vote;
        x->features = m->request_vote_result.features;
        x->capacity = m->request_vote_result.capacity;
        break;
      case RAFT_INSTALL_SNAPSHOT: /* `conf` and `data` are unset */
        x->version = m->install_snapshot.version;
        x->term = m->install_snapshot.term;
        x->index = m->install_snapshot.last_index;
        x->index_term = m->install_snapshot.last_term;
        x->commit = m->install_snapshot.conf_index;
        break;
      case RAFT_TIMEOUT_NOW:
        x->version = m->timeout_now.version;
        x->term = m->timeout_now.term;
        x->index = m->timeout_now.last_log_index;
        x->index_term = m->timeout_now.last_log_term;
        break;
    }
  }
  to->messages = r->messages;
  to->n_messages = from->messages.n;
  return 0;
}

/* `own`: the entries the event carries, to tell them from a barrier of the library's. */
static int step(epione_raft* r, struct raft_event* event, uint64_t now_ms, struct raft_entry* own, uint32_t n_own,
                struct epione_raft_update* update) {
  struct raft_update raw;
  memset(&raw, 0, sizeof raw);
  memset(update, 0, sizeof *update);
  event->time = now_ms;
  event->capacity = disk_capacity;
  int result = raft_step(&r->core, event, &raw);
  if (result != 0)
    return result;
  update->term_or_vote = (raw.flags & ((RAFT_UPDATE_CURRENT_TERM) | (RAFT_UPDATE_VOTED_FOR))) != 0;
  update->state = (raw.flags & (RAFT_UPDATE_STATE)) != 0;
  update->commit = (raw.flags & (RAFT_UPDATE_COMMIT_INDEX)) != 0;
  update->timeout = (raw.flags & (RAFT_UPDATE_TIMEOUT)) != 0;
  if ((raw.flags & (RAFT_UPDATE_ENTRIES)) != 0) {
    update->index = raw.entries.index;
    update->entries = raw.entries.n;
    if (own != NULL && raw.entries.batch >= own && raw.entries.batch < own + n_own) {
      update->first = (uint32_t)(raw.entries.batch - own);
    } else { /* a new leader's barrier: eight zero bytes that are ours to free and say nothing */
      update->own_barrier = true;
      raft_free(raw.entries.batch[0].batch);
    }
  }
  if ((raw.flags & (RAFT_UPDATE_MESSAGES)) != 0)
    result = copy_messages(r, &raw, update);
  return result;
}

static int decode(const void* data, size_t size, struct raft_configuration* out) {
  const struct raft_buffer buffer = {.base = (void*)(uintptr_t)data, .len = size};
  return raft_configuration_decode(&buffer, out);
}

/* libraft frees entries and batches of RAFT_START on failure only, reads the data of changes only and keeps none of it: so only
 * changes are copied, into one batch that all entries share. */
static int make_start_entries(const struct epione_raft_entry* entries, uint32_t n, struct raft_entry** out, char** batch_out) {
  size_t bytes = 8;
  for (uint32_t i = 0; i < n; ++i)
    if (entries[i].type == epione_raft_change)
      bytes += (entries[i].size + 7) & ~(size_t)7;
  struct raft_entry* copies = raft_malloc(n * sizeof *copies);
  char* batch = raft_malloc(bytes);
  if (copies == NULL || batch == NULL) {
    raft_free(copies);
    raft_free(batch);
    return RAFT_NOMEM;
  }
  memset(copies, 0, n * sizeof *copies);
  char* place = batch + 8;
  for (uint32_t i = 0; i < n; ++i) {
    copies[i].term = entries[i].term;
    copies[i].type = (enum raft_entry_type)entries[i].type;
    copies[i].batch = batch;
    copies[i].buf.base = batch;
    if (entries[i].type == epione_raft_change) {
      memcpy(place, entries[i].data, entries[i].size);
      copies[i].buf.base = place;
      copies[i].buf.len = entries[i].size;
      place += (entries[i].size + 7) & ~(size_t)7;
    }
  }
  *out = copies;
  *batch_out = batch;
  return 0;
}

int epione_raft_start(epione_raft* r, uint64_t now_ms, uint64_t term, uint64_t voted_for,
                      const struct epione_raft_snapshot* snapshot, uint64_t first_index, const struct epione_raft_entry* entries,
                      uint32_t n, struct epione_raft_update* update) {
  struct raft_event event;
  struct raft_snapshot_metadata metadata;
  struct raft_entry* copies = NULL;
  char* batch = NULL;
  memset(&event, 0, sizeof event);
  memset(&metadata, 0, sizeof metadata);
  event.type = RAFT_START;
  event.start.term = term;
  event.start.voted_for = voted_for;
  event.start.start_index = first_index;
  if (n > 0) {
    int result = make_start_entries(entries, n, &copies, &batch);
    if (result != 0)
      return result;
  }
  if (snapshot != NULL) {
    metadata.index = snapshot->index;
    metadata.term = snapshot->term;
    metadata.configuration_index = snapshot->configuration_index;
    int result = decode(snapshot->configuration, snapshot->configuration_size, &metadata.configuration);
    if (result != 0) {
      raft_free(copies);
      raft_free(batch);
      return result;
    }
    event.start.metadata = &metadata; /* the library keeps the configuration */
  }
  event.start.entries = copies;
  event.start.n_entries = n;
  int result = step(r, &event, now_ms, NULL, 0, update);
  if (result == 0) {
    raft_free(copies);
    raft_free(batch);
  }
  return result;
}

int epione_raft_submit(epione_raft* r, uint64_t now_ms, const struct epione_raft_entry* entry,
                       struct epione_raft_update* update) {
  struct raft_event event;
  struct raft_entry one;
  memset(&event, 0, sizeof event);
  memset(&one, 0, sizeof one);
  one.term = raft_current_term(&r->core);
  one.type = (enum raft_entry_type)entry->type;
  one.buf.base = (void*)(uintptr_t)entry->data;
  one.buf.len = entry->size;
  one.batch = &one; /* must not be null; nothing reads or frees it, the entry stays ours */
  event.type = RAFT_SUBMIT;
  event.submit.entries = &one;
  event.submit.n = 1;
  return step(r, &event, now_ms, &one, 1, update);
}

int epione_raft_persisted(epione_raft* r, uint64_t now_ms, uint64_t index, struct epione_raft_update* update) {
  struct raft_event event;
  memset(&event, 0, sizeof event);
  event.type = RAFT_PERSISTED_ENTRIES;
  event.persisted_entries.index = index;
  return step(r, &event, now_ms, NULL, 0, update);
}

int epione_raft_configuration(epione_raft* r, uint64_t now_ms, uint64_t index, const void* data, size_t size,
                              struct epione_raft_update* update) {
  struct raft_event event;
  memset(&event, 0, sizeof event);
  event.type = RAFT_CONFIGURATION;
  event.configuration.index = index;
  int result = decode(data, size, &event.configuration.conf); /* the library keeps or frees it */
  return result != 0 ? result : step(r, &event, now_ms, NULL, 0, update);
}

int epione_raft_take_snapshot(epione_raft* r, uint64_t now_ms, const struct epione_raft_snapshot* snapshot, uint32_t trailing,
                              struct epione_raft_update* update) {
  struct raft_event event;
  memset(&event, 0, sizeof event);
  event.type = RAFT_SNAPSHOT;
  event.snapshot.metadata.index = snapshot->index;
  event.snapshot.metadata.term = snapshot->term;
  event.snapshot.metadata.configuration_index = snapshot->configuration_index;
  event.snapshot.trailing = trailing;
  int result = decode(snapshot->configuration, snapshot->configuration_size, &event.snapshot.metadata.configuration);
  return result != 0 ? result : step(r, &event, now_ms, NULL, 0, update);
}

int epione_raft_timeout(epione_raft* r, uint64_t now_ms, struct epione_raft_update* update) {
  struct raft_event event;
  memset(&event, 0, sizeof event);
  event.type = RAFT_TIMEOUT;
  return step(r, &event, now_ms, NULL, 0, update);
}

int epione_raft_transfer(epione_raft* r, uint64_t now_ms, uint64_t id, struct epione_raft_update* update) {
  struct raft_event event;
  memset(&event, 0, sizeof event);
  event.type = RAFT_TRANSFER;
  event.transfer.server_id = id;
  return step(r, &event, now_ms, NULL, 0, update);
}

static bool to_raft_message(const struct epione_raft_message* x, const char* address, struct raft_message* m) {
  memset(m, 0, sizeof *m);
  m->type = (enum raft_message_type)x->type;
  m->server_id = x->server;
  m->server_address = address;
  switch (m->type) {
    case RAFT_APPEND_ENTRIES:
      m->append_entries.version = x->version;
      m->append_entries.term = x->term;
      m->append_entries.prev_log_index = x->index;
      m->append_entries.prev_log_term = x->index_term;
      m->append_entries.leader_commit = x->commit;
      m->append_entries.n_entries = x->entries;
      return true;
    case RAFT_APPEND_ENTRIES_RESULT:
      m->append_entries_result.version = x->version;
      m->append_entries_result.term = x->term;
      m->append_entries_result.rejected = x->rejected;
      m->append_entries_result.last_log_index = x->index;
      m->append_entries_result.features = x->features;
      m->append_entries_result.capacity = x->capacity;
      return true;
    case RAFT_REQUEST_VOTE:
      m->request_vote.version = x->version;
      m->request_vote.term = x->term;
      m->request_vote.candidate_id = x->server;
      m->request_vote.last_log_index = x->index;
      m->request_vote.last_log_term = x->index_term;
      m->request_vote.disrupt_leader = x->disrupt_leader;
      m->request_vote.pre_vote = x->pre_vote;
      return true;
    case RAFT_REQUEST_VOTE_RESULT:
      m->request_vote_result.version = x->version;
      m->request_vote_result.term = x->term;
      m->request_vote_result.vote_granted = x->granted;
      m->request_vote_result.pre_vote = x->pre_vote;
      m->request_vote_result.features = x->features;
      m->request_vote_result.capacity = x->capacity;
      return true;
    case RAFT_TIMEOUT_NOW:
      m->timeout_now.version = x->version;
      m->timeout_now.term = x->term;
      m->timeout_now.last_log_index = x->index;
      m->timeout_now.last_log_term = x->index_term;
      return true;
    case RAFT_INSTALL_SNAPSHOT: break;
  }
  return false;
}

/* The library lets a stand-by vote for nobody, and has it follow the last leader it heard for ever. But who asks may know that
 * this server was made a voter, by an entry that was committed without it, and may need its vote once another voter is lost (Raft
 * dissertation, 4.1: a server votes whatever its own configuration says; only the votes of those whom the candidate knows as
 * voters are counted). So for the time of such a question a stand-by is a voter, without a leader if it has not heard him for an
 * election timeout. */
static struct raft_server* may_vote(struct raft* core, uint64_t now_ms) {
  for (unsigned i = 0; i < core->configuration.n; ++i) {
    struct raft_server* self = &core->configuration.servers[i];
    if (self->id != core->id || self->role != RAFT_STANDBY)
      continue;
    if (core->state == RAFT_FOLLOWER && now_ms >= core->election_timer_start + core->election_timeout)
      core->follower_state.current_leader.id = 0;
    return self;
  }
  return NULL;
}

int epione_raft_receive(epione_raft* r, uint64_t now_ms, const struct epione_raft_message* message, const char* address,
                        const struct epione_raft_entry* entries, struct epione_raft_update* update) {
  struct raft_event event;
  struct raft_message m;
  struct raft_entry* copies = NULL;
  char* batch = NULL;
  uint32_t n = message->type == epione_raft_append_entries ? message->entries : 0;
  if (!to_raft_message(message, address, &m))
    return RAFT_INVALID;
  if (n > 0) { /* the data of changes only is read, as at the start */
    int result = make_start_entries(entries, n, &copies, &batch);
    if (result != 0)
      return result;
    m.append_entries.entries = copies;
  }
  memset(&event, 0, sizeof event);
  event.type = RAFT_RECEIVE;
  event.receive.message = &m;
  struct raft_server* self = m.type == RAFT_REQUEST_VOTE ? may_vote(&r->core, now_ms) : NULL;
  if (self != NULL)
    self->role = RAFT_VOTER;
  int result = step(r, &event, now_ms, copies, n, update);
  if (self != NULL) /* a vote changes no configuration */
    self->role = RAFT_STANDBY;
  /* The library has freed the batch unless the update hands it back; the array is ours. */
  if (result == 0 && update->entries > 0 && !update->own_barrier)
    raft_free(batch);
  raft_free(copies);
  return result;
}

uint64_t epione_raft_term(const epione_raft* r) {
  return raft_current_term(&r->core);
}
uint64_t epione_raft_voted_for(const epione_raft* r) {
  return raft_voted_for(&r->core);
}
uint64_t epione_raft_commit_index(const epione_raft* r) {
  return raft_commit_index(&r->core);
}
uint64_t epione_raft_last_index(epione_raft* r) {
  return raft_last_index(&r->core);
}
uint64_t epione_raft_last_stored(const epione_raft* r) {
  return r->core.last_stored;
}
uint64_t epione_raft_timeout_at(const epione_raft* r) {
  return raft_timeout(&r->core);
}
enum epione_raft_state epione_raft_state_of(epione_raft* r) {
  return (enum epione_raft_state)raft_state(&r->core);
}

uint64_t epione_raft_leader_id(epione_raft* r) {
  raft_id id = 0;
  const char* address = NULL;
  raft_leader(&r->core, &id, &address);
  return id;
}

uint64_t epione_raft_match_index(const epione_raft* r, uint64_t id) {
  raft_index index = 0;
  return raft_match_index(&r->core, id, &index) == 0 ? index : 0;
}

bool epione_raft_installing(const epione_raft* r) {
  return r->core.snapshot.installing;
}
const char* epione_raft_error_text(int code) {
  return raft_strerror(code);
}

void* epione_raft_encode_configuration(const uint64_t* ids, const char* const* addresses, const int* roles, uint32_t n,
                                       size_t* size) {
  struct raft_configuration servers;
  struct raft_buffer buffer = {NULL, 0};
  raft_configuration_init(&servers);
  for (uint32_t i = 0; i < n; ++i)
    if (raft_configuration_add(&servers, ids[i], addresses[i], roles[i]) != 0)
      n = 0;
  if (n > 0 && raft_configuration_encode(&servers, &buffer) != 0)
    buffer.base = NULL;
  raft_configuration_close(&servers);
  *size = buffer.base == NULL ? 0 : buffer.len;
  return buffer.base;
}

void epione_raft_free_bytes(void* bytes) {
  raft_free(bytes);
}

int epione_raft_version(void) {
  return RAFT_VERSION_NUMBER;
}
