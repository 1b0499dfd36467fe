// What a registry says of an image: the index of a manifest for each platform, the manifest, the
// configuration.
//
// Forms are those of the OCI image specification and of Docker's image manifest, version 2, schema
// 2, which have the same members. Pure.
#pragma once

#include <string>
#include <string_view>

#include "diag/error.h"
#include "executor/environment.h"
#include "value/value.h"

namespace tiphys::kube {

/// The header Accept of a request for a manifest: those that are understood here.
inline constexpr const char* kManifestTypes =
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

/// This machine's processor as images name it: `amd64`, `arm64`.
[[nodiscard]] std::string_view machine_architecture();

/// What is to be asked for next.
struct ImagePart {
  bool is_config = false;  // a blob; else one more manifest
  std::string digest;
};

/// What follows an index or a manifest. Of an index it is the one for linux and `architecture`; if
/// there is none, the first for linux: images start the same on every processor. Errors:
/// kInvalidManifest, the rest of a sentence after the image's name.
[[nodiscard]] diag::Result<ImagePart> part_after(const value::Value& manifest,
                                                 std::string_view architecture);

/// What the image starts, by its configuration. Errors: as above.
[[nodiscard]] diag::Result<executor::ImageStart> start_in(const value::Value& config);

}  // namespace tiphys::kube
