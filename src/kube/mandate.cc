#include "kube/mandate.h"

namespace tiphys::kube {

void Mandate::withdraw(const std::string& key) {
  const std::lock_guard lock(mutex_);
  withdrawn_.insert(key);
}

void Mandate::settle(const std::string& key) {
  const std::lock_guard lock(mutex_);
  withdrawn_.erase(key);
}

// The leases first: when they hold again, what was lost has been withdrawn before.
bool Mandate::covers(const std::string& key) const {
  if (leases_hold_ && !leases_hold_()) return false;
  const std::lock_guard lock(mutex_);
  return !withdrawn_.contains(key);
}

}  // namespace tiphys::kube
