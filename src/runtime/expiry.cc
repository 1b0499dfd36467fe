#include "runtime/expiry.h"

namespace tiphys::runtime {

std::optional<clock::Instant> expires_at(const value::Value& spec, std::string_view phase,
                                         clock::Instant finished_at) {
  const value::Value& ttl = spec["ttlStrategy"];
  const bool has_failed = phase == "Failed" || phase == "Error";
  const value::Value* seconds = &ttl["secondsAfterCompletion"];
  if (phase == "Failed" && ttl["secondsAfterFailure"].is_int()) {
    seconds = &ttl["secondsAfterFailure"];
  } else if (phase == "Succeeded" && ttl["secondsAfterSuccess"].is_int()) {
    seconds = &ttl["secondsAfterSuccess"];
  }
  if (!seconds->is_int() || !(has_failed || phase == "Succeeded")) return std::nullopt;
  return finished_at + clock::Duration::seconds(seconds->as_int());
}

void Expiry::add(const std::string& uid, clock::Instant at) {
  const auto [it, is_new] = times_.try_emplace(uid, at);
  if (!is_new) by_time_.erase({std::exchange(it->second, at), uid});
  by_time_.emplace(at, uid);
}

std::vector<std::string> Expiry::take_due(clock::Instant now) {
  std::vector<std::string> due;
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    due.push_back(by_time_.begin()->second);
    by_time_.erase(by_time_.begin());
    times_.erase(due.back());
  }
  return due;
}

}  // namespace tiphys::runtime
