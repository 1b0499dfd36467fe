// The locks of workflows that are over while notifications of theirs are still to be sent.
//
// A row of the outbox belongs to the engine that has its workflow. When the workflow has ended its
// lock stays here until the last of its rows is done with, so that no other engine sends them, too.
// Used by the loop's thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/config.h"
#include "runtime/ownership.h"
#include "store/delivery.h"
#include "store/store.h"

namespace tiphys::runtime {

/// Puts the workflows first of which something is due soonest; rows of one workflow keep their
/// order. Pure.
void put_soonest_first(std::vector<store::DeliveryRow>& rows);

class Custody {
 public:
  using Tells = std::function<bool(const std::string& uid)>;
  /// `runs_here`: whether this engine runs the workflow at the moment; `will_run`: whether it is
  /// about to take it over, with what it has to send.
  Custody(const Config& config, store::Store& store, Tells runs_here, Tells will_run)
      : config_(config),
        store_(store),
        runs_here_(std::move(runs_here)),
        will_run_(std::move(will_run)) {}

  /// A row of the workflow is to be sent by this engine.
  void open(const std::string& uid) { ++open_[uid]; }
  [[nodiscard]] bool has_open(const std::string& uid) const { return open_.contains(uid); }
  /// It is done with.
  void close(const std::string& uid);
  /// The workflow is over: its lock is kept while a row of it is open.
  void keep(const std::string& uid, Ownership lock);

  /// Another engine has taken the workflow over.
  void drop(const std::string& uid) {
    kept_.erase(uid);
    open_.erase(uid);
  }

  /// The lock, for the workflow that runs again; nullopt when it is not kept.
  [[nodiscard]] std::optional<Ownership> give(const std::string& uid);

  /// Before a look at many rows: what engines on other machines have is not asked for one by one.
  void look_elsewhere();
  /// Whose rows an engine looks for: a server takes what nobody has, others only see to their own.
  enum class Whose { kOwn, kNobodys };
  /// Whether this engine may send the rows of the workflow; takes its lock if need be. After the
  /// last of a batch drop_unused() gives back what was taken in vain.
  /// A lock is an open file, so only so many are taken: ask for what is due soonest first.
  [[nodiscard]] bool may_send(const std::string& uid, Whose whose);
  void drop_unused();
  /// Whether this engine is about to take the workflow over.
  [[nodiscard]] bool will_run(const std::string& uid) const { return will_run_(uid); }
  /// Whether some were left out for that and there is room again: told once.
  [[nodiscard]] bool has_regained_room() {
    return was_full_ && kept_.size() <= kTakenMax / 2 && std::exchange(was_full_, false);
  }
  static constexpr std::size_t kTakenMax = 256;

 private:
  const Config& config_;
  store::Store& store_;
  Tells runs_here_;
  Tells will_run_;
  std::unordered_map<std::string, std::size_t> open_;  // rows, by workflow
  std::map<std::string, Ownership> kept_;
  std::set<std::string> elsewhere_;  // by the last look
  bool was_full_ = false;
};

}  // namespace tiphys::runtime
