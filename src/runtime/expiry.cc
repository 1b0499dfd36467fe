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

std::vector<std::string> Expiry::take_due(clock::Instant now) {
  std::vector<std::string> due;
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    due.push_back(std::move(by_time_.begin()->second));
    by_time_.erase(by_time_.begin());
  }
  return due;
}

}  // namespace tiphys::runtime
