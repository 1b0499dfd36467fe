// Several engines on one store: a deterministic world around the production engine and the
// production rules of leases.
//
// Virtual time, one seed. Each engine has clocks of its own; it is killed, paused, and cut off from
// the store or from the API server; calls are late or lost. After each event it is checked what no
// engine may ever do (Database, Cluster), and that no workflow is left lying; at the end, that
// every workflow has the nodes and phases of a run that nothing disturbs, and each step and hook
// was run once. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/fleet_workflows.h"
#include "sim/replica.h"

namespace tiphys::sim {

struct FleetOptions {
  std::size_t engines = 5;
  std::size_t workflows = 5;
  bool has_faults = true;
  Mutations mutations = {};
};

/// What has happened, so that a test sees that there was something to survive.
struct FleetTotals {
  std::size_t kills = 0;
  std::size_t pauses = 0;
  std::size_t cuts = 0;
  std::size_t takeovers = 0;
  std::size_t refused = 0;  // commits of engines that had lost their lease
  std::size_t pods = 0;
  std::size_t requests = 0;
};

class Fleet {
 public:
  /// How long a workflow may be nobody's while an engine that could take it is there.
  static constexpr clock::Duration kOwnerless = clock::Duration::seconds(45);

  Fleet(std::uint64_t seed, FleetOptions options);
  /// To the end. Gives what is wrong; empty when nothing is.
  [[nodiscard]] std::string run();
  [[nodiscard]] FleetTotals totals() const;

 private:
  void submit();
  void harm();
  void heal();
  void look_for_owners();
  [[nodiscard]] bool is_healthy(std::size_t engine) const;
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] std::string compare() const;
  [[nodiscard]] clock::Duration some(std::int64_t from_ms, std::int64_t to_ms);

  std::uint64_t seed_;
  FleetOptions options_;
  Random random_;
  Agenda agenda_;
  Network network_;
  Database database_;
  Cluster cluster_;
  std::vector<std::unique_ptr<Replica>> engines_;
  std::map<std::string, clock::Instant> submitted_at_;
  std::map<std::string, clock::Instant> lying_since_;  // nobody has it
  std::vector<clock::Instant> healthy_since_;
  FleetTotals totals_;
  std::string complaint_;
};

}  // namespace tiphys::sim
