#include "runtime/adoptions.h"

#include <algorithm>
#include <utility>

namespace tiphys::runtime {

void Adoptions::set(const std::vector<std::string>& wanted, const std::set<std::string>& urgent) {
  const std::set<std::string> before = std::exchange(waiting_, {wanted.begin(), wanted.end()});
  std::vector<std::string> order = wanted;
  std::ranges::stable_partition(order,
                                [&](const std::string& uid) { return !before.contains(uid); });
  std::ranges::stable_partition(order,
                                [&](const std::string& uid) { return urgent.contains(uid); });
  std::ranges::reverse(order);
  turns_ = std::move(order);
}

std::optional<std::string> Adoptions::take() {
  if (turns_.empty()) return std::nullopt;
  std::string uid = std::move(turns_.back());
  turns_.pop_back();
  waiting_.erase(uid);
  return uid;
}

}  // namespace tiphys::runtime
