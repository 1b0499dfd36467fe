// The network between engines, store and API server of a simulated fleet: calls take time, get
// lost before or after they had an effect, come late, and lines are cut.
//
// Pure: all chance comes from the seed.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <utility>

#include "sim/agenda.h"
#include "sim/random.h"

namespace tiphys::sim {

/// How often, in percent of the calls.
struct NetworkFaults {
  unsigned request_lost = 0;
  unsigned answer_lost = 0;
  unsigned request_late = 0;  // up to 20 s: it has an effect when its sender has given up
};

class Network {
 public:
  enum class Party { kStore, kCluster, kWorld };
  /// How long a caller waits for an answer.
  static constexpr clock::Duration kPatience = clock::Duration::seconds(3);

  Network(Agenda& agenda, Random& random) : agenda_(agenda), random_(random) {}

  void set_faults(NetworkFaults faults) { faults_ = faults; }
  /// `serve` happens at the other end, if the request gets there; `told` at the engine, once: true
  /// with the answer, false when none came in time.
  void call(std::size_t engine, Party party, std::function<void()> serve,
            std::function<void(bool is_answered)> told);
  /// Nothing comes through between them until then.
  void cut(std::size_t engine, Party party, clock::Instant until) {
    auto& end = cut_until_[{engine, party}];
    end = std::max(end, until);
  }
  [[nodiscard]] bool is_cut(std::size_t engine, Party party) const {
    const auto found = cut_until_.find({engine, party});
    return found != cut_until_.end() && agenda_.now() < found->second;
  }

 private:
  [[nodiscard]] clock::Duration way();

  Agenda& agenda_;
  Random& random_;
  NetworkFaults faults_;
  std::map<std::pair<std::size_t, Party>, clock::Instant> cut_until_;
};

}  // namespace tiphys::sim
