#include "notify/outages.h"

#include <algorithm>

namespace tiphys::notify {

Outages::Turn Outages::note(const std::string& whom, bool is_delivered, std::uint32_t after) {
  after = std::max(after, 1U);
  if (!is_delivered) return ++failures_[whom] == after ? Turn::kBegins : Turn::kNone;
  const auto found = failures_.find(whom);
  if (found == failures_.end()) return Turn::kNone;
  const bool was_out = found->second >= after;
  failures_.erase(found);
  return was_out ? Turn::kEnds : Turn::kNone;
}

}  // namespace tiphys::notify
