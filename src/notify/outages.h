// When deliveries to somebody begin to fail, and when they arrive again: told once each.
//
// Pure; used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tiphys::notify {

class Outages {
 public:
  enum class Turn { kNone, kBegins, kEnds };

  /// An attempt has ended. An outage begins with the `after`th failed attempt in a row, and ends
  /// with the next that is delivered.
  [[nodiscard]] Turn note(const std::string& whom, bool is_delivered, std::uint32_t after);

 private:
  std::map<std::string, std::uint32_t> failures_;  // in a row
};

}  // namespace tiphys::notify
