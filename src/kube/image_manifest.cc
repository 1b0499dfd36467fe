#include "kube/image_manifest.h"

#include <fmt/format.h>

#include "executor/image.h"

namespace tiphys::kube {
namespace {

using value::Value;

diag::Result<ImagePart> part_of_index(const Value& index, std::string_view architecture) {
  const Value* chosen = nullptr;
  int rank_of_chosen = 0;
  for (const Value& m : index["manifests"].list()) {
    const Value& platform = m["platform"];
    const bool is_linux = platform["os"].string_or("linux") == "linux";
    if (!is_linux) continue;  // also `unknown`, as attestations have it
    const std::string_view processor = platform["architecture"].string_or("");
    const int rank = processor == architecture ? 3 : processor.empty() ? 1 : 2;
    if (rank <= rank_of_chosen) continue;
    chosen = &m;
    rank_of_chosen = rank;
  }
  if (chosen == nullptr) {
    return diag::fail(diag::Code::kInvalidManifest, "has no image for linux");
  }
  return ImagePart{.is_config = false, .digest = std::string((*chosen)["digest"].string_or(""))};
}

}  // namespace

std::string_view machine_architecture() {
#if defined(__aarch64__)
  return "arm64";
#else
  return "amd64";
#endif
}

diag::Result<ImagePart> part_after(const Value& manifest, std::string_view architecture) {
  if (manifest["manifests"].is_list()) return part_of_index(manifest, architecture);
  if (manifest["schemaVersion"].int_or(2) == 1) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "has a manifest of Docker's old form (schema 1)");
  }
  const std::string_view digest = manifest["config"]["digest"].string_or("");
  if (digest.empty()) {
    return diag::fail(diag::Code::kInvalidManifest, "has a manifest without a configuration");
  }
  return ImagePart{.is_config = true, .digest = std::string(digest)};
}

diag::Result<executor::ImageStart> start_in(const Value& config) {
  if (!config["config"].is_map() && !config["rootfs"].is_map()) {
    return diag::fail(diag::Code::kInvalidManifest, "is no image of a container");
  }
  return executor::parse_image_config(config["config"]).start;
}

}  // namespace tiphys::kube
