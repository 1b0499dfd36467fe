// What rules remember, read from the store and written with the next commit.
//
// Several engines may share a store, and a streak of failures goes over workflows of all of them:
// who reads it to change it holds a lock until the change is committed. Used by the loop's thread.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "notify/rule_desk.h"
#include "store/store.h"

namespace tiphys::runtime {

class StoredRuleMemory final : public notify::RuleMemory {
 public:
  /// `lock_path`: the file of the lock.
  StoredRuleMemory(store::Store& store, std::string lock_path)
      : store_(store), lock_path_(std::move(lock_path)) {}
  ~StoredRuleMemory() override { unlock(); }

  [[nodiscard]] diag::Result<value::Value> recall(const std::string& rule,
                                                  const std::string& key) override;
  void keep(const std::string& rule, const std::string& key, value::Value v,
            clock::Instant due_at) override;

  /// Waits until no other engine holds it. Errors: kIo.
  [[nodiscard]] diag::Result<void> lock();
  void unlock();
  /// Moves what has changed into the batch.
  void collect(store::Batch& batch, clock::Instant now);

 private:
  store::Store& store_;
  std::string lock_path_;
  int lock_ = -1;
  std::map<std::pair<std::string, std::string>, std::pair<value::Value, clock::Instant>> changed_;
};

}  // namespace tiphys::runtime
