#include "sim/network.h"

#include <memory>

namespace tiphys::sim {

clock::Duration Network::way() {
  return clock::Duration::milliseconds(static_cast<std::int64_t>(1 + random_.below(15)));
}

void Network::call(std::size_t engine, Party party, std::function<void()> serve,
                   std::function<void(bool is_answered)> told) {
  const auto is_told = std::make_shared<bool>(false);
  const auto tell = [is_told, told = std::move(told)](bool is_answered) {
    if (!std::exchange(*is_told, true)) told(is_answered);
  };
  agenda_.in(kPatience, [tell] { tell(false); });
  if (is_cut(engine, party) || random_.chance(faults_.request_lost)) return;
  clock::Duration there = way();
  if (random_.chance(faults_.request_late)) {
    there = there + clock::Duration::milliseconds(static_cast<std::int64_t>(random_.below(20'000)));
  }
  agenda_.in(there, [this, engine, party, serve = std::move(serve), tell] {
    serve();
    if (is_cut(engine, party) || random_.chance(faults_.answer_lost)) return;
    agenda_.in(way(), [tell] { tell(true); });
  });
}

}  // namespace tiphys::sim
