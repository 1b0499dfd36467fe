// A Workflow object as `argo get` prints it: header, parameters, tree of nodes.
//
// People and scripts know that text, so it is the same byte for byte (measured with argo v4.1.2),
// but for two things: times are in UTC whatever the machine's zone, and resourcesDuration has its
// parts in the order of their names, where Argo's is random. Pure.
#pragma once

#include <string>
#include <string_view>

#include "clock/instant.h"
#include "value/value.h"

namespace tiphys::view {

enum class Output { kText, kWide, kShort };

/// How to print. `status` and `node_field_selector` are checked by NodeFilter::parse(), which the
/// command line calls first; invalid ones show no node here.
struct GetOptions {
  Output output = Output::kText;
  bool color = true;
  bool utf8 = true;
  std::string status = {};               // only nodes of this phase
  std::string node_field_selector = {};  // key=value: only matching nodes
  clock::Instant now = {};
  int width = 0;           // columns into which the text view is fitted; 0: any
  bool cuts_lines = true;  // what is still too long is cut, not wrapped
};

/// The whole text that `get` prints.
[[nodiscard]] std::string format_workflow(const value::Value& workflow, const GetOptions& options);

/// Only the tree of nodes, without the header.
[[nodiscard]] std::string format_tree(const value::Value& workflow, const GetOptions& options);

/// The pod name of a node: Argo's naming v2, or v1 if the workflow's annotation
/// workflows.argoproj.io/pod-name-format says so.
[[nodiscard]] std::string pod_name(const value::Value& workflow, const value::Value& node);

/// `Succeeded`, `Running (Suspended)`, `Failed (Terminated)` ... as list and get show it.
[[nodiscard]] std::string status_text(const value::Value& workflow);

}  // namespace tiphys::view
