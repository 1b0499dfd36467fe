#include "lease/register.h"

#include <algorithm>

namespace tiphys::lease {

std::int64_t Register::join(const std::string& place, clock::Instant expires_at) {
  engines_[++last_] = {.place = place, .expires_at = expires_at};
  return last_;
}

bool Register::renew(std::int64_t engine, const std::string& place, clock::Instant now,
                     clock::Instant expires_at) {
  const auto [found, is_new] = engines_.try_emplace(engine, Engine{place, {}});
  const bool was_alive = !is_new && found->second.expires_at > now;
  found->second.expires_at = expires_at;
  return was_alive;
}

bool Register::may_take(std::int64_t owner, const std::string& place, clock::Instant now) const {
  const auto found = engines_.find(owner);
  return found == engines_.end() || found->second.place == place || found->second.expires_at <= now;
}

std::optional<Register::Taken> Register::take(const std::string& uid, std::int64_t engine,
                                              const std::string& place, clock::Instant now) {
  const auto [found, is_new] = leases_.try_emplace(uid, Lease{engine, 1, place});
  Lease& lease = found->second;
  if (!is_new) {
    if (lease.engine != engine && !may_take(lease.engine, place, now)) return std::nullopt;
    lease.engine = engine;
    ++lease.epoch;
  }
  return Taken{.epoch = lease.epoch, .place = lease.place};
}

void Register::free(const std::string& uid, std::int64_t engine) {
  const auto found = leases_.find(uid);
  if (found != leases_.end() && found->second.engine == engine) found->second.engine = 0;
}

std::optional<std::string> Register::check(std::int64_t engine, const Epochs& epochs,
                                           const std::string& place) {
  for (const auto& [uid, epoch] : epochs) {
    const auto found = leases_.find(uid);
    const bool is_its =
        found != leases_.end() && found->second.engine == engine && found->second.epoch == epoch;
    if (!is_its) return uid;
  }
  for (const auto& [uid, epoch] : epochs) leases_.at(uid).place = place;
  return std::nullopt;
}

Epochs Register::held_by(std::int64_t engine) const {
  Epochs out;
  for (const auto& [uid, lease] : leases_) {
    if (lease.engine == engine) out.emplace(uid, lease.epoch);
  }
  return out;
}

std::vector<std::string> Register::elsewhere(std::int64_t engine, const std::string& place,
                                             clock::Instant now) const {
  std::vector<std::string> out;
  for (const auto& [uid, lease] : leases_) {
    if (lease.engine != engine && !may_take(lease.engine, place, now)) out.push_back(uid);
  }
  return out;
}

std::size_t Register::alive(clock::Instant now) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      engines_, [now](const auto& entry) { return entry.second.expires_at > now; }));
}

bool Register::is_owned(const std::string& uid, clock::Instant now) const {
  const auto found = leases_.find(uid);
  if (found == leases_.end()) return false;
  const auto engine = engines_.find(found->second.engine);
  return engine != engines_.end() && engine->second.expires_at > now;
}

}  // namespace tiphys::lease
