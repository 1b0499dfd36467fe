// An image as a step needs it: its files, and what it says about what to start.
//
// The form of the configuration is that of the OCI image specification, which podman shows as well.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "executor/environment.h"
#include "value/value.h"

namespace tiphys::executor {

/// What an image's author has set.
struct ImageConfig {
  ImageStart start;                   // Entrypoint and Cmd
  std::vector<std::string> env = {};  // `NAME=value` each
  std::string working_folder = {};    // may be empty
  std::string user = {};              // `user`, `user:group`, names or numbers; may be empty
};

struct Image {
  std::string name;                 // as the manifest has it
  std::vector<std::string> layers;  // folders, the uppermost first
  ImageConfig config;
};

/// From the object with the members Entrypoint, Cmd, Env, WorkingDir and User.
[[nodiscard]] ImageConfig parse_image_config(const value::Value& config);

/// A name in full, by which two names can be compared: `busybox` is
/// `docker.io/library/busybox:latest`. One with a digest has no tag.
[[nodiscard]] std::string full_image_name(std::string_view image);

/// The words to run, by Kubernetes' rules: `command` replaces Entrypoint and Cmd, `args` replaces
/// Cmd. Errors: those of container_words().
[[nodiscard]] diag::Result<std::vector<std::string>> words_in_image(const value::Value& container,
                                                                    const Environment& environment,
                                                                    const ImageConfig& config);

/// Adds the image's variables which the container does not define, and what every container has.
void add_image_environment(Environment& environment, const ImageConfig& config,
                           const std::string& host_name, const std::string& user_home);

}  // namespace tiphys::executor
