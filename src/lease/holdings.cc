#include "lease/holdings.h"

namespace tiphys::lease {

void Holdings::took(std::string_view uid, std::int64_t epoch) {
  epochs_.insert_or_assign(std::string(uid), epoch);
  if (const auto found = gone_.find(uid); found != gone_.end()) gone_.erase(found);
}

bool Holdings::release(std::string_view uid) {
  const auto found = epochs_.find(uid);
  if (found == epochs_.end()) return false;
  epochs_.erase(found);
  return true;
}

std::vector<std::string> Holdings::settle(const Epochs& kept) {
  std::vector<std::string> out;
  for (const auto& [uid, epoch] : epochs_) {
    const auto found = kept.find(uid);
    if (found == kept.end() || found->second != epoch) out.push_back(uid);
  }
  for (const std::string& uid : out) {
    epochs_.erase(uid);
    gone_.insert(uid);
  }
  return out;
}

Proof Holdings::prove(const std::set<std::string_view>& uids) const {
  Proof out;
  for (const std::string_view uid : uids) {
    if (gone_.contains(uid)) return {.epochs = {}, .lost = std::string(uid)};
    if (const auto found = epochs_.find(uid); found != epochs_.end()) out.epochs.insert(*found);
  }
  return out;
}

}  // namespace tiphys::lease
