// What images start when a manifest names no command: the `images` of the ConfigMap
// workflow-controller-configmap, in the form of Argo's controller (image: {entrypoint: [..], cmd:
// [..]}).
#pragma once

#include "executor/environment.h"
#include "store/store.h"

namespace tiphys::runtime {

/// The table of the store's ConfigMap, of any namespace; empty when there is none or it cannot be
/// read.
[[nodiscard]] executor::Images stored_images(store::Store& store);

}  // namespace tiphys::runtime
