// The secrets with which the images of a task's pod are pulled.
//
// Those of the workflow's imagePullSecrets and of its service account's, as Argo's controller takes
// them to look an image up. Each is looked for among the engine's own secrets, then in the cluster,
// where it needs the right to get service accounts and secrets; without it, or where one is
// missing, it goes on with the others.
#pragma once

#include "executor/executor.h"
#include "kube/client.h"
#include "kube/image_configs.h"

namespace tiphys::kube {

/// Borrows `client`, which must outlive the ImageConfigs that the result is given to. `lookup` is
/// called in the threads of both.
[[nodiscard]] PullSecrets pull_secrets_of(const executor::Task& task, Client& client,
                                          const executor::Lookup& lookup);

}  // namespace tiphys::kube
