#include "view/timestamp.h"

#include <fmt/format.h>

#include "clock/go_duration.h"
#include "clock/strftime.h"

namespace tiphys::view {

namespace {

// "9 hours", "1 week": the first unit of humanize(), which adds another from a minute on.
std::string one_unit(clock::Duration d) {
  std::string words = clock::humanize(d);
  if (d < clock::Duration::seconds(60)) return words;
  for (int i = 0; i < 2; ++i) words.erase(words.rfind(' '));
  return words;
}

}  // namespace

std::string timestamp(clock::Instant t, clock::Instant now) {
  const clock::Duration ago = now < t ? t - now : now - t;
  const std::string when = ago < clock::Duration::seconds(1)
                               ? "now"
                               : fmt::format("{} {}", one_unit(ago), now < t ? "from now" : "ago");
  return fmt::format("{} ({})", clock::strftime("%a %b %d %H:%M:%S +0000", t), when);
}

}  // namespace tiphys::view
