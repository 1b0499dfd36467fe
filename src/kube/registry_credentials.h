// Who we are to a registry, by the secrets of type kubernetes.io/dockerconfigjson.
//
// Which entry holds for an image is the kubelet's way (Kubernetes' documentation of images, "config
// .json"): parts of the host may be globs, a path is a prefix of the repository's. Pure.
#pragma once

#include <string>
#include <vector>

#include "kube/image_reference.h"

namespace tiphys::kube {

struct Credential {
  std::string user;
  std::string password;

  friend bool operator==(const Credential&, const Credential&) = default;
};

/// Those that may pull the image, the most particular first, each once. `docker_configs` are the
/// texts of `.dockerconfigjson` (or of the older `.dockercfg`); what cannot be read is left out.
[[nodiscard]] std::vector<Credential> credentials_for(
    const ImageReference& image, const std::vector<std::string>& docker_configs);

}  // namespace tiphys::kube
