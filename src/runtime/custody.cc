#include "runtime/custody.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "diag/error.h"

namespace tiphys::runtime {

namespace {

// Of a workflow that was deleted while something of it was still to be sent, nothing else is left.
void remove_bare_lock(const std::string& run_path) {
  std::error_code error;
  std::size_t others = 0;
  for (const auto& entry : std::filesystem::directory_iterator(run_path, error)) {
    others += entry.path().filename() == kLockName ? 0 : 1;
  }
  if (!error && others == 0) std::filesystem::remove_all(run_path, error);
}

}  // namespace

void put_soonest_first(std::vector<store::DeliveryRow>& rows) {
  std::unordered_map<std::string_view, clock::Instant> due;  // by workflow
  for (const store::DeliveryRow& row : rows) {
    const auto [at, is_first] = due.emplace(row.uid, row.next_at);
    if (!is_first) at->second = std::min(at->second, row.next_at);
  }
  // The rows move while they are sorted, and the names in `due` with them.
  std::vector<std::pair<clock::Instant, std::size_t>> order;
  for (const store::DeliveryRow& row : rows) order.emplace_back(due.at(row.uid), order.size());
  std::ranges::sort(order);
  std::vector<store::DeliveryRow> sorted;
  sorted.reserve(rows.size());
  for (const auto& [at, index] : order) sorted.push_back(std::move(rows[index]));
  rows = std::move(sorted);
}

void Custody::close(const std::string& uid) {
  const auto found = open_.find(uid);
  CHECK(found != open_.end());
  if (--found->second > 0) return;
  open_.erase(found);
  if (kept_.contains(uid)) remove_bare_lock(config_.run_path(uid));
  kept_.erase(uid);
}

void Custody::keep(const std::string& uid, Ownership lock) {
  if (open_.contains(uid)) kept_.insert_or_assign(uid, std::move(lock));
}

std::optional<Ownership> Custody::give(const std::string& uid) {
  auto found = kept_.extract(uid);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

void Custody::look_elsewhere() {
  elsewhere_.clear();
  if (!store_.has_leases()) return;
  if (auto uids = store_.leased_elsewhere()) elsewhere_.insert(uids->begin(), uids->end());
}

bool Custody::may_send(const std::string& uid, Whose whose) {
  if (kept_.contains(uid) || runs_here_(uid)) return true;
  if (whose == Whose::kOwn || will_run_(uid) || elsewhere_.contains(uid)) return false;
  was_full_ = kept_.size() >= kTakenMax;
  if (was_full_) return false;
  auto lock = Ownership::take(config_, store_, uid);
  if (!lock) return false;  // an engine has it
  kept_.emplace(uid, std::move(*lock));
  return true;
}

void Custody::drop_unused() {
  std::erase_if(kept_, [this](const auto& entry) { return !open_.contains(entry.first); });
}

}  // namespace tiphys::runtime
