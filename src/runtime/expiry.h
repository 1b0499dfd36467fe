// ttlStrategy: when a finished workflow is deleted.
//
// Only an engine that works for all of a store (`tiphys server`) deletes; the workflow of a `tiphys
// run` stays for whoever ran it. Pure but for being told the time. Used by the loop's thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "clock/instant.h"
#include "value/value.h"

namespace tiphys::runtime {

/// When a workflow that ended so is due; nullopt when its spec says nothing about that.
[[nodiscard]] std::optional<clock::Instant> expires_at(const value::Value& spec,
                                                       std::string_view phase,
                                                       clock::Instant finished_at);

/// Finished workflows, by the time at which they are due on the steady clock (clocks.h).
class Expiry {
 public:
  /// Due then, and no longer when it was due before.
  void add(const std::string& uid, clock::Instant at);
  /// Removes and returns those that are due.
  [[nodiscard]] std::vector<std::string> take_due(clock::Instant now);

 private:
  std::map<std::string, clock::Instant> times_;
  std::set<std::pair<clock::Instant, std::string>> by_time_;
};

}  // namespace tiphys::runtime
