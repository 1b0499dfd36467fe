// Who holds which mutex or semaphore, over all workflows of this store and all engines.
//
// A lock is a row of kind `Lock` in the store: holders, and who waits, the highest priority first,
// then the oldest workflow, as in Argo. A lock file makes looking and writing one step between
// processes. Holders whose workflow has finished or is gone are dropped, so a lost release cannot
// block a lock for ever. While the store fails nothing is acquired or given back; retry() makes up
// for it, in the order in which it was asked for. Used by the loop's thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/effect.h"
#include "engine/event.h"
#include "store/store.h"

namespace tiphys::runtime {

/// Fills in who holds the locks that `synchronization` (a workflow's status.synchronization) names
/// as waited for, as the store has it now.
[[nodiscard]] value::Value with_holders(store::Store& store, const value::Value& synchronization);

class Locks {
 public:
  using Answer = std::pair<std::string, engine::LocksAnswered>;  // uid of the workflow

  /// Borrows the store; `home` is where the lock file lies.
  Locks(store::Store& store, std::string home) : store_(store), home_(std::move(home)) {}

  /// Acquires all or nothing. What is not free is waited for: retry() tells when it is. Nullopt
  /// when the store fails (trouble()): then retry() has the answer.
  [[nodiscard]] std::optional<engine::LocksAnswered> acquire(const std::string& uid,
                                                             const engine::AcquireLocks& what);
  /// Gives back, or stops waiting.
  void release(const std::string& uid, const engine::ReleaseLocks& what);
  /// After a restart: whatever else is noted for the workflow was given back before it.
  void reconcile(const std::string& uid, const engine::OwnLocks& own);
  /// Tries again for everyone of this engine who waits, if locks were given back here, the store
  /// has failed or `has_changed` (somebody else wrote to the store). The answers that are news.
  [[nodiscard]] std::vector<Answer> retry(bool has_changed);
  /// Why the store failed the last time, if it did.
  [[nodiscard]] const std::optional<diag::Error>& trouble() const { return trouble_; }
  /// The workflow is not run here any more.
  void forget(const std::string& uid);

 private:
  struct Waiting {
    std::string uid;
    engine::AcquireLocks what;
    std::string message;  // what was told last
  };
  /// What the store must be told before anything is acquired.
  struct Debt {
    std::string uid;
    std::variant<engine::ReleaseLocks, engine::OwnLocks> what;
  };

  [[nodiscard]] diag::Result<void> pay_debts();
  [[nodiscard]] diag::Result<void> pay(const std::string& uid, const engine::ReleaseLocks& what);
  [[nodiscard]] diag::Result<void> pay(const std::string& uid, const engine::OwnLocks& own);
  void owe(Debt debt);
  /// Pays, tries to acquire, and notes how that went.
  [[nodiscard]] diag::Result<engine::LocksAnswered> look(const std::string& uid,
                                                         const engine::AcquireLocks& what);
  /// Notes how the store did; says so when that is news.
  void note(const diag::Result<void>& done);
  [[nodiscard]] diag::Result<engine::LocksAnswered> try_acquire(const std::string& uid,
                                                                const engine::AcquireLocks& what);
  [[nodiscard]] diag::Result<value::Value> load(const std::string& name);
  [[nodiscard]] diag::Result<void> save(const std::string& name, value::Value lock);
  /// How many may hold it at once. Errors: kNotFound, with Argo's words.
  [[nodiscard]] diag::Result<std::int64_t> limit_of(const engine::Lock& lock);

  store::Store& store_;
  std::string home_;
  std::vector<Waiting> waiting_;
  std::deque<Debt> debts_;
  std::optional<diag::Error> trouble_;
  bool was_released_ = false;
};

}  // namespace tiphys::runtime
