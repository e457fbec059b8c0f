// The checker. It knows only what phones sent and what they were answered, and says when an answer cannot be true:
//
// - what was acknowledged is there from then on, exactly once, unchanged, under the receipt that was given;
// - 202 is given at most once a key; 200 only for what an earlier request can have stored (in a cluster also the same one: a
//   node sends it again under its key when its shard's leader changes);
// - 409 only when another content is or may be stored under the key;
// - what was refused (422, 404) or answered `not_stored` by every request is not there;
// - everything else is there at most once, as it was sent; nothing is there that nobody sent;
// - reads never go back: a read shows all that was acknowledged, or seen by a read that had ended, when it began;
// - every request gets exactly one answer, and every 503 says what it means and when to come back.
//
// All of it holds through whichever node, and is said as soon as an answer breaks it. For whole histories and acknowledgements
// the rule of reads comes to what linearizability means: a subject's history only ever grows at its end, so each read must show
// all that was acknowledged or shown before it began, and of every two reads one must show the beginning of the other. That is an
// argument, and it leaves out what other answers say of the time they were given: 409, 422, a read of one that finds nothing,
// pages whose reading was never finished. So at the end of a seed a second checker, which does not use it, looks for an order of
// all operations (check_order(), linearizability.hpp). Both must be content.
#pragma once

#include "messages/submission.hpp"
#include "tests/simulation/form_content.hpp"
#include "tests/simulation/subject_history.hpp"
#include "tests/simulation/trace.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace epione::simulation {

/// How one request ended, as far as its sender can know.
enum class fate : std::uint8_t {
  open,
  lost, ///< the node went away
  stored,
  repeated,
  conflict,
  refused,
  not_found,
  not_stored,
  unknown,
};
std::string_view to_string(fate x);

struct subject_record;

struct attempt {
  messages::ticket ticket = 0;
  content_ptr what;
  fate how = fate::open;
  bool after_acknowledgement = false; ///< its key had been acknowledged when it was sent
  bool poisoned = false;              ///< it may have crashed validators
};

/// All that was sent under one key of one subject.
struct key_record {
  subject_record* subject = nullptr;
  std::string key;
  std::vector<attempt> attempts;
  std::string receipt;       ///< once known
  content_ptr held;          ///< what is stored, once that is known
  bool acknowledged = false; ///< 202 or 200 was given
  bool given_202 = false;
  bool settled = false;              ///< counted in subject_record::settled
  std::vector<content_ptr> excluded; ///< answered 409: something else is stored
  std::string stored_at;             ///< as the first read showed it
};

struct subject_record {
  std::string id;
  bool enrolled = true;
  std::deque<key_record> keys;
  std::map<std::string, key_record*, std::less<>> by_authored;
  std::vector<key_record*> settled; ///< acknowledged or seen, in the order it became known
  std::vector<key_record*> history; ///< oldest first, as far as any read has shown it
  subject_history operations;       ///< all of them, for check_order()
};

/// One look at a subject's whole history, in one or several pages.
struct reading {
  subject_record* subject = nullptr;
  std::size_t must_show = 0;  ///< so many of subject->settled
  std::size_t must_begin = 0; ///< so many of subject->history
  std::string next;           ///< cursor of the next page
  std::vector<nlohmann::json> items;
  bool complete = false;
  subject_history::number operation = 0; ///< once its first page was asked for
};
using reading_ptr = std::shared_ptr<reading>;

struct ledger_counts {
  std::uint64_t sent = 0, acknowledged = 0, repeats = 0, conflicts = 0, refused = 0, not_found = 0, not_stored = 0, unknown = 0,
                lost = 0, readings = 0, details = 0;
  /// Operations of subjects for which check_order() has found an order, and of those for which it has given up.
  std::uint64_t ordered = 0, undecided = 0;
};

class ledger {
public:
  /// `sends_again`: nodes repeat a request by themselves.
  explicit ledger(trace& t, bool sends_again = false) : trace_(t), sends_again_(sends_again) {}

  subject_record& subject(std::string id, bool enrolled);
  key_record& new_key(subject_record& s, std::string key);

  // ---- what phones do ------------------------------------------------------------------------------------------------------
  /// `node`: to which one.
  messages::ticket submission_sent(key_record& k, content_ptr what, std::size_t node = 0);
  reading_ptr begin_reading(subject_record& s);
  messages::ticket page_asked(const reading_ptr& r, std::size_t node = 0);
  messages::ticket detail_asked(key_record& k, std::size_t node = 0);

  // ---- what they are answered ----------------------------------------------------------------------------------------------
  /// Judges an answer. The fate of a submission; for reads `stored` when it was a page or submission, else what a 503 said.
  fate answered(const messages::reply& r);
  /// A node is gone: nobody will answer what is open there.
  void node_gone(std::size_t node = 0);

  /// This subject's forms crash every validator from now on, nobody else's; empty: nobody's do. Only what was with the node
  /// meanwhile may be set aside, and may be answered so later.
  void poisoned(std::string_view subject);

  /// Once, at the end: whether each subject's answers come from one order of its operations.
  void check_order();

  // ---- verdict -------------------------------------------------------------------------------------------------------------
  bool open(messages::ticket t) const { return open_.count(t) != 0; }
  /// Time of the oldest request that waits for a node; `none` when nobody waits.
  std::int64_t oldest_open_ns(std::size_t node, std::int64_t none) const;
  /// How many wait for an answer of it.
  std::size_t open_count(std::size_t node) const;
  void now_is(const std::int64_t& clock_ns) { now_ns_ = &clock_ns; }
  void violation(std::string what);
  const std::vector<std::string>& violations() const { return violations_; }
  const ledger_counts& counts() const { return counts_; }
  std::deque<subject_record>& subjects() { return subjects_; }

private:
  struct request {
    std::int64_t sent_ns = 0;
    std::size_t node = 0;
    key_record* key = nullptr; ///< a submission, or a read of one
    std::size_t attempt = 0;   ///< of a submission
    bool is_submission = false;
    reading_ptr page;         ///< a page of a history
    bool was_settled = false; ///< a read of one: it must be there
    subject_history::number operation = 0;
  };

  messages::ticket enter(request r);
  void take_down(const request& q, const messages::reply& r, const nlohmann::json& body);
  fate submission_answered(request& q, const messages::reply& r, const nlohmann::json& body);
  fate page_answered(request& q, const messages::reply& r, const nlohmann::json& body);
  fate detail_answered(request& q, const messages::reply& r, const nlohmann::json& body);
  fate unavailable(const messages::reply& r, const nlohmann::json& body, const std::string& who);
  void acknowledge(key_record& k, attempt& a, const nlohmann::json& body);
  void check_reading(reading& r);
  key_record* match(subject_record& s, const nlohmann::json& item);
  void settle(key_record& k);
  bool may_be_set_aside(const key_record& k, const attempt& a, const nlohmann::json& body) const;
  bool same_receipt(key_record& k, const nlohmann::json& body);
  std::string name(const key_record& k) const;

  trace& trace_;
  bool sends_again_;
  const std::int64_t* now_ns_ = nullptr;
  std::deque<subject_record> subjects_;
  std::map<messages::ticket, request> open_;
  messages::ticket next_ticket_ = 1;
  std::string poisoned_;
  std::vector<std::string> violations_;
  ledger_counts counts_;
};

/// Whether what was sent with this attempt may be stored.
bool possibly_stored(fate how);
/// Whether a stored submission's form, scores and alerts are those of this content.
bool fits(const form_content& c, const nlohmann::json& item);

} // namespace epione::simulation
