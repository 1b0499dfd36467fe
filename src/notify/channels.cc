#include "notify/channel.h"

namespace tiphys::notify {

std::vector<std::string> Channel::destinations(const value::Value&, const value::Value&) const {
  return {""};
}

Verdict Channel::judge(const Answer& answer, clock::Instant now) const {
  return judge_http(answer, now);
}

}  // namespace tiphys::notify
