// The words that a container of a pod runs: those of the template, else of the image.
//
// As in Kubernetes (its documentation of commands and arguments) and in Argo's controller: a
// `command` stands alone with its `args`; `args` alone follow the image's ENTRYPOINT; without both
// it is ENTRYPOINT and CMD. Pure.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"
#include "executor/environment.h"
#include "executor/executor.h"
#include "value/value.h"

namespace tiphys::kube {

/// The images of the task whose ENTRYPOINT and CMD are needed and not known from `images`: of its
/// main containers and sidecars without `command`, each once. Init containers run as they are.
[[nodiscard]] std::vector<std::string> unknown_images(const executor::Task& task,
                                                      const executor::Images& images);

/// The words of a container without `command`, as a Pod has them. Errors: those of
/// executor::container_words().
[[nodiscard]] diag::Result<std::vector<std::string>> image_words(const value::Value& container,
                                                                 const executor::Images& images);

/// `text` for a place where the kubelet replaces `$(NAME)`, so that it comes through as it is.
[[nodiscard]] std::string literal(const std::string& text);

}  // namespace tiphys::kube
