// The name of an image, taken apart: which registry has it, and under which name there.
//
// Grammar and defaults are those of the distribution project's references, which Kubernetes and
// Docker use: no registry is `docker.io`, one word there is `library/WORD`, no tag is `latest`.
// What is accepted can be put into a URL as it is. Pure.
#pragma once

#include <string>
#include <string_view>

#include "diag/error.h"

namespace tiphys::kube {

struct ImageReference {
  std::string registry;     // `docker.io`, `localhost:5000`, `[::1]:5000`
  std::string repository;   // `library/busybox`
  std::string tag = {};     // empty with a digest, which says it all
  std::string digest = {};  // `sha256:<64 hex digits>`, or empty

  /// Where the registry answers: `docker.io` does at `registry-1.docker.io`.
  [[nodiscard]] std::string host() const;
  /// What to ask the registry for: the digest, else the tag.
  [[nodiscard]] const std::string& version() const { return digest.empty() ? tag : digest; }
  /// The name in full, by which two references can be compared.
  [[nodiscard]] std::string full() const;
};

/// Errors: kInvalidManifest with the name and what is wrong with it.
[[nodiscard]] diag::Result<ImageReference> parse_image_reference(std::string_view text);

/// Whether `registry` is on this machine, by its name: `localhost`, `127.x.y.z`, `[::1]`, each with
/// any port or none.
[[nodiscard]] bool is_local_registry(std::string_view registry);

}  // namespace tiphys::kube
