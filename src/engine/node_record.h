// A node as the store keeps it, and Argo's NodeStatus of it.
//
// Of a million nodes each is written, so a record holds nothing that follows from something else:
// ids and display names come from names, and other nodes are numbers. It is a JSON object with
// short keys (docs/STORE.md, "Node records"); up to version 3 of the store a record was the
// NodeStatus itself, and such a one is still read. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "diag/error.h"
#include "engine/machine.h"

namespace tiphys::engine {

/// Appends the record of a node.
void append_node_record(std::string& out, const Machine& m, NodeIndex i);

/// The name of a node of the same workflow; "" when there is none.
using NameOf = std::function<std::string_view(NodeIndex)>;

/// Argo's NodeStatus of the node with this record in the workflow of that name. Errors: kInternal
/// when it is no record.
[[nodiscard]] diag::Result<value::Value> node_status_of_record(std::string_view record,
                                                               std::string_view workflow,
                                                               const NameOf& name_of);
/// Only its name.
[[nodiscard]] diag::Result<std::string> name_of_record(std::string_view record);

}  // namespace tiphys::engine
