// One engine of a simulated fleet: runtime/host.cc's loop around the production engine and the
// leases of production, with its own clocks, and an executor that has pods.
//
// What it does in which order is the host's: look whether the leases are still its own, apply what
// has come, commit with the epochs as proof, look again, act. It can be paused (it goes on with
// what it believed) and killed at each of its waits. Pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lease/holdings.h"
#include "sim/cluster.h"
#include "sim/database.h"
#include "sim/network.h"
#include "sim/routine.h"

namespace tiphys::sim {

/// An engine's clocks against the true time.
struct Skew {
  std::int64_t drift_ppm = 0;
  clock::Duration wall;  // how far its wall clock is off
};

class Replica {
 public:
  static constexpr clock::Duration kLease = clock::Duration::seconds(10);

  struct Ports {
    Agenda& agenda;
    Network& network;
    Database& database;
    Cluster& cluster;
    const Mutations& mutations;
  };

  Replica(std::size_t number, Ports ports, Skew skew)
      : number_(number),
        ports_(ports),
        skew_(skew),
        place_(std::string("place-") + std::to_string(number)) {}
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  /// A new process of the same state folder.
  void begin();
  void kill();
  /// It stands still; what is sent to it is there when it goes on.
  void pause(clock::Instant until) { paused_until_ = std::max(paused_until_, until); }
  void step_wall_clock(clock::Duration by) { skew_.wall = skew_.wall + by; }

  [[nodiscard]] bool is_running() const { return is_running_; }
  [[nodiscard]] bool is_paused() const { return ports_.agenda.now() < paused_until_; }

 private:
  struct Run {
    std::unique_ptr<engine::Engine> engine;
    std::uint64_t sequence = 0;
    std::string pending;  // events that are not stored, as the elements of a list
    std::vector<engine::Effect> effects;
  };
  struct Pod {
    std::string uid;
    engine::LeafId leaf;
    std::string node_name;
    bool is_there = false;  // the create was answered
    bool is_told_running = false;
    bool is_told_end = false;
  };
  struct Message {
    std::string uid;
    std::string key;
    std::variant<engine::LeafRunning, engine::LeafFinished> body;
    bool is_pod = false;
  };
  struct Timer {
    clock::Instant at;
    std::string uid;
    engine::TimerFired timer;
  };

  // replica.cc: the loop
  Routine<bool> live();
  Routine<bool> join();
  Routine<bool> keep();
  Routine<bool> look();
  Routine<bool> adopt(std::string uid);
  [[nodiscard]] std::vector<engine::LeafFinished> give_up_pods(
      const engine::Engine& engine, std::vector<engine::Effect>& outstanding);
  Routine<bool> commit_and_dispatch();
  Routine<Written> write(Write batch);
  Routine<bool> commit_own(Write& batch);
  Routine<bool> find_out();
  void take_messages();
  void fire_timers();
  void apply(const std::string& uid, engine::Event event);
  void drop(const std::string& uid);
  [[nodiscard]] Write collect();
  void retire();

  // replica_executor.cc
  void carry_out(const std::string& uid, const std::vector<engine::Effect>& effects);
  void start_leaf(const std::string& uid, const engine::LeafId& leaf);
  void create(const std::string& key);
  void send(const std::string& uid, const std::string& key, const engine::LeafId& leaf,
            const std::string& node_name);
  void cancel(const std::string& key);
  void forget_pods(const std::string& uid);
  void saw(const std::string& key, const Cluster::Pod& pod);
  void acknowledge(const std::string& key);
  Routine<bool> watch();
  Routine<bool> beat();

  /// Calls; nullopt when no answer came.
  template <typename T>
  Routine<std::optional<T>> ask(Network::Party party, std::function<T()> serve);
  [[nodiscard]] Until sleep(clock::Duration time);
  /// What goes on only in this process, and not while it is paused.
  [[nodiscard]] std::function<void()> guard(std::function<void()> what);
  [[nodiscard]] clock::Instant boot_now() const;
  [[nodiscard]] clock::Instant wall_now() const { return boot_now() + skew_.wall; }
  [[nodiscard]] bool has_pending() const;
  [[nodiscard]] clock::Instant expiry() const { return ports_.agenda.now() + kLease; }

  std::size_t number_;
  Ports ports_;
  Skew skew_;
  std::string place_;
  bool is_running_ = false;
  std::uint64_t process_ = 0;
  clock::Instant paused_until_;
  std::uint64_t sent_ = 0;

  // Of the process.
  Routine<bool> loop_;
  Routine<bool> beater_;
  Routine<bool> watcher_;
  std::int64_t engine_ = 0;
  lease::Holdings holdings_;
  std::int64_t valid_until_ = 0;
  bool must_ask_ = false;
  std::int64_t writer_ = 0;
  std::int64_t ticket_ = 0;
  bool is_unknown_ = false;
  std::map<std::string, Run> runs_;
  std::map<std::string, Pod> pods_;
  std::vector<Message> inbox_;
  std::vector<Timer> timers_;
  std::vector<std::string> acknowledged_;
  std::set<std::string> releases_;
  std::set<std::string> dropped_;
  clock::Instant looked_at_;
};

template <typename T>
Routine<std::optional<T>> Replica::ask(Network::Party party, std::function<T()> serve) {
  // A request that comes late is served when nobody waits for it any more.
  const auto answer = std::make_shared<std::optional<T>>();
  const auto is_answered = std::make_shared<bool>(false);
  const Until told{[&, this](std::function<void()> go_on) {
    ports_.network.call(
        number_, party, [answer, serve] { *answer = serve(); },
        [is_answered, resume = guard(std::move(go_on))](bool is_there) {
          *is_answered = is_there;
          resume();
        });
  }};
  co_await told;
  if (!*is_answered) answer->reset();
  std::optional<T> out = std::move(*answer);
  co_return out;
}

}  // namespace tiphys::sim
