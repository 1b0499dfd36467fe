// What a person may do to suspended nodes, told before the command is kept: the engine that takes
// it later has nobody to tell.
//
// Pure.
#pragma once

#include <string>

#include "value/value.h"
#include "view/node_filter.h"

namespace tiphys::cli {

/// A command for suspended nodes. All is borrowed.
struct NodeCommand {
  const std::string& verb;        // resume, stop or set
  const view::NodeFilter& nodes;  // those that it is for
  const std::string& selector;    // its text
  const value::Value& arguments;  // as the engine gets them
};

/// Why the command cannot do what it says to `workflow`, in Argo's words; empty when it can.
[[nodiscard]] std::string refusal_of_nodes(const value::Value& workflow,
                                           const NodeCommand& command);

}  // namespace tiphys::cli
