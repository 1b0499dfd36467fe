// Who a step in an image runs as: the manifest's securityContext, else the image's User.
//
// Names are looked up in the image's own /etc/passwd and /etc/group. Called on an executor's
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "diag/error.h"
#include "executor/executor.h"
#include "executor/image.h"

namespace tiphys::executor {

struct ImageUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups = {};  // besides gid
  std::string home = "/";

  [[nodiscard]] bool is_root() const { return uid == 0 && gid == 0 && groups.empty(); }
};

/// A member of the container's securityContext, else of the template's; null when neither has it.
[[nodiscard]] const value::Value& security_of(const Task& task, const char* member);

/// Gives the text of a file of the image, "" when it has no such file.
using ImageFile = std::function<std::string(const char* path)>;

/// Errors: kInvalidManifest, with the kubelet's words: the image has no such user; runAsNonRoot is
/// set and it would be root.
[[nodiscard]] diag::Result<ImageUser> image_user(const Task& task, const ImageConfig& config,
                                                 const ImageFile& file);

}  // namespace tiphys::executor
