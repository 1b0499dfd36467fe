// Manifests from anywhere: reading must end, and what was read must survive a second reading.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "spec/manifest.h"
#include "value/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<tiphys::diag::Diagnostic> findings;
  const auto manifests = tiphys::spec::load_manifests(text, "fuzz.yaml", findings);
  for (const auto& manifest : manifests) {
    // The stored form is JSON: it must read back as the same object.
    const std::string json = tiphys::value::to_json(manifest.object);
    const auto again = tiphys::value::parse_json(json);
    if (!again) __builtin_trap();
    if (tiphys::value::to_json(*again) != json) __builtin_trap();
  }
  return 0;
}
