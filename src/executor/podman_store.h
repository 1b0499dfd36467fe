// Images of podman's store on this machine (containers-storage with its overlay driver).
//
// Whether an image is there is read from the store's list, which costs microseconds; everything
// else podman is asked for. Its layers are used where they lie, read only: nothing is copied.
#pragma once

#include <optional>
#include <string>

#include "diag/error.h"
#include "executor/image.h"

namespace tiphys::executor {

/// The id of an image by its name; nothing when the store is not there or does not have it.
/// Any thread.
[[nodiscard]] std::optional<std::string> find_in_podman(const std::string& name);

/// Configuration and layers of the image with this id. Blocks for podman. Errors: kIo.
[[nodiscard]] diag::Result<Image> load_podman_image(const std::string& id, const std::string& name);

/// `podman pull`. Blocks. Errors: with podman's last line; kNotFound when there is no podman.
[[nodiscard]] diag::Result<void> podman_pull(const std::string& name);

}  // namespace tiphys::executor
