#include "tests/simulation/phones.hpp"

#include "domain/ids.hpp"

#include <algorithm>
#include <utility>

namespace epione::simulation {

using messages::ticket;

namespace {

/// An answer after which a phone has nothing more to do.
bool is_final(fate how) {
  return how == fate::stored || how == fate::repeated || how == fate::conflict || how == fate::refused || how == fate::not_found;
}

constexpr double lost_answers = 0.02;   // the network drops the connection after the node has answered
constexpr double given_up = 0.1;        // of those who are told that it is not stored: they throw it away
constexpr double looked_after = 0.06;   // of those who are told that it is stored: they look whether it is
constexpr std::size_t hot_patients = 5; // some are far busier than the rest

} // namespace

phones::phones(world& w) : world_(w), luck_(chance{w.seed}.branch("phones")) {
  add_patients();
  pause_max_ns_ = luck_.one_of<std::int64_t>(150, 220, 300) * ms_in_ns;
  world_.on_answer = [this](ticket t, fate how) { answered(t, how); };
  world_.on_node_gone = [this](machine& m) {
    // The connection breaks: most phones notice at once, some only when their patience ends.
    std::erase_if(calls_, [&](const auto& x) {
      if (x.second->node != &m)
        return false;
      if (luck_.share(0.8))
        world_.after(luck_.between(1, 200) * ms_in_ns, [c = x.second] {
          if (!std::exchange(c->over, true))
            c->done(fate::lost);
        });
      return true;
    });
  };
}

void phones::add_patients() {
  const auto count = luck_.one_of<std::size_t>(200, 1'000, 3'000);
  patients_.reserve(count + 3);
  for (std::size_t i = 0; i < count; ++i) {
    auto& p = patients_.emplace_back();
    p.record = &world_.book.subject(std::to_string(1 + i * 997 % 1'000'000), true);
  }
  for (const auto* stranger : {"1000001", "0042", "nobody"})
    patients_.emplace_back().record = &world_.book.subject(stranger, false);
}

void phones::live_until(std::int64_t time_ns) {
  const bool alive = world_.clock.ns < busy_until_ns_;
  busy_until_ns_ = time_ns;
  if (alive)
    return;
  act();
  world_.after(luck_.between(5, 20) * s_in_ns, [this] { evening(); });
  world_.after(luck_.between(2, 10) * s_in_ns, [this] { go_offline(); });
}

// ---- what patients do
// ------------------------------------------------------------------------------------------------------------

phones::patient& phones::someone() {
  const auto enrolled = patients_.size() - 3;
  return patients_[luck_.share(0.15) ? luck_.below(hot_patients) : luck_.below(enrolled)];
}

key_record* phones::some_key(patient& p) {
  return p.record->keys.empty() ? nullptr : &p.record->keys[luck_.below(p.record->keys.size())];
}

key_record& phones::fresh_key(patient& p) {
  return world_.book.new_key(*p.record, "k" + std::to_string(++p.keys));
}

/// The same content must be the same object, because the ledger compares objects.
content_ptr phones::one_content(const key_record& k, content_ptr what) const {
  const auto data = data_of(*what);
  for (const auto& a : k.attempts)
    if (data_of(*a.what) == data)
      return a.what;
  return what;
}

void phones::act() {
  if (world_.clock.ns >= busy_until_ns_)
    return;
  world_.after(luck_.between(0, pause_max_ns_), [this] { act(); });
  auto& p = someone();
  const auto roll = luck_.below(100);
  auto* old = some_key(p);
  if (roll < 8 && old != nullptr && !old->attempts.empty()) {
    begin(p, *old, old->attempts[luck_.below(old->attempts.size())].what); // a repeat, of whatever became of it
  } else if (roll < 14 && old != nullptr && !old->attempts.empty()) {
    begin(p, *old, one_content(*old, change_answers(luck_, *old->attempts.front().what)));
  } else if (roll < 20) {
    auto& k = fresh_key(p);
    const auto number = p.entries++;
    begin(p, k, fill_in_badly(luck_, number), [this, &p, &k](fate how) {
      if (how == fate::refused && luck_.share(0.5)) // the patient corrects it, and the app keeps the key
        begin(p, k, one_content(k, change_answers(luck_, *k.attempts.front().what)));
    });
  } else if (roll < 22) {
    auto& stranger = patients_[patients_.size() - 1 - luck_.below(3)];
    begin(stranger, fresh_key(stranger), fill_in(luck_, stranger.entries++));
  } else if (roll < 27) {
    auto& k = fresh_key(p);
    const auto what = fill_in(luck_, p.entries++);
    begin(p, k, what);
    begin(p, k, what);
  } else if (roll < 31) {
    auto& k = fresh_key(p);
    const auto what = fill_in(luck_, p.entries++);
    begin(p, k, what);
    begin(p, k, change_answers(luck_, *what));
  } else if (roll < 38) {
    ++looks_;
    read_history(*p.record, luck_.one_of<std::uint32_t>(1, 3, 20, 200), false, [this](fate) { --looks_; });
  } else if (roll < 42 && old != nullptr && !old->receipt.empty()) {
    ++looks_;
    read_one(*old, false, [this](fate) { --looks_; });
  } else {
    begin(p, fresh_key(p), fill_in(luck_, p.entries++));
  }
}

/// Many at once, as when all are reminded at the same time.
void phones::evening() {
  if (world_.clock.ns >= busy_until_ns_)
    return;
  remind_many(luck_.one_of<std::int64_t>(5, 100, 1'000) * ms_in_ns);
  world_.after(luck_.between(15, 50) * s_in_ns, [this] { evening(); });
}

void phones::remind_many(std::int64_t spread_ns) {
  const auto many = luck_.between(20, 120);
  for (std::int64_t i = 0; i < many; ++i)
    world_.after(luck_.between(0, spread_ns), [this] {
      auto& p = someone();
      begin(p, fresh_key(p), fill_in(luck_, p.entries++));
    });
}

void phones::gather(machine& m, where how, std::size_t many, std::int64_t after_ns, std::int64_t within_ns) {
  for (std::size_t i = 0; i < many; ++i)
    world_.after(after_ns + luck_.between(0, within_ns), [this, &m, how] {
      if (world_.clock.ns >= busy_until_ns_)
        return;
      auto& p = someone();
      p.offline_until_ns = 0;
      p.node = &m;
      while (how == where::elsewhere && p.node == &m)
        p.node = &any_node();
      begin(p, fresh_key(p), fill_in(luck_, p.entries++));
    });
}

void phones::look_through(machine& m, std::int64_t until_ns) {
  looked_through_ = &m;
  look_until_ns_ = until_ns;
}

void phones::go_offline() {
  if (world_.clock.ns >= busy_until_ns_)
    return;
  const auto until = world_.clock.ns + luck_.between(1, 25) * s_in_ns;
  const auto share = luck_.one_of(0.02, 0.3);
  for (auto& p : patients_)
    if (luck_.share(share))
      p.offline_until_ns = until;
  world_.after(luck_.between(5, 20) * s_in_ns, [this] { go_offline(); });
}

void phones::submit_everywhere(const std::function<void()>& done) {
  std::map<std::uint32_t, patient*> of_shard;
  for (std::size_t i = 0; i + 3 < patients_.size(); ++i)
    of_shard.try_emplace(domain::shard_of(domain::subject_hash("demo", patients_[i].record->id), world_.config.shards.count),
                         &patients_[i]);
  for (auto& m : world_.machines)
    for (auto& [shard, p] : of_shard) {
      p->offline_until_ns = 0;
      begin(
          *p, fresh_key(*p), fill_in(luck_, p->entries++),
          [this, done, name = m->name, n = shard](fate how) {
            if (how == fate::stored || how == fate::repeated)
              done();
            else
              world_.book.violation("a new form for shard " + std::to_string(n) + " through " + name + " was answered " +
                                    std::string{to_string(how)});
          },
          m.get());
    }
}

// ---- one submission
// ----------------------------------------------------------------------------------------------------------------

void phones::begin(patient& p, key_record& k, content_ptr what, answer done, machine* only) {
  auto e = std::make_shared<errand>();
  e->who = &p;
  e->key = &k;
  e->what = std::move(what);
  e->done = std::move(done);
  e->only = only;
  ++errands_;
  send(e);
}

void phones::send(const errand_ptr& e) {
  if (e->who->offline_until_ns > world_.clock.ns) { // it waits in the phone's queue
    world_.plans.at(e->who->offline_until_ns, [this, e] { send(e); });
    return;
  }
  // It stays with a node as long as that answers; then a balancer, or the app, takes it to any.
  if (e->who->node == nullptr || (e->tries > 0 && luck_.share(0.6)))
    e->who->node = &any_node();
  auto& node = e->only != nullptr ? *e->only : *e->who->node;
  const auto request = [this, e, &node] {
    const auto t = world_.book.submission_sent(*e->key, e->what, node.number);
    world_.log.line("send " + std::to_string(t) + (world_.clustered() ? " to " + node.name : std::string{}) + " patient " +
                    e->key->subject->id + " " + e->key->key + " " + e->what->form + " " + e->what->authored + " total " +
                    std::to_string(e->what->total) + (e->what->valid ? "" : " invalid") +
                    (e->tries == 0 ? "" : " try " + std::to_string(e->tries + 1)));
    return t;
  };
  const auto deliver = [e, &node](ticket t) { node.node.submit(t, e->key->subject->id, e->key->key, data_of(*e->what)); };
  ask(node, request, deliver, [this, e](fate how) { settled(e, how); });
}

void phones::settled(const errand_ptr& e, fate how) {
  if (how == fate::not_stored && e->only == nullptr && luck_.share(given_up)) {
    --errands_; // and never will be: nothing of it may show up later
    return;
  }
  if (!is_final(how)) {
    world_.after(back_off_ns(e->tries++), [this, e] { send(e); });
    return;
  }
  if (how == fate::stored || how == fate::repeated)
    acknowledged_.push_back(e->key);
  if ((how == fate::stored || how == fate::repeated) && world_.clock.ns < look_until_ns_) {
    ++looks_;
    read_history(*e->key->subject, 200, false, [this](fate) { --looks_; }, looked_through_);
  } else if (how == fate::stored && luck_.share(looked_after)) {
    ++looks_;
    read_history(*e->key->subject, 200, false, [this](fate) { --looks_; });
  }
  if (e->done)
    e->done(how);
  --errands_;
}

std::int64_t phones::back_off_ns(unsigned tries) {
  const auto ms = std::int64_t{500} << std::min(tries, 5u);
  return luck_.between(ms / 2, ms) * ms_in_ns;
}

// ---- the network
// -------------------------------------------------------------------------------------------------------------------

void phones::ask(machine& node, std::function<ticket()> request, std::function<void(ticket)> deliver, answer done) {
  auto c = std::make_shared<call>();
  c->node = &node;
  c->done = std::move(done);
  const auto give_up = [c] {
    if (!std::exchange(c->over, true))
      c->done(fate::lost);
  };
  world_.after(luck_.between(1, 80) * ms_in_ns, [this, c, request = std::move(request), deliver = std::move(deliver), give_up] {
    if (!c->node->accepts()) { // connection refused
      world_.after(luck_.between(1, 50) * ms_in_ns, give_up);
      return;
    }
    const auto t = request();
    calls_.emplace(t, c);
    deliver(t); // may be answered at once
    world_.after(luck_.between(2'000, 15'000) * ms_in_ns, give_up);
  });
}

void phones::answered(ticket t, fate how) {
  const auto found = calls_.find(t);
  if (found == calls_.end())
    return;
  const auto c = found->second;
  calls_.erase(found);
  if (luck_.share(lost_answers))
    return; // the phone goes on waiting
  world_.after(luck_.between(1, 80) * ms_in_ns, [c, how] {
    if (!std::exchange(c->over, true))
      c->done(how);
  });
}

// ---- reading
// -----------------------------------------------------------------------------------------------------------------------

void phones::read_history(subject_record& s, std::uint32_t limit, bool insist, answer done, machine* only) {
  const auto read = [this, &s, limit, insist, only, done = std::move(done)](fate how) {
    if (is_final(how) || !insist)
      return done(how);
    world_.after(back_off_ns(1), [this, &s, limit, only, done] { read_history(s, limit, true, done, only); });
  };
  read_page(world_.book.begin_reading(s), limit, read, only);
}

void phones::read_page(const reading_ptr& r, std::uint32_t limit, answer done, machine* only) {
  auto& node = only != nullptr ? *only : any_node();
  ask(
      node,
      [this, r, &node] {
        if (r->items.empty()) // it begins when its first page is asked for
          *r = *world_.book.begin_reading(*r->subject);
        const auto t = world_.book.page_asked(r, node.number);
        world_.log.line("read " + std::to_string(t) + (world_.clustered() ? " at " + node.name : std::string{}) + " patient " +
                        r->subject->id + (r->next.empty() ? "" : " before " + r->next));
        return t;
      },
      [r, limit, &node](ticket t) { node.node.read(t, r->subject->id, {}, limit, r->next.empty() ? 0 : std::stoull(r->next)); },
      [this, r, limit, only, done = std::move(done)](fate how) {
        if (how == fate::stored && !r->complete && !world_.broken())
          read_page(r, limit, done, only);
        else
          done(how);
      });
}

void phones::read_one(key_record& k, bool insist, answer done) {
  auto& node = any_node();
  ask(
      node,
      [this, &k, &node] {
        const auto t = world_.book.detail_asked(k, node.number);
        world_.log.line("read " + std::to_string(t) + (world_.clustered() ? " at " + node.name : std::string{}) + " patient " +
                        k.subject->id + " " + k.key);
        return t;
      },
      [&k, &node](ticket t) { node.node.read(t, k.subject->id, k.receipt, 1, 0); },
      [this, &k, insist, done = std::move(done)](fate how) {
        if (is_final(how) || !insist)
          return done(how);
        world_.after(back_off_ns(1), [this, &k, done] { read_one(k, true, done); });
      });
}

void phones::inspect(subject_record& s, bool each) {
  ++looks_;
  read_history(s, luck_.one_of<std::uint32_t>(7, 200), true, [this, &s, each](fate how) {
    if (each && how == fate::stored)
      for (auto* k : s.settled) {
        ++looks_;
        read_one(*k, true, [this](fate) { --looks_; });
      }
    --looks_;
  });
}

void phones::inspect_sample(std::size_t n) {
  for (std::size_t i = 0; i < n && !acknowledged_.empty(); ++i) {
    ++looks_;
    read_one(*acknowledged_[luck_.below(acknowledged_.size())], false, [this](fate) { --looks_; });
  }
}

} // namespace epione::simulation
