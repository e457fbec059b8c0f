#include "actors/region_answers.hpp"

#include "actors/reply_text.hpp"
#include "runtime/mutation.hpp"

#include <algorithm>
#include <memory>

namespace epione::actors {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

void region_answers::answer(const reply_receiver& to, reply r) {
  auto out = std::find_if(outgoing_.begin(), outgoing_.end(), [&](const auto& o) { return o.first == to; });
  if (out == outgoing_.end())
    out = outgoing_.emplace(outgoing_.end(), to, std::make_shared<replies>());
  out->second->push_back(std::move(r));
}

void region_answers::answer(const region_table::waiter& w, int status, std::string body) {
  answer(w.receiver, {w.to, status, std::move(body)});
}

void region_answers::answer_settled(const region_table::waiter& w, const domain::receipt& id, const domain::fingerprint& first,
                                    const std::string& results, std::string_view event) {
  if (w.what->fingerprint == first || mutated(mutation::conflict_as_repeat)) {
    metrics_.repeats.Increment();
    answer(w, 200, w.what->kind == content_kind::data ? repeat_text(id, results) : std::string{event});
  } else {
    metrics_.conflicts.Increment();
    answer(w, 409, conflict_text(id));
  }
}

void region_answers::not_now(const region_table::waiters& who, std::string_view sentence, outcome known) {
  for (const auto& w : who)
    not_now(w, sentence, known);
}

void region_answers::not_now(const region_table::waiter& w, std::string_view sentence, outcome known) {
  refuse(w, sentence, known, elsewhere::no);
}

void region_answers::not_here(const region_table::waiters& who, std::string_view sentence, outcome known) {
  for (const auto& w : who)
    not_here(w, sentence, known);
}

void region_answers::not_here(const region_table::waiter& w, std::string_view sentence, outcome known) {
  refuse(w, sentence, known, known == outcome::not_stored ? elsewhere::yes : elsewhere::after_that);
}

void region_answers::send() {
  for (auto& [receiver, batch] : outgoing_)
    self_->send(receiver, reply_atom::value, std::move(batch));
  outgoing_.clear();
}

void region_answers::refuse(const region_table::waiter& w, std::string_view sentence, outcome known, elsewhere hint) {
  metrics_.not_now.Increment();
  answer(w.receiver, {w.to, 503, unavailable_text(sentence, known), retry_after_s_, hint});
}

} // namespace epione::actors
