// Schedules from anywhere: parsing must end, and times must go forward.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "clock/instant.h"
#include "cron/schedule.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto schedule = tiphys::cron::Schedule::parse(text);
  if (!schedule) return 0;
  tiphys::clock::Instant at{
      1'709'996'400'000'000'000};  // hours before the clocks change in America
  for (int i = 0; i < 3; ++i) {
    const auto next = schedule->next(at);
    if (!next) return 0;
    if (*next <= at) __builtin_trap();
    at = *next;
  }
  return 0;
}
