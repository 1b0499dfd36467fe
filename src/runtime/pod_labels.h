// The labels that a node's pod has: Argo's own, spec.podMetadata's, and those of the template.
//
// No pod is kept here that could be asked, so they are made again from the workflow's definition,
// for `logs -l` and podGC. Pure.
#pragma once

#include "engine/engine.h"
#include "spec/labels.h"
#include "value/value.h"

namespace tiphys::runtime {

/// The template that `node` (an element of status.nodes) runs, as it is written; null for one that
/// was written inside of a step. Lives as long as the definition.
[[nodiscard]] const value::Value& template_of(const engine::Definition& definition,
                                              const value::Value& node);

/// The labels of the pod of `node`. Tags in them are replaced by the workflow's and the node's
/// parameters; one that names something else stays.
[[nodiscard]] spec::Labels pod_labels(const engine::Definition& definition,
                                      const value::Value& node);

}  // namespace tiphys::runtime
