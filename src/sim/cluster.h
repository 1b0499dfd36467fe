// What the engines of a simulated fleet work on: an API server whose pods have names that follow
// from their nodes, and a receiver of requests.
//
// A pod ends by itself when its time is over, whoever is there to see it; how, follows from its
// node's name. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "engine/engine.h"
#include "sim/mutations.h"

namespace tiphys::sim {

/// How a leaf ends, by the name of its node: the same in every run.
[[nodiscard]] engine::LeafFinished outcome_of(std::uint64_t seed, const std::string& uid,
                                              const std::string& node_name);

class Cluster {
 public:
  struct Pod {
    std::string node_name;
    clock::Instant started_at;
    clock::Instant ends_at;
    engine::LeafFinished outcome;
    int starts = 1;
    bool is_deleted = false;
    bool is_released = false;  // without its finalizer: nobody needs its end any more
    [[nodiscard]] bool has_ended(clock::Instant now) const { return ends_at <= now; }
  };

  Cluster(std::uint64_t seed, const Mutations& mutations,
          std::function<bool(const std::string& key)> is_end_stored)
      : seed_(seed), mutations_(mutations), is_end_stored_(std::move(is_end_stored)) {}

  /// Creates the pod of the key, or finds it.
  const Pod& create(const std::string& key, const std::string& uid, const std::string& node_name,
                    clock::Instant now);
  void remove(const std::string& key, clock::Instant now);
  void release(const std::string& key);
  /// Null when there is none.
  [[nodiscard]] const Pod* find(const std::string& key) const;
  /// The end of a request of a hook or step.
  engine::LeafFinished receive(const std::string& key, const std::string& uid,
                               const std::string& node_name);

  [[nodiscard]] const std::map<std::string, Pod>& pods() const { return pods_; }
  /// The keys under which the request of a node came in, by `UID NODE`.
  [[nodiscard]] const std::map<std::string, std::set<std::string>>& requests() const {
    return requests_;
  }
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  void complain(std::string text) {
    if (complaint_.empty()) complaint_ = std::move(text);
  }

  std::uint64_t seed_;
  const Mutations& mutations_;
  std::function<bool(const std::string& key)> is_end_stored_;
  std::map<std::string, Pod> pods_;
  std::map<std::string, std::set<std::string>> requests_;
  std::string complaint_;
};

}  // namespace tiphys::sim
