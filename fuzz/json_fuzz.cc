// JSON from anywhere: reading must end, and what was read means the same after writing.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "value/json.h"
#include "value/value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto v = tiphys::value::parse_json(text);
  if (!v) return 0;
  const auto again = tiphys::value::parse_json(tiphys::value::to_json(*v));
  // 1.0 is written as 1, as Go does, so only the second round must be stable.
  if (!again) __builtin_trap();
  const auto third = tiphys::value::parse_json(tiphys::value::to_json(*again));
  if (!third || *third != *again) __builtin_trap();
  return 0;
}
