// Thousands of patients with their phones: they fill in forms, lose the network, send again under the same key with a growing
// delay, often through another node, send twice, contradict themselves, send nonsense, and look at their history.
#pragma once

#include "tests/simulation/world.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace epione::simulation {

class phones {
public:
  explicit phones(world& w);
  phones(const phones&) = delete;
  phones& operator=(const phones&) = delete;

  /// Patients are busy from now until then.
  void live_until(std::int64_t time_ns);
  /// Many submit within this time.
  void remind_many(std::int64_t spread_ns);
  /// So many new forms, the first of them after some time, within that time: through this node, or through others.
  enum class where { there, elsewhere };
  void gather(machine& m, where how, std::size_t many, std::int64_t after_ns, std::int64_t within_ns);
  /// Until then whoever is told that theirs is stored looks at once, through this node.
  void look_through(machine& m, std::int64_t until_ns);
  /// Nothing is on its way or waits to be sent.
  bool all_done() const { return errands_ == 0 && looks_ == 0; }
  std::size_t patients() const { return patients_.size(); }
  const std::string& any_patient() { return patients_[luck_.below(patients_.size())].record->id; }

  /// A new form for each shard through each node; `done` is called for each that was acknowledged.
  void submit_everywhere(const std::function<void()>& done);

  /// Reads a patient's whole history, and with `each` every submission by its receipt, until it has been answered.
  void inspect(subject_record& s, bool each);
  /// Reads some of what has been acknowledged, by receipt.
  void inspect_sample(std::size_t n);
  /// How many inspections are under way.
  std::size_t inspecting() const { return looks_; }

private:
  struct patient {
    subject_record* record = nullptr;
    std::uint64_t entries = 0, keys = 0;
    std::int64_t offline_until_ns = 0;
    machine* node = nullptr; ///< where it was answered last
  };
  /// One content on its way to being settled under its key.
  struct errand {
    patient* who = nullptr;
    key_record* key = nullptr;
    content_ptr what;
    unsigned tries = 0;
    machine* only = nullptr; ///< nowhere else
    std::function<void(fate)> done;
  };
  using errand_ptr = std::shared_ptr<errand>;
  using answer = std::function<void(fate)>;
  struct call {
    machine* node = nullptr;
    bool over = false;
    answer done;
  };

  void add_patients();
  void act();
  void evening();
  void go_offline();
  patient& someone();
  key_record* some_key(patient& p);
  key_record& fresh_key(patient& p);
  content_ptr one_content(const key_record& k, content_ptr what) const;

  void begin(patient& p, key_record& k, content_ptr what, answer done = nullptr, machine* only = nullptr);
  void send(const errand_ptr& e);
  void settled(const errand_ptr& e, fate how);
  std::int64_t back_off_ns(unsigned tries);
  machine& any_node() { return *world_.machines[luck_.below(world_.machines.size())]; }
  /// Over the network: once there, `request` enters it in the ledger and `deliver` hands it to the node; `done` gets the answer,
  /// or `lost` when there is none in time.
  void ask(machine& node, std::function<messages::ticket()> request, std::function<void(messages::ticket)> deliver, answer done);
  void answered(messages::ticket t, fate how);
  /// `only`: nowhere else; null: each page through any node.
  void read_history(subject_record& s, std::uint32_t limit, bool insist, answer done, machine* only = nullptr);
  void read_page(const reading_ptr& r, std::uint32_t limit, answer done, machine* only);
  void read_one(key_record& k, bool insist, answer done);

  world& world_;
  chance luck_;
  std::vector<patient> patients_;
  std::map<messages::ticket, std::shared_ptr<call>> calls_;
  std::vector<key_record*> acknowledged_; ///< for samples
  std::int64_t busy_until_ns_ = 0, pause_max_ns_ = 0;
  std::size_t errands_ = 0, looks_ = 0;
  machine* looked_through_ = nullptr;
  std::int64_t look_until_ns_ = 0;
};

} // namespace epione::simulation
