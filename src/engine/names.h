// What a node is called: id and display name follow from its name, so they are not kept.
//
// Pure.
#pragma once

#include <string>

#include "engine/machine.h"

namespace tiphys::engine {

/// Argo's node id: the workflow's name and a hash of the node's (spec/node_id.h).
[[nodiscard]] std::string id_of(const Machine& m, const Node& n);
[[nodiscard]] std::string id_of(const Machine& m, NodeIndex n);

/// `{boundary}[0].a` and `{boundary}.a` are shown as `a`, a node without boundary by its full name;
/// an annotation of the template beats both.
[[nodiscard]] std::string display_name_of(const Machine& m, const Node& n);
/// What is left of a name below the name of the node around it.
[[nodiscard]] std::string_view display_name_below(std::string_view name, std::string_view around);
/// The same for a node that is not made yet.
[[nodiscard]] std::string_view display_name_of(const Machine& m, std::string_view node_name,
                                               NodeIndex boundary);

/// The pod name of a node (naming v2).
[[nodiscard]] std::string pod_name_of(const Machine& m, const Node& n);

}  // namespace tiphys::engine
