// A Workflow object reduced to what any engine must give alike: the normalised form of a golden.
//
// A golden is such a form of the state in which the real controller left a workflow. Left out is
// what no two runs have alike: ids, times, hosts, resources. The form is a map: `name`, `phase`,
// `message`, `progress`, `outputs`, and `nodes`, a list sorted by name; absent means empty. Ids of
// nodes are their names, also inside of messages, where they stand as <NAME>. Pure.
#pragma once

#include "value/value.h"

namespace tiphys::conformance {

/// The form of a Workflow object with `status.nodes` by id, as `argo get -o json` prints it.
[[nodiscard]] value::Value normal_form(const value::Value& workflow);

/// The same for a form that was read from a file: prunes what is empty, and puts names for Argo's
/// ids in messages, which it finds by computing them.
[[nodiscard]] value::Value normal_form_of_golden(const value::Value& golden);

}  // namespace tiphys::conformance
