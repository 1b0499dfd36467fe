// What an engine knows of its own leases: which workflows it has, in which epoch, and which it has
// lost.
//
// The engine's half of what keeps a workflow to one engine: store/postgres_leases.h asks the
// database with it, sim/fleet.h a simulated one. Pure; used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "clock/instant.h"

namespace tiphys::lease {

/// Epochs by workflow.
using Epochs = std::map<std::string, std::int64_t, std::less<>>;

/// Until when (ns of the engine's own clock, one that goes on while the machine sleeps) an engine
/// may believe in a renewal without asking. Measured from before it was sent: the server counts
/// from later.
[[nodiscard]] inline std::int64_t valid_until(std::int64_t sent_at, clock::Duration lease) {
  return sent_at + lease.ns;
}

/// What a commit has to show for the workflows that it writes.
struct Proof {
  Epochs epochs;                         // of those that this engine has by lease; may be empty
  std::optional<std::string> lost = {};  // one that it has lost: the commit must not be sent
};

class Holdings {
 public:
  /// It was taken, or made by this engine.
  void took(std::string_view uid, std::int64_t epoch);
  /// It is given back; false when it is none of this engine's.
  bool release(std::string_view uid);
  /// Takes in what the database says this engine has. Gives what it has lost since.
  [[nodiscard]] std::vector<std::string> settle(const Epochs& kept);
  [[nodiscard]] Proof prove(const std::set<std::string_view>& uids) const;

 private:
  Epochs epochs_;
  std::set<std::string, std::less<>> gone_;
};

}  // namespace tiphys::lease
