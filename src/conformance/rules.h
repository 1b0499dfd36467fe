// What a record allows to differ: rules that are applied to both forms before they are compared.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "conformance/record.h"
#include "value/value.h"

namespace tiphys::conformance {

/// A normalised form that can be changed.
struct Form {
  value::Map fields;  // of the workflow, without its nodes
  std::vector<value::Map> nodes;

  explicit Form(const value::Value& form);
};

/// Drops what no golden fixes: keys of artifacts unless `keeps_keys`, and the exit code of a step
/// that was killed at its pod's deadline.
void drop_unfixed(Form& form, bool keeps_keys);

/// Drops the field at a path such as `progress`, `nodes[*].outputs.result` or
/// `nodes[~[0].a].inputs.parameters[x].value`; `~` is the root node, `*` any. A path to nothing
/// drops nothing.
void drop_path(Form& form, const std::string& path);

/// Leaves only the Retry nodes of retried templates, without their edges.
void drop_attempts(Form& form);

/// Takes hooks that only `engine` has away, with all below them, and the progress of both, which
/// counts them; returns the hooks' names.
std::vector<std::string> drop_more_hooks(Form& golden, Form& engine);

/// Puts other words for some, in all texts, and sorts again.
void exchange_words(Form& form, const Record::Words& words);

}  // namespace tiphys::conformance
