// What is not to be sent any more, or not by this engine.
#include <fmt/format.h>

#include <utility>

#include "runtime/clocks.h"
#include "runtime/notifications.h"

namespace tiphys::runtime {

void Notifications::cancel(const std::string& leaf_key, clock::Instant now) {
  requests_.cancel(leaf_key, now);
  const auto found = waiting_.find(leaf_key);
  if (found == waiting_.end()) return;
  const std::set<std::string> open = std::move(found->second.open);
  waiting_.erase(found);
  for (const std::string& id : open) {
    if (!outbox_.discard(id, now)) continue;  // under way: it may arrive
    store::DeliveryRow& row = items_.at(id).row;
    store::discard(row, "its workflow was stopped", now);
    rows_.push_back(row);
    forget(id);
  }
}

bool Notifications::discard(const std::string& id, clock::Instant now) {
  const std::string failure = fmt::format("not delivered: {}", kDiscardedByHand);
  if (const auto request = requests_.discard(id, kDiscardedByHand, now)) {
    if (!request->leaf.empty()) end_leaf(request->leaf, failure, request->since, now);
    return true;
  }
  if (!items_.contains(id) || !outbox_.discard(id, now)) return false;
  store::DeliveryRow& row = items_.at(id).row;
  store::discard(row, kDiscardedByHand, now);
  rows_.push_back(row);
  finish(id, failure, now);
  return true;
}

void Notifications::drop(const std::string& uid, clock::Instant now) {
  std::vector<std::string> ids;
  for (const auto& [id, item] : items_) {
    if (item.row.uid == uid) ids.push_back(id);
  }
  for (const std::string& id : ids) {
    outbox_.discard(id, now);
    items_.erase(id);
  }
  std::erase_if(waiting_, [&](const auto& entry) {
    const auto address = parse_leaf_key(entry.first);
    return address && address->uid == uid;
  });
  std::erase_if(rows_, [&](const store::DeliveryRow& row) { return row.uid == uid; });
  requests_.drop(uid, now);
  custody_.drop(uid);
}

}  // namespace tiphys::runtime
