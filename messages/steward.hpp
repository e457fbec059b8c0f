// What stewards of different nodes ask each other, and a node that wants to join asks them: payloads of routed_kind::steward.
#pragma once

#include "domain/event.hpp"
#include "domain/study.hpp"
#include "domain/study_addition.hpp"
#include "messages/errors.hpp"
#include "messages/log.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::messages {

/// Numbers are those of the wire and never change their meaning.
enum class steward_verb : std::uint8_t {
  import = 1, ///< bytes: encode(study_source), text: who. Leader of group 0
  record = 2, ///< bytes: an event for group 0's chain. Leader of group 0
  join = 3, ///< text: node's name, text2: the attempt's random name, text3: its peer address, text4: its HTTP. Leader of group 0
  change = 4,   ///< group, change: who belongs to it, text: its change.seen. Leader of that group
  transfer = 5, ///< group, change.id: whom to (0: whoever has most). Leader of that group
  /// text: "invite", "leave" or "replace", text2: node's name, text3: invite: its peer address, replace: empty or
  /// replace_anyway, text4: who. Leader of group 0
  nodes = 6,
  position = 7, ///< group: what is committed now, as a number in `text`. Leader of that group
  add_form = 8, ///< bytes: encode(form_addition). Leader of group 0
};

/// Also a node that runs is replaced.
inline constexpr std::string_view replace_anyway = "anyway";

struct steward_question {
  steward_verb verb = steward_verb::import;
  std::uint32_t group = 0;
  server_change change;
  std::string text, text2, text3, text4;
  std::string bytes;

  static steward_question import(const domain::study_source& source, std::string who);
  static steward_question add_form(const domain::form_addition& addition);
  static steward_question record(const domain::event& event);
  static steward_question change_members(std::uint32_t group, server_change change);
  static steward_question transfer(std::uint32_t group, std::uint64_t to);
  /// drain, undrain: of the node that is asked.
  static steward_question leaderships(std::string verb);
  static steward_question position(std::uint32_t group);
};

struct steward_answer {
  ec error = ec::none;
  std::string text; ///< of an import the study's id, of an added form the form's; of a join encode(join_grant); of an error why
  bool changed = false;  ///< import, added form: not the very same
  std::uint64_t seq = 0; ///< import, added form: who has read group 0's chain so far sees it; 0: not said
};

/// What a node that may join writes into its directory.
struct join_grant {
  std::string cluster; ///< id
  std::uint64_t server_id = 0;
  std::uint32_t shards = 0;
  std::string state; ///< encode(cluster_state)
};

std::string encode(const steward_question& q);
tl::expected<steward_question, std::string> decode_steward_question(std::string_view bytes);
std::string encode(const steward_answer& a);
tl::expected<steward_answer, std::string> decode_steward_answer(std::string_view bytes);
std::string encode(const join_grant& g);
tl::expected<join_grant, std::string> decode_join_grant(std::string_view bytes);

} // namespace epione::messages
