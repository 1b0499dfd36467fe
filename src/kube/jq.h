// jq filters, by the system's jq.
//
// A filter may never end, so it runs in a process of its own, for some seconds at most. Blocks; any
// thread.
#pragma once

#include <string>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::kube {

/// The filter's results, a line each, strings as they are, without blanks at both ends (Argo's
/// `valueFrom.jqFilter`). `folder` is for a file. Errors: kNotFound when there is no jq, kIo with
/// what jq says.
[[nodiscard]] diag::Result<std::string> run_jq(const value::Value& object,
                                               const std::string& filter,
                                               const std::string& folder);

}  // namespace tiphys::kube
