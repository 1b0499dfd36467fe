#include "notify/now.h"

#include <chrono>

namespace tiphys::notify {

clock::Instant wall_now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

}  // namespace tiphys::notify
